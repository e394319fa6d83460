//! How long NAT keeps a way open that nobody uses, and so how often the agent has to use it (TR-069a6 G.2.1.1, RFC 3489 10.2; CONFORMANCE U-04).
//!
//! The way has rested for some time. Then a request goes to the server from another port, whose answer is to come by the way in question
//! (RESPONSE-ADDRESS). If it does, the way lives as long as that; if not, it does not. Between the two the truth is found by halves.
//!
//! A server that sends no answer anywhere else than where the request came from, as those of RFC 5389 do, is told by a trial when the way has just
//! been used. With such a one nothing can be found out, and the period is a careful one.

use std::time::Duration;

/// What most NAT keeps open: the first that is tried, and the period where nothing can be tried.
const CAREFUL: Duration = Duration::from_secs(30);

/// The longest period where STUNMaximumKeepAlivePeriod does not say: a NAT that is short of room may forget earlier than it did when it was tried.
const LONGEST: Duration = Duration::from_secs(600);

/// A trial that fails may take this long, and the way is not to rest longer than the maximum all the same.
pub const PATIENCE: Duration = Duration::from_millis(3100);

/// Close enough.
const CLOSE: Duration = Duration::from_secs(2);

/// What to do next with the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Use it after it has rested so long.
    Keep(Duration),
    /// Try whether it is still open after it has rested so long.
    Try(Duration),
}

/// The search for the lifetime.
#[derive(Clone, Debug)]
pub struct Lifetime {
    /// The way is not used more often.
    floor: Duration,
    /// And not less often.
    ceiling: Duration,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Whether the server can help.
    Calibrating,
    /// The longest rest that the way has survived, and the shortest that it has not.
    Searching { good: Option<Duration>, bad: Option<Duration> },
    /// The period.
    Found(Duration),
    /// The server cannot help, or there is nothing to be found out.
    Fixed(Duration),
}

impl Lifetime {
    /// Between STUNMinimumKeepAlivePeriod and STUNMaximumKeepAlivePeriod; `None`: there is no maximum.
    #[must_use]
    pub fn new(minimum: Duration, maximum: Option<Duration>) -> Self {
        let second = Duration::from_secs(1);
        let ceiling = maximum.unwrap_or(LONGEST.max(minimum)).max(second);
        // Where the two contradict each other, the way is kept open.
        let floor = minimum.clamp(second, ceiling);
        let mut lifetime = Self { floor, ceiling, phase: Phase::Calibrating };
        if lifetime.cap() <= floor {
            lifetime.phase = Phase::Fixed(if floor == ceiling { floor } else { lifetime.careful() });
        }
        lifetime
    }

    /// What to do next.
    #[must_use]
    pub fn step(&self) -> Step {
        match self.phase {
            Phase::Calibrating => Step::Try(Duration::ZERO),
            Phase::Searching { good, bad } => Step::Try(match (good, bad) {
                (None, None) => CAREFUL.clamp(self.floor, self.cap()),
                (Some(good), None) => good.saturating_mul(2).min(self.cap()),
                (good, Some(bad)) => good.unwrap_or(self.floor).saturating_add(bad) / 2,
            }),
            Phase::Found(period) | Phase::Fixed(period) => Step::Keep(period),
        }
    }

    /// How often the way is used at present.
    #[must_use]
    pub fn period(&self) -> Duration {
        match self.step() {
            Step::Keep(period) | Step::Try(period) if period > Duration::ZERO => period,
            _ => self.careful(),
        }
    }

    /// The answer to a trial came by the way.
    pub fn alive(&mut self) {
        self.phase = match (self.phase, self.step()) {
            (Phase::Calibrating, _) => Phase::Searching { good: None, bad: None },
            (Phase::Searching { bad, .. }, Step::Try(rest)) => self.narrowed(Some(rest), bad),
            (phase, _) => phase,
        };
    }

    /// No answer to a trial came by the way.
    pub fn dead(&mut self) {
        self.phase = match (self.phase, self.step()) {
            (Phase::Calibrating, _) => Phase::Fixed(self.careful()),
            (Phase::Searching { good, .. }, Step::Try(rest)) => self.narrowed(good, Some(rest)),
            (phase, _) => phase,
        };
    }

    /// The way has become another one. When its lifetime was thought to be known that was wrong, or the NAT is another one.
    pub fn rebound(&mut self) {
        if let Phase::Found(_) = self.phase {
            self.phase = Phase::Calibrating;
        }
    }

    fn narrowed(&self, good: Option<Duration>, bad: Option<Duration>) -> Phase {
        let alive = good.unwrap_or(self.floor);
        let over = match bad {
            None => alive >= self.cap(),
            Some(bad) => bad.saturating_sub(alive) <= CLOSE.max(alive / 8),
        };
        match over {
            false => Phase::Searching { good, bad },
            // The end of the lifetime is near: some time before it.
            true if bad.is_some() => Phase::Found((alive - alive / 8).max(self.floor)),
            true => Phase::Found(alive),
        }
    }

    /// The longest rest that is tried.
    fn cap(&self) -> Duration {
        self.ceiling.saturating_sub(PATIENCE)
    }

    fn careful(&self) -> Duration {
        CAREFUL.clamp(self.floor, self.ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Searches behind a NAT that keeps a way open so long; gives the period, and what was tried.
    fn search(lifetime: &mut Lifetime, nat: Duration) -> (Duration, Vec<Duration>) {
        let mut tried = Vec::new();
        loop {
            match lifetime.step() {
                Step::Keep(period) => return (period, tried),
                Step::Try(rest) => {
                    tried.push(rest);
                    if rest < nat { lifetime.alive() } else { lifetime.dead() }
                }
            }
        }
    }

    #[test]
    fn u04_equal_periods_leave_nothing_to_be_found_out() {
        assert_eq!(Lifetime::new(seconds(50), Some(seconds(50))).step(), Step::Keep(seconds(50)));
        assert_eq!(Lifetime::new(seconds(50), Some(seconds(20))).step(), Step::Keep(seconds(20)));
        assert_eq!(Lifetime::new(seconds(0), Some(seconds(0))).step(), Step::Keep(seconds(1)));
        assert_eq!(Lifetime::new(seconds(20), Some(seconds(22))).step(), Step::Keep(seconds(22)));
    }

    #[test]
    fn u04_the_lifetime_is_found_by_halves() {
        let mut lifetime = Lifetime::new(seconds(10), Some(seconds(300)));
        let (period, tried) = search(&mut lifetime, seconds(120));
        assert_eq!(tried.first(), Some(&Duration::ZERO), "first, whether the server can help");
        assert!(seconds(90) < period && period < seconds(120), "{period:?}");
        assert!(tried.len() < 10, "{tried:?}");
        let (period, _) = search(&mut Lifetime::new(seconds(10), None), seconds(86400));
        assert_eq!(period, LONGEST - PATIENCE, "a NAT that never forgets");
        let (period, _) = search(&mut Lifetime::new(seconds(20), None), seconds(5));
        assert_eq!(period, seconds(20), "not more often than allowed, even if it is not enough");
    }

    #[test]
    fn u04_a_server_that_cannot_help_means_a_careful_period() {
        let mut lifetime = Lifetime::new(seconds(10), None);
        lifetime.dead();
        assert_eq!(lifetime.step(), Step::Keep(CAREFUL));
        lifetime.rebound();
        assert_eq!(lifetime.step(), Step::Keep(CAREFUL));
        let mut lifetime = Lifetime::new(seconds(45), Some(seconds(60)));
        lifetime.dead();
        assert_eq!(lifetime.step(), Step::Keep(seconds(45)));
    }

    #[test]
    fn u04_another_way_is_looked_at_again() {
        let mut lifetime = Lifetime::new(seconds(10), None);
        lifetime.alive();
        lifetime.rebound();
        assert_ne!(lifetime.step(), Step::Try(Duration::ZERO), "that a way was lost in the search is part of it");
        search(&mut lifetime, seconds(100));
        lifetime.rebound();
        assert_eq!(lifetime.step(), Step::Try(Duration::ZERO));
        assert_eq!(lifetime.period(), CAREFUL);
    }

    proptest! {
        #[test]
        fn u04_the_period_is_between_the_limits_and_shorter_than_the_lifetime(
            minimum in 0_u64..5000, maximum in prop::option::of(0_u64..100_000), nat in 1_u64..100_000,
        ) {
            let mut lifetime = Lifetime::new(seconds(minimum), maximum.map(seconds));
            let (period, tried) = search(&mut lifetime, seconds(nat));
            prop_assert!(tried.len() < 40);
            let most = maximum.map_or(LONGEST.max(seconds(minimum)), |maximum| seconds(maximum.max(1)));
            prop_assert!(period <= most);
            prop_assert!(period >= seconds(minimum).min(most));
            for rest in tried {
                prop_assert!(rest == Duration::ZERO || (rest >= seconds(minimum) && rest + PATIENCE <= most));
            }
            if seconds(nat) > seconds(minimum) && period > seconds(minimum.max(1)) && period + PATIENCE < most {
                prop_assert!(period < seconds(nat));
            }
        }
    }
}
