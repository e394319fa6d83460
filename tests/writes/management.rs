//! The agent's own settings.

use super::{Group, Write, write};

pub const GROUP: Group =
    Group { prepare: |_| {}, add: &["Device.ManagementServer.InformParameter."], writes: WRITES };

const WRITES: &[Write] = &[
    write("Device.ManagementServer.EnableCWMP", "false", &[("cwmpd.cpe.enable", "0")])
        .outside(&[("cwmpd.cpe.enable", "1")], "true"),
    write("Device.ManagementServer.URL", "http://127.0.0.1:1/other", &[("cwmpd.acs.url", "http://127.0.0.1:1/other")])
        .outside(&[("cwmpd.acs.url", "http://127.0.0.1:1/a")], "http://127.0.0.1:1/a"),
    write("Device.ManagementServer.Username", "cpe & co", &[("cwmpd.acs.username", "cpe & co")])
        .outside(&[("cwmpd.acs.username", "other")], "other"),
    write("Device.ManagementServer.Password", "secret", &[("cwmpd.acs.password", "secret")])
        .reads("")
        .outside(&[("cwmpd.acs.password", "other")], ""),
    write("Device.ManagementServer.PeriodicInformEnable", "false", &[("cwmpd.acs.periodic_enable", "0")])
        .outside(&[("cwmpd.acs.periodic_enable", "")], "true"),
    write("Device.ManagementServer.PeriodicInformInterval", "7200", &[("cwmpd.acs.periodic_interval", "7200")])
        .outside(&[("cwmpd.acs.periodic_interval", "600")], "600"),
    write(
        "Device.ManagementServer.PeriodicInformTime",
        "2030-01-01T04:00:00Z",
        &[("cwmpd.acs.periodic_time", "2030-01-01T04:00:00Z")],
    )
    .outside(&[("cwmpd.acs.periodic_time", "")], "0001-01-01T00:00:00Z"),
    write("Device.ManagementServer.ConnectionRequestUsername", "acs", &[("cwmpd.cpe.username", "acs")])
        .outside(&[("cwmpd.cpe.username", "other")], "other"),
    write("Device.ManagementServer.ConnectionRequestPassword", "hush", &[("cwmpd.cpe.password", "hush")])
        .reads("")
        .outside(&[("cwmpd.cpe.password", "other")], ""),
    write("Device.ManagementServer.CWMPRetryMinimumWaitInterval", "7", &[("cwmpd.acs.retry_min_wait", "7")])
        .outside(&[("cwmpd.acs.retry_min_wait", "")], "5"),
    write("Device.ManagementServer.CWMPRetryIntervalMultiplier", "3000", &[("cwmpd.acs.retry_multiplier", "3000")])
        .outside(&[("cwmpd.acs.retry_multiplier", "")], "2000"),
    write("Device.ManagementServer.HTTPCompression", "GZIP", &[("cwmpd.acs.compression", "gzip")])
        .outside(&[("cwmpd.acs.compression", "none")], "Disabled"),
    write("Device.ManagementServer.UpgradesManaged", "true", &[]),
    write("Device.ManagementServer.DefaultActiveNotificationThrottle", "30", &[]),
    write("Device.ManagementServer.HTTPConnectionRequestEnable", "false", &[]),
    write("Device.ManagementServer.AutoCreateInstances", "true", &[]),
    write("Device.ManagementServer.LightweightNotificationProtocolsUsed", "UDP", &[]),
    write("Device.ManagementServer.LightweightNotificationTriggerInterval", "60", &[]),
    write("Device.ManagementServer.LightweightNotificationTriggerTime", "2030-01-01T00:00:00Z", &[]),
    write("Device.ManagementServer.UDPLightweightNotificationHost", "127.0.0.1", &[]),
    write("Device.ManagementServer.UDPLightweightNotificationPort", "9", &[]),
    write("Device.ManagementServer.ManageableDeviceNotificationLimit", "60", &[]),
    write("Device.ManagementServer.STUNServerAddress", "127.0.0.1", &[]),
    write("Device.ManagementServer.STUNServerPort", "9", &[]),
    write("Device.ManagementServer.STUNUsername", "router", &[]),
    write("Device.ManagementServer.STUNPassword", "hush", &[]).reads(""),
    write("Device.ManagementServer.STUNMaximumKeepAlivePeriod", "300", &[]),
    write("Device.ManagementServer.STUNMinimumKeepAlivePeriod", "60", &[]),
    write("Device.ManagementServer.STUNEnable", "true", &[]),
    write("Device.ManagementServer.InformParameter.1.ParameterName", "Device.DeviceInfo.UpTime", &[]),
    write("Device.ManagementServer.InformParameter.1.EventList", "1 BOOT,2 PERIODIC", &[]),
    write("Device.ManagementServer.InformParameter.1.Enable", "true", &[]),
    write("Device.ManagementServer.AutonomousTransferCompletePolicy.TransferTypeFilter", "Download", &[]),
    write("Device.ManagementServer.AutonomousTransferCompletePolicy.ResultTypeFilter", "Failure", &[]),
    write(
        "Device.ManagementServer.AutonomousTransferCompletePolicy.FileTypeFilter",
        "1 Firmware Upgrade Image,3 Vendor Configuration File",
        &[],
    ),
    write("Device.ManagementServer.AutonomousTransferCompletePolicy.Enable", "true", &[]),
    write("Device.DeviceInfo.ProvisioningCode", "A.1", &[("cwmpd.cpe.provisioning_code", "A.1")])
        .outside(&[("cwmpd.cpe.provisioning_code", "B.2")], "B.2"),
    write("Device.DeviceInfo.HostName", "gate", &[("system.@system[0].hostname", "gate")])
        .outside(&[("system.@system[0].hostname", "router")], "router"),
    // The last: names have aliases from now on.
    write("Device.ManagementServer.InstanceMode", "InstanceAlias", &[]),
];
