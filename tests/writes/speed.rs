//! Speed tests and UDP echo.

use super::{Group, Write, write};

pub const GROUP: Group = Group { prepare: |_| {}, add: &[], writes: WRITES };

const RULE: &str = "firewall.cwmpd_udp_echo";

const WRITES: &[Write] = &[
    write("Device.IP.Diagnostics.DownloadDiagnostics.Interface", "Device.IP.Interface.2", &[]),
    write("Device.IP.Diagnostics.DownloadDiagnostics.DownloadURL", "http://127.0.0.1:1/file", &[]),
    write("Device.IP.Diagnostics.DownloadDiagnostics.DSCP", "46", &[]),
    write("Device.IP.Diagnostics.DownloadDiagnostics.EthernetPriority", "5", &[]),
    write("Device.IP.Diagnostics.DownloadDiagnostics.TimeBasedTestDuration", "10", &[]),
    write("Device.IP.Diagnostics.DownloadDiagnostics.TimeBasedTestMeasurementInterval", "2", &[]),
    write("Device.IP.Diagnostics.DownloadDiagnostics.TimeBasedTestMeasurementOffset", "1", &[]),
    write("Device.IP.Diagnostics.DownloadDiagnostics.ProtocolVersion", "IPv6", &[]),
    write("Device.IP.Diagnostics.DownloadDiagnostics.NumberOfConnections", "4", &[]),
    write("Device.IP.Diagnostics.DownloadDiagnostics.EnablePerConnectionResults", "true", &[]),
    write("Device.IP.Diagnostics.DownloadDiagnostics.DiagnosticsState", "Requested", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.Interface", "Device.IP.Interface.2", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.UploadURL", "http://127.0.0.1:1/file", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.DSCP", "46", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.EthernetPriority", "5", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.TestFileLength", "5000000000", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.TimeBasedTestDuration", "10", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.TimeBasedTestMeasurementInterval", "2", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.TimeBasedTestMeasurementOffset", "1", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.ProtocolVersion", "IPv4", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.NumberOfConnections", "4", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.EnablePerConnectionResults", "true", &[]),
    write("Device.IP.Diagnostics.UploadDiagnostics.DiagnosticsState", "Requested", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.Interface", "Device.IP.Interface.2", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.Host", "127.0.0.1", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.Port", "7007", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.NumberOfRepetitions", "10", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.Timeout", "1000", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.DataBlockSize", "200", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.DSCP", "10", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.InterTransmissionTime", "20", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.ProtocolVersion", "IPv4", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.EnableIndividualPacketResults", "true", &[]),
    write("Device.IP.Diagnostics.UDPEchoDiagnostics.DiagnosticsState", "Requested", &[]),
    write("Device.IP.Diagnostics.UDPEchoConfig.SourceIPAddress", "192.0.2.9", &[]),
    write("Device.IP.Diagnostics.UDPEchoConfig.EchoPlusEnabled", "true", &[]),
    write("Device.IP.Diagnostics.UDPEchoConfig.Enable", "true", &[]),
    write("Device.IP.Diagnostics.UDPEchoConfig.UDPPort", "7007", &[
        (RULE, "rule"),
        ("firewall.cwmpd_udp_echo.src", "*"),
        ("firewall.cwmpd_udp_echo.src_ip", "192.0.2.9"),
        ("firewall.cwmpd_udp_echo.dest_port", "7007"),
    ]),
    write("Device.IP.Diagnostics.UDPEchoConfig.Interface", "Device.IP.Interface.2", &[
        ("firewall.cwmpd_udp_echo.src", "lan"),
    ]),
    write("Device.IP.Diagnostics.UDPEchoConfig.Enable", "false", &[(RULE, "")]),
];
