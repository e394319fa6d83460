//! What happens by the clock beside sessions and transfers: a file for each feature.

#[cfg(feature = "bulk-data")]
mod bulk_data;
#[cfg(feature = "heartbeat")]
mod heartbeat;
#[cfg(feature = "scheduled-reboot")]
mod reboot;
#[cfg(feature = "periodic-statistics")]
mod statistics;

#[cfg(feature = "bulk-data")]
pub use bulk_data::BulkJob;

use std::time::Duration;

use super::Agent;
#[cfg(any(feature = "heartbeat", feature = "bulk-data"))]
use crate::cwmp::answers::text_of;
#[cfg(any(feature = "heartbeat", feature = "bulk-data"))]
use crate::model::context::Context;
use crate::time::Now;

/// What of it lives as long as the process.
#[cfg(any(feature = "heartbeat", feature = "bulk-data", feature = "periodic-statistics"))]
#[derive(Default)]
pub(super) struct Timed {
    #[cfg(feature = "bulk-data")]
    bulk_data: bulk_data::BulkData,
    #[cfg(feature = "heartbeat")]
    heartbeat: heartbeat::Heartbeat,
    #[cfg(feature = "periodic-statistics")]
    statistics: statistics::Statistics,
}

/// The value of a parameter; empty where there is none.
#[cfg(any(feature = "heartbeat", feature = "bulk-data"))]
fn value(context: &mut Context, object: &str, name: &str) -> String {
    text_of(context, &format!("{object}{name}")).unwrap_or_default()
}

impl Agent {
    /// Takes over the parameters that say when.
    pub(super) fn configure_timed(&mut self) {
        #[cfg(feature = "scheduled-reboot")]
        self.configure_reboot();
        #[cfg(feature = "heartbeat")]
        self.configure_heartbeat();
        #[cfg(feature = "bulk-data")]
        self.configure_bulk_data();
        #[cfg(feature = "periodic-statistics")]
        self.configure_statistics();
    }

    /// Parameters were written, if only with the values that they had.
    pub(super) fn timed_written(&mut self, names: &[String]) {
        #[cfg(feature = "scheduled-reboot")]
        self.reboot_written(names);
        #[cfg(feature = "periodic-statistics")]
        self.statistics_written(names);
        let _ = names;
    }

    /// Takes up what an earlier process has kept.
    pub(super) fn take_up_timed(&mut self) {
        #[cfg(feature = "bulk-data")]
        self.take_up_reports();
    }

    /// Keeps what the next process takes up, before this one ends. Says whether that is all: what a worker has may come back in a moment.
    pub fn keep_timed(&mut self) -> bool {
        #[cfg(feature = "bulk-data")]
        let all = self.keep_reports();
        #[cfg(not(feature = "bulk-data"))]
        let all = true;
        all
    }

    /// When something is due.
    pub(super) fn timed_deadline(&self) -> Option<Duration> {
        let all: &[Option<Duration>] = &[
            #[cfg(feature = "scheduled-reboot")]
            self.reboot_deadline(),
            #[cfg(feature = "heartbeat")]
            self.heartbeat_deadline(),
            #[cfg(feature = "bulk-data")]
            self.bulk_data_deadline(),
            #[cfg(feature = "periodic-statistics")]
            self.statistics_deadline(),
        ];
        all.iter().copied().flatten().min()
    }

    /// Does what is due.
    pub(super) fn poll_timed(&mut self, now: Now) {
        #[cfg(feature = "heartbeat")]
        self.poll_heartbeat(now);
        #[cfg(feature = "scheduled-reboot")]
        self.poll_reboot(now);
        #[cfg(feature = "bulk-data")]
        self.poll_bulk_data(now);
        #[cfg(feature = "periodic-statistics")]
        self.poll_statistics(now);
        let _ = now;
    }
}
