//! Static routes.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |root| {
        root.append("/etc/config/network", "\nconfig route 'office'\n\toption interface 'lan'\n\toption target '10.30.0.0/16'\n");
        root.append("/etc/config/network", "\nconfig route6 'six'\n\toption interface 'lan'\n\toption target '2001:db8:f00::/48'\n");
    },
    add: &[],
    writes: WRITES,
};

macro_rules! four {
    ($name:literal) => {
        concat!("Device.Routing.Router.1.IPv4Forwarding.", $name)
    };
}

macro_rules! six {
    ($name:literal) => {
        concat!("Device.Routing.Router.1.IPv6Forwarding.", $name)
    };
}

const WRITES: &[Write] = &[
    write("Device.Routing.Router.1.Enable", "true", &[]),
    write(four!("2.Enable"), "false", &[("network.office.disabled", "1")])
        .outside(&[("network.office.disabled", "")], "true"),
    write(four!("2.Type"), "Blackhole", &[("network.office.type", "blackhole")])
        .outside(&[("network.office.type", "")], "Normal"),
    write(four!("2.DestIPAddress"), "10.40.0.0", &[("network.office.target", "10.40.0.0/16")])
        .outside(&[("network.office.target", "10.50.0.0/16")], "10.50.0.0"),
    write(four!("2.DestSubnetMask"), "255.254.0.0", &[("network.office.target", "10.50.0.0/15")])
        .outside(&[("network.office.target", "10.50.0.0"), ("network.office.netmask", "255.255.0.0")], "255.255.0.0"),
    write(four!("2.ForwardingPolicy"), "-1", &[]),
    write(four!("2.GatewayIPAddress"), "192.168.1.7", &[("network.office.gateway", "192.168.1.7")])
        .outside(&[("network.office.gateway", "192.168.1.8")], "192.168.1.8"),
    write(four!("2.Interface"), "Device.IP.Interface.5", &[("network.office.interface", "guest")])
        .outside(&[("network.office.interface", "lan")], "Device.IP.Interface.2"),
    write(four!("2.ForwardingMetric"), "20", &[("network.office.metric", "20")])
        .outside(&[("network.office.metric", "")], "-1"),
    write(six!("1.Enable"), "false", &[("network.six.disabled", "1")])
        .outside(&[("network.six.disabled", "0")], "true"),
    write(six!("1.Type"), "Prohibit", &[("network.six.type", "prohibit")])
        .outside(&[("network.six.type", "unreachable")], "Unreachable"),
    write(six!("1.DestIPPrefix"), "2001:db8:f01::/48", &[("network.six.target", "2001:db8:f01::/48")])
        .outside(&[("network.six.target", "2001:db8:f02::/48")], "2001:db8:f02::/48"),
    write(six!("1.ForwardingPolicy"), "-1", &[]),
    write(six!("1.NextHop"), "2001:db8::1", &[("network.six.gateway", "2001:db8::1")])
        .outside(&[("network.six.gateway", "fe80::1")], "fe80::1"),
    write(six!("1.Interface"), "Device.IP.Interface.3", &[("network.six.interface", "wan")])
        .outside(&[("network.six.interface", "lan")], "Device.IP.Interface.2"),
    write(six!("1.ForwardingMetric"), "1024", &[("network.six.metric", "1024")])
        .outside(&[("network.six.metric", "7")], "7"),
    write("Device.Routing.RouteInformation.Enable", "true", &[]),
    write("Device.Routing.RIP.Enable", "false", &[]),
];
