//! `Device.IP.`

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |root| {
        root.replace("/etc/config/network", "\toption ip6assign '60'\n", "\toption ip6assign '60'\n\toption ip6hint '0'\n");
        root.append("/etc/config/network", "\nconfig interface 'spare'\n\toption proto 'none'\n");
    },
    add: &[
        "Device.IP.Interface.6.IPv4Address.",
        "Device.IP.Interface.6.IPv6Address.",
        "Device.IP.Interface.6.IPv6Prefix.",
    ],
    writes: WRITES,
};

const FOR_EVER: &str = "9999-12-31T23:59:59Z";

const WRITES: &[Write] = &[
    // The router cannot do without IPv4.
    write("Device.IP.IPv4Enable", "true", &[]),
    // The agent's own, and what only asks for IPv6 goes along: UCI has no switch for all of it.
    write("Device.IP.IPv6Enable", "false", &[("network.wan6.disabled", "1")]),
    write("Device.IP.IPv6Enable", "true", &[("network.wan6.disabled", "")]),
    write("Device.IP.ULAPrefix", "fd00:1::/48", &[("network.globals.ula_prefix", "fd00:1::/48")])
        .outside(&[("network.globals.ula_prefix", "fd00:2::/48")], "fd00:2::/48"),
    write("Device.IP.Interface.6.Enable", "false", &[("network.spare.disabled", "1")])
        .outside(&[("network.spare.disabled", "")], "true"),
    write("Device.IP.Interface.6.LowerLayers", "Device.Ethernet.Link.3", &[("network.spare.device", "br-guest")])
        .outside(&[("network.spare.device", "br-lan")], "Device.Ethernet.Link.1"),
    write("Device.IP.Interface.6.IPv4Enable", "true", &[]),
    write("Device.IP.Interface.3.IPv6Enable", "false", &[("network.@device[2].ipv6", "0")])
        .outside(&[("network.@device[2].ipv6", "1")], "true"),
    write("Device.IP.Interface.6.ULAEnable", "false", &[]),
    write("Device.IP.Interface.6.Router", "Device.Routing.Router.1", &[]),
    write("Device.IP.Interface.6.Loopback", "false", &[]),
    write("Device.IP.Interface.6.AutoIPEnable", "false", &[]),
    write("Device.IP.Interface.6.Reset", "true", &[]).reads("false"),
    write("Device.IP.Interface.6.Stats.Reset", "true", &[]).reads("false"),
    write("Device.IP.Interface.6.MaxMTUSize", "1400", &[("network.@device[0].mtu", "1400")])
        .outside(&[("network.@device[0].mtu", "1300")], "1300"),
    write("Device.IP.Interface.6.IPv4Address.1.IPAddress", "192.168.9.1", &[])
        .with(&[("Device.IP.Interface.6.IPv4Address.1.SubnetMask", "255.255.255.0")]),
    write("Device.IP.Interface.6.IPv4Address.1.Enable", "true", &[
        ("network.spare.proto", "static"),
        ("network.spare.ipaddr", "192.168.9.1"),
        ("network.spare.netmask", "255.255.255.0"),
    ]),
    write("Device.IP.Interface.6.IPv4Address.1.SubnetMask", "255.255.0.0", &[("network.spare.netmask", "255.255.0.0")])
        .outside(&[("network.spare.netmask", "255.0.0.0")], "255.0.0.0"),
    write("Device.IP.Interface.6.IPv4Address.1.IPAddress", "192.168.9.2", &[("network.spare.ipaddr", "192.168.9.2")])
        .outside(&[("network.spare.ipaddr", "192.168.9.3")], "192.168.9.3"),
    write("Device.IP.Interface.6.IPv6Address.1.IPAddress", "2001:db8:6::1", &[]),
    write("Device.IP.Interface.6.IPv6Address.1.Enable", "true", &[("network.spare.ip6addr", "2001:db8:6::1/64")])
        .outside(&[("network.spare.ip6addr", "2001:db8:7::1/64")], "true"),
    write("Device.IP.Interface.6.IPv6Address.1.Prefix", "", &[]),
    write("Device.IP.Interface.6.IPv6Address.1.PreferredLifetime", FOR_EVER, &[]),
    write("Device.IP.Interface.6.IPv6Address.1.ValidLifetime", FOR_EVER, &[]),
    write("Device.IP.Interface.6.IPv6Address.1.Anycast", "false", &[]),
    write("Device.IP.Interface.6.IPv6Prefix.1.StaticType", "Static", &[]),
    write("Device.IP.Interface.6.IPv6Prefix.1.Prefix", "2001:db8:66::/56", &[]),
    write("Device.IP.Interface.6.IPv6Prefix.1.Enable", "true", &[("network.spare.ip6prefix", "2001:db8:66::/56")]),
    write("Device.IP.Interface.6.IPv6Prefix.1.Prefix", "2001:db8:67::/56", &[("network.spare.ip6prefix", "2001:db8:67::/56")]),
    write("Device.IP.Interface.2.IPv6Prefix.1.ChildPrefixBits", "0:0:0:20::/62", &[
        ("network.lan.ip6assign", "62"),
        ("network.lan.ip6hint", "20"),
    ])
    .outside(&[("network.lan.ip6hint", "40")], "0:0:0:40::/62"),
    write("Device.IP.Interface.2.IPv6Prefix.1.ParentPrefix", "Device.IP.Interface.4.IPv6Prefix.1", &[]),
    write("Device.IP.Interface.2.IPv6Prefix.1.OnLink", "true", &[]),
    write("Device.IP.Interface.2.IPv6Prefix.1.Autonomous", "true", &[]),
    write("Device.IP.Interface.6.IPv6Prefix.1.PreferredLifetime", FOR_EVER, &[]),
    write("Device.IP.Interface.6.IPv6Prefix.1.ValidLifetime", FOR_EVER, &[]),
];
