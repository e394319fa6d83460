//! The clients and the server of DHCPv6.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |root| {
        root.append("/etc/config/network", "\nconfig interface 'iptv'\n\toption device 'eth0'\n\toption proto 'none'\n");
    },
    add: &[
        "Device.DHCPv6.Client.",
        "Device.DHCPv6.Client.1.SentOption.",
        "Device.DHCPv6.Server.Pool.",
        "Device.DHCPv6.Server.Pool.1.Option.",
    ],
    writes: WRITES,
};

macro_rules! client {
    ($name:literal) => {
        concat!("Device.DHCPv6.Client.", $name)
    };
}

macro_rules! server {
    ($name:literal) => {
        concat!("Device.DHCPv6.Server.", $name)
    };
}

const WRITES: &[Write] = &[
    write(client!("2.Interface"), "Device.IP.Interface.6", &[
        ("network.iptv.proto", "dhcpv6"),
        ("network.iptv.reqprefix", "no"),
    ])
    .with(&[(client!("2.Enable"), "true")]),
    write(client!("2.RequestAddresses"), "false", &[("network.iptv.reqaddress", "none")])
        .outside(&[("network.iptv.reqaddress", "force")], "true"),
    write(client!("2.RequestPrefixes"), "true", &[("network.iptv.reqprefix", "auto")])
        .outside(&[("network.iptv.reqprefix", "no")], "false"),
    write(client!("2.RequestedOptions"), "23,56", &[("network.iptv.reqopts", "23 56")])
        .outside(&[("network.iptv.reqopts", "17 21")], "17,21"),
    write(client!("2.Enable"), "false", &[("network.iptv.proto", "none"), ("network.iptv.reqopts", "")]),
    write(client!("1.RapidCommit"), "false", &[]),
    write(client!("1.Renew"), "true", &[]).reads("false"),
    write(client!("1.SuggestedT1"), "-1", &[]),
    write(client!("1.SuggestedT2"), "-1", &[]),
    write(client!("1.SentOption.1.Tag"), "15", &[("network.wan6.userclass", "iptv")])
        .with(&[(client!("1.SentOption.1.Enable"), "true"), (client!("1.SentOption.1.Value"), "000469707476")])
        .outside(&[("network.wan6.userclass", "gold")], "15"),
    write(client!("1.SentOption.1.Value"), "00026f6b", &[("network.wan6.userclass", "ok")])
        .outside(&[("network.wan6.userclass", "a b")], "000161000162"),
    write(client!("1.SentOption.1.Enable"), "false", &[("network.wan6.userclass", "")]),
    write(server!("Enable"), "false", &[("dhcp.lan.dhcpv6", "disabled"), ("dhcp.lan.ra", "server")]),
    write(server!("Enable"), "true", &[("dhcp.lan.dhcpv6", "server")]),
    write(server!("Pool.2.Interface"), "Device.IP.Interface.5", &[("dhcp.guest.dhcpv6", "server")])
        .with(&[(server!("Pool.2.Enable"), "true")]),
    write(server!("Pool.2.Enable"), "false", &[("dhcp.guest.dhcpv6", "disabled")])
        .outside(&[("dhcp.guest.dhcpv6", "relay")], "true"),
    write(server!("Pool.2.Order"), "1", &[]),
    write(server!("Pool.1.IANAEnable"), "false", &[("dhcp.lan.dhcpv6_na", "0")])
        .outside(&[("dhcp.lan.dhcpv6_na", "")], "true"),
    write(server!("Pool.1.IAPDEnable"), "false", &[("dhcp.lan.dhcpv6_pd", "0")])
        .outside(&[("dhcp.lan.dhcpv6_pd", "1")], "true"),
    write(server!("Pool.1.IAPDAddLength"), "1", &[("dhcp.lan.dhcpv6_pd_min_len", "61")])
        .outside(&[("dhcp.lan.dhcpv6_pd_min_len", "62")], "2"),
    write(server!("Pool.1.Option.1.Tag"), "23", &[("dhcp.lan.dns", "2001:db8::53")])
        .with(&[
            (server!("Pool.1.Option.1.Enable"), "true"),
            (server!("Pool.1.Option.1.Value"), "20010db8000000000000000000000053"),
        ])
        .outside(&[("dhcp.lan.dns", "2001:db8::54")], "23"),
    write(server!("Pool.1.Option.1.Value"), "20010db8000000000000000000000055", &[("dhcp.lan.dns", "2001:db8::55")])
        .outside(&[("dhcp.lan.dns", "2001:db8::1")], "20010db8000000000000000000000001"),
    write(server!("Pool.1.Option.1.Enable"), "false", &[("dhcp.lan.dns", "")]),
];
