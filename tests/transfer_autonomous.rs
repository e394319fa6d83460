//! What the agent tells and asks although nobody has asked for it, and what it spares an ACS that does not know it (CONFORMANCE F-24, G-03).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::acs::{Acs, Session, acs_fault};
use common::agent::{Agent, again};
use common::transfers::{FIRMWARE, UNKNOWN_TIME, reboot};
use cwmpd::soap::rpc::Message;

const POLICY: &str = "Device.ManagementServer.AutonomousTransferCompletePolicy.";
const AUTONOMOUS: &str = "10 AUTONOMOUS TRANSFER COMPLETE";

/// Somebody installs another image by hand.
fn upgrade_by_hand(agent: &mut Agent, version: &str) {
    std::fs::create_dir_all(agent.root.at("/flash")).unwrap();
    agent.root.write("/flash/image", format!("version {version}\n"));
    reboot(agent);
}

fn switch_on(agent: &Agent, acs: &Acs) {
    let mut session = again(agent, acs);
    session.set(&[(&format!("{POLICY}Enable"), "xsd:boolean", "1")]);
    session.end();
}

/// The agent asks which methods the ACS has.
fn tell_methods(session: &mut Session<'_>, methods: &[&str]) {
    assert!(matches!(session.pending().message(), Message::GetRpcMethods), "{:?}", session.pending().message());
    let methods = methods.iter().map(|method| (*method).to_owned()).collect();
    session.take().reply_message(Message::GetRpcMethodsResponse(methods));
    session.next();
}

#[test]
fn f24_g03_an_image_installed_by_hand_is_told_to_an_acs_that_lists_the_method() {
    let acs = Acs::start();
    let mut agent = Agent::settled(&acs);
    upgrade_by_hand(&mut agent, "25.12.0");
    // The policy is off.
    assert!(!acs.serve().events.iter().any(|event| event.code == AUTONOMOUS));
    switch_on(&agent, &acs);
    for (version, asks) in [("25.12.1", true), ("25.12.2", false)] {
        agent.wait_idle();
        upgrade_by_hand(&mut agent, version);
        let mut session = acs.session();
        assert!(session.events().contains(&AUTONOMOUS), "{:?}", session.events());
        session.inform_ok();
        if asks {
            tell_methods(&mut session, &["Inform", "TransferComplete", "AutonomousTransferComplete"]);
        }
        let Message::AutonomousTransferComplete(told) = session.pending().message() else {
            panic!("{:?}", session.pending().message())
        };
        assert_eq!((told.is_download, told.file_type.as_str(), told.fault_code), (true, FIRMWARE, 0));
        assert_eq!((told.start_time.as_str(), told.transfer_url.as_str()), (UNKNOWN_TIME, ""));
        session.take().reply_message(Message::AutonomousTransferCompleteResponse);
        assert!(session.next().is_empty());
        session.end();
    }
    agent.wait_idle();
    reboot(&mut agent);
    assert!(!acs.serve().events.iter().any(|event| event.code == AUTONOMOUS));
}

/// One that does not list it, and one that does not even know the question.
#[test]
fn f24_g03_what_the_acs_does_not_list_is_not_sent() {
    for knows in [true, false] {
        let acs = Acs::start();
        let mut agent = Agent::settled(&acs);
        switch_on(&agent, &acs);
        agent.wait_idle();
        upgrade_by_hand(&mut agent, "25.12.0");
        let mut session = acs.session();
        assert!(session.events().contains(&AUTONOMOUS), "{:?}", session.events());
        session.inform_ok();
        if knows {
            tell_methods(&mut session, &["Inform", "TransferComplete"]);
        } else {
            session.take().reply_message(acs_fault(8000));
            session.next();
        }
        assert!(session.pending().is_empty());
        session.end();
        agent.wait_idle();
        agent.ask("2 PERIODIC");
        let mut session = acs.session();
        assert_eq!(session.events(), ["2 PERIODIC"]);
        assert!(session.inform_ok().is_empty());
        session.end();
        agent.wait_idle();
        let refused = agent.run(&["inform", "9 REQUEST DOWNLOAD"]);
        assert_eq!((refused.status, refused.stdout.as_str()), (1, ""));
        assert!(refused.stderr.contains("RequestDownload"), "{}", refused.stderr);
        // It is not asked again, and not told of the next one.
        upgrade_by_hand(&mut agent, "25.12.1");
        let mut session = acs.session();
        assert!(!session.events().contains(&AUTONOMOUS), "{:?}", session.events());
        assert!(session.inform_ok().is_empty());
        session.end();
    }
}

#[test]
fn g03_a_wish_for_firmware_is_told_to_an_acs_that_lists_it() {
    let acs = Acs::start();
    let agent = Agent::settled(&acs);
    agent.ask("9 REQUEST DOWNLOAD");
    let mut session = acs.session();
    assert_eq!(session.events(), ["9 REQUEST DOWNLOAD"]);
    session.inform_ok();
    tell_methods(&mut session, &["RequestDownload"]);
    let wish = Message::RequestDownload { file_type: FIRMWARE.into(), arguments: Vec::new() };
    assert_eq!(*session.pending().message(), wish);
    session.take().reply_message(Message::RequestDownloadResponse);
    assert!(session.next().is_empty());
    session.end();
    assert_eq!(agent.wait_idle()["pending_events"].as_array().unwrap().len(), 0);
}
