//! Firmware from the Download to the first session of the new image (CONFORMANCE F-10, F-11, F-12).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use common::acs::{Acs, codes, told as value_told, wait_for};
use common::agent::{Agent, again};
use common::http_server::Server;
use common::transfers::*;
use cwmpd::soap::rpc::{Inform, TransferComplete};

/// An agent that was told to install an image, and has another transfer to do after it.
fn upgrading(acs: &Acs, image: &str) -> (Agent, Server) {
    let mut agent = Agent::new(acs);
    install_sysupgrade(&agent.root);
    agent.start();
    acs.serve();
    let server = file_server(image);
    let later = upload("later", LOG, &server.url("/log"));
    order_all(&agent, acs, vec![download("image", FIRMWARE, &server.url("/image")), later]);
    (agent, server)
}

/// Sessions until both are told, in their order; gives the events of the first without those of the second transfer, and both results.
fn told_both(acs: &Acs) -> (Inform, Vec<String>, Vec<TransferComplete>) {
    let mut session = acs.session();
    session.inform_ok();
    let mut both = results(&mut session);
    let inform = session.end();
    let events = codes(&inform).into_iter().filter(|code| *code != "M Upload").map(String::from).collect();
    if both.len() == 1 {
        both.push(told_one(acs));
    }
    let keys: Vec<&str> = both.iter().map(|result| result.command_key.as_str()).collect();
    assert_eq!(keys, ["image", "later"]);
    assert_eq!(both[1].fault_code, 0);
    (inform, events, both)
}

#[test]
fn f10_f11_success_is_told_when_the_new_image_runs() {
    let acs = Acs::start();
    let (mut agent, server) = upgrading(&acs, &image("25.12.0"));
    wait_for("the image to be written", || agent.root.at("/flash/image").exists().then_some(()));
    assert_eq!(
        agent.root.calls().iter().filter(|call| call.contains("sysupgrade")).cloned().collect::<Vec<_>>(),
        ["/sbin/sysupgrade -T /tmp/cwmpd/transfer-1", "/sbin/sysupgrade /tmp/cwmpd/transfer-1"]
    );
    // The ACS hears nothing until the new image runs.
    assert_eq!(agent.status()["pending_events"].as_array().unwrap().len(), 0);
    reboot(&mut agent);
    let (inform, events, both) = told_both(&acs);
    assert_eq!(events, ["1 BOOT", "4 VALUE CHANGE", "7 TRANSFER COMPLETE", "M Download"]);
    assert!(value_told(&inform, "Device.DeviceInfo.SoftwareVersion").unwrap().starts_with("25.12.0"));
    assert_eq!(both[0].fault_code, 0);
    assert_eq!(server.received().len(), 2);
    assert_eq!(applied(&agent.root), 1);
    assert!(!agent.root.at("/etc/cwmpd/upgrading.json").exists());
    assert!(!agent.root.at("/tmp/cwmpd/transfer-1").exists());
}

/// The flash may take longer to be written than a reboot that was ordered as well is away.
#[test]
fn f11_s11_no_other_reboot_comes_while_the_image_is_written() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    install_sysupgrade(&agent.root);
    agent.start();
    acs.serve();
    let server = file_server(image("25.12.0"));
    let mut session = again(&agent, &acs);
    session.set(&[("Device.ManagementServer.DelayReboot", "xsd:int", "4")]);
    queued(&session.request(download("image", FIRMWARE, &server.url("/image"))));
    session.end();
    wait_for("the image to be written", || agent.root.at("/flash/image").exists().then_some(()));
    agent.wait_log("the time for a reboot that the ACS has set has come");
    agent.wait_log("the router restarts with the new image");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let reboots = agent.root.calls().iter().filter(|call| call.starts_with("/sbin/reboot")).count();
    assert_eq!(reboots, 0, "{:?}", agent.root.calls());
    reboot(&mut agent);
    let (events, both) = told(&acs);
    assert_eq!((events.contains(&"1 BOOT".into()), both[0].fault_code), (true, 0), "{events:?}");
}

#[test]
fn f12_an_image_that_is_refused_leaves_the_router_as_it_is() {
    let acs = Acs::start();
    let (agent, _server) = upgrading(&acs, "CORRUPT");
    let (_, events, both) = told_both(&acs);
    assert_eq!(events, ["7 TRANSFER COMPLETE", "M Download"]);
    assert_eq!(both[0].fault_code, 9018);
    assert_eq!(applied(&agent.root), 0);
    assert!(!agent.root.at("/etc/cwmpd.upgrading").exists());
}

/// A new image may leave less room on the flash than its state needs.
#[test]
fn f10_f11_success_stays_one_when_it_cannot_be_saved() {
    let acs = Acs::start();
    let (mut agent, _server) = upgrading(&acs, &image("25.12.0"));
    wait_for("the image to be written", || agent.root.at("/flash/image").exists().then_some(()));
    power_off(&mut agent);
    let in_the_way = agent.root.at("/etc/cwmpd/.transfers.json.cwmpd-new");
    std::fs::create_dir(&in_the_way).unwrap();
    power_on(&mut agent);
    agent.wait_log("the state is not saved");
    power_off(&mut agent);
    std::fs::remove_dir(&in_the_way).unwrap();
    power_on(&mut agent);
    let result = told(&acs).1.remove(0);
    assert_eq!((result.command_key.as_str(), result.fault_code), ("image", 0), "{}", result.fault_string);
}

#[test]
fn f12_after_a_boot_with_the_old_image_it_has_failed() {
    let acs = Acs::start();
    let (mut agent, _server) = upgrading(&acs, "UNWRITTEN");
    wait_for("sysupgrade", || (applied(&agent.root) > 0).then_some(()));
    agent.wait_log("the router restarts");
    reboot(&mut agent);
    let (_, events, both) = told_both(&acs);
    assert_eq!(events, ["1 BOOT", "7 TRANSFER COMPLETE", "M Download"]);
    assert_eq!(both[0].fault_code, 9010);
    agent.wait_idle();
    assert_eq!(applied(&agent.root), 1, "it is not tried again");
    agent.ask("2 PERIODIC");
    assert_eq!(codes(&acs.serve()), ["2 PERIODIC"]);
}
