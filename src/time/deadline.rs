//! A moment some seconds ahead, kept over reboots.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Now, UtcTime};

/// A time of day that is off by no more is left as it was saved.
const STEP: Duration = Duration::from_secs(2);

/// A moment that was set as a delay. It is measured on the monotonic clock; the clock on the wall only carries it over a reboot.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Deadline {
    /// How many seconds it was ahead when it was set.
    delay: u32,
    /// Seconds on the monotonic clock of this boot.
    due: u64,
    /// The same moment on the wall clock, once that is known.
    at: Option<UtcTime>,
    /// The time of day is that of an earlier boot, and all that is left of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    carried: bool,
}

impl Deadline {
    /// The moment this many seconds from now.
    #[must_use]
    pub fn after(delay: u32, now: Now) -> Self {
        let due = now.monotonic.saturating_add(Duration::from_secs(delay.into()));
        // Rounded up: never early. What is due now is due at once.
        let up = u64::from(delay > 0 && due.subsec_nanos() > 0);
        let at = now.utc.map(|utc| utc.plus(Duration::from_secs(delay.into())));
        Self { delay, due: due.as_secs().saturating_add(up), at, carried: false }
    }

    /// The moment on the monotonic clock.
    #[must_use]
    pub fn due(&self) -> Duration {
        Duration::from_secs(self.due)
    }

    /// Whether it has come.
    #[must_use]
    pub fn is_over(&self, now: Now) -> bool {
        self.due() <= now.monotonic
    }

    /// Takes it up after a reboot: it keeps its time of day if the clock is known; until it is the delay begins anew, so that it never comes early.
    pub fn restore(&mut self, now: Now) {
        self.due = now.monotonic.as_secs().saturating_add(self.delay.into());
        self.carried = self.at.is_some();
        self.clock_known(now);
    }

    /// The clock was set, or has become known after a boot without it: what has a time of day from an earlier boot keeps it. A delay of this boot
    /// stays as long as it is, and gets the time of day of its end. Says whether it got another one, which is to be saved.
    pub fn clock_known(&mut self, now: Now) -> bool {
        let Some(utc) = now.utc else { return false };
        let left = self.due.saturating_sub(now.monotonic.as_secs());
        if let (true, Some(at)) = (self.carried, self.at) {
            // A time of day too far off comes from a clock that was wrong.
            let until = at.since(utc).as_secs().min(left);
            self.due = now.monotonic.as_secs().saturating_add(until);
            return false;
        }
        // Routers begin each boot with the time of their newest file: the clock may have been wrong by days when the delay was set.
        let at = utc.plus(Duration::from_secs(left));
        let moved = self.at.is_none_or(|known| known.since(at).max(at.since(known)) > STEP);
        if moved {
            self.at = Some(at);
        }
        moved
    }
}
