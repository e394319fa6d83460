//! The times of TR-143: to the microsecond, and never out of step with each other when the clock is set during a test.

use std::time::{Duration, Instant};

use crate::time::{UtcTime, relative};

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

    /// How long ago the beginning is.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// A moment after the beginning as a dateTime with six digits of the second (TR-143 A.2); Unknown Time for one that has not come, and
    /// counted from the boot, without a zone, where nobody knows the time of day (CONFORMANCE J-02).
    #[must_use]
    pub fn text(&self, after: Option<Duration>) -> String {
        let Some(after) = after else { return UtcTime::UNKNOWN.to_string() };
        match self.utc {
            Some(utc) => microseconds(utc.plus(after)),
            None => {
                let at = self.since_boot.saturating_add(after);
                format!("{}.{:06}", relative(at), at.subsec_micros())
            }
        }
    }
}

/// A moment with six digits of the second, zeros too.
#[must_use]
pub fn microseconds(at: UtcTime) -> String {
    let seconds = at.whole_seconds().to_string();
    format!("{}.{:06}Z", seconds.trim_end_matches('Z'), at.nanos() / 1000)
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
