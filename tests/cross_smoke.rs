//! What the agent has to do on every kind of processor: the command line, sessions plain and over TLS, a connection request, and what it
//! remembers. `CWMPD_PROGRAM` says with which build, such as `qemu-mips-static -cpu 24Kc target/cross/mips/cwmpd`; without it, it is the
//! ordinary one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::acs::{Acs, Session, codes};
use common::agent::Agent;

const HOST_NAME: &str = "Device.DeviceInfo.HostName";
const INTERVAL: &str = "Device.ManagementServer.PeriodicInformInterval";
const CODE: &str = "Device.DeviceInfo.ProvisioningCode";
const ROWS: &str = "Device.ManagementServer.InformParameter.";

/// Reads, writes, adds and takes away, and reads the whole tree.
fn work(session: &mut Session<'_>) {
    assert_eq!(session.set(&[(CODE, "xsd:string", "smoke.1"), (INTERVAL, "xsd:unsignedInt", "4294967295")]), 0);
    assert_eq!(session.value(CODE), "smoke.1");
    assert_eq!(session.value(INTERVAL), "4294967295");
    let row = session.add(ROWS);
    assert_eq!(session.value(&format!("{ROWS}{row}.Enable")), "false");
    session.delete(&format!("{ROWS}{row}."));
    assert!(session.names("Device.", false).len() > 1000);
    assert!(session.get(&["Device."]).len() > 1000);
}

#[test]
fn the_command_line_reads_and_writes() {
    let acs = Acs::start();
    let agent = Agent::new(&acs);
    agent.ok(&["check"]);
    agent.ok(&["set", &format!("{HOST_NAME}=other-name")]);
    assert_eq!(agent.value(HOST_NAME), "other-name");
    assert!(agent.root.read("/etc/config/system").contains("other-name"));
    let all = agent.json(&["get", "Device."]);
    let all = all.as_array().unwrap();
    assert!(all.len() > 1000, "{}", all.len());
}

#[test]
fn a_session_and_a_connection_request() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.events(), ["0 BOOTSTRAP", "1 BOOT"]);
    work(&mut session);
    session.end();
    assert_eq!(agent.wait_idle()["last_session"]["complete"], true);
    assert_eq!(agent.connection_request(), 200);
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
}

#[cfg(feature = "ring")]
#[test]
fn a_session_over_tls() {
    let ca = common::tls::Ca::new("Test CA");
    let acs = Acs::start_tls(ca.issue(&["127.0.0.1"]).server(None));
    let mut agent = Agent::new(&acs);
    agent.root.write("/etc/cwmpd/ca.pem", ca.pem());
    agent.option("acs", "ca_file", "/etc/cwmpd/ca.pem");
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    work(&mut session);
    session.end();
    assert_eq!(agent.wait_idle()["last_session"]["complete"], true);
}

#[test]
fn a_kill_and_a_reboot_lose_nothing() {
    let acs = Acs::start();
    let mut agent = Agent::start_new(&acs);
    let session = acs.session();
    assert_eq!(session.events(), ["0 BOOTSTRAP", "1 BOOT"]);
    agent.kill();
    drop(session);
    agent.start();
    // Nobody has acknowledged them.
    assert_eq!(codes(&acs.serve()), ["0 BOOTSTRAP", "1 BOOT"]);
    agent.wait_idle();
    agent.reboot();
    assert_eq!(codes(&acs.serve()), ["1 BOOT"]);
    agent.wait_idle();
    agent.stop();
}

/// A line of `/proc/PID/status`, in KiB.
#[cfg(feature = "ring")]
fn kibibytes(agent: &Agent, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

/// Of the static program for x86_64 at rest and at its highest; `cross/sizes.sh memory` writes them down.
#[cfg(feature = "ring")]
#[test]
#[ignore = "says nothing of a build for development"]
fn memory_at_rest_and_in_a_session_over_tls() {
    let ca = common::tls::Ca::new("Test CA");
    let acs = Acs::start_tls(ca.issue(&["127.0.0.1"]).server(None));
    let mut agent = Agent::new(&acs);
    agent.root.write("/etc/cwmpd/ca.pem", ca.pem());
    agent.option("acs", "ca_file", "/etc/cwmpd/ca.pem");
    agent.start();
    acs.serve();
    agent.wait_idle();
    println!("idle: {} KiB", kibibytes(&agent, "VmRSS:"));
    println!("own: {} KiB", kibibytes(&agent, "RssAnon:"));
    agent.ask("6 CONNECTION REQUEST");
    let mut session = acs.session();
    session.inform_ok();
    assert!(session.names("Device.", false).len() > 1000);
    assert!(session.get(&["Device."]).len() > 1000);
    session.end();
    agent.wait_idle();
    println!("peak: {} KiB", kibibytes(&agent, "VmHWM:"));
}

/// How often any thread of the agent has gone to sleep, which it does once after each time that it was woken up.
fn slept(agent: &Agent) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", agent.pid())).unwrap();
    let times = tasks.map(|task| {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
        line.trim().parse::<u64>().unwrap()
    });
    times.sum()
}

/// Prints how often the agent wakes up when nothing happens, with all that it can do switched on. `CWMPD_IDLE` says for how many seconds it is
/// watched.
#[test]
#[ignore = "watches for minutes, and judges nothing"]
fn wake_ups_when_nothing_happens() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let on: &[(&str, &[&str])] = &[
        ("Device.ManagementServer.", &["PeriodicInformInterval=86400", "DelayReboot=86400"]),
        (
            "Device.ManagementServer.",
            &["LightweightNotificationProtocolsUsed=UDP", "LightweightNotificationTriggerInterval=86400"],
        ),
        ("Device.ManagementServer.HeartbeatPolicy.", &["ReportingInterval=86400", "Enable=true"]),
        ("Device.IP.Diagnostics.UDPEchoConfig.", &["SourceIPAddress=127.0.0.1", "UDPPort=47007", "Enable=true"]),
        ("Device.BulkData.", &["Enable=true"]),
        ("Device.BulkData.Profile.1.", &["ReportingInterval=86400", "HTTP.URL=http://127.0.0.1:9/", "Enable=true"]),
        (
            "Device.PeriodicStatistics.SampleSet.1.",
            &["Name=idle", "SampleInterval=86400", "ReportSamples=4", "Enable=true"],
        ),
    ];
    agent.ok(&["add", "Device.BulkData.Profile."]);
    agent.ok(&["add", "Device.PeriodicStatistics.SampleSet."]);
    for (object, values) in on {
        let values: Vec<String> = values.iter().map(|value| format!("{object}{value}")).collect();
        let mut arguments = vec!["set"];
        arguments.extend(values.iter().map(String::as_str));
        agent.ok(&arguments);
    }
    agent.option("cpe", "manageable_devices", "1");
    agent.signal(nix::sys::signal::Signal::SIGHUP);
    agent.wait_idle();
    let watched: u64 = std::env::var("CWMPD_IDLE").map_or(600, |seconds| seconds.parse().unwrap());
    // What was set may still lead to a session and to what is looked at after it.
    std::thread::sleep(std::time::Duration::from_secs(watched.min(30)));
    let before = slept(&agent);
    std::thread::sleep(std::time::Duration::from_secs(watched));
    println!("{} wake-ups in {watched} s", slept(&agent) - before);
}
