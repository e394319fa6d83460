//! Tests of the network: asked for by an ACS (CONFORMANCE G-10 to G-14) and at the command line, against what Debian's own tools find out on the
//! same path. The router, two others behind it and a server are network namespaces.
#![cfg(feature = "diagnostics")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::Instant;

use common::acs::{Acs, Session, set_values, wait_for};
use common::agent::{Agent, Ran, again, begin};
use common::netns::Netns;
use common::peers::{Peer, installed};
use serde_json::Value as Json;

const PING: &str = "Device.IP.Diagnostics.IPPing.";
const TRACE: &str = "Device.IP.Diagnostics.TraceRoute.";
const LOOKUP: &str = "Device.DNS.Diagnostics.NSLookupDiagnostics.";
const SELF_TEST: &str = "Device.SelfTestDiagnostics.";
const COMPLETE: &str = "8 DIAGNOSTICS COMPLETE";

/// The first router on the way, the second, and the server; by both versions of IP.
const HOPS: [&str; 3] = ["198.51.100.1", "192.0.2.2", "203.0.113.2"];
const HOPS6: [&str; 3] = ["2001:db8:1::1", "2001:db8:2::2", "2001:db8:3::2"];
const SERVER: &str = HOPS[2];
/// The addresses of the router itself.
const OWN: &str = "198.51.100.2";
const OWN6: &str = "2001:db8:1::2";
/// Packets to it vanish at the second router.
const SILENCE: &str = "203.0.113.99";
/// The first router says that there is no way to it.
const NOWHERE: &str = "203.0.113.98";

/// `router` --wan-- `first` --- `second` --- `server`, with another link between the first two.
struct World {
    router: Netns,
    first: Netns,
    second: Netns,
    server: Netns,
}

impl World {
    fn new() -> Option<Self> {
        let world = Self { router: Netns::new()?, first: Netns::new()?, second: Netns::new()?, server: Netns::new()? };
        let Self { router, first, second, server } = &world;
        for place in [router, first, second, server] {
            // An address can be used at once.
            sysctl(place, &[("ipv6/conf/default/accept_dad", "0"), ("ipv6/conf/default/dad_transmits", "0")]);
        }
        router.connect("wan", first, "cpe");
        router.connect("wan2", first, "cpe2");
        first.connect("far", second, "near");
        second.connect("far", server, "net");
        for (place, device, four, six) in [
            (router, "wan", "198.51.100.2/24", "2001:db8:1::2/64"),
            (first, "cpe", "198.51.100.1/24", "2001:db8:1::1/64"),
            (router, "wan2", "198.51.101.2/24", "2001:db8:11::2/64"),
            (first, "cpe2", "198.51.101.1/24", "2001:db8:11::1/64"),
            (first, "far", "192.0.2.1/24", "2001:db8:2::1/64"),
            (second, "near", "192.0.2.2/24", "2001:db8:2::2/64"),
            (second, "far", "203.0.113.1/24", "2001:db8:3::1/64"),
            (server, "net", "203.0.113.2/24", "2001:db8:3::2/64"),
        ] {
            place.ip(&format!("address add {four} dev {device}"));
            place.ip(&format!("-6 address add {six} dev {device} nodad"));
        }
        for (place, route) in [
            (router, "route add default via 198.51.100.1 metric 1"),
            (router, "route add default via 198.51.101.1 metric 2"),
            (router, "-6 route add default via 2001:db8:1::1"),
            (first, "route add 203.0.113.0/24 via 192.0.2.2"),
            (first, "-6 route add 2001:db8:3::/64 via 2001:db8:2::2"),
            (first, &format!("route add unreachable {NOWHERE}/32")),
            (second, "route add default via 192.0.2.1"),
            (second, "-6 route add default via 2001:db8:2::1"),
            (second, &format!("route add blackhole {SILENCE}/32")),
            (server, "route add default via 203.0.113.1"),
            (server, "-6 route add default via 2001:db8:3::1"),
        ] {
            place.ip(route);
        }
        for place in [first, second, server] {
            sysctl(place, &[("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")]);
            // Every packet gets its answer, however many come.
            sysctl(place, &[("ipv4/icmp_ratemask", "0"), ("ipv6/icmp/ratelimit", "0")]);
        }
        Some(world)
    }

    /// An agent on the router, not started, which has no ACS.
    fn agent(&self) -> Agent {
        Agent::with_url("")
    }

    /// What `cwmpd diagnose` says on the router.
    fn diagnose(&self, agent: &Agent, arguments: &str) -> Ran {
        let words: Vec<&str> = ["diagnose"].into_iter().chain(arguments.split(' ')).collect();
        self.router.enter(|| agent.run(&words))
    }

    /// The same in JSON, when it is to succeed; and the microseconds that it took.
    fn found(&self, agent: &Agent, arguments: &str) -> (Json, u64) {
        let begin = Instant::now();
        let ran = self.diagnose(agent, &format!("--json {arguments}"));
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{arguments}: {}", ran.stdout);
        (serde_json::from_str(&ran.stdout).unwrap(), u64::try_from(begin.elapsed().as_micros()).unwrap())
    }

    /// What it found that ends in an error, and what it said.
    fn missed(&self, agent: &Agent, arguments: &str) -> (Json, String) {
        let ran = self.diagnose(agent, &format!("--json {arguments}"));
        assert_eq!(ran.status, 1, "{arguments}: {}", ran.stdout);
        (serde_json::from_str(&ran.stdout).unwrap_or(Json::Null), ran.stderr)
    }

    /// What one of Debian's tools prints on the router; nothing where it is missing.
    fn tool(&self, line: &str) -> Option<String> {
        self.router.enter(|| tool(line))
    }
}

fn sysctl(place: &Netns, settings: &[(&str, &str)]) {
    place.enter(|| {
        for (file, value) in settings {
            std::fs::write(format!("/proc/sys/net/{file}"), value).unwrap();
        }
    });
}

/// What a tool prints; nothing where it is missing.
fn tool(line: &str) -> Option<String> {
    let mut words = line.split(' ');
    let program = words.next().filter(|program| installed(program))?;
    let output = Command::new(program).args(words).output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

// At the command line, against other tools.

#[test]
fn ping_agrees_with_ping() {
    let Some(world) = World::new() else { return };
    let agent = world.agent();
    for (host, version, own) in [(SERVER, "-4", OWN), (HOPS6[2], "-6", OWN6)] {
        let (found, took) = world.found(&agent, &format!("ping {host} --count 3 --size 100 --timeout 5000 {version}"));
        assert_eq!((&found["SuccessCount"], &found["FailureCount"]), (&3.into(), &0.into()), "{found}");
        assert_eq!(found["IPAddressUsed"], own);
        let time = |name: &str| found[format!("{name}ResponseTimeDetailed")].as_u64().unwrap();
        let (least, mean, most) = (time("Minimum"), time("Average"), time("Maximum"));
        assert!(0 < least && least <= mean && mean <= most && most <= took, "{least} {mean} {most} in {took}");
        assert!(found["MaximumResponseTime"].as_u64().unwrap() >= 1);
        if let Some(printed) = world.tool(&format!("ping -n -c 3 -i 0.2 -s 100 {host}")) {
            assert!(printed.contains("3 packets transmitted, 3 received"), "{printed}");
        }
    }
    // Nobody answers, and a router says so.
    for host in [SILENCE, NOWHERE] {
        let (found, said) = world.missed(&agent, &format!("ping {host} --count 2 --timeout 300"));
        assert_eq!((&found["SuccessCount"], &found["FailureCount"]), (&0.into(), &2.into()), "{found}");
        assert_eq!(found["AverageResponseTimeDetailed"], 0);
        assert_eq!(said, "cwmpd: no answer\n");
        if let Some(printed) = world.tool(&format!("ping -n -c 2 -i 0.2 -W 1 {host}")) {
            assert!(printed.contains("2 packets transmitted, 0 received"), "{printed}");
        }
    }
    // In pieces; and more than IP can carry.
    assert_eq!(
        world.found(&agent, &format!("ping {SERVER} --count 1 --size 20000 --timeout 5000")).0["SuccessCount"],
        1
    );
    let (_, said) = world.missed(&agent, &format!("ping {SERVER} --size 65535"));
    assert!(said.contains("Error_Other"), "{said}");
    let told = world.diagnose(&agent, &format!("ping {SERVER} --count 2 --timeout 5000")).stdout;
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("ping 203.0.113.2 (203.0.113.2)") && lines[1].starts_with("1: "), "{told}");
    assert!(lines.contains(&"SuccessCount=2"), "{told}");
}

#[test]
fn trace_route_agrees_with_traceroute() {
    let Some(world) = World::new() else { return };
    let agent = world.agent();
    for hops in [HOPS, HOPS6] {
        let (found, took) = world.found(&agent, &format!("traceroute {} --tries 3 --timeout 5000", hops[2]));
        let rows = found["RouteHops"].as_array().unwrap();
        let hosts: Vec<&str> = rows.iter().map(|row| row["Host"].as_str().unwrap()).collect();
        assert_eq!(hosts, hops, "{found}");
        for row in rows {
            let times: Vec<u64> =
                row["RTTimes"].as_str().unwrap().split(',').map(|time| time.parse().unwrap()).collect();
            assert!(times.len() == 3 && times.iter().all(|time| *time >= 1 && *time * 1000 <= took), "{row}");
        }
        // Died on the way; nobody listens at the end (RFC 792: code 3, RFC 4443: code 4).
        let codes: Vec<u64> = rows.iter().map(|row| row["ErrorCode"].as_u64().unwrap()).collect();
        assert_eq!(codes, [0, 0, if hops == HOPS { 3 } else { 4 }]);
        assert!(found["ResponseTime"].as_u64().unwrap() >= 1);
        if let Some(printed) = world.tool(&format!("traceroute -n -q 3 {}", hops[2])) {
            let theirs: Vec<&str> = printed.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
            assert_eq!(theirs, hops, "{printed}");
        }
    }
}

#[test]
fn a_way_that_does_not_lead_there() {
    let Some(world) = World::new() else { return };
    let agent = world.agent();
    let (found, said) = world.missed(&agent, &format!("traceroute {SERVER} --max-hops 2 --tries 1"));
    assert_eq!(
        (&found["DiagnosticsState"], said.as_str()),
        (&"Error_MaxHopCountExceeded".into(), "cwmpd: Error_MaxHopCountExceeded\n")
    );
    assert_eq!(found["RouteHops"].as_array().unwrap().len(), 2);
    let (found, _) = world.missed(&agent, &format!("traceroute {SILENCE} --max-hops 3 --tries 2 --timeout 200"));
    assert_eq!(found["DiagnosticsState"], "Error_MaxHopCountExceeded");
    assert_eq!(found["RouteHops"][0]["Host"], HOPS[0]);
    assert_eq!((&found["RouteHops"][2]["Host"], &found["RouteHops"][2]["RTTimes"]), (&"".into(), &"0,0".into()));
    let (found, _) = world.missed(&agent, &format!("traceroute {NOWHERE} --tries 1"));
    assert_eq!(found["DiagnosticsState"], "Error_NoRouteToHost");
    assert_eq!(found["RouteHops"].as_array().unwrap().len(), 1, "{found}");
    // The router itself has no way.
    world.router.ip("route add unreachable 192.0.2.77/32");
    for test in ["ping", "traceroute"] {
        let (_, said) = world.missed(&agent, &format!("{test} 192.0.2.77"));
        assert!(said.contains("Error_NoRouteToHost"), "{said}");
        let (_, said) = world.missed(&agent, &format!("{test} no-such-host.invalid"));
        assert!(said.contains("Error_CannotResolveHostName"), "{said}");
    }
    // Among the states of this test there is none for that.
    let (_, said) = world.missed(&agent, "servers 192.0.2.77");
    assert!(said.contains("Error_Other"), "{said}");
}

/// What the first router sees of packets: as many as are sent, where they come in, and how they are marked.
#[test]
fn interface_and_dscp_are_honoured() {
    let Some(world) = World::new() else { return };
    let rules = "add table inet seen\n\
        add chain inet seen pass { type filter hook prerouting priority 0; }\n\
        add rule inet seen pass iifname cpe2 ip saddr 198.51.101.2 ip dscp 46 icmp type echo-request counter\n\
        add rule inet seen pass iifname cpe ip6 dscp 10 icmpv6 type echo-request counter\n\
        add rule inet seen pass iifname cpe2 ip dscp 46 udp dport 33434-33534 counter\n";
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rules");
    std::fs::write(&file, rules).unwrap();
    if world.first.enter(|| tool(&format!("nft -f {}", file.display()))).is_none() {
        return;
    }
    let agent = world.agent();
    // A logical interface as netifd knows it, and a device.
    let status = r#"{"up": true, "l3_device": "wan2", "ipv4-address": [{"address": "198.51.101.2", "mask": 24}]}"#;
    agent.root.set_ubus("network.interface.wan", "status", None, status);
    world.found(&agent, &format!("ping {SERVER} --count 2 --timeout 5000 --dscp 46 --interface wan"));
    world.found(&agent, &format!("traceroute {SERVER} --tries 1 --dscp 46 --interface wan2"));
    world.found(&agent, &format!("ping {} --count 2 --timeout 5000 --dscp 10", HOPS6[2]));
    // Through this interface there is no way for IPv6: nothing leaves through another one.
    let (_, said) = world.missed(&agent, &format!("ping {} --dscp 10 --interface wan -6", HOPS6[2]));
    assert!(said.contains("Error_NoRouteToHost"), "{said}");
    let seen = world.first.enter(|| tool("nft list table inet seen")).unwrap();
    let counts: Vec<&str> = seen.split("packets ").skip(1).map(|rest| rest.split(' ').next().unwrap()).collect();
    assert_eq!(counts, ["2", "2", "3"], "{seen}");
    let (_, said) = world.missed(&agent, &format!("ping {SERVER} --interface nosuch"));
    assert!(said.contains("no interface nosuch"), "{said}");
}

#[test]
fn name_lookup_agrees_with_dig() {
    let Some(world) = World::new() else { return };
    let agent = world.agent();
    let arguments = format!(
        "--keep-in-foreground --conf-file=/dev/null --pid-file= --user=root --listen-address={SERVER} --bind-interfaces \
         --no-resolv --no-hosts --local=/example/ --auth-ttl=60 --host-record=host.example,{SERVER},{} \
         --cname=www.example,host.example",
        HOPS6[2]
    );
    if !installed("dnsmasq") {
        return;
    }
    let spawned =
        world.server.enter(|| Command::new("dnsmasq").args(arguments.split_whitespace()).stderr(Stdio::null()).spawn());
    let _server = Peer(spawned.unwrap());
    let look_up = |name: &str| world.diagnose(&agent, &format!("--json nslookup {name} {SERVER} --timeout 3000"));
    let first = wait_for("dnsmasq", || Some(look_up("www.example")).filter(|ran| ran.status == 0));
    let found: Json = serde_json::from_str(&first.stdout).unwrap();
    let result = &found["Result"][0];
    assert_eq!((&result["Status"], &result["DNSServerIP"]), (&"Success".into(), &SERVER.into()), "{found}");
    assert_eq!(result["HostNameReturned"], "host.example");
    let mut ours: Vec<&str> = result["IPAddresses"].as_str().unwrap().split(',').collect();
    ours.sort_unstable();
    assert_eq!(ours, [HOPS6[2], SERVER]);
    assert!(result["ResponseTime"].as_u64().unwrap() >= 1);
    if let Some(printed) = world.tool(&format!("dig +noall +comments +answer @{SERVER} www.example A")) {
        assert!(printed.contains(SERVER), "{printed}");
        let flags = printed.split("flags: ").nth(1).unwrap().split(';').next().unwrap();
        let theirs = if flags.contains("aa") { "Authoritative" } else { "NonAuthoritative" };
        assert_eq!(result["AnswerType"], theirs, "{printed}");
    }
    let (found, _) = world.found(&agent, &format!("nslookup {SERVER} {SERVER} --count 2"));
    assert_eq!(found["SuccessCount"], 2);
    assert_eq!(found["Result"][1]["HostNameReturned"], "host.example", "{found}");
    // The name of a hop comes from the router's own server.
    agent.root.write("/etc/resolv.conf", format!("search lan\nnameserver {SERVER}\n"));
    let (found, _) = world.found(&agent, &format!("traceroute {SERVER} --tries 1"));
    assert_eq!(found["RouteHops"][2]["Host"], "host.example", "{found}");
    assert_eq!(found["RouteHops"][2]["HostAddress"], SERVER);
    assert_eq!(found["RouteHops"][0]["Host"], HOPS[0]);
    for (arguments, status) in [
        (format!("nosuch.example {SERVER}"), "Error_HostNameNotResolved"),
        (format!("host..example {SERVER}"), "Error_HostNameNotResolved"),
        (format!("host.example {}", HOPS[1]), "Error_DNSServerNotAvailable"),
        (format!("host.example {SILENCE} --timeout 300"), "Error_Timeout"),
    ] {
        let (found, said) = world.missed(&agent, &format!("nslookup {arguments}"));
        assert_eq!(found["Result"][0]["Status"], status, "{arguments}");
        assert_eq!(said, "cwmpd: no answer\n");
    }
    let (_, said) = world.missed(&agent, "nslookup host.example no-such-server.invalid");
    assert!(said.contains("Error_DNSServerNotResolved"), "{said}");
    agent.root.write("/etc/resolv.conf", "# nothing\n");
    let (_, said) = world.missed(&agent, "nslookup host.example");
    assert!(said.contains("Error_DNSServerNotResolved"), "{said}");
}

#[test]
fn the_fastest_server_is_one_that_answers() {
    let Some(world) = World::new() else { return };
    let agent = world.agent();
    let hosts = format!("{SILENCE},no-such-host.invalid,{SERVER}");
    let (found, _) = world.found(&agent, &format!("servers {hosts} --count 2 --timeout 300"));
    assert_eq!((&found["FastestHost"], &found["IPAddressUsed"]), (&SERVER.into(), &OWN.into()));
    let time = |name: &str| found[format!("{name}ResponseTime")].as_u64().unwrap();
    assert!(0 < time("Minimum") && time("Minimum") <= time("Average") && time("Average") <= time("Maximum"));
    // Nobody echoes datagrams at first.
    let udp = format!("servers {},{SERVER} --count 2 --timeout 300 --protocol", HOPS[0]);
    let mut words: Vec<&str> = ["--json", "diagnose"].into_iter().chain(udp.split(' ')).collect();
    words.push("UDP Echo");
    let ran = world.router.enter(|| agent.run(&words));
    assert!(ran.status == 1 && ran.stderr.contains("no host answers"), "{}", ran.stderr);
    let socket = world.server.enter(|| UdpSocket::bind((SERVER, 7)).unwrap());
    let _echo = std::thread::spawn(move || {
        let mut data = [0; 100];
        for _ in 0..2 {
            let (length, from) = socket.recv_from(&mut data).unwrap();
            socket.send_to(&data[..length], from).unwrap();
        }
    });
    let ran = world.router.enter(|| agent.run(&words));
    let found: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(found["FastestHost"], SERVER, "{found}");
}

#[test]
fn neighbors_of_every_radio_and_the_self_test() {
    let agent = Agent::with_url("");
    let network = |ssid: &str, channel: u32| {
        format!(
            r#"{{"results": [{{"ssid": "{ssid}", "bssid": "00:00:5E:00:53:0{}", "mode": "Master", "channel": {channel},
            "signal": -70, "encryption": {{"enabled": true, "wpa": [2], "authentication": ["psk"], "ciphers": ["ccmp"]}}}}]}}"#,
            channel % 10
        )
    };
    agent.root.set_ubus("iwinfo", "scan", Some("radio0"), &network("neighbor", 6));
    agent.root.set_ubus("iwinfo", "scan", Some("radio1"), &network("other", 44));
    let found = agent.json(&["diagnose", "wifi"]);
    assert_eq!(found["Result"].as_array().unwrap().len(), 2, "{found}");
    let second = &found["Result"][1];
    assert_eq!(
        (&second["Radio"], &second["SSID"], &second["Channel"]),
        (&"radio1".into(), &"other".into(), &44.into())
    );
    assert_eq!((&second["SecurityModeEnabled"], &second["SignalStrength"]), (&"WPA2".into(), &(-70).into()));

    // What a stranger calls a network is no command to the terminal, and makes no line of its own.
    agent.root.set_ubus("iwinfo", "scan", Some("radio0"), &network(r"a\u001b[2J\u009b31m\nradio9 b", 6));
    let printed = agent.ok(&["diagnose", "wifi"]);
    assert!(printed.contains(r"a\u{1b}[2J\u{9b}31m\nradio9 b"), "{printed}");
    assert!(!printed.contains(|c: char| c.is_control() && c != '\n'), "{printed:?}");

    let printed = agent.ok(&["diagnose", "selftest"]);
    for check in ["state: ok", "storage: ok", "memory: ok", "configuration: ok"] {
        assert!(printed.contains(check), "{printed}");
    }
    agent.root.append("/etc/config/cwmpd", "\nconfig acs 'more'\n\toption url 'ftp://x'\n\nconfig 'a b' 'c\n");
    agent.root.write("/proc/meminfo", "MemTotal: 65536 kB\nMemAvailable: 1000 kB\n");
    let ran = agent.run(&["diagnose", "selftest", "--json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, "cwmpd: the self test has failed\n"));
    let results: Json = serde_json::from_str(&ran.stdout).unwrap();
    let results = results["Results"].as_str().unwrap();
    assert!(results.starts_with("FAIL\n") && results.contains("memory: FAILED, 1000 KiB"), "{results}");
}

#[test]
fn usage_is_told_in_one_line() {
    let agent = Agent::with_url("");
    for arguments in
        ["diagnose", "diagnose fly", "diagnose ping", "diagnose ping a --count x", "diagnose wifi --dscp 1"]
    {
        let words: Vec<&str> = arguments.split(' ').collect();
        let ran = agent.run(&words);
        assert_eq!((ran.status, ran.stderr.lines().count()), (2, 1), "{arguments}: {}", ran.stderr);
    }
    assert!(agent.ok(&["--help"]).contains("diagnose ping HOST"));
}

// For an ACS.

fn state(object: &str) -> String {
    format!("{object}DiagnosticsState")
}

fn written(session: &mut Session<'_>, object: &str, values: &[(&str, &str)]) -> u8 {
    let values: Vec<(String, &str)> = values.iter().map(|(name, value)| (format!("{object}{name}"), *value)).collect();
    let values: Vec<(&str, &str, &str)> =
        values.iter().map(|(name, value)| (name.as_str(), "xsd:string", *value)).collect();
    session.set(&values)
}

/// The code for a parameter that is refused.
fn refused(session: &mut Session<'_>, name: &str, value: &str) -> u16 {
    let fault = session.refused(set_values(&[(name, "xsd:string", value)], ""));
    assert_eq!(fault.parameters[0].name, name);
    fault.parameters[0].code.0
}

/// The session that tells of the end of a test.
fn told_of_end(acs: &Acs) -> Session<'_> {
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.events(), [COMPLETE]);
    session
}

/// Nobody answers there, for long.
const ENDLESS: &[(&str, &str)] = &[("Host", "192.0.2.1"), ("Timeout", "60000"), ("Interface", "")];

/// An agent whose packets to 192.0.2.1 vanish.
fn in_a_hole(test: impl FnOnce(&Acs) + Send) {
    let (Some(hole), Some(beyond)) = (Netns::new(), Netns::new()) else { return };
    hole.connect("hole", &beyond, "end");
    hole.ip("address add 198.51.100.1/24 dev hole");
    // A neighbour that is known, and never there.
    hole.ip("route add 192.0.2.1/32 dev hole");
    hole.ip("neighbour add 192.0.2.1 lladdr 00:00:5e:00:53:01 dev hole");
    hole.enter(|| test(&Acs::start()));
}

#[test]
fn g10_g11_g13_g14_a_test_from_the_request_to_the_reboot() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    for value in ["None", "Complete", "Error_Other", "Running", ""] {
        assert_eq!(refused(&mut session, &state(PING), value), 9007, "{value}");
    }
    assert_eq!(refused(&mut session, &state(PING), "Canceled"), 9007, "nothing is running");
    // The inputs may come after the request for the test.
    let inputs =
        [("DiagnosticsState", "Requested"), ("Host", "127.0.0.1"), ("NumberOfRepetitions", "2"), ("Timeout", "5000")];
    assert_eq!(written(&mut session, PING, &inputs), 0, "G-14");
    assert_eq!(session.value(&state(PING)), "Requested");
    // It does not begin before the session ends.
    assert!(!agent.log().contains("IPPing. begins"));
    session.end();
    let mut session = told_of_end(&acs);
    assert!(agent.log().contains("IPPing. begins"));
    let results = session.get(&[PING]);
    let result = |name: &str| {
        let found = results.iter().find(|value| value.name == format!("{PING}{name}")).unwrap();
        found.value.text.clone()
    };
    assert_eq!(["DiagnosticsState", "SuccessCount", "FailureCount"].map(result), ["Complete", "2", "0"]);
    assert_ne!(result("AverageResponseTimeDetailed"), "0");
    assert_eq!(result("IPAddressUsed"), "127.0.0.1");
    session.end();
    // Kept, and told once.
    let mut session = again(&agent, &acs);
    assert_eq!(session.events(), ["6 CONNECTION REQUEST"]);
    assert_eq!(session.value(&format!("{PING}SuccessCount")), "2");
    session.end();
    agent.wait_idle();
    agent.reboot();
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.events(), ["1 BOOT"]);
    assert_eq!(session.value(&state(PING)), "None");
    assert_eq!(session.value(&format!("{PING}SuccessCount")), "0");
    assert_eq!(session.value(&format!("{PING}Host")), "127.0.0.1", "inputs are settings");
    session.end();
}

#[test]
fn g11_g13_a_restart_of_the_agent_is_no_reboot() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    written(
        &mut session,
        PING,
        &[("Host", "127.0.0.1"), ("NumberOfRepetitions", "1"), ("DiagnosticsState", "Requested")],
    );
    session.end();
    told_of_end(&acs).end();
    agent.wait_idle();
    agent.kill();
    agent.start();
    agent.ask("6 CONNECTION REQUEST");
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.events(), ["6 CONNECTION REQUEST"]);
    assert_eq!(session.value(&state(PING)), "Complete");
    assert_eq!(session.value(&format!("{PING}SuccessCount")), "1");
    session.end();
}

#[test]
fn g11_a_test_that_a_restart_has_ended_is_told() {
    in_a_hole(|acs| {
        let (mut agent, mut session) = begin(acs);
        written(&mut session, PING, ENDLESS);
        written(&mut session, PING, &[("DiagnosticsState", "Requested")]);
        written(&mut session, SELF_TEST, &[("DiagnosticsState", "Requested")]);
        session.end();
        agent.wait_log("IPPing. begins");
        agent.wait_idle();
        agent.kill();
        agent.start();
        // The other one was to come after it.
        loop {
            let mut session = told_of_end(acs);
            let states = [PING, SELF_TEST].map(|object| session.value(&state(object)));
            session.end();
            assert_eq!(states[0], "Error_Internal");
            if states[1] == "Complete" {
                break;
            }
        }
    });
}

#[test]
fn g12_a_changed_input_ends_the_test_and_forgets_its_results() {
    in_a_hole(|acs| {
        let (agent, mut session) = begin(acs);
        written(&mut session, PING, ENDLESS);
        written(&mut session, PING, &[("DiagnosticsState", "Requested")]);
        session.end();
        agent.wait_log("IPPing. begins");
        let mut session = again(&agent, acs);
        assert_eq!(session.value(&state(PING)), "Requested");
        // Even one that is what it was.
        written(&mut session, PING, &[("Timeout", "60000")]);
        assert_eq!(session.value(&state(PING)), "None");
        session.end();
        agent.wait_log("IPPing. is ended early");
        // A test that was over before it began, and one with results.
        let mut session = again(&agent, acs);
        assert_eq!(session.events(), ["6 CONNECTION REQUEST"]);
        written(&mut session, PING, &[("DiagnosticsState", "Requested")]);
        written(&mut session, PING, &[("Host", "127.0.0.1")]);
        assert_eq!(session.value(&state(PING)), "None");
        written(&mut session, PING, &[("DiagnosticsState", "Requested"), ("NumberOfRepetitions", "1")]);
        session.end();
        let mut session = told_of_end(acs);
        assert_eq!(session.value(&state(PING)), "Complete");
        written(&mut session, PING, &[("DSCP", "1")]);
        assert_eq!(session.value(&state(PING)), "None");
        session.end();
    });
}

#[test]
fn g12_a_second_request_begins_anew_with_the_inputs_of_now() {
    in_a_hole(|acs| {
        let (agent, mut session) = begin(acs);
        written(&mut session, PING, ENDLESS);
        written(&mut session, PING, &[("DiagnosticsState", "Requested")]);
        session.end();
        agent.wait_log("IPPing. begins");
        let mut session = again(&agent, acs);
        let inputs = [("DiagnosticsState", "Requested"), ("Host", "127.0.0.1"), ("NumberOfRepetitions", "1")];
        assert_eq!(written(&mut session, PING, &inputs), 0);
        assert_eq!(session.value(&state(PING)), "Requested");
        session.end();
        let mut session = told_of_end(acs);
        assert_eq!(session.value(&format!("{PING}SuccessCount")), "1");
        session.end();
        assert_eq!(agent.log().matches("IPPing. begins").count(), 2);
    });
}

#[test]
fn g10_g11_a_cancelled_test_is_not_heard_of_any_more() {
    in_a_hole(|acs| {
        let (agent, mut session) = begin(acs);
        written(&mut session, PING, ENDLESS);
        written(&mut session, PING, &[("DiagnosticsState", "Requested")]);
        session.end();
        agent.wait_log("IPPing. begins");
        let mut session = again(&agent, acs);
        assert_eq!(written(&mut session, PING, &[("DiagnosticsState", "Canceled")]), 0);
        assert_eq!(session.value(&state(PING)), "None");
        assert_eq!(refused(&mut session, &state(PING), "Canceled"), 9007);
        session.end();
        agent.wait_log("IPPing. is ended early");
        let session = again(&agent, acs);
        assert_eq!(session.events(), ["6 CONNECTION REQUEST"]);
        session.end();
    });
}

/// SECURITY S21: what a test may cost is limited, and no more than one runs at a time.
#[test]
fn s21_g10_tests_are_limited() {
    in_a_hole(|acs| {
        let (agent, mut session) = begin(acs);
        for (name, value) in [("NumberOfRepetitions", "1001"), ("Timeout", "60001"), ("DSCP", "64")] {
            assert_eq!(refused(&mut session, &format!("{PING}{name}"), value), 9007, "{name}");
        }
        let servers = "Device.IP.Diagnostics.ServerSelectionDiagnostics.";
        let request = ("DiagnosticsState", "Requested");
        written(&mut session, PING, &[("Host", "192.0.2.1"), ("Timeout", "60000"), request]);
        written(&mut session, TRACE, &[("Host", "192.0.2.1"), ("Timeout", "60000"), request]);
        written(&mut session, servers, &[("HostList", "192.0.2.1"), ("Timeout", "60000"), request]);
        session.end();
        agent.wait_log("IPPing. begins");
        let mut session = again(&agent, acs);
        assert!(!agent.log().contains("TraceRoute. begins") && !agent.log().contains("Diagnostics. begins"));
        assert_eq!([TRACE, servers].map(|object| session.value(&state(object))), ["Requested"; 2]);
        // The next has its turn when one has gone.
        written(&mut session, PING, &[("DiagnosticsState", "Canceled")]);
        session.end();
        agent.wait_log("TraceRoute. begins");
        assert!(!agent.log().contains("ServerSelectionDiagnostics. begins"));
        // SIGTERM does not wait for any of them.
        let mut agent = agent;
        assert!(agent.stop() < std::time::Duration::from_secs(3));
    });
}

/// Several kinds one after the other; what fails is told as well; a table of results.
#[test]
fn g11_every_kind_ends_in_a_state_of_its_own() {
    in_a_hole(|acs| {
        let (agent, mut session) = begin(acs);
        written(&mut session, PING, &[("Host", "no-such-host.invalid"), ("DiagnosticsState", "Requested")]);
        written(&mut session, TRACE, &[("Host", "127.0.0.1"), ("DiagnosticsState", "Requested")]);
        written(
            &mut session,
            LOOKUP,
            &[("HostName", "a.example"), ("DNSServer", "127.0.0.1"), ("DiagnosticsState", "Requested")],
        );
        written(&mut session, SELF_TEST, &[("DiagnosticsState", "Requested")]);
        session.end();
        let objects = [PING, TRACE, LOOKUP, SELF_TEST];
        // One event for all that have ended since the last was told.
        loop {
            let mut session = told_of_end(acs);
            let states = objects.map(|object| session.value(&state(object)));
            if states.iter().any(|state| state == "Requested") {
                session.end();
                continue;
            }
            assert_eq!(states, ["Error_CannotResolveHostName", "Complete", "Complete", "Complete"]);
            assert_eq!(session.value(&format!("{TRACE}RouteHopsNumberOfEntries")), "1");
            assert_eq!(session.value(&format!("{TRACE}RouteHops.1.Host")), "127.0.0.1");
            let times = session.value(&format!("{TRACE}RouteHops.1.RTTimes"));
            assert!(times.split(',').count() == 3 && times.split(',').all(|time| time != "0"), "{times}");
            assert_eq!(session.value(&format!("{LOOKUP}Result.1.Status")), "Error_DNSServerNotAvailable");
            assert!(session.value(&format!("{SELF_TEST}Results")).starts_with("PASS"));
            session.end();
            break;
        }
        // What is asked for here is nothing that the ACS waits for.
        agent.wait_idle();
        agent.ok(&["set", &format!("{}=Requested", state(SELF_TEST))]);
        wait_for("the end of the test", || (agent.value(&state(SELF_TEST)) == "Complete").then_some(()));
        let session = again(&agent, acs);
        assert_eq!(session.events(), ["6 CONNECTION REQUEST"]);
        session.end();
    });
}

#[test]
fn without_a_daemon_nothing_is_requested() {
    let agent = Agent::with_url("");
    let ran = agent.run(&["set", &format!("{}=Requested", state(PING))]);
    assert!(ran.status == 1 && ran.stderr.contains("use cwmpd diagnose"), "{}", ran.stderr);
}
