//! Download, Upload and what becomes of them, as an ACS meets them (CONFORMANCE 9.7).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::acs::Acs;
use common::agent::Agent;
use common::transfers::*;

#[test]
fn f04_f05_f06_f25_a_download_and_an_upload_are_told_once() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    let server = file_server(SETTINGS_TEXT);
    order(&agent, &acs, download("settings", SETTINGS, &server.url("/settings")));
    let (events, results) = told(&acs);
    assert_eq!(events, ["7 TRANSFER COMPLETE", "M Download"]);
    assert_eq!(results.len(), 1);
    assert_eq!((results[0].command_key.as_str(), results[0].fault_code), ("settings", 0), "{results:?}");
    order(&agent, &acs, upload("log", LOG, &server.url("/log")));
    let (events, results) = told(&acs);
    assert_eq!(events, ["7 TRANSFER COMPLETE", "M Upload"]);
    assert_eq!((results[0].command_key.as_str(), results[0].fault_code), ("log", 0), "{results:?}");
    let received = server.received();
    assert!(received[1].line.starts_with("PUT /log "), "{}", received[1].line);
    agent.wait_idle();
    assert_eq!(agent.status()["transfers"].as_array().unwrap().len(), 0);
    agent.ask("2 PERIODIC");
    assert_eq!(told(&acs), (vec!["2 PERIODIC".to_owned()], Vec::new()));
}
