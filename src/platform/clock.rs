//! The clock on the wall, the time since boot, and whether the former can be believed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

use super::System;

/// When this release was made, in seconds since 1970; moved on with each release.
const RELEASE: u64 = 1_761_955_200; // 2025-11-01T00:00:00Z

/// What the build says of its date (reproducible-builds.org), as OpenWrt's does.
const BUILD: Option<&str> = option_env!("SOURCE_DATE_EPOCH");

/// How many files and directories of `/etc` are looked at.
const FILES: usize = 4096;

/// How deep directories of `/etc` are looked into.
const DEPTH: usize = 5;

/// A clock that shows less than it should by no more was corrected, not set back.
const CORRECTION: Duration = Duration::from_secs(2);

/// Time since the boot of the kernel, sleep included.
#[must_use]
pub fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// For how long of that the kernel was suspended.
#[must_use]
pub fn asleep() -> Duration {
    let awake = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    since_boot().saturating_sub(awake)
}

/// What tells this boot of the kernel from every other; `None` where the system does not say.
pub fn boot_id(system: &dyn System) -> Option<String> {
    let content = system.read_file("/proc/sys/kernel/random/boot_id", 128).ok()?;
    let id = std::str::from_utf8(&content).ok()?.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// Whether the clock on the wall can be believed: routers have no battery, and begin each boot in the past.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockCheck {
    earliest: SystemTime,
}

impl ClockCheck {
    /// Takes the latest of the build date, the last time known to be good (seconds since 1970), and the newest file in `/etc`.
    /// Looks at all of `/etc`, so make it once, at the start.
    pub fn new(system: &dyn System, last_good: Option<u64>) -> Self {
        let seconds = build_date().max(last_good.unwrap_or(0));
        let known = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH);
        let newest = newest_file(system, "/etc");
        Self { earliest: newest.map_or(known, |newest| newest.max(known)) }
    }

    /// Takes the last time known to be good (seconds since 1970) into account as well.
    #[must_use]
    pub fn not_before(self, seconds: u64) -> Self {
        let known = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH);
        Self { earliest: self.earliest.max(known) }
    }

    /// What counts after somebody has set the clock; `expected` is what it would show otherwise. One that was known and is set back was ahead, as
    /// after a wrong answer of a time server, and what is left of that must not make the right time unknown until the wrong one has come. `None`
    /// where nothing was set back, or to before this release, which is not right either.
    #[must_use]
    pub fn set_back(self, expected: SystemTime, now: SystemTime) -> Option<Self> {
        let release = UNIX_EPOCH.checked_add(Duration::from_secs(build_date()))?;
        let back = expected.duration_since(now).is_ok_and(|by| by > CORRECTION);
        (back && self.is_known(expected) && now >= release).then(|| Self { earliest: self.earliest.min(now) })
    }

    /// Whether this time of the clock on the wall can be right.
    #[must_use]
    pub fn is_known(&self, now: SystemTime) -> bool {
        now >= self.earliest
    }

    /// The earliest time that it can be: the best guess while the clock is not known.
    #[must_use]
    pub fn earliest(&self) -> SystemTime {
        self.earliest
    }
}

fn build_date() -> u64 {
    BUILD.and_then(|text| text.trim().parse().ok()).unwrap_or(0).max(RELEASE)
}

/// The last change of any file beneath a directory. Directories themselves do not count: they change when a file only goes.
fn newest_file(system: &dyn System, directory: &str) -> Option<SystemTime> {
    let mut newest = None;
    let mut looked_at = 0;
    let mut ahead = vec![(directory.to_owned(), 0)];
    while let Some((directory, depth)) = ahead.pop() {
        for name in system.list_dir(&directory).unwrap_or_default() {
            let path = format!("{directory}/{name}");
            looked_at += 1;
            if looked_at > FILES {
                return newest;
            }
            // A link may lead out of /etc, to files that change all the time.
            if system.read_link(&path).is_ok() {
                continue;
            }
            match system.file_info(&path) {
                Ok(info) if info.directory && depth < DEPTH => ahead.push((path, depth + 1)),
                Ok(info) if !info.directory => newest = newest.max(Some(info.modified)),
                _ => {}
            }
        }
    }
    newest
}
