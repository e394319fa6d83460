//! HeartbeatPolicy and StandbyPolicy: when `14 HEARTBEAT` and `13 WAKEUP` are due (CONFORMANCE H-01, W-01).

use std::time::Duration;

use super::super::Agent;
use super::value;
use crate::cwmp::events::EventCode;
use crate::cwmp::schedule::{Periodic, PeriodicSettings};
use crate::cwmp::standby::{Away, Standby};
use crate::daemon::random;
use crate::platform::clock::asleep;
use crate::time::{Now, UtcTime};

/// A kernel that was suspended for less has not been away.
const SLEPT: Duration = Duration::from_secs(1);

/// What was due is done at once unless the agent is stopped, or held up by a very slow router.
const LATE: Duration = Duration::from_secs(5);

/// What lives as long as the process.
pub(super) struct Heartbeat {
    timer: Periodic,
    standby: Standby,
    /// When the agent looks next whether it was stopped, where the ACS wants to hear of it however little else is due.
    look_at: Option<Duration>,
    /// For how long the kernel had been suspended since its boot when it was last asked.
    asleep: Duration,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { timer: Periodic::never(), standby: Standby::default(), look_at: None, asleep: asleep() }
    }
}

impl Agent {
    pub(super) fn configure_heartbeat(&mut self) {
        let mut context = self.model.context();
        let mut heartbeat = |name| value(&mut context, "Device.ManagementServer.HeartbeatPolicy.", name);
        let settings = PeriodicSettings {
            enable: heartbeat("Enable") == "true",
            interval: heartbeat("ReportingInterval").parse().unwrap_or(u32::MAX),
            time: UtcTime::parse(&heartbeat("InitiationTime")).unwrap_or(UtcTime::UNKNOWN),
        };
        let mut standby = |name| value(&mut context, "Device.ManagementServer.StandbyPolicy.", name);
        let standby = Standby {
            unaware: standby("CRUnawarenessMaxDuration").parse().ok(),
            missed_periodic: standby("MaxMissedPeriodic").parse().ok(),
            missed_scheduled: standby("NotifyMissedScheduled") == "true",
        };
        let now = self.now();
        let heartbeat = &mut self.timed.heartbeat;
        heartbeat.standby = standby;
        // One that is past stays: it says for how long the agent was stopped.
        let next = standby.looks_each().map(|pause| now.monotonic.saturating_add(pause));
        heartbeat.look_at = next.map(|next| heartbeat.look_at.map_or(next, |at| at.min(next)));
        heartbeat.timer.configure(settings, now, random());
    }

    pub(super) fn heartbeat_deadline(&self) -> Option<Duration> {
        let heartbeat = &self.timed.heartbeat;
        [heartbeat.timer.due(), heartbeat.look_at].into_iter().flatten().min()
    }

    /// To be asked before anything else that is due is done.
    pub(super) fn poll_heartbeat(&mut self, now: Now) {
        let away = self.away(now);
        let heartbeat = &mut self.timed.heartbeat;
        if heartbeat.look_at.is_some_and(|at| at <= now.monotonic) {
            heartbeat.look_at = heartbeat.standby.looks_each().map(|pause| now.monotonic.saturating_add(pause));
        }
        if heartbeat.standby.tells(away) {
            log::info!("the agent was away for {} s", away.duration.as_secs());
            self.saved.events.add(EventCode::Wakeup);
        }
        if self.timed.heartbeat.timer.poll(now, random()) {
            self.saved.events.add(EventCode::Heartbeat);
        }
    }

    /// How long the agent could do nothing until now: the kernel says for how long it was suspended; and what is late says how long it was stopped.
    fn away(&mut self, now: Now) -> Away {
        let heartbeat = &mut self.timed.heartbeat;
        let asleep = asleep();
        let slept = asleep.saturating_sub(std::mem::replace(&mut heartbeat.asleep, asleep));
        if !heartbeat.standby.is_set() {
            return Away::default();
        }
        let late =
            |due: Option<Duration>| due.map(|due| now.monotonic.saturating_sub(due)).filter(|late| *late >= LATE);
        let (periodic, scheduled) = (late(self.periodic.due()), late(self.saved.scheduled.due()));
        let stopped = periodic.max(scheduled).max(late(heartbeat.timer.due())).max(late(heartbeat.look_at));
        let stopped = stopped.unwrap_or_default();
        let interval = u64::from(self.config.acs.periodic_interval.max(1));
        Away {
            duration: if slept >= SLEPT { slept.max(stopped) } else { stopped },
            periodic: periodic.map_or(0, |late| late.as_secs() / interval + 1),
            scheduled: scheduled.is_some(),
        }
    }
}
