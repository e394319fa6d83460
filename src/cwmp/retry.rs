//! How long to wait after a failed session (TR-069a6 3.2.1.1).

use std::time::Duration;

/// From this many failures on the range of the wait stays the same.
const GREATEST_EXPONENT: u32 = 10;
/// The least value of CWMPRetryIntervalMultiplier, with which every wait has the same range.
const ONE: u128 = 1000;
/// So that no setting makes a wait that a timer cannot count.
const GREATEST_WAIT_MS: u128 = u32::MAX as u128 * 1000;
/// How long an ACS may keep us away with `Retry-After`.
const GREATEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The failed sessions in a row. They are not counted over a reboot (CONFORMANCE R-05), so that nothing of this is in flash.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Retry {
    count: u32,
    retry_after: Duration,
}

impl Retry {
    /// After so many failures, of which an earlier process has seen the last ones.
    #[must_use]
    pub fn resumed(count: u32) -> Self {
        Self { count, ..Self::default() }
    }

    /// The RetryCount of the next Inform: 0 if and only if the last session ended well (CONFORMANCE R-04).
    #[must_use]
    pub fn count(self) -> u32 {
        self.count
    }

    /// A session failed; `retry_after` is what the ACS asked for with a 503.
    pub fn failed(&mut self, retry_after: Option<Duration>) {
        self.count = self.count.saturating_add(1);
        self.retry_after = retry_after.unwrap_or_default().min(GREATEST_RETRY_AFTER);
    }

    /// A session ended well.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The wait before the next try, anywhere in its range: `random` is drawn anew for each wait (CONFORMANCE R-03).
    ///
    /// `minimum` is CWMPRetryMinimumWaitInterval in seconds (1 to 65535), `multiplier` CWMPRetryIntervalMultiplier in thousandths
    /// (1000 to 65535); what lies below is taken as the least value.
    #[must_use]
    pub fn wait(self, minimum: u32, multiplier: u32, random: u32) -> Duration {
        let multiplier = u128::from(multiplier).max(ONE);
        let grow = |ms: u128| (ms * multiplier / ONE).min(GREATEST_WAIT_MS);
        let steps = self.count.clamp(1, GREATEST_EXPONENT) - 1;
        let low = (0..steps).fold(u128::from(minimum.max(1)) * 1000, |ms, _| grow(ms));
        let wait = low + (grow(low) - low) * u128::from(random) / u128::from(u32::MAX);
        Duration::from_millis(u64::try_from(wait).unwrap_or(u64::MAX)).max(self.retry_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(failures: u32) -> Retry {
        Retry { count: failures, ..Retry::default() }
    }

    fn range(failures: u32, minimum: u32, multiplier: u32) -> (u64, u64) {
        let wait = |random| after(failures).wait(minimum, multiplier, random).as_secs();
        (wait(0), wait(u32::MAX))
    }

    #[test]
    fn r01_the_ranges_of_the_standard() {
        let table =
            [(5, 10), (10, 20), (20, 40), (40, 80), (80, 160), (160, 320), (320, 640), (640, 1280), (1280, 2560)];
        for (failures, expected) in (1..).zip(table) {
            assert_eq!(range(failures, 5, 2000), expected);
        }
        for failures in [10, 11, 1000, u32::MAX] {
            assert_eq!(range(failures, 5, 2000), (2560, 5120), "r06_it_never_gives_up");
        }
    }

    #[test]
    fn r02_the_general_form() {
        assert_eq!(range(7, 1, 1000), (1, 1));
        assert_eq!(after(1).wait(2, 1500, 0), Duration::from_secs(2));
        assert_eq!(after(1).wait(2, 1500, u32::MAX), Duration::from_secs(3));
        assert_eq!(after(3).wait(2, 1500, 0), Duration::from_millis(4500));
        assert_eq!(after(3).wait(2, 1500, u32::MAX), Duration::from_millis(6750));
        assert_eq!(range(5, 0, 0), (1, 1), "settings out of range");
        assert_eq!(range(10, u32::MAX, u32::MAX), (u64::from(u32::MAX), u64::from(u32::MAX)));
    }

    #[test]
    fn r04_the_count_is_zero_only_after_a_good_session() {
        let mut retry = Retry::default();
        assert_eq!(retry.count(), 0);
        for expected in 1..=12 {
            retry.failed(None);
            assert_eq!(retry.count(), expected);
        }
        retry.succeeded();
        assert_eq!(retry, Retry::default(), "r05_the_wait_starts_over");
    }

    #[test]
    fn an_acs_may_ask_for_a_longer_wait_but_not_for_ever() {
        let mut retry = Retry::default();
        retry.failed(Some(Duration::from_secs(120)));
        assert_eq!(retry.wait(5, 2000, 0), Duration::from_secs(120));
        retry.failed(Some(Duration::from_secs(3)));
        assert_eq!(retry.wait(5, 2000, 0), Duration::from_secs(10));
        retry.failed(Some(Duration::MAX));
        assert_eq!(retry.wait(5, 2000, 0), Duration::from_secs(3600));
        retry.failed(None);
        assert_eq!(retry.wait(5, 2000, 0), Duration::from_secs(40), "it holds for one wait");
    }

    proptest! {
        #[test]
        fn r03_every_wait_lies_in_its_range(
            failures in 1u32..20, minimum in 1u32..=65535, multiplier in 1000u32..=65535, random: u32
        ) {
            let low = after(failures).wait(minimum, multiplier, 0);
            let high = after(failures).wait(minimum, multiplier, u32::MAX);
            let wait = after(failures).wait(minimum, multiplier, random);
            prop_assert!(low <= wait && wait <= high);
            prop_assert!(low >= Duration::from_secs(minimum.into()));
        }
    }
}
