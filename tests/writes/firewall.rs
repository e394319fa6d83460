//! The firewall: `firewall.@zone[1]` leads to the internet, the new rule is the sixth, the new pinhole comes behind it, the DMZ is the last redirect.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |_| {},
    add: &[
        "Device.Firewall.Level.",
        "Device.Firewall.Chain.",
        "Device.Firewall.Chain.1.Rule.",
        "Device.Firewall.DMZ.",
        "Device.Firewall.Pinhole.",
    ],
    writes: WRITES,
};

macro_rules! rule {
    ($name:literal) => {
        concat!("Device.Firewall.Chain.1.Rule.6.", $name)
    };
}

macro_rules! pinhole {
    ($name:literal) => {
        concat!("Device.Firewall.Pinhole.1.", $name)
    };
}

macro_rules! dmz {
    ($name:literal) => {
        concat!("Device.Firewall.DMZ.1.", $name)
    };
}

const WRITES: &[Write] = &[
    write("Device.Firewall.Level.1.Name", "Standard", &[]),
    write("Device.Firewall.Level.1.Description", "As it is", &[]),
    write("Device.Firewall.Level.1.Order", "2", &[]),
    write("Device.Firewall.Level.1.DefaultPolicy", "Drop", &[("firewall.@zone[1].input", "DROP"), ("firewall.@zone[1].forward", "DROP")])
        .outside(&[("firewall.@zone[1].input", "REJECT")], "Reject"),
    write("Device.Firewall.Level.1.DefaultLogPolicy", "true", &[("firewall.@zone[1].log", "1")])
        .outside(&[("firewall.@zone[1].log", "")], "false"),
    write("Device.Firewall.Level.1.PortMappingEnabled", "false", &[("firewall.@redirect[0].enabled", "0")]),
    write("Device.Firewall.Level.1.PortMappingEnabled", "true", &[("firewall.@redirect[0].enabled", "1")]),
    write("Device.Firewall.Chain.3.Enable", "true", &[]),
    write("Device.Firewall.Chain.3.Name", "Mine", &[]),
    write(rule!("Description"), "Web", &[("firewall.@rule[5].name", "Web")])
        .outside(&[("firewall.@rule[5].name", "Net")], "Net"),
    write(rule!("Target"), "Reject", &[("firewall.@rule[5].target", "REJECT")])
        .outside(&[("firewall.@rule[5].target", "ACCEPT")], "Accept"),
    write(rule!("TargetChain"), "", &[]),
    write(rule!("Log"), "true", &[("firewall.@rule[5].log", "1")]).outside(&[("firewall.@rule[5].log", "0")], "false"),
    write(rule!("ExpiryDate"), "2090-01-01T00:00:00Z", &[]),
    write(rule!("Enable"), "true", &[("firewall.@rule[5].enabled", "0")]),
    write(
        rule!("SourceInterface"),
        "Device.IP.Interface.3",
        &[("firewall.@rule[5].src", "wan"), ("firewall.@rule[5].enabled", "1")],
    )
    .outside(&[("firewall.@rule[5].src", "guest")], "Device.IP.Interface.5"),
    write(rule!("SourceInterfaceExclude"), "false", &[]),
    write(rule!("SourceAllInterfaces"), "true", &[("firewall.@rule[5].src", "*")])
        .outside(&[("firewall.@rule[5].src", "wan")], "false"),
    write(rule!("DestInterface"), "Device.IP.Interface.2", &[("firewall.@rule[5].dest", "lan")])
        .outside(&[("firewall.@rule[5].dest", "guest")], "Device.IP.Interface.5"),
    write(rule!("DestInterfaceExclude"), "false", &[]),
    write(rule!("DestAllInterfaces"), "true", &[("firewall.@rule[5].dest", "*")])
        .outside(&[("firewall.@rule[5].dest", "lan")], "false"),
    write(rule!("IPVersion"), "4", &[("firewall.@rule[5].family", "ipv4")])
        .outside(&[("firewall.@rule[5].family", "ipv6")], "6"),
    write(rule!("IPVersion"), "-1", &[("firewall.@rule[5].family", "")]),
    write(rule!("DestIP"), "192.168.1.0", &[("firewall.@rule[5].dest_ip", "192.168.1.0")])
        .outside(&[("firewall.@rule[5].dest_ip", "192.168.1.32")], "192.168.1.32"),
    write(rule!("DestMask"), "/28", &[("firewall.@rule[5].dest_ip", "192.168.1.32/28")])
        .outside(&[("firewall.@rule[5].dest_ip", "192.168.1.32/27")], "/27"),
    write(rule!("DestIPExclude"), "true", &[("firewall.@rule[5].dest_ip", "!192.168.1.32/27")])
        .outside(&[("firewall.@rule[5].dest_ip", "192.168.1.32")], "false"),
    write(rule!("SourceIP"), "198.51.100.0", &[("firewall.@rule[5].src_ip", "198.51.100.0")])
        .outside(&[("firewall.@rule[5].src_ip", "203.0.113.0")], "203.0.113.0"),
    write(rule!("SourceMask"), "/24", &[("firewall.@rule[5].src_ip", "203.0.113.0/24")])
        .outside(&[("firewall.@rule[5].src_ip", "203.0.113.0/25")], "/25"),
    write(rule!("SourceIPExclude"), "true", &[("firewall.@rule[5].src_ip", "!203.0.113.0/25")])
        .outside(&[("firewall.@rule[5].src_ip", "203.0.113.0/25")], "false"),
    write(rule!("Protocol"), "6", &[("firewall.@rule[5].proto", "tcp")])
        .outside(&[("firewall.@rule[5].proto", "udp")], "17"),
    write(rule!("ProtocolExclude"), "false", &[]),
    write(rule!("DestPort"), "8000", &[("firewall.@rule[5].dest_port", "8000")])
        .outside(&[("firewall.@rule[5].dest_port", "80")], "80"),
    write(rule!("DestPortRangeMax"), "81", &[("firewall.@rule[5].dest_port", "80-81")])
        .outside(&[("firewall.@rule[5].dest_port", "80-89")], "89"),
    write(rule!("DestPortExclude"), "true", &[("firewall.@rule[5].dest_port", "!80-89")])
        .outside(&[("firewall.@rule[5].dest_port", "80")], "false"),
    write(rule!("SourcePort"), "1024", &[("firewall.@rule[5].src_port", "1024")])
        .outside(&[("firewall.@rule[5].src_port", "1025")], "1025"),
    write(rule!("SourcePortRangeMax"), "65535", &[("firewall.@rule[5].src_port", "1025-65535")])
        .outside(&[("firewall.@rule[5].src_port", "1025-2000")], "2000"),
    write(rule!("SourcePortExclude"), "true", &[("firewall.@rule[5].src_port", "!1025-2000")])
        .outside(&[("firewall.@rule[5].src_port", "1025-2000")], "false"),
    write(rule!("DSCP"), "46", &[("firewall.@rule[5].dscp", "46")]).outside(&[("firewall.@rule[5].dscp", "AF41")], "34"),
    write(rule!("DSCPExclude"), "true", &[("firewall.@rule[5].dscp", "!34")])
        .outside(&[("firewall.@rule[5].dscp", "CS1")], "false"),
    write(rule!("SourceMAC"), "00:00:5E:00:53:B1", &[("firewall.@rule[5].src_mac", "00:00:5E:00:53:B1")])
        .outside(&[("firewall.@rule[5].src_mac", "00:00:5E:00:53:B2")], "00:00:5E:00:53:B2"),
    write(rule!("SourceMACExclude"), "true", &[("firewall.@rule[5].src_mac", "!00:00:5E:00:53:B2")])
        .outside(&[("firewall.@rule[5].src_mac", "00:00:5E:00:53:B2")], "false"),
    write(rule!("Enable"), "false", &[("firewall.@rule[5].enabled", "0")])
        .outside(&[("firewall.@rule[5].enabled", "")], "true"),
    write(pinhole!("Description"), "NAS", &[("firewall.@rule[6].name", "NAS")])
        .outside(&[("firewall.@rule[6].name", "Box")], "Box"),
    write(pinhole!("Interface"), "Device.IP.Interface.4", &[("firewall.@rule[6].src", "wan")]),
    write(pinhole!("LeaseDuration"), "3600", &[]),
    write(pinhole!("DestPort"), "443", &[("firewall.@rule[6].dest_port", "443"), ("firewall.@rule[6].proto", "tcp udp")])
        .outside(&[("firewall.@rule[6].dest_port", "8443")], "8443"),
    write(pinhole!("SourcePort"), "1024", &[("firewall.@rule[6].src_port", "1024")])
        .outside(&[("firewall.@rule[6].src_port", "")], "-1"),
    write(pinhole!("Protocol"), "6", &[("firewall.@rule[6].proto", "tcp")])
        .outside(&[("firewall.@rule[6].proto", "udp")], "17"),
    write(pinhole!("IPVersion"), "-1", &[("firewall.@rule[6].family", "")])
        .outside(&[("firewall.@rule[6].family", "ipv6")], "6"),
    write(pinhole!("SourcePrefixes"), "2001:db8:1::/48,2001:db8:2::/48", &[("firewall.@rule[6].src_ip", "2001:db8:1::/48 2001:db8:2::/48")])
        .outside(&[("firewall.@rule[6].src_ip", "2001:db8:3::/48")], "2001:db8:3::/48"),
    write(pinhole!("DestIP"), "2001:db8:64::20", &[("firewall.@rule[6].dest_ip", "2001:db8:64::20"), ("firewall.@rule[6].dest", "lan")])
        .outside(&[("firewall.@rule[6].dest_ip", "2001:db8:64::21")], "2001:db8:64::21"),
    write(pinhole!("Enable"), "true", &[("firewall.@rule[6].enabled", "1")])
        .outside(&[("firewall.@rule[6].enabled", "0")], "false"),
    write(dmz!("Description"), "Console", &[("firewall.@redirect[-1].name", "Console")])
        .outside(&[("firewall.@redirect[-1].name", "Host")], "Host"),
    write(dmz!("Origin"), "User", &[]),
    write(dmz!("Interface"), "Device.IP.Interface.3", &[("firewall.@redirect[-1].src", "wan")])
        .outside(&[("firewall.@redirect[-1].src", "guest")], "Device.IP.Interface.5"),
    write(dmz!("Interface"), "", &[("firewall.@redirect[-1].src", "wan")]),
    write(dmz!("LeaseDuration"), "60", &[]),
    write(dmz!("SourcePrefix"), "203.0.113.0/24", &[("firewall.@redirect[-1].src_ip", "203.0.113.0/24")])
        .outside(&[("firewall.@redirect[-1].src_ip", "203.0.113.7")], "203.0.113.7/32"),
    write(dmz!("DestIP"), "192.168.1.30", &[("firewall.@redirect[-1].dest_ip", "192.168.1.30")])
        .outside(&[("firewall.@redirect[-1].dest_ip", "192.168.1.31")], "192.168.1.31"),
    write(dmz!("Enable"), "true", &[("firewall.@redirect[-1].enabled", "1"), ("firewall.cwmpd_keep.proto", "tcp")])
        .outside(&[("firewall.@redirect[-1].enabled", "0")], "false"),
    write("Device.Firewall.AdvancedLevel", "Device.Firewall.Level.2", &[]),
    write("Device.Firewall.Config", "Advanced", &[("firewall.@zone[1].input", "DROP")]),
    write("Device.Firewall.Config", "High", &[("firewall.cwmpd_high_tcp.target", "REJECT"), ("firewall.@zone[1].input", "REJECT")])
        .outside(&[("firewall.cwmpd_high_udp.enabled", "0")], "Low"),
    write("Device.Firewall.Enable", "false", &[("firewall.@zone[1].input", "ACCEPT"), ("firewall.cwmpd_high_tcp", "")])
        .outside(&[("firewall.@zone[1].input", "DROP")], "true"),
    // Last, since it moves the sections.
    write(rule!("Order"), "1", &[("firewall.@rule[0].name", "Net")]),
];
