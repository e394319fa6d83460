//! A change of the ACS that could cut the router off: when it is on trial, when it is kept, and how it is undone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Agent;
use super::saved::Saved;
use super::transfers::Transfers;
use crate::config::PACKAGE;
use crate::cwmp::events::{EventCode, Queue};
use crate::cwmp::guard::Step;
use crate::cwmp::notify::Told;
use crate::cwmp::schedule::Scheduled;
use crate::device::management_server::LAST_ROLLBACK;
use crate::device::upkeep;
use crate::error::{Error, Fault, FaultCode, Result};
use crate::platform::{System, rpcd};
use crate::time::UtcTime;
use crate::transfer::Trouble;

/// Asks the ACS for an answer, after a change that it has made.
const CHECK: &str = "X CWMPD-ORG CHANGE CHECK";

/// Tells the ACS that its change was undone.
const UNDONE: &str = "X CWMPD-ORG CHANGE UNDONE";

/// What keeps a change from being undone is looked at again this much later.
const OTHERS: Duration = Duration::from_secs(5);
const TROUBLE: Duration = Duration::from_secs(60);

/// What there was between the router and the ACS before a change to another one.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct FormerAcs {
    /// The boot in which it was.
    boot_id: String,
    acs_url: String,
    events: Queue,
    scheduled: Scheduled,
    told: Told,
    transfers: Transfers,
    acs_methods: Option<Vec<String>>,
}

impl Agent {
    /// Takes up a change that was on trial when the agent ended. What services do now is what the configuration says, if the router has booted.
    pub(super) fn take_up_guard(&mut self, same_boot: bool) {
        let now = self.live.monotonic();
        let mut guard = self.guard.lock();
        let Some(trial) = guard.trial() else { return };
        log::warn!("a change of the ACS is on trial: it is undone in {} s unless the ACS is reached", trial.left());
        if !same_boot {
            trial.start(now, false);
        }
        drop(guard);
        self.poll_guard();
    }

    /// Before the former ACS is forgotten (CONFORMANCE B-05): it comes back if the change to another one is undone.
    pub(super) fn keep_former_acs(&self) {
        let Saved { boot_id, acs_url, events, scheduled, acs_methods, .. } = self.saved.clone();
        let (told, transfers) = (self.told.clone(), self.transfers.clone());
        let former = FormerAcs { boot_id, acs_url, events, scheduled, told, transfers, acs_methods };
        self.guard.lock().keep_acs(&former);
    }

    /// When something is to be done about a change on trial.
    pub(super) fn guard_due(&self) -> Option<Duration> {
        if self.is_changing() {
            return None;
        }
        self.guard.lock().trial().and_then(|trial| trial.due())
    }

    /// A session is running, what was promised in it is still to be done, or a file is being applied.
    fn is_changing(&self) -> bool {
        self.planner.in_session() || self.promised().is_some() || self.transfers.queue.unsettled().is_some()
    }

    /// Does what is due about a change on trial.
    pub(super) fn poll_guard(&mut self) {
        if self.is_changing() {
            return;
        }
        let now = self.live.monotonic();
        let (enabled, has_url) = (self.config.cpe.enable, !self.config.acs.url.is_empty());
        loop {
            let mut guard = self.guard.lock();
            if guard.trial().is_none() {
                return;
            }
            if self.config.cpe.rollback_timeout == 0 && !guard.is_off_by_file() {
                log::warn!("the change of the ACS is kept: cwmpd.cpe.rollback_timeout is 0 now");
                guard.discard();
                drop(guard);
                #[cfg(feature = "discovery")]
                self.forget_former_offer();
                self.save();
                return;
            }
            let possible = enabled && (has_url || guard.took_url());
            let Some(trial) = guard.trial() else { return };
            if !trial.has_started() {
                trial.start(now, true);
            }
            match trial.poll(now, possible) {
                None => return,
                Some(Step::Note) => guard.note(),
                Some(Step::Ask) => {
                    log::info!("the ACS has changed the way to itself: looking whether it can be reached");
                    drop(guard);
                    self.saved.events.add(EventCode::Vendor(CHECK.into()));
                }
                Some(Step::Undo) => {
                    drop(guard);
                    self.undo_change(now);
                    return;
                }
            }
        }
    }

    /// Before settings are restored from the file of a transfer.
    pub(super) fn guard_restore(&self, id: u32) -> Result<(), Fault> {
        self.guard.lock().before_restore(id, &self.model.registry())
    }

    /// A request of the ACS has been carried out; `written` says whether it came to a change.
    pub(super) fn settle_guard(&self, written: bool) {
        self.guard.lock().settle(written);
    }

    /// A session begins.
    pub(super) fn guard_session(&self) {
        let now = self.live.monotonic();
        if let Some(trial) = self.guard.lock().trial() {
            trial.session_began(now);
        }
    }

    /// The InformResponse has come.
    pub(super) fn guard_reached(&mut self) {
        let mut guard = self.guard.lock();
        if guard.trial().is_some_and(|trial| trial.is_proved()) {
            guard.discard();
            log::info!("the ACS was reached after its change, which is kept");
            drop(guard);
            #[cfg(feature = "discovery")]
            self.forget_former_offer();
            self.saved.events.withdraw(&EventCode::Vendor(CHECK.into()));
        }
    }

    /// The ACS was not reached in time, or the change was cut off half-way: everything becomes what it was before.
    pub(super) fn undo_change(&mut self, now: Duration) {
        {
            let mut guard = self.guard.lock();
            let packages = guard.packages();
            let names: Vec<&str> = packages.iter().map(String::as_str).collect();
            let others = rpcd::pending(self.live.as_ref(), &names);
            let changed = guard.is_changed(&self.model.registry());
            let Some(trial) = guard.trial() else { return };
            if let Some(package) = others {
                log::warn!("the change of the ACS is not undone yet: {package} was changed on the router itself");
                trial.undo_later(now.saturating_add(OTHERS));
                return;
            }
            if !trial.is_undoing() && !changed {
                // The power went before the change was made.
                guard.discard();
                drop(guard);
                #[cfg(feature = "discovery")]
                self.forget_former_offer();
                self.save();
                return;
            }
            trial.undo();
            // From here on a power cut changes nothing about it.
            guard.note();
        }
        if let Err(error) = self.go_back() {
            log::error!("the change of the ACS is not undone: {error}; it is tried again");
            if let Some(trial) = self.guard.lock().trial() {
                trial.undo_later(now.saturating_add(TROUBLE));
            }
        }
    }

    /// Undoes the change. Each step can be done again after a power cut, and what was kept goes last.
    fn go_back(&mut self) -> Result<()> {
        let (packages, transfers, former, why, settle) = {
            let mut guard = self.guard.lock();
            guard.put_back()?;
            let (packages, transfers, former) = (guard.packages(), guard.transfers(), guard.registry());
            let Some(trial) = guard.trial() else { return Ok(()) };
            // It has not even begun to be tried where it was cut off.
            let why = match trial.has_started() {
                true => format!("the ACS was not reached within {} s after its change", trial.timeout()),
                false => String::from("restoring the settings was cut off"),
            };
            (packages, transfers, former, why, trial.settle())
        };
        let utc = self.now().utc.unwrap_or(UtcTime::UNKNOWN).whole_seconds();
        let names: Vec<&str> = packages.iter().map(String::as_str).collect();
        let reason = format!(
            "{utc} {why}; undone: {}",
            if names.is_empty() { String::from("switches of the network") } else { names.join(", ") }
        );
        let reason: String = reason.chars().take(256).collect();
        let switches = upkeep::switches(&mut self.model.context());
        if let Some(former) = former {
            self.model.registry().go_back(former);
        }
        self.model.registry().set_own(LAST_ROLLBACK, Some(reason.clone()));
        self.model.save()?;
        let programs = upkeep::switched_back(&switches, &upkeep::switches(&mut self.model.context()));
        self.take_back_acs();
        #[cfg(feature = "discovery")]
        self.take_back_offer();
        let trouble = Trouble::new(FaultCode::INTERNAL_ERROR, "undone: the ACS was not reached with these settings");
        let now = self.now();
        self.transfers.queue.undone(&transfers, &trouble, now);
        self.saved.events.withdraw(&EventCode::Vendor(CHECK.into()));
        self.saved.events.add(EventCode::Vendor(UNDONE.into()));
        self.saved.promised.packages.extend(packages.into_iter().filter(|package| package != PACKAGE));
        self.saved.promised.programs.extend(programs);
        self.save();
        if self.save_at.is_some() {
            return Err(Error::other("the state cannot be saved"));
        }
        log::error!("{reason}");
        self.guard.lock().discard();
        self.release_soon();
        self.reload();
        // The services need a moment to go back, and then there is reason to believe that the ACS can be reached.
        self.planner.end_wait();
        self.quiet_until = Some(self.live.monotonic().saturating_add(settle));
        Ok(())
    }

    /// The former ACS is responsible again, as if it had been all the time.
    fn take_back_acs(&mut self) {
        let Some(former) = self.guard.lock().former_acs::<FormerAcs>() else { return };
        let same_boot = former.boot_id == self.saved.boot_id;
        self.saved.acs_url = former.acs_url;
        self.saved.events.take_back_bootstrap(former.events, !same_boot);
        self.saved.scheduled = former.scheduled;
        self.saved.scheduled.restore(same_boot, self.now());
        self.told = former.told;
        self.saved.acs_methods = former.acs_methods;
        self.take_back_transfers(former.transfers, same_boot);
        self.offer.acs_changed();
    }

    /// Seconds until a change on trial is undone.
    pub(super) fn undone_in(&self) -> Option<u32> {
        self.guard.lock().trial().map(|trial| trial.left())
    }
}
