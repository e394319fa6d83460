//! The tests as an ACS and a person ask for them.

use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use cwmpd::diagnostics::speed::echo::EchoPlus;

use crate::common::acs::{Acs, Session, set_values, wait_for};
use crate::common::agent::{Agent, PROGRAM, again, begin};
use crate::common::root::RouterRoot;
use crate::file_server::FileServer;
use crate::world::{DOWNLOAD, SERVER, UPLOAD, World, moment};

const CONFIG: &str = "Device.IP.Diagnostics.UDPEchoConfig.";

/// Sets parameters of an object; the types are as the agent takes them.
fn set(session: &mut Session<'_>, object: &str, values: &[(&str, &str)]) {
    let names: Vec<String> = values.iter().map(|(name, _)| format!("{object}{name}")).collect();
    let values: Vec<(&str, &str, &str)> =
        names.iter().zip(values).map(|(name, (_, value))| (name.as_str(), "xsd:string", *value)).collect();
    // The firewall is told after the session, which takes time.
    let status = session.set(&values);
    assert!(status == 0 || object == CONFIG, "G-14: {status}");
}

fn value(session: &mut Session<'_>, object: &str, name: &str) -> String {
    session.value(&format!("{object}{name}"))
}

#[test]
fn g10_g11_g13_g14_an_acs_has_the_speed_measured_both_ways() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    let server = FileServer::start("127.0.0.1:0");
    let (down, up) = (server.url("/file/200000"), server.url("/store"));
    let per = ("EnablePerConnectionResults", "true");
    let request =
        [("DiagnosticsState", "Requested"), ("DownloadURL", down.as_str()), ("NumberOfConnections", "2"), per];
    set(&mut session, DOWNLOAD, &request);
    assert_eq!(value(&mut session, DOWNLOAD, "DiagnosticsState"), "Requested");
    assert_eq!(value(&mut session, DOWNLOAD, "TestBytesReceived"), "0");
    session.end();
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.events(), ["8 DIAGNOSTICS COMPLETE"]);
    assert_eq!(value(&mut session, DOWNLOAD, "DiagnosticsState"), "Complete");
    let counted = value(&mut session, DOWNLOAD, "TestBytesReceived");
    server.wait_sent(counted.parse().unwrap());
    assert_eq!(value(&mut session, DOWNLOAD, "PerConnectionResultNumberOfEntries"), "2");
    let names = session.get(&[&format!("{DOWNLOAD}PerConnectionResult.")]);
    assert_eq!(names.len(), 16, "{names:?}");
    let before = server.received();
    let request = [("UploadURL", up.as_str()), ("TestFileLength", "300000"), ("DiagnosticsState", "Requested")];
    set(&mut session, UPLOAD, &request);
    session.end();
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(value(&mut session, UPLOAD, "DiagnosticsState"), "Complete");
    assert_eq!(value(&mut session, UPLOAD, "TestBytesSent"), (server.received() - before).to_string());
    assert!(moment(&value(&mut session, UPLOAD, "BOMTime")) < moment(&value(&mut session, UPLOAD, "EOMTime")));
    // Those of the other test are still there, until one of its inputs changes (CONFORMANCE G-12).
    assert_eq!(value(&mut session, DOWNLOAD, "TestBytesReceived"), counted);
    set(&mut session, DOWNLOAD, &[("DSCP", "10")]);
    assert_eq!(value(&mut session, DOWNLOAD, "DiagnosticsState"), "None");
    session.end();
}

#[test]
fn g10_g12_a_test_that_never_ends_is_cancelled_and_nobody_is_told() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let server = FileServer::start("127.0.0.1:0");
    set(&mut session, DOWNLOAD, &[("DownloadURL", &server.url("/endless")), ("DiagnosticsState", "Requested")]);
    session.end();
    wait_for("the test", || (server.sent() > 1_000_000).then_some(()));
    let mut session = again(&agent, &acs);
    set(&mut session, DOWNLOAD, &[("DiagnosticsState", "Canceled")]);
    assert_eq!(value(&mut session, DOWNLOAD, "DiagnosticsState"), "None");
    session.end();
    let mut session = again(&agent, &acs);
    assert!(!session.events().contains(&"8 DIAGNOSTICS COMPLETE"));
    let refused = session.refused(set_values(&[(&format!("{DOWNLOAD}DownloadURL"), "xsd:string", "https://a/")], ""));
    assert_eq!(refused.code.0, 9003);
    let many = [(&*format!("{DOWNLOAD}NumberOfConnections"), "xsd:unsignedInt", "9")];
    assert_eq!(session.refused(set_values(&many, "")).code.0, 9003, "S21");
    session.end();
}

/// Sends a packet until it comes back.
fn echo(port: u16, packet: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut answer = vec![0; 2000];
    let length = wait_for("an echo", || {
        // Before the server listens the kernel says so.
        let _ = socket.send(packet);
        socket.recv(&mut answer).ok()
    });
    answer.truncate(length);
    answer
}

fn free_udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn hole(agent: &Agent) -> Option<String> {
    let firewall = agent.root.read("/etc/config/firewall");
    let section = firewall.split("config ").find(|section| section.starts_with("rule 'cwmpd_udp_echo'"));
    section.map(String::from)
}

#[test]
fn the_udp_echo_server_is_there_while_it_is_enabled_and_counts() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let port = free_udp_port();
    let rules = value(&mut session, "Device.Firewall.Chain.1.", "RuleNumberOfEntries");
    let request = [
        ("UDPPort", &*port.to_string()),
        ("SourceIPAddress", "127.0.0.1"),
        ("EchoPlusEnabled", "true"),
        ("Enable", "true"),
    ];
    for (name, value) in request {
        // One after the other: nobody is answered before it is complete.
        let names = [(&*format!("{CONFIG}{name}"), "xsd:string", value)];
        session.set(&names);
    }
    assert_eq!(value(&mut session, CONFIG, "PacketsReceived"), "0");
    assert_eq!(value(&mut session, CONFIG, "TimeFirstPacketReceived"), "0001-01-01T00:00:00Z");
    let rule = hole(&agent).expect("a rule of the firewall");
    for option in ["src '*'", "src_ip '127.0.0.1'", "proto 'udp'", &format!("dest_port '{port}'"), "target 'ACCEPT'"] {
        assert!(rule.contains(&format!("\toption {option}\n")), "{rule}");
    }
    assert_eq!(value(&mut session, "Device.Firewall.Chain.1.", "RuleNumberOfEntries"), rules);
    session.end();
    let mut packet = [5; 48];
    EchoPlus { test_gen_sn: 7, ..EchoPlus::default() }.write(&mut packet);
    let first = EchoPlus::parse(&echo(port, &packet)).unwrap();
    let second = EchoPlus::parse(&echo(port, &packet)).unwrap();
    assert_eq!((first.test_gen_sn, second.test_gen_sn), (7, 7));
    assert_eq!(second.test_resp_sn, first.test_resp_sn + 1);
    assert!(second.received_at.wrapping_sub(first.replied_at) < 60_000_000);
    let mut session = again(&agent, &acs);
    let count = value(&mut session, CONFIG, "PacketsReceived").parse::<u32>().unwrap();
    assert!(count >= 2);
    assert_eq!(value(&mut session, CONFIG, "PacketsResponded"), count.to_string());
    assert_eq!(value(&mut session, CONFIG, "BytesResponded"), (count * 56).to_string());
    let (first, last) =
        (value(&mut session, CONFIG, "TimeFirstPacketReceived"), value(&mut session, CONFIG, "TimeLastPacketReceived"));
    assert!(moment(&first) < moment(&last));
    // Another port goes on counting; off and on again begins anew.
    let other = free_udp_port();
    set(&mut session, CONFIG, &[("UDPPort", &other.to_string())]);
    session.end();
    echo(other, &packet);
    let mut session = again(&agent, &acs);
    assert!(value(&mut session, CONFIG, "PacketsReceived").parse::<u32>().unwrap() > count);
    assert_eq!(value(&mut session, CONFIG, "TimeFirstPacketReceived"), first);
    set(&mut session, CONFIG, &[("Enable", "false")]);
    assert_eq!(hole(&agent), None);
    session.end();
    // The port is free again.
    wait_for("the end of the server", || UdpSocket::bind(("0.0.0.0", other)).ok());
    let mut session = again(&agent, &acs);
    set(&mut session, CONFIG, &[("Enable", "true")]);
    session.end();
    echo(other, b"x");
    let mut session = again(&agent, &acs);
    assert!(value(&mut session, CONFIG, "PacketsReceived").parse::<u32>().unwrap() < 20);
    assert_ne!(value(&mut session, CONFIG, "TimeFirstPacketReceived"), first);
    let wrong = [(&*format!("{CONFIG}Interface"), "xsd:string", "Device.IP.Interface.99")];
    let fault = session.refused(set_values(&wrong, ""));
    assert_eq!(fault.parameters[0].code.0, 9007);
    session.end();
}

/// With the counters of the kernel in its place: a `/sys` of this network.
#[test]
fn a_person_measures_at_the_command_line_and_sees_what_the_device_has_carried() {
    let Some(world) = World::new() else { return };
    let server = world.internet.enter(|| FileServer::start(&format!("{SERVER}:0")));
    let root = RouterRoot::new();
    let sys = root.at("/sys");
    let diagnose = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        let script = "mount -t sysfs sysfs \"$1\" && shift && exec \"$@\"";
        command.args(["--mount", "sh", "-ec", script, "sh"]).arg(&sys).arg(PROGRAM);
        command.arg("--root").arg(root.path()).args(["--json", "diagnose"]).args(arguments);
        let output = world.router.enter(|| command.output().unwrap());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let report = diagnose(&["download", &server.url("/file/2000000"), "--connections", "2", "-4"]);
    let number = |report: &serde_json::Value, name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{report}"));
    let test = number(&report, "TestBytesReceived");
    server.wait_sent(test);
    // Heads of IP and Ethernet, and what TCP sends twice.
    let total = number(&report, "TotalBytesReceived");
    assert!(total >= test && total < test + test / 5, "{report}");
    assert!(number(&report, "TotalBytesSent") > 0);
    let report = diagnose(&["upload", &server.url("/store"), "--size", "1000000", "--dscp", "10"]);
    let total = number(&report, "TotalBytesSent");
    let test = number(&report, "TestBytesSent");
    assert!(total >= test && total < test + test / 5, "{report}");
    assert!(number(&report, "TotalBytesSentUnderFullLoading") <= total);
    let refused = world.router.enter(|| {
        Command::new(PROGRAM).args(["diagnose", "download", &format!("http://{SERVER}:9/")]).output().unwrap()
    });
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Error_InitConnectionFailed"), "{refused:?}");
}
