//! When reports of bulk data are due, and what becomes of those that were not delivered (TR-181 2.17 Device.BulkData.; TR-369 R-BULK.2 to 5).
//!
//! Reports that wait are kept in memory: flash wears out. Only those of a profile with PersistAcrossReboot are written down, once, when the agent
//! is told to end, as it is before a reboot; a power cut loses them.

use std::sync::PoisonError;
use std::time::Duration;

use super::super::Agent;
use super::value;
use crate::acs::Settings;
use crate::bulk_data::Report;
use crate::cwmp::retry::Retry;
use crate::cwmp::schedule::{Periodic, PeriodicSettings};
use crate::daemon::random;
use crate::device::bulk_data::{ENABLE, PROFILES};
use crate::platform::System;
use crate::soap::rpc::DeviceId;
use crate::sorted::Map;
use crate::state::Loaded;
use crate::time::{Now, UtcTime};

/// What the reports of a profile that wait may take, in bytes; the newest is kept in any case.
const ROOM: usize = 128 << 10;

/// What of it is written down, in bytes.
const ROOM_ON_FLASH: usize = 32 << 10;

/// The file of reports that are kept over a reboot.
const FILE: &str = "bulk_data.json";

/// Reports by the path of their profile, as [`Report::to_json`] has them.
type Kept = Map<String, Vec<serde_json::Value>>;

/// What lives as long as the process.
#[derive(Default)]
pub(super) struct BulkData {
    profiles: Vec<Profile>,
    /// What the process before has kept for profiles that have not been looked at yet.
    kept: Kept,
    /// A worker is at work.
    busy: bool,
}

/// An enabled profile.
struct Profile {
    /// With its dot.
    path: String,
    /// EncodingType
    encoding: String,
    timer: Periodic,
    /// NumberOfRetainedFailedReports; `None` for as many as there is room for.
    retained: Option<usize>,
    /// RetryMinimumWaitInterval and RetryIntervalMultiplier, with RetryEnable.
    retry: Option<(u32, u32)>,
    /// PersistAcrossReboot
    persist: bool,
    failures: Retry,
    retry_at: Option<Duration>,
    due: Option<Due>,
    /// The oldest first.
    unsent: Vec<Report>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    /// A new report.
    New,
    /// What was not delivered, and nothing else.
    Again,
}

/// Work for somebody who may wait for a collector.
pub struct BulkJob {
    /// The path of the profile.
    pub path: String,
    /// Whether a new report is to be made.
    pub collect: bool,
    /// What goes before it, the oldest first.
    pub unsent: Vec<Report>,
    /// Who we are.
    pub device: DeviceId,
    /// How to connect; the URL and the credentials are those of the ACS.
    pub settings: Settings,
    /// The time; `None` as long as the clock is not known to be right.
    pub utc: Option<UtcTime>,
    /// The same by the clock as it is.
    pub clock: UtcTime,
}

impl Profile {
    /// Lets go of the oldest that are more than `most`, or take more than `room`.
    fn keep(&mut self, most: Option<usize>, room: usize) {
        let mut excess = most.map_or(0, |most| self.unsent.len().saturating_sub(most));
        let mut size = self.unsent.iter().skip(excess).fold(0_usize, |size, it| size.saturating_add(it.size()));
        while size > room && self.unsent.len().saturating_sub(excess) > 1 {
            size = size.saturating_sub(self.unsent.get(excess).map_or(0, Report::size));
            excess = excess.saturating_add(1);
        }
        if excess > 0 {
            log::warn!("{}: {excess} reports that were not delivered are dropped", self.path);
            self.unsent.drain(..excess);
        }
    }
}

impl Agent {
    pub(super) fn configure_bulk_data(&mut self) {
        let mut former = std::mem::take(&mut self.timed.bulk_data.profiles);
        let rows = self.model.registry().own_rows(PROFILES);
        let mut context = self.model.context();
        if rows.is_empty() || context.own(ENABLE).is_none_or(|value| value != "true") {
            return;
        }
        let now = self.now();
        for row in rows {
            let path = format!("{PROFILES}{row}.");
            let mut read = |name: &str| value(&mut context, &path, name);
            if read("Enable") != "true" {
                continue;
            }
            let settings = PeriodicSettings {
                enable: true,
                interval: read("ReportingInterval").parse().unwrap_or(u32::MAX),
                time: UtcTime::parse(&read("TimeReference")).unwrap_or(UtcTime::UNKNOWN),
            };
            let encoding = read("EncodingType");
            let retained = read("NumberOfRetainedFailedReports").parse().ok();
            let mut number = |name: &str| read(name).parse().unwrap_or(0);
            let retry = (number("HTTP.RetryMinimumWaitInterval"), number("HTTP.RetryIntervalMultiplier"));
            let retry = (read("HTTP.RetryEnable") == "true").then_some(retry);
            let persist = read("HTTP.PersistAcrossReboot") == "true";
            let known = former.iter().position(|profile| profile.path == path).map(|place| former.swap_remove(place));
            let mut profile = match known {
                // What has waited was written in another way.
                Some(known) if known.encoding != encoding => {
                    let due = known.due.filter(|due| *due == Due::New);
                    Profile { unsent: Vec::new(), retry_at: None, due, encoding, ..known }
                }
                Some(known) => known,
                None => {
                    let kept = self.timed.bulk_data.kept.remove(&path).unwrap_or_default();
                    Profile {
                        path,
                        encoding,
                        timer: Periodic::never(),
                        retained,
                        retry,
                        persist,
                        failures: Retry::default(),
                        retry_at: None,
                        due: None,
                        unsent: kept.iter().filter_map(Report::from_json).collect(),
                    }
                }
            };
            (profile.retained, profile.retry, profile.persist) = (retained, retry, persist);
            profile.timer.configure(settings, now, random());
            self.timed.bulk_data.profiles.push(profile);
        }
    }

    pub(super) fn bulk_data_deadline(&self) -> Option<Duration> {
        self.timed.bulk_data.profiles.iter().flat_map(|profile| [profile.timer.due(), profile.retry_at]).flatten().min()
    }

    pub(super) fn poll_bulk_data(&mut self, now: Now) {
        for profile in &mut self.timed.bulk_data.profiles {
            if profile.timer.poll(now, random()) {
                profile.due = Some(Due::New);
                (profile.failures, profile.retry_at) = (Retry::default(), None);
                profile.keep(profile.retained, ROOM);
            } else if profile.retry_at.is_some_and(|at| at <= now.monotonic) {
                profile.retry_at = None;
                profile.due = profile.due.or(Some(Due::Again));
            }
        }
    }

    /// What is to be reported now; one after the other.
    pub fn bulk_job(&mut self) -> Option<BulkJob> {
        if self.timed.bulk_data.busy {
            return None;
        }
        let profiles = &mut self.timed.bulk_data.profiles;
        let place = profiles.iter().position(|profile| profile.due.is_some())?;
        // The others come first the next time: a collector that keeps its profile waiting for longer than an interval would have all turns.
        let mut profile = profiles.remove(place);
        let collect = profile.due.take() == Some(Due::New);
        // All that waits goes along, and then nothing is left to be tried again.
        profile.retry_at = None;
        let (path, unsent) = (profile.path.clone(), std::mem::take(&mut profile.unsent));
        profiles.push(profile);
        self.timed.bulk_data.busy = true;
        let clock = UtcTime::from(self.live.wall_clock());
        let (device, settings, utc) = (self.device_id(), self.acs_settings(), self.now().utc);
        Some(BulkJob { path, collect, unsent, device, settings, utc, clock })
    }

    /// Reports were delivered, or say why they were not.
    pub fn bulk_data_sent(&mut self, path: &str, reports: Vec<Report>, sent: Result<(), String>) {
        self.timed.bulk_data.busy = false;
        let now = self.live.monotonic();
        let profile = self.timed.bulk_data.profiles.iter_mut().find(|profile| profile.path == path);
        let Some(profile) = profile else { return };
        match sent {
            Ok(()) => {
                log::info!("{path}: {} reports are delivered", reports.len());
                profile.failures.succeeded();
            }
            Err(reason) => {
                log::warn!("{path}: the report is not delivered: {reason}");
                profile.unsent = reports;
                match profile.retry {
                    Some((minimum, multiplier)) => {
                        profile.failures.failed(None);
                        let wait = profile.failures.wait(minimum, multiplier, random());
                        profile.retry_at = Some(now.saturating_add(wait));
                        // That of this interval is tried again as long as the interval lasts.
                        profile.keep(profile.retained.map(|most| most.max(1)), ROOM);
                    }
                    None => profile.keep(profile.retained, ROOM),
                }
            }
        }
    }

    pub(super) fn take_up_reports(&mut self) {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let Loaded { value: kept, .. } = store.load::<Kept>(FILE);
        if let Err(error) = store.remove(FILE) {
            log::warn!("reports may be told twice: {error}");
        }
        self.timed.bulk_data.kept = kept;
    }

    pub(super) fn keep_reports(&mut self) -> bool {
        // They stay: while a worker is busy this comes again, and writes the whole file anew.
        let mut kept = self.timed.bulk_data.kept.clone();
        for profile in self.timed.bulk_data.profiles.iter_mut().filter(|profile| profile.persist) {
            profile.keep(profile.retained, ROOM_ON_FLASH);
            if !profile.unsent.is_empty() {
                kept.insert(profile.path.clone(), profile.unsent.iter().map(Report::to_json).collect());
            }
        }
        if !kept.is_empty() {
            let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = store.save(FILE, &kept) {
                log::error!("reports that were not delivered are lost: {error}");
            }
        }
        !self.timed.bulk_data.busy
    }

    /// The worker is gone, and with it the reports that it had.
    pub fn abandon_bulk_data(&mut self) {
        self.timed.bulk_data.busy = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::rpc::{ParameterValue, Value};

    fn profile(sizes: &[usize]) -> Profile {
        let report = |(number, size): (usize, &usize)| Report {
            time: UtcTime::new(i64::try_from(number).unwrap(), 0),
            values: vec![ParameterValue { name: "x".repeat(*size), value: Value { kind: None, text: String::new() } }],
        };
        Profile {
            path: String::from("Device.BulkData.Profile.1."),
            encoding: String::from("CSV"),
            timer: Periodic::never(),
            retained: None,
            retry: None,
            persist: false,
            failures: Retry::default(),
            retry_at: None,
            due: None,
            unsent: sizes.iter().enumerate().map(report).collect(),
        }
    }

    fn kept(sizes: &[usize], most: Option<usize>) -> Vec<i64> {
        let mut profile = profile(sizes);
        profile.keep(most, ROOM);
        profile.unsent.iter().map(|report| report.time.seconds()).collect()
    }

    #[test]
    fn the_oldest_reports_go_first() {
        assert_eq!(kept(&[1, 1, 1], Some(2)), [1, 2]);
        assert_eq!(kept(&[1, 1, 1], Some(0)), [0_i64; 0]);
        assert_eq!(kept(&[1, 1, 1], None), [0, 1, 2]);
        assert_eq!(kept(&[ROOM / 2, ROOM / 2, 1], None), [1, 2], "there is no room for all");
        assert_eq!(kept(&[1, ROOM, ROOM], None), [2], "the newest is kept in any case");
        assert_eq!(kept(&[], None), [0_i64; 0]);
    }
}
