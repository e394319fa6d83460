//! When a session begins and what its Inform says (CONFORMANCE sections 4, 5, 9.8 and 10), with the program itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::fs::File;
use std::time::{Duration, Instant, SystemTime};

use common::acs::{Acs, codes, set_values, told, wait_for};
use common::agent::Agent;
use cwmpd::soap::rpc::{Inform, Message};
use nix::sys::signal::Signal;

const VERSION: &str = "Device.DeviceInfo.SoftwareVersion";
const FORCED: [&str; 6] = [
    "Device.RootDataModelVersion",
    "Device.DeviceInfo.HardwareVersion",
    VERSION,
    "Device.DeviceInfo.ProvisioningCode",
    "Device.ManagementServer.ConnectionRequestURL",
    "Device.ManagementServer.ParameterKey",
];

fn has(inform: &Inform, code: &str) -> bool {
    codes(inform).contains(&code)
}

/// The command keys of the events with this code.
fn keys<'a>(inform: &'a Inform, code: &str) -> Vec<&'a str> {
    inform.events.iter().filter(|event| event.code == code).map(|event| event.command_key.as_str()).collect()
}

fn assert_no_name_twice(inform: &Inform) {
    let mut names: Vec<&str> = inform.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn i01_i02_i03_i04_i06_first_inform() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    let inform = session.inform.clone();
    assert!(inform.events.iter().all(|event| event.command_key.is_empty()));
    for name in FORCED {
        assert!(told(&inform, name).is_some(), "{name}");
    }
    assert_eq!(told(&inform, "Device.ManagementServer.AliasBasedAddressing"), Some("true"));
    let url = format!("http://127.0.0.1:{}/knock", agent.port);
    assert_eq!(told(&inform, "Device.ManagementServer.ConnectionRequestURL"), Some(url.as_str()));
    assert_no_name_twice(&inform);
    // The sample router is in Berlin.
    assert!(["+01:00", "+02:00"].iter().any(|offset| inform.current_time.ends_with(offset)), "{}", inform.current_time);
    session.inform_ok();
    let id = &inform.device_id;
    for (name, value) in [
        ("Manufacturer", &id.manufacturer),
        ("ManufacturerOUI", &id.oui),
        ("ProductClass", &id.product_class),
        ("SerialNumber", &id.serial_number),
    ] {
        assert_eq!(session.value(&format!("Device.DeviceInfo.{name}")), *value);
    }
    assert!(id.oui.len() == 6 && id.oui.chars().all(|c| c.is_ascii_digit() || ('A'..='F').contains(&c)));
    session.end();
}

/// An ACS refuses a device without a serial number, and takes one with another for another device.
#[test]
fn i01_a_router_that_does_not_know_its_serial_number_gets_one_that_stays() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    for path in ["/etc/board.json", "/proc/device-tree", "/sys/class/net", "/sys/class/ieee80211"] {
        agent.root.remove(path);
    }
    agent.start();
    let first = acs.serve().device_id.serial_number;
    assert_eq!(first.len(), 16, "{first}");
    agent.wait_idle();
    agent.reboot();
    assert_eq!(acs.serve().device_id.serial_number, first);
}

/// A clock that is behind the newest file cannot be right.
#[test]
fn i03_t20_clock_that_is_not_known() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    let later = SystemTime::now() + Duration::from_secs(30 * 24 * 3600);
    File::options().append(true).open(agent.root.at("/etc/hosts")).unwrap().set_modified(later).unwrap();
    agent.start();
    let inform = acs.serve();
    assert_eq!(inform.current_time, "0001-01-01T00:00:00Z");
    assert_eq!(agent.status()["clock_known"], false);
}

#[test]
fn i05_inform_parameters_by_their_events() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    for (name, events) in [("Device.DeviceInfo.UpTime", ""), ("Device.DeviceInfo.ModelName", "1 BOOT,3 SCHEDULED")] {
        let row = session.add("Device.ManagementServer.InformParameter.");
        let path = format!("Device.ManagementServer.InformParameter.{row}.");
        session.set(&[
            (&format!("{path}ParameterName"), "xsd:string", name),
            (&format!("{path}EventList"), "xsd:string", events),
            (&format!("{path}Enable"), "xsd:boolean", "1"),
        ]);
    }
    session.end();
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    let inform = acs.serve();
    assert!(told(&inform, "Device.DeviceInfo.UpTime").is_some());
    assert_eq!(told(&inform, "Device.DeviceInfo.ModelName"), None);
    agent.wait_idle();
    agent.ask("3 SCHEDULED");
    let inform = acs.serve();
    assert_eq!(told(&inform, "Device.DeviceInfo.ModelName"), Some("Example AX3000"));
    assert_no_name_twice(&inform);
}

#[test]
fn i04_parameters_of_the_configuration_are_in_every_inform() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent
        .root
        .append("/etc/config/cwmpd", "\nconfig inform 'inform'\n\tlist parameter 'Device.DeviceInfo.ModelName'\n");
    agent.start();
    let inform = acs.serve();
    assert_eq!(told(&inform, "Device.DeviceInfo.ModelName"), Some("Example AX3000"));
}

#[test]
fn b01_b07_each_change_of_the_url_is_a_bootstrap() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.option("acs", "url", &acs.url_of("/ACS"));
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["0 BOOTSTRAP"]);
    agent.wait_idle();
    agent.options("acs", &[("username", "somebody"), ("password", "else")]);
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
}

#[test]
fn b03_b04_p15_url_set_by_the_acs() {
    let (old, new) = (Acs::start(), Acs::start());
    let agent = Agent::settled(&old);
    agent.ask("2 PERIODIC");
    let mut session = old.session();
    session.inform_ok();
    session.set(&[("Device.ManagementServer.URL", "xsd:string", &new.url())]);
    assert_eq!(session.value("Device.ManagementServer.URL"), new.url());
    session.end();
    // The new one is not well yet.
    new.next().http("503 Service Unavailable", &[], b"");
    let inform = new.serve();
    assert_eq!(codes(&inform), ["0 BOOTSTRAP"]);
    assert_eq!(inform.retry_count, 1);
    assert!(agent.root.read("/etc/config/cwmpd").contains(&new.url()));
    // Going back is a change again.
    agent.wait_idle();
    agent.option("acs", "url", &old.url());
    assert_eq!(codes(&old.serve()), ["0 BOOTSTRAP"]);
}

/// What SetParameterValues takes is what the agent then uses: nobody would hear of it again.
#[test]
fn p04_no_url_and_no_password_is_taken_that_cannot_be_used() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    for (name, value) in [
        ("URL", "http://user:word@acs.example/"),
        ("URL", "http://acs.example:70000/"),
        ("Password", "word\n"),
        ("ConnectionRequestPassword", "a\tb"),
    ] {
        let name = format!("Device.ManagementServer.{name}");
        let fault = session.refused(set_values(&[(&name, "xsd:string", value)], ""));
        assert_eq!(fault.parameters[0].code.0, 9007, "{name} {value:?}");
    }
    let long = format!("{}?{}", acs.url(), "t".repeat(1000));
    session.set(&[("Device.ManagementServer.URL", "xsd:string", &long)]);
    session.end();
    assert_eq!(codes(&acs.serve()), ["0 BOOTSTRAP"]);
}

#[test]
fn b05_bootstrap_drops_what_was_for_the_former_acs() {
    let (old, new) = (Acs::start(), Acs::start());
    let agent = Agent::settled(&old);
    agent.ask("2 PERIODIC");
    let mut session = old.session();
    session.inform_ok();
    session.request(Message::ScheduleInform { delay_seconds: 1, command_key: "for the old one".into() });
    session.set(&[("Device.ManagementServer.URL", "xsd:string", &new.url())]);
    session.end();
    assert_eq!(codes(&new.serve()), ["0 BOOTSTRAP"]);
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&new.serve()), ["2 PERIODIC"]);
}

#[test]
fn b01_b02_s04_restart_reboot_and_power_cut() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    agent.stop();
    agent.start();
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
    agent.wait_idle();
    agent.reboot();
    assert_eq!(codes(&acs.serve()), ["1 BOOT"]);
}

#[test]
fn s04_without_a_boot_id_a_restart_is_no_boot() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.root.remove("/proc/sys/kernel/random/boot_id");
    agent.start();
    assert_eq!(codes(&acs.serve()), ["0 BOOTSTRAP", "1 BOOT"]);
    agent.wait_idle();
    agent.kill();
    agent.start();
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
}

/// A state that cannot be read is no reason to believe that the ACS does not know us.
#[test]
fn b01_state_that_is_lost_or_of_the_future_is_no_bootstrap() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    agent.stop();
    agent.root.write("/etc/cwmpd/state.json", "{\"version\": 99, \"what\": [1]}");
    agent.root.reboot();
    agent.start();
    assert_eq!(codes(&acs.serve()), ["1 BOOT"]);
}

#[test]
fn e01_r08_events_of_a_time_without_an_acs_come_in_one_inform() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.option("acs", "periodic_interval", "1");
    for _ in 0..2 {
        acs.next().http("503 Service Unavailable", &[], b"");
    }
    let mut session = acs.session();
    assert_eq!(session.events(), ["2 PERIODIC"]);
    assert_eq!(session.inform.retry_count, 2);
    session.inform_ok();
    session.end();
}

#[test]
fn e02_periodic_survives_a_reboot() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    agent.ask("2 PERIODIC");
    let _never_answered = acs.next();
    agent.kill();
    agent.root.reboot();
    agent.start();
    let inform = acs.serve();
    assert!(has(&inform, "1 BOOT") && has(&inform, "2 PERIODIC"), "{inform:?}");
    // The wait counts anew after a reboot (CONFORMANCE R-05).
    assert_eq!(inform.retry_count, 0);
}

#[test]
fn s06_s07_e01_periodic_informs() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.ask("6 CONNECTION REQUEST");
    let mut session = acs.session();
    session.inform_ok();
    session.set(&[("Device.ManagementServer.PeriodicInformInterval", "xsd:unsignedInt", "1")]);
    session.end();
    let begin = Instant::now();
    for _ in 0..2 {
        assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
    }
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert!(agent.root.read("/etc/config/cwmpd").contains("option periodic_interval '1'"));
}

#[test]
fn s03_event_during_a_session_gives_one_more() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let session_in_the_way = acs.session();
    agent.ask("2 PERIODIC");
    wait_for("the event", || (agent.status()["pending_events"].to_string().contains("PERIODIC")).then_some(()));
    for _ in 0..3 {
        assert_eq!(agent.connection_request(), 200);
    }
    let mut session = session_in_the_way;
    session.inform_ok();
    session.value(VERSION);
    session.end();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["2 PERIODIC", "6 CONNECTION REQUEST"]);
    let status = agent.wait_idle();
    assert_eq!(status["last_session"]["number"], 2);
    assert_eq!(status["pending_events"].as_array().unwrap().len(), 0);
}

#[test]
fn s05_enable_cwmp_takes_effect_after_its_session() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    session.set(&[("Device.ManagementServer.EnableCWMP", "xsd:boolean", "0")]);
    session.value(VERSION);
    session.end();
    wait_for("the closed port", || std::net::TcpStream::connect(agent.address()).err());
    let ran = agent.run(&["inform"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("enable"), "{}", ran.stderr);
    agent.option("cpe", "enable", "1");
    wait_for("the open port", || std::net::TcpStream::connect(agent.address()).ok());
    agent.ask("2 PERIODIC");
    acs.serve();
}

#[test]
fn s09_throttle_holds_back_value_changes_but_not_others() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    session.set(&[("Device.ManagementServer.DefaultActiveNotificationThrottle", "xsd:unsignedInt", "3600")]);
    session.end();
    agent.wait_idle();
    agent.ok(&["set", "Device.DeviceInfo.ProvisioningCode=abc"]);
    wait_for("the event", || agent.status()["pending_events"].to_string().contains("VALUE CHANGE").then_some(()));
    assert!(acs.next_within(Duration::from_millis(1500)).is_none());
    assert_eq!(agent.connection_request(), 200);
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["4 VALUE CHANGE", "6 CONNECTION REQUEST"]);
    assert_eq!(told(&inform, "Device.DeviceInfo.ProvisioningCode"), Some("abc"));
}

#[test]
fn q02_several_reboots_are_one() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    for key in ["first", "second"] {
        session.request(Message::Reboot { command_key: key.into() });
    }
    session.end();
    agent.wait_call("/sbin/reboot");
    agent.stop();
    assert_eq!(agent.root.calls().iter().filter(|call| call.starts_with("/sbin/reboot")).count(), 1);
    agent.root.reboot();
    agent.start();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["1 BOOT", "M Reboot", "M Reboot"]);
    assert_eq!(keys(&inform, "M Reboot"), ["first", "second"]);
}

#[test]
fn q03_q04_factory_reset() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    session.request(Message::ScheduleInform { delay_seconds: 3600, command_key: "never".into() });
    let answer = session.request(Message::FactoryReset);
    assert!(matches!(answer, Message::FactoryResetResponse), "{answer:?}");
    session.value(VERSION);
    assert!(!agent.root.calls().iter().any(|call| call.starts_with("/sbin/firstboot")));
    session.end();
    agent.wait_call("/sbin/firstboot");
    agent.wait_call("/sbin/reboot");
    // What firstboot does: the overlay is gone, the image's files are there again.
    agent.stop();
    agent.root.remove("/etc/cwmpd");
    agent.root.reboot();
    agent.start();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["0 BOOTSTRAP", "1 BOOT"]);
    assert_eq!(told(&inform, "Device.ManagementServer.ParameterKey"), Some(""));
}

/// firstboot takes the state away beneath a running agent. What that saves before the router is down must not outlive the reset.
#[test]
fn q03_q04_nothing_of_the_state_outlives_a_factory_reset() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    agent.option("cpe", "rollback_timeout", "300");
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    session.request(set_values(&[("Device.DeviceInfo.HostName", "xsd:string", "renamed")], "key"));
    session.set(&[("Device.NAT.PortMapping.1.Description", "xsd:string", "on trial")]);
    assert!(agent.root.at("/etc/cwmpd/guard").exists());
    session.request(Message::ScheduleInform { delay_seconds: 1, command_key: "never".into() });
    session.request(Message::FactoryReset);
    session.end();
    agent.wait_call("/sbin/reboot");
    assert!(!agent.root.at("/etc/cwmpd/guard").exists(), "what a change on trial would bring back");
    agent.stop();
    agent.root.reboot();
    agent.start();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["0 BOOTSTRAP", "1 BOOT"]);
    assert_eq!(told(&inform, "Device.ManagementServer.ParameterKey"), Some(""));
}

#[test]
fn q05_e03_schedule_inform() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    for key in ["one", "two"] {
        let answer = session.request(Message::ScheduleInform { delay_seconds: 1, command_key: key.into() });
        assert!(matches!(answer, Message::ScheduleInformResponse), "{answer:?}");
    }
    let fault = session.refused(Message::ScheduleInform { delay_seconds: 0, command_key: "three".into() });
    assert_eq!(fault.code.0, 9003);
    wait_for("both events", || agent.status()["pending_events"].to_string().contains("two").then_some(()));
    session.end();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["3 SCHEDULED", "M ScheduleInform", "M ScheduleInform"]);
    assert_eq!(keys(&inform, "M ScheduleInform"), ["one", "two"]);
}

#[test]
fn q06_schedule_inform_survives_a_reboot() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    session.request(Message::ScheduleInform { delay_seconds: 2, command_key: "later".into() });
    session.end();
    agent.wait_idle();
    agent.reboot();
    let inform = acs.serve_until(|inform| has(inform, "M ScheduleInform"));
    assert_eq!(keys(&inform, "M ScheduleInform"), ["later"]);
}

#[test]
fn r02_r04_r05_r06_failed_sessions_are_tried_again() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut last = Instant::now();
    for count in 0..4 {
        let exchange = acs.next();
        if count > 0 {
            // m=1 s and k=1000: always one second.
            let waited = last.elapsed();
            assert!((Duration::from_millis(900)..Duration::from_secs(8)).contains(&waited), "{waited:?}");
        }
        assert_eq!(exchange.inform().retry_count, count);
        last = Instant::now();
        exchange.http("500 Internal Server Error", &[], b"");
    }
    assert_eq!(acs.serve().retry_count, 4);
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    assert_eq!(acs.serve().retry_count, 0);
}

#[test]
fn r07_c05_connection_request_ends_the_wait() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.option("acs", "retry_min_wait", "3600");
    agent.start();
    acs.next().http("500 Internal Server Error", &[], b"");
    agent.wait_idle();
    assert_eq!(agent.connection_request(), 200);
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["0 BOOTSTRAP", "1 BOOT", "6 CONNECTION REQUEST"]);
    assert_eq!(inform.retry_count, 1);
}

/// Nothing is tried before the interface is up, and whoever wonders why is told.
#[test]
fn the_status_names_the_interface_that_is_waited_for() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    let up = agent.root.ubus("network.interface.wan", "status");
    agent.root.set_ubus("network.interface.wan", "status", None, "{\"up\": false}");
    agent.start();
    let next = agent.status()["next_session"].as_str().unwrap().to_owned();
    assert!(next.contains("wan (cwmpd.cpe.interface)"), "{next}");
    agent.root.set_ubus("network.interface.wan", "status", None, &up);
    agent.signal(Signal::SIGHUP);
    acs.serve();
}

#[test]
fn r08_new_events_do_not_shorten_the_wait() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.options("acs", &[("retry_min_wait", "3600"), ("periodic_interval", "1")]);
    agent.start();
    acs.next().http("500 Internal Server Error", &[], b"");
    agent.wait_idle();
    wait_for("the event", || agent.status()["pending_events"].to_string().contains("PERIODIC").then_some(()));
    assert!(acs.next_within(Duration::from_millis(1200)).is_none());
    // The interface that comes up after it was down does.
    let up = agent.root.ubus("network.interface.wan", "status");
    agent.root.set_ubus("network.interface.wan", "status", None, "{\"up\": false}");
    agent.signal(Signal::SIGHUP);
    wait_for("the interface down", || (agent.status()["interface_up"] == false).then_some(()));
    agent.root.set_ubus("network.interface.wan", "status", None, &up);
    agent.signal(Signal::SIGHUP);
    let inform = acs.serve();
    assert!(has(&inform, "2 PERIODIC") && has(&inform, "1 BOOT"));
    assert_eq!(inform.retry_count, 1);
}
