//! Port mappings, masquerading and the DHCPv4 server on the sample router, down to the text of UCI.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;
#[path = "common/uci_tool.rs"]
mod uci_tool;

use std::process::Command;
use std::time::{Duration, SystemTime};

use cwmpd::error::FaultCode;
use cwmpd::model::context::Facts;
use model::Router;

const BAD_VALUE: FaultCode = FaultCode::INVALID_PARAMETER_VALUE;
const WAN: &str = "Device.IP.Interface.3";
const LAN_POOL: &str = "Device.DHCPv4.Server.Pool.1.";

/// The lines of a section as `config` and its options, by the real `uci` where there is one.
fn export(router: &Router, package: &str) -> String {
    let Some(uci) = uci_tool::real_uci() else {
        return String::from_utf8(router.files()[package].clone()).unwrap().replace("option\t", "option ");
    };
    let saved = router.root.at("/tmp/uci-test");
    let output = Command::new(uci)
        .args(["-c".as_ref(), router.root.at("/etc/config").as_os_str(), "-t".as_ref(), saved.as_os_str()])
        .args(["export", package])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The options of the first section of a package that has this line.
fn section_with(router: &Router, package: &str, line: &str) -> Option<Vec<String>> {
    let text = export(router, package);
    let sections = text.split("\n\n").filter(|section| section.contains("config "));
    let lines = |section: &str| section.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    sections.map(lines).find(|lines| lines.iter().any(|known| known == line))
}

fn mapping(number: u32, name: &str) -> String {
    format!("Device.NAT.PortMapping.{number}.{name}")
}

fn set(router: &Router, name: &str, value: &str) {
    router.set(&[(name, value)]).unwrap_or_else(|fault| panic!("{name}={value}: {fault} {:?}", fault.parameters));
    assert_eq!(router.get(name), value, "{name}");
}

fn set_row(router: &Router, row: &str, values: &[(&str, &str)]) {
    let values: Vec<(String, &str)> = values.iter().map(|(name, value)| (format!("{row}{name}"), *value)).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    router.set(&values).unwrap_or_else(|fault| panic!("{values:?}: {fault} {:?}", fault.parameters));
}

fn refuse(router: &Router, row: &str, values: &[(&str, &str)], blamed: &str) {
    let values: Vec<(String, &str)> = values.iter().map(|(name, value)| (format!("{row}{name}"), *value)).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(router.refused(&values), [(format!("{row}{blamed}"), BAD_VALUE)], "{values:?}");
}

fn check(router: &Router, row: &str, values: &[(&str, &str)]) {
    for (name, value) in values {
        assert_eq!(router.get(&format!("{row}{name}")), *value, "{row}{name}");
    }
}

#[test]
fn port_mappings_are_the_redirects_with_target_dnat() {
    let router = Router::new();
    router.root.append(
        "/etc/config/firewall",
        "\nconfig redirect\n\toption target 'SNAT'\n\toption src 'lan'\n\toption dest 'wan'\n\toption src_dip '192.0.2.1'\n",
    );
    assert_eq!(router.get("Device.NAT.PortMappingNumberOfEntries"), "2");
    let game = "Device.NAT.PortMapping.2.";
    check(
        &router,
        game,
        &[
            ("Enable", "false"),
            ("Status", "Disabled"),
            ("Origin", "User"),
            ("Interface", WAN),
            ("AllInterfaces", "false"),
            ("LeaseDuration", "0"),
            ("RemoteHost", "203.0.113.0/24"),
            ("ExternalPort", "3074"),
            ("ExternalPortEndRange", "3076"),
            ("InternalPort", "3074"),
            ("Protocol", "UDP"),
            ("InternalClient", "192.168.1.21"),
            ("Description", "Game console"),
        ],
    );
    set(&router, &mapping(2, "Enable"), "true");
    assert_eq!(router.get(&mapping(2, "Status")), "Enabled");
}

/// CONFORMANCE P-61, P-62: what an ACS does most.
#[test]
fn p61_a_port_mapping_comes_changes_and_goes() {
    let router = Router::new();
    assert_eq!(router.add("Device.NAT.PortMapping.").unwrap(), 3);
    let row = "Device.NAT.PortMapping.3.";
    check(
        &router,
        row,
        &[
            ("Enable", "false"),
            ("Status", "Disabled"),
            ("Origin", "Controller"),
            ("Alias", "cpe-3"),
            ("Interface", ""),
            ("AllInterfaces", "false"),
            ("LeaseDuration", "0"),
            ("RemoteHost", ""),
            ("ExternalPort", "0"),
            ("ExternalPortEndRange", "0"),
            ("InternalPort", "0"),
            ("InternalClient", ""),
            ("Description", ""),
        ],
    );
    set_row(
        &router,
        row,
        &[
            ("Enable", "1"),
            ("Interface", WAN),
            ("ExternalPort", "2222"),
            ("InternalPort", "22"),
            ("Protocol", "TCP"),
            ("InternalClient", "192.168.1.50"),
            ("Description", "It's mine"),
        ],
    );
    let lines = section_with(&router, "firewall", "option src_dport '2222'").unwrap();
    for line in [
        "option target 'DNAT'",
        "option src 'wan'",
        "option dest 'lan'",
        "option proto 'tcp'",
        "option dest_port '22'",
        "option dest_ip '192.168.1.50'",
        "option enabled '1'",
        "option name 'It'\\''s mine'",
    ] {
        assert!(lines.iter().any(|known| known == line), "{line} in {lines:#?}");
    }
    assert_eq!(router.get(&mapping(3, "Status")), "Enabled");
    for (name, value, line) in [
        ("Protocol", "UDP", "option proto 'udp'"),
        ("InternalPort", "23", "option dest_port '23'"),
        ("InternalClient", "192.168.3.9", "option dest 'guest'"),
        ("RemoteHost", "198.51.100.7", "option src_ip '198.51.100.7'"),
        ("RemoteHost", "0.0.0.0", "option src_ip '0.0.0.0/0'"),
        ("Description", "Yours", "option name 'Yours'"),
        ("Enable", "false", "option enabled '0'"),
    ] {
        set(&router, &mapping(3, name), value);
        let lines = section_with(&router, "firewall", "option src_dport '2222'").unwrap();
        assert!(lines.iter().any(|known| known == line), "{line} in {lines:#?}");
    }
    router.restart();
    router.delete(row).unwrap();
    assert!(section_with(&router, "firewall", "option src_dport '2222'").is_none());
    assert_eq!(router.add("Device.NAT.PortMapping.").unwrap(), 4);
    // CONFORMANCE P-66: those of the configuration can go as well.
    router.delete("Device.NAT.PortMapping.1.").unwrap();
    assert!(section_with(&router, "firewall", "option name 'Web server'").is_none());
    assert_eq!(router.get(&mapping(2, "Description")), "Game console");
}

/// fw4 takes a redirect without an address for one to the router itself.
#[test]
fn a_mapping_that_is_not_complete_does_not_open_the_router() {
    let router = Router::new();
    router.add("Device.NAT.PortMapping.").unwrap();
    let row = "Device.NAT.PortMapping.3.";
    set_row(&router, row, &[("Interface", WAN), ("ExternalPort", "22"), ("Enable", "true")]);
    check(&router, row, &[("Enable", "true"), ("Status", "Error_Misconfigured")]);
    assert!(
        section_with(&router, "firewall", "option src_dport '22'")
            .unwrap()
            .iter()
            .any(|line| line == "option enabled '0'")
    );
    set(&router, &mapping(3, "InternalClient"), "192.168.1.5");
    check(&router, row, &[("Status", "Enabled")]);
    set(&router, &mapping(3, "InternalClient"), "");
    check(&router, row, &[("Enable", "true"), ("Status", "Error_Misconfigured")]);
    assert!(
        section_with(&router, "firewall", "option src_dport '22'")
            .unwrap()
            .iter()
            .any(|line| line == "option enabled '0'")
    );
}

#[test]
fn p02_ports_and_ranges_are_judged_together() {
    let router = Router::new();
    let row = "Device.NAT.PortMapping.1.";
    set_row(&router, row, &[("ExternalPortEndRange", "8090"), ("ExternalPort", "8085"), ("InternalPort", "8085")]);
    let lines = section_with(&router, "firewall", "option name 'Web server'").unwrap();
    assert!(
        lines.contains(&"option src_dport '8085-8090'".into())
            && lines.contains(&"option dest_port '8085-8090'".into()),
        "{lines:#?}"
    );
    // All of a range may go to one port.
    set(&router, &mapping(1, "InternalPort"), "80");
    assert!(section_with(&router, "firewall", "option dest_port '80'").is_some());
    refuse(&router, row, &[("ExternalPort", "9000")], "ExternalPort");
    refuse(&router, row, &[("ExternalPortEndRange", "80")], "ExternalPortEndRange");
    refuse(&router, row, &[("InternalPort", "0")], "InternalPort");
    set(&router, &mapping(1, "ExternalPortEndRange"), "0");
    set_row(&router, row, &[("ExternalPort", "0"), ("InternalPort", "0")]);
    let lines = section_with(&router, "firewall", "option name 'Web server'").unwrap();
    assert!(!lines.iter().any(|line| line.contains("port")), "{lines:#?}");
    for (name, value) in [
        ("Protocol", "SCTP"),
        ("RemoteHost", "some.host.example"),
        ("InternalClient", "nobody"),
        ("InternalClient", "127.0.0.1"),
        ("Description", "two\nlines"),
        ("Interface", "Device.IP.Interface.99"),
        ("Interface", "Device.IP.Interface.1"),
    ] {
        refuse(&router, row, &[(name, value)], name);
    }
}

/// CONFORMANCE P-65, J-06: equal rows only where one of them is disabled.
#[test]
fn p65_enabled_mappings_differ() {
    let router = Router::new();
    router.add("Device.NAT.PortMapping.").unwrap();
    let row = "Device.NAT.PortMapping.3.";
    set_row(
        &router,
        row,
        &[("Interface", WAN), ("ExternalPort", "8080"), ("Protocol", "TCP"), ("InternalClient", "192.168.1.9")],
    );
    refuse(&router, row, &[("Enable", "true")], "Enable");
    set_row(&router, row, &[("Enable", "true"), ("ExternalPort", "8081")]);
    refuse(&router, row, &[("ExternalPort", "8080")], "ExternalPort");
    set_row(&router, row, &[("RemoteHost", "192.0.2.1"), ("ExternalPort", "8080")]);
}

#[test]
fn a_mapping_knows_hosts_by_name_and_all_interfaces() {
    let router = Router::new();
    set(&router, &mapping(1, "InternalClient"), "tv");
    assert!(section_with(&router, "firewall", "option dest_ip '192.168.1.21'").is_some());
    set(&router, &mapping(1, "InternalClient"), "laptop");
    assert!(section_with(&router, "firewall", "option dest_ip '192.168.1.142'").is_some());
    router.root.replace("/etc/config/firewall", "192.168.1.142", "192.168.1.143");
    assert_eq!(router.get(&mapping(1, "InternalClient")), "192.168.1.143");
    set(&router, &mapping(1, "AllInterfaces"), "true");
    assert_eq!(router.get(&mapping(1, "Interface")), "");
    set(&router, &mapping(1, "AllInterfaces"), "false");
    check(
        &router,
        "Device.NAT.PortMapping.1.",
        &[("Interface", ""), ("Status", "Error_Misconfigured"), ("Enable", "true")],
    );
    set(&router, &mapping(1, "Interface"), WAN);
    check(&router, "Device.NAT.PortMapping.1.", &[("Status", "Enabled")]);
    // A redirect of both protocols stays one until it is changed.
    router.root.replace("/etc/config/firewall", "option proto		'udp'", "option proto		'tcp udp'");
    let before = router.files();
    set(&router, &mapping(2, "Protocol"), "TCP");
    assert_eq!(router.files(), before);
    set(&router, &mapping(2, "Protocol"), "UDP");
    assert_ne!(router.files(), before);
}

#[test]
fn a_lease_ends() {
    let router = Router::new();
    router.set(&[(&mapping(1, "LeaseDuration"), "600")]).unwrap();
    let left: u32 = router.get(&mapping(1, "LeaseDuration")).parse().unwrap();
    assert!((590..=600).contains(&left), "{left}");
    router.restart();
    let expired = |after: u64| {
        let model = router.model.lock().unwrap();
        let now = SystemTime::now() + Duration::from_secs(after);
        cwmpd::device::upkeep::expired(&mut model.context(), now).unwrap().0
    };
    assert!(expired(0).is_empty());
    assert_eq!(expired(601), ["Device.NAT.PortMapping.1."]);
    set(&router, &mapping(1, "LeaseDuration"), "0");
    assert!(expired(601).is_empty());
}

/// What hosts have asked miniupnpd for is shown, and is theirs.
#[test]
fn mappings_of_upnp_can_only_be_read() {
    let router = Router::new();
    let leases = |text: &str| router.root.write("/var/run/miniupnpd.leases", text);
    leases("UDP:6881:192.168.1.142:6882:0:Seeds: all\nTCP:40000:192.168.1.143:40000:4102444800:\nno lease\n");
    assert_eq!(router.get("Device.NAT.PortMappingNumberOfEntries"), "4");
    check(
        &router,
        "Device.NAT.PortMapping.3.",
        &[
            ("Enable", "true"),
            ("Status", "Enabled"),
            ("Origin", "UPnP"),
            ("Interface", WAN),
            ("AllInterfaces", "false"),
            ("LeaseDuration", "0"),
            ("RemoteHost", ""),
            ("ExternalPort", "6881"),
            ("ExternalPortEndRange", "0"),
            ("InternalPort", "6882"),
            ("Protocol", "UDP"),
            ("InternalClient", "192.168.1.142"),
            ("Description", "Seeds: all"),
            ("ScheduleRef", ""),
        ],
    );
    assert!(router.get(&mapping(4, "LeaseDuration")).parse::<u32>().unwrap() > 1_000_000);
    for (name, value) in
        [("Description", "Mine"), ("ExternalPort", "6880"), ("Enable", "false"), ("LeaseDuration", "9")]
    {
        let refused = router.refused(&[(&mapping(3, name), value)]);
        assert_eq!(refused, [(mapping(3, name), FaultCode::NON_WRITABLE_PARAMETER)]);
    }
    let before = router.files();
    set(&router, &mapping(3, "ExternalPort"), "6881");
    set(&router, &mapping(3, "Alias"), "seeds");
    assert_eq!(router.delete("Device.NAT.PortMapping.3.").unwrap_err().code, FaultCode::REQUEST_DENIED);
    assert_eq!(router.files(), before);
    refuse(&router, "Device.NAT.PortMapping.1.", &[("ExternalPort", "6881"), ("Protocol", "UDP")], "ExternalPort");
    // A level without port mappings is about those of the configuration.
    set(&router, "Device.Firewall.Level.1.PortMappingEnabled", "false");
    check(&router, "Device.NAT.PortMapping.3.", &[("Status", "Enabled")]);
    leases("");
    assert_eq!(router.get("Device.NAT.PortMappingNumberOfEntries"), "2");
    assert_eq!(router.add("Device.NAT.PortMapping.").unwrap(), 5);
}

/// A host that asks for what the ACS has mapped already does not keep the ACS from writing its row again.
#[test]
fn a_mapping_of_upnp_takes_nothing_away_from_a_row() {
    let router = Router::new();
    router.root.write("/var/run/miniupnpd.leases", "TCP:8080:192.168.1.142:6882:0:Mine\n");
    check(&router, "Device.NAT.PortMapping.3.", &[("Enable", "true"), ("ExternalPort", "8080"), ("Origin", "UPnP")]);
    for (name, value) in
        [("Enable", "true"), ("ExternalPort", "8080"), ("Protocol", "TCP"), ("RemoteHost", ""), ("Description", "Web")]
    {
        set(&router, &mapping(1, name), value);
    }
    router.set(&[(&mapping(1, "ExternalPort"), "8080"), (&mapping(1, "Description"), "Server")]).unwrap();
    set(&router, &mapping(1, "Enable"), "false");
    refuse(&router, "Device.NAT.PortMapping.1.", &[("Enable", "true"), ("ExternalPort", "8080")], "ExternalPort");
}

#[test]
fn masquerading_is_that_of_the_zone() {
    let router = Router::new();
    let row = "Device.NAT.InterfaceSetting.1.";
    check(&router, row, &[("Enable", "true"), ("Status", "Enabled"), ("Interface", WAN)]);
    set(&router, &format!("{row}Enable"), "false");
    assert!(section_with(&router, "firewall", "option masq '0'").unwrap().contains(&"option name 'wan'".into()));
    check(&router, row, &[("Status", "Disabled")]);
    set(&router, &format!("{row}Enable"), "true");
    assert_eq!(router.add("Device.NAT.InterfaceSetting.").unwrap(), 2);
    let added = "Device.NAT.InterfaceSetting.2.";
    check(&router, added, &[("Enable", "false"), ("Status", "Disabled"), ("Interface", "")]);
    set(&router, &format!("{added}Enable"), "true");
    check(&router, added, &[("Status", "Error_Misconfigured")]);
    refuse(&router, added, &[("Interface", WAN)], "Interface");
    refuse(&router, added, &[("Interface", "Device.IP.Interface.1")], "Interface");
    set(&router, &format!("{added}Interface"), "Device.IP.Interface.5");
    check(&router, added, &[("Status", "Enabled"), ("Enable", "true")]);
    assert!(section_with(&router, "firewall", "option name 'guest'").unwrap().contains(&"option masq '1'".into()));
    router.restart();
    assert_eq!(router.get("Device.NAT.InterfaceSettingNumberOfEntries"), "2");
    router.delete(added).unwrap();
    assert!(
        !section_with(&router, "firewall", "option name 'guest'").unwrap().iter().any(|line| line.contains("masq"))
    );
    assert_eq!(router.get("Device.NAT.InterfaceSettingNumberOfEntries"), "1");
}

/// A second line that the ACS has made is in no zone, and goes to the others while it is to have NAT.
#[test]
fn p12_an_interface_of_the_acs_joins_the_zone_of_the_internet_for_nat() {
    let router = Router::new();
    let line = format!("Device.IP.Interface.{}", router.add("Device.IP.Interface.").unwrap());
    let row = format!("Device.NAT.InterfaceSetting.{}.", router.add("Device.NAT.InterfaceSetting.").unwrap());
    let zone = || {
        let lines = section_with(&router, "firewall", "option name 'wan'").unwrap();
        lines.into_iter().filter(|line| line.contains("network") || line.contains("masq")).collect::<Vec<_>>()
    };
    let before = zone();
    refuse(&router, &row, &[("Interface", "Device.IP.Interface.4")], "Interface");
    set_row(&router, &row, &[("Interface", &line)]);
    check(&router, &row, &[("Interface", &line), ("Enable", "false"), ("Status", "Disabled")]);
    assert_eq!(zone(), before);
    set(&router, &format!("{row}Enable"), "true");
    assert_eq!(zone().len(), before.len() + 1, "{:?}", zone());
    router.restart();
    check(&router, &row, &[("Interface", &line), ("Enable", "true"), ("Status", "Enabled")]);
    let written = router.files();
    set_row(&router, &row, &[("Interface", &line), ("Enable", "true")]);
    assert_eq!(router.files(), written);
    // The other line keeps its NAT.
    set(&router, &format!("{row}Enable"), "false");
    assert_eq!(zone(), before);
    check(&router, "Device.NAT.InterfaceSetting.1.", &[("Enable", "true"), ("Interface", WAN)]);
    set(&router, &format!("{row}Enable"), "true");
    router.delete(&row).unwrap();
    assert_eq!(zone(), before);
}

/// CONFORMANCE P-02: a rule that comes before the NAT of its interface has given it a zone of its own, from which nobody gets out.
#[test]
fn p02_nat_after_a_rule_is_as_a_rule_after_nat() {
    for rule_first in [true, false] {
        let router = Router::new();
        let line = format!("Device.IP.Interface.{}", router.add("Device.IP.Interface.").unwrap());
        let row = format!("Device.NAT.InterfaceSetting.{}.", router.add("Device.NAT.InterfaceSetting.").unwrap());
        let rule = format!("Device.Firewall.Chain.1.Rule.{}.", router.add("Device.Firewall.Chain.1.Rule.").unwrap());
        for step in [rule_first, !rule_first] {
            if step {
                set_row(
                    &router,
                    &rule,
                    &[("SourceInterface", &line), ("Protocol", "6"), ("DestPort", "22"), ("Enable", "true")],
                );
            } else {
                set_row(&router, &row, &[("Interface", &line), ("Enable", "true")]);
            }
        }
        check(&router, &row, &[("Interface", &line), ("Enable", "true"), ("Status", "Enabled")]);
        check(&router, &rule, &[("SourceInterface", &line), ("Status", "Enabled")]);
        let firewall = router.root.read("/etc/config/firewall");
        let zones = firewall.lines().filter(|line| line.starts_with("config zone")).count();
        assert_eq!(zones, 3, "rule first: {rule_first}, {firewall}");
    }
}

/// Somebody else has put the interface into another zone since: there it stays.
#[test]
fn an_interface_is_only_taken_out_of_the_zone_that_it_has_joined() {
    let router = Router::new();
    let line = format!("Device.IP.Interface.{}", router.add("Device.IP.Interface.").unwrap());
    let row = format!("Device.NAT.InterfaceSetting.{}.", router.add("Device.NAT.InterfaceSetting.").unwrap());
    set_row(&router, &row, &[("Interface", &line), ("Enable", "true")]);
    let firewall = router.root.read("/etc/config/firewall");
    let joined = firewall.lines().find(|line| line.contains("network") && line.contains("cwmp_")).unwrap();
    let elsewhere = firewall.replacen(&format!("{joined}\n"), "", 1)
        + "\nconfig zone 'person'\n\toption name 'person'\n"
        + joined
        + "\n";
    router.root.write("/etc/config/firewall", &elsewhere);
    router.restart();
    set(&router, &format!("{row}Enable"), "false");
    router.delete(&row).unwrap();
    assert_eq!(router.root.read("/etc/config/firewall"), elsewhere);
}

#[test]
fn pools_are_the_dhcp_sections() {
    let router = Router::new();
    check(
        &router,
        LAN_POOL,
        &[
            ("Enable", "true"),
            ("Status", "Enabled"),
            ("Interface", "Device.IP.Interface.2"),
            ("MinAddress", "192.168.1.100"),
            ("MaxAddress", "192.168.1.249"),
            ("SubnetMask", "255.255.255.0"),
            ("DNSServers", "192.168.1.1,9.9.9.9"),
            ("DomainName", "lan"),
            ("IPRouters", ""),
            ("LeaseTime", "43200"),
            ("Order", "1"),
        ],
    );
    check(&router, "Device.DHCPv4.Server.Pool.2.", &[("Enable", "false"), ("Status", "Disabled")]);
    for (name, value, line) in [
        ("DNSServers", "1.1.1.1", "list dhcp_option '6,1.1.1.1'"),
        ("IPRouters", "192.168.1.254", "list dhcp_option '3,192.168.1.254'"),
        ("DomainName", "home.example", "list dhcp_option '15,home.example'"),
        ("LeaseTime", "3600", "option leasetime '1h'"),
        ("LeaseTime", "90", "option leasetime '90s'"),
        ("LeaseTime", "-1", "option leasetime 'infinite'"),
        ("Enable", "false", "option ignore '1'"),
    ] {
        set(&router, &format!("{LAN_POOL}{name}"), value);
        let lines = section_with(&router, "dhcp", "config dhcp 'lan'").unwrap();
        assert!(lines.iter().any(|known| known == line), "{line} in {lines:#?}");
    }
    set(&router, &format!("{LAN_POOL}Enable"), "true");
    set(&router, &format!("{LAN_POOL}DNSServers"), "");
    set(&router, &format!("{LAN_POOL}IPRouters"), "");
    let lines = section_with(&router, "dhcp", "config dhcp 'lan'").unwrap();
    assert!(
        !lines.iter().any(|line| line.contains("ignore") || line.contains("'6") || line.contains("'3")),
        "{lines:#?}"
    );
    for (name, value) in [
        ("DNSServers", "1.1.1.1,no"),
        ("DNSServers", "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5"),
        ("DomainName", "one,two"),
        ("LeaseTime", "0"),
        ("LeaseTime", "-2"),
        ("SubnetMask", "255.255.0.0"),
        ("MinAddress", "192.168.2.1"),
        ("MaxAddress", "192.168.1.255"),
        ("Interface", "Device.WiFi.Radio.1"),
    ] {
        refuse(&router, LAN_POOL, &[(name, value)], name);
    }
}

/// CONFORMANCE P-02: the ends of a pool are judged as a pair, whatever they were before; so is an interface that moves with them.
#[test]
fn p02_a_pool_moves_beyond_its_old_ends() {
    let router = Router::new();
    set_row(&router, LAN_POOL, &[("MinAddress", "192.168.1.250"), ("MaxAddress", "192.168.1.254")]);
    check(&router, LAN_POOL, &[("MinAddress", "192.168.1.250"), ("MaxAddress", "192.168.1.254")]);
    set_row(&router, LAN_POOL, &[("MinAddress", "192.168.1.2"), ("MaxAddress", "192.168.1.9")]);
    let lines = section_with(&router, "dhcp", "config dhcp 'lan'").unwrap();
    assert!(lines.contains(&"option start '2'".into()) && lines.contains(&"option limit '8'".into()), "{lines:#?}");
    refuse(&router, LAN_POOL, &[("MinAddress", "192.168.1.10")], "MinAddress");
    refuse(&router, LAN_POOL, &[("MaxAddress", "192.168.1.1")], "MaxAddress");
    refuse(&router, LAN_POOL, &[("MinAddress", "192.168.1.9"), ("MaxAddress", "192.168.1.2")], "MinAddress");
    let address = "Device.IP.Interface.2.IPv4Address.1.IPAddress";
    let (min, max) = (format!("{LAN_POOL}MinAddress"), format!("{LAN_POOL}MaxAddress"));
    router.set(&[(&min, "192.168.7.20"), (address, "192.168.7.1"), (&max, "192.168.7.29")]).unwrap();
    check(&router, LAN_POOL, &[("MinAddress", "192.168.7.20"), ("MaxAddress", "192.168.7.29")]);
    // Alone, the address of the interface takes the pool along.
    set(&router, address, "192.168.8.1");
    check(&router, LAN_POOL, &[("MinAddress", "192.168.8.20")]);
}

#[test]
fn p61_a_pool_comes_and_goes() {
    let router = Router::new();
    router.delete("Device.DHCPv4.Server.Pool.3.").unwrap();
    assert_eq!(router.add("Device.DHCPv4.Server.Pool.").unwrap(), 4);
    let row = "Device.DHCPv4.Server.Pool.4.";
    check(
        &router,
        row,
        &[("Enable", "false"), ("Interface", ""), ("MinAddress", ""), ("LeaseTime", "86400"), ("Order", "3")],
    );
    refuse(&router, row, &[("MinAddress", "192.168.3.10")], "MinAddress");
    set_row(
        &router,
        row,
        &[
            ("MinAddress", "192.168.3.10"),
            ("MaxAddress", "192.168.3.19"),
            ("Enable", "true"),
            ("Interface", "Device.IP.Interface.5"),
            ("SubnetMask", "255.255.255.0"),
        ],
    );
    check(&router, row, &[("Status", "Enabled"), ("MinAddress", "192.168.3.10")]);
    // Order holds the others together (CONFORMANCE J-06).
    set(&router, &format!("{row}Order"), "1");
    assert_eq!(
        (router.get(&format!("{LAN_POOL}Order")), router.get("Device.DHCPv4.Server.Pool.2.Order")),
        ("2".into(), "3".into())
    );
    // The whole server goes off and comes back as it was.
    set(&router, "Device.DHCPv4.Server.Enable", "false");
    assert_eq!(export(&router, "dhcp").matches("option ignore '1'").count(), 3);
    check(&router, row, &[("Enable", "true"), ("Status", "Disabled")]);
    set(&router, &format!("{LAN_POOL}Enable"), "false");
    set(&router, "Device.DHCPv4.Server.Enable", "true");
    check(&router, row, &[("Enable", "true"), ("Status", "Enabled")]);
    check(&router, LAN_POOL, &[("Enable", "false")]);
    check(&router, "Device.DHCPv4.Server.Pool.2.", &[("Enable", "false")]);
}

#[test]
fn p61_a_static_address_comes_waits_and_goes() {
    let router = Router::new();
    let table = format!("{LAN_POOL}StaticAddress.");
    assert_eq!(router.get(&format!("{LAN_POOL}StaticAddressNumberOfEntries")), "2");
    assert_eq!(router.add(&table).unwrap(), 3);
    let row = format!("{table}3.");
    check(&router, &row, &[("Enable", "false"), ("Chaddr", ""), ("Yiaddr", ""), ("Alias", "cpe-3")]);
    set_row(&router, &row, &[("Enable", "true"), ("Yiaddr", "192.168.1.77"), ("Chaddr", "00:00:5E:00:53:D1")]);
    let lines = section_with(&router, "dhcp", "option ip '192.168.1.77'").unwrap();
    assert!(lines.contains(&"option mac '00:00:5E:00:53:D1'".into()), "{lines:#?}");
    assert!(section_with(&router, "cwmpd", "option ip '192.168.1.77'").is_none());
    // Off, it waits in the agent's own configuration with all that it has; a section without a name as well.
    for (row, ip) in [(row.clone(), "192.168.1.77"), (format!("{table}1."), "192.168.1.20")] {
        set(&router, &format!("{row}Enable"), "false");
        assert!(section_with(&router, "dhcp", &format!("option ip '{ip}'")).is_none());
        assert!(section_with(&router, "cwmpd", &format!("option ip '{ip}'")).is_some());
        router.restart();
        check(&router, &row, &[("Enable", "false"), ("Yiaddr", ip)]);
    }
    assert_eq!(router.get(&format!("{LAN_POOL}StaticAddressNumberOfEntries")), "3");
    set(&router, &format!("{table}1.Enable"), "true");
    let lines = section_with(&router, "dhcp", "option ip '192.168.1.20'").unwrap();
    assert!(
        lines.contains(&"option name 'printer'".into()) && !lines.iter().any(|line| line.contains("pool")),
        "{lines:#?}"
    );
    // dnsmasq does not start with the same address twice.
    refuse(&router, &row, &[("Enable", "true"), ("Yiaddr", "192.168.1.20")], "Yiaddr");
    refuse(&router, &row, &[("Enable", "true"), ("Chaddr", "00:00:5e:00:53:B1")], "Chaddr");
    refuse(&router, &row, &[("Yiaddr", "192.168.3.7")], "Yiaddr");
    // Two may change places in one request.
    let name = |number: u32| format!("{LAN_POOL}StaticAddress.{number}.Yiaddr");
    let (one, two) = (router.get(&name(1)), router.get(&name(2)));
    router.set(&[(&name(1), two.as_str()), (&name(2), one.as_str())]).unwrap();
    assert_eq!((router.get(&name(1)), router.get(&name(2))), (two.clone(), one.clone()));
    router.set(&[(&name(1), one.as_str()), (&name(2), two.as_str())]).unwrap();
    refuse(&router, &row, &[("Chaddr", "no")], "Chaddr");
    router.delete(&row).unwrap();
    assert!(section_with(&router, "cwmpd", "option ip '192.168.1.77'").is_none());
    router.delete(&format!("{table}2.")).unwrap();
    assert!(section_with(&router, "dhcp", "option ip '192.168.1.21'").is_none());
    assert_eq!(router.add(&table).unwrap(), 4);
}

#[test]
fn addresses_are_reserved_for_nobody() {
    let router = Router::new();
    let name = format!("{LAN_POOL}ReservedAddresses");
    set(&router, &name, "192.168.1.110,192.168.1.111");
    let lines = section_with(&router, "dhcp", "option ip '192.168.1.110'").unwrap();
    assert!(lines.contains(&"option name 'reserved-192-168-1-110'".into()), "{lines:#?}");
    assert_eq!(router.get(&format!("{LAN_POOL}StaticAddressNumberOfEntries")), "2");
    refuse(&router, LAN_POOL, &[("ReservedAddresses", "192.168.1.20")], "ReservedAddresses");
    refuse(&router, LAN_POOL, &[("ReservedAddresses", "10.0.0.1")], "ReservedAddresses");
    set(&router, &name, "192.168.1.111");
    assert!(section_with(&router, "dhcp", "option ip '192.168.1.110'").is_none());
    set(&router, &name, "");
    assert!(!export(&router, "dhcp").contains("reserved"));
}

#[test]
fn options_of_a_pool_are_items_of_a_list() {
    let router = Router::new();
    router.root.replace(
        "/etc/config/dhcp",
        "list dhcp_option '6,192",
        "list dhcp_option '42,192.0.2.1'\n\tlist dhcp_option '6,192",
    );
    let table = format!("{LAN_POOL}Option.");
    check(&router, &format!("{table}1."), &[("Enable", "true"), ("Tag", "42"), ("Value", "c0000201")]);
    assert_eq!(router.add(&table).unwrap(), 2);
    let row = format!("{table}2.");
    check(&router, &row, &[("Enable", "false"), ("Tag", "0"), ("Value", "")]);
    set_row(&router, &row, &[("Enable", "true"), ("Value", "0104C0A80101"), ("Tag", "43")]);
    check(&router, &row, &[("Enable", "true"), ("Tag", "43"), ("Value", "0104C0A80101")]);
    let has = |text: &str| export(&router, "dhcp").contains(&format!("list dhcp_option '{text}'"));
    assert!(has("43,01:04:c0:a8:01:01") && has("42,192.0.2.1") && has("6,192.168.1.1,9.9.9.9"));
    set(&router, &format!("{row}Enable"), "false");
    assert!(!has("43,01:04:c0:a8:01:01"));
    check(&router, &row, &[("Tag", "43"), ("Value", "0104C0A80101")]);
    // dnsmasq does not start with a value in another form than that of its option.
    refuse(&router, &row, &[("Tag", "69"), ("Enable", "true")], "Tag");
    refuse(&router, &row, &[("Tag", "66"), ("Enable", "true")], "Tag");
    set_row(&router, &row, &[("Tag", "66"), ("Value", "626F6F74"), ("Enable", "true")]);
    assert!(has("66,boot"));
    check(&router, &row, &[("Tag", "66"), ("Value", "626F6F74")]);
    set_row(&router, &row, &[("Tag", "69"), ("Value", "C0000203")]);
    assert!(has("69,192.0.2.3") && !has("66,boot"));
    refuse(&router, &row, &[("Value", "C00002")], "Value");
    refuse(&router, &row, &[("Tag", "42")], "Tag");
    refuse(&router, &row, &[("Tag", "6")], "Tag");
    set(&router, &format!("{table}1.Enable"), "false");
    assert!(!has("42,192.0.2.1"));
    check(&router, &format!("{table}1."), &[("Tag", "42"), ("Value", "c0000201")]);
    set(&router, &format!("{table}1.Enable"), "true");
    assert!(has("42,192.0.2.1"));
    router.restart();
    router.delete(&row).unwrap();
    router.delete(&format!("{table}1.")).unwrap();
    assert!(!has("42,192.0.2.1") && has("6,192.168.1.1,9.9.9.9"));
    assert_eq!(router.get(&format!("{LAN_POOL}OptionNumberOfEntries")), "0");
}

/// CONFORMANCE J-02: a lease without an end lasts to the end of the calendar.
#[test]
fn j02_clients_are_the_leases_of_dnsmasq() {
    let router = Router::new();
    assert_eq!(router.get(&format!("{LAN_POOL}ClientNumberOfEntries")), "4");
    let client = format!("{LAN_POOL}Client.2.");
    check(
        &router,
        &client,
        &[
            ("Chaddr", "00:00:5e:00:53:b2"),
            ("IPv4AddressNumberOfEntries", "1"),
            ("IPv4Address.1.IPAddress", "192.168.1.21"),
            ("IPv4Address.1.LeaseTimeRemaining", "9999-12-31T23:59:59Z"),
            ("OptionNumberOfEntries", "1"),
            ("Option.1.Tag", "12"),
            ("Option.1.Value", "7476"),
        ],
    );
    let end = router.get(&format!("{LAN_POOL}Client.1.IPv4Address.1.LeaseTimeRemaining"));
    assert!(end.starts_with("20") && end.ends_with('Z'), "{end}");
    router.set_facts(Facts::default());
    check(&router, &format!("{LAN_POOL}Client.1."), &[("IPv4Address.1.LeaseTimeRemaining", "0001-01-01T00:00:00Z")]);
    check(&router, &client, &[("IPv4Address.1.LeaseTimeRemaining", "9999-12-31T23:59:59Z")]);
    check(&router, "Device.DHCPv4.Server.Pool.3.Client.1.", &[("Chaddr", "00:00:5e:00:53:a3"), ("Active", "true")]);
    // Numbers are those of the MAC addresses.
    let leases = router.root.read("/tmp/dhcp.leases");
    router.root.write("/tmp/dhcp.leases", leases.lines().skip(1).collect::<Vec<_>>().join("\n"));
    assert!(!router.has(&format!("{LAN_POOL}Client.1.")));
    assert_eq!(router.get(&format!("{client}Chaddr")), "00:00:5e:00:53:b2");
    router.root.remove("/tmp/dhcp.leases");
    assert_eq!(router.get(&format!("{LAN_POOL}ClientNumberOfEntries")), "0");
}

/// CONFORMANCE P-67: an interface that is gone leaves empty references.
#[test]
fn p67_references_to_an_interface_that_is_gone_are_empty() {
    let router = Router::new();
    router.root.replace("/etc/config/network", "config interface 'wan'\n", "config interface 'wanx'\n");
    assert_eq!(router.get(&mapping(1, "Interface")), "");
    assert_eq!(router.get("Device.DHCPv4.Server.Pool.2.Interface"), "");
}
