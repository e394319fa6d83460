//! Whether the ACS wants to hear that the router was away: StandbyPolicy and `13 WAKEUP` (TR-181 2.17 Device.ManagementServer.StandbyPolicy.;
//! CONFORMANCE W-01).
//!
//! A router has no standby of its own. What comes near to one is a kernel that was suspended, or an agent that was stopped together with what it
//! runs in: nobody could reach it then, and Informs were missed. Neither is announced, so that there is nothing to ask for before it happens.

use std::time::Duration;

/// What the ACS wants to hear of.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Standby {
    /// CRUnawarenessMaxDuration in seconds; `None` for -1, never.
    pub unaware: Option<u32>,
    /// MaxMissedPeriodic; `None` for -1, never.
    pub missed_periodic: Option<u32>,
    /// NotifyMissedScheduled
    pub missed_scheduled: bool,
}

/// A time in which the agent could do nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Away {
    /// How long it was.
    pub duration: Duration,
    /// How many periodic Informs were due in it.
    pub periodic: u64,
    /// Whether a scheduled Inform was due in it.
    pub scheduled: bool,
}

impl Standby {
    /// Whether the ACS wants to hear of anything at all.
    #[must_use]
    pub fn is_set(self) -> bool {
        self != Self::default()
    }

    /// How often the agent has to look whether it was away, because nothing else need be due while it is; `None` for never.
    #[must_use]
    pub fn looks_each(self) -> Option<Duration> {
        self.unaware.map(|most| Duration::from_secs(u64::from(most / 2).clamp(1, 10)))
    }

    /// Whether this is one to be told with `13 WAKEUP`.
    #[must_use]
    pub fn tells(self, away: Away) -> bool {
        self.unaware.is_some_and(|most| away.duration > Duration::from_secs(most.into()))
            || self.missed_periodic.is_some_and(|most| away.periodic > u64::from(most))
            || self.missed_scheduled && away.scheduled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Standby = Standby { unaware: None, missed_periodic: None, missed_scheduled: false };
    const LONG: Away = Away { duration: Duration::from_secs(1 << 40), periodic: u64::MAX, scheduled: true };

    fn away(seconds: u64) -> Away {
        Away { duration: Duration::from_secs(seconds), ..Away::default() }
    }

    #[test]
    fn w01_minus_one_is_never() {
        assert!(!NEVER.tells(LONG));
        assert!(!NEVER.is_set());
    }

    #[test]
    fn w01_each_limit_counts_by_itself() {
        let unaware = Standby { unaware: Some(60), ..NEVER };
        assert_eq!((unaware.tells(away(60)), unaware.tells(away(61))), (false, true));
        let none = Standby { unaware: Some(0), ..NEVER };
        assert_eq!((none.tells(away(0)), none.tells(away(1))), (false, true));
        let looks = |most| Standby { unaware: Some(most), ..NEVER }.looks_each().map(|pause| pause.as_secs());
        assert_eq!([0, 6, u32::MAX].map(looks), [Some(1), Some(3), Some(10)]);
        let missed = Standby { missed_periodic: Some(2), ..NEVER };
        let periodic = |periodic| Away { periodic, ..Away::default() };
        assert_eq!((missed.tells(periodic(2)), missed.tells(periodic(3))), (false, true));
        let scheduled = Standby { missed_scheduled: true, ..NEVER };
        assert!(scheduled.tells(LONG) && !scheduled.tells(Away { scheduled: false, ..LONG }));
        assert!(unaware.is_set() && none.is_set() && missed.is_set() && scheduled.is_set());
    }
}
