//! Routes, servers of names, and neighbour discovery on the sample router.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use cwmpd::error::FaultCode;
use cwmpd::model::context::Facts;
use model::Router;

const LAN: &str = "Device.IP.Interface.2";
const WAN: &str = "Device.IP.Interface.3";
const FOUR: &str = "Device.Routing.Router.1.IPv4Forwarding.";
const SIX: &str = "Device.Routing.Router.1.IPv6Forwarding.";

/// Default over the provider, our part of the delegated prefix, the rest of it, and what every link has.
const IPV6_ROUTES: &str = "\
00000000000000000000000000000000 00 20010db8006400000000000000000000 40 fe8000000000000002005efffe0053f1 00000200 00000001 00000000 00000003      wan
20010db8120000000000000000000000 3c 00000000000000000000000000000000 00 00000000000000000000000000000000 00000400 00000002 00000000 00000001   br-lan
20010db8120000000000000000000000 38 00000000000000000000000000000000 00 00000000000000000000000000000000 7fffffff 00000001 00000000 00200200       lo
20010db8006400000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00040001      wan
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001   br-lan
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo
ff000000000000000000000000000000 08 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000003 00000000 00000001   br-lan
rubbish
";

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

fn refuse(router: &Router, row: &str, values: &[(&str, &str)], blamed: &str, code: u16) {
    let values: Vec<(String, &str)> = values.iter().map(|(name, value)| (format!("{row}{name}"), *value)).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(router.refused(&values), [(format!("{row}{blamed}"), FaultCode(code))], "{values:?}");
}

/// The rows of a table where a parameter has a value.
fn rows_with(router: &Router, table: &str, name: &str, value: &str) -> Vec<String> {
    let found = router.values(table).into_iter().filter(|(_, found)| found == value);
    found.filter_map(|(known, _)| known.strip_suffix(name).map(String::from)).collect()
}

/// Whether /etc/config/network has a line, whatever its indent.
fn has_line(router: &Router, line: &str) -> bool {
    router.root.read("/etc/config/network").lines().any(|known| known.trim() == line)
}

#[test]
fn static_routes_and_those_of_the_kernel_are_rows() {
    let router = Router::new();
    assert_eq!(router.get("Device.Routing.RouterNumberOfEntries"), "1");
    // The static route is the kernel's too, and is there once.
    check(
        &router,
        &format!("{FOUR}1."),
        &[
            ("Enable", "true"),
            ("Status", "Enabled"),
            ("StaticRoute", "true"),
            ("DestIPAddress", "10.20.0.0"),
            ("DestSubnetMask", "255.255.0.0"),
            ("GatewayIPAddress", "192.168.1.2"),
            ("Interface", LAN),
            ("ForwardingMetric", "10"),
            ("Origin", "Static"),
            ("Type", "Normal"),
        ],
    );
    assert_eq!(rows_with(&router, FOUR, "DestIPAddress", "10.20.0.0").len(), 1);
    let default = &rows_with(&router, FOUR, "GatewayIPAddress", "198.51.100.1")[0];
    check(
        &router,
        default,
        &[
            ("StaticRoute", "false"),
            ("DestIPAddress", ""),
            ("DestSubnetMask", ""),
            ("Interface", WAN),
            ("Origin", "DHCPv4"),
            ("Status", "Enabled"),
        ],
    );
    assert_eq!(router.get("Device.Routing.Router.1.IPv4ForwardingNumberOfEntries"), "5");
    refuse(&router, default, &[("GatewayIPAddress", "192.0.2.1")], "GatewayIPAddress", 9008);
    assert_eq!(router.delete(default).unwrap_err().code, FaultCode(9005));
    // A route whose interface has no such network (any more) is not in effect.
    router.root.remove("/proc/net/route");
    assert_eq!(router.get("Device.Routing.Router.1.IPv4ForwardingNumberOfEntries"), "1");
    assert_eq!(router.get(&format!("{FOUR}1.Status")), "Enabled");
    router.root.write("/proc/net/route", "Iface Destination\nrubbish\nwan zz 0 0 0 0 0 0\n");
    assert_eq!(router.get("Device.Routing.Router.1.IPv4ForwardingNumberOfEntries"), "1");
    assert_eq!(router.get(&format!("{FOUR}1.Status")), "Disabled");
}

/// CONFORMANCE P-61, P-62
#[test]
fn p61_a_route_is_added_filled_and_deleted() {
    let router = Router::new();
    router.values(FOUR);
    let number = router.add(FOUR).unwrap();
    let row = format!("{FOUR}{number}.");
    check(
        &router,
        &row,
        &[
            ("Enable", "false"),
            ("Status", "Disabled"),
            ("StaticRoute", "true"),
            ("DestIPAddress", ""),
            ("DestSubnetMask", ""),
            ("GatewayIPAddress", ""),
            ("Interface", ""),
            ("ForwardingMetric", "-1"),
        ],
    );
    // The interface is the one that the router is on.
    set_row(
        &router,
        &row,
        &[
            ("Enable", "true"),
            ("DestIPAddress", "10.99.0.0"),
            ("DestSubnetMask", "255.255.0.0"),
            ("GatewayIPAddress", "192.168.3.9"),
        ],
    );
    check(&router, &row, &[("Interface", "Device.IP.Interface.5"), ("Status", "Disabled")]);
    assert!(has_line(&router, "option target '10.99.0.0/16'") && has_line(&router, "option interface 'guest'"));
    router.root.append("/proc/net/route", "br-guest\t0000630A\t0903A8C0\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0\n");
    check(&router, &row, &[("Status", "Enabled")]);
    router.restart();
    check(&router, &row, &[("DestIPAddress", "10.99.0.0")]);
    // The default route, in both of its forms.
    set_row(&router, &row, &[("DestIPAddress", ""), ("DestSubnetMask", "")]);
    check(&router, &row, &[("DestIPAddress", ""), ("DestSubnetMask", "")]);
    assert!(has_line(&router, "option target '0.0.0.0/0'"));
    set_row(&router, &row, &[("DestIPAddress", "0.0.0.0"), ("DestSubnetMask", "0.0.0.0")]);
    check(&router, &row, &[("DestIPAddress", "0.0.0.0"), ("DestSubnetMask", "0.0.0.0")]);
    // CONFORMANCE P-02: judged by the end state.
    refuse(&router, &row, &[("DestIPAddress", "10.99.0.1"), ("DestSubnetMask", "255.255.0.0")], "DestIPAddress", 9007);
    refuse(&router, &row, &[("DestIPAddress", "10.99.0.0"), ("DestSubnetMask", "")], "DestSubnetMask", 9007);
    refuse(&router, &row, &[("DestSubnetMask", "255.0.255.0")], "DestSubnetMask", 9007);
    refuse(&router, &row, &[("GatewayIPAddress", "224.0.0.1")], "GatewayIPAddress", 9007);
    refuse(&router, &row, &[("ForwardingPolicy", "3")], "ForwardingPolicy", 9007);
    router.delete(&row).unwrap();
    assert!(!has_line(&router, "option gateway '192.168.3.9'"));
    assert!(router.add(FOUR).unwrap() > number);
}

/// CONFORMANCE P-65: two enabled routes are not the same.
#[test]
fn p65_enabled_routes_differ() {
    let router = Router::new();
    let row = format!("{FOUR}{}.", router.add(FOUR).unwrap());
    let same = [
        ("Enable", "true"),
        ("DestIPAddress", "10.20.0.0"),
        ("DestSubnetMask", "255.255.0.0"),
        ("GatewayIPAddress", "192.168.1.2"),
        ("Interface", LAN),
        ("ForwardingMetric", "10"),
    ];
    let values: Vec<(String, &str)> = same.iter().map(|(name, value)| (format!("{row}{name}"), *value)).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(router.refused(&values).len(), 1);
    set_row(&router, &row, &[same[1], same[2], same[3], same[4], same[5]]);
    refuse(&router, &row, &[("Enable", "true")], "Enable", 9007);
}

#[test]
fn routes_that_a_person_has_written_oddly_are_read_as_netifd_does() {
    let router = Router::new();
    router.root.append(
        "/etc/config/network",
        "\nconfig route\n\toption target '192.0.2.7'\n\toption interface 'nowhere'\n\
         \nconfig route\n\toption target '10.1.0.0'\n\toption netmask '16'\n\toption gateway 'there'\n\
         \nconfig route\n\toption target 'rubbish'\n\toption netmask '300'\n\toption metric 'many'\n\toption type 'odd'\n",
    );
    let row = |number: u32| format!("{FOUR}{number}.");
    check(
        &router,
        &row(2),
        &[("DestSubnetMask", "255.255.255.255"), ("Interface", ""), ("Status", "Error_Misconfigured")],
    );
    check(&router, &row(3), &[("DestSubnetMask", "255.255.0.0"), ("GatewayIPAddress", "")]);
    check(&router, &row(4), &[("DestIPAddress", ""), ("ForwardingMetric", "-1"), ("Type", "Normal")]);
}

#[test]
fn routes_of_ipv6_have_their_origins() {
    let router = Router::new();
    assert_eq!(router.get("Device.Routing.Router.1.IPv6ForwardingNumberOfEntries"), "0");
    router.root.write("/proc/net/ipv6_route", IPV6_ROUTES);
    assert_eq!(router.get("Device.Routing.Router.1.IPv6ForwardingNumberOfEntries"), "4");
    let default = &rows_with(&router, SIX, "DestIPPrefix", "::/0")[0];
    check(
        &router,
        default,
        &[
            ("NextHop", "fe80::200:5eff:fe00:53f1"),
            ("Interface", "Device.IP.Interface.4"),
            ("Origin", "RA"),
            ("ForwardingMetric", "512"),
            ("Status", "Enabled"),
        ],
    );
    // CONFORMANCE J-02
    assert!(router.get(&format!("{default}ExpirationTime")).starts_with("20"));
    let delegated = &rows_with(&router, SIX, "DestIPPrefix", "2001:db8:1200::/56")[0];
    check(
        &router,
        delegated,
        &[("Origin", "DHCPv6"), ("Type", "Unreachable"), ("ExpirationTime", "9999-12-31T23:59:59Z")],
    );
    check(&router, &rows_with(&router, SIX, "DestIPPrefix", "2001:db8:64::/64")[0], &[("Origin", "RA")]);
    check(&router, &rows_with(&router, SIX, "DestIPPrefix", "2001:db8:1200::/60")[0], &[("Interface", LAN)]);
    let number = router.add(SIX).unwrap();
    let row = format!("{SIX}{number}.");
    check(&router, &row, &[("DestIPPrefix", ""), ("NextHop", ""), ("ExpirationTime", "9999-12-31T23:59:59Z")]);
    set_row(
        &router,
        &row,
        &[("DestIPPrefix", "2001:DB8:F00::/48"), ("NextHop", "2001:db8:1200::7"), ("Enable", "true")],
    );
    check(&router, &row, &[("DestIPPrefix", "2001:DB8:F00::/48"), ("Interface", LAN)]);
    set_row(&router, &row, &[("DestIPPrefix", "")]);
    check(&router, &row, &[("DestIPPrefix", "")]);
    refuse(&router, &row, &[("DestIPPrefix", "2001:db8::1/64")], "DestIPPrefix", 9007);
    refuse(&router, &row, &[("DestIPPrefix", "2001:db8::1")], "DestIPPrefix", 9007);
    router.delete(&row).unwrap();
    assert!(!router.root.read("/etc/config/network").contains("route6"));
}

#[test]
fn advertisements_bring_routes() {
    let router = Router::new();
    let row = "Device.Routing.RouteInformation.InterfaceSetting.1.";
    check(
        &router,
        row,
        &[
            ("Status", "ForwardingEntryCreated"),
            ("Interface", "Device.IP.Interface.4"),
            ("SourceRouter", "fe80::200:5eff:fe00:53f1"),
            ("PreferredRouteFlag", "Medium"),
            ("Prefix", "::/0"),
        ],
    );
    assert!(router.get(&format!("{row}RouteLifetime")).starts_with("20"));
    router.set_facts(Facts::default());
    check(&router, row, &[("RouteLifetime", "0001-01-01T00:00:00Z")]);
    router.root.remove_ubus();
    assert_eq!(router.get("Device.Routing.RouteInformation.InterfaceSettingNumberOfEntries"), "0");
}

/// What the router cannot do, it refuses with a reason.
#[test]
fn there_is_one_router_and_no_rip() {
    let router = Router::new();
    assert_eq!(router.add("Device.Routing.Router.").unwrap_err().code, FaultCode(9004));
    assert_eq!(router.delete("Device.Routing.Router.1.").unwrap_err().code, FaultCode(9001));
    assert_eq!(router.add("Device.Routing.RIP.InterfaceSetting.").unwrap_err().code, FaultCode(9001));
    refuse(&router, "Device.Routing.", &[("RIP.Enable", "true")], "RIP.Enable", 9007);
    refuse(&router, "Device.Routing.", &[("Router.1.Enable", "false")], "Router.1.Enable", 9007);
}

const SERVER: &str = "Device.DNS.Client.Server.";
const FORWARDING: &str = "Device.DNS.Relay.Forwarding.";

#[test]
fn servers_of_names_come_from_protocols_and_lists() {
    let router = Router::new();
    router.root.replace(
        "/etc/config/network",
        "option proto 'dhcpv6'",
        "option proto 'dhcpv6'\n\toption dns '9.9.9.9 2620:fe::fe'",
    );
    check(
        &router,
        &format!("{SERVER}1."),
        &[("Enable", "true"), ("DNSServer", "9.9.9.9"), ("Interface", "Device.IP.Interface.4"), ("Type", "Static")],
    );
    let dynamic = &rows_with(&router, SERVER, "DNSServer", "198.51.100.53")[0];
    check(&router, dynamic, &[("Type", "DHCPv4"), ("Interface", WAN), ("Status", "Enabled")]);
    check(&router, &rows_with(&router, SERVER, "DNSServer", "2001:db8:64::53")[0], &[("Type", "DHCPv6")]);
    refuse(&router, dynamic, &[("Enable", "false")], "Enable", 9008);
    assert_eq!(router.delete(dynamic).unwrap_err().code, FaultCode(9005));
    // CONFORMANCE P-61: a server waits until it is complete, and goes to the interface towards the ACS where it names none.
    let row = format!("{SERVER}{}.", router.add(SERVER).unwrap());
    check(&router, &row, &[("Enable", "false"), ("DNSServer", ""), ("Interface", ""), ("Status", "Disabled")]);
    set_row(&router, &row, &[("Enable", "true")]);
    assert!(!router.root.read("/etc/config/network").contains("149.112.112.112"));
    set_row(&router, &row, &[("DNSServer", "149.112.112.112")]);
    check(&router, &row, &[("Interface", ""), ("Status", "Disabled")]);
    assert!(has_line(&router, "list dns '149.112.112.112'"));
    refuse(&router, &row, &[("DNSServer", "9.9.9.9")], "DNSServer", 9007);
    refuse(&router, &row, &[("DNSServer", "0.0.0.0")], "DNSServer", 9007);
    router.restart();
    check(&router, &row, &[("DNSServer", "149.112.112.112"), ("Interface", "")]);
    router.delete(&row).unwrap();
    assert!(!router.root.read("/etc/config/network").contains("149.112.112.112"));
    router.delete(&format!("{SERVER}1.")).unwrap();
    let text = router.root.read("/etc/config/network");
    assert!(!text.contains("9.9.9.9") && text.contains("2620:fe::fe"), "{text}");
    refuse(&router, "Device.DNS.Client.", &[("Enable", "false")], "Enable", 9007);
}

#[test]
fn the_relay_asks_its_own_servers_and_those_of_the_interfaces() {
    let router = Router::new();
    router.root.replace(
        "/etc/config/dhcp",
        "option filter_a '0'",
        "option filter_a '0'\n\tlist server '/corp.example/10.0.0.1'\n\tlist server '9.9.9.9#5353'\n\tlist server '1.1.1.1@wan'",
    );
    check(&router, "Device.DNS.Relay.", &[("Enable", "true"), ("Status", "Enabled")]);
    check(&router, &format!("{FORWARDING}1."), &[("DNSServer", "9.9.9.9"), ("Interface", ""), ("Type", "Static")]);
    check(&router, &format!("{FORWARDING}2."), &[("DNSServer", "1.1.1.1"), ("Interface", WAN), ("Status", "Enabled")]);
    assert_eq!(rows_with(&router, FORWARDING, "Type", "DHCPv4").len(), 2);
    let number = router.add(FORWARDING).unwrap();
    set_row(&router, &format!("{FORWARDING}{number}."), &[("DNSServer", "8.8.8.8"), ("Enable", "true")]);
    set_row(&router, &format!("{FORWARDING}1."), &[("Enable", "false")]);
    let text = router.root.read("/etc/config/dhcp");
    for (server, there) in
        [("/corp.example/10.0.0.1", true), ("9.9.9.9#5353", false), ("1.1.1.1@wan", true), ("8.8.8.8", true)]
    {
        assert_eq!(text.contains(&format!("list server '{server}'")), there, "{server}: {text}");
    }
    // What is switched off keeps its port.
    set_row(&router, &format!("{FORWARDING}1."), &[("Enable", "true"), ("DNSServer", "9.9.9.9")]);
    assert!(router.root.read("/etc/config/dhcp").contains("list server '9.9.9.9#5353'"));
    router.root.replace("/etc/config/dhcp", "option filter_a '0'", "option filter_a '0'\n\toption noresolv '1'");
    assert_eq!(rows_with(&router, FORWARDING, "Type", "DHCPv4").len(), 0);
    set_row(&router, "Device.DNS.Relay.", &[("Enable", "false")]);
    check(&router, "Device.DNS.Relay.", &[("Status", "Disabled")]);
    check(&router, &format!("{FORWARDING}2."), &[("Status", "Disabled")]);
}

/// dnsmasq's init script has the router ask dnsmasq, be it on port 0, unless `localuse` says no: nobody would find the ACS.
#[test]
fn without_the_relay_the_router_asks_the_servers_of_netifd() {
    let router = Router::new();
    router.root.write("/tmp/resolv.conf", "search lan\nnameserver 127.0.0.1\nnameserver ::1\n");
    let has = |line: &str| router.root.read("/etc/config/dhcp").contains(line);
    let written = router.set(&[("Device.DNS.Relay.Enable", "false")]).unwrap();
    assert!(has("option port '0'") && has("option localuse '0'"));
    let link = ["/bin/ln", "-sf", "/tmp/resolv.conf.d/resolv.conf.auto", "/tmp/resolv.conf"].map(String::from);
    assert!(written.effects.programs.contains(link.as_slice()), "{:?}", written.effects);
    let written = router.set(&[("Device.DNS.Relay.Enable", "true")]).unwrap();
    assert!(!has("option port '0'") && !has("option localuse"));
    assert!(!written.effects.programs.contains(link.as_slice()));
}

#[test]
fn neighbour_discovery_is_the_kernels_and_its_wishes_are_repeated() {
    let router = Router::new();
    let settings = "Device.NeighborDiscovery.InterfaceSetting.";
    // One for each device: br-lan, wan and br-guest.
    assert_eq!(router.get("Device.NeighborDiscovery.InterfaceSettingNumberOfEntries"), "3");
    check(
        &router,
        &format!("{settings}2."),
        &[
            ("Interface", "Device.IP.Interface.4"),
            ("Status", "Enabled"),
            ("DADTransmits", "1"),
            ("RetransTimer", "1000"),
            ("RtrSolicitationInterval", "4000"),
            ("MaxRtrSolicitations", "3"),
            ("NUDEnable", "true"),
            ("RSEnable", "true"),
        ],
    );
    router.root.write("/proc/sys/net/ipv6/neigh/br-lan/retrans_time_ms", "1500\n");
    router.root.write("/proc/sys/net/ipv6/conf/br-lan/router_solicitations", "-1\n");
    router.root.write("/proc/sys/net/ipv6/conf/br-lan/router_solicitation_interval", "rubbish\n");
    let row = format!("{settings}1.");
    check(
        &router,
        &row,
        &[("RetransTimer", "1500"), ("MaxRtrSolicitations", "1000"), ("RtrSolicitationInterval", "4000")],
    );
    let name = format!("{row}RetransTimer");
    let written = router.set(&[(&name, "2000")]).unwrap();
    let argv = ["/sbin/sysctl", "-w", "net/ipv6/neigh/br-lan/retrans_time_ms=2000"].map(String::from).to_vec();
    assert!(written.effects.programs.contains(&argv), "{:?}", written.effects);
    let wanted = |router: &Router| {
        cwmpd::device::upkeep::programs(&mut router.model.lock().unwrap().context()).into_iter().any(|it| it == argv)
    };
    router.restart();
    assert!(wanted(&router), "the kernel has 1500 still");
    router.root.write("/proc/sys/net/ipv6/neigh/br-lan/retrans_time_ms", "2000\n");
    assert!(!wanted(&router));
    let name = format!("{row}RSEnable");
    let written = router.set(&[(&name, "false")]).unwrap();
    let argv = ["/sbin/sysctl", "-w", "net/ipv6/conf/br-lan/router_solicitations=0"].map(String::from).to_vec();
    assert!(written.effects.programs.contains(&argv), "{:?}", written.effects);
    check(&router, &row, &[("RSEnable", "false")]);
    refuse(&router, &row, &[("RtrSolicitationInterval", "4500")], "RtrSolicitationInterval", 9007);
    refuse(&router, &row, &[("NUDEnable", "false")], "NUDEnable", 9007);
    refuse(&router, &row, &[("Interface", WAN)], "Interface", 9007);
    assert_eq!(router.add(settings).unwrap_err().code, FaultCode(9001));
    assert_eq!(router.delete(&row).unwrap_err().code, FaultCode(9001));
}
