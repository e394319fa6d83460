//! The object `cwmpd` on ubus, as docs/ubus.md has it: what others on the bus can ask of the agent, and what they are told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::acs::{Acs, codes, wait_for};
use common::agent::Agent;
use common::ubusd::{Ubusd, eventually};
use serde_json::{Value, json};

const OK: u32 = 0;
const INVALID_ARGUMENT: u32 = 2;
const METHOD_NOT_FOUND: u32 = 3;
const UNKNOWN_ERROR: u32 = 9;

/// An agent on a bus, settled with its ACS.
fn settled(acs: &Acs) -> (Ubusd, Agent) {
    let mut agent = Agent::new(acs);
    let ubusd = agent.root.start_ubusd();
    agent.start();
    acs.serve();
    agent.wait_idle();
    ubusd.wait_for_object("cwmpd");
    (ubusd, agent)
}

/// The data of a call that has to succeed.
fn ok(ubusd: &Ubusd, method: &str, arguments: Value) -> Value {
    let (status, data) = ubusd.call("cwmpd", method, &arguments);
    assert_eq!(status, OK, "{method}: {data:?}");
    data.unwrap_or(Value::Null)
}

/// A call that has to fail: its data.
fn fails(ubusd: &Ubusd, status: u32, method: &str, arguments: Value) -> Value {
    let (got, data) = ubusd.call("cwmpd", method, &arguments);
    assert_eq!(got, status, "{method}: {data:?}");
    data.unwrap_or(Value::Null)
}

#[test]
fn its_methods_are_those_of_its_page() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    let ubusd = agent.root.start_ubusd();
    agent.start();
    let signature = ubusd.wait_for_object("cwmpd");
    assert_eq!(
        signature,
        json!({"status": {}, "inform": {"event": 3}, "get": {"names": 1}, "set": {"values": 2}, "reload": {}})
    );
    let page = include_str!("../docs/ubus.md");
    let acl: Value = serde_json::from_str(include_str!("../files/usr/share/rpcd/acl.d/cwmpd.json")).unwrap();
    let allowed: Vec<&str> = ["read", "write"]
        .iter()
        .flat_map(|access| acl["cwmpd"][access]["ubus"]["cwmpd"].as_array().unwrap())
        .map(|method| method.as_str().unwrap())
        .collect();
    for method in signature.as_object().unwrap().keys() {
        assert!(page.contains(&format!("### {method}")), "docs/ubus.md does not explain {method}");
        assert!(allowed.contains(&method.as_str()), "the ACL does not know {method}");
    }
    assert_eq!(allowed.len(), signature.as_object().unwrap().len());
    // What changes something is not among what may be read.
    assert_eq!(acl["cwmpd"]["read"]["ubus"]["cwmpd"], json!(["status", "get"]));
}

#[test]
fn values_are_read_and_written_as_on_the_command_line() {
    let acs = Acs::start();
    let (ubusd, agent) = settled(&acs);
    let status = ok(&ubusd, "status", json!({}));
    assert_eq!(status["acs_url"], acs.url());
    assert_eq!(status["last_session"]["complete"], true);
    assert_eq!(status.get("reply"), None);
    // The arguments need not be there at all.
    assert_eq!(ubusd.call("cwmpd", "status", &json!({"more": 1})).0, OK);

    let name = "Device.ManagementServer.PeriodicInformInterval";
    let got = ok(&ubusd, "get", json!({"names": [name, "Device.DeviceInfo.Manufacturer"]}));
    assert_eq!(got["values"][name], "3600");
    assert_eq!(got["values"].as_object().unwrap().len(), 2);

    // Numbers and booleans need no quotes.
    let enable = "Device.ManagementServer.PeriodicInformEnable";
    ok(&ubusd, "set", json!({"values": {name: 1234, enable: false}}));
    assert_eq!((agent.value(name), agent.value(enable)), ("1234".into(), "false".into()));
    assert!(agent.root.read("/etc/config/cwmpd").contains("option periodic_interval '1234'"));

    // No secret comes out.
    let password = "Device.ManagementServer.ConnectionRequestPassword";
    assert_eq!(ok(&ubusd, "get", json!({"names": [password]}))["values"][password], "");
}

#[test]
fn the_whole_tree_fits_and_what_does_not_is_told() {
    let acs = Acs::start();
    let (ubusd, agent) = settled(&acs);
    let all = ok(&ubusd, "get", json!({"names": ["Device."]}));
    let printed = agent.json(&["get", "Device."]);
    assert_eq!(all["values"].as_object().unwrap().len(), printed.as_array().map_or(usize::MAX, Vec::len));
    // That of 600 rules with long names does not.
    let section = format!("\nconfig rule\n\toption name '{}'\n\toption target 'ACCEPT'\n", "x".repeat(200));
    agent.root.append("/etc/config/firewall", &section.repeat(600));
    let told = fails(&ubusd, UNKNOWN_ERROR, "get", json!({"names": ["Device.Firewall."]}));
    assert!(told["text"].as_str().unwrap().contains("ask for less"), "{told}");
    // And the object goes on.
    assert_eq!(ubusd.call("cwmpd", "status", &json!({})).0, OK);
}

#[test]
fn what_is_wrong_has_its_status_and_its_fault() {
    let acs = Acs::start();
    let (ubusd, agent) = settled(&acs);
    let before = agent.root.read("/etc/config/cwmpd");
    let told = fails(&ubusd, INVALID_ARGUMENT, "get", json!({"names": ["Device.Nothing"]}));
    assert_eq!(told["fault"], 9005);
    let wrong = json!({"values": {
        "Device.ManagementServer.PeriodicInformInterval": 60,
        "Device.ManagementServer.PeriodicInformEnable": "maybe",
        "Device.DeviceInfo.UpTime": 5,
    }});
    let told = fails(&ubusd, INVALID_ARGUMENT, "set", wrong);
    assert_eq!(told["fault"], 9003);
    for code in ["9006 Device.ManagementServer.PeriodicInformEnable", "9008 Device.DeviceInfo.UpTime"] {
        assert!(told["text"].as_str().unwrap().contains(code), "{told}");
    }
    for (method, arguments) in [
        ("get", json!({})),
        ("get", json!({"names": []})),
        ("get", json!({"names": "Device."})),
        ("get", json!({"names": [1]})),
        ("set", json!({"values": {}})),
        ("set", json!({"values": [1]})),
        ("set", json!({"values": {"Device.DeviceInfo.ProvisioningCode": ["a"]}})),
        ("inform", json!({"event": "13 WISHES"})),
        ("inform", json!({"event": 2})),
    ] {
        let told = fails(&ubusd, INVALID_ARGUMENT, method, arguments);
        assert!(!told["text"].as_str().unwrap().is_empty());
    }
    fails(&ubusd, METHOD_NOT_FOUND, "sing", json!({}));
    // Bytes that are no members.
    let sequence = ubusd.begin_call("cwmpd", "get", b"\x83\0\0\x0a\0\x01a\0hi");
    assert_eq!(ubusd.wait_for_call(sequence), (INVALID_ARGUMENT, None));
    assert_eq!(agent.root.read("/etc/config/cwmpd"), before);
    assert_eq!(ubusd.call("cwmpd", "status", &json!({})).0, OK);
}

#[test]
fn a_session_is_asked_for_at_once_and_told_of_when_it_is_there() {
    let acs = Acs::start();
    let (ubusd, agent) = settled(&acs);
    // That of the boot may have been over before the agent was on the bus.
    let before = ubusd.sent_events("cwmpd.session").len();
    let answer = ok(&ubusd, "inform", json!({"event": "6 CONNECTION REQUEST"}));
    // The answer is there before the ACS has said anything.
    let mut session = acs.session();
    assert_eq!(codes(&session.inform), ["6 CONNECTION REQUEST"]);
    let number = answer["session"].clone();
    eventually("the event of the beginning", || {
        ubusd.sent_events("cwmpd.session").iter().any(|event| event["session"] == number && event["state"] == "begun")
    });
    assert!(!ubusd.sent_events("cwmpd.session").iter().any(|e| e["session"] == number && e["state"] == "ended"));
    // Others can be asked while it runs.
    assert_eq!(ok(&ubusd, "status", json!({}))["in_session"], true);
    session.inform_ok();
    session.end();
    agent.wait_idle();
    eventually("the event of the end", || ubusd.sent_events("cwmpd.session").len() == before + 2);
    let events = ["6 CONNECTION REQUEST"];
    assert_eq!(
        ubusd.sent_events("cwmpd.session")[before..],
        [
            json!({"session": number, "events": events, "state": "begun"}),
            json!({"session": number, "events": events, "state": "ended", "complete": true, "reason": ""}),
        ]
    );

    // One that cannot be.
    agent.option("cpe", "enable", "0");
    eventually("the switch", || ok(&ubusd, "status", json!({}))["enabled"] == false);
    let told = fails(&ubusd, UNKNOWN_ERROR, "inform", json!({}));
    assert!(told["text"].as_str().unwrap().contains("switched off"), "{told}");
}

#[test]
fn a_reload_reads_the_configuration_again() {
    let acs = Acs::start();
    let (ubusd, agent) = settled(&acs);
    agent.option("cpe", "provisioning_code", "again");
    ok(&ubusd, "reload", json!({}));
    wait_for("the new value", || (agent.value("Device.DeviceInfo.ProvisioningCode") == "again").then_some(()));
}

#[test]
fn it_is_there_again_when_ubusd_or_its_name_is() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    // Somebody else has the name.
    let ubusd = agent.root.start_ubusd();
    ubusd.take_path("cwmpd", true);
    agent.start();
    acs.serve();
    agent.wait_log("the object cwmpd is not on the bus");
    assert!(!ubusd.has_object("cwmpd"));
    // What else is done on the bus goes on.
    ubusd.wait_for_listener("network.interface");
    ubusd.take_path("cwmpd", false);
    ubusd.send_event("ubus.object.remove", &json!({"id": 5, "path": "somebody"}));
    ubusd.send_event("ubus.object.remove", &json!({"id": 7, "path": "cwmpd"}));
    ubusd.wait_for_object("cwmpd");
    assert_eq!(ubusd.call("cwmpd", "status", &json!({})).0, OK);
    // ubusd is started again, with a call under way.
    ubusd.begin_call("cwmpd", "get", b"");
    drop(ubusd);
    let ubusd = agent.root.start_ubusd();
    ubusd.wait_for_object("cwmpd");
    assert_eq!(ubusd.call("cwmpd", "status", &json!({})).0, OK);
}

#[test]
fn many_calls_at_once_are_each_answered() {
    let acs = Acs::start();
    let (ubusd, agent) = settled(&acs);
    let mut names = Vec::new();
    let mut writer = cwmpd::platform::ubus::blob::Writer::default();
    writer.put_members(0, &json!({"names": ["Device.DeviceInfo."]})).unwrap();
    let arguments = writer.finish().unwrap()[4..].to_vec();
    for _ in 0..100 {
        names.push(ubusd.begin_call("cwmpd", "get", &arguments));
    }
    let answers: Vec<_> = names.into_iter().map(|sequence| ubusd.wait_for_call(sequence).0).collect();
    // Some are done, and those that are too many are refused and not kept.
    assert!(answers.iter().all(|status| matches!(*status, OK | UNKNOWN_ERROR)), "{answers:?}");
    assert!(answers.iter().filter(|status| **status == OK).count() >= 16, "{answers:?}");
    assert_eq!(ubusd.call("cwmpd", "status", &json!({})).0, OK);
    assert_eq!(agent.status()["in_session"], false);
}
