//! NAT and schedules: the first redirect of the sample router is a web server, the third one is new.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |_| {},
    add: &[
        "Device.NAT.PortMapping.",
        "Device.NAT.InterfaceSetting.",
        "Device.Schedules.Schedule.",
        "Device.Firewall.Pinhole.",
    ],
    writes: WRITES,
};

macro_rules! mapping {
    ($name:literal) => {
        concat!("Device.NAT.PortMapping.3.", $name)
    };
}

const WRITES: &[Write] = &[
    write("Device.NAT.InterfaceSetting.1.Enable", "false", &[("firewall.@zone[1].masq", "0")])
        .outside(&[("firewall.@zone[1].masq", "1")], "true"),
    write("Device.NAT.InterfaceSetting.2.Interface", "Device.IP.Interface.5", &[]),
    write(mapping!("Interface"), "Device.IP.Interface.3", &[("firewall.@redirect[2].src", "wan")])
        .outside(&[("firewall.@redirect[2].src", "guest")], "Device.IP.Interface.5"),
    write(mapping!("AllInterfaces"), "true", &[("firewall.@redirect[2].src", "wan")]),
    write(mapping!("LeaseDuration"), "0", &[]),
    write(mapping!("RemoteHost"), "203.0.113.9", &[("firewall.@redirect[2].src_ip", "203.0.113.9")])
        .outside(&[("firewall.@redirect[2].src_ip", "")], ""),
    write(mapping!("Protocol"), "UDP", &[("firewall.@redirect[2].proto", "udp")])
        .outside(&[("firewall.@redirect[2].proto", "tcp")], "TCP"),
    write(mapping!("ExternalPort"), "2000", &[("firewall.@redirect[2].src_dport", "2000")])
        .outside(&[("firewall.@redirect[2].src_dport", "2001")], "2001"),
    write(mapping!("ExternalPortEndRange"), "2005", &[("firewall.@redirect[2].src_dport", "2001-2005")])
        .outside(&[("firewall.@redirect[2].src_dport", "2001-2009")], "2009"),
    write(mapping!("InternalPort"), "3000", &[("firewall.@redirect[2].dest_port", "3000")])
        .outside(&[("firewall.@redirect[2].dest_port", "3001")], "3001"),
    write(mapping!("InternalClient"), "192.168.1.77", &[("firewall.@redirect[2].dest_ip", "192.168.1.77")])
        .outside(&[("firewall.@redirect[2].dest_ip", "192.168.1.78")], "192.168.1.78"),
    write(mapping!("Description"), "Mine", &[("firewall.@redirect[2].name", "Mine")])
        .outside(&[("firewall.@redirect[2].name", "Yours")], "Yours"),
    write(mapping!("Enable"), "true", &[("firewall.@redirect[2].enabled", "1")])
        .outside(&[("firewall.@redirect[2].enabled", "0")], "false"),
    write("Device.Schedules.Schedule.1.Description", "Evenings", &[]),
    write("Device.Schedules.Schedule.1.StartTime", "18:00", &[]),
    write(mapping!("Enable"), "true", &[("firewall.@redirect[2].enabled", "1")]),
    write(mapping!("ScheduleRef"), "Device.Schedules.Schedule.1", &[("firewall.@redirect[2].enabled", "0")]),
    write("Device.Firewall.Pinhole.1.ScheduleRef", "Device.Schedules.Schedule.1", &[]),
    write("Device.Schedules.Schedule.1.Duration", "7200", &[]),
    write(
        "Device.Schedules.Schedule.1.Enable",
        "true",
        &[
            ("firewall.@redirect[2].enabled", "1"),
            ("firewall.@redirect[2].start_time", "18:00:00"),
            ("firewall.@redirect[2].stop_time", "20:00:00"),
        ],
    ),
    write("Device.Schedules.Schedule.1.Day", "Monday,Friday", &[("firewall.@rule[5].weekdays", "Mon Fri")]),
    write("Device.Schedules.Enable", "false", &[("firewall.@redirect[2].enabled", "0")]),
];
