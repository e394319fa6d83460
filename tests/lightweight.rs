//! Lightweight notifications (TR-069a6 Annex M; CONFORMANCE N-10, N-11) with the program itself and a socket in the place of the ACS.
#![cfg(feature = "lightweight")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::net::{Ipv4Addr, UdpSocket};
use std::process::Command;

use common::acs::{Acs, PATIENCE, Session, set_notification};
use common::agent::{Agent, again};
use common::schema::shared;
use cwmpd::cwmp::lightweight::signature;

const TEXT: &str = "Device.NAT.PortMapping.1.Description";
const HOST_NAME: &str = "Device.DeviceInfo.HostName";
const SERVER: &str = "Device.ManagementServer.";
const PASSWORD: &str = "of the acs";

/// Where lightweight notifications arrive.
struct Sink(UdpSocket);

/// A message that has arrived.
struct Told {
    body: String,
    /// Names and values.
    parameters: Vec<(String, String)>,
}

impl Sink {
    fn new() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    fn port(&self) -> String {
        self.0.local_addr().unwrap().port().to_string()
    }

    /// The next message, whose form and signature are right.
    fn next(&self) -> Told {
        let mut buffer = [0; 65536];
        let length = self.0.recv(&mut buffer).expect("a lightweight notification");
        let message = std::str::from_utf8(&buffer[..length]).unwrap();
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        let header = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_else(|| panic!("no {name} in {head}")).to_owned()
        };
        assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
        assert_eq!(header("Host"), format!("127.0.0.1:{}", self.port()));
        assert_eq!(header("Content-Length"), body.len().to_string());
        assert_eq!(header("Signature"), signature(PASSWORD, body.as_bytes()));
        validate(body);
        let parameters = body
            .split("<Name>")
            .skip(1)
            .map(|rest| {
                let (name, rest) = rest.split_once("</Name>").unwrap();
                let value = rest.split_once('>').unwrap().1.split_once("</Value>").unwrap().0;
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Told { body: body.to_owned(), parameters }
    }

    /// The names and values of the next message.
    fn parameters(&self) -> Vec<(String, String)> {
        self.next().parameters
    }
}

/// Against the schema, where there is something that can.
fn validate(body: &str) {
    let Some(schema) = shared("spec/xsd/cwmp-UDPLightweightNotification-1-0.xsd") else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("message.xml");
    std::fs::write(&file, body).unwrap();
    let script = "import sys\nfrom lxml import etree\n\
                  schema = etree.XMLSchema(etree.parse(sys.argv[1], etree.XMLParser(no_network=True)))\n\
                  schema.assertValid(etree.parse(sys.argv[2]))\n";
    let python = std::env::var_os("CWMPD_PYTHON").unwrap_or_else(|| "python3".into());
    let has_lxml = Command::new(&python).args(["-c", "import lxml"]).output().is_ok_and(|it| it.status.success());
    let output = match has_lxml {
        true => Command::new(&python).args(["-c", script]).arg(&schema).arg(&file).output(),
        false => Command::new("xmllint").args(["--nonet", "--noout", "--schema"]).arg(&schema).arg(&file).output(),
    };
    match output {
        Ok(output) => assert!(output.status.success(), "{}\n{body}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => assert!(std::env::var_os("CWMPD_CI").is_none(), "neither Python with lxml nor xmllint is there"),
    }
}

fn switch_on(session: &mut Session<'_>, sink: &Sink) {
    session.set(&[
        (&format!("{SERVER}LightweightNotificationProtocolsUsed"), "xsd:string", "UDP"),
        (&format!("{SERVER}UDPLightweightNotificationPort"), "xsd:unsignedInt", &sink.port()),
    ]);
}

fn begin(acs: &Acs) -> (Agent, Session<'_>) {
    let mut agent = Agent::new(acs);
    agent.options("acs", &[("username", "cpe & co"), ("password", PASSWORD)]);
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    (agent, session)
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

#[test]
fn n10_active_lightweight_is_told_at_once_and_starts_no_session() {
    let acs = Acs::start();
    let sink = Sink::new();
    let (agent, mut session) = begin(&acs);
    switch_on(&mut session, &sink);
    session.notify(&[TEXT], 5);
    session.notify(&[HOST_NAME], 6);
    session.end();
    agent.wait_idle();
    agent.root.replace("/etc/config/firewall", "Web server", "a<b");
    let told = sink.next();
    assert_eq!(told.parameters, [pair(TEXT, "a&lt;b")]);
    for part in ["<UN>cpe &amp; co</UN>", "<OUI>00005E</OUI>", "<SerialNumber>EX30002407000123</SerialNumber>"] {
        assert!(told.body.contains(part), "{}", told.body);
    }
    // The next Inform says nothing of it: that is what 6 is for.
    agent.ok(&["set", &format!("{HOST_NAME}=other")]);
    assert_eq!(sink.parameters(), [pair(HOST_NAME, "other")]);
    let session = again(&agent, &acs);
    assert_eq!(session.events(), ["4 VALUE CHANGE", "6 CONNECTION REQUEST"]);
    let names: Vec<&str> = session.inform.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert!(names.contains(&HOST_NAME), "{names:?}");
    assert_eq!(acs.informs().len(), 2, "a lightweight notification has started a session");
    session.end();
}

#[test]
fn n11_passive_lightweight_goes_with_the_next_active_one() {
    let acs = Acs::start();
    let sink = Sink::new();
    let (agent, mut session) = begin(&acs);
    switch_on(&mut session, &sink);
    session.notify(&[TEXT], 3);
    session.notify(&[HOST_NAME], 5);
    session.end();
    agent.wait_idle();
    agent.ok(&["set", &format!("{TEXT}=one")]);
    agent.ok(&["set", &format!("{TEXT}=two")]);
    agent.ok(&["set", &format!("{HOST_NAME}=other")]);
    // Had the first change been sent by itself it would be here now.
    assert_eq!(sink.parameters(), [pair(HOST_NAME, "other"), pair(TEXT, "two")], "both, with the newest values");
}

#[test]
fn n11_passive_lightweight_waits_for_the_trigger() {
    let acs = Acs::start();
    let sink = Sink::new();
    let (agent, mut session) = begin(&acs);
    switch_on(&mut session, &sink);
    session.set(&[
        (&format!("{SERVER}LightweightNotificationTriggerInterval"), "xsd:unsignedInt", "1"),
        (&format!("{SERVER}LightweightNotificationTriggerTime"), "xsd:dateTime", "2020-01-01T00:00:00Z"),
    ]);
    session.notify(&[TEXT], 4);
    session.end();
    agent.wait_idle();
    agent.ok(&["set", &format!("{TEXT}=one")]);
    assert_eq!(sink.parameters(), [pair(TEXT, "one")]);
    agent.ok(&["set", &format!("{TEXT}=two")]);
    assert_eq!(sink.parameters(), [pair(TEXT, "two")]);
    let session = again(&agent, &acs);
    assert!(session.events().contains(&"4 VALUE CHANGE"), "4 is told in the Inform as well");
    session.end();
}

#[test]
fn n10_nothing_is_sent_while_no_protocol_is_used() {
    let acs = Acs::start();
    let sink = Sink::new();
    let (agent, mut session) = begin(&acs);
    assert_eq!(session.value(&format!("{SERVER}LightweightNotificationProtocolsSupported")), "UDP");
    assert_eq!(session.value(&format!("{SERVER}LightweightNotificationProtocolsUsed")), "");
    session.set(&[(&format!("{SERVER}UDPLightweightNotificationPort"), "xsd:unsignedInt", &sink.port())]);
    session.notify(&[TEXT], 5);
    session.end();
    agent.wait_idle();
    agent.ok(&["set", &format!("{TEXT}=one")]);
    let mut session = again(&agent, &acs);
    switch_on(&mut session, &sink);
    session.end();
    agent.wait_idle();
    agent.ok(&["set", &format!("{TEXT}=two")]);
    assert_eq!(sink.parameters(), [pair(TEXT, "two")]);
}

#[test]
fn n10_n04_what_the_acs_sets_itself_is_not_told() {
    let acs = Acs::start();
    let sink = Sink::new();
    let (agent, mut session) = begin(&acs);
    switch_on(&mut session, &sink);
    session.notify(&[TEXT, HOST_NAME], 5);
    session.set(&[(TEXT, "xsd:string", "by the ACS")]);
    session.end();
    agent.wait_idle();
    agent.ok(&["set", &format!("{HOST_NAME}=other")]);
    assert_eq!(sink.parameters(), [pair(HOST_NAME, "other")]);
}

#[test]
fn n10_n08_changes_while_the_agent_was_not_there_are_told() {
    let acs = Acs::start();
    let sink = Sink::new();
    let (mut agent, mut session) = begin(&acs);
    switch_on(&mut session, &sink);
    session.notify(&[TEXT], 5);
    session.end();
    agent.wait_idle();
    agent.ok(&["set", &format!("{TEXT}=one")]);
    assert_eq!(sink.parameters(), [pair(TEXT, "one")]);
    agent.wait_log("lightweight notification tells");
    agent.kill();
    agent.root.replace("/etc/config/firewall", "'one'", "'two'");
    agent.start();
    assert_eq!(sink.parameters(), [pair(TEXT, "two")]);
}

#[test]
fn n10_names_are_told_by_instance_mode() {
    let acs = Acs::start();
    let sink = Sink::new();
    let (agent, mut session) = begin(&acs);
    switch_on(&mut session, &sink);
    session.set(&[
        ("Device.NAT.PortMapping.1.Alias", "xsd:string", "web"),
        (&format!("{SERVER}InstanceMode"), "xsd:string", "InstanceAlias"),
    ]);
    session.notify(&["Device.NAT.PortMapping.[web].Description"], 5);
    session.end();
    agent.wait_idle();
    agent.ok(&["set", "Device.NAT.PortMapping.1.Description=new"]);
    assert_eq!(sink.parameters(), [pair("Device.NAT.PortMapping.[web].Description", "new")]);
    agent.ok(&["set", "Device.NAT.PortMapping.1.Description=newer"]);
    assert_eq!(sink.parameters(), [pair("Device.NAT.PortMapping.[web].Description", "newer")]);
}

#[test]
fn p52_p53_lightweight_values_of_the_attribute() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    for notification in [3, 4, 5, 6, 0] {
        session.notify(&[TEXT], notification);
        assert_eq!(i64::from(session.attributes(&[TEXT])[0].notification), notification);
    }
    for bad in [7, -1, 256] {
        assert_eq!(session.refused(set_notification(&[TEXT], bad)).code.0, 9003, "{bad}");
    }
    let counter = "Device.DeviceInfo.UpTime";
    for (notification, refused) in [(5, true), (6, true), (3, false), (4, false)] {
        match refused {
            true => assert_eq!(session.refused(set_notification(&[counter], notification)).code.0, 9009),
            false => session.notify(&[counter], notification),
        }
    }
    session.end();
}
