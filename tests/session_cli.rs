//! The command line and the life of the process, as INTERFACE has them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::acs::{Acs, codes, get_values, set_values, wait_for};
use common::agent::{Agent, PASSWORD, PROGRAM};
use nix::sys::signal::Signal;

const HOST_NAME: &str = "Device.DeviceInfo.HostName";
const CODE: &str = "Device.DeviceInfo.ProvisioningCode";
const ROWS: &str = "Device.ManagementServer.InformParameter.";

/// What works with and without a daemon.
fn get_set_names_add_del(agent: &Agent) {
    assert_eq!(agent.ok(&["get", HOST_NAME, CODE]), format!("{HOST_NAME}=OpenWrt\n{CODE}=\n"));
    let memory = agent.ok(&["get", "Device.DeviceInfo.MemoryStatus."]);
    assert_eq!(memory.lines().count(), 2);
    assert!(memory.lines().all(|line| line.starts_with("Device.DeviceInfo.MemoryStatus.") && line.contains('=')));
    let json = agent.json(&["get", HOST_NAME]);
    assert_eq!(json, serde_json::json!([{"name": HOST_NAME, "value": "OpenWrt", "type": "string"}]));

    assert_eq!(agent.ok(&["set", &format!("{HOST_NAME}=gateway"), &format!("{CODE}=a=b&<c>")]), "");
    assert_eq!(agent.value(CODE), "a=b&<c>");
    let refused = agent.run(&["set", &format!("{CODE}=3"), "Device.DeviceInfo.UpTime=1"]);
    assert_eq!(refused.status, 1);
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("9003") && refused.stderr.contains("9008"), "{}", refused.stderr);
    assert_eq!(agent.value(CODE), "a=b&<c>");
    agent.wait_call("/sbin/reload_config");

    let names = agent.ok(&["names", "Device.DeviceInfo."]);
    let line = |name: &str| names.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap().to_owned();
    assert_eq!(line(HOST_NAME), format!("{HOST_NAME} rw string"));
    assert_eq!(line("Device.DeviceInfo.UpTime"), "Device.DeviceInfo.UpTime ro unsignedInt");
    assert_eq!(agent.ok(&["names", "--next-level"]).trim(), "Device. ro object");
    let json = agent.json(&["names", "Device.DeviceInfo.HostName"]);
    assert_eq!(json, serde_json::json!([{"name": HOST_NAME, "access": "rw", "type": "string"}]));

    let row = agent.ok(&["add", ROWS]).trim().to_owned();
    assert!(row.parse::<u32>().is_ok_and(|row| row > 0), "{row}");
    assert_eq!(agent.value("Device.ManagementServer.InformParameterNumberOfEntries"), "1");
    assert_eq!(agent.ok(&["del", &format!("{ROWS}{row}.")]), "");
    assert_eq!(agent.value("Device.ManagementServer.InformParameterNumberOfEntries"), "0");
    let refused = agent.run(&["del", &format!("{ROWS}{row}.")]);
    assert_eq!((refused.status, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains("9005"), "{}", refused.stderr);
    let refused = agent.run(&["get", "Device.Nothing"]);
    assert_eq!((refused.status, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains("9005"), "{}", refused.stderr);
}

#[test]
fn get_set_names_add_del_without_a_daemon() {
    get_set_names_add_del(&Agent::with_url(""));
}

#[test]
fn get_set_names_add_del_with_a_daemon() {
    let mut agent = Agent::with_url("");
    agent.start();
    get_set_names_add_del(&agent);
}

#[test]
fn times_are_known_without_a_daemon_too() {
    let agent = Agent::with_url("");
    assert!(agent.value("Device.Time.CurrentLocalTime").starts_with("20"));
}

#[test]
fn usage_is_2_and_refusal_is_1() {
    let agent = Agent::with_url("");
    for arguments in [
        &["frobnicate"][..],
        &["get"],
        &["set"],
        &["set", "NoValue"],
        &["add"],
        &["add", "a.", "b."],
        &["--frobnicate"],
        &["--root"],
        &["--log-level", "loud"],
        &["get", "Device.", "--last"],
    ] {
        let ran = agent.run(arguments);
        assert_eq!(ran.status, 2, "{arguments:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
    for arguments in [&["status"][..], &["inform"], &["trace"]] {
        let ran = agent.run(arguments);
        assert_eq!(ran.status, 1, "{arguments:?}");
        assert!(ran.stderr.contains("not running"), "{}", ran.stderr);
    }
    assert!(agent.ok(&["--help"]).contains("Usage:"));
    assert!(agent.ok(&["--version"]).starts_with("cwmpd "));
}

#[test]
fn output_that_nobody_reads_is_no_crash() {
    let agent = Agent::with_url("");
    let mut child = agent.run_in_background(&["get", "Device."]);
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panic"));
}

#[test]
fn inform_waits_for_the_end_of_its_session() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let child = agent.inform("6 CONNECTION REQUEST");
    assert_eq!(codes(&acs.serve()), ["6 CONNECTION REQUEST"]);
    assert!(child.wait_with_output().unwrap().status.success());
    let child = agent.run_in_background(&["inform"]);
    let exchange = acs.next();
    assert_eq!(codes(exchange.inform()), ["2 PERIODIC"]);
    exchange.http("503 Service Unavailable", &[], b"");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("503"));
    let ran = agent.run(&["inform", "99 NONSENSE"]);
    assert_eq!(ran.status, 1);
}

#[test]
fn inform_during_a_session_waits_for_the_next_one() {
    let acs = Acs::start();
    let agent = Agent::start_new(&acs);
    let mut session = acs.session();
    session.inform_ok();
    let child = agent.inform("2 PERIODIC");
    wait_for("the event", || agent.status()["pending_events"].to_string().contains("PERIODIC").then_some(()));
    session.end();
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn status_tells_what_was_and_what_comes() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let text = agent.ok(&["status"]);
    assert!(text.contains(&acs.url()) && text.contains("ended well"), "{text}");
    assert!(text.contains("periodic"), "{text}");
    agent.ask("2 PERIODIC");
    acs.next().http("500 Internal Server Error", &[], b"");
    agent.wait_idle();
    let last = agent.ok(&["status", "--last"]);
    assert!(last.contains("2 PERIODIC") && last.contains("sent Inform") && last.contains("500"), "{last}");
    let status = agent.status();
    assert_eq!(status["retry_count"], 1);
    assert_eq!(status["pending_events"], serde_json::json!(["2 PERIODIC"]));
    assert!(!agent.ok(&["--json", "status"]).contains(PASSWORD));
}

#[test]
fn trace_shows_messages_without_secrets() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let mut trace = agent.run_in_background(&["trace"]);
    let mut lines = BufReader::new(trace.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The trace follows when the daemon has taken its connection; sessions are had until it does.
    let (told, shown) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in lines.by_ref() {
            if told.send(line).is_err() {
                return;
            }
        }
    });
    let mut text = String::new();
    for _ in 0..20 {
        agent.ask("2 PERIODIC");
        let mut session = acs.session();
        session.inform_ok();
        session.request(get_values(&[HOST_NAME, "Device.ManagementServer.Password"]));
        session.request(set_values(&[("Device.ManagementServer.Password", "xsd:string", "hush-hush")], ""));
        session.request(set_values(&[("Device.ManagementServer.Pasword", "xsd:string", "hush-hush")], ""));
        session.request(set_values(&[(CODE, "xsd:string", "plain-text")], ""));
        let with_password = "http://me:hush-hush@other.example/";
        session.request(set_values(&[("Device.ManagementServer.URL", "xsd:string", with_password)], ""));
        session.end();
        agent.wait_idle();
        while let Ok(line) = shown.recv_timeout(Duration::from_millis(300)) {
            text += &line;
            text.push('\n');
        }
        if text.contains("<cwmp:Inform>") {
            break;
        }
    }
    for part in ["<cwmp:Inform>", "<cwmp:InformResponse>", "GetParameterValuesResponse", "********", "plain-text"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("hush"), "{text}");
    trace.kill().unwrap();
    trace.wait().unwrap();
    reader.join().unwrap();
    assert!(!agent.log().contains("hush"));
}

/// `cwmpd check | grep -q ...`: what was found out is the same, whoever reads it.
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let agent = Agent::with_url("");
    for arguments in [&["--help"][..], &["--json", "check"], &["get", "Device."]] {
        let mut child = agent.run_in_background(arguments);
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), errors.as_ref()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn check_names_file_and_line() {
    let agent = Agent::with_url("http://acs.example/");
    agent.option("acs", "http_timeout", "30");
    assert_eq!(agent.ok(&["check"]), "");
    assert_eq!(agent.ok(&["--json", "check"]), "[]\n");
    agent.option("acs", "periodic_interval", "often");
    let line = 1 + agent.root.read("/etc/config/cwmpd").lines().position(|line| line.contains("often")).unwrap();
    let ran = agent.run(&["check"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.contains(&format!("/etc/config/cwmpd:{line}: ")), "{}", ran.stdout);
    assert!(ran.stderr.contains("1 mistake"), "{}{}", ran.stdout, ran.stderr);
    let told: serde_json::Value = serde_json::from_str(&agent.run(&["--json", "check"]).stdout).unwrap();
    assert_eq!(told[0]["file"], "/etc/config/cwmpd");
    assert_eq!((&told[0]["line"], &told[0]["warning"]), (&line.into(), &false.into()));
    // Of another file it names that one.
    agent.root.write("/etc/other.conf", "config acs 'acs'\n\toption verify 'maybe'\n");
    let ran = agent.run(&["--config", "/etc/other.conf", "check"]);
    assert!(ran.stdout.contains("/etc/other.conf:2: ") && !ran.stdout.contains("/etc/config"), "{}", ran.stdout);
    let told: serde_json::Value =
        serde_json::from_str(&agent.run(&["--json", "check", "--config", "/etc/other.conf"]).stdout).unwrap();
    assert!(told[0]["file"].as_str().unwrap().ends_with("/etc/other.conf"), "{told}");
    agent.options("acs", &[("periodic_interval", "60"), ("http_timeout", "5")]);
    let ran = agent.run(&["check"]);
    assert!(ran.stdout.contains("http_timeout"), "{}", ran.stdout);
    // A short timeout is used as given: a warning, said once, and no mistake.
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
}

#[test]
fn second_daemon_is_refused() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let ran = agent.run(&["--stderr", "run"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("already") || ran.stderr.contains("another"), "{}", ran.stderr);
    // The first one is as well as before.
    assert_eq!(agent.status()["in_session"], false);
    agent.ask("2 PERIODIC");
    acs.serve();
}

#[test]
fn verify_that_is_off_is_a_warning_at_every_session() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.option("acs", "verify", "0");
    agent.start();
    for sessions in 1..=2 {
        acs.serve();
        agent.wait_idle();
        let told = agent.log().matches("cwmpd.acs.verify is 0").count();
        assert!(told >= sessions, "{told} warnings in {sessions} sessions");
        agent.ask("2 PERIODIC");
    }
    acs.serve();
}

#[test]
fn socket_of_a_killed_daemon_is_replaced_and_closed_to_others() {
    let mut agent = Agent::with_url("");
    agent.start();
    agent.kill();
    assert!(agent.root.at("/tmp/run/cwmpd.sock").exists());
    // Nobody answers there: the command line works on its own.
    assert_eq!(agent.value(HOST_NAME), "OpenWrt");
    agent.start();
    let mode = std::fs::metadata(agent.root.at("/tmp/run/cwmpd.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    agent.stop();
    assert!(!agent.root.at("/tmp/run/cwmpd.sock").exists());
}

#[test]
fn sigterm_ends_within_a_second_also_in_a_session() {
    let acs = Acs::start();
    let mut agent = Agent::start_new(&acs);
    let _held = acs.next();
    let follower = UnixStream::connect(agent.root.at("/tmp/run/cwmpd.sock")).unwrap();
    let took = agent.stop();
    assert!(took < Duration::from_millis(1500), "{took:?}");
    drop(follower);
    agent.start();
    let inform = acs.serve();
    assert_eq!(codes(&inform), ["0 BOOTSTRAP", "1 BOOT"]);
    agent.wait_idle();
    let took = agent.stop();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn sighup_reloads_the_configuration() {
    let acs = Acs::start();
    let mut agent = Agent::with_url("");
    agent.start();
    assert_eq!(agent.status()["acs_url"], "");
    let ran = agent.run(&["inform"]);
    assert_eq!(ran.status, 1);
    agent.option("acs", "url", &acs.url());
    agent.signal(Signal::SIGHUP);
    assert_eq!(codes(&acs.serve()), ["0 BOOTSTRAP", "1 BOOT"]);
}

#[test]
fn other_configuration_than_that_of_the_router() {
    let acs = Acs::start();
    let mut agent = Agent::with_url("http://127.0.0.1:1/");
    let config = agent.root.read("/etc/config/cwmpd").replace("http://127.0.0.1:1/", &acs.url());
    agent.root.write("/other/settings", config);
    agent.argument("--config");
    let other = agent.root.at("/other/settings");
    agent.argument(other.to_str().unwrap());
    agent.start();
    acs.serve();
    agent.wait_idle();
    let arguments = ["--config", other.to_str().unwrap(), "get", "Device.ManagementServer.URL"];
    assert_eq!(agent.ok(&arguments), format!("Device.ManagementServer.URL={}\n", acs.url()));
}

/// A path or link of the router never leads out of its root; programs are the root's own.
#[test]
fn root_is_all_that_is_touched() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    let outside = tempfile::tempdir().unwrap();
    agent.root.remove("/etc/cwmpd");
    std::os::unix::fs::symlink(outside.path(), agent.root.at("/etc/cwmpd")).unwrap();
    agent.spawn();
    // Either it stays inside or it refuses to start.
    if acs.next_within(Duration::from_secs(3)).is_some() {
        agent.stop();
    } else {
        agent.wait_end();
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn root_that_does_not_exist() {
    let output = Command::new(PROGRAM).args(["--root", "/nonexistent/root", "get", HOST_NAME]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!Path::new("/nonexistent").exists());
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
}

/// procd starts it with nothing to read and perhaps nowhere to write.
#[test]
fn run_is_what_it_does_without_a_command() {
    let acs = Acs::start();
    let agent = Agent::new(&acs);
    let mut command = Command::new(PROGRAM);
    command.arg("--root").arg(agent.root.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    acs.serve();
    agent.wait_idle();
    let begin = Instant::now();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn router_without_ubus() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    agent.root.remove_ubus();
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.value(HOST_NAME), "OpenWrt");
    assert!(session.get(&["Device."]).len() > 300);
    session.end();
}
