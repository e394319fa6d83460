//! A full and a read-only disk: nothing is lost, and the person hears why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::fs;
use std::path::Path;
use std::process::Command;

use cwmpd::state::{Store, Was};

/// Runs the next test with a small disk of its own, in a namespace where it may mount one.
#[test]
fn a_full_or_read_only_disk_loses_no_state() {
    let own = std::env::current_exe().unwrap();
    let place = tempfile::tempdir().unwrap();
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .arg("sh")
            .arg(place.path())
            .arg(&own);
        command
    };
    let mount = "mount -t tmpfs -o size=64k small \"$1\"";
    if !unshare(mount).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: nothing can be mounted here");
        return;
    }
    let script = format!("{mount} && SMALL_DISK=\"$1\" exec \"$2\" --ignored --exact on_the_small_disk");
    let output = unshare(&script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[test]
#[ignore = "run by a_full_or_read_only_disk_loses_no_state"]
fn on_the_small_disk() {
    let disk = std::env::var("SMALL_DISK").unwrap();
    let directory = Path::new(&disk).join("cwmpd");
    let mut store = Store::open(&directory).unwrap();
    let (before, after) = (vec!["x".repeat(10_000)], vec!["y".repeat(30_000)]);
    store.save("state.json", &before).unwrap();
    let holds = |wanted: &Vec<String>| {
        let loaded = Store::open(&directory).unwrap().load::<Vec<String>>("state.json");
        assert_eq!(loaded.was, Was::Read);
        assert!(loaded.value == *wanted);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    };

    fs::write(Path::new(&disk).join("filler"), vec![0; 30_000]).unwrap();
    let error = store.save("state.json", &after).unwrap_err().to_string();
    assert!(error.contains("cannot write") && error.contains("No space left"), "{error}");
    holds(&before);
    fs::remove_file(Path::new(&disk).join("filler")).unwrap();
    store.save("state.json", &after).unwrap();
    holds(&after);

    assert!(Command::new("mount").args(["-o", "remount,ro", &disk]).status().unwrap().success());
    let error = store.save("state.json", &before).unwrap_err().to_string();
    assert!(error.contains("Read-only file system"), "{error}");
    store.save("state.json", &after).unwrap_err();
    holds(&after);
    let _lock = store.lock().unwrap();
}
