//! Reboots that the ACS has set a time for (CONFORMANCE S-11). They go the way of those that it asks for with Reboot, without its event: the
//! next session begins with `1 BOOT` alone.

use std::time::Duration;

use super::super::Agent;
use crate::device::management_server::{DELAY_REBOOT, SCHEDULE_REBOOT};
use crate::time::{Now, UtcTime};

impl Agent {
    /// Any reboot ends a delay.
    pub(in super::super) fn reboot_happened(&mut self) {
        self.saved.reboot.booted();
        self.forget_delay();
    }

    pub(super) fn configure_reboot(&mut self) {
        let context = self.model.context();
        let schedule = context.own(SCHEDULE_REBOOT).and_then(|text| UtcTime::parse(&text));
        let delay = context.own(DELAY_REBOOT).and_then(|text| text.parse().ok());
        let now = self.now();
        self.saved.reboot.configure(schedule.unwrap_or(UtcTime::UNKNOWN), delay, now);
    }

    pub(super) fn reboot_written(&mut self, names: &[String]) {
        if names.iter().any(|name| name == DELAY_REBOOT) {
            self.saved.reboot.delay_again();
        }
    }

    pub(super) fn reboot_deadline(&self) -> Option<Duration> {
        self.saved.reboot.due(self.now(), self.planner.in_session())
    }

    pub(super) fn poll_reboot(&mut self, now: Now) {
        let before = self.saved.reboot.clone();
        if self.saved.reboot.poll(now, self.planner.in_session()) {
            log::info!("the time for a reboot that the ACS has set has come");
            self.saved.promised.reboot = true;
            self.forget_delay();
        }
        if self.saved.reboot != before {
            self.save();
        }
    }

    fn forget_delay(&mut self) {
        let forgotten = self.model.change_own(&mut |context| {
            let was_set = context.own(DELAY_REBOOT).is_some();
            if was_set {
                context.set_own(DELAY_REBOOT, None);
            }
            was_set
        });
        if let Err(error) = forgotten {
            log::error!("DelayReboot is not -1 after the reboot: {error}");
        }
    }
}
