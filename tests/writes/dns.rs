//! The servers of names.

use super::{Group, Write, write};

pub const GROUP: Group =
    Group { prepare: |_| {}, add: &["Device.DNS.Client.Server.", "Device.DNS.Relay.Forwarding."], writes: WRITES };

const SERVER: &str = "Device.DNS.Client.Server.4.DNSServer";
const SERVER_ENABLE: &str = "Device.DNS.Client.Server.4.Enable";
const FORWARDING: &str = "Device.DNS.Relay.Forwarding.4.DNSServer";
const FORWARDING_ENABLE: &str = "Device.DNS.Relay.Forwarding.4.Enable";

const WRITES: &[Write] = &[
    write("Device.DNS.Client.Enable", "true", &[]),
    write(SERVER, "9.9.9.9", &[("network.wan.dns", "9.9.9.9")])
        .with(&[(SERVER_ENABLE, "true")])
        .outside(&[("network.wan.dns", "1.1.1.1")], "1.1.1.1"),
    write("Device.DNS.Client.Server.4.Interface", "Device.IP.Interface.2", &[
        ("network.wan.dns", ""),
        ("network.lan.dns", "1.1.1.1"),
    ])
    .outside(&[("network.lan.dns", "2001:db8::53")], "Device.IP.Interface.2"),
    write(SERVER_ENABLE, "false", &[("network.lan.dns", "")]),
    write("Device.DNS.Relay.Enable", "false", &[("dhcp.@dnsmasq[0].port", "0"), ("dhcp.@dnsmasq[0].localuse", "0")])
        .outside(&[("dhcp.@dnsmasq[0].port", "53")], "true"),
    write(FORWARDING, "9.9.9.9", &[("dhcp.@dnsmasq[0].server", "9.9.9.9")])
        .with(&[(FORWARDING_ENABLE, "true")])
        .outside(&[("dhcp.@dnsmasq[0].server", "1.1.1.1#5353")], "1.1.1.1"),
    write("Device.DNS.Relay.Forwarding.4.Interface", "Device.IP.Interface.2", &[(
        "dhcp.@dnsmasq[0].server",
        "1.1.1.1#5353@br-lan",
    )])
    .outside(&[("dhcp.@dnsmasq[0].server", "1.1.1.1@br-guest")], "Device.IP.Interface.5"),
    write(FORWARDING_ENABLE, "false", &[("dhcp.@dnsmasq[0].server", "")]),
];
