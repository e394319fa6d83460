//! What odhcpd advertises.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |_| {},
    add: &["Device.RouterAdvertisement.InterfaceSetting.", "Device.RouterAdvertisement.InterfaceSetting.1.Option."],
    writes: WRITES,
};

macro_rules! setting {
    ($name:literal) => {
        concat!("Device.RouterAdvertisement.InterfaceSetting.", $name)
    };
}

const WRITES: &[Write] = &[
    write("Device.RouterAdvertisement.Enable", "false", &[("dhcp.lan.ra", "disabled")]),
    write("Device.RouterAdvertisement.Enable", "true", &[("dhcp.lan.ra", "server")]),
    write(setting!("2.Interface"), "Device.IP.Interface.5", &[("dhcp.guest.ra", "server")])
        .with(&[(setting!("2.Enable"), "true")]),
    write(setting!("2.Enable"), "false", &[("dhcp.guest.ra", "disabled")])
        .outside(&[("dhcp.guest.ra", "server")], "true"),
    write(setting!("1.RDNSS"), "2001:db8::53", &[("dhcp.lan.dns", "2001:db8::53")])
        .outside(&[("dhcp.lan.dns", "2001:db8::54")], "2001:db8::54"),
    write(setting!("1.DNSSL"), "lan.example,example", &[("dhcp.lan.domain", "lan.example example")])
        .outside(&[("dhcp.lan.domain", "other.example")], "other.example"),
    write(setting!("1.MaxRtrAdvInterval"), "900", &[("dhcp.lan.ra_maxinterval", "900")])
        .outside(&[("dhcp.lan.ra_maxinterval", "600")], "600"),
    write(setting!("1.MinRtrAdvInterval"), "300", &[("dhcp.lan.ra_mininterval", "300")])
        .outside(&[("dhcp.lan.ra_mininterval", "100")], "100"),
    write(setting!("1.AdvDefaultLifetime"), "2700", &[("dhcp.lan.ra_lifetime", "2700")])
        .outside(&[("dhcp.lan.ra_lifetime", "0")], "0"),
    write(setting!("1.AdvManagedFlag"), "false", &[("dhcp.lan.ra_flags", "other-config")]),
    write(setting!("1.AdvOtherConfigFlag"), "false", &[("dhcp.lan.ra_flags", "none")])
        .outside(&[("dhcp.lan.ra_flags", "")], "true"),
    write(setting!("1.AdvMobileAgentFlag"), "true", &[("dhcp.lan.ra_flags", "other-config home-agent")])
        .outside(&[("dhcp.lan.ra_flags", "other-config")], "false"),
    write(setting!("1.AdvPreferredRouterFlag"), "High", &[("dhcp.lan.ra_preference", "high")])
        .outside(&[("dhcp.lan.ra_preference", "low")], "Low"),
    write(setting!("1.AdvNDProxyFlag"), "false", &[]),
    write(setting!("1.AdvLinkMTU"), "1480", &[("dhcp.lan.ra_mtu", "1480")]).outside(&[("dhcp.lan.ra_mtu", "")], "0"),
    write(setting!("1.AdvReachableTime"), "30000", &[("dhcp.lan.ra_reachabletime", "30000")])
        .outside(&[("dhcp.lan.ra_reachabletime", "1000")], "1000"),
    write(setting!("1.AdvRetransTimer"), "2000", &[("dhcp.lan.ra_retranstime", "2000")])
        .outside(&[("dhcp.lan.ra_retranstime", "")], "0"),
    write(setting!("1.AdvCurHopLimit"), "64", &[("dhcp.lan.ra_hoplimit", "64")])
        .outside(&[("dhcp.lan.ra_hoplimit", "32")], "32"),
    write(setting!("1.Option.1.Tag"), "37", &[("dhcp.lan.captive_portal_uri", "a:b")])
        .with(&[(setting!("1.Option.1.Enable"), "true"), (setting!("1.Option.1.Value"), "613a62")]),
    write(setting!("1.Option.1.Value"), "633a64", &[("dhcp.lan.captive_portal_uri", "c:d")])
        .outside(&[("dhcp.lan.captive_portal_uri", "e:f")], "653a66"),
    write(setting!("1.Option.1.Enable"), "false", &[("dhcp.lan.captive_portal_uri", "")]),
];
