//! The trial of a change that could cut the router off from its ACS: it is kept when the ACS is reached again in time, and undone when not.
//!
//! ```text
//!   change --its session is over, services are told--> settling --a little later--> sessions count
//!                                                          |                             |
//!                              the time is over: undone <--+-----------------------------+--> InformResponse: kept
//! ```
//!
//! Only time in which the agent runs and may have sessions counts: a router without power can reach nobody. So that a router which a change
//! keeps rebooting comes back as well, the time is counted in tenths that are noted when they *begin*: each start costs a tenth, however short
//! it is, and after ten of them the time is over.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// In how many parts the time is counted, and noted.
const PARTS: u32 = 10;

/// How long the services have to drop what they had before, at most; with a short time it is a tenth of that. A session that begins earlier may
/// have used the former way.
const SETTLE: Duration = Duration::from_secs(10);

/// A change of the ACS, or several, that has not proved itself yet. Its JSON is what survives the process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// Seconds, at least 1.
    timeout: u32,
    /// The parts of the time that have begun, also before a restart.
    begun: u32,
    /// It has been decided that the change is undone.
    undoing: bool,
    #[serde(skip)]
    clock: Option<Clock>,
}

/// The time of this process. All of it is of the monotonic clock.
#[derive(Clone, Debug)]
struct Clock {
    /// The parts that were used up before.
    base: u32,
    /// What was counted since.
    spent: Duration,
    looked: Duration,
    /// Whether it is counted from `looked` on.
    counting: bool,
    /// Sessions that begin from here on use the new way.
    settled: Duration,
    asked: bool,
    /// Whether the running session, or the last one, has begun late enough.
    session_counts: bool,
    /// The change is not undone before this time.
    not_before: Duration,
}

/// What is to be done now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Another part of the time has begun: that is to be saved.
    Note,
    /// A session is to be had, to see whether the ACS can be reached.
    Ask,
    /// The time is over.
    Undo,
}

impl Trial {
    /// The trial of a change that is about to be made, with this time in seconds (0 counts as 1).
    #[must_use]
    pub fn new(timeout: u32) -> Self {
        Self { timeout: timeout.max(1), begun: 0, undoing: false, clock: None }
    }

    /// Another change was made before this one has proved itself: the time begins anew when its session is over.
    pub fn changed(&mut self) {
        (self.begun, self.clock) = (0, None);
    }

    /// Whether its time is being counted.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.clock.is_some()
    }

    /// The session of the change is over and the services have been told, or the agent has started anew. `settle` says that services may still
    /// be about to follow; after a boot they are not.
    pub fn start(&mut self, now: Duration, settle: bool) {
        let wait = if settle { self.settle() } else { Duration::ZERO };
        self.clock = Some(Clock {
            base: self.begun,
            spent: Duration::ZERO,
            looked: now,
            counting: false,
            settled: now.saturating_add(wait),
            asked: false,
            session_counts: false,
            not_before: Duration::ZERO,
        });
    }

    /// How long services get to follow a change of the configuration.
    #[must_use]
    pub fn settle(&self) -> Duration {
        self.part().min(SETTLE)
    }

    /// What is to be done now, until there is nothing; `possible` says whether there can be sessions at all from now on.
    pub fn poll(&mut self, now: Duration, possible: bool) -> Option<Step> {
        let (part, total) = (self.part(), self.total());
        let clock = self.clock.as_mut()?;
        if clock.counting {
            clock.spent = clock.spent.saturating_add(now.saturating_sub(clock.looked));
        }
        (clock.looked, clock.counting) = (now, possible);
        if self.undoing || spent(clock, part) >= total {
            return (clock.not_before <= now).then_some(Step::Undo);
        }
        let begun = parts(clock.spent, part).saturating_add(clock.base).saturating_add(1).min(PARTS);
        if possible && begun > self.begun {
            self.begun = begun;
            return Some(Step::Note);
        }
        if possible && !clock.asked && clock.settled <= now {
            clock.asked = true;
            return Some(Step::Ask);
        }
        None
    }

    /// When there may be something to do next.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        let clock = self.clock.as_ref()?;
        let (part, total) = (self.part(), self.total());
        let left = total.saturating_sub(spent(clock, part));
        if self.undoing || left.is_zero() {
            return Some(clock.not_before);
        }
        let to_next = part.saturating_mul(parts(clock.spent, part).saturating_add(1)).saturating_sub(clock.spent);
        let next = clock.looked.saturating_add(if self.begun < PARTS { to_next.min(left) } else { left });
        let ask = (!clock.asked).then_some(clock.settled);
        clock.counting.then(|| ask.map_or(next, |ask| ask.min(next)))
    }

    /// Seconds until the change is undone.
    #[must_use]
    pub fn left(&self) -> u32 {
        let spent =
            self.clock.as_ref().map_or(self.part().saturating_mul(self.begun), |clock| spent(clock, self.part()));
        u32::try_from(self.total().saturating_sub(spent).as_secs()).unwrap_or(u32::MAX)
    }

    /// A session begins.
    pub fn session_began(&mut self, now: Duration) {
        if let Some(clock) = &mut self.clock {
            clock.session_counts = clock.settled <= now;
        }
    }

    /// The InformResponse has come: whether the change has proved itself.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        !self.undoing && self.clock.as_ref().is_some_and(|clock| clock.session_counts)
    }

    /// It is undone from now on, whatever happens in between.
    pub fn undo(&mut self) {
        self.undoing = true;
    }

    /// Whether that has been decided.
    #[must_use]
    pub fn is_undoing(&self) -> bool {
        self.undoing
    }

    /// Undoing it was not possible: it is tried again from this time on.
    pub fn undo_later(&mut self, at: Duration) {
        if let Some(clock) = &mut self.clock {
            clock.not_before = at;
        }
    }

    /// Seconds until a change is undone.
    #[must_use]
    pub fn timeout(&self) -> u32 {
        self.timeout
    }

    fn total(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    fn part(&self) -> Duration {
        self.total() / PARTS
    }
}

fn spent(clock: &Clock, part: Duration) -> Duration {
    part.saturating_mul(clock.base).saturating_add(clock.spent)
}

/// How many whole parts there are in a time.
fn parts(time: Duration, part: Duration) -> u32 {
    u32::try_from(time.as_millis() / part.as_millis().max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn started(timeout: u32) -> Trial {
        let mut trial = Trial::new(timeout);
        trial.start(secs(1000), true);
        trial
    }

    /// Everything that is to be done from second to second, with the second; up to the decision to undo.
    fn run(trial: &mut Trial, from: u64, to: u64) -> Vec<(u64, Step)> {
        let mut steps = Vec::new();
        for second in from..=to {
            while let Some(step) = trial.poll(secs(second), true) {
                steps.push((second, step));
                if step == Step::Undo {
                    return steps;
                }
            }
        }
        steps
    }

    fn undone_at(steps: &[(u64, Step)]) -> Option<u64> {
        steps.iter().find(|(_, step)| *step == Step::Undo).map(|(second, _)| *second)
    }

    fn restarted(trial: &Trial) -> Trial {
        serde_json::from_str(&serde_json::to_string(trial).unwrap()).unwrap()
    }

    #[test]
    fn the_time_begins_when_the_session_of_the_change_is_over() {
        let mut trial = Trial::new(60);
        assert_eq!((trial.poll(secs(500), true), trial.due(), trial.left()), (None, None, 60));
        trial.start(secs(1000), true);
        let steps = run(&mut trial, 1000, 2000);
        assert_eq!(steps.iter().filter(|(_, step)| *step == Step::Ask).collect::<Vec<_>>(), [&(1006, Step::Ask)]);
        let notes: Vec<u64> = steps.iter().filter(|(_, step)| *step == Step::Note).map(|(second, _)| *second).collect();
        assert_eq!(notes, [1000, 1006, 1012, 1018, 1024, 1030, 1036, 1042, 1048, 1054]);
        assert_eq!(undone_at(&steps), Some(1060));
    }

    #[test]
    fn only_a_session_that_began_after_the_services_have_followed_proves_it() {
        let mut trial = started(60);
        assert!(!trial.is_proved());
        trial.session_began(secs(1005));
        assert!(!trial.is_proved(), "it may have used the former way");
        trial.session_began(secs(1006));
        assert!(trial.is_proved());
        trial.changed();
        assert!(!trial.is_proved(), "the session of a further change");
        trial.start(secs(1100), false);
        trial.session_began(secs(1100));
        assert!(trial.is_proved(), "after a boot the new way is the only one");
    }

    #[test]
    fn services_get_ten_seconds_at_most() {
        assert_eq!(Trial::new(3600).settle(), secs(10));
        assert_eq!(Trial::new(5).settle(), Duration::from_millis(500));
    }

    #[test]
    fn a_further_change_has_the_whole_time_again() {
        let mut trial = started(60);
        run(&mut trial, 1000, 1050);
        trial.changed();
        assert_eq!(run(&mut trial, 1051, 5000), []);
        trial.start(secs(5000), true);
        assert_eq!(undone_at(&run(&mut trial, 5000, 6000)), Some(5060));
    }

    /// A reboot costs at most a tenth, and what was there before it is not forgotten.
    #[test]
    fn the_time_goes_on_over_a_reboot() {
        let mut trial = started(60);
        run(&mut trial, 1000, 1035);
        let mut trial = restarted(&trial);
        assert_eq!(trial.left(), 24);
        trial.start(secs(10), false);
        let steps = run(&mut trial, 10, 100);
        assert_eq!(undone_at(&steps), Some(34));
        assert_eq!(steps.iter().filter(|(_, step)| *step == Step::Ask).count(), 1);
    }

    #[test]
    fn a_router_that_reboots_all_the_time_comes_back() {
        let mut trial = Trial::new(300);
        for starts in 1..=PARTS {
            trial = restarted(&trial);
            trial.start(secs(20), false);
            assert_eq!(trial.poll(secs(20), true), Some(Step::Note), "start {starts}");
        }
        trial = restarted(&trial);
        trial.start(secs(20), false);
        assert_eq!(trial.poll(secs(20), true), Some(Step::Undo));
    }

    #[test]
    fn time_without_sessions_does_not_count() {
        let mut trial = started(60);
        run(&mut trial, 1000, 1030);
        assert_eq!(trial.poll(secs(1031), false), None);
        assert_eq!((trial.poll(secs(5000), false), trial.due()), (None, None));
        assert_eq!(trial.poll(secs(9000), true), None);
        assert_eq!(undone_at(&run(&mut trial, 9001, 9999)), Some(9029));
    }

    #[test]
    fn what_was_decided_stays_decided() {
        let mut trial = started(60);
        assert_eq!(undone_at(&run(&mut trial, 1000, 1060)), Some(1060));
        trial.undo();
        trial.undo_later(secs(1100));
        assert_eq!((trial.poll(secs(1061), true), trial.due()), (None, Some(secs(1100))));
        trial.session_began(secs(1070));
        assert!(!trial.is_proved());
        assert_eq!(trial.poll(secs(1100), false), Some(Step::Undo));
        let mut trial = restarted(&trial);
        trial.start(secs(5), false);
        assert_eq!(trial.poll(secs(5), true), Some(Step::Undo), "also after a power cut");
    }

    /// Nothing is polled: at each time that `due` says something is to be done, and never in between.
    #[test]
    fn it_sleeps_until_something_is_due() {
        for timeout in [1, 7, 60, 86_400] {
            let mut trial = started(timeout);
            let (mut now, mut looks) = (secs(1000), 0);
            loop {
                let mut steps = 0;
                let undo = loop {
                    match trial.poll(now, true) {
                        None => break false,
                        Some(Step::Undo) => break true,
                        Some(_) => steps += 1,
                    }
                };
                if undo {
                    break;
                }
                assert!(steps > 0 || looks == 0, "woke up for nothing at {now:?}");
                looks += 1;
                let due = trial.due().unwrap();
                assert!(due > now);
                now = due;
            }
            assert_eq!(now, secs(1000 + u64::from(timeout)));
            assert!(looks <= 12, "{looks}");
        }
    }
}
