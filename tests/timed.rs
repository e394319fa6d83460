//! What happens by the clock: reboots, heartbeats and `13 WAKEUP` (CONFORMANCE S-11, H-01, H-02, W-01), and samples of parameters, with the
//! program itself.
#![cfg(all(feature = "scheduled-reboot", feature = "heartbeat", feature = "periodic-statistics"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::time::{Duration, Instant, SystemTime};

use common::acs::{Acs, Session, codes, told, wait_for};
use common::agent::{Agent, again};
use cwmpd::time::UtcTime;
use nix::sys::signal::Signal;

const SCHEDULE: &str = "Device.ManagementServer.ScheduleReboot";
const DELAY: &str = "Device.ManagementServer.DelayReboot";
const HEARTBEAT: &str = "Device.ManagementServer.HeartbeatPolicy.";
const STANDBY: &str = "Device.ManagementServer.StandbyPolicy.";

/// The moment this many seconds from now, as a dateTime.
fn in_seconds(seconds: u64) -> String {
    UtcTime::from(SystemTime::now()).plus(Duration::from_secs(seconds)).to_string()
}

fn wait_until(moment: Instant) {
    wait_for("the time", || (Instant::now() >= moment).then_some(()));
}

fn reboots(agent: &Agent) -> usize {
    agent.root.calls().iter().filter(|call| call.starts_with("/sbin/reboot")).count()
}

fn begin(acs: &Acs) -> (Agent, Session<'_>) {
    let agent = Agent::start_new(acs);
    let mut session = acs.session();
    session.inform_ok();
    (agent, session)
}

fn set_heartbeat(session: &mut Session<'_>, first: &str) {
    session.set(&[
        (&format!("{HEARTBEAT}ReportingInterval"), "xsd:unsignedInt", "30"),
        (&format!("{HEARTBEAT}InitiationTime"), "xsd:dateTime", first),
        (&format!("{HEARTBEAT}Enable"), "xsd:boolean", "true"),
    ]);
}

#[test]
fn s11_a_scheduled_reboot_waits_for_the_running_session() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    let passed = Instant::now() + Duration::from_secs(3);
    session.set(&[(SCHEDULE, "xsd:dateTime", &in_seconds(2))]);
    wait_until(passed);
    assert_eq!(session.value(DELAY), "-1");
    assert_eq!(reboots(&agent), 0, "a session is running");
    session.end();
    agent.wait_call("/sbin/reboot");
    agent.reboot();
    let session = acs.session();
    // Not M Reboot: that is for the method of this name.
    assert_eq!(session.events(), ["1 BOOT"]);
    drop(session);
}

#[test]
fn s11_a_delay_counts_after_the_session_and_over_a_restart_of_the_daemon() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    session.set(&[(DELAY, "xsd:int", "2")]);
    let begin = Instant::now();
    session.end();
    agent.wait_idle();
    agent.kill();
    assert_eq!(reboots(&agent), 0);
    agent.start();
    agent.wait_call("/sbin/reboot");
    assert!(begin.elapsed() >= Duration::from_secs(2), "{:?}", begin.elapsed());
    wait_for("DelayReboot to be over", || (agent.value(DELAY) == "-1").then_some(()));
}

#[test]
fn s11_a_past_time_means_nothing_and_another_reboot_ends_a_delay() {
    let acs = Acs::start();
    let (mut agent, mut session) = begin(&acs);
    session.set(&[(SCHEDULE, "xsd:dateTime", "2001-02-03T04:05:06Z"), (DELAY, "xsd:int", "86400")]);
    session.end();
    let mut session = again(&agent, &acs);
    assert_eq!(session.value(DELAY), "86400");
    assert_eq!(session.value(SCHEDULE), "2001-02-03T04:05:06Z");
    session.end();
    agent.wait_idle();
    agent.reboot();
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.value(DELAY), "-1");
    session.end();
    assert_eq!(reboots(&agent), 0);
}

#[test]
fn h01_a_heartbeat_comes_at_its_time_and_alone() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    assert_eq!(session.value(&format!("{HEARTBEAT}Enable")), "false");
    // Whole intervals away from the time, whether that lies ahead or not.
    set_heartbeat(&mut session, &in_seconds(2 + 300));
    session.notify(&["Device.NAT.PortMapping.1.Description"], 1);
    session.end();
    agent.wait_idle();
    agent.root.replace("/etc/config/firewall", "Web server", "other");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["14 HEARTBEAT"]);
    let names: Vec<&str> = inform.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert!(!names.contains(&"Device.NAT.PortMapping.1.Description"), "{names:?}");
}

/// An InformParameter is in every Inform, but a heartbeat has no `4 VALUE CHANGE`.
#[test]
fn h02_n01_what_a_heartbeat_carries_is_still_told_as_a_change() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let description = "Device.NAT.PortMapping.1.Description";
    let table = "Device.ManagementServer.InformParameter.";
    let row = session.add(table);
    session.set(&[
        (&format!("{table}{row}.ParameterName"), "xsd:string", description),
        (&format!("{table}{row}.Enable"), "xsd:boolean", "true"),
    ]);
    session.notify(&[description], 1);
    set_heartbeat(&mut session, &in_seconds(4 + 300));
    session.end();
    agent.wait_idle();
    agent.root.replace("/etc/config/firewall", "Web server", "other");
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["14 HEARTBEAT"]);
    assert_eq!(told(&inform, description), Some("other"));
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC", "4 VALUE CHANGE"]);
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
}

#[test]
fn h02_no_heartbeat_while_another_session_is_tried_again() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let passed = Instant::now() + Duration::from_secs(3);
    set_heartbeat(&mut session, &in_seconds(2));
    session.end();
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    let mut tries = 0;
    while Instant::now() < passed {
        let exchange = acs.next();
        assert_eq!(codes(exchange.inform()), ["2 PERIODIC"]);
        exchange.http("500 Internal Server Error", &[], b"");
        tries += 1;
    }
    assert!(tries > 1);
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
    assert_eq!(codes(&acs.serve()), ["14 HEARTBEAT"]);
}

#[test]
fn w01_an_agent_that_was_stopped_says_that_it_is_back() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.options("acs", &[("periodic_interval", "3")]);
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    session.set(&[(&format!("{STANDBY}MaxMissedPeriodic"), "xsd:int", "0")]);
    assert_eq!(session.value(&format!("{STANDBY}CRUnawarenessMaxDuration")), "-1");
    session.end();
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"], "nothing was missed");
    agent.wait_idle();
    agent.signal(Signal::SIGSTOP);
    wait_until(Instant::now() + Duration::from_millis(8500));
    agent.signal(Signal::SIGCONT);
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC", "13 WAKEUP"]);
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
}

#[test]
fn w01_a_time_in_which_nobody_could_reach_it_is_told_though_nothing_was_due() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    session.set(&[(&format!("{STANDBY}CRUnawarenessMaxDuration"), "xsd:int", "3")]);
    session.end();
    agent.wait_idle();
    agent.signal(Signal::SIGSTOP);
    wait_until(Instant::now() + Duration::from_millis(8500));
    agent.signal(Signal::SIGCONT);
    assert_eq!(codes(&acs.serve()), ["13 WAKEUP"]);
}

const SET: &str = "Device.PeriodicStatistics.SampleSet.1.";
const NUMBER: &str = "Device.ManagementServer.HeartbeatPolicy.ReportingInterval";
const TEXT: &str = "Device.NAT.PortMapping.1.Description";

/// Makes a set of two parameters, a number whose change counts and a text, with these settings, and enables it.
fn sample(session: &mut Session<'_>, settings: &[(&str, &str)]) {
    session.add("Device.PeriodicStatistics.SampleSet.");
    for (row, reference, mode) in [(1, NUMBER, "Change"), (2, TEXT, "Current")] {
        assert_eq!(session.add(&format!("{SET}Parameter.")), row);
        session.set(&[
            (&format!("{SET}Parameter.{row}.Reference"), "xsd:string", reference),
            (&format!("{SET}Parameter.{row}.SampleMode"), "xsd:string", mode),
            (&format!("{SET}Parameter.{row}.Enable"), "xsd:boolean", "true"),
        ]);
    }
    for (name, value) in settings.iter().chain(&[("Enable", "true")]) {
        session.set(&[(&format!("{SET}{name}"), "xsd:string", value)]);
    }
}

#[test]
fn samples_are_taken_and_the_acs_is_told_when_to_fetch_them() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let status = format!("{SET}Status");
    sample(&mut session, &[("SampleInterval", "2"), ("ReportSamples", "50"), ("FetchSamples", "2")]);
    assert_eq!(session.value(&status), "Enabled");
    session.notify(&[&status], 2);
    session.set(&[(NUMBER, "xsd:unsignedInt", "3607")]);
    session.end();
    let mut session = acs.session();
    assert_eq!(session.events(), ["4 VALUE CHANGE"]);
    assert_eq!(told(session.pending().inform(), &status), Some("Trigger"));
    session.inform_ok();
    session.set(&[(&format!("{SET}FetchSamples"), "xsd:unsignedInt", "0")]);
    let list = |session: &mut Session<'_>, name: &str| -> Vec<String> {
        session.value(&format!("{SET}{name}")).split(',').map(String::from).collect()
    };
    // More of them may come while the session goes on.
    let sum = |list: &[String]| list.iter().map(|number| number.parse::<i64>().unwrap()).sum::<i64>();
    let changes = list(&mut session, "Parameter.1.Values");
    assert!(changes.len() >= 2);
    assert_eq!(sum(&changes), 7, "{changes:?}");
    assert_eq!(list(&mut session, "Parameter.2.Values")[..2], ["Web server", "Web server"]);
    assert_eq!(list(&mut session, "Parameter.2.SuspectData")[..2], ["0", "0"]);
    let seconds = list(&mut session, "SampleSeconds");
    assert!(seconds.iter().all(|length| ["1", "2", "3"].contains(&length.as_str())), "{seconds:?}");
    let now = UtcTime::from(SystemTime::now()).seconds();
    let time = |text: &str| UtcTime::parse(text).unwrap().seconds();
    let (start, end) = (session.value(&format!("{SET}ReportStartTime")), session.value(&format!("{SET}ReportEndTime")));
    assert!(time(&end) - time(&start) >= sum(&seconds) && (now - 60..=now).contains(&time(&end)), "{start} {end}");
    session.end();
    // That the trigger is over is no news.
    wait_for("the end of the trigger", || (agent.value(&status) == "Enabled").then_some(()));
    let session = again(&agent, &acs);
    assert_eq!(session.events(), ["6 CONNECTION REQUEST"]);
    session.end();
}

#[test]
fn samples_can_be_forced_and_are_there_until_the_set_is_enabled_again() {
    let acs = Acs::start();
    let (_agent, mut session) = begin(&acs);
    sample(&mut session, &[("SampleInterval", "3600")]);
    let values = format!("{SET}Parameter.1.Values");
    let force = |session: &mut Session<'_>, value: &str| {
        session.set(&[(&format!("{SET}ForceSample"), "xsd:boolean", value)]);
        assert_eq!(session.value(&format!("{SET}ForceSample")), "false");
    };
    session.set(&[(NUMBER, "xsd:unsignedInt", "3605")]);
    force(&mut session, "false");
    assert_eq!(session.value(&values), "");
    force(&mut session, "true");
    assert_eq!(session.value(&values), "5");
    session.set(&[(NUMBER, "xsd:unsignedInt", "3603")]);
    force(&mut session, "true");
    assert_eq!(session.value(&values), "3", "the sample of the same interval");
    session.set(&[(&format!("{SET}Enable"), "xsd:boolean", "false")]);
    assert_eq!(session.value(&format!("{SET}Status")), "Disabled");
    assert_eq!(session.value(&values), "3");
    session.set(&[(&format!("{SET}Enable"), "xsd:boolean", "true")]);
    assert_eq!((session.value(&format!("{SET}Status")), session.value(&values)), ("Enabled".into(), String::new()));
    session.delete(SET);
    session.end();
}
