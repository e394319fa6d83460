//! How many sessions in a row have failed, where the next process of this boot finds it: what a restart of the agent or a crash has cut off has failed
//! too, and is tried again (CONFORMANCE, L-14). It lies in memory: flash wears out, and a reboot begins anew (CONFORMANCE R-05).

use super::Agent;
use crate::cwmp::retry::Retry;
use crate::platform::System;

/// The boot that it counts for, and the number.
const PLACE: &str = "/var/run/cwmpd.tries";

impl Agent {
    /// Notes so many failed tries. The one that begins is among them until it has ended well.
    pub(super) fn note_tries(&self, tries: u32) {
        let text = format!("{} {tries}\n", self.saved.boot_id);
        if let Err(error) = self.live.replace_file(PLACE, 0o600, text.as_bytes()) {
            log::debug!("failed sessions are not counted over a restart of the agent: {error}");
        }
    }

    /// Goes on where the last process of this boot has stopped: at once, as after any start.
    pub(super) fn take_up_tries(&mut self) {
        let text = self.live.read_file(PLACE, 128).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let tries = text.as_deref().unwrap_or_default().trim_end().split_once(' ');
        let tries =
            tries.filter(|(boot_id, _)| *boot_id == self.saved.boot_id).and_then(|(_, tries)| tries.parse().ok());
        if let Some(tries @ 1..) = tries {
            self.retry = Retry::resumed(tries);
            self.planner.try_again();
        }
    }
}
