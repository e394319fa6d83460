//! `Device.Bridging.`

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |root| {
        root.replace("/etc/config/network", "\tlist ports 'lan3'\n\tlist ports 'lan4'\n", "");
        root.append(
            "/etc/config/network",
            "\nconfig device 'tv'\n\toption name 'br-tv'\n\toption type 'bridge'\n\tlist ports 'lan3'\n\
             \nconfig bridge-vlan 'ten'\n\toption device 'br-tv'\n\toption vlan '10'\n\tlist ports 'lan3:t'\n\
             \nconfig bridge-vlan 'more'\n\toption device 'br-tv'\n\toption vlan '11'\n\toption local '0'\n",
        );
    },
    add: &["Device.Bridging.Bridge.3.Port."],
    writes: WRITES,
};

const WRITES: &[Write] = &[
    write("Device.Bridging.Bridge.1.Port.2.Stats.Reset", "true", &[]).reads("false"),
    write("Device.Bridging.Bridge.3.Enable", "false", &[("network.tv.enabled", "0")])
        .outside(&[("network.tv.enabled", "1")], "true"),
    write("Device.Bridging.Bridge.3.Standard", "802.1Q-2005", &[]),
    write("Device.Bridging.Bridge.3.AgingTime", "60", &[("network.tv.ageing_time", "60")])
        .outside(&[("network.tv.ageing_time", "90")], "90"),
    write("Device.Bridging.Bridge.3.STP.Enable", "true", &[("network.tv.stp", "1")])
        .outside(&[("network.tv.stp", "0")], "false"),
    write("Device.Bridging.Bridge.3.STP.Protocol", "STP", &[]),
    write("Device.Bridging.Bridge.3.STP.BridgePriority", "4096", &[("network.tv.priority", "4096")])
        .outside(&[("network.tv.priority", "32767")], "32768"),
    write("Device.Bridging.Bridge.3.STP.HelloTime", "300", &[("network.tv.hello_time", "3")])
        .outside(&[("network.tv.hello_time", "1")], "100"),
    write("Device.Bridging.Bridge.3.STP.MaxAge", "1500", &[("network.tv.max_age", "15")])
        .outside(&[("network.tv.max_age", "10")], "1000"),
    write("Device.Bridging.Bridge.3.STP.ForwardingDelay", "20", &[("network.tv.forward_delay", "20")])
        .outside(&[("network.tv.forward_delay", "8")], "8"),
    write("Device.Bridging.Bridge.3.Port.3.LowerLayers", "Device.Ethernet.Interface.4", &[("network.tv.ports", "lan3")]),
    write("Device.Bridging.Bridge.3.Port.3.Enable", "true", &[("network.tv.ports", "lan3 lan4")])
        .outside(&[("network.tv.ports", "lan3 lan4")], "true"),
    write("Device.Bridging.Bridge.3.Port.3.ManagementPort", "false", &[]),
    write("Device.Bridging.Bridge.3.Port.3.DefaultUserPriority", "0", &[]),
    write("Device.Bridging.Bridge.3.Port.3.PriorityRegeneration", "0,1,2,3,4,5,6,7", &[]),
    write("Device.Bridging.Bridge.3.Port.2.PVID", "10", &[("network.ten.ports", "lan3:t*")])
        .outside(&[("network.ten.ports", "lan3:t"), ("network.more.ports", "lan3:u*")], "11"),
    write("Device.Bridging.Bridge.3.Port.3.AcceptableFrameTypes", "AdmitAll", &[]),
    write("Device.Bridging.Bridge.3.Port.3.IngressFiltering", "true", &[]),
    write("Device.Bridging.Bridge.3.Port.3.PriorityTagging", "false", &[]),
    write("Device.Bridging.Bridge.3.VLAN.1.Name", "ten", &[]),
    write("Device.Bridging.Bridge.3.VLAN.1.VLANID", "12", &[("network.ten.vlan", "12")])
        .outside(&[("network.ten.vlan", "13")], "13"),
    write("Device.Bridging.Bridge.3.VLAN.1.Enable", "false", &[("network.ten.device", "")])
        .outside(&[("network.ten.device", "br-tv")], "true"),
    write("Device.Bridging.Bridge.3.VLANPort.1.Untagged", "true", &[("network.ten.ports", "lan3:u")])
        .outside(&[("network.ten.ports", "lan3:t")], "false"),
    write("Device.Bridging.Bridge.3.VLANPort.1.Port", "Device.Bridging.Bridge.3.Port.3", &[("network.ten.ports", "lan4:t")]),
    write("Device.Bridging.Bridge.3.VLANPort.1.VLAN", "Device.Bridging.Bridge.3.VLAN.2", &[("network.ten.ports", "")]),
    write("Device.Bridging.Bridge.3.VLANPort.1.Enable", "false", &[("network.more.ports", "lan3:u*")]),
];
