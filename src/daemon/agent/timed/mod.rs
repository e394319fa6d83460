//! What happens by the clock beside sessions and transfers: a file for each feature.

#[cfg(feature = "heartbeat")]
mod heartbeat;
#[cfg(feature = "scheduled-reboot")]
mod reboot;

use std::time::Duration;

use super::Agent;
#[cfg(feature = "heartbeat")]
use crate::model::context::Context;
use crate::time::Now;

/// What of it lives as long as the process.
#[derive(Default)]
pub(super) struct Timed {
    #[cfg(feature = "heartbeat")]
    heartbeat: heartbeat::Heartbeat,
}

/// A value of the agent's own, unless it is what it was in the beginning.
#[cfg(feature = "heartbeat")]
fn own(context: &Context, object: &str, name: &str) -> Option<String> {
    context.own(&format!("{object}{name}"))
}

impl Agent {
    /// Takes over the parameters that say when.
    pub(super) fn configure_timed(&mut self) {
        #[cfg(feature = "scheduled-reboot")]
        self.configure_reboot();
        #[cfg(feature = "heartbeat")]
        self.configure_heartbeat();
    }

    /// Parameters were written, if only with the values that they had.
    pub(super) fn timed_written(&mut self, names: &[String]) {
        #[cfg(feature = "scheduled-reboot")]
        self.reboot_written(names);
        let _ = names;
    }

    /// When something is due.
    pub(super) fn timed_deadline(&self) -> Option<Duration> {
        let all: &[Option<Duration>] = &[
            #[cfg(feature = "scheduled-reboot")]
            self.reboot_deadline(),
            #[cfg(feature = "heartbeat")]
            self.heartbeat_deadline(),
        ];
        all.iter().copied().flatten().min()
    }

    /// Does what is due.
    pub(super) fn poll_timed(&mut self, now: Now) {
        #[cfg(feature = "heartbeat")]
        self.poll_heartbeat(now);
        #[cfg(feature = "scheduled-reboot")]
        self.poll_reboot(now);
        let _ = now;
    }
}
