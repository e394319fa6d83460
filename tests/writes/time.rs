//! The clock: sysntpd and the time zone.

use super::{Group, Write, write};

pub const GROUP: Group = Group { prepare: |_| {}, add: &[], writes: WRITES };

const SERVERS: &str = "system.ntp.server";

const WRITES: &[Write] = &[
    write("Device.Time.Enable", "false", &[("system.ntp.enabled", "0")])
        .outside(&[("system.ntp.enabled", "")], "true"),
    write(
        "Device.Time.Client.1.Servers",
        "ntp1.example,ntp2.example",
        &[(SERVERS, "ntp1.example ntp2.example")],
    ),
    write("Device.Time.NTPServer1", "a.example", &[(SERVERS, "a.example ntp2.example")]),
    write("Device.Time.NTPServer2", "b.example", &[(SERVERS, "a.example b.example")]),
    write("Device.Time.NTPServer3", "c.example", &[(SERVERS, "a.example b.example c.example")]),
    write("Device.Time.NTPServer4", "2001:db8::4", &[(SERVERS, "a.example b.example c.example 2001:db8::4")]),
    write("Device.Time.NTPServer5", "192.0.2.5", &[(SERVERS, "a.example b.example c.example 2001:db8::4 192.0.2.5")])
        .outside(&[(SERVERS, "one.example")], ""),
    write("Device.Time.Client.1.Servers", "ntp.example", &[(SERVERS, "ntp.example")])
        .outside(&[(SERVERS, "one.example")], "one.example"),
    write("Device.Time.LocalTimeZone", "UTC", &[("system.@system[0].timezone", "UTC"), ("system.@system[0].zonename", "")])
        .outside(&[("system.@system[0].timezone", "EST5EDT,M3.2.0,M11.1.0")], "EST5EDT,M3.2.0,M11.1.0"),
    write("Device.Time.Client.1.Enable", "false", &[("system.ntp.enabled", "0")])
        .outside(&[("system.ntp.enabled", "1")], "true"),
    write("Device.Time.Server.1.Enable", "true", &[("system.ntp.enable_server", "1")])
        .outside(&[("system.ntp.enable_server", "")], "false"),
    write("Device.Time.Server.1.Interface", "Device.IP.Interface.2", &[("system.ntp.interface", "lan")])
        .outside(&[("system.ntp.interface", "")], ""),
    // sysntpd has one way of each.
    write("Device.Time.Client.1.Mode", "Unicast", &[]),
    write("Device.Time.Client.1.Port", "123", &[]),
    write("Device.Time.Client.1.Version", "4", &[]),
    write("Device.Time.Client.1.Interface", "", &[]),
    write("Device.Time.Server.1.Mode", "Unicast", &[]),
    write("Device.Time.Server.1.Port", "123", &[]),
    write("Device.Time.Server.1.Version", "4", &[]),
];
