//! What the bus tells reaches the ACS by event (CONFORMANCE section 11), with the program itself on a router whose ubusd is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::time::Duration;

use common::acs::{Acs, codes, told};
use common::agent::Agent;
use common::ubusd::Ubusd;
use serde_json::{Value, json};

const ADDRESS: &str = "Device.IP.Interface.3.IPv4Address.1.IPAddress";
const CLIENTS: &str = "Device.WiFi.AccessPoint.1.AssociatedDeviceNumberOfEntries";

/// An agent on a router with ubusd after its first session, in which these parameters got active notification.
fn watching(acs: &Acs, names: &[&str]) -> (Agent, Ubusd) {
    let mut agent = Agent::new(acs);
    let ubusd = agent.root.start_ubusd();
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    session.notify(names, 2);
    session.end();
    agent.wait_idle();
    for name in ["network.interface", "hostapd.phy0-ap0", "dhcp"] {
        ubusd.wait_for_listener(name);
    }
    (agent, ubusd)
}

/// Another address, without a word.
fn change_address(agent: &Agent, from: &str, to: &str) {
    for (object, method) in [("network.interface.wan", "status"), ("network.interface", "dump")] {
        let reply = agent.root.ubus(object, method).replace(from, to);
        agent.root.set_ubus(object, method, None, &reply);
    }
}

#[test]
fn n02_an_address_that_netifd_tells_of_starts_a_session() {
    let acs = Acs::start();
    let (agent, ubusd) = watching(&acs, &[ADDRESS]);
    // What the first session brought about is over then.
    assert!(acs.next_within(Duration::from_millis(2500)).is_none());
    change_address(&agent, "198.51.100.23", "198.51.100.77");
    // Nobody looks before something is told.
    ubusd.clear();
    assert!(acs.next_within(Duration::from_millis(1500)).is_none());
    assert_eq!(ubusd.calls(), Vec::<String>::new(), "an idle agent asks for nothing");
    ubusd.send_event("network.interface", &json!({"action": "ifup", "interface": "wan"}));
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, ADDRESS), Some("198.51.100.77"));
    assert!(!agent.root.calls().iter().any(|call| call.starts_with("/bin/ubus")), "no process for a call");
}

#[test]
fn n02_a_client_that_hostapd_tells_of_starts_a_session() {
    let acs = Acs::start();
    let (agent, ubusd) = watching(&acs, &[CLIENTS]);
    let before = agent.value(CLIENTS);
    for (object, method, pointer) in
        [("hostapd.phy0-ap0", "get_clients", "/clients"), ("iwinfo", "assoclist.phy0-ap0", "/results")]
    {
        let mut reply: Value = serde_json::from_str(&agent.root.ubus(object, method)).unwrap();
        match reply.pointer_mut(pointer).unwrap() {
            Value::Object(clients) => clients.clear(),
            list => *list = json!([]),
        }
        agent.root.set_ubus(object, method, None, &reply.to_string());
    }
    ubusd.notify("hostapd.phy0-ap0", "disassoc", &json!({"address": "00:00:5e:00:53:a2"}), false);
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!((before.as_str(), told(&inform, CLIENTS)), ("1", Some("0")));
}

#[test]
fn n02_what_changed_while_the_bus_was_away_is_told_when_it_is_back() {
    let acs = Acs::start();
    let (agent, ubusd) = watching(&acs, &[ADDRESS]);
    drop(ubusd);
    change_address(&agent, "198.51.100.23", "198.51.100.99");
    let _ubusd = agent.root.start_ubusd();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, ADDRESS), Some("198.51.100.99"));
}
