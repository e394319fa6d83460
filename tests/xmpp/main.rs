//! Connection requests over XMPP (TR-069a6 Annex K; CONFORMANCE K-01 to K-05): the program itself, a real prosody between it and the ACS, and servers
//! that behave badly.
#![cfg(all(feature = "xmpp", feature = "ring"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "../common/mod.rs"]
mod common;
mod prosody;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::acs::{Acs, PATIENCE, codes, told, wait_for};
use common::agent::{self, Agent};
use common::netns::Netns;
use common::peers::{Peer, installed};
use prosody::{DOMAIN, PASSWORD, Prosody};

const ROW: &str = "Device.XMPP.Connection.1.";
const SERVER: &str = "Device.ManagementServer.";
const JID: &str = "Device.ManagementServer.ConnReqJabberID";
const ROUTER: &str = "cpe@xmpp.example/router";

/// What the ACS sets for a connection to a server of this port.
fn settings(port: u16, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut values: Vec<(String, String)> = [
        ("Username", "cpe"),
        ("Password", PASSWORD),
        ("Domain", DOMAIN),
        ("Resource", "router"),
        ("ServerConnectAlgorithm", "ServerTable"),
        ("ServerRetryInitialInterval", "1"),
        ("ServerRetryIntervalMultiplier", "1000"),
        ("UseTLS", "true"),
        ("Server.1.ServerAddress", "127.0.0.1"),
        ("Server.1.Port", &port.to_string()),
        ("Server.1.Enable", "true"),
        ("Enable", "true"),
    ]
    .map(|(name, value)| (format!("{ROW}{name}"), String::from(value)))
    .into();
    values.push((format!("{SERVER}ConnReqXMPPConnection"), "Device.XMPP.Connection.1".into()));
    for (name, value) in more {
        let name = if name.starts_with("ConnReq") { format!("{SERVER}{name}") } else { format!("{ROW}{name}") };
        values.retain(|(known, _)| *known != name);
        values.push((name, String::from(*value)));
    }
    values
}

/// An agent that has had its first session, in which the ACS has set up a connection.
fn set_up(acs: &Acs, ca: &str, port: u16, more: &[(&str, &str)]) -> Agent {
    let mut agent = Agent::new(acs);
    agent.root.write("/etc/ssl/xmpp.pem", ca);
    agent.options("acs", &[("ca_file", "/etc/ssl/xmpp.pem"), ("http_timeout", "3")]);
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.value(&format!("{SERVER}SupportedConnReqMethods")).split(',').next_back(), Some("XMPP"));
    assert_eq!(session.add("Device.XMPP.Connection."), 1);
    assert_eq!(session.add(&format!("{ROW}Server.")), 1);
    assert_eq!(session.value(&format!("{ROW}Status")), "Disabled");
    let values = settings(port, more);
    let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), "xsd:string", value.as_str())).collect();
    session.set(&values);
    session.end();
    agent
}

/// The same, with the connection made; the ACS has heard of the JID.
fn connected(acs: &Acs, prosody: &Prosody, more: &[(&str, &str)]) -> Agent {
    let agent = set_up(acs, &prosody.ca(), prosody.port, more);
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    let jid = told(&inform, JID).unwrap();
    assert!(jid.starts_with("cpe@xmpp.example/"), "{jid}");
    agent.wait_idle();
    agent
}

/// Waits until the connection has this status.
fn wait_status(agent: &Agent, status: &str) {
    wait_for(&format!("status {status}"), || (agent.value(&format!("{ROW}Status")) == status).then_some(()));
}

/// Waits until `cwmpd status` says this of the connection.
fn wait_report(agent: &Agent, text: &str) {
    wait_for(&format!("{text:?} in the status"), || {
        agent.status()["xmpp"].as_str().unwrap().contains(text).then_some(())
    });
}

/// How many threads of the daemon keep a connection.
fn threads(agent: &Agent) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", agent.pid())).unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "xmpp").count()
}

#[test]
fn k01_k02_k03_k04_who_may_start_a_session_and_who_not() {
    let Some(prosody) = Prosody::start() else { return };
    let acs = Acs::start();
    let agent = connected(&acs, &prosody, &[("ConnReqAllowedJabberIDs", "acs@xmpp.example/one,trusted@xmpp.example")]);
    assert_eq!(agent.value(JID), ROUTER);
    assert_eq!(agent.value(&format!("{ROW}JabberID")), ROUTER);
    assert_eq!(agent.value(&format!("{ROW}Status")), "Enabled");
    assert_eq!(agent.value(&format!("{ROW}TLSEstablished")), "true");
    assert!(agent.value(&format!("{ROW}LastChangeDate")).starts_with("20"));
    assert_eq!(agent.status()["xmpp"], format!("connected as {ROUTER} over TLS"));
    assert!(agent.ok(&["status"]).contains(ROUTER));

    let (username, password) = (agent::USERNAME, agent::PASSWORD);
    let mut one = prosody.client("acs", "one");
    assert_eq!(one.request(ROUTER, username, password), "result");
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
    agent.wait_idle();
    let sessions = acs.informs().len();

    // A full JID is that one alone, and others learn nothing of the password.
    for (user, resource) in [("acs", "two"), ("evil", "one")] {
        let mut other = prosody.client(user, resource);
        for password in [password, "wrong"] {
            assert_eq!(other.request(ROUTER, username, password), "service-unavailable", "{user}/{resource}");
        }
    }
    let refusal = agent.status()["last_refusal"].as_str().unwrap().to_owned();
    assert!(refusal.contains("evil@xmpp.example/one"), "{refusal}");
    for (username, password) in [(username, "wrong"), ("wrong", password), ("", "")] {
        assert_eq!(one.request(ROUTER, username, password), "not-authorized");
    }
    // What else may come is answered as RFC 6120 wants it.
    assert_eq!(one.ask(ROUTER, "get", "<ping xmlns='urn:xmpp:ping'/>"), "result");
    assert_eq!(one.ask(ROUTER, "get", "<query xmlns='jabber:iq:version'/>"), "service-unavailable");
    assert_eq!(agent.value(&format!("{ROW}Stats.ReceivedErrorMessages")), "0");
    assert_eq!(agent.value(&format!("{ROW}Stats.TransmittedErrorMessages")), "8");
    let [received, sent] = ["Received", "Transmitted"]
        .map(|way| agent.value(&format!("{ROW}Stats.{way}Messages")).parse::<u32>().unwrap());
    assert!(received >= 10 && sent >= 10, "{received} and {sent}");

    agent.option("cpe", "enable", "0");
    wait_for("the agent to be switched off", || (agent.status()["enabled"] == false).then_some(()));
    assert_eq!(one.request(ROUTER, username, password), "service-unavailable");
    agent.option("cpe", "enable", "1");
    wait_for("the agent to be switched on", || (agent.status()["enabled"] == true).then_some(()));

    // An empty list has everybody; a flood of others does not keep the ACS out.
    agent.ok(&["set", &format!("{SERVER}ConnReqAllowedJabberIDs=")]);
    let mut evil = prosody.client("evil", "flood");
    evil.send(&format!("<message to='{ROUTER}'><body>{}</body></message>", "x".repeat(200)).repeat(500));
    assert_eq!(evil.request(ROUTER, username, "wrong"), "not-authorized");
    assert_eq!(evil.request(ROUTER, username, password), "result");
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
    agent.wait_idle();
    // As often as over HTTP (CONFORMANCE C-09).
    let answers: Vec<String> = (0..6).map(|_| one.request(ROUTER, username, password)).collect();
    assert!(answers.contains(&"service-unavailable".into()) && answers[0] == "result", "{answers:?}");
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
    assert!(acs.informs().len() >= sessions + 2);
    assert!(!agent.log().contains(PASSWORD) && !agent.log().contains(password), "{}", agent.log());
}

/// A session may switch the connection off and on again, which is how an ACS has it made anew. What is told of it is true then.
#[test]
fn k05_a_connection_that_one_session_switches_off_and_on_is_made_anew() {
    let Some(prosody) = Prosody::start() else { return };
    let acs = Acs::start();
    let agent = connected(&acs, &prosody, &[("Resource", "")]);
    let jid = agent.value(JID);
    agent.ask("6 CONNECTION REQUEST");
    let mut session = acs.session();
    session.inform_ok();
    let enable = format!("{ROW}Enable");
    for value in ["false", "true"] {
        session.set(&[(&enable, "xsd:boolean", value)]);
    }
    session.end();
    wait_status(&agent, "Enabled");
    assert_eq!(agent.value(&format!("{ROW}TLSEstablished")), "true");
    assert_eq!(agent.status()["xmpp"], format!("connected as {jid} over TLS"));
    assert_eq!(threads(&agent), 1);
    let mut one = prosody.client("acs", "one");
    assert_eq!(one.request(&jid, agent::USERNAME, agent::PASSWORD), "result");
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"], "the JID is the same");
    agent.wait_idle();
}

/// Nothing else has to happen at the router for the ACS to hear of a JID.
#[test]
fn k04_a_jid_that_comes_late_is_told_at_once() {
    let Some(mut prosody) = Prosody::start() else { return };
    let acs = Acs::start();
    prosody.crash();
    let agent = set_up(&acs, &prosody.ca(), prosody.port, &[]);
    wait_status(&agent, "ServerNotPresent");
    prosody.run();
    assert_eq!(told(&acs.serve(), JID), Some(ROUTER));
    agent.wait_idle();
}

#[test]
fn k04_k05_a_server_that_goes_and_comes_back() {
    let Some(mut prosody) = Prosody::start() else { return };
    let acs = Acs::start();
    // The server chooses the resource, and the JID stays the same.
    let mut agent = connected(&acs, &prosody, &[("Resource", ""), ("KeepAliveInterval", "1")]);
    let jid = agent.value(JID);
    let sessions = acs.informs().len();
    prosody.crash();
    agent.wait_log("no connection to the XMPP server: the XMPP server closed the connection;");
    wait_status(&agent, "ServerNotPresent");
    assert_eq!(agent.value(&format!("{ROW}TLSEstablished")), "false");
    assert_eq!(agent.value(JID), jid, "it is kept while there is no connection");
    wait_report(&agent, "cannot connect to the XMPP server");
    prosody.run();
    wait_status(&agent, "Enabled");

    // One that does not answer any more is given up.
    prosody.freeze(true);
    wait_report(&agent, "does not answer any more");
    prosody.freeze(false);
    wait_status(&agent, "Enabled");

    // The daemon as well comes back with the same JID.
    agent.kill();
    agent.start();
    wait_status(&agent, "Enabled");
    assert_eq!(acs.informs().len(), sessions, "a reconnect is no VALUE CHANGE");
    let mut one = prosody.client("acs", "one");
    assert_eq!(one.request(&jid, agent::USERNAME, agent::PASSWORD), "result");
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"], "and nothing has changed");
    agent.wait_idle();

    // What is not wanted any more has no thread and no connection, and says goodbye.
    assert_eq!(threads(&agent), 1);
    agent.ok(&["set", &format!("{ROW}Enable=false")]);
    wait_for("the end of the thread", || (threads(&agent) == 0).then_some(()));
    assert_eq!(agent.value(JID), "");
    assert_eq!(agent.status()["xmpp"], "");
    assert_eq!(one.request(&jid, agent::USERNAME, agent::PASSWORD), "service-unavailable", "by the server");
    // The ACS has to hear that the JID is gone, and that another one is there.
    assert_eq!(told(&acs.serve(), JID), Some(""));
    agent.wait_idle();
    agent.ok(&["set", &format!("{ROW}Resource=other"), &format!("{ROW}Enable=true")]);
    wait_status(&agent, "Enabled");
    assert_eq!(told(&acs.serve_until(|inform| told(inform, JID) != Some(&jid)), JID), Some("cpe@xmpp.example/other"));
    assert!(agent.stop() < Duration::from_secs(1));
}

#[test]
fn k05_wrong_passwords_and_certificates_are_told_and_do_no_harm() {
    let Some(prosody) = Prosody::start() else { return };
    let acs = Acs::start();
    let agent = set_up(&acs, &prosody.ca(), prosody.port, &[("Password", "wrong"), ("UseTLS", "false")]);
    wait_status(&agent, "Error_AuthenticationFailure");
    wait_report(&agent, "not-authorized");
    let value = |name: &str, value: &str| format!("{ROW}{name}={value}");
    agent.ok(&["set", &value("Password", PASSWORD)]);
    wait_status(&agent, "Enabled");
    assert_eq!(agent.value(&format!("{ROW}TLSEstablished")), "true", "it is used because it is offered");
    // Another domain is another certificate.
    agent.ok(&["set", &value("Domain", "other.example")]);
    wait_status(&agent, "Error");
    agent.ok(&["set", &value("Domain", DOMAIN)]);
    wait_status(&agent, "Enabled");
    agent.root.write("/etc/ssl/xmpp.pem", common::tls::Ca::new("another CA").pem());
    agent.ok(&["set", &value("Resource", "new")]);
    wait_status(&agent, "Error");
    wait_report(&agent, "certificate");
    agent.ok(&["set", &value("Username", "")]);
    wait_status(&agent, "Error_Misconfigured");
    wait_for("the end of the thread", || (threads(&agent) == 0).then_some(()));
    agent.ok(&["set", &value("Username", "cpe"), &value("Server.1.Enable", "false")]);
    wait_status(&agent, "Error_Misconfigured");
    agent.ok(&["set", &format!("{SERVER}ConnReqXMPPConnection=")]);
    wait_status(&agent, "Dormant");
    wait_for("the end of the thread", || (threads(&agent) == 0).then_some(()));
    agent.ok(&["del", ROW]);
    assert_eq!(agent.value("Device.XMPP.ConnectionNumberOfEntries"), "0");
}

/// A server that the test plays.
struct Played {
    listener: TcpListener,
}

impl Played {
    fn new() -> Self {
        Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap() }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// The next connection, with what the agent says first.
    fn accept(&self) -> TcpStream {
        self.listener.set_nonblocking(true).unwrap();
        let (stream, _) = wait_for("a connection", || self.listener.accept().ok());
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut opening = Vec::new();
        while !opening.ends_with(b">") || opening.ends_with(b"?>") {
            let mut byte = [0];
            (&stream).read_exact(&mut byte).unwrap();
            opening.push(byte[0]);
        }
        let opening = String::from_utf8(opening).unwrap();
        assert!(opening.contains("to=\"xmpp.example\""), "{opening}");
        stream
    }

    /// What the agent says until it closes the connection; nothing of the password is in it.
    fn rest(mut stream: TcpStream) -> String {
        let mut said = Vec::new();
        // The agent does not wait for what was sent too much.
        let _ = stream.read_to_end(&mut said);
        let _ = stream.shutdown(Shutdown::Both);
        String::from_utf8(said).unwrap()
    }
}

#[test]
fn k05_bad_servers_are_left_and_tried_again() {
    const HEADER: &str = "<?xml version='1.0'?><stream:stream from='xmpp.example' id='1' version='1.0' \
        xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    let acs = Acs::start();
    let server = Played::new();
    let mut agent = set_up(&acs, "", server.port(), &[]);
    agent.option("acs", "http_timeout", "1");
    let scram = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>";
    for (says, report) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n".into(), "text between stanzas"),
        (format!("{HEADER}<stream:features><a></b></stream:features>"), "not good XML"),
        (format!("{HEADER}<!-- {}", "'".repeat(100)), "not allowed"),
        (format!("{HEADER}<stream:features>{scram}</stream:features>"), "UseTLS"),
        (
            format!(
                "{HEADER}<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
            ),
            "see-other-host",
        ),
        (format!("{HEADER}</stream:stream>"), "ended the stream"),
    ] {
        let mut stream = server.accept();
        stream.write_all(says.as_bytes()).unwrap();
        assert_eq!(Played::rest(stream), "");
        wait_report(&agent, report);
    }
    // TLS that is offered has to come, without anything slipped in before it.
    let mut stream = server.accept();
    let offer = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    stream.write_all(format!("{HEADER}<stream:features>{offer}</stream:features>{proceed}<iq/>").as_bytes()).unwrap();
    assert!(Played::rest(stream).starts_with("<starttls "));
    wait_report(&agent, "goes on without TLS");
    // A stanza without an end.
    let mut stream = server.accept();
    stream.write_all(HEADER.as_bytes()).unwrap();
    let _ = stream.write_all(b"<stream:features>");
    while stream.write_all(&[b'x'; 1024]).is_ok() {}
    wait_report(&agent, "too long");
    // White space without an end is read as slowly as it has to be.
    let mut stream = server.accept();
    stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    while stream.write_all(&[b' '; 1024]).is_ok() {}
    wait_report(&agent, "in time");
    // A server that says nothing at all. The daemon ends while it waits for it.
    let silent = server.accept();
    wait_report(&agent, "in time");
    assert_eq!(Played::rest(silent), "");
    let waiting = server.accept();
    assert!(agent.stop() < Duration::from_secs(1));
    drop(waiting);
    let log = agent.log();
    assert!(!log.contains("panic") && !log.contains(PASSWORD), "{log}");
}

#[test]
fn k05_the_server_of_a_domain_is_found_in_the_dns() {
    let Some(network) = Netns::new() else { return };
    network.enter(|| {
        let Some(prosody) = Prosody::start().filter(|_| installed("dnsmasq")) else { return };
        let port = prosody.port;
        let mut dnsmasq = Command::new("dnsmasq");
        dnsmasq.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="]);
        dnsmasq.args(["--user=root", "--listen-address=127.0.0.1", "--bind-interfaces"]);
        // The first is not there.
        dnsmasq.arg("--srv-host=_xmpp-client._tcp.xmpp.example,localhost,1,0,0");
        dnsmasq.arg(format!("--srv-host=_xmpp-client._tcp.xmpp.example,localhost,{port},1,0"));
        let _dnsmasq = Peer(dnsmasq.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        wait_for("dnsmasq", || TcpStream::connect((Ipv4Addr::LOCALHOST, 53)).ok());
        let acs = Acs::start();
        let mut agent = Agent::new(&acs);
        agent.root.write("/etc/resolv.conf", "search lan\nnameserver 127.0.0.1\n");
        agent.root.write("/etc/ssl/xmpp.pem", prosody.ca());
        agent.options("acs", &[("ca_file", "/etc/ssl/xmpp.pem")]);
        agent.start();
        acs.serve();
        agent.wait_idle();
        agent.ok(&["add", "Device.XMPP.Connection."]);
        agent.ok(&["add", &format!("{ROW}Server.")]);
        let more =
            [("ServerConnectAlgorithm", "DNS-SRV"), ("ServerConnectAttempts", "1"), ("Server.1.Enable", "false")];
        let values: Vec<String> =
            settings(0, &more).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut command = vec!["set"];
        command.extend(values.iter().map(String::as_str));
        agent.ok(&command);
        wait_status(&agent, "Enabled");
        assert!(agent.log().contains("localhost:1"), "the first goes first: {}", agent.log());
    });
}
