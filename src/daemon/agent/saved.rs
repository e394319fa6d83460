//! What is saved, and what was promised to the ACS.

use std::sync::PoisonError;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Agent;
use crate::config::PACKAGE;
use crate::cwmp::events::Queue;
use crate::cwmp::schedule::Scheduled;
use crate::error::Result;
use crate::model::context::Effects;
use crate::platform::live::Live;
use crate::platform::{System, power};
#[cfg(feature = "discovery")]
use crate::sorted::Map;
use crate::sorted::Set;
use crate::transfer::queue::Transfer;

/// The files of the state besides the registry of the model.
pub(super) const STATE: &str = "state.json";
pub(super) const TOLD: &str = "told.json";
pub(super) const TRANSFERS: &str = "transfers.json";

/// The last good time is saved this often, along with something else if possible: flash wears out.
const GOOD_TIME: u64 = 24 * 3600;

/// After a failed save it is tried again this much later.
const SAVE_AGAIN: Duration = Duration::from_secs(60);

/// A reboot takes no longer to begin; if it did not happen by then sessions go on.
pub(super) const GOING_DOWN: Duration = Duration::from_secs(120);

/// The files that a commit has replaced are let go of this much later.
const RELEASE: Duration = Duration::from_secs(6);

/// What is saved in `state.json`.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Saved {
    /// By which a reboot is told from a restart of the daemon.
    pub(super) boot_id: String,
    /// The ACS that had its BOOTSTRAP, or has it waiting.
    pub(super) acs_url: String,
    /// The path of the connection request URL.
    pub(super) path: String,
    /// The credentials of connection requests, and a serial number where there is none, are still to be written into the configuration.
    pub(super) credentials_due: bool,
    pub(super) events: Queue,
    pub(super) scheduled: Scheduled,
    /// What was promised to the ACS and is not done yet.
    pub(super) promised: Promised,
    /// Seconds since 1970.
    pub(super) last_good_time: u64,
    /// Options of the configuration that came from DHCP, with the values that it gave.
    #[cfg(feature = "discovery")]
    pub(super) discovered: Map<String, String>,
    /// Of the methods that an ACS need not have, those that this one has; `None` before it was asked.
    pub(super) acs_methods: Option<Vec<String>>,
    /// Reboots that the ACS has set a time for.
    #[cfg(feature = "scheduled-reboot")]
    pub(super) reboot: crate::cwmp::reboot::Reboots,
    /// The newest connection requests over UDP, so that nobody can send them again.
    #[cfg(feature = "stun")]
    pub(super) udp_seen: Vec<String>,
}

/// What was promised to the ACS, and is done when the session is over (CONFORMANCE L-12, P-07).
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Promised {
    /// UCI packages whose services have to hear of a change.
    pub(super) packages: Set<String>,
    /// Programs to be run.
    pub(super) programs: Set<Vec<String>>,
    /// A reboot.
    pub(super) reboot: bool,
    /// The factory state.
    pub(super) factory_reset: bool,
}

impl Promised {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Agent {
    /// Saves what has changed. When that fails it is tried again; nothing is lost before a power cut.
    pub fn save(&mut self) {
        let now = self.now();
        if let Some(seconds) = now.utc.and_then(|utc| u64::try_from(utc.seconds()).ok()) {
            if seconds >= self.saved.last_good_time.saturating_add(GOOD_TIME) {
                self.saved.last_good_time = seconds;
            }
        }
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        // Transfers first: the events follow from their results, and not the other way round.
        let saved = store.save(TRANSFERS, &self.transfers);
        let saved = saved.and_then(|()| store.save(STATE, &self.saved)).and_then(|()| store.save(TOLD, &self.told));
        #[cfg(feature = "lightweight")]
        let saved = saved.and_then(|()| self.lightweight.save(&mut store));
        drop(store);
        match saved {
            Ok(()) => {
                self.saved.events.persisted();
                self.saved.scheduled.persisted();
                self.transfers.persisted();
                self.told.persisted();
                self.save_at = None;
            }
            Err(error) => {
                if self.save_at.is_none() {
                    log::error!("the state is not saved, and a power cut would lose it: {error}; it is tried again");
                }
                self.save_at = Some(now.monotonic.saturating_add(SAVE_AGAIN));
            }
        }
    }

    pub(super) fn must_save(&self) -> bool {
        let changed = self.saved.events.must_persist()
            || self.saved.scheduled.must_persist()
            || self.transfers.must_persist()
            || self.told.must_persist();
        #[cfg(feature = "lightweight")]
        let changed = changed || self.lightweight.must_persist();
        changed && self.save_at.is_none()
    }

    /// The settings of the router are gone, and what was saved goes with them (CONFORMANCE ). Saved again, before the router is down, it would
    /// outlive them; and so would a change on trial that were undone then, or a test that a restart of the agent took up.
    pub fn forget_state(&mut self) {
        let mut guard = self.guard.lock();
        if guard.trial().is_some() {
            guard.discard();
        }
        drop(guard);
        #[cfg(feature = "diagnostics")]
        self.tests.forget();
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = store.give_up() {
            log::warn!("something of the state may be left after the factory reset: {error}");
        }
    }

    /// Saves the model's memory: numbers that were told must not be given to something else after a power cut.
    pub fn save_model(&mut self) {
        if let Err(error) = self.model.save() {
            log::warn!("instance numbers are not saved yet: {error}");
        }
    }

    /// Lets go of the files that a commit has replaced, when nobody can be waiting for them any more.
    pub(super) fn release_soon(&mut self) {
        self.release_at = Some(self.live.monotonic().saturating_add(RELEASE));
    }

    pub(super) fn promise_effects(&mut self, effects: Effects) {
        self.release_soon();
        let packages = effects.packages.into_iter().filter(|package| package != PACKAGE);
        self.saved.promised.packages.extend(packages);
        self.saved.promised.programs.extend(effects.programs);
    }

    /// What was promised and is to be done now; it is kept until [`Self::kept_promise`] says that it was.
    #[must_use]
    pub fn promised(&self) -> Option<Promised> {
        // While sysupgrade writes the flash nothing may disturb it, least of all another reboot: its own is the one that was promised.
        let upgrading = self.transfers.queue.unsettled().is_some_and(Transfer::is_firmware);
        let waits = self.planner.in_session() || upgrading;
        (!self.saved.promised.is_empty() && !waits).then(|| self.saved.promised.clone())
    }

    /// What was promised has been done, or cannot be done. `going_down` says that the router will be off in a moment.
    pub fn kept_promise(&mut self, promised: &Promised, going_down: bool) {
        let open = &mut self.saved.promised;
        open.packages.retain(|package| !promised.packages.contains(package));
        open.programs.retain(|program| !promised.programs.contains(program));
        open.reboot &= !promised.reboot;
        open.factory_reset &= !promised.factory_reset;
        if going_down {
            // An ACS that hears of the router now would ask for the same again.
            self.quiet_until = Some(self.live.monotonic().saturating_add(GOING_DOWN));
        }
        self.network_changed();
        self.save();
    }
}

/// Does what was promised. A reboot comes last; nothing else is done before a return to the factory state. `erased` is called when the settings are gone,
/// before the reboot. Says whether the router is going down: one that cannot is there for the ACS as before.
#[must_use]
pub fn keep_promise(live: &Live, promised: &Promised, erased: &dyn Fn()) -> bool {
    if promised.factory_reset {
        log::info!("going back to the factory state, as the ACS asked");
        return is_done(power::factory_reset(live, erased));
    }
    apply(live, &promised.packages, &promised.programs);
    if !promised.reboot {
        return false;
    }
    log::info!("rebooting, as the ACS asked");
    is_done(power::reboot(live))
}

fn is_done(result: Result<()>) -> bool {
    result.inspect_err(|error| log::error!("{error}")).is_ok()
}

/// Tells the services of changes, each once, and runs programs.
pub fn apply(live: &Live, packages: &Set<String>, programs: &Set<Vec<String>>) {
    let packages: Vec<&str> = packages.iter().map(String::as_str).filter(|package| *package != PACKAGE).collect();
    if let Err(errors) = power::apply(live, &packages) {
        for error in errors {
            log::error!("{error}");
        }
    }
    for argv in programs {
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        if let Err(error) = power::run(live, &argv) {
            log::error!("{error}");
        }
    }
}
