//! Tests of the network. They begin when the session is over, so that all of them are still to come here.

use super::{Group, Write, write};

pub const GROUP: Group = Group { prepare: |_| {}, add: &[], writes: WRITES };

const INTERFACE: &str = "Device.IP.Interface.1";

const WRITES: &[Write] = &[
    write("Device.IP.Diagnostics.IPPing.Interface", INTERFACE, &[]),
    write("Device.IP.Diagnostics.IPPing.ProtocolVersion", "IPv4", &[]),
    write("Device.IP.Diagnostics.IPPing.Host", "127.0.0.1", &[]),
    write("Device.IP.Diagnostics.IPPing.NumberOfRepetitions", "1", &[]),
    write("Device.IP.Diagnostics.IPPing.Timeout", "500", &[]),
    write("Device.IP.Diagnostics.IPPing.DataBlockSize", "100", &[]),
    write("Device.IP.Diagnostics.IPPing.DSCP", "46", &[]),
    write("Device.IP.Diagnostics.IPPing.DiagnosticsState", "Requested", &[]),
    write("Device.IP.Diagnostics.TraceRoute.Interface", INTERFACE, &[]),
    write("Device.IP.Diagnostics.TraceRoute.ProtocolVersion", "IPv6", &[]),
    write("Device.IP.Diagnostics.TraceRoute.Host", "::1", &[]),
    write("Device.IP.Diagnostics.TraceRoute.NumberOfTries", "2", &[]),
    write("Device.IP.Diagnostics.TraceRoute.Timeout", "500", &[]),
    write("Device.IP.Diagnostics.TraceRoute.DataBlockSize", "60", &[]),
    write("Device.IP.Diagnostics.TraceRoute.DSCP", "10", &[]),
    write("Device.IP.Diagnostics.TraceRoute.MaxHopCount", "5", &[]),
    write("Device.IP.Diagnostics.TraceRoute.DiagnosticsState", "Requested", &[]),
    write("Device.IP.Diagnostics.ServerSelectionDiagnostics.Interface", INTERFACE, &[]),
    write("Device.IP.Diagnostics.ServerSelectionDiagnostics.ProtocolVersion", "IPv4", &[]),
    write("Device.IP.Diagnostics.ServerSelectionDiagnostics.Protocol", "UDP Echo", &[]),
    write("Device.IP.Diagnostics.ServerSelectionDiagnostics.HostList", "127.0.0.1,127.0.0.2", &[]),
    write("Device.IP.Diagnostics.ServerSelectionDiagnostics.NumberOfRepetitions", "1", &[]),
    write("Device.IP.Diagnostics.ServerSelectionDiagnostics.Timeout", "500", &[]),
    write("Device.IP.Diagnostics.ServerSelectionDiagnostics.DiagnosticsState", "Requested", &[]),
    write("Device.DNS.Diagnostics.NSLookupDiagnostics.Interface", INTERFACE, &[]),
    write("Device.DNS.Diagnostics.NSLookupDiagnostics.HostName", "host.invalid", &[]),
    write("Device.DNS.Diagnostics.NSLookupDiagnostics.DNSServer", "127.0.0.1", &[]),
    write("Device.DNS.Diagnostics.NSLookupDiagnostics.Timeout", "500", &[]),
    write("Device.DNS.Diagnostics.NSLookupDiagnostics.NumberOfRepetitions", "2", &[]),
    write("Device.DNS.Diagnostics.NSLookupDiagnostics.DiagnosticsState", "Requested", &[]),
    write("Device.WiFi.NeighboringWiFiDiagnostic.DiagnosticsState", "Requested", &[]),
    write("Device.SelfTestDiagnostics.DiagnosticsState", "Requested", &[]),
];
