//! What the ACS is told when values change (CONFORMANCE section 11, and C-14), with the program itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::time::Duration;

use common::acs::{Acs, codes, set_values, told, wait_for};
use common::agent::Agent;
use cwmpd::soap::rpc::Inform;
use nix::sys::signal::Signal;

const CODE: &str = "Device.DeviceInfo.ProvisioningCode";
const HOST_NAME: &str = "Device.DeviceInfo.HostName";
const VERSION: &str = "Device.DeviceInfo.SoftwareVersion";
const URL: &str = "Device.ManagementServer.ConnectionRequestURL";
const ADDRESS: &str = "Device.IP.Interface.3.IPv4Address.1.IPAddress";

/// An agent after its first session, in which these parameters got this Notification attribute.
fn watching(acs: &Acs, names: &[&str], notification: i64) -> Agent {
    let agent = Agent::start_new(acs);
    let mut session = acs.session();
    session.inform_ok();
    session.notify(names, notification);
    session.end();
    agent.wait_idle();
    agent
}

/// How often a parameter stands in an Inform.
fn times(inform: &Inform, name: &str) -> usize {
    inform.parameters.iter().filter(|parameter| parameter.name == name).count()
}

#[test]
fn n01_n03_passive_change_goes_with_the_next_inform() {
    let acs = Acs::start();
    let agent = watching(&acs, &[HOST_NAME], 1);
    for name in ["one", "two", "three"] {
        agent.ok(&["set", &format!("{HOST_NAME}={name}")]);
    }
    agent.signal(Signal::SIGUSR1);
    assert!(acs.next_within(Duration::from_millis(1500)).is_none());
    agent.ask("2 PERIODIC");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["2 PERIODIC", "4 VALUE CHANGE"]);
    assert_eq!(told(&inform, HOST_NAME), Some("three"));
    assert_eq!(times(&inform, HOST_NAME), 1);
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["2 PERIODIC"]);
    assert_eq!(told(&inform, HOST_NAME), None);
}

/// Somebody edits a file, as LuCI and the user do.
#[test]
fn n02_n04_active_change_of_a_file_starts_a_session() {
    let acs = Acs::start();
    let agent = watching(&acs, &[HOST_NAME], 2);
    agent.root.replace("/etc/config/system", "OpenWrt", "renamed");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, HOST_NAME), Some("renamed"));
}

#[test]
fn n02_change_that_only_sigusr1_finds() {
    let acs = Acs::start();
    let agent = watching(&acs, &[ADDRESS], 2);
    let status = agent.root.ubus("network.interface.wan", "status").replace("198.51.100.23", "198.51.100.77");
    let dump = agent.root.ubus("network.interface", "dump").replace("198.51.100.23", "198.51.100.77");
    agent.root.set_ubus("network.interface.wan", "status", None, &status);
    agent.root.set_ubus("network.interface", "dump", None, &dump);
    agent.signal(Signal::SIGUSR1);
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, ADDRESS), Some("198.51.100.77"));
}

#[test]
fn n04_p10_p69_changes_by_the_acs_are_not_told() {
    let acs = Acs::start();
    let rows = "Device.ManagementServer.InformParameter.";
    let count = "Device.ManagementServer.InformParameterNumberOfEntries";
    let agent = watching(&acs, &[HOST_NAME, CODE, count], 2);
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    session.set(&[(HOST_NAME, "xsd:string", "by-the-acs"), (CODE, "xsd:string", "x")]);
    session.add(rows);
    let row = session.add(rows);
    session.delete(&format!("{rows}{row}."));
    session.end();
    agent.wait_idle();
    agent.signal(Signal::SIGUSR1);
    assert!(acs.next_within(Duration::from_millis(1500)).is_none());
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
}

/// It changes with nearly every request of the ACS.
#[test]
fn n04_p08_a_parameter_key_of_the_acs_is_not_told() {
    let acs = Acs::start();
    let key = "Device.ManagementServer.ParameterKey";
    let agent = watching(&acs, &[key], 1);
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    session.request(set_values(&[(HOST_NAME, "xsd:string", "by-the-acs")], "the key"));
    session.end();
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["2 PERIODIC"]);
    assert_eq!(told(&inform, key), Some("the key"));
}

/// Only a retry may have no event.
#[test]
fn i02_n06_a_session_for_a_change_that_is_none_any_more_has_its_event() {
    let acs = Acs::start();
    let agent = watching(&acs, &[HOST_NAME], 2);
    agent.ask("4 VALUE CHANGE");
    assert_eq!(codes(&acs.serve()), ["4 VALUE CHANGE"]);
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
}

#[test]
fn n05_changes_are_told_until_an_inform_response() {
    let acs = Acs::start();
    let agent = watching(&acs, &[HOST_NAME], 2);
    agent.ok(&["set", &format!("{HOST_NAME}=new")]);
    let exchange = acs.next();
    assert_eq!(told(exchange.inform(), HOST_NAME), Some("new"));
    exchange.http("500 Internal Server Error", &[], b"");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, HOST_NAME), Some("new"));
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
}

#[test]
fn n03_change_during_a_session_comes_after_it() {
    let acs = Acs::start();
    let agent = watching(&acs, &[HOST_NAME], 2);
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    agent.ok(&["set", &format!("{HOST_NAME}=meanwhile")]);
    session.end();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, HOST_NAME), Some("meanwhile"));
}

#[test]
fn n08_changes_over_a_reboot() {
    let acs = Acs::start();
    let mut agent = watching(&acs, &[HOST_NAME], 1);
    agent.kill();
    let upgraded = agent.root.read("/etc/openwrt_release").replace("24.10.2", "24.10.3");
    agent.root.write("/etc/openwrt_release", upgraded);
    agent.root.replace("/etc/os-release", "24.10.2", "24.10.3");
    agent.root.replace("/etc/config/system", "OpenWrt", "renamed");
    agent.root.reboot();
    agent.start();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["1 BOOT", "4 VALUE CHANGE"]);
    assert!(told(&inform, VERSION).unwrap().contains("24.10.3"));
    assert_eq!(times(&inform, VERSION), 1);
    assert_eq!(told(&inform, HOST_NAME), Some("renamed"));
}

#[test]
fn n08_restart_of_the_agent_is_no_change() {
    let acs = Acs::start();
    let mut agent = watching(&acs, &[HOST_NAME], 2);
    agent.stop();
    agent.start();
    assert!(acs.next_within(Duration::from_millis(1500)).is_none());
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
}

#[test]
fn n09_attribute_that_is_switched_on_is_no_change() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.ok(&["set", &format!("{HOST_NAME}=before")]);
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    session.notify(&[HOST_NAME], 2);
    session.end();
    agent.wait_idle();
    assert!(acs.next_within(Duration::from_millis(1500)).is_none());
}

/// Whatever changes, everything is looked at again; a program that has not helped is not run each time.
#[test]
fn a_port_that_does_not_go_off_keeps_nobody_busy() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.root.write_recorder("/sbin/ip", "");
    agent.ok(&["set", "Device.Ethernet.Interface.1.Enable=false"]);
    for code in ["a", "b", "c", "d"] {
        agent.ok(&["set", &format!("{CODE}={code}")]);
        acs.serve();
        agent.wait_idle();
    }
    let calls = agent.root.calls().into_iter().filter(|call| call.starts_with("/sbin/ip link set")).count();
    assert!((1..=2).contains(&calls), "{calls}");
}

#[test]
fn attributes_of_the_configuration_count_from_the_first_boot_on() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    let text = format!("\nconfig notify\n\toption parameter '{HOST_NAME}'\n\toption notification 'active'\n");
    agent.root.append("/etc/config/cwmpd", &text);
    // A look at the model before makes no difference.
    agent.ok(&["get", "Device.DeviceInfo.", "Device.Ethernet."]);
    assert!(agent.root.at("/etc/cwmpd/model.json").exists());
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.attributes(&[HOST_NAME])[0].notification, 2);
    session.end();
    agent.root.replace("/etc/config/system", "OpenWrt", "renamed");
    assert_eq!(told(&acs.serve(), HOST_NAME), Some("renamed"));
}

/// Without an address to listen on, the URL carries that of the interface.
#[test]
fn c14_n08_new_address_is_a_new_url() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.root.replace("/etc/config/cwmpd", "\toption listen_address '127.0.0.1'\n", "");
    agent.start();
    let url = |address: &str| format!("http://{address}:{}/knock", agent.port);
    assert_eq!(told(&acs.serve(), URL), Some(url("198.51.100.23").as_str()));
    agent.wait_idle();
    let status = agent.root.ubus("network.interface.wan", "status").replace("198.51.100.23", "198.51.100.77");
    agent.root.set_ubus("network.interface.wan", "status", None, &status);
    // The kernel would tell of the address by netlink; a reload does as well.
    agent.signal(Signal::SIGHUP);
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE"]);
    assert_eq!(told(&inform, URL), Some(url("198.51.100.77").as_str()));
    wait_for("the new URL", || (agent.status()["connection_request_url"] == url("198.51.100.77")).then_some(()));
}
