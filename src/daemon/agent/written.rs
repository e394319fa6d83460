//! What a change of the ACS has still to bring into effect, where the next process of this boot finds it. Killed after the configuration was written and
//! before the promise was saved, the agent would forget it: the ACS asks again, nothing changes any more (CONFORMANCE P-12), and the services would never
//! hear of it (CONFORMANCE P-07). It lies in memory, since a reboot brings everything into effect.

use std::fs;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Agent;
use crate::json;
use crate::model::context::Effects;
use crate::model::guard::Guard;
use crate::platform::System;
use crate::platform::clock::boot_id;
use crate::platform::live::Live;
use crate::sorted::Set;

/// Where it lies, from the moment before the configuration is written until the promise is saved.
const PLACE: &str = "/var/run/cwmpd.written";

/// The longest that is read.
const LIMIT: usize = 1 << 20;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Note {
    boot_id: String,
    packages: Set<String>,
    programs: Set<Vec<String>>,
}

/// The same guard; what it lets pass is noted before it is written.
pub(super) fn noting(mut guard: Guard, live: Arc<Live>) -> Guard {
    Box::new(move |change| {
        guard(change)?;
        if change.effects.take_time() {
            let note = Note {
                boot_id: boot_id(live.as_ref()).unwrap_or_default(),
                packages: change.effects.packages.clone(),
                programs: change.effects.programs.clone(),
            };
            if let Err(error) = live.replace_file(PLACE, 0o600, &json::bytes(&note)) {
                log::debug!("a change is not noted before it is written: {error}");
            }
        }
        Ok(())
    })
}

impl Agent {
    /// Promises what the last process of this boot has written, or was about to.
    pub(super) fn take_up_written(&mut self) {
        let Ok(text) = self.live.read_file(PLACE, LIMIT) else { return };
        let Ok(note) = json::read::<Note>(&text) else { return };
        if note.boot_id == self.saved.boot_id {
            log::info!("a change of the ACS was cut off while it was written: its services are told now");
            let Note { packages, programs, .. } = note;
            self.promise_effects(Effects { packages, programs, ..Effects::default() });
        }
    }

    /// Whatever was written is promised: the note has done its work, unless the promise could not be saved.
    pub(super) fn written_is_promised(&self) {
        if self.save_at.is_some() {
            return;
        }
        if let Ok(path) = self.live.host_path(PLACE) {
            // Mostly there is none.
            let _ = fs::remove_file(path);
        }
    }
}
