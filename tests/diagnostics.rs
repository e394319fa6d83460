//! Tests of the network: asked for by an ACS (CONFORMANCE G-10 to G-14) and at the command line, against what Debian's own tools find out.
#![cfg(feature = "diagnostics")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::acs::Acs;
use common::agent::begin;

const PING: &str = "Device.IP.Diagnostics.IPPing.";
const STATE: &str = "Device.IP.Diagnostics.IPPing.DiagnosticsState";

#[test]
fn g10_g11_g14_a_test_runs_after_the_session_and_its_end_is_told() {
    let acs = Acs::start();
    let (agent, mut session) = begin(&acs);
    let host = format!("{PING}Host");
    session.set(&[
        (STATE, "xsd:string", "Requested"),
        (&host, "xsd:string", "127.0.0.1"),
        (&format!("{PING}NumberOfRepetitions"), "xsd:unsignedInt", "2"),
    ]);
    assert_eq!(session.value(STATE), "Requested");
    session.end();
    let mut session = acs.session();
    session.inform_ok();
    assert!(session.events().contains(&"8 DIAGNOSTICS COMPLETE"), "{:?}", session.events());
    println!("{:?}", session.get(&[PING]));
    assert_eq!(session.value(STATE), "Complete");
    assert_eq!(session.value(&format!("{PING}SuccessCount")), "2");
    session.end();
    drop(agent);
}
