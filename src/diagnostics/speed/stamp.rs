//! The times of TR-143: to the microsecond, and never out of step with each other when the clock is set during a test.

use std::time::{Duration, Instant};

use crate::platform::System;
use crate::platform::clock::ClockCheck;
use crate::time::{Now, UtcTime, relative};

/// Reads the clock on the wall once, and measures from there.
#[derive(Clone, Copy, Debug)]
pub struct Stamps {
    start: Instant,
    utc: Option<UtcTime>,
    since_boot: Duration,
}

impl Stamps {
    /// Begins now. `utc` is the time of day, `None` as long as nobody knows it; `since_boot` is the monotonic time.
    #[must_use]
    pub fn start(utc: Option<UtcTime>, since_boot: Duration) -> Self {
        Self { start: Instant::now(), utc, since_boot }
    }

    /// Begins now, by the clocks of a router.
    #[must_use]
    pub fn of(system: &dyn System) -> Self {
        let wall = system.wall_clock();
        let known = ClockCheck::new(system, None).is_known(wall);
        Self::start(known.then(|| UtcTime::from(wall)), system.monotonic())
    }

    /// How long ago the beginning is.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// A moment after the beginning on the clock that waits are made with.
    #[must_use]
    pub fn instant(&self, after: Duration) -> Instant {
        self.start.checked_add(after).unwrap_or(self.start)
    }

    /// A moment after the beginning as a dateTime with six digits of the second (TR-143 A.2); Unknown Time for one that has not come, and
    /// counted from the boot, without a zone, where nobody knows the time of day (CONFORMANCE J-02).
    #[must_use]
    pub fn text(&self, after: Option<Duration>) -> String {
        let Some(after) = after else { return UtcTime::UNKNOWN.to_string() };
        text(self.utc.map(|utc| utc.plus(after)), self.since_boot.saturating_add(after))
    }
}

/// A moment of the monotonic clock, not after `now`, in the same form.
#[must_use]
pub fn moment(now: Now, at: Duration) -> String {
    let ago = now.monotonic.saturating_sub(at);
    // From the beginning of its clock, because there is no way back in time from now.
    let begin = now.utc.map(|utc| UtcTime::EPOCH.plus(utc.since(UtcTime::EPOCH).saturating_sub(ago)));
    text(begin, at)
}

fn text(utc: Option<UtcTime>, since_boot: Duration) -> String {
    match utc {
        Some(utc) => {
            let seconds = utc.whole_seconds().to_string();
            format!("{}.{:06}Z", seconds.trim_end_matches('Z'), utc.nanos() / 1000)
        }
        None => format!("{}.{:06}", relative(since_boot), since_boot.subsec_micros()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_six_digits_of_the_second_whatever_they_are() {
        let noon = UtcTime::parse("2026-11-22T12:00:00.999999Z").unwrap();
        let stamps = Stamps::start(Some(noon), Duration::ZERO);
        assert_eq!(stamps.text(Some(Duration::ZERO)), "2026-11-22T12:00:00.999999Z");
        assert_eq!(stamps.text(Some(Duration::from_micros(1))), "2026-11-22T12:00:01.000000Z");
        assert_eq!(stamps.text(None), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn j02_without_the_time_of_day_it_is_counted_from_the_boot() {
        let stamps = Stamps::start(None, Duration::new(3 * 3600, 5_000));
        assert_eq!(stamps.text(Some(Duration::from_millis(1500))), "0001-01-01T03:00:01.500005");
    }
}
