//! `Device.Ethernet.`

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |root| {
        root.replace("/etc/config/network", "\tlist ports 'lan4'\n", "");
        root.append(
            "/etc/config/network",
            "\nconfig device 'tv'\n\toption name 'lan4'\n\toption ipv6 '0'\n\
             \nconfig device 'vlan'\n\toption name 'iptv'\n\toption type '8021q'\n\toption ifname 'wan'\n\toption vid '40'\n",
        );
    },
    add: &["Device.Ethernet.Link."],
    writes: WRITES,
};

const WRITES: &[Write] = &[
    write("Device.Ethernet.Interface.4.Stats.Reset", "true", &[]).reads("false"),
    write("Device.Ethernet.Link.1.Stats.Reset", "true", &[]).reads("false"),
    write("Device.Ethernet.VLANTermination.1.Stats.Reset", "true", &[]).reads("false"),
    // The agent's own: UCI has no switch for a port.
    write("Device.Ethernet.Interface.4.Enable", "false", &[]),
    write("Device.Ethernet.Interface.4.LowerLayers", "", &[]),
    write("Device.Ethernet.Interface.4.MaxBitRate", "100", &[("network.tv.speed", "100"), ("network.tv.autoneg", "0")])
        .outside(&[("network.tv.speed", "10")], "10"),
    write("Device.Ethernet.Interface.4.DuplexMode", "Half", &[("network.tv.duplex", "0")])
        .outside(&[("network.tv.duplex", "1")], "Full"),
    write("Device.Ethernet.Link.4.LowerLayers", "Device.Ethernet.Interface.4", &[]),
    write("Device.Ethernet.Link.4.Enable", "true", &[("network.tv.enabled", "")])
        .outside(&[("network.tv.enabled", "0")], "false"),
    write("Device.Ethernet.Link.4.MACAddress", "02:00:5e:00:53:44", &[("network.tv.macaddr", "02:00:5e:00:53:44")])
        .outside(&[("network.tv.macaddr", "02:00:5e:00:53:45")], "02:00:5e:00:53:45"),
    write("Device.Ethernet.Link.4.PriorityTagging", "false", &[]),
    write("Device.Ethernet.VLANTermination.1.Enable", "false", &[("network.vlan.enabled", "0")])
        .outside(&[("network.vlan.enabled", "")], "true"),
    write("Device.Ethernet.VLANTermination.1.LowerLayers", "Device.Ethernet.Link.1", &[("network.vlan.ifname", "br-lan")])
        .outside(&[("network.vlan.ifname", "wan")], "Device.Ethernet.Link.2"),
    write("Device.Ethernet.VLANTermination.1.VLANID", "41", &[("network.vlan.vid", "41")])
        .outside(&[("network.vlan.vid", "42")], "42"),
    write("Device.Ethernet.VLANTermination.1.TPID", "34984", &[("network.vlan.type", "8021ad")])
        .outside(&[("network.vlan.type", "8021q")], "33024"),
];
