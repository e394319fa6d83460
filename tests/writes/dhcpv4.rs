//! The clients and the server of DHCPv4.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |root| {
        root.append("/etc/config/network", "\nconfig interface 'iptv'\n\toption device 'eth0'\n\toption proto 'none'\n");
    },
    add: &[
        "Device.DHCPv4.Client.",
        "Device.DHCPv4.Client.1.SentOption.",
        "Device.DHCPv4.Client.1.ReqOption.",
        "Device.DHCPv4.Server.Pool.1.Option.",
    ],
    writes: WRITES,
};

macro_rules! client {
    ($name:literal) => {
        concat!("Device.DHCPv4.Client.", $name)
    };
}

macro_rules! server {
    ($name:literal) => {
        concat!("Device.DHCPv4.Server.", $name)
    };
}

const WRITES: &[Write] = &[
    write(client!("2.Interface"), "Device.IP.Interface.6", &[("network.iptv.proto", "dhcp")])
        .with(&[(client!("2.Enable"), "true")]),
    write(client!("2.Enable"), "false", &[("network.iptv.proto", "none")])
        .outside(&[("network.iptv.hostname", "mine")], "false"),
    write(client!("1.Renew"), "true", &[]).reads("false"),
    write(client!("1.SentOption.2.Tag"), "60", &[("network.wan.vendorid", "my")])
        .with(&[(client!("1.SentOption.2.Enable"), "true"), (client!("1.SentOption.2.Value"), "6d79")]),
    write(client!("1.SentOption.2.Value"), "6162", &[("network.wan.vendorid", "ab")])
        .outside(&[("network.wan.vendorid", "cd")], "6364"),
    write(client!("1.SentOption.2.Enable"), "false", &[("network.wan.vendorid", "")]),
    write(client!("1.SentOption.1.Value"), "6d79", &[("network.wan.hostname", "my")])
        .outside(&[("network.wan.hostname", "you")], "796f75"),
    write(client!("1.ReqOption.1.Tag"), "42", &[("network.wan.reqopts", "42")])
        .with(&[(client!("1.ReqOption.1.Enable"), "true")])
        .outside(&[("network.wan.reqopts", "ntpsrv 121")], "42"),
    write(client!("1.ReqOption.1.Order"), "2", &[("network.wan.reqopts", "121 42")])
        .outside(&[("network.wan.reqopts", "42 121")], "1"),
    write(client!("1.ReqOption.1.Enable"), "false", &[("network.wan.reqopts", "121")]),
    write(server!("Enable"), "false", &[("dhcp.lan.ignore", "1")]),
    write(server!("Enable"), "true", &[("dhcp.lan.ignore", "")]),
    write(server!("Pool.1.Enable"), "false", &[("dhcp.lan.ignore", "1")]).outside(&[("dhcp.lan.ignore", "")], "true"),
    write(server!("Pool.1.Order"), "2", &[]),
    write(server!("Pool.2.Interface"), "Device.IP.Interface.6", &[("dhcp.wan.interface", "iptv")])
        .outside(&[("dhcp.wan.interface", "wan")], "Device.IP.Interface.3"),
    write(server!("Pool.1.MinAddress"), "192.168.1.50", &[("dhcp.lan.start", "50")])
        .outside(&[("dhcp.lan.start", "60")], "192.168.1.60"),
    write(server!("Pool.1.MaxAddress"), "192.168.1.99", &[("dhcp.lan.limit", "40")])
        .outside(&[("dhcp.lan.limit", "10")], "192.168.1.69"),
    write(server!("Pool.1.ReservedAddresses"), "192.168.1.210", &[]),
    write(server!("Pool.1.SubnetMask"), "255.255.255.0", &[]),
    write(server!("Pool.1.DNSServers"), "192.168.1.1", &[("dhcp.lan.dhcp_option", "6,192.168.1.1")]),
    write(server!("Pool.1.DomainName"), "example", &[("dhcp.lan.dhcp_option", "6,192.168.1.1 15,example")]),
    write(
        server!("Pool.1.IPRouters"),
        "192.168.1.254",
        &[("dhcp.lan.dhcp_option", "6,192.168.1.1 15,example 3,192.168.1.254")],
    ),
    write(server!("Pool.1.Option.1.Tag"), "42", &[(
        "dhcp.lan.dhcp_option",
        "6,192.168.1.1 15,example 3,192.168.1.254 42,192.0.2.1",
    )])
    .with(&[(server!("Pool.1.Option.1.Enable"), "true"), (server!("Pool.1.Option.1.Value"), "c0000201")]),
    write(server!("Pool.1.Option.1.Value"), "c0000202", &[(
        "dhcp.lan.dhcp_option",
        "6,192.168.1.1 15,example 3,192.168.1.254 42,192.0.2.2",
    )]),
    write(server!("Pool.1.Option.1.Enable"), "false", &[(
        "dhcp.lan.dhcp_option",
        "6,192.168.1.1 15,example 3,192.168.1.254",
    )]),
    write(server!("Pool.1.LeaseTime"), "7200", &[("dhcp.lan.leasetime", "2h")])
        .outside(&[("dhcp.lan.leasetime", "30m")], "1800"),
    write(server!("Pool.1.StaticAddress.2.Yiaddr"), "192.168.1.30", &[("dhcp.tv.ip", "192.168.1.30")])
        .outside(&[("dhcp.tv.ip", "192.168.1.31")], "192.168.1.31"),
    write(server!("Pool.1.StaticAddress.2.Chaddr"), "00:00:5e:00:53:c9", &[("dhcp.tv.mac", "00:00:5e:00:53:c9")])
        .outside(&[("dhcp.tv.mac", "00:00:5e:00:53:ca")], "00:00:5e:00:53:ca"),
    write(server!("Pool.1.StaticAddress.2.Enable"), "false", &[("dhcp.tv.ip", ""), ("cwmpd.host_tv.ip", "192.168.1.31")]),
];
