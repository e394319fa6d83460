//! Whether a session is to be started now, later or not at all (TR-069a6 3.2.1, CONFORMANCE section 4).

use std::time::Duration;

use crate::cwmp::events::{EventCode, Queue};

/// Between two sessions, so that an ACS has finished with the first.
const PAUSE: Duration = Duration::from_secs(1);

/// When to start a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    /// At once.
    Now(Reason),
    /// At this time on the monotonic clock, unless something happens before.
    At(Duration),
    /// Not before something happens.
    Never,
}

/// Why a session is started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Somebody asked for it: the ACS with a connection request, or the operator.
    Asked,
    /// The last one failed.
    Retry,
    /// An event is to be told.
    Event,
    /// Only a changed value with active notification is to be told.
    ValueChange,
}

/// What is set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// EnableCWMP
    pub enable: bool,
    /// Whether there is a URL of an ACS.
    pub url: bool,
    /// DefaultActiveNotificationThrottle
    pub throttle: Duration,
}

/// What there is to do.
#[derive(Clone, Copy, Default, Debug)]
pub struct Demand {
    /// A connection request or the operator wants a session at once.
    pub asked: bool,
    /// Events other than those two wait.
    pub events: bool,
    /// `4 VALUE CHANGE` waits.
    pub value_change: bool,
}

impl Demand {
    /// What waits in the queue; `asked` says that the operator wants a session at once.
    #[must_use]
    pub fn of(queue: &Queue, asked: bool) -> Self {
        queue.iter().fold(Self { asked, ..Self::default() }, |demand, (code, _)| match code {
            EventCode::ConnectionRequest => Self { asked: true, ..demand },
            EventCode::ValueChange => Self { value_change: true, ..demand },
            _ => Self { events: true, ..demand },
        })
    }
}

/// The state of the logical interface that leads to the ACS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interface {
    /// Nobody can tell, so that it is no reason to wait.
    Unknown,
    /// It has no connection.
    Down,
    /// It is connected.
    Up,
}

/// What the decision depends on besides settings and demand. Times are those of the monotonic clock.
#[derive(Clone, Debug)]
pub struct Planner {
    interface: Interface,
    /// Whether there has been no connection since the start.
    never_up: bool,
    not_before: Duration,
    in_session: bool,
    retry_at: Option<Duration>,
    last_end: Option<Duration>,
    last_success: Option<Duration>,
}

impl Planner {
    /// At the start of the agent; `not_before` is the end of the random wait after a boot, or zero.
    #[must_use]
    pub fn new(interface: Interface, not_before: Duration) -> Self {
        let never_up = interface == Interface::Down;
        Self { interface, never_up, not_before, in_session: false, retry_at: None, last_end: None, last_success: None }
    }

    /// The state of the interface was looked at. As long as it has never been up nothing is tried; its coming up ends the wait after a failed
    /// session (CONFORMANCE R-08).
    pub fn interface(&mut self, interface: Interface) {
        if self.interface == Interface::Down && interface != Interface::Down {
            self.never_up = false;
            self.end_wait();
        }
        self.interface = interface;
    }

    /// Ends the wait after a failed session, because there is reason to believe that the next one succeeds, such as another URL.
    pub fn end_wait(&mut self) {
        self.retry_at = self.retry_at.map(|_| Duration::ZERO);
    }

    /// An earlier process has left a session that did not end well.
    pub fn try_again(&mut self) {
        self.retry_at = Some(Duration::ZERO);
    }

    /// A session begins.
    pub fn session_started(&mut self) {
        self.in_session = true;
        self.retry_at = None;
    }

    /// A session is over; `wait` is there when it failed: the time until the next try.
    pub fn session_ended(&mut self, now: Duration, wait: Option<Duration>) {
        self.in_session = false;
        self.last_end = Some(now);
        self.retry_at = wait.map(|wait| now.saturating_add(wait));
        if wait.is_none() {
            self.last_success = Some(now);
        }
    }

    /// Whether a session is under way.
    #[must_use]
    pub fn in_session(&self) -> bool {
        self.in_session
    }

    /// Whether nothing is tried before the interface is connected for the first time.
    #[must_use]
    pub fn waits_for_interface(&self) -> bool {
        self.never_up
    }

    /// When to start the next session. At most one is under way (CONFORMANCE S-02); what comes up during one starts the next (S-03).
    #[must_use]
    pub fn plan(&self, now: Duration, settings: Settings, demand: Demand) -> Plan {
        if self.in_session || !settings.enable || !settings.url {
            return Plan::Never;
        }
        let (reason, earliest) = if demand.asked {
            (Reason::Asked, Duration::ZERO)
        } else if self.never_up {
            return Plan::Never;
        } else if let Some(retry_at) = self.retry_at {
            (Reason::Retry, retry_at)
        } else if demand.events {
            (Reason::Event, self.not_before)
        } else if demand.value_change {
            let free = self.last_success.map_or(Duration::ZERO, |end| end.saturating_add(settings.throttle));
            (Reason::ValueChange, self.not_before.max(free))
        } else {
            return Plan::Never;
        };
        let at = self.last_end.map_or(earliest, |end| earliest.max(end.saturating_add(PAUSE)));
        if at <= now { Plan::Now(reason) } else { Plan::At(at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Demand = Demand { asked: false, events: false, value_change: false };
    const ASKED: Demand = Demand { asked: true, ..NOTHING };
    const EVENT: Demand = Demand { events: true, ..NOTHING };
    const CHANGE: Demand = Demand { value_change: true, ..NOTHING };

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn settings() -> Settings {
        Settings { enable: true, url: true, throttle: secs(0) }
    }

    fn up() -> Planner {
        Planner::new(Interface::Up, Duration::ZERO)
    }

    /// With a session that failed at 100 s and is tried again at 140 s.
    fn waiting() -> Planner {
        let mut planner = up();
        planner.session_started();
        planner.session_ended(secs(100), Some(secs(40)));
        planner
    }

    fn at(planner: &Planner, now: u64, demand: Demand) -> Plan {
        planner.plan(secs(now), settings(), demand)
    }

    #[test]
    fn s01_whatever_there_is_to_do_starts_a_session() {
        assert_eq!(at(&up(), 5, NOTHING), Plan::Never);
        assert_eq!(at(&up(), 5, ASKED), Plan::Now(Reason::Asked));
        assert_eq!(at(&up(), 5, EVENT), Plan::Now(Reason::Event));
        assert_eq!(at(&up(), 5, CHANGE), Plan::Now(Reason::ValueChange));
        let unknown = Planner::new(Interface::Unknown, Duration::ZERO);
        assert_eq!(at(&unknown, 5, EVENT), Plan::Now(Reason::Event));
    }

    #[test]
    fn s01_the_demand_is_read_from_the_queue() {
        let mut queue = Queue::default();
        let seen = |queue: &Queue, asked| {
            let Demand { asked, events, value_change } = Demand::of(queue, asked);
            (asked, events, value_change)
        };
        assert_eq!(seen(&queue, false), (false, false, false));
        assert_eq!(seen(&queue, true), (true, false, false));
        queue.add(EventCode::ValueChange);
        assert_eq!(seen(&queue, false), (false, false, true));
        queue.add(EventCode::Heartbeat);
        assert_eq!(seen(&queue, false), (false, true, true));
        queue.add(EventCode::ConnectionRequest);
        assert_eq!(seen(&queue, false), (true, true, true));
    }

    #[test]
    fn s02_s03_c07_during_a_session_none_is_started_and_right_after_it_one() {
        let mut planner = up();
        planner.session_started();
        assert!(planner.in_session());
        for demand in [ASKED, EVENT, CHANGE] {
            assert_eq!(at(&planner, 5, demand), Plan::Never);
        }
        planner.session_ended(secs(10), None);
        for (demand, reason) in [(ASKED, Reason::Asked), (EVENT, Reason::Event), (CHANGE, Reason::ValueChange)] {
            assert_eq!(at(&planner, 10, demand), Plan::At(secs(11)), "a pause for the ACS");
            assert_eq!(at(&planner, 11, demand), Plan::Now(reason));
        }
    }

    #[test]
    fn s05_disabled_or_without_a_url_there_are_no_sessions() {
        for settings in [Settings { enable: false, ..settings() }, Settings { url: false, ..settings() }] {
            for planner in [up(), waiting()] {
                assert_eq!(planner.plan(secs(500), settings, ASKED), Plan::Never);
                assert_eq!(planner.plan(secs(500), settings, EVENT), Plan::Never);
            }
        }
    }

    #[test]
    fn s09_only_sessions_for_changed_values_are_throttled() {
        let throttled = Settings { throttle: secs(20), ..settings() };
        assert_eq!(up().plan(secs(5), throttled, CHANGE), Plan::Now(Reason::ValueChange), "nothing to wait for yet");
        let mut planner = up();
        planner.session_ended(secs(100), None);
        assert_eq!(planner.plan(secs(105), throttled, CHANGE), Plan::At(secs(120)));
        assert_eq!(planner.plan(secs(120), throttled, CHANGE), Plan::Now(Reason::ValueChange));
        assert_eq!(planner.plan(secs(105), throttled, Demand { events: true, ..CHANGE }), Plan::Now(Reason::Event));
        assert_eq!(planner.plan(secs(105), throttled, Demand { asked: true, ..CHANGE }), Plan::Now(Reason::Asked));
        planner.session_ended(secs(110), Some(secs(5)));
        assert_eq!(planner.plan(secs(115), throttled, CHANGE), Plan::Now(Reason::Retry), "a retry carries the change");
    }

    #[test]
    fn r06_a_failed_session_is_tried_again_with_or_without_events() {
        assert_eq!(at(&waiting(), 101, NOTHING), Plan::At(secs(140)));
        assert_eq!(at(&waiting(), 140, NOTHING), Plan::Now(Reason::Retry));
    }

    #[test]
    fn r07_r08_a_connection_request_ends_the_wait_and_new_events_do_not() {
        assert_eq!(at(&waiting(), 110, ASKED), Plan::Now(Reason::Asked));
        assert_eq!(at(&waiting(), 100, ASKED), Plan::At(secs(101)));
        assert_eq!(at(&waiting(), 110, EVENT), Plan::At(secs(140)));
        assert_eq!(at(&waiting(), 110, CHANGE), Plan::At(secs(140)));
    }

    #[test]
    fn r08_the_interface_coming_up_ends_the_wait() {
        let mut planner = waiting();
        planner.interface(Interface::Up);
        assert_eq!(at(&planner, 110, NOTHING), Plan::At(secs(140)), "it was up all the time");
        planner.interface(Interface::Down);
        assert_eq!(at(&planner, 110, NOTHING), Plan::At(secs(140)));
        planner.interface(Interface::Up);
        assert_eq!(at(&planner, 110, NOTHING), Plan::Now(Reason::Retry));
        let mut idle = up();
        idle.interface(Interface::Down);
        idle.interface(Interface::Up);
        assert_eq!(at(&idle, 110, NOTHING), Plan::Never, "nothing to try again");
    }

    #[test]
    fn r06_what_an_earlier_process_has_left_is_tried_again() {
        let mut planner = up();
        planner.try_again();
        assert_eq!(at(&planner, 5, NOTHING), Plan::Now(Reason::Retry));
        planner.session_started();
        planner.session_ended(secs(10), None);
        assert_eq!(at(&planner, 20, NOTHING), Plan::Never);
    }

    #[test]
    fn d10_another_acs_ends_the_wait() {
        let mut planner = waiting();
        planner.end_wait();
        assert_eq!(at(&planner, 110, EVENT), Plan::Now(Reason::Retry));
    }

    #[test]
    fn a_boot_without_connection_waits_for_the_interface() {
        let mut planner = Planner::new(Interface::Down, Duration::ZERO);
        assert_eq!(at(&planner, 5, EVENT), Plan::Never);
        assert_eq!(at(&planner, 5, ASKED), Plan::Now(Reason::Asked), "a request has found a way in");
        planner.interface(Interface::Down);
        assert_eq!(at(&planner, 6, EVENT), Plan::Never);
        planner.interface(Interface::Up);
        assert_eq!(at(&planner, 7, EVENT), Plan::Now(Reason::Event));
        planner.interface(Interface::Down);
        assert_eq!(at(&planner, 8, EVENT), Plan::Now(Reason::Event), "later another way may lead to the ACS");
    }

    #[test]
    fn after_a_boot_the_first_session_is_spread_unless_somebody_asks_for_it() {
        let planner = Planner::new(Interface::Up, secs(30));
        assert_eq!(at(&planner, 5, EVENT), Plan::At(secs(30)));
        assert_eq!(at(&planner, 5, CHANGE), Plan::At(secs(30)));
        assert_eq!(at(&planner, 5, ASKED), Plan::Now(Reason::Asked));
        assert_eq!(at(&planner, 30, EVENT), Plan::Now(Reason::Event));
    }
}
