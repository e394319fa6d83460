//! `Device.PPP.`

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |root| {
        root.append(
            "/etc/config/network",
            "\nconfig interface 'line'\n\toption proto 'pppoe'\n\toption device 'br-guest'\n\toption username 'u'\n",
        );
    },
    add: &[],
    writes: WRITES,
};

const WRITES: &[Write] = &[
    write("Device.PPP.Interface.1.Enable", "false", &[("network.line.disabled", "1")])
        .outside(&[("network.line.disabled", "")], "true"),
    write("Device.PPP.Interface.1.LowerLayers", "Device.Ethernet.Link.1", &[("network.line.device", "br-lan")])
        .outside(&[("network.line.device", "br-guest")], "Device.Ethernet.Link.3"),
    write("Device.PPP.Interface.1.Reset", "true", &[]).reads("false"),
    write("Device.PPP.Interface.1.Stats.Reset", "true", &[]).reads("false"),
    write("Device.PPP.Interface.1.IdleDisconnectTime", "60", &[("network.line.demand", "")]),
    write("Device.PPP.Interface.1.ConnectionTrigger", "OnDemand", &[("network.line.demand", "60")])
        .outside(&[("network.line.demand", "")], "AlwaysOn"),
    write("Device.PPP.Interface.1.Username", "a@isp", &[("network.line.username", "a@isp")])
        .outside(&[("network.line.username", "b@isp")], "b@isp"),
    write("Device.PPP.Interface.1.Password", "secret", &[("network.line.password", "secret")]).reads(""),
    write("Device.PPP.Interface.1.MaxMRUSize", "1492", &[("network.line.mtu", "1492")])
        .outside(&[("network.line.mtu", "1480")], "1480"),
    write("Device.PPP.Interface.1.LCPEcho", "30", &[("network.line.keepalive", "5 30")])
        .outside(&[("network.line.keepalive", "3 10")], "10"),
    write("Device.PPP.Interface.1.LCPEchoRetry", "7", &[("network.line.keepalive", "7 10")])
        .outside(&[("network.line.keepalive", "4")], "4"),
    write("Device.PPP.Interface.1.LCPEchoAdaptive", "false", &[("network.line.keepalive_adaptive", "0")])
        .outside(&[("network.line.keepalive_adaptive", "1")], "true"),
    write("Device.PPP.Interface.1.IPv6CPEnable", "false", &[("network.line.ipv6", "0")])
        .outside(&[("network.line.ipv6", "auto")], "true"),
    write("Device.PPP.Interface.1.PPPoE.ACName", "bras", &[("network.line.ac", "bras")])
        .outside(&[("network.line.ac", "bras2")], "bras2"),
    write("Device.PPP.Interface.1.PPPoE.ServiceName", "gold", &[("network.line.service", "gold")])
        .outside(&[("network.line.service", "")], ""),
];
