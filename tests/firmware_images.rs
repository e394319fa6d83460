//! Boards that keep more than one image (TR-181 2.17 Device.DeviceInfo.FirmwareImage.{i}., TR-069a6 A.4.1.5 `6 Stored Firmware Image`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;
#[path = "common/model.rs"]
mod model;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::acs::Acs;
use common::agent::{Agent, again};
use common::images::{HOOK, calls, install};
use common::root;
use common::transfers::*;
use cwmpd::platform::live::Live;
use cwmpd::transfer::apply::{Applied, Kind, apply, check_file_type};
use cwmpd::transfer::place::private_directory;
use model::Router;

const INFO: &str = "Device.DeviceInfo.";
const IMAGE_1: &str = "Device.DeviceInfo.FirmwareImage.1";
const IMAGE_2: &str = "Device.DeviceInfo.FirmwareImage.2";
const ACTIVE: &str = "Device.DeviceInfo.ActiveFirmwareImage";
const BOOT: &str = "Device.DeviceInfo.BootFirmwareImage";
const AVAILABLE_1: &str = "Device.DeviceInfo.FirmwareImage.1.Available";
const AVAILABLE_2: &str = "Device.DeviceInfo.FirmwareImage.2.Available";
const STORED: &str = "6 Stored Firmware Image";

fn board() -> Router {
    let router = Router::new();
    install(&router.root);
    router
}

fn codes(blamed: &[(String, cwmpd::error::FaultCode)]) -> Vec<(&str, u16)> {
    blamed.iter().map(|(name, code)| (name.as_str(), code.0)).collect()
}

#[test]
fn a_board_without_a_program_for_its_images_has_none() {
    let router = Router::new();
    let of = |name: &str| router.get(&format!("{INFO}{name}"));
    assert_eq!(of("FirmwareImageNumberOfEntries"), "0");
    assert_eq!((of("ActiveFirmwareImage"), of("BootFirmwareImage")), (String::new(), String::new()));
    assert_eq!(codes(&router.refused(&[(BOOT, IMAGE_1)])), [(BOOT, 9007)]);
    router.set(&[(BOOT, "")]).unwrap();
    assert!(calls(&router.root).is_empty());
}

#[test]
fn images_are_rows_and_asked_for_once_a_request() {
    let router = board();
    let values = router.values(INFO);
    assert_eq!(calls(&router.root), ["list"]);
    for (name, value) in [
        ("FirmwareImageNumberOfEntries", "2"),
        ("ActiveFirmwareImage", IMAGE_1),
        ("BootFirmwareImage", IMAGE_1),
        ("FirmwareImage.1.Name", "a"),
        ("FirmwareImage.1.Version", "24.10.4"),
        ("FirmwareImage.1.Available", "true"),
        ("FirmwareImage.1.Status", "Active"),
        ("FirmwareImage.2.Name", "b"),
        ("FirmwareImage.2.Version", "24.10.2"),
        ("FirmwareImage.2.Available", "true"),
        ("FirmwareImage.2.Status", "Available"),
        ("FirmwareImage.2.BootFailureLog", ""),
    ] {
        let name = format!("{INFO}{name}");
        assert!(values.contains(&(name.clone(), value.into())), "{name} is not {value:?}: {values:?}");
    }
    // The next image that runs is the same row.
    router.root.write("/images/active", "b");
    router.root.write("/images/a.failure", "no root file system");
    assert_eq!(router.get(ACTIVE), IMAGE_2);
    assert_eq!(router.get(&format!("{IMAGE_1}.Status")), "ActivationFailed");
    assert_eq!(router.get(&format!("{IMAGE_1}.BootFailureLog")), "no root file system");
    router.root.write("/images/b", "");
    router.root.write("/images/active", "a");
    assert_eq!(router.get(&format!("{IMAGE_2}.Status")), "NoImage");
    assert_eq!(router.get(AVAILABLE_2), "false");
}

#[test]
fn the_image_of_the_next_boot_is_chosen() {
    let router = board();
    router.set(&[(BOOT, IMAGE_2)]).unwrap();
    assert!(calls(&router.root).contains(&"activate b".into()));
    assert_eq!((router.get(BOOT), router.get(ACTIVE)), (IMAGE_2.into(), IMAGE_1.into()));
    // What is so already needs no program.
    router.root.clear_calls();
    router.set(&[(BOOT, IMAGE_2)]).unwrap();
    assert_eq!(calls(&router.root), ["list"]);
    for none in ["", "Device.DeviceInfo.FirmwareImage.3", "Device.DeviceInfo.", "b"] {
        assert_eq!(codes(&router.refused(&[(BOOT, none)])), [(BOOT, 9007)], "{none}");
    }
    // Nothing is answered that did not happen.
    router.root.write("/images/locked", "");
    assert_eq!(router.set(&[(BOOT, IMAGE_1)]).unwrap_err().code.0, 9002);
    assert_eq!(router.get(BOOT), IMAGE_2);
}

#[test]
fn an_image_is_taken_out_of_use_until_another_is_in_its_place() {
    let router = board();
    router.set(&[(AVAILABLE_2, "false")]).unwrap();
    router.restart();
    assert_eq!(router.get(AVAILABLE_2), "false");
    assert_eq!(codes(&router.refused(&[(BOOT, IMAGE_2)])), [(BOOT, 9007)]);
    router.root.write("/images/b", "25.12.0");
    assert_eq!(router.get(AVAILABLE_2), "true");
    router.set(&[(BOOT, IMAGE_2)]).unwrap();
    // What runs and what boots next is needed.
    assert_eq!(codes(&router.refused(&[(AVAILABLE_1, "false")])), [(AVAILABLE_1, 9007)]);
    assert_eq!(codes(&router.refused(&[(AVAILABLE_2, "false")])), [(AVAILABLE_2, 9007)]);
    // The end of the request counts, in whichever order it was written.
    router.set(&[(AVAILABLE_2, "false"), (BOOT, IMAGE_1)]).unwrap();
    assert_eq!((router.get(AVAILABLE_2), router.get(BOOT)), ("false".into(), IMAGE_1.into()));
    router.set(&[(BOOT, IMAGE_2), (AVAILABLE_2, "true")]).unwrap();
    assert_eq!((router.get(AVAILABLE_2), router.get(BOOT)), ("true".into(), IMAGE_2.into()));
    router.set(&[(BOOT, IMAGE_1)]).unwrap();
    for both in [[(BOOT, IMAGE_2), (AVAILABLE_2, "false")], [(AVAILABLE_2, "false"), (BOOT, IMAGE_2)]] {
        assert!(!router.refused(&both).is_empty());
        assert_eq!((router.get(AVAILABLE_2), router.get(BOOT)), ("true".into(), IMAGE_1.into()));
    }
    router.root.write("/images/b", "");
    assert_eq!(codes(&router.refused(&[(AVAILABLE_2, "true")])), [(AVAILABLE_2, 9007)]);
}

/// Everything else is answered whatever the program of a board does.
#[test]
fn a_program_that_fails_is_no_reason_to_answer_nothing() {
    let router = board();
    for script in ["exit 1", "echo rubbish", "echo '{}'", "head -c 2000000 /dev/zero", "kill -9 $$"] {
        router.root.write_recorder(HOOK, script);
        let values = router.values(INFO);
        assert!(values.len() > 50, "{script}");
        assert_eq!(router.get(&format!("{INFO}FirmwareImageNumberOfEntries")), "0", "{script}");
    }
    install(&router.root);
    fs::set_permissions(router.root.at(HOOK), fs::Permissions::from_mode(0o644)).unwrap();
    router.root.clear_calls();
    assert_eq!(router.get(&format!("{INFO}FirmwareImageNumberOfEntries")), "0");
    assert!(calls(&router.root).is_empty());
}

/// CONFORMANCE F-02, F-14.
#[test]
fn f02_f14_an_image_is_stored_by_the_program_of_the_board() {
    let router = board();
    let live = Live::new(router.root.path()).unwrap();
    assert_eq!(check_file_type(&live, STORED).unwrap(), Kind::StoredImage);
    let file = private_directory(&live).unwrap().join("image");
    for (content, code) in [("CORRUPT", 9018), ("UNSIGNED", 9019), ("STUCK", 9010)] {
        fs::write(&file, content).unwrap();
        let trouble = apply(&live, Kind::StoredImage, &file, "").unwrap_err();
        assert_eq!(trouble.code.0, code, "{trouble}");
        assert_eq!(router.get(&format!("{IMAGE_2}.Version")), "24.10.2");
    }
    fs::write(&file, image("25.12.0")).unwrap();
    assert_eq!(apply(&live, Kind::StoredImage, &file, ""), Ok(Applied::Now));
    assert_eq!(router.get(&format!("{IMAGE_2}.Version")), "25.12.0");
    router.root.remove(HOOK);
    assert_eq!(check_file_type(&live, STORED).unwrap_err().code.0, 9003);
    assert_eq!(apply(&live, Kind::StoredImage, &file, "").unwrap_err().code.0, 9010);
}

/// CONFORMANCE F-02: an image is stored, chosen, and started by the next boot.
#[test]
fn f02_a_stored_image_runs_when_the_acs_wants_it_to() {
    let acs = Acs::start();
    let mut agent = Agent::new(&acs);
    install(&agent.root);
    // What is stored changes nothing that would have to prove itself.
    agent.option("cpe", "rollback_timeout", "300");
    agent.start();
    acs.serve();
    let server = file_server(image("25.12.0"));
    order(&agent, &acs, download("stored", STORED, &server.url("/image")));
    let (events, results) = told(&acs);
    assert_eq!(events, ["7 TRANSFER COMPLETE", "M Download"]);
    assert_eq!((results[0].command_key.as_str(), results[0].fault_code), ("stored", 0));
    assert!(agent.status()["undone_in"].is_null());
    assert!(calls(&agent.root).contains(&"store /tmp/cwmpd/transfer-1".into()));
    assert_eq!(applied(&agent.root), 0, "sysupgrade has nothing to do with it");
    let mut session = again(&agent, &acs);
    assert_eq!(session.value(&format!("{IMAGE_2}.Version")), "25.12.0");
    assert_eq!((session.value(ACTIVE), session.value(BOOT)), (IMAGE_1.into(), IMAGE_1.into()));
    session.set(&[(BOOT, "xsd:string", IMAGE_2)]);
    assert_eq!((session.value(ACTIVE), session.value(BOOT)), (IMAGE_1.into(), IMAGE_2.into()));
    session.end();
    agent.kill();
    agent.root.write("/images/active", "b");
    agent.root.reboot();
    agent.start();
    let mut session = acs.session();
    session.inform_ok();
    assert_eq!(session.value(ACTIVE), IMAGE_2);
    session.end();
}

/// An agent whose ACS wants to hear of autonomous transfers, and has chosen the image of the next boot.
fn choosing(acs: &Acs, image: &str) -> Agent {
    let mut agent = Agent::new(acs);
    install(&agent.root);
    agent.start();
    acs.serve();
    let mut session = again(&agent, acs);
    let policy = "Device.ManagementServer.AutonomousTransferCompletePolicy.Enable";
    session.set(&[(policy, "xsd:boolean", "1"), (BOOT, "xsd:string", image)]);
    session.end();
    agent.wait_idle();
    agent
}

/// CONFORMANCE F-24: what the ACS has had stored, and has chosen, is no transfer of others when it runs.
#[test]
fn f24_an_image_that_the_acs_has_chosen_is_no_autonomous_transfer() {
    let acs = Acs::start();
    let mut agent = choosing(&acs, IMAGE_2);
    agent.kill();
    agent.root.write("/images/active", "b");
    agent.root.replace("/etc/openwrt_release", "24.10.", "25.12.");
    agent.root.reboot();
    agent.start();
    let mut session = acs.session();
    let events = session.events();
    assert!(events.contains(&"4 VALUE CHANGE") && !events.iter().any(|code| code.starts_with("10 ")), "{events:?}");
    session.inform_ok();
    session.end();
}

/// CONFORMANCE F-24: an image that the ACS has chosen is not one that others have stored in its place since.
#[test]
fn f24_a_choice_that_has_come_to_nothing_hides_no_image_of_others() {
    // The one that runs already; and one that somebody else has put aside before it ran.
    for chosen in [IMAGE_1, IMAGE_2] {
        let acs = Acs::start();
        let mut agent = choosing(&acs, chosen);
        if chosen == IMAGE_2 {
            agent.root.write("/images/boot", "a");
            agent.reboot();
            acs.serve();
            agent.wait_idle();
        }
        agent.kill();
        let place = if chosen == IMAGE_1 { "a" } else { "b" };
        agent.root.write("/images/active", place);
        agent.root.write("/images/boot", place);
        agent.root.replace("/etc/openwrt_release", "24.10.", "25.12.");
        agent.root.reboot();
        agent.start();
        let session = acs.session();
        let events = session.events();
        assert!(events.contains(&"10 AUTONOMOUS TRANSFER COMPLETE"), "{chosen}: {events:?}");
    }
}
