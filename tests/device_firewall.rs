//! The firewall on the sample router: levels, chains and rules, the DMZ, pinholes, and what must never happen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use std::time::{Duration, SystemTime};

use cwmpd::device::upkeep;
use cwmpd::error::FaultCode;
use model::Router;

const BAD_VALUE: FaultCode = FaultCode::INVALID_PARAMETER_VALUE;
const CONFIG: &str = "Device.Firewall.Config";
const LAN: &str = "Device.IP.Interface.2";
const WAN: &str = "Device.IP.Interface.3";

/// A section of the firewall's configuration: its type and name, and its options as `name=value`.
struct Section {
    header: String,
    options: Vec<String>,
}

impl Section {
    fn has(&self, option: &str) -> bool {
        self.options.iter().any(|known| known == option)
    }
}

fn unquoted(text: &str) -> String {
    text.replace("'\\''", "\u{1}").replace(['\'', '"'], "").replace('\u{1}', "'")
}

fn sections(router: &Router) -> Vec<Section> {
    let text = router.root.read("/etc/config/firewall");
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap();
        match word {
            "config" => sections.push(Section { header: unquoted(rest), options: Vec::new() }),
            _ => {
                let (name, value) = rest.trim().split_once(char::is_whitespace).unwrap();
                sections.last_mut().unwrap().options.push(format!("{name}={}", unquoted(value.trim())));
            }
        }
    }
    sections
}

fn find(router: &Router, option: &str) -> Section {
    sections(router).into_iter().find(|section| section.has(option)).unwrap_or_else(|| panic!("{option} is nowhere"))
}

fn zone_wan(router: &Router) -> Section {
    sections(router)
        .into_iter()
        .find(|section| section.header.split(' ').next() == Some("zone") && section.has("name=wan"))
        .unwrap()
}

fn names(router: &Router, kind: &str) -> Vec<String> {
    let sections = sections(router).into_iter().filter(|section| section.header.split(' ').next() == Some(kind));
    let name =
        |section: Section| section.options.iter().find_map(|option| option.strip_prefix("name=").map(String::from));
    sections.filter_map(name).collect()
}

fn set(router: &Router, values: &[(&str, &str)]) {
    router.set(values).unwrap_or_else(|fault| panic!("{values:?}: {fault} {:?}", fault.parameters));
    for (name, value) in values {
        assert_eq!(router.get(name), *value, "{name}");
    }
}

fn set_row(router: &Router, row: &str, values: &[(&str, &str)]) {
    let values: Vec<(String, &str)> = values.iter().map(|(name, value)| (format!("{row}{name}"), *value)).collect();
    set(router, &values.iter().map(|(name, value)| (name.as_str(), *value)).collect::<Vec<_>>());
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
fn the_configuration_is_the_base_level_with_its_rules() {
    let router = Router::new();
    check(
        &router,
        "Device.Firewall.",
        &[
            ("Enable", "true"),
            ("Config", "Low"),
            ("AdvancedLevel", "Device.Firewall.Level.1"),
            ("Type", "Stateful"),
            ("LevelNumberOfEntries", "1"),
            ("ChainNumberOfEntries", "1"),
            ("DMZNumberOfEntries", "0"),
            ("PinholeNumberOfEntries", "0"),
            ("Level.1.Chain", "Device.Firewall.Chain.1"),
            ("Level.1.DefaultPolicy", "Reject"),
            ("Level.1.PortMappingEnabled", "true"),
            ("Chain.1.Enable", "true"),
            ("Chain.1.Creator", "Defaults"),
            ("Chain.1.RuleNumberOfEntries", "5"),
        ],
    );
    check(
        &router,
        "Device.Firewall.Chain.1.Rule.1.",
        &[
            ("Enable", "true"),
            ("Status", "Enabled"),
            ("Order", "1"),
            ("Description", "Allow-DHCP-Renew"),
            ("Target", "Accept"),
            ("SourceInterface", WAN),
            ("SourceAllInterfaces", "false"),
            ("DestInterface", ""),
            ("IPVersion", "4"),
            ("Protocol", "17"),
            ("DestPort", "68"),
            ("DestPortRangeMax", "-1"),
            ("SourcePort", "-1"),
            ("CreationDate", "0001-01-01T00:00:00Z"),
            ("ExpiryDate", "9999-12-31T23:59:59Z"),
        ],
    );
    // Without a protocol fw4 takes TCP and UDP.
    check(&router, "Device.Firewall.Chain.1.Rule.4.", &[("Protocol", "-1"), ("DestPort", "53")]);
}

/// CONFORMANCE P-12: levels come and go, and the file is as it was, word for word.
#[test]
fn p12_config_goes_round_and_leaves_nothing_behind() {
    let router = Router::new();
    let before = sections(&router).len();
    set(&router, &[(CONFIG, "High")]);
    let high = find(&router, "dest_port=!443");
    assert!(high.has("src=*") && high.has("dest=wan") && high.has("target=REJECT") && high.has("proto=tcp"));
    assert_eq!(router.get("Device.Firewall.Chain.1.RuleNumberOfEntries"), "5");
    set(&router, &[(CONFIG, "Off")]);
    assert!(zone_wan(&router).has("input=ACCEPT") && zone_wan(&router).has("forward=ACCEPT"));
    let inbound = sections(&router).into_iter().filter(|section| section.header.starts_with("forwarding"));
    let inbound: Vec<Section> = inbound.filter(|section| section.has("src=wan")).collect();
    assert_eq!(
        inbound.iter().map(|section| section.has("dest=lan") || section.has("dest=guest")).collect::<Vec<_>>(),
        [true, true]
    );
    set(&router, &[("Device.Firewall.Enable", "false")]);
    set(&router, &[(CONFIG, "Low")]);
    assert!(zone_wan(&router).has("input=ACCEPT"), "it is not enabled yet");
    set(&router, &[("Device.Firewall.Enable", "true")]);
    let zone = zone_wan(&router);
    assert!(zone.has("input=REJECT") && zone.has("forward=REJECT") && zone.has("masq=1") && zone.has("output=ACCEPT"));
    assert_eq!(sections(&router).len(), before);
    refuse(&router, "Device.Firewall.", &[("Config", "Policy")], "Config");
}

/// What a person does with LuCI counts.
#[test]
fn who_opens_the_zone_by_hand_has_switched_the_firewall_off() {
    let router = Router::new();
    router.root.replace(
        "/etc/config/firewall",
        "option input\t\tREJECT\n\toption output\t\tACCEPT\n\toption forward\t\tREJECT\n\toption masq",
        "option input\t\tACCEPT\n\toption output\t\tACCEPT\n\toption forward\t\tACCEPT\n\toption masq",
    );
    assert_eq!(router.get(CONFIG), "Off");
    set(&router, &[(CONFIG, "Low")]);
    assert!(zone_wan(&router).has("input=REJECT") && zone_wan(&router).has("forward=REJECT"));
}

/// A tunnel with NAT of its own is not the internet, wherever its zone stands and whether or not the line has NAT.
#[test]
fn the_internet_is_where_the_acs_is() {
    let router = Router::new();
    router.root.replace(
        "/etc/config/firewall",
        "config zone\n\toption name\t\tlan",
        "config zone\n\toption name\t\tvpn\n\toption input\t\tREJECT\n\toption forward\t\tREJECT\n\toption masq\t\t1\n\nconfig zone\n\toption name\t\tlan",
    );
    for enable in ["true", "false"] {
        set(
            &router,
            &[("Device.NAT.InterfaceSetting.1.Enable", enable), ("Device.Firewall.Level.1.DefaultPolicy", "Drop")],
        );
        assert!(zone_wan(&router).has("input=DROP") && zone_wan(&router).has("forward=DROP"), "{enable}");
        assert!(find(&router, "name=vpn").has("input=REJECT"), "{enable}");
        set(&router, &[("Device.Firewall.Level.1.DefaultPolicy", "Reject")]);
    }
}

/// Nothing that the levels write is a rule for what the router sends itself: the session with the ACS goes on, and connection requests, which come before
/// all rules of the file, are let in.
#[test]
fn no_level_has_rules_for_packets_of_the_router_itself() {
    let router = Router::new();
    let level = router.add("Device.Firewall.Level.").unwrap();
    set(&router, &[("Device.Firewall.AdvancedLevel", &format!("Device.Firewall.Level.{level}"))]);
    for config in ["High", "Off", "Advanced", "Low"] {
        set(&router, &[(CONFIG, config)]);
        for section in sections(&router) {
            let drops = section.has("target=REJECT") || section.has("target=DROP");
            let has_source = section.options.iter().any(|option| option.starts_with("src="));
            assert!(!drops || has_source, "{config}: {:?}", section.options);
            assert!(section.header.split(' ').next() != Some("zone") || section.has("output=ACCEPT"), "{config}");
        }
    }
}

/// CONFORMANCE P-61, P-67: a level of the ACS with a chain of its own.
#[test]
fn p61_p67_a_level_comes_into_force_with_its_chain_and_goes() {
    let router = Router::new();
    assert_eq!(router.add("Device.Firewall.Level.").unwrap(), 2);
    check(
        &router,
        "Device.Firewall.Level.2.",
        &[
            ("Chain", "Device.Firewall.Chain.2"),
            ("Order", "2"),
            ("DefaultPolicy", "Drop"),
            ("DefaultLogPolicy", "false"),
            ("PortMappingEnabled", "true"),
        ],
    );
    check(&router, "Device.Firewall.Chain.2.", &[("Enable", "true"), ("Creator", "ACS"), ("RuleNumberOfEntries", "0")]);
    let row = router.add("Device.Firewall.Chain.2.Rule.").unwrap();
    let rule = format!("Device.Firewall.Chain.2.Rule.{row}.");
    set_row(
        &router,
        &rule,
        &[
            ("Enable", "true"),
            ("Description", "Web"),
            ("Target", "Accept"),
            ("SourceInterface", WAN),
            ("DestInterface", LAN),
            ("Protocol", "6"),
            ("DestPort", "80"),
        ],
    );
    check(&router, &rule, &[("Enable", "true"), ("Status", "Disabled")]);
    assert!(find(&router, "name=Web").has("enabled=0"));
    set(
        &router,
        &[
            ("Device.Firewall.AdvancedLevel", "Device.Firewall.Level.2"),
            ("Device.Firewall.Level.2.PortMappingEnabled", "false"),
        ],
    );
    assert!(zone_wan(&router).has("input=REJECT"));
    set(&router, &[(CONFIG, "Advanced")]);
    assert!(zone_wan(&router).has("input=DROP") && zone_wan(&router).has("forward=DROP"));
    let web = find(&router, "name=Web");
    assert!(
        web.has("enabled=1")
            && web.has("src=wan")
            && web.has("dest=lan")
            && web.has("proto=tcp")
            && web.has("dest_port=80")
    );
    check(&router, &rule, &[("Status", "Enabled")]);
    // Its port mappings are switched off, and nobody has forgotten which there were.
    check(&router, "Device.NAT.PortMapping.1.", &[("Enable", "true"), ("Status", "Disabled")]);
    assert!(find(&router, "name=Web server").has("enabled=0"));
    check(&router, "Device.NAT.InterfaceSetting.1.", &[("Status", "Enabled_PortMappingDisabled")]);
    // While it is in force, its policy is that of the zone.
    set(&router, &[("Device.Firewall.Level.2.DefaultPolicy", "Reject")]);
    assert!(zone_wan(&router).has("input=REJECT"));
    router.restart();
    router.delete("Device.Firewall.Level.2.").unwrap();
    check(
        &router,
        "Device.Firewall.",
        &[("AdvancedLevel", ""), ("LevelNumberOfEntries", "1"), ("ChainNumberOfEntries", "1"), ("Config", "Advanced")],
    );
    assert!(sections(&router).iter().all(|section| !section.has("name=Web")));
    check(&router, "Device.NAT.PortMapping.1.", &[("Enable", "true"), ("Status", "Enabled")]);
    for row in ["Device.Firewall.Level.1.", "Device.Firewall.Chain.1."] {
        assert_eq!(router.delete(row).unwrap_err().code, FaultCode::REQUEST_DENIED);
    }
    refuse(&router, "Device.Firewall.Chain.1.", &[("Enable", "false")], "Enable");
}

/// CONFORMANCE P-61: a rule with the defaults of TR-181, which does nothing until it says where packets come from.
#[test]
fn p61_a_rule_without_a_source_is_not_in_force() {
    let router = Router::new();
    let row = format!("Device.Firewall.Chain.1.Rule.{}.", router.add("Device.Firewall.Chain.1.Rule.").unwrap());
    check(
        &router,
        &row,
        &[
            ("Enable", "false"),
            ("Status", "Disabled"),
            ("Order", "6"),
            ("Target", "Drop"),
            ("SourceAllInterfaces", "false"),
            ("IPVersion", "-1"),
            ("Protocol", "-1"),
            ("DestPort", "-1"),
            ("DSCP", "-1"),
        ],
    );
    set_row(&router, &row, &[("Enable", "true"), ("Description", "New")]);
    check(&router, &row, &[("Status", "Error_Misconfigured")]);
    assert!(find(&router, "name=New").has("enabled=0"));
    set_row(&router, &row, &[("SourceAllInterfaces", "true")]);
    check(&router, &row, &[("Status", "Enabled")]);
    assert!(find(&router, "name=New").has("enabled=1") && find(&router, "name=New").has("src=*"));
    set_row(&router, &row, &[("SourceAllInterfaces", "false")]);
    check(&router, &row, &[("Enable", "true"), ("Status", "Error_Misconfigured")]);
    router.delete(&row).unwrap();
    assert!(sections(&router).iter().all(|section| !section.has("name=New")));
}

/// A guest network that the ACS has made is in no zone: rules are all that it takes to let its hosts out and to the router's DHCP.
#[test]
fn p12_p61_a_rule_gives_an_interface_without_a_zone_one_of_its_own() {
    let router = Router::new();
    let guest = format!("Device.IP.Interface.{}", router.add("Device.IP.Interface.").unwrap());
    let before = router.root.read("/etc/config/firewall");
    let add = || format!("Device.Firewall.Chain.1.Rule.{}.", router.add("Device.Firewall.Chain.1.Rule.").unwrap());
    let (out, dhcp) = (add(), add());
    refuse(&router, &out, &[("SourceInterface", "Device.IP.Interface.1")], "SourceInterface");
    let way_out =
        [("SourceInterface", guest.as_str()), ("DestInterface", WAN), ("Target", "Accept"), ("Enable", "true")];
    set_row(&router, &out, &way_out);
    let made = |section: &Section| section.header.starts_with("zone cwmp_");
    let zone = sections(&router).into_iter().find(made).unwrap();
    let name = zone.header.split_once(' ').unwrap().1.to_owned();
    assert!(zone.has(&format!("name={name}")), "{:?}", zone.options);
    // fw4 takes its policies from `defaults`, as they were for the interface before.
    assert_eq!(zone.options.len(), 2, "{:?}", zone.options);
    let rule = find(&router, &format!("src={name}"));
    assert!(rule.has("dest=wan") && rule.has("target=ACCEPT") && rule.has("enabled=1"), "{:?}", rule.options);
    check(&router, &out, &[("Status", "Enabled")]);
    set_row(
        &router,
        &dhcp,
        &[
            ("SourceInterface", &guest),
            ("Protocol", "17"),
            ("DestPort", "67"),
            ("Target", "Accept"),
            ("Enable", "true"),
        ],
    );
    assert_eq!(sections(&router).into_iter().filter(made).count(), 1);
    router.restart();
    let written = router.files();
    set_row(&router, &out, &way_out);
    assert_eq!(router.files(), written);
    // The zone goes with the last rule that names it.
    set_row(&router, &out, &[("SourceInterface", LAN)]);
    assert!(sections(&router).iter().any(made));
    router.delete(&dhcp).unwrap();
    assert!(!sections(&router).iter().any(made));
    router.delete(&out).unwrap();
    assert_eq!(router.root.read("/etc/config/firewall"), before);
}

/// What a person has added to a zone that was made for a rule does not go with the rule.
#[test]
fn a_zone_of_a_rule_with_another_network_stays() {
    let router = Router::new();
    let guest = format!("Device.IP.Interface.{}", router.add("Device.IP.Interface.").unwrap());
    let rule = format!("Device.Firewall.Chain.1.Rule.{}.", router.add("Device.Firewall.Chain.1.Rule.").unwrap());
    set_row(&router, &rule, &[("SourceInterface", guest.as_str())]);
    let firewall = router.root.read("/etc/config/firewall");
    let network = firewall.lines().find(|line| line.contains("list network 'cwmp_")).unwrap();
    let more = firewall.replace(network, &format!("{network}\n\tlist network 'iot'"));
    router.root.write("/etc/config/firewall", more);
    router.restart();
    router.delete(&rule).unwrap();
    assert!(router.root.read("/etc/config/firewall").contains("list network 'iot'"));
}

/// A port with any protocol would be ignored by fw4, and everything let through.
#[test]
fn a_port_never_opens_more_than_its_protocols() {
    let router = Router::new();
    let row = format!("Device.Firewall.Chain.1.Rule.{}.", router.add("Device.Firewall.Chain.1.Rule.").unwrap());
    set_row(&router, &row, &[("Description", "P"), ("Target", "Accept"), ("SourceInterface", WAN), ("DestPort", "22")]);
    assert!(find(&router, "name=P").has("proto=tcp udp"));
    check(&router, &row, &[("Protocol", "-1")]);
    refuse(&router, &row, &[("Protocol", "47")], "Protocol");
    set_row(&router, &row, &[("Protocol", "17")]);
    // fw4 would let in the very protocol that is excluded.
    refuse(&router, &row, &[("ProtocolExclude", "true")], "ProtocolExclude");
    refuse(&router, &row, &[("DestPort", "-1"), ("ProtocolExclude", "true")], "ProtocolExclude");
    refuse(&router, &row, &[("DestPortRangeMax", "21")], "DestPortRangeMax");
    set_row(&router, &row, &[("DestPort", "-1"), ("Protocol", "47")]);
    assert!(find(&router, "name=P").has("proto=47"));
    set_row(&router, &row, &[("Protocol", "-1")]);
    assert!(find(&router, "name=P").has("proto=all"));
    refuse(&router, &row, &[("SourceIP", "2001:db8::1"), ("DestIP", "192.0.2.1")], "DestIP");
    refuse(&router, &row, &[("SourceIP", "192.0.2.1"), ("SourceMask", "/33")], "SourceIP");
    refuse(&router, &row, &[("SourceIPExclude", "true")], "SourceIPExclude");
    refuse(&router, &row, &[("IPVersion", "5")], "IPVersion");
    refuse(&router, &row, &[("Target", "Return")], "Target");
    refuse(&router, &row, &[("SourceInterface", "Device.WiFi.SSID.1")], "SourceInterface");
}

/// DATAMODEL rule 3: the sections themselves are in the order of the rules.
#[test]
fn order_moves_the_sections_and_what_is_around_them_stays() {
    let router = Router::new();
    let row = format!("Device.Firewall.Chain.1.Rule.{}.", router.add("Device.Firewall.Chain.1.Rule.").unwrap());
    set_row(&router, &row, &[("Description", "First")]);
    set_row(&router, &row, &[("Order", "2")]);
    let expected = ["Allow-DHCP-Renew", "First", "Allow-Ping", "Allow-ICMPv6-Input", "Guest-DNS", "Guest-DHCP"];
    assert_eq!(names(&router, "rule"), expected);
    check(&router, "Device.Firewall.Chain.1.Rule.2.", &[("Order", "3"), ("Description", "Allow-Ping")]);
    router.set(&[(&format!("{row}Order"), "99")]).unwrap();
    assert_eq!(names(&router, "rule").last().unwrap(), "First");
    check(&router, &row, &[("Order", "6")]);
    let text = router.root.read("/etc/config/firewall");
    assert!(text.contains("# Allow IPv4 ping\nconfig rule"), "a comment stays with its section");
    router.restart();
    check(&router, &row, &[("Order", "6"), ("Description", "First")]);
}

/// A rule is deleted when its ExpiryDate has come; so are pinholes and the DMZ with their leases.
#[test]
fn what_has_an_end_goes_when_it_has_come() {
    let router = Router::new();
    let rule = format!("Device.Firewall.Chain.1.Rule.{}.", router.add("Device.Firewall.Chain.1.Rule.").unwrap());
    set_row(&router, &rule, &[("ExpiryDate", "2040-01-01T00:00:00Z")]);
    router.add("Device.Firewall.Pinhole.").unwrap();
    router.add("Device.Firewall.DMZ.").unwrap();
    set(&router, &[("Device.Firewall.Pinhole.1.LeaseDuration", "3600"), ("Device.Firewall.DMZ.1.LeaseDuration", "60")]);
    let left: u32 = router.get("Device.Firewall.Pinhole.1.RemainingLeaseTime").parse().unwrap();
    assert!((3500..=3600).contains(&left), "{left}");
    let at = |when: SystemTime| {
        let model = router.model.lock().unwrap();
        upkeep::expired(&mut model.context(), when).unwrap()
    };
    let now = SystemTime::now();
    assert_eq!(at(now).0, Vec::<String>::new());
    assert!(at(now).1.unwrap().duration_since(now).unwrap() <= Duration::from_secs(60));
    assert_eq!(at(now + Duration::from_secs(61)).0, ["Device.Firewall.DMZ.1."]);
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(2_208_988_800);
    let mut over = at(far).0;
    over.sort();
    assert_eq!(over, [rule.as_str(), "Device.Firewall.DMZ.1.", "Device.Firewall.Pinhole.1."]);
    set(&router, &[("Device.Firewall.Pinhole.1.LeaseDuration", "0")]);
    check(&router, "Device.Firewall.Pinhole.1.", &[("RemainingLeaseTime", "0")]);
}

/// The host of the DMZ gets what nobody else wants, and connection requests are not among that.
#[test]
fn the_dmz_comes_last_and_leaves_connection_requests_to_the_agent() {
    let router = Router::new();
    router.add("Device.Firewall.DMZ.").unwrap();
    let row = "Device.Firewall.DMZ.1.";
    check(&router, row, &[("Enable", "false"), ("Status", "Disabled"), ("Origin", "Controller"), ("Interface", "")]);
    set_row(&router, row, &[("Enable", "true"), ("Description", "Dmz")]);
    check(&router, row, &[("Status", "Error_Misconfigured")]);
    assert!(find(&router, "name=Dmz").has("enabled=0"), "fw4 would take it for a redirect to the router");
    set_row(&router, row, &[("DestIP", "192.168.1.30")]);
    check(&router, row, &[("Status", "Enabled")]);
    let dmz = find(&router, "name=Dmz");
    assert!(dmz.has("enabled=1") && dmz.has("proto=all") && dmz.has("src=wan") && dmz.has("dest=lan"));
    let keep = find(&router, "src_dport=7547");
    assert!(keep.header.ends_with("cwmpd_keep") && keep.has("src=wan") && keep.has("proto=tcp"));
    assert!(!keep.options.iter().any(|option| option.starts_with("dest_ip")));
    // A mapping that comes later goes before it.
    let mapping = format!("Device.NAT.PortMapping.{}.", router.add("Device.NAT.PortMapping.").unwrap());
    set_row(&router, &mapping, &[("Description", "Late")]);
    assert_eq!(names(&router, "redirect"), ["Web server", "Game console", "Late", "Connection requests", "Dmz"]);
    assert_eq!(router.get("Device.NAT.PortMappingNumberOfEntries"), "3");
    refuse(&router, row, &[("DestIP", "224.0.0.1")], "DestIP");
    router.delete(row).unwrap();
    assert_eq!(names(&router, "redirect"), ["Web server", "Game console", "Late"]);
    // So does a mapping of all ports.
    set_row(
        &router,
        &mapping,
        &[("Enable", "true"), ("Interface", WAN), ("InternalClient", "192.168.1.9"), ("Protocol", "TCP")],
    );
    assert_eq!(names(&router, "redirect"), ["Web server", "Game console", "Connection requests", "Late"]);
    set_row(&router, &mapping, &[("Protocol", "UDP")]);
    assert_eq!(names(&router, "redirect"), ["Web server", "Game console", "Late"]);
}

/// CONFORMANCE P-61: a pinhole to a host of IPv6.
#[test]
fn p61_a_pinhole_comes_changes_and_goes() {
    let router = Router::new();
    router.add("Device.Firewall.Pinhole.").unwrap();
    let row = "Device.Firewall.Pinhole.1.";
    check(
        &router,
        row,
        &[
            ("Enable", "false"),
            ("Origin", "Controller"),
            ("Interface", ""),
            ("IPVersion", "6"),
            ("Protocol", "-1"),
            ("DestPort", "-1"),
            ("SourcePort", "-1"),
        ],
    );
    set_row(&router, row, &[("Enable", "true"), ("DestPort", "443"), ("Description", "Nas")]);
    check(&router, row, &[("Status", "Error_Misconfigured"), ("Protocol", "-1")]);
    let hole = find(&router, "name=Nas");
    assert!(hole.has("enabled=0") && hole.has("proto=tcp udp") && hole.has("family=ipv6") && hole.has("target=ACCEPT"));
    set_row(&router, row, &[("DestIP", "2001:db8:64::20"), ("Protocol", "6,17")]);
    check(&router, row, &[("Status", "Enabled")]);
    assert!(find(&router, "name=Nas").has("dest=lan"));
    refuse(&router, row, &[("DestIP", "192.168.1.9")], "DestIP");
    refuse(&router, row, &[("Protocol", "-1,6")], "Protocol");
    refuse(&router, row, &[("Protocol", "50")], "Protocol");
    set_row(&router, row, &[("DestIP", "192.168.3.9"), ("IPVersion", "4")]);
    assert!(find(&router, "name=Nas").has("dest=guest"));
    assert_eq!(router.get("Device.Firewall.Chain.1.RuleNumberOfEntries"), "5", "it is no rule of a chain");
    set_row(&router, row, &[("DestIP", "")]);
    check(&router, row, &[("Enable", "true"), ("Status", "Error_Misconfigured")]);
    assert!(find(&router, "name=Nas").has("enabled=0"), "a hole to everybody");
    router.restart();
    router.delete(row).unwrap();
    assert!(sections(&router).iter().all(|section| !section.has("name=Nas")));
}

/// What LuCI would never write does no harm.
#[test]
fn odd_configurations_are_shown_as_far_as_they_can_be() {
    let router = Router::new();
    router.root.write(
        "/etc/config/firewall",
        "config zone\n\toption name 'wan'\n\toption log 'yes'\n\nconfig rule\n\toption target 'accept'\n\toption src 'nowhere'\n\
         \toption proto '!tcp'\n\toption dest_port 'http'\n\toption src_ip 'wan'\n\toption dscp 'XX'\n\toption src_mac 'x'\n\n\
         config rule\n\toption target 'MARK'\n\nconfig rule\n\nconfig redirect\n\toption proto 'all'\n\toption enabled 'maybe'\n",
    );
    assert_eq!(router.get("Device.Firewall.Chain.1.RuleNumberOfEntries"), "1");
    check(
        &router,
        "Device.Firewall.Chain.1.Rule.1.",
        &[
            ("SourceInterface", ""),
            ("Protocol", "6"),
            ("ProtocolExclude", "false"),
            ("DestPort", "-1"),
            ("SourceIP", ""),
            ("DSCP", "-1"),
            ("SourceMAC", ""),
        ],
    );
    assert_eq!(router.get("Device.Firewall.DMZ.1.Status"), "Error_Misconfigured");
    assert_eq!(router.get(CONFIG), "Low");
    router.root.remove("/etc/config/firewall");
    assert_eq!(router.get("Device.Firewall.Enable"), "true");
    assert_eq!(router.get("Device.Firewall.LastChange"), "0001-01-01T00:00:00Z");
    set(&router, &[(CONFIG, "Advanced")]);
    assert!(router.values("Device.Firewall.").len() > 10);
}

/// CONFORMANCE P-67: a schedule is written into what refers to it, which counts at all times when the schedule has gone.
#[test]
fn p67_schedules_say_when_a_mapping_and_a_pinhole_count() {
    let router = Router::new();
    assert_eq!(router.add("Device.Schedules.Schedule.").unwrap(), 1);
    let row = "Device.Schedules.Schedule.1.";
    check(
        &router,
        row,
        &[
            ("Enable", "false"),
            ("Status", "Inactive"),
            ("Day", ""),
            ("StartTime", ""),
            ("Duration", "86400"),
            ("TimeLeft", "0"),
        ],
    );
    set(&router, &[("Device.NAT.PortMapping.1.ScheduleRef", "Device.Schedules.Schedule.1")]);
    check(&router, "Device.NAT.PortMapping.1.", &[("Enable", "true"), ("Status", "Disabled")]);
    assert!(find(&router, "name=Web server").has("enabled=0"), "its schedule is not enabled");
    set_row(
        &router,
        row,
        &[("Enable", "true"), ("StartTime", "08:00"), ("Duration", "3600"), ("Day", "Saturday,Sunday")],
    );
    let mapping = find(&router, "name=Web server");
    assert!(mapping.has("enabled=1") && mapping.has("weekdays=Sat Sun"));
    assert!(mapping.has("start_time=08:00:00") && mapping.has("stop_time=09:00:00"));
    refuse(&router, row, &[("Duration", "72000")], "Duration");
    set_row(&router, row, &[("Day", "")]);
    set_row(&router, row, &[("Duration", "72000")]);
    let mapping = find(&router, "name=Web server");
    assert!(mapping.has("stop_time=04:00:00") && !mapping.options.iter().any(|option| option.starts_with("weekdays")));
    set_row(&router, row, &[("StartTime", "00:00"), ("Duration", "86400")]);
    check(&router, row, &[("Status", "Active")]);
    router.add("Device.Firewall.Pinhole.").unwrap();
    set(&router, &[("Device.Firewall.Pinhole.1.ScheduleRef", "Device.Schedules.Schedule.1")]);
    set(&router, &[("Device.Schedules.Enable", "false")]);
    check(&router, row, &[("Status", "StackDisabled")]);
    check(&router, "Device.NAT.PortMapping.1.", &[("Status", "Disabled")]);
    router.restart();
    router.delete(row).unwrap();
    check(&router, "Device.NAT.PortMapping.1.", &[("ScheduleRef", ""), ("Enable", "true"), ("Status", "Enabled")]);
    check(&router, "Device.Firewall.Pinhole.1.", &[("ScheduleRef", "")]);
    assert!(sections(&router).iter().all(|section| !section.options.iter().any(|option| option.contains("_time="))));
}

/// nft has no way to put a quotation mark into a comment, and refuses all rules for one that tries.
#[test]
fn a_description_with_quotation_marks_has_none_where_fw4_sees_it() {
    let router = Router::new();
    let rule = format!("Device.Firewall.Chain.1.Rule.{}.", router.add("Device.Firewall.Chain.1.Rule.").unwrap());
    for row in [rule.as_str(), "Device.NAT.PortMapping.1."] {
        set_row(&router, row, &[("Description", "24\" TV \\o")]);
    }
    let text = router.root.read("/etc/config/firewall");
    assert_eq!(text.matches("24'\\'' TV /o").count(), 2, "{text}");
    router.restart();
    check(&router, &rule, &[("Description", "24\" TV \\o")]);
}

/// nft refuses all rules for one with a comment of more than 128 bytes.
#[test]
fn a_long_description_is_cut_off_where_fw4_sees_it() {
    let router = Router::new();
    let rule = format!("Device.Firewall.Chain.1.Rule.{}.", router.add("Device.Firewall.Chain.1.Rule.").unwrap());
    let long = "Ünï".repeat(85);
    for row in [rule.as_str(), "Device.NAT.PortMapping.1."] {
        set_row(&router, row, &[("Description", &long)]);
    }
    let written = sections(&router).into_iter().flat_map(|section| section.options);
    let names: Vec<String> = written.filter_map(|option| option.strip_prefix("name=").map(String::from)).collect();
    assert!(names.iter().all(|name| name.len() <= 100), "{names:#?}");
    assert_eq!(names.iter().filter(|name| long.starts_with(name.as_str())).count(), 2);
    router.restart();
    check(&router, &rule, &[("Description", &long)]);
    let short: String = long.chars().take(5).collect();
    set_row(&router, &rule, &[("Description", &short)]);
    assert!(find(&router, &format!("name={short}")).has("target=DROP"));
}
