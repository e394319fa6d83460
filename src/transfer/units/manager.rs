//! Runs the package manager, and makes faults of what it complains of (TR-069a6 A.5.1).
//!
//! It goes on by itself when the agent ends: one that is cut off in the middle, by the end of the pipe that it writes to, leaves half a package. The
//! next start of the agent waits until it is through.

use std::fs::{self, File};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::work::{DOWNGRADE, MISMATCH, NO_ROOM, STATE};
use crate::error::FaultCode;
use crate::platform::live::Live;
use crate::platform::packages::{self, Manager, OPKG_STATUS};
use crate::platform::{System, files};
use crate::transfer::{Trouble, code, place, settings};

/// How long a package manager may take: a slow line, a slow flash.
const DEADLINE: Duration = Duration::from_secs(600);

/// What is read of what it says, in bytes; one that says so much more is ended.
const OUTPUT: usize = 256 << 10;
const MOST_OUTPUT: u64 = 4 << 20;

/// How often it is looked at, and tried again while another one has the database.
const LOOK: Duration = Duration::from_millis(50);
const AGAIN: Duration = Duration::from_millis(500);

/// What apk is to keep installed, one package a line.
const WORLD: &str = "/etc/apk/world";
const LARGEST_WORLD: usize = 256 << 10;

/// The longest status file of opkg, in bytes.
const LARGEST_STATUS: usize = 4 << 20;

/// What it says, in lower case, while another one is at work.
const LOCKED: &[&str] = &["could not lock", "unable to lock database"];

/// What it complains of, in lower case. What says most comes first, because opkg ends every complaint with the same two general ones, and apk begins each
/// with the same.
const REASONS: &[(&str, FaultCode)] = &[
    ("only have", NO_ROOM),
    ("no space left", NO_ROOM),
    ("incompatible with the architectures", MISMATCH),
    ("cannot satisfy the following dependencies", MISMATCH),
    ("cannot find dependency", MISMATCH),
    ("uninstallable", MISMATCH),
    ("conflict", MISMATCH),
    ("is depended upon by", STATE),
    ("md5sum mismatch", code::CORRUPTED),
    ("sha256sum mismatch", code::CORRUPTED),
    ("malformed package", code::CORRUPTED),
    ("failed to verify the signature", code::CORRUPTED),
    ("signature file is missing", code::CORRUPTED),
    ("untrusted signature", code::CORRUPTED),
    ("bad signature", code::CORRUPTED),
    ("bad archive", code::CORRUPTED),
    ("adb ", code::CORRUPTED),
    ("v2 package", code::CORRUPTED),
    ("file format", code::CORRUPTED),
    ("integrity error", code::CORRUPTED),
    ("unexpected end of file", code::CORRUPTED),
    ("http 401", code::LOGIN),
    ("http 403", code::ACCESS),
    ("http 404", code::ACCESS),
    ("wget returned 8", code::ACCESS),
    ("package mentioned in index not found", code::ACCESS),
    ("wget returned", code::CONTACT),
    ("failed to download", code::CONTACT),
    ("dns: ", code::CONTACT),
    ("tls: ", code::CONTACT),
    ("network error", code::CONTACT),
    ("connection", code::CONTACT),
    // The package itself, and below it one that it needs.
    ("required by: world[", code::ACCESS),
    ("no such package", MISMATCH),
    ("unable to select packages", MISMATCH),
    ("unknown package", code::ACCESS),
];

/// Runs the package manager with these arguments, each of them one argument.
///
/// # Errors
/// With what it complains of, or 9001 when it cannot be run or does not end.
pub(super) fn run(live: &Live, manager: Manager, arguments: &[&str]) -> Result<(), Trouble> {
    let mut argv = vec![manager.program()];
    argv.extend(arguments);
    let end = Instant::now() + DEADLINE;
    loop {
        let (status, said) = once(live, &argv, end)?;
        let lower = said.to_ascii_lowercase();
        // opkg says this and ends with 0.
        if let (Some(0), true) = (status, lower.contains("not downgrading package")) {
            return Err(Trouble::new(DOWNGRADE, line_with(&said, "not downgrading package")));
        }
        if status == Some(0) {
            return Ok(());
        }
        if LOCKED.iter().any(|words| lower.contains(words)) && Instant::now() < end {
            thread::sleep(AGAIN);
            continue;
        }
        let reason = REASONS.iter().find(|(words, _)| lower.contains(words));
        let (code, text) = match reason {
            // apk says on one line that it is not there, and on the next who wants it.
            Some((words, code)) if words.starts_with("required") => (*code, line_with(&said, "no such package")),
            Some((words, code)) => (*code, line_with(&said, words)),
            None => (FaultCode::REQUEST_DENIED, line_with(&said, "")),
        };
        return Err(Trouble::new(code, text));
    }
}

/// Takes a package away.
///
/// # Errors
/// As [`run`]; where others need it, apk leaves it and says nothing of it in its exit status.
pub(super) fn remove(live: &Live, manager: Manager, name: &str) -> Result<(), Trouble> {
    run(live, manager, &[if manager == Manager::Opkg { "remove" } else { "del" }, name])
}

/// The packages that somebody has asked for, by name or as a file; the others came along because those need them.
pub(super) fn asked_for(live: &Live, manager: Manager) -> Vec<String> {
    let read = |path: &str, longest: usize| {
        let bytes = live.read_file(path, longest).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    match manager {
        Manager::Opkg => packages::opkg_asked_for(&read(OPKG_STATUS, LARGEST_STATUS)),
        Manager::Apk => packages::apk_asked_for(&read(WORLD, LARGEST_WORLD)),
    }
}

/// What apk is to keep installed, which a removal that comes to nothing changes all the same.
pub(super) struct World<'a>(&'a Live, Option<Vec<u8>>);

impl<'a> World<'a> {
    /// Remembers what it is.
    pub(super) fn before(live: &'a Live, manager: Manager) -> Self {
        let apk = manager == Manager::Apk;
        Self(live, apk.then(|| live.read_file(WORLD, LARGEST_WORLD).ok()).flatten())
    }

    /// Makes it what it was.
    pub(super) fn put_back(self) {
        let Self(live, Some(before)) = self else { return };
        if live.read_file(WORLD, LARGEST_WORLD).is_ok_and(|now| now != before) {
            if let Err(error) = live.replace_file(WORLD, 0o644, &before) {
                log::error!("{WORLD} is not what it was: {error}");
            }
        }
    }
}

/// The exit status, if it was not ended by a signal, and what it said.
fn once(live: &Live, argv: &[&str], end: Instant) -> Result<(Option<i32>, String), Trouble> {
    let program = argv.first().copied().unwrap_or_default();
    let failed = |error: &dyn std::fmt::Display| {
        Trouble::new(FaultCode::REQUEST_DENIED, format!("cannot run {program}: {error}"))
    };
    let file = place::private_directory(live)?.join("unit.log");
    let output = settings::new_file(&file).map_err(|error| failed(&error))?;
    let size = output.try_clone().map_err(|error| failed(&error))?;
    let child = live.launch(argv, output).map_err(|error| failed(&error))?;
    let status = watch(child, &size, end);
    let said = files::read(&file, OUTPUT).map(|said| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default();
    if let Err(error) = fs::remove_file(&file) {
        log::debug!("{} stays: {error}", file.display());
    }
    status.map(|status| (status, said)).map_err(|error| failed(&error))
}

fn watch(mut child: Child, output: &File, end: Instant) -> Result<Option<i32>, &'static str> {
    loop {
        let trouble = match child.try_wait() {
            Ok(Some(status)) => return Ok(status.code()),
            Ok(None) if Instant::now() >= end => "it does not end",
            Ok(None) if output.metadata().is_ok_and(|it| it.len() > MOST_OUTPUT) => "it does not end talking",
            Ok(None) => {
                thread::sleep(LOOK);
                continue;
            }
            Err(_) => "what has become of it is not known",
        };
        // It may have ended meanwhile.
        let _ = child.kill();
        let _ = child.wait();
        return Err(trouble);
    }
}

/// The last line with these words, without the marks and names of functions that opkg puts before it, and without credentials of a feed.
fn line_with(said: &str, words: &str) -> String {
    let fits = |line: &&str| !line.trim().is_empty() && line.to_ascii_lowercase().contains(words);
    let line = said.lines().rev().find(fits).unwrap_or("the package manager failed");
    let line = line.trim_start_matches([' ', '*', '\t']).trim_start_matches("ERROR: ");
    let hide = |word: &str| match (word.find("://"), word.find('@')) {
        (Some(scheme), Some(at)) if scheme < at => match (word.get(..scheme), word.get(at..)) {
            (Some(scheme), Some(host)) => format!("{scheme}://***{host}"),
            _ => String::from("***"),
        },
        _ => String::from(word),
    };
    let shown: Vec<String> = line.split_whitespace().map(hide).collect();
    shown.join(" ").chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_tells_most() {
        let said = "Unknown package 'x'.\nCollected errors:\n * opkg_install_cmd: Cannot install package x.\n\n";
        assert_eq!(line_with(said, "unknown package"), "Unknown package 'x'.");
        assert_eq!(line_with(said, ""), "opkg_install_cmd: Cannot install package x.");
        assert_eq!(line_with("", ""), "the package manager failed");
        assert_eq!(
            line_with(" * opkg_download: Failed to download http://me:secret@feed/x.ipk, wget returned 8.", "wget"),
            "opkg_download: Failed to download http://***@feed/x.ipk, wget returned 8."
        );
        assert_eq!(
            line_with("ERROR: /tmp/unit.apk: UNTRUSTED signature", "untrusted"),
            "/tmp/unit.apk: UNTRUSTED signature"
        );
    }
}
