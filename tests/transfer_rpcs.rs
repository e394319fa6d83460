//! Download, Upload and what becomes of them, as an ACS meets them (CONFORMANCE 9.7).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::acs::{Acs, acs_fault, codes, wait_for};
use common::agent::{Agent, again};
use common::http_server::{Act, Server, reply};
use common::transfers::*;
use cwmpd::soap::rpc::{Message, QueuedTransfer};

/// A server that never answers, and an agent that does not mind so soon.
fn silent_server(agent: &Agent) -> Server {
    agent.option("acs", "http_timeout", "60");
    Server::start(|_| Act::Hold)
}

fn transfers(agent: &Agent) -> Vec<serde_json::Value> {
    agent.status()["transfers"].as_array().unwrap().clone()
}

/// The transfers as GetAllQueuedTransfers has them.
fn all_queued(answer: Message) -> Vec<QueuedTransfer> {
    match answer {
        Message::GetAllQueuedTransfersResponse(list) | Message::GetQueuedTransfersResponse(list) => list,
        other => panic!("{other:?}"),
    }
}

/// Any program of the router can make something of that name in `/tmp` before the agent does.
#[test]
fn f05_f14_without_a_place_for_files_a_transfer_fails() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let place = agent.root.at("/tmp/cwmpd");
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::write(&place, "in the way").unwrap();
    order(&agent, &acs, download("nowhere", SETTINGS, "http://127.0.0.1:1/file"));
    let told = told_one(&acs);
    assert_eq!((told.command_key.as_str(), told.fault_code), ("nowhere", 9010), "{}", told.fault_string);
    assert!(told.fault_string.contains("/tmp/cwmpd"), "{}", told.fault_string);
}

/// CONFORMANCE F-01, F-02, F-03, F-09, F-22, F-23, J-13.
#[test]
fn f01_f02_f03_f09_f22_f23_what_is_taken_and_what_is_refused() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let mut session = again(&agent, &acs);
    let url = "http://192.0.2.1/file";
    let key = "k".repeat(33);
    let long = format!("http://192.0.2.1/{}", "x".repeat(5000));
    let refused = [
        (9003, download(&key, SETTINGS, url)),
        (9003, download("", "3 vendor configuration file", url)),
        (9003, download("", "2 Web Content", url)),
        (9003, download("", "6 Stored Firmware Image", url)),
        (9003, download("", "X 00005E Anything", url)),
        (9003, download("", "", url)),
        (9003, download("", SETTINGS, "http://user:secret@192.0.2.1/file")),
        (9003, download("", SETTINGS, &long)),
        (9003, download("", SETTINGS, "")),
        (9013, download("", SETTINGS, "tftp://192.0.2.1/file")),
        (9013, upload("", LOG, "ftp://192.0.2.1/file")),
        (9003, upload("", "2 Vendor Log Files", url)),
        (9003, upload("", "3 Vendor Configuration File 99", url)),
        (9003, upload(&key, LOG, url)),
        (9003, schedule("", FIRMWARE, url, vec![])),
        (9003, schedule("", FIRMWARE, url, vec![window(10, 10, "1 At Any Time", 0)])),
        (9003, schedule("", FIRMWARE, url, vec![window(10, 20, "4 Confirmation Needed", 0)])),
        (9013, schedule("", FIRMWARE, "ftp://a/b", vec![window(10, 20, "1 At Any Time", 0)])),
        (9003, Message::CancelTransfer { command_key: key.clone() }),
    ];
    for (code, request) in refused {
        let shown = format!("{request:?}");
        assert_eq!(session.refused(request).code.0, code, "{shown}");
    }
    assert_eq!(all_queued(session.request(Message::GetAllQueuedTransfers)), []);
    // 32 characters of several bytes each, with what XML wants escaped.
    let odd = format!("<&>\"{}", "é".repeat(28));
    queued(&session.request(download_later(&odd, SETTINGS, url, 3600)));
    queued(&session.request(schedule("window", FIRMWARE, url, vec![window(3600, 7200, "3 When Idle", -1)])));
    for number in 2..16 {
        queued(&session.request(download_later(&number.to_string(), SETTINGS, url, 3600)));
    }
    for _ in 0..100 {
        assert_eq!(session.refused(download("one more", SETTINGS, url)).code.0, 9004);
    }
    assert_eq!(session.refused(upload("one more", LOG, url)).code.0, 9004);
    let list = all_queued(session.request(Message::GetAllQueuedTransfers));
    assert_eq!((list.len(), list[0].command_key.as_str(), list[0].state), (16, odd.as_str(), 1));
    assert!(list[1].is_download);
    assert_eq!(list[1].file_type, FIRMWARE);
    assert_eq!(all_queued(session.request(Message::GetQueuedTransfers))[1].command_key, "window");
    for key in ["unknown", "", odd.as_str(), "window"] {
        let answer = session.request(Message::CancelTransfer { command_key: key.into() });
        assert!(matches!(answer, Message::CancelTransferResponse), "{answer:?}");
    }
    assert_eq!(all_queued(session.request(Message::GetAllQueuedTransfers)).len(), 14);
    session.end();
}

/// CONFORMANCE F-04, F-05, F-06, F-20, F-25, F-26, L-03.
#[test]
fn f04_f05_f06_f15_f20_f25_f26_l03_each_transfer_is_told_once_and_a_failing_one_blocks_no_other() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let server = Server::start(|request| match request.target() {
        "/missing" => reply("404 Not Found", &[], b""),
        _ => answer(request, SETTINGS_TEXT.as_bytes()),
    });
    // URLs for a browser mean nothing to a router.
    let Message::Download(mut redirecting) = download("settings", SETTINGS, &server.url("/settings")) else { panic!() };
    redirecting.success_url = "http://192.0.2.1/well".into();
    redirecting.failure_url = "http://192.0.2.1/failed".into();
    let orders = vec![
        download("missing", SETTINGS, &server.url("/missing")),
        Message::Download(redirecting),
        upload("log", LOG, &server.url("/log")),
        // Nobody listens there.
        upload("nobody", LOG, "http://127.0.0.1:1/log"),
    ];
    let mut session = again(&agent, &acs);
    for order in orders {
        queued(&session.request(order));
    }
    // Nothing begins before the session is over: there is nothing to wait for.
    assert_eq!(server.received().len(), 0);
    session.end();
    let mut told_events = Vec::new();
    let mut told_results = Vec::new();
    while told_results.len() < 4 {
        let (events, results) = told(&acs);
        assert_eq!(events[0], "7 TRANSFER COMPLETE");
        assert_eq!(events.len(), 1 + results.len());
        told_events.extend_from_slice(&events[1..]);
        told_results.extend(results);
    }
    told_events.sort();
    assert_eq!(told_events, ["M Download", "M Download", "M Upload", "M Upload"]);
    let codes: Vec<(&str, u16)> =
        told_results.iter().map(|result| (result.command_key.as_str(), result.fault_code)).collect();
    assert_eq!(codes, [("missing", 9016), ("settings", 0), ("log", 0), ("nobody", 9015)]);
    for result in &told_results {
        assert_eq!(result.fault_string.is_empty(), result.fault_code == 0, "{result:?}");
        assert!(result.start_time.starts_with("20") && result.start_time.ends_with('Z'), "{result:?}");
        assert!(result.complete_time >= result.start_time, "{result:?}");
    }
    assert!(agent.root.read("/etc/config/cwmpd_test").contains("option colour 'green'"));
    let received = server.received();
    assert!(received[2].line.starts_with("PUT /log ") && !received[2].body.is_empty(), "{}", received[2].line);
    agent.wait_idle();
    assert_eq!(transfers(&agent).len(), 0);
    agent.ask("2 PERIODIC");
    assert_eq!(told(&acs), (vec!["2 PERIODIC".to_owned()], Vec::new()));
}

/// CONFORMANCE F-07, F-08, F-18, L-04: what ends while a session is running is told in the next one.
#[test]
fn f07_f08_f18_l04_after_its_delay_and_in_the_next_session() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let server = file_server(SETTINGS_TEXT);
    let begin = std::time::Instant::now();
    order(&agent, &acs, download_later("later", SETTINGS, &server.url("/settings"), 2));
    agent.wait_idle();
    // A session that is running when the delay is over: the file is fetched, and neither applied nor told.
    let mut session = again(&agent, &acs);
    wait_for("the file", || (transfers(&agent)[0]["state"] == "fetched").then_some(()));
    assert!(begin.elapsed().as_secs() >= 2);
    assert!(!agent.root.at("/etc/config/cwmpd_test").exists());
    assert_eq!(all_queued(session.request(Message::GetAllQueuedTransfers))[0].state, 2);
    session.end();
    assert_eq!(told_one(&acs).fault_code, 0);
}

/// CONFORMANCE L-10, R-10, E-02: a TransferComplete is told until the ACS has answered it, and then never again.
#[test]
fn l10_r10_e02_until_the_acs_has_answered_and_no_longer() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    let server = file_server(SETTINGS_TEXT);
    order(&agent, &acs, download("key", SETTINGS, &server.url("/settings")));

    // Refused for now, asked for again, cut off, and the power gone: each time it comes again.
    let mut session = acs.session();
    assert_eq!(session.events(), ["7 TRANSFER COMPLETE", "M Download"]);
    session.inform_ok();
    session.take().reply_message(acs_fault(8002));
    assert!(session.next().is_empty());
    session.end();
    let mut session = acs.session();
    assert_eq!((session.events(), session.inform.retry_count), (vec!["7 TRANSFER COMPLETE", "M Download"], 1));
    session.inform_ok();
    let first = session.pending().message().clone();
    session.take().reply_message(acs_fault(8005));
    assert_eq!(*session.next().message(), first);
    session.take().http("503 Service Unavailable", &[], b"");
    let mut session = acs.session();
    assert_eq!(session.events(), ["7 TRANSFER COMPLETE", "M Download"]);
    session.inform_ok();
    assert_eq!(*session.pending().message(), first);
    reboot(&mut agent);
    let mut session = acs.session();
    assert_eq!(session.events(), ["1 BOOT", "7 TRANSFER COMPLETE", "M Download"]);
    session.inform_ok();
    // From the next message of the agent on it has been told, whatever happens.
    session.take().reply_message(Message::TransferCompleteResponse);
    assert!(session.next().is_empty());
    agent.kill();
    agent.root.reboot();
    agent.start();
    assert_eq!(codes(&acs.serve()), ["1 BOOT"]);
    assert_eq!(server.received().len(), 1);
}

/// CONFORMANCE F-10, and nothing of the credentials is shown (SECURITY S5).
#[test]
fn f10_s5_a_power_cut_in_the_middle_and_no_secret_anywhere() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    let server = silent_server(&agent);
    let Message::Download(mut secret) = download("key", SETTINGS, &server.url("/secret-path")) else { panic!() };
    (secret.username, secret.password) = ("secret-user".into(), "secret-word".into());
    order(&agent, &acs, Message::Download(secret));
    wait_for("the request", || server.received().pop());
    let state = agent.root.at("/etc/cwmpd/transfers.json");
    assert!(std::fs::read_to_string(&state).unwrap().contains("secret-word"));
    assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(transfers(&agent)[0]["state"], "under way");
    assert!(!agent.ok(&["status"]).contains("secret"));
    assert!(agent.ok(&["status"]).contains("Download \"key\", 3 Vendor Configuration File: under way"));
    reboot(&mut agent);
    assert_eq!(codes(&acs.serve()), ["1 BOOT"]);
    // It is asked for again, without anybody asking.
    wait_for("the second request", || server.received().get(1).cloned());
    // A daemon that is stopped and started does the same.
    agent.wait_idle();
    agent.stop();
    agent.start();
    wait_for("the third request", || server.received().get(2).cloned());
    agent.ask("2 PERIODIC");
    let mut session = acs.session();
    session.inform_ok();
    session.request(Message::CancelTransfer { command_key: "key".into() });
    session.end();
    assert!(!std::fs::read_to_string(&state).unwrap().contains("secret"));
    assert!(!agent.log().contains("secret"), "{}", agent.log());
}

/// CONFORMANCE F-23: what is under way is stopped, and told to nobody; the next one gets its turn.
#[test]
fn f23_f26_a_transfer_that_hangs_is_cancelled_and_the_next_begins() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let (silent, server) = (silent_server(&agent), file_server(SETTINGS_TEXT));
    let hangs = download("hangs", SETTINGS, &silent.url("/x"));
    order_all(&agent, &acs, vec![hangs, download("next", SETTINGS, &server.url("/y"))]);
    wait_for("the request", || silent.received().pop());
    let mut session = again(&agent, &acs);
    let states: Vec<u8> =
        all_queued(session.request(Message::GetAllQueuedTransfers)).iter().map(|transfer| transfer.state).collect();
    assert_eq!(states, [2, 1]);
    let answer = session.request(Message::CancelTransfer { command_key: "hangs".into() });
    assert!(matches!(answer, Message::CancelTransferResponse), "{answer:?}");
    session.end();
    let result = told_one(&acs);
    assert_eq!((result.command_key.as_str(), result.fault_code), ("next", 0));
    agent.wait_idle();
    agent.ask("2 PERIODIC");
    assert_eq!(told(&acs), (vec!["2 PERIODIC".to_owned()], Vec::new()));
}

/// CONFORMANCE B-05: what the former ACS asked for is no business of the next one.
#[test]
fn b05_another_acs_hears_nothing_of_transfers() {
    let (old, new) = (Acs::start(), Acs::start());
    let agent = Agent::settled(&old);
    let (silent, server) = (silent_server(&agent), file_server(SETTINGS_TEXT));
    order(&agent, &old, download("done", SETTINGS, &server.url("/done")));
    // Its result is refused, so that it is still to be told.
    let mut session = old.session();
    session.inform_ok();
    session.take().reply_message(acs_fault(8002));
    session.next();
    queued(&session.request(download("hangs", SETTINGS, &silent.url("/x"))));
    session.end();
    wait_for("the request", || silent.received().pop());
    agent.option("acs", "url", &new.url());
    assert_eq!(codes(&new.serve()), ["0 BOOTSTRAP"]);
    agent.wait_idle();
    assert_eq!(transfers(&agent).len(), 0);
    agent.ask("2 PERIODIC");
    assert_eq!(told(&new), (vec!["2 PERIODIC".to_owned()], Vec::new()));
}

/// CONFORMANCE F-13: settings with another ACS.
#[test]
fn f13_restored_settings_may_lead_to_another_acs() {
    let (old, new) = (Acs::start(), Acs::start());
    let agent = Agent::settled(&old);
    let settings = agent.root.read("/etc/config/cwmpd").replace(&old.url(), &new.url());
    let server = file_server(format!("package cwmpd\n\n{settings}"));
    order(&agent, &old, download("move", SETTINGS, &server.url("/settings")));
    assert_eq!(codes(&new.serve()), ["0 BOOTSTRAP"]);
}

/// DHCP offers another ACS (option 43).
fn offer(agent: &Agent, acs: &Acs) {
    let url: String = acs.url().bytes().map(|byte| format!("{byte:02x}")).collect();
    agent.root.write("/tmp/run/cwmpd/dhcp.wan", format!("opt43=01{:02x}{url}\n", url.len() / 2));
}

/// The ACS has the agent's own settings restored, as they are, from the file server.
fn order_own_settings(agent: &Agent, acs: &Acs) -> Server {
    let mut tar = std::process::Command::new("tar");
    tar.arg("-C").arg(agent.root.path()).args(["-czf", "-", "etc/config/cwmpd"]);
    let server = file_server(tar.output().unwrap().stdout);
    order(agent, acs, download("settings", SETTINGS, &server.url("/settings")));
    server
}

/// CONFORMANCE F-13, D-08: `tar` takes a file away before it writes the new one, flash is slow, and DHCP offers an ACS all the time.
#[test]
fn f13_d08_settings_that_are_half_written_lead_to_no_other_acs() {
    let (acs, other) = (Acs::start(), Acs::start());
    let mut agent = Agent::new(&acs);
    agent.option("acs", "dhcp_discovery", "0");
    agent.root.write_recorder(
        "/sbin/sysupgrade",
        "for last; do :; done
mkdir \"$root/half\"
tar -C \"$root/half\" -xzf \"$root$last\"
rm \"$root/etc/config/cwmpd\"
exec 5>\"$root/etc/config/cwmpd\"
sleep 2.5
cat \"$root/half/etc/config/cwmpd\" >&5
",
    );
    agent.start();
    acs.serve();
    agent.wait_idle();
    offer(&agent, &other);
    let before = agent.root.read("/etc/config/cwmpd");
    let _server = order_own_settings(&agent, &acs);
    let result = told_one(&acs);
    assert_eq!((result.command_key.as_str(), result.fault_code), ("settings", 0), "{}", result.fault_string);
    assert_eq!(agent.root.read("/etc/config/cwmpd"), before);
    assert_eq!(other.connections(), 0);
}

/// CONFORMANCE F-13: when the power goes in the middle of it, the settings are those from before, and not half of them.
#[test]
fn f13_a_power_cut_leaves_no_half_of_the_settings() {
    let (acs, other) = (Acs::start(), Acs::start());
    let mut agent = Agent::new(&acs);
    agent.options("cpe", &[("rollback_timeout", "4")]);
    agent.root.write_recorder("/sbin/sysupgrade", ": >\"$root/etc/config/cwmpd\"\nexec sleep 5\n");
    agent.start();
    acs.serve();
    agent.wait_idle();
    let before = agent.root.read("/etc/config/cwmpd");
    let _server = order_own_settings(&agent, &acs);
    wait_for("the settings to be gone", || agent.root.read("/etc/config/cwmpd").is_empty().then_some(()));
    agent.kill();
    agent.root.reboot();
    offer(&agent, &other);
    agent.start();
    let result = told_one(&acs);
    assert_eq!((result.command_key.as_str(), result.fault_code), ("settings", 9002), "{}", result.fault_string);
    assert_eq!(agent.root.read("/etc/config/cwmpd"), before);
    assert_eq!(other.connections(), 0);
}

/// CONFORMANCE Q-04: after a return to the factory state nobody hears of what was asked for before.
#[test]
fn q04_nothing_is_left_after_a_factory_reset() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    let server = file_server(SETTINGS_TEXT);
    order(&agent, &acs, download("done", SETTINGS, &server.url("/done")));
    let mut session = acs.session();
    session.inform_ok();
    session.take().reply_message(acs_fault(8002));
    session.next();
    queued(&session.request(download("never", SETTINGS, &server.url("/never"))));
    session.request(Message::FactoryReset);
    session.end();
    agent.wait_call("/sbin/reboot");
    agent.stop();
    assert!(!server.received().iter().any(|request| request.target() == "/never"));
    // What firstboot does.
    agent.root.remove("/etc/cwmpd");
    reboot(&mut agent);
    assert_eq!(told(&acs), (vec!["0 BOOTSTRAP".to_owned(), "1 BOOT".to_owned()], Vec::new()));
    agent.wait_idle();
    assert_eq!(transfers(&agent).len(), 0);
}

/// CONFORMANCE F-11, F-12 for what a person sees: how far a transfer is.
#[test]
fn status_tells_how_far_a_transfer_is() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.option("acs", "http_timeout", "60");
    // The first bytes of many, and then nothing for a while.
    let server = Server::start(|_| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        Act::Drip([head.as_bytes(), &[b'x'; 200_000]].concat())
    });
    order(&agent, &acs, download("slow", SETTINGS, &server.url("/slow")));
    let shown = wait_for("progress", || {
        let transfer = transfers(&agent).pop()?;
        (transfer["done"].as_u64() >= Some(200_000)).then_some(transfer)
    });
    assert_eq!((&shown["total"], &shown["state"]), (&1_000_000.into(), &"under way".into()));
    assert!(agent.ok(&["status"]).contains(" of 1000000 bytes"));
}
