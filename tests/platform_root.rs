//! The sample router is as the other tests expect it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/root.rs"]
mod root;

use std::process::Command;

use root::RouterRoot;

fn ubus(root: &RouterRoot, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(root.at("/bin/ubus"))
        .args(arguments)
        .env_clear()
        .env("CWMPD_ROOT", root.path())
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn ubus_answers_by_object_method_and_device() {
    let root = RouterRoot::new();
    let (status, answer) = ubus(&root, &["-S", "call", "iwinfo", "info", r#"{"device":"phy1-ap0"}"#]);
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, &answer["channel"]), (Some(0), &36.into()));
    assert_eq!(ubus(&root, &["-S", "call", "nothing", "info", "{}"]).0, Some(4));
    assert_eq!(ubus(&root, &["-S", "call", "system", "nothing", "{}"]).0, Some(3));
    assert_eq!(ubus(&root, &["-S", "call", "network", "reload"]), (Some(0), String::new()));
    assert_eq!(root.calls()[0], r#"/bin/ubus -S call iwinfo info {"device":"phy1-ap0"}"#);
    assert_eq!(root.calls().len(), 4);
}

#[test]
fn programs_are_recorded_and_a_reboot_is_another_boot() {
    let root = RouterRoot::new();
    let before = root.read("/proc/sys/kernel/random/boot_id");
    assert_eq!(before.trim().len(), 36);
    assert!(
        Command::new(root.at("/etc/init.d/dnsmasq"))
            .arg("reload")
            .env("CWMPD_ROOT", root.path())
            .status()
            .unwrap()
            .success()
    );
    assert!(Command::new(root.at("/sbin/reboot")).status().unwrap().success());
    assert_eq!(root.calls(), ["/etc/init.d/dnsmasq reload", "/sbin/reboot"]);
    root.reboot();
    assert_ne!(root.read("/proc/sys/kernel/random/boot_id"), before);
}

#[test]
fn every_recorded_answer_is_json() {
    let root = RouterRoot::new();
    for entry in std::fs::read_dir(root.at("/ubus")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.is_empty() || serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", path.display());
    }
}
