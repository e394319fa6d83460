//! When periodic and scheduled Informs are due.
//!
//! Timers run on the monotonic clock. The clock on the wall gives the phase of periodic Informs, and carries scheduled ones over a reboot.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Fault, FaultCode};
use crate::time::{Deadline, Now, UtcTime};

/// How many calls of ScheduleInform may wait.
const GREATEST_TIMERS: usize = 64;
/// The greatest length of a CommandKey in characters (TR-069a6 A.3.2.9).
const GREATEST_KEY: usize = 32;
/// Smaller steps of the clock are left to the next planning.
const CLOCK_STEP: Duration = Duration::from_secs(2);

/// The parameters of `Device.ManagementServer.` that say when Informs are due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeriodicSettings {
    /// PeriodicInformEnable
    pub enable: bool,
    /// PeriodicInformInterval in seconds, at least 1.
    pub interval: u32,
    /// PeriodicInformTime: Informs are due whole intervals away from it. Unknown Time leaves the phase to the CPE.
    pub time: UtcTime,
}

impl PeriodicSettings {
    /// Nothing is ever due.
    pub const NEVER: Self = Self { enable: false, interval: 1, time: UtcTime::UNKNOWN };
}

/// The timer of periodic Informs (TR-069a6 3.2.1, CONFORMANCE S-06 to S-10).
#[derive(Clone, Debug)]
pub struct Periodic {
    settings: PeriodicSettings,
    due: Option<Duration>,
    last: Option<Duration>,
    /// What the clocks showed when `due` was planned, if its phase depends on it.
    planned: Option<Now>,
}

impl Periodic {
    /// A timer that is not set yet.
    #[must_use]
    pub fn never() -> Self {
        Self { settings: PeriodicSettings::NEVER, due: None, last: None, planned: None }
    }

    /// Plans the first Inform. `random` spreads the Informs of many devices where the phase is free (CONFORMANCE S-10).
    #[must_use]
    pub fn new(settings: PeriodicSettings, now: Now, random: u32) -> Self {
        let mut periodic = Self { settings, due: None, last: None, planned: None };
        periodic.plan(now, random);
        periodic
    }

    /// Takes over new settings at once (CONFORMANCE S-07); the same settings again change nothing.
    pub fn configure(&mut self, settings: PeriodicSettings, now: Now, random: u32) {
        if settings != self.settings {
            self.settings = settings;
            self.last = None;
            self.plan(now, random);
        }
    }

    /// Whether an Inform has become due since the last call. To be called when [`Self::due`] is reached and when the clock was set: after a jump
    /// of the clock the next Inform is planned anew, and none is made up for (CONFORMANCE S-08).
    pub fn poll(&mut self, now: Now, random: u32) -> bool {
        let reached = self.due.is_some_and(|due| due <= now.monotonic);
        if reached {
            self.last = Some(now.monotonic);
            self.plan_after(now);
        } else if self.clock_was_set(now) {
            self.plan(now, random);
        }
        reached
    }

    /// When the next Inform is due on the monotonic clock.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.due
    }

    fn interval(&self) -> u64 {
        u64::from(self.settings.interval.max(1))
    }

    fn has_phase(&self) -> bool {
        self.settings.enable && self.settings.time != UtcTime::UNKNOWN
    }

    fn clock_was_set(&self, now: Now) -> bool {
        if !self.has_phase() {
            return false;
        }
        match (self.planned, now.utc) {
            (Some(Now { monotonic, utc: Some(then) }), Some(utc)) => {
                let expected = then.plus(now.monotonic.saturating_sub(monotonic));
                utc.since(expected).max(expected.since(utc)) >= CLOCK_STEP
            }
            (planned, utc) => planned.is_some() != utc.is_some(),
        }
    }

    /// Plans from nothing: from the phase, or anywhere within the interval.
    fn plan(&mut self, now: Now, random: u32) {
        self.planned = now.utc.is_some().then_some(now);
        self.due = self.settings.enable.then(|| {
            let until = self.until_phase(now).unwrap_or_else(|| {
                let milliseconds = u128::from(self.interval()) * 1000 * u128::from(random) / u128::from(u32::MAX);
                Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))
            });
            let due = now.monotonic.saturating_add(until);
            // A clock that was set back a little must not make the last Inform due a second time.
            match self.last {
                Some(last) if due.saturating_sub(last) < Duration::from_secs(self.interval()) / 2 => {
                    due.saturating_add(Duration::from_secs(self.interval()))
                }
                _ => due,
            }
        });
    }

    /// Plans the Inform after the one that is due now.
    fn plan_after(&mut self, now: Now) {
        if self.has_phase() && now.utc.is_some() {
            self.plan(now, 0);
            return;
        }
        self.planned = None;
        let Some(due) = self.due else { return };
        let missed = now.monotonic.saturating_sub(due).as_secs() / self.interval();
        self.due = Some(due.saturating_add(Duration::from_secs((missed + 1).saturating_mul(self.interval()))));
    }

    /// How long it is to the next moment that is whole intervals away from PeriodicInformTime.
    fn until_phase(&self, now: Now) -> Option<Duration> {
        let utc = now.utc.filter(|_| self.has_phase())?;
        let interval = i128::from(self.interval()) * 1_000_000_000;
        let nanos = |time: UtcTime| i128::from(time.seconds()) * 1_000_000_000 + i128::from(time.nanos());
        let since = (nanos(utc) - nanos(self.settings.time)).rem_euclid(interval);
        u64::try_from(interval - since).ok().map(Duration::from_nanos)
    }
}

/// A call of ScheduleInform that waits.
#[derive(Clone, Serialize, Deserialize, Debug)]
struct Timer {
    command_key: String,
    deadline: Deadline,
}

/// The calls of ScheduleInform that wait (TR-069a6 A.3.2.9, CONFORMANCE ).
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
pub struct Scheduled {
    #[serde(default)]
    timers: Vec<Timer>,
    #[serde(skip)]
    changed: bool,
}

impl Scheduled {
    /// Takes a call. The delay counts from now.
    ///
    /// # Errors
    /// 9003 for a delay of 0 or a CommandKey of more than 32 characters, 9002 when too many calls wait.
    pub fn add(&mut self, delay: u32, command_key: &str, now: Now) -> Result<(), Fault> {
        if delay == 0 {
            return Err(Fault::arguments("DelaySeconds must be greater than 0"));
        }
        if command_key.chars().count() > GREATEST_KEY {
            return Err(Fault::arguments("CommandKey has more than 32 characters"));
        }
        if self.timers.len() >= GREATEST_TIMERS {
            return Err(Fault::new(FaultCode::INTERNAL_ERROR, "too many calls of ScheduleInform wait already"));
        }
        self.timers.push(Timer { command_key: command_key.into(), deadline: Deadline::after(delay, now) });
        self.changed = true;
        Ok(())
    }

    /// Takes up the timers after they were read from the state. In the same boot they go on as they were. After a reboot they keep their time of
    /// day if the clock is known; until it is they begin anew, so that none is lost.
    pub fn restore(&mut self, same_boot: bool, now: Now) {
        if !same_boot {
            for timer in &mut self.timers {
                timer.deadline.restore(now);
            }
            self.changed |= !self.timers.is_empty();
        }
    }

    /// The clock has become known, after a boot without it: timers that have a time of day keep it, the others get one.
    pub fn clock_known(&mut self, now: Now) {
        for timer in &mut self.timers {
            self.changed |= timer.deadline.clock_known(now);
        }
    }

    /// The CommandKeys of the timers that have run out, in the order in which they did; each is a `3 SCHEDULED` and an `M ScheduleInform`.
    pub fn poll(&mut self, now: Now) -> Vec<String> {
        let mut over: Vec<_> = Vec::new();
        self.timers.retain(|timer| {
            let over_now = timer.deadline.is_over(now);
            if over_now {
                over.push((timer.deadline.due(), timer.command_key.clone()));
            }
            !over_now
        });
        self.changed |= !over.is_empty();
        over.sort_by_key(|(due, _)| *due);
        over.into_iter().map(|(_, command_key)| command_key).collect()
    }

    /// How many more calls there is room for.
    #[must_use]
    pub fn room(&self) -> usize {
        GREATEST_TIMERS.saturating_sub(self.timers.len())
    }

    /// When the next timer runs out on the monotonic clock.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.timers.iter().map(|timer| timer.deadline.due()).min()
    }

    /// Another ACS is responsible, or the router goes back to its defaults (CONFORMANCE B-05).
    pub fn clear(&mut self) {
        self.changed |= !self.timers.is_empty();
        self.timers.clear();
    }

    /// Whether something changed that is to be saved.
    #[must_use]
    pub fn must_persist(&self) -> bool {
        self.changed
    }

    /// It has been saved as it stands.
    pub fn persisted(&mut self) {
        self.changed = false;
    }
}

#[cfg(test)]
mod tests;
