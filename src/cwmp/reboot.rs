//! Reboots at a time that the ACS has set: ScheduleReboot and DelayReboot (TR-181 2.17 Device.ManagementServer.; CONFORMANCE S-11).
//!
//! A time that is past when it is first compared with a clock that is right means nothing, and so does one that came while the router was
//! off: it has been rebooted since. A restart of the agent alone loses neither.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{Deadline, Now, UtcTime};

/// A time that was missed by more, because the clock was set or nobody was there, is past. A session that is waited for takes less.
const LATE: Duration = Duration::from_secs(3600);

/// What is to come, as it is saved.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(default)]
pub struct Reboots {
    /// ScheduleReboot as it was looked at last.
    schedule: Option<UtcTime>,
    /// That time as long as it may still come.
    at: Option<UtcTime>,
    /// It has been seen to lie ahead in this boot, by a clock that is right.
    ahead: bool,
    /// DelayReboot in seconds.
    delay: Option<u32>,
    /// Where that ends, once the session in which it was set is over.
    deadline: Option<Deadline>,
}

impl Reboots {
    /// Takes over the parameters: ScheduleReboot, and DelayReboot in seconds, `None` for -1. The same again changes nothing.
    pub fn configure(&mut self, schedule: UtcTime, delay: Option<u32>, now: Now) {
        if self.schedule != Some(schedule) {
            self.schedule = Some(schedule);
            self.at = (schedule != UtcTime::UNKNOWN).then_some(schedule);
            self.ahead = false;
        }
        if self.delay != delay {
            self.delay = delay;
            self.deadline = None;
        }
        self.look_ahead(now);
    }

    /// DelayReboot was written: it counts from the beginning, even if it is what it was.
    pub fn delay_again(&mut self) {
        self.deadline = None;
    }

    /// The router has booted: a delay is over with any reboot, and a time has to lie ahead of this boot.
    pub fn booted(&mut self) {
        (self.delay, self.deadline, self.ahead) = (None, None, false);
    }

    /// Whether to reboot now. Never while a session is running, after which delays begin to count.
    pub fn poll(&mut self, now: Now, in_session: bool) -> bool {
        self.look_ahead(now);
        if in_session {
            return false;
        }
        if let (Some(delay), None) = (self.delay, self.deadline) {
            self.deadline = Some(Deadline::after(delay, now));
        }
        let delayed = self.deadline.is_some_and(|deadline| deadline.is_over(now));
        if delayed {
            (self.delay, self.deadline) = (None, None);
        }
        self.poll_schedule(now) || delayed
    }

    fn poll_schedule(&mut self, now: Now) -> bool {
        let (Some(at), Some(utc)) = (self.at, now.utc) else { return false };
        if at > utc {
            return false;
        }
        self.at = None;
        std::mem::take(&mut self.ahead) && utc.since(at) <= LATE
    }

    fn look_ahead(&mut self, now: Now) {
        self.ahead |= self.at.zip(now.utc).is_some_and(|(at, utc)| at > utc);
    }

    /// When to ask again on the monotonic clock; a session ends with a call in any case.
    #[must_use]
    pub fn due(&self, now: Now, in_session: bool) -> Option<Duration> {
        if in_session {
            return None;
        }
        let until = |(at, utc): (UtcTime, UtcTime)| now.monotonic.saturating_add(at.since(utc));
        [self.deadline.map(|deadline| deadline.due()), self.at.zip(now.utc).map(until)].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> UtcTime {
        UtcTime::parse(&format!("2030-01-01T{text}Z")).unwrap()
    }

    fn at(monotonic: u64, clock: &str) -> Now {
        Now { monotonic: Duration::from_secs(monotonic), utc: (!clock.is_empty()).then(|| utc(clock)) }
    }

    const NEVER: Now = Now { monotonic: Duration::ZERO, utc: None };

    fn scheduled(clock: &str) -> Reboots {
        let mut reboots = Reboots::default();
        reboots.configure(utc(clock), None, NEVER);
        reboots
    }

    fn delayed(seconds: u32) -> Reboots {
        let mut reboots = Reboots::default();
        reboots.configure(UtcTime::UNKNOWN, Some(seconds), NEVER);
        reboots
    }

    #[test]
    fn s11_a_reboot_at_its_time_and_once() {
        let mut reboots = scheduled("03:00:00");
        assert!(!reboots.poll(at(10, "02:59:00"), false));
        assert_eq!(reboots.due(at(10, "02:59:00"), false), Some(Duration::from_secs(70)));
        assert!(!reboots.poll(at(69, "02:59:59"), false));
        assert!(reboots.poll(at(70, "03:00:00"), false));
        reboots.configure(utc("03:00:00"), None, NEVER);
        assert!(!reboots.poll(at(71, "03:00:01"), false));
        assert_eq!(reboots.due(at(71, "03:00:01"), false), None);
    }

    #[test]
    fn s11_a_running_session_is_waited_for() {
        let mut reboots = scheduled("03:00:00");
        reboots.configure(utc("03:00:00"), None, at(10, "02:59:59"));
        assert!(!reboots.poll(at(20, "03:00:09"), true));
        assert_eq!(reboots.due(at(20, "03:00:09"), true), None, "nobody runs in circles meanwhile");
        assert!(reboots.poll(at(30, "03:00:19"), false));
    }

    #[test]
    fn s11_a_time_that_is_past_means_nothing() {
        let mut reboots = scheduled("03:00:00");
        assert!(!reboots.poll(at(10, "03:00:01"), false));
        assert!(!reboots.poll(at(20, "02:00:00"), false), "not even when the clock goes back");
        assert_eq!(reboots.due(at(20, "02:00:00"), false), None);
        reboots.configure(UtcTime::UNKNOWN, None, NEVER);
        assert!(!reboots.poll(at(30, "03:00:00"), false));
        // What came while the router was off has happened.
        let mut reboots = scheduled("03:00:00");
        assert!(!reboots.poll(at(10, "02:00:00"), false));
        reboots.booted();
        assert!(!reboots.poll(at(5, ""), false));
        assert!(!reboots.poll(at(9, "03:10:00"), false));
        // A clock that was wrong by days.
        let mut reboots = scheduled("03:00:00");
        assert!(!reboots.poll(at(10, "02:00:00"), false));
        assert!(!reboots.poll(at(11, "12:00:00"), false));
    }

    #[test]
    fn s11_without_a_clock_a_time_waits_for_it() {
        let mut reboots = scheduled("03:00:00");
        assert!(!reboots.poll(at(10, ""), false));
        assert_eq!(reboots.due(at(10, ""), false), None);
        assert!(!reboots.poll(at(20, "02:59:50"), false));
        assert!(reboots.poll(at(30, "03:00:00"), false));
    }

    #[test]
    fn s11_a_delay_counts_from_the_end_of_the_session() {
        let mut reboots = delayed(30);
        assert!(!reboots.poll(at(10, ""), true));
        assert!(!reboots.poll(at(100, ""), false));
        assert_eq!(reboots.due(at(100, ""), false), Some(Duration::from_secs(130)));
        assert!(!reboots.poll(at(129, ""), false));
        assert!(!reboots.poll(at(131, ""), true));
        assert!(reboots.poll(at(140, ""), false));
        assert!(!reboots.poll(at(141, ""), false), "DelayReboot is -1 then");
        assert!(delayed(0).poll(at(10, ""), false));
    }

    #[test]
    fn s11_a_delay_is_taken_back_set_anew_and_over_with_any_reboot() {
        let mut reboots = delayed(30);
        assert!(!reboots.poll(at(100, ""), false));
        reboots.delay_again();
        reboots.configure(UtcTime::UNKNOWN, Some(30), NEVER);
        assert!(!reboots.poll(at(120, ""), false));
        assert!(!reboots.poll(at(149, ""), false));
        reboots.configure(UtcTime::UNKNOWN, None, NEVER);
        assert!(!reboots.poll(at(151, ""), false));
        reboots.configure(UtcTime::UNKNOWN, Some(5), NEVER);
        assert!(!reboots.poll(at(160, ""), false));
        reboots.booted();
        assert!(!reboots.poll(at(3, ""), false));
        assert!(!reboots.poll(at(300, ""), false));
    }

    #[test]
    fn s11_a_restart_of_the_agent_loses_nothing() {
        let mut reboots = delayed(30);
        reboots.configure(utc("03:00:00"), Some(30), NEVER);
        assert!(!reboots.poll(at(100, "02:00:00"), false));
        let mut reboots: Reboots = serde_json::from_str(&serde_json::to_string(&reboots).unwrap()).unwrap();
        reboots.configure(utc("03:00:00"), Some(30), NEVER);
        assert!(!reboots.poll(at(129, "02:00:29"), false));
        assert!(reboots.poll(at(200, "02:01:40"), false));
        assert!(reboots.poll(at(4000, "03:05:00"), false), "it came while nobody was there");
    }
}
