//! What happens by the clock beside sessions and transfers: a file for each feature.

#[cfg(feature = "scheduled-reboot")]
mod reboot;

use std::time::Duration;

use super::Agent;
use crate::time::Now;

impl Agent {
    /// Takes over the parameters that say when.
    pub(super) fn configure_timed(&mut self) {
        #[cfg(feature = "scheduled-reboot")]
        self.configure_reboot();
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
        ];
        all.iter().copied().flatten().min()
    }

    /// Does what is due.
    pub(super) fn poll_timed(&mut self, now: Now) {
        #[cfg(feature = "scheduled-reboot")]
        self.poll_reboot(now);
        let _ = now;
    }
}
