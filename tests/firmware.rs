//! New firmware: what sysupgrade is asked, and how the agent knows after a boot which image runs (CONFORMANCE F-11, F-12).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::root::RouterRoot;
use cwmpd::platform::live::Live;
use cwmpd::transfer::Trouble;
use cwmpd::transfer::apply::{
    Applied, Kind, apply, check_file_type, check_upload_type, firmware_forget, firmware_result,
};
use cwmpd::transfer::place::private_directory;

const MARK: &str = "/etc/cwmpd.upgrading";
const KEPT: &str = "/etc/cwmpd/upgrading.json";

struct Router {
    root: RouterRoot,
    live: Live,
}

impl Router {
    /// A router whose sysupgrade does this: `$1` is `-T` for a trial.
    fn new(sysupgrade: &str) -> Self {
        let root = RouterRoot::new();
        root.write_recorder("/sbin/sysupgrade", sysupgrade);
        let live = Live::new(root.path()).unwrap();
        Self { root, live }
    }

    fn image(&self) -> PathBuf {
        let file = private_directory(&self.live).unwrap().join("firmware");
        fs::write(&file, "an image").unwrap();
        file
    }

    fn install(&self) -> Result<Applied, Trouble> {
        apply(&self.live, Kind::Firmware, &self.image(), "openwrt.bin; reboot")
    }

    fn is_there(&self, path: &str) -> bool {
        self.root.at(path).exists()
    }

    fn result_code(&self) -> Option<u16> {
        firmware_result(&self.live).map(|result| result.err().map_or(0, |trouble| trouble.code.0))
    }
}

#[test]
fn f11_an_image_is_tried_before_it_is_written() {
    // It looks whether the mark is there when it begins to write, and whether the image is where it was told.
    let router = Router::new("[ \"$1\" = -T ] || { cat \"@ROOT@$1\" && cat @ROOT@/etc/cwmpd.upgrading; } >@ROOT@/seen");
    assert_eq!(router.install(), Ok(Applied::Restart));
    assert_eq!(
        router.root.calls(),
        ["/sbin/sysupgrade -T /tmp/cwmpd/firmware", "/sbin/sysupgrade /tmp/cwmpd/firmware"]
    );
    let seen = router.root.read("/seen");
    assert!(seen.starts_with("an image{"), "{seen}");
    assert_eq!(router.result_code(), None, "it may still be at work");
}

#[test]
fn f11_after_the_boot_the_absence_of_the_mark_tells_that_the_new_image_runs() {
    let router = Router::new("");
    router.install().unwrap();
    // What sysupgrade keeps comes back, and the rest of /etc is that of the new image.
    router.root.reboot();
    router.root.remove(MARK);
    for _ in 0..2 {
        assert_eq!(router.result_code(), Some(0), "as often as it is asked");
    }
    firmware_forget(&router.live);
    assert!(!router.is_there(KEPT));
    assert_eq!(router.result_code(), Some(9010), "nothing of it is left for the next one");
}

#[test]
fn f12_after_the_boot_the_mark_tells_that_the_old_image_still_runs() {
    let router = Router::new("");
    router.install().unwrap();
    router.root.reboot();
    assert_eq!(router.result_code(), Some(9010));
    assert_eq!(router.result_code(), Some(9010));
    firmware_forget(&router.live);
    assert!(!router.is_there(MARK) && !router.is_there(KEPT));
}

/// What is kept then is what the ACS has to hear of, and the way to it.
#[test]
fn f11_an_image_may_begin_without_the_settings_of_the_router() {
    let router = Router::new(
        "case $1 in -b) tar -C @ROOT@ -czf \"@ROOT@$2\" etc/config etc/cwmpd etc/resolv.conf ;;
        -f) tar -tzf \"@ROOT@$2\" | sort >@ROOT@/kept ;; esac",
    );
    router.root.replace("/etc/config/cwmpd", "config cpe 'cpe'", "config cpe 'cpe'\n\toption keep_settings '0'");
    router.root.write("/etc/cwmpd/transfers.json", "{}");
    assert_eq!(router.install(), Ok(Applied::Restart));
    assert_eq!(
        router.root.calls(),
        [
            "/sbin/sysupgrade -T /tmp/cwmpd/firmware",
            "/sbin/sysupgrade -b /tmp/cwmpd/firmware.all",
            "/sbin/sysupgrade -f /tmp/cwmpd/firmware.own /tmp/cwmpd/firmware",
        ]
    );
    let kept = router.root.read("/kept");
    let kept: Vec<&str> = kept.lines().filter(|name| !name.ends_with('/')).collect();
    assert_eq!(kept, ["etc/config/cwmpd", "etc/cwmpd/transfers.json", "etc/cwmpd/upgrading.json"]);
}

/// The power goes between any two steps: never is an image reported as running that was not written.
#[test]
fn f11_a_loss_of_power_before_sysupgrade_began_is_no_success() {
    let router = Router::new("");
    assert_eq!(router.result_code(), Some(9010), "before anything was written");
    router.root.write(MARK, "{}");
    assert_eq!(router.result_code(), Some(9010), "after the mark");
    router.root.reboot();
    assert_eq!(router.result_code(), Some(9010));
    router.root.write(KEPT, "");
    assert_eq!(router.result_code(), Some(9010), "a damaged note");
    // An upgrade that follows begins from nothing.
    router.install().unwrap();
    router.root.reboot();
    router.root.remove(MARK);
    assert_eq!(router.result_code(), Some(0));
}

/// CONFORMANCE Y-01: signatures are checked as far as sysupgrade does.
#[test]
fn f12_an_image_that_sysupgrade_does_not_take_changes_nothing() {
    for (said, code) in [
        ("echo 'Image metadata not present' >&2; echo 'Use sysupgrade -F to override' >&2; exit 1", 9018),
        ("echo 'Device example,ax3000 not supported by this image' >&2; exit 1", 9018),
        ("echo 'Image check failed.'; exit 1", 9018),
        ("printf 'Image signature not present\\nUse sysupgrade -F to override\\n' >&2; exit 1", 9019),
        ("printf 'Image signature not present\\nImage check failed.\\n' >&2; exit 1", 9018),
        ("exit 74", 9018),
        ("kill -9 $$", 9010),
    ] {
        let router = Router::new(said);
        let trouble = router.install().unwrap_err();
        assert_eq!(trouble.code.0, code, "{said}: {}", trouble.text);
        assert!(!trouble.text.contains('\n') && !trouble.text.contains("-F"), "{}", trouble.text);
        assert_eq!(router.root.calls().len(), 1, "only the trial");
        assert!(!router.is_there(MARK) && !router.is_there(KEPT), "no boot, and nothing that looks like one");
    }
}

#[test]
fn f12_a_sysupgrade_that_gives_up_leaves_the_old_image() {
    let router = Router::new("[ \"$1\" = -T ] && exit 0\necho 'cannot make the list of files' >&2; exit 1");
    let trouble = router.install().unwrap_err();
    assert_eq!(trouble.code.0, 9010);
    assert!(trouble.text.contains("cannot make the list of files"), "{}", trouble.text);
    assert!(!router.is_there(MARK) && !router.is_there(KEPT));
}

/// It hands over to procd, which ends the bus under its feet: its status then means nothing.
#[test]
fn f11_a_status_after_the_handover_is_no_failure() {
    for end in ["echo 'Commencing upgrade. Closing all shell sessions.' >&2; exit 1", "kill -TERM $$"] {
        let router = Router::new(&format!("[ \"$1\" = -T ] && exit 0\n{end}"));
        assert_eq!(router.install(), Ok(Applied::Restart), "{end}");
        assert!(router.is_there(MARK) && router.is_there(KEPT));
    }
}

/// The program that writes the flash has no pipe to the agent, which may end meanwhile.
#[test]
fn f11_nothing_of_the_agent_can_disturb_the_writing() {
    let router = Router::new(
        "[ \"$1\" = -T ] && exit 0\nfor fd in 0 1 2; do readlink /proc/$$/fd/$fd; done >@ROOT@/fds\n\
         cut -d ' ' -f 5 /proc/$$/stat >@ROOT@/group; echo $$ >@ROOT@/pid",
    );
    router.install().unwrap();
    let fds = router.root.read("/fds");
    assert!(!fds.contains("pipe:") && !fds.contains("socket:"), "{fds}");
    assert_eq!(router.root.read("/group"), router.root.read("/pid"), "its own process group");
}

#[test]
fn f11_a_router_without_sysupgrade_refuses_at_once() {
    let router = Router::new("");
    router.root.remove("/sbin/sysupgrade");
    assert_eq!(check_file_type(&router.live, "1 Firmware Upgrade Image").unwrap_err().code.0, 9001);
    assert_eq!(check_upload_type(&router.live, "1 Vendor Configuration File").unwrap_err().code.0, 9001);
    assert_eq!(router.install().unwrap_err().code.0, 9010);
}

#[test]
fn f02_file_types_of_a_download() {
    let router = Router::new("");
    let kind = |name: &str| check_file_type(&router.live, name).map_err(|fault| fault.code.0);
    assert_eq!(kind("1 Firmware Upgrade Image"), Ok(Kind::Firmware));
    assert_eq!(kind("3 Vendor Configuration File"), Ok(Kind::Settings));
    for other in [
        "2 Web Content",
        "4 Tone File",
        "5 Ringer File",
        "6 Stored Firmware Image",
        "X 00005E Logo",
        "1 firmware upgrade image",
        "1",
        "",
        "3 Vendor Configuration File 1",
        "<&>\u{fc}",
    ] {
        assert_eq!(kind(other), Err(9003), "{other}");
    }
}

#[test]
fn f03_file_types_of_an_upload() {
    let router = Router::new("");
    let kind = |name: &str| check_upload_type(&router.live, name).map_err(|fault| fault.code.0);
    assert_eq!(kind("1 Vendor Configuration File"), Ok(Kind::Settings));
    assert_eq!(kind("2 Vendor Log File"), Ok(Kind::Log));
    assert_eq!(kind("3 Vendor Configuration File 1"), Ok(Kind::Settings));
    assert_eq!(kind("3 Vendor Configuration File 2"), Ok(Kind::SettingsText));
    assert_eq!(kind("4 Vendor Log File 1"), Ok(Kind::Log));
    for other in ["3 Vendor Configuration File", "3 Vendor Configuration File 3", "4 Vendor Log File 2", "5 X", "", "X"]
    {
        assert_eq!(kind(other), Err(9003), "{other}");
    }
}
