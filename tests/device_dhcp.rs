//! The clients of DHCP, what odhcpd serves, and who is on the LAN, on the sample router.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use std::time::Instant;

use cwmpd::error::FaultCode;
use model::Router;

const LAN: &str = "Device.IP.Interface.2";
const WAN: &str = "Device.IP.Interface.3";
const GUEST: &str = "Device.IP.Interface.5";
const IPTV: &str = "Device.IP.Interface.6";
const FOUR: &str = "Device.DHCPv4.Client.";
const SIX: &str = "Device.DHCPv6.Client.";
const POOL: &str = "Device.DHCPv6.Server.Pool.";
const ADVERTISEMENT: &str = "Device.RouterAdvertisement.InterfaceSetting.";

fn check(router: &Router, row: &str, values: &[(&str, &str)]) {
    for (name, value) in values {
        assert_eq!(router.get(&format!("{row}{name}")), *value, "{row}{name}");
    }
}

fn set_row(router: &Router, row: &str, values: &[(&str, &str)]) {
    let values: Vec<(String, &str)> = values.iter().map(|(name, value)| (format!("{row}{name}"), *value)).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    router.set(&values).unwrap_or_else(|fault| panic!("{values:?}: {fault} {:?}", fault.parameters));
}

fn refuse(router: &Router, row: &str, values: &[(&str, &str)], blamed: &str) {
    let values: Vec<(String, &str)> = values.iter().map(|(name, value)| (format!("{row}{name}"), *value)).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(router.refused(&values), [(format!("{row}{blamed}"), FaultCode(9007))], "{values:?}");
}

/// The lines of a section of a package, trimmed; none where there is no such section.
fn section(router: &Router, package: &str, head: &str) -> Vec<String> {
    let text = router.root.read(&format!("/etc/config/{package}"));
    let mut lines = text.lines().map(str::trim).skip_while(|line| *line != head);
    let head = lines.next().map(String::from);
    head.into_iter().chain(lines.take_while(|line| !line.starts_with("config ")).map(String::from)).collect()
}

fn has(router: &Router, package: &str, head: &str, line: &str) -> bool {
    section(router, package, head).iter().any(|known| known == line)
}

/// A router with one more interface, which has no protocol.
fn with_iptv() -> Router {
    let router = Router::new();
    router
        .root
        .append("/etc/config/network", "\nconfig interface 'iptv'\n\toption device 'eth0'\n\toption proto 'none'\n");
    router
}

#[test]
fn a_client_shows_what_netifd_has_of_it() {
    let router = Router::new();
    assert_eq!(router.get("Device.DHCPv4.ClientNumberOfEntries"), "1");
    let row = format!("{FOUR}1.");
    check(
        &router,
        &row,
        &[
            ("Enable", "true"),
            ("Interface", WAN),
            ("Status", "Enabled"),
            ("DHCPStatus", "Bound"),
            ("IPAddress", "198.51.100.23"),
            ("SubnetMask", "255.255.255.0"),
            ("IPRouters", "198.51.100.1"),
            ("DNSServers", "198.51.100.53,198.51.100.54"),
            ("DHCPServer", "198.51.100.1"),
            // Renewed at half of 43200 s, the last time 86352 - 3 * 21600 s after the interface came up.
            ("LeaseTimeRemaining", "21648"),
            ("SentOptionNumberOfEntries", "1"),
            ("SentOption.1.Tag", "12"),
            ("SentOption.1.Value", "4f70656e577274"),
        ],
    );
    let written = router.set(&[("Device.DHCPv4.Client.1.Renew", "true")]).unwrap();
    let argv = ["/bin/ubus", "call", "network.interface.wan", "renew"].map(String::from).to_vec();
    assert!(written.effects.programs.contains(&argv));
    let dump = router.root.ubus("network.interface", "dump");
    router.root.set_ubus(
        "network.interface",
        "dump",
        None,
        &dump.replace("\"leasetime\":43200", "\"leasetime\":4294967295"),
    );
    check(&router, &row, &[("LeaseTimeRemaining", "-1")]);
    for reply in [
        "{}",
        "{\"interface\":[{\"interface\":\"wan\",\"proto\":\"dhcp\",\"up\":1,\"ipv4-address\":{},\"route\":7,\"data\":[]}]}",
    ] {
        router.root.set_ubus("network.interface", "dump", None, reply);
        check(
            &router,
            &row,
            &[("DHCPStatus", "Init"), ("IPAddress", ""), ("LeaseTimeRemaining", "0"), ("IPRouters", "")],
        );
    }
    router.root.remove_ubus();
    check(&router, &row, &[("Enable", "true"), ("DHCPStatus", "Init"), ("DNSServers", "")]);
}

/// CONFORMANCE P-61, P-62: a client becomes real with its interface, waits without, and keeps its number.
#[test]
fn p61_a_client_comes_waits_and_goes() {
    let router = with_iptv();
    let number = router.add(FOUR).unwrap();
    let row = format!("{FOUR}{number}.");
    check(&router, &row, &[("Enable", "false"), ("Interface", ""), ("Status", "Disabled"), ("DHCPStatus", "Init")]);
    // Options wait with it.
    assert_eq!(router.add(&format!("{row}SentOption.")).unwrap(), 1);
    set_row(
        &router,
        &row,
        &[
            ("SentOption.1.Enable", "true"),
            ("SentOption.1.Tag", "60"),
            ("SentOption.1.Value", "69707476"),
            ("Enable", "true"),
        ],
    );
    check(&router, &row, &[("Enable", "true"), ("Status", "Error_Misconfigured")]);
    let before = section(&router, "network", "config interface 'iptv'");
    set_row(&router, &row, &[("Interface", IPTV)]);
    assert_ne!(section(&router, "network", "config interface 'iptv'"), before);
    let iptv = "config interface 'iptv'";
    assert!(
        has(&router, "network", iptv, "option proto 'dhcp'") && has(&router, "network", iptv, "option vendorid 'iptv'")
    );
    assert!(!router.root.read("/etc/config/network").contains("cwmp_dhcp"));
    check(&router, &row, &[("Status", "Enabled"), ("Interface", IPTV), ("SentOption.1.Tag", "60")]);
    router.restart();
    set_row(&router, &row, &[("Enable", "false")]);
    assert!(
        has(&router, "network", iptv, "option proto 'none'")
            && !has(&router, "network", iptv, "option vendorid 'iptv'")
    );
    check(&router, &row, &[("Interface", IPTV), ("SentOption.1.Value", "69707476"), ("Status", "Disabled")]);
    assert_eq!(router.get("Device.DHCPv4.ClientNumberOfEntries"), "2");
    router.restart();
    set_row(&router, &row, &[("Enable", "true")]);
    check(&router, &row, &[("Status", "Enabled")]);
    // To nowhere, and away.
    set_row(&router, &row, &[("Interface", "")]);
    check(&router, &row, &[("Enable", "true"), ("Status", "Error_Misconfigured")]);
    router.delete(&row).unwrap();
    assert!(!router.root.read("/etc/config/network").contains("cwmp_dhcp"));
    assert!(router.add(FOUR).unwrap() > number);
}

/// CONFORMANCE P-02, P-65: an interface has its addresses in one way.
#[test]
fn p02_a_client_and_a_static_address_are_judged_by_the_end_state() {
    let router = with_iptv();
    let row = format!("{FOUR}{}.", router.add(FOUR).unwrap());
    refuse(&router, &row, &[("Enable", "true"), ("Interface", LAN)], "Interface");
    refuse(&router, &row, &[("Interface", WAN), ("Enable", "true")], "Interface");
    refuse(&router, &row, &[("Interface", "Device.IP.Interface.4"), ("Enable", "true")], "Interface");
    // From DHCP to a static address, in one request.
    let address = format!("{WAN}.IPv4Address.");
    let address = format!("{address}{}.", router.add(&address).unwrap());
    let values = [
        (format!("{FOUR}1.Enable"), "false"),
        (format!("{address}Enable"), "true"),
        (format!("{address}IPAddress"), "198.51.100.77"),
        (format!("{address}SubnetMask"), "255.255.255.0"),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    router.set(&values).unwrap_or_else(|fault| panic!("{fault} {:?}", fault.parameters));
    assert!(has(&router, "network", "config interface 'wan'", "option proto 'static'"));
    // And back.
    let values = [(format!("{address}Enable"), "false"), (format!("{FOUR}1.Enable"), "true")];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    router.set(&values).unwrap_or_else(|fault| panic!("{fault} {:?}", fault.parameters));
    assert!(has(&router, "network", "config interface 'wan'", "option proto 'dhcp'"));
    assert!(has(&router, "network", "config interface 'wan'", "option hostname 'OpenWrt'"));
    // The way to the ACS stays.
    assert_eq!(router.delete(&format!("{FOUR}1.")).unwrap_err().code, FaultCode(9001));
    for elsewhere in ["", IPTV] {
        let name = format!("{FOUR}1.Interface");
        assert_eq!(router.refused(&[(name.as_str(), elsewhere)]), [(name.clone(), FaultCode(9001))]);
    }
    assert!(has(&router, "network", "config interface 'wan'", "option proto 'dhcp'"));
}

#[test]
fn options_of_a_client_have_the_forms_of_udhcpc() {
    let router = Router::new();
    router.root.replace(
        "/etc/config/network",
        "option hostname 'OpenWrt'",
        "option hostname '*'\n\toption clientid '01:00:00:5E'\n\tlist sendopts '0x4d:6162'\n\tlist sendopts 'lease:3600'\n\toption reqopts 'ntpsrv 121 vlanid'",
    );
    let sent = format!("{FOUR}1.SentOption.");
    check(&router, &sent, &[("1.Tag", "61"), ("1.Value", "0100005e"), ("2.Tag", "77"), ("2.Value", "6162")]);
    let asked = format!("{FOUR}1.ReqOption.");
    check(
        &router,
        &asked,
        &[
            ("1.Tag", "42"),
            ("1.Order", "1"),
            ("1.Value", "c633647b"),
            ("2.Tag", "121"),
            ("2.Order", "2"),
            ("2.Value", ""),
        ],
    );
    // What no row stands for stays.
    set_row(&router, &sent, &[("2.Value", "6364")]);
    let wan = "config interface 'wan'";
    assert!(
        has(&router, "network", wan, "list sendopts 'lease:3600'")
            && has(&router, "network", wan, "list sendopts '77:6364'")
    );
    let row = format!("{asked}{}.", router.add(&asked).unwrap());
    check(&router, &row, &[("Enable", "false"), ("Tag", "0"), ("Value", ""), ("Order", "3")]);
    set_row(&router, &row, &[("Tag", "51"), ("Enable", "true"), ("Order", "1")]);
    assert!(has(&router, "network", wan, "option reqopts 'vlanid 51 42 121'"));
    check(&router, &row, &[("Value", "0000a8c0"), ("Order", "1")]);
    refuse(&router, &row, &[("Tag", "42")], "Tag");
    refuse(&router, &row, &[("Tag", "53")], "Tag");
    let row = format!("{sent}{}.", router.add(&sent).unwrap());
    set_row(&router, &row, &[("Enable", "true"), ("Tag", "12")]);
    refuse(&router, &row, &[("Value", "2a20")], "Value");
    refuse(&router, &row, &[("Tag", "60"), ("Value", "ff00")], "Value");
    set_row(&router, &row, &[("Value", "6d79")]);
    assert!(has(&router, "network", wan, "option hostname 'my'"));
    router.delete(&row).unwrap();
    assert!(has(&router, "network", wan, "option hostname '*'"), "the router's own name would be sent");
}

#[test]
fn clients_of_dhcpv6_are_those_of_odhcp6c() {
    let router = with_iptv();
    let row = format!("{SIX}1.");
    check(
        &router,
        &row,
        &[
            ("Enable", "true"),
            ("Interface", "Device.IP.Interface.4"),
            ("Status", "Enabled"),
            ("DUID", "0003000100005e005301"),
            ("RequestAddresses", "true"),
            ("RequestPrefixes", "true"),
            ("RapidCommit", "false"),
            ("SuggestedT1", "-1"),
            // What netifd has was cut off.
            ("ReceivedOptionNumberOfEntries", "0"),
        ],
    );
    let dump = router.root.ubus("network.interface", "dump");
    let passed = "0017001020010db80064000000000000000000530011000400000de9001100020001";
    router.root.set_ubus("network.interface", "dump", None, &dump.replace("00170010", passed));
    check(
        &router,
        &format!("{row}ReceivedOption."),
        &[
            ("1.Tag", "23"),
            ("1.Value", "20010db8006400000000000000000053"),
            ("2.Tag", "17"),
            ("2.Value", "00000de9"),
            ("3.Tag", "17"),
            ("3.Value", "0001"),
        ],
    );
    router.root.replace("/etc/config/network", "option packet_steering '1'", "option dhcp_default_duid '000400112233'");
    check(&router, &row, &[("DUID", "000400112233")]);
    refuse(&router, &row, &[("RapidCommit", "true")], "RapidCommit");
    refuse(&router, &row, &[("SuggestedT2", "600")], "SuggestedT2");
    refuse(&router, &row, &[("RequestedOptions", "70000")], "RequestedOptions");
    // A new one asks for addresses only (TR-181 defaults), on an interface of its own.
    let new = format!("{SIX}{}.", router.add(SIX).unwrap());
    check(&router, &new, &[("RequestAddresses", "true"), ("RequestPrefixes", "false")]);
    refuse(&router, &new, &[("Enable", "true"), ("Interface", WAN)], "Interface");
    set_row(&router, &new, &[("Enable", "true"), ("Interface", IPTV), ("RequestPrefixes", "true")]);
    assert!(has(&router, "network", "config interface 'iptv'", "option proto 'dhcpv6'"));
    let sent = format!("{new}SentOption.");
    let sent = format!("{sent}{}.", router.add(&sent).unwrap());
    refuse(&router, &sent, &[("Enable", "true"), ("Tag", "3"), ("Value", "00")], "Tag");
    set_row(&router, &sent, &[("Enable", "true"), ("Tag", "16"), ("Value", "00000DE9")]);
    assert!(has(&router, "network", "config interface 'iptv'", "option vendorclass '00000DE9'"));
    router.delete(&new).unwrap();
    let iptv = section(&router, "network", "config interface 'iptv'");
    assert!(
        iptv.contains(&"option proto 'none'".into()) && !iptv.iter().any(|line| line.contains("vendorclass")),
        "{iptv:?}"
    );
}

#[test]
fn services_of_odhcpd_are_rows_of_their_own() {
    let router = Router::new();
    check(
        &router,
        &format!("{POOL}1."),
        &[
            ("Enable", "true"),
            ("Status", "Enabled"),
            ("Order", "1"),
            ("Interface", LAN),
            ("IANAEnable", "true"),
            ("IAPDEnable", "true"),
            ("IAPDAddLength", "2"),
            ("ClientNumberOfEntries", "1"),
        ],
    );
    check(
        &router,
        &format!("{ADVERTISEMENT}1."),
        &[
            ("Enable", "true"),
            ("Interface", LAN),
            ("AdvManagedFlag", "true"),
            ("AdvOtherConfigFlag", "true"),
            ("AdvMobileAgentFlag", "false"),
            ("MaxRtrAdvInterval", "600"),
            ("MinRtrAdvInterval", "200"),
            ("AdvDefaultLifetime", "1800"),
            ("AdvPreferredRouterFlag", "Medium"),
            ("AdvLinkMTU", "0"),
        ],
    );
    // The prefixes of the interface, as rows of its own table.
    let prefixes = router.get(&format!("{ADVERTISEMENT}1.Prefixes"));
    for prefix in prefixes.split(',') {
        let value = router.get(&format!("{prefix}.Prefix"));
        assert!(value.starts_with("2001:db8:1200:") || value.starts_with("fd12:"), "{prefix}: {value}");
    }
    assert_eq!(router.get(&format!("{POOL}1.IANAPrefixes")), prefixes);
    set_row(&router, &format!("{POOL}1."), &[("IAPDEnable", "false")]);
    check(&router, &format!("{POOL}1."), &[("IAPDPrefixes", "")]);
    let row = format!("{ADVERTISEMENT}1.");
    refuse(&router, &row, &[("MinRtrAdvInterval", "500")], "MinRtrAdvInterval");
    refuse(&router, &row, &[("AdvDefaultLifetime", "10")], "AdvDefaultLifetime");
    refuse(&router, &row, &[("AdvLinkMTU", "1000")], "AdvLinkMTU");
    refuse(&router, &row, &[("AdvNDProxyFlag", "true")], "AdvNDProxyFlag");
    // CONFORMANCE P-02
    set_row(&router, &row, &[("MinRtrAdvInterval", "900"), ("MaxRtrAdvInterval", "1200")]);
    // The whole service, which odhcpd has no switch for, comes back as it was.
    set_row(&router, "Device.RouterAdvertisement.", &[("Enable", "false")]);
    assert!(has(&router, "dhcp", "config dhcp 'lan'", "option ra 'disabled'"));
    check(&router, &row, &[("Enable", "true"), ("Status", "Disabled")]);
    check(&router, &format!("{POOL}1."), &[("Status", "Enabled")]);
    router.restart();
    set_row(&router, "Device.RouterAdvertisement.", &[("Enable", "true")]);
    check(&router, &row, &[("Enable", "true"), ("Status", "Enabled")]);
}

/// A relay on the uplink that came back as a server would advertise routes to the provider's network.
#[test]
fn what_relays_comes_back_as_a_relay() {
    let router = Router::new();
    let lan = "config dhcp 'lan'";
    router.root.replace("/etc/config/dhcp", "option ra 'server'", "option ra 'relay'");
    router.root.replace("/etc/config/dhcp", "option dhcpv6 'server'", "option dhcpv6 'hybrid'");
    set_row(&router, "Device.RouterAdvertisement.", &[("Enable", "false")]);
    assert!(has(&router, "dhcp", lan, "option ra 'disabled'"));
    set_row(&router, "Device.RouterAdvertisement.", &[("Enable", "true")]);
    assert!(has(&router, "dhcp", lan, "option ra 'relay'"));
    set_row(&router, &format!("{POOL}1."), &[("Enable", "false")]);
    router.restart();
    check(&router, &format!("{POOL}1."), &[("Enable", "false"), ("Status", "Disabled")]);
    set_row(&router, &format!("{POOL}1."), &[("Enable", "true")]);
    assert!(has(&router, "dhcp", lan, "option dhcpv6 'hybrid'"));
    assert!(!router.root.read("/etc/config/dhcp").contains("cwmpd_"));
    // Switched off as a relay, and made a server at the router: it comes back as that.
    set_row(&router, &format!("{POOL}1."), &[("Enable", "false")]);
    router.root.replace("/etc/config/dhcp", "option dhcpv6 'disabled'", "option dhcpv6 'server'");
    set_row(&router, &format!("{POOL}1."), &[("Enable", "false")]);
    set_row(&router, &format!("{POOL}1."), &[("Enable", "true")]);
    assert!(has(&router, "dhcp", lan, "option dhcpv6 'server'"));
}

/// CONFORMANCE P-61, P-62, P-66: services come, move and go without the pool of DHCPv4, and the pool without them.
#[test]
fn p61_services_and_pools_of_an_interface_come_and_go_apart() {
    let router = with_iptv();
    router.values("Device.DHCPv4.");
    // Into the section of the pool that is there.
    let number = router.add(ADVERTISEMENT).unwrap();
    let row = format!("{ADVERTISEMENT}{number}.");
    assert_eq!(router.get("Device.DHCPv4.Server.PoolNumberOfEntries"), "3", "no pool of DHCPv4");
    check(&router, &row, &[("Enable", "false"), ("Interface", ""), ("AdvOtherConfigFlag", "false")]);
    refuse(&router, &row, &[("Interface", LAN)], "Interface");
    set_row(
        &router,
        &row,
        &[("AdvLinkMTU", "1400"), ("Interface", GUEST), ("Enable", "true"), ("AdvManagedFlag", "true")],
    );
    let guest = "config dhcp 'guest'";
    for line in ["option ra 'server'", "option ra_mtu '1400'", "list ra_flags 'managed-config'"] {
        assert!(has(&router, "dhcp", guest, line), "{line}: {:?}", section(&router, "dhcp", guest));
    }
    assert!(!router.root.read("/etc/config/dhcp").contains("cwmp_"));
    check(&router, &row, &[("Status", "Enabled"), ("Interface", GUEST)]);
    // To an interface without a section: one of its own, in which DHCPv4 is ignored.
    set_row(&router, &row, &[("Interface", IPTV)]);
    assert!(!has(&router, "dhcp", guest, "option ra 'server'"));
    assert_eq!(router.get("Device.DHCPv4.Server.PoolNumberOfEntries"), "3");
    check(&router, &row, &[("AdvLinkMTU", "1400"), ("Status", "Enabled")]);
    // A pool of the same interface takes the section over: dnsmasq ignores the whole interface otherwise.
    let pool = format!("Device.DHCPv4.Server.Pool.{}.", router.add("Device.DHCPv4.Server.Pool.").unwrap());
    set_row(&router, &pool, &[("Interface", IPTV), ("Enable", "true")]);
    let text = router.root.read("/etc/config/dhcp");
    assert_eq!(text.matches("option interface 'iptv'").count(), 1, "{text}");
    check(&router, &row, &[("Interface", IPTV), ("AdvLinkMTU", "1400")]);
    router.restart();
    // The pool goes, the service stays.
    router.delete(&pool).unwrap();
    check(&router, &row, &[("Interface", IPTV), ("Status", "Enabled")]);
    assert_eq!(router.get("Device.DHCPv4.Server.PoolNumberOfEntries"), "3");
    router.delete(&row).unwrap();
    assert!(!router.root.read("/etc/config/dhcp").contains("iptv"));
    // The other way round.
    router.delete(&format!("{ADVERTISEMENT}1.")).unwrap();
    let lan = section(&router, "dhcp", "config dhcp 'lan'");
    assert!(lan.contains(&"option dhcpv6 'server'".into()) && !lan.iter().any(|line| line.contains("ra")), "{lan:?}");
    // A pool that moves leaves the services where they are.
    set_row(&router, "Device.DHCPv4.Server.Pool.1.", &[("Interface", IPTV)]);
    check(&router, &format!("{POOL}1."), &[("Interface", LAN), ("Status", "Enabled")]);
    check(&router, "Device.DHCPv4.Server.Pool.1.", &[("Interface", IPTV)]);
}

/// CONFORMANCE J-02
#[test]
fn j02_clients_of_the_dhcpv6_server_are_its_leases() {
    let router = Router::new();
    let leases = "{\"device\":{\"br-lan\":{\"leases\":[\
        {\"duid\":\"000100012a1c000000005e0053a1\",\"hostname\":\"laptop\",\"valid\":39211,\
         \"ipv6-addr\":[{\"address\":\"2001:db8:1200::a1\",\"preferred-lifetime\":5312,\"valid-lifetime\":12512},\
                        {\"address\":\"fd12::a1\",\"preferred-lifetime\":-1,\"valid-lifetime\":4294967295}]},\
        {\"duid\":\"000100012a1c000000005e0053a1\",\"hostname\":\"laptop\",\"valid\":39211,\
         \"ipv6-prefix\":[{\"address\":\"2001:db8:1200:8::\",\"prefix-length\":62,\"preferred-lifetime\":1,\"valid-lifetime\":2}]},\
        {\"duid\":\"zz\"},{\"duid\":7},[]]},\"br-guest\":3}}";
    router.root.set_ubus("dhcp", "ipv6leases", None, leases);
    let client = format!("{POOL}1.Client.1.");
    assert_eq!(router.get(&format!("{POOL}1.ClientNumberOfEntries")), "1");
    check(
        &router,
        &client,
        &[
            ("Active", "true"),
            ("IPv6AddressNumberOfEntries", "2"),
            ("IPv6Address.1.IPAddress", "2001:db8:1200::a1"),
            ("IPv6Address.2.PreferredLifetime", "9999-12-31T23:59:59Z"),
            ("IPv6Address.2.ValidLifetime", "9999-12-31T23:59:59Z"),
            ("IPv6PrefixNumberOfEntries", "1"),
            ("IPv6Prefix.1.Prefix", "2001:db8:1200:8::/62"),
            ("Option.1.Tag", "1"),
            ("Option.1.Value", "000100012a1c000000005e0053a1"),
            ("Option.2.Tag", "39"),
            ("Option.2.Value", "00066c6170746f70"),
        ],
    );
    assert!(router.get(&format!("{client}IPv6Address.1.ValidLifetime")).starts_with("20"));
    let hosts = router.values("Device.Hosts.");
    let name = &hosts.iter().find(|(_, value)| value == "00:00:5e:00:53:a1").unwrap().0;
    let host = name.trim_end_matches("PhysAddress");
    check(
        &router,
        host,
        &[
            ("DHCPClient", &format!("Device.DHCPv4.Server.Pool.1.Client.3,{POOL}1.Client.1")),
            ("ClientID", "0100005e0053a1"),
            ("IPv6AddressNumberOfEntries", "2"),
        ],
    );
    router.root.remove_ubus();
    assert_eq!(router.get(&format!("{POOL}1.ClientNumberOfEntries")), "0");
}

#[test]
fn where_odhcpd_serves_dhcpv4_its_leases_are_the_clients() {
    let router = Router::new();
    router.root.remove("/tmp/dhcp.leases");
    let lease = "{\"mac\":\"00005E0053C1\",\"hostname\":\"phone\",\"address\":\"192.168.1.150\",\"valid\":1800}";
    let lasting = "{\"mac\":\"00005e0053c2\",\"hostname\":\"-\",\"address\":\"192.168.1.151\",\"valid\":-1}";
    let reply = format!("{{\"device\":{{\"br-lan\":{{\"leases\":[{lease},{lasting},{{\"mac\":\"zz\"}},7]}}}}}}");
    router.root.set_ubus("dhcp", "ipv4leases", None, &reply);
    let pool = "Device.DHCPv4.Server.Pool.1.";
    check(
        &router,
        pool,
        &[
            ("ClientNumberOfEntries", "2"),
            ("Client.1.Chaddr", "00:00:5e:00:53:c1"),
            ("Client.1.IPv4Address.1.IPAddress", "192.168.1.150"),
            ("Client.2.IPv4Address.1.LeaseTimeRemaining", "9999-12-31T23:59:59Z"),
        ],
    );
    let hosts = router.values("Device.Hosts.");
    let value = |mac: &str, name: &str| {
        let row = hosts.iter().find(|(_, value)| value == mac).unwrap().0.replace("PhysAddress", name);
        hosts.iter().find(|(known, _)| *known == row).unwrap().1.clone()
    };
    assert_eq!(
        (value("00:00:5e:00:53:c1", "HostName"), value("00:00:5e:00:53:c2", "HostName")),
        ("phone".into(), String::new())
    );
    assert_eq!(value("00:00:5e:00:53:c2", "LeaseTimeRemaining"), "-1");
}

/// Ten thousand hosts cost ten times as much as a thousand, not a hundred times.
#[test]
fn ten_thousand_hosts_stay_linear() {
    let time = |count: u32| {
        let router = Router::new();
        router.root.replace("/etc/config/network", "option netmask '255.255.255.0'", "option netmask '255.255.0.0'");
        let mut leases = String::new();
        for host in 0..count {
            let [_, _, high, low] = host.to_be_bytes();
            leases.push_str(&format!("0 02:00:00:00:{high:02x}:{low:02x} 192.168.{high}.{low} host{host} *\n"));
        }
        router.root.write("/tmp/dhcp.leases", leases);
        let start = Instant::now();
        let values = router.values("Device.Hosts.");
        assert!(values.len() > count as usize * 14, "{}", values.len());
        assert!(
            values.iter().any(|(name, value)| name.ends_with(".DHCPClient") && value.starts_with("Device.DHCPv4."))
        );
        start.elapsed()
    };
    let (small, large) = (time(1_000), time(10_000));
    println!("1000: {small:?}, 10000: {large:?}");
    assert!(large < small * 40, "{small:?} for a thousand, {large:?} for ten thousand");
}
