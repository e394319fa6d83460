//! ScheduleDownload and its windows (CONFORMANCE F-21), as an ACS meets them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::acs::Acs;
use common::agent::Agent;
use common::http_server::{Act, Server, reply};
use common::transfers::*;

#[test]
fn f06_f21_within_its_window_with_a_retry() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let mut requests = 0;
    let server = Server::start(move |request| {
        requests += 1;
        if requests == 1 { reply("404 Not Found", &[], b"") } else { answer(request, SETTINGS_TEXT.as_bytes()) }
    });
    let windows = vec![window(1, 20, "2 Immediately", 1)];
    order(&agent, &acs, schedule("window", SETTINGS, &server.url("/x"), windows));
    let (events, results) = told(&acs);
    assert_eq!(events, ["7 TRANSFER COMPLETE", "M ScheduleDownload"]);
    assert_eq!((results[0].command_key.as_str(), results[0].fault_code), ("window", 0));
    assert_eq!(server.received().len(), 2);
}

#[test]
fn f21_what_is_not_done_within_its_windows_is_9020() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.option("acs", "http_timeout", "60");
    let server = Server::start(|_| Act::Hold);
    let windows = vec![window(0, 2, "1 At Any Time", 0), window(3, 5, "1 At Any Time", 0)];
    order(&agent, &acs, schedule("late", SETTINGS, &server.url("/x"), windows));
    let result = told_one(&acs);
    assert_eq!((result.command_key.as_str(), result.fault_code), ("late", 9020));
    assert_eq!(server.received().len(), 2, "once in each window");
}

/// The line of the sample router is quiet; it takes a while to be sure of that.
#[test]
fn f21_when_idle() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let server = file_server(SETTINGS_TEXT);
    let begin = std::time::Instant::now();
    order(&agent, &acs, schedule("idle", SETTINGS, &server.url("/x"), vec![window(0, 60, "3 When Idle", 0)]));
    assert_eq!(told_one(&acs).fault_code, 0);
    assert!(begin.elapsed().as_secs() >= 5);
}
