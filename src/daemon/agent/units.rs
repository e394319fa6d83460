//! The software modules of the agent: what ChangeDUState asked for, and what others have changed. The work is done by [`super::super::units`].

use std::sync::Arc;

use super::Agent;
use super::transfers::Transfers;
use crate::acs::{self, Cancel};
use crate::cwmp::answers::values_of;
use crate::cwmp::events::{Confirmation, EventCode};
use crate::cwmp::plan::Interface;
use crate::daemon::status::TransferStatus;
use crate::error::FaultCode;
use crate::platform::live::Live;
use crate::sorted::Map;
use crate::time::UtcTime;
use crate::transfer::Trouble;
use crate::transfer::units::autonomous::{Policy, Seen};
use crate::transfer::units::work::Installed;
use crate::transfer::units::{Ending, Kind, Operation, Unit};

/// The table of the installed packages.
const TABLE: &str = "Device.SoftwareModules.DeploymentUnit.";

/// An operation that a worker has.
#[derive(Debug)]
pub(super) struct UnitUnderWay {
    id: u32,
    cancel: Cancel,
    /// Bytes done of a download, and all of them where that is known.
    progress: (u64, Option<u64>),
}

/// Puts the value of a parameter where it belongs.
type Put = fn(&mut Installed, String);

/// What a worker needs for an operation.
pub struct UnitJob {
    /// The request that it belongs to.
    pub id: u32,
    /// What is to be done.
    pub operation: Operation,
    /// A former attempt may have done it.
    pub again: bool,
    /// Ends a download.
    pub cancel: Cancel,
    /// For the file client, with the settings of the ACS but for URL and credentials.
    pub settings: acs::Settings,
    /// The router.
    pub live: Arc<Live>,
}

impl Agent {
    /// Gives the next operation to a worker, if it is time for one: not beside a session, whose answers it would change.
    pub fn begin_unit(&mut self) -> Option<UnitJob> {
        let now = self.now();
        let resting = self.quiet_until.is_some_and(|until| until > now.monotonic);
        let offline = super::reachable(&self.interface) == Interface::Down;
        let busy = self.planner.in_session() || self.unit_under_way.is_some() || self.promised().is_some();
        if resting || offline || busy || !self.transfers.units.waits() {
            return None;
        }
        let cancel = match Cancel::new() {
            Ok(cancel) => cancel,
            Err(error) => {
                log::error!("a software module has to wait: {error}");
                self.rest();
                return None;
            }
        };
        let begun = self.transfers.units.begin(now);
        // What was begun too often has ended instead.
        self.unit_results_changed();
        let (id, operation, again) = begun?;
        log::info!("ChangeDUState {id}: {} begins", operation.kind.name());
        self.unit_under_way = Some(UnitUnderWay { id, cancel: cancel.clone(), progress: (0, None) });
        Some(UnitJob { id, operation, again, cancel, settings: self.acs_settings(), live: self.live.clone() })
    }

    /// Says how far the download of an operation is.
    pub fn unit_progress(&mut self, id: u32, done: u64, total: Option<u64>) {
        if let Some(under_way) = self.unit_under_way.as_mut().filter(|under_way| under_way.id == id) {
            under_way.progress = (done, total);
        }
    }

    /// A worker is through with an operation. `None`: the agent is about to end, and the operation is carried out after the next start.
    pub fn end_unit(&mut self, id: u32, endings: Option<Vec<Ending>>) {
        self.unit_under_way = None;
        if let Some(endings) = endings {
            for Ending { unit, trouble } in &endings {
                match trouble {
                    None => log::info!("ChangeDUState {id}: done: {} {}", unit.path, unit.version),
                    Some(trouble) => log::warn!("ChangeDUState {id}: failed: {trouble}"),
                }
            }
            let now = self.now();
            self.transfers.units.end(id, endings, now);
            let seen = self.seen_units();
            self.transfers.unit_changes.take_for_known(&seen);
            self.look_at_units();
        }
        self.unit_results_changed();
        self.look_soon();
    }

    /// The worker of an operation is gone in the middle of its work.
    pub fn abandon_unit(&mut self) {
        if let Some(UnitUnderWay { id, .. }) = self.unit_under_way.take() {
            // It has no code for what is wrong in the agent itself.
            let trouble = Trouble { code: FaultCode::REQUEST_DENIED, ..super::transfers::died() };
            let operation = self.transfers.units.under_way(id).cloned().unwrap_or_default();
            self.end_unit(id, Some(vec![Ending::failed(&operation, trouble)]));
        }
    }

    /// Stops the operation that is under way, which is carried out after the next start.
    pub fn pause_unit(&self) {
        if let Some(UnitUnderWay { cancel, .. }) = &self.unit_under_way {
            cancel.cancel();
        }
    }

    fn unit_results_changed(&mut self) {
        self.agree_unit_events(false);
        self.save();
    }

    /// Makes the events agree with what there is to tell of software modules.
    pub(super) fn agree_unit_events(&mut self, strictly: bool) {
        // Nobody takes what this ACS does not list: told again and again it would be an event without its request.
        if self.acs_lacks("AutonomousDUStateChangeComplete") {
            self.transfers.unit_changes.clear();
        }
        let Transfers { units, unit_changes, .. } = &self.transfers;
        let told: Vec<(EventCode, &str)> =
            units.results().map(|(_, command_key, _)| (EventCode::MChangeDuState, command_key)).collect();
        let events = &mut self.saved.events;
        if strictly {
            events.keep_results(Confirmation::DuStateChangeCompleteResponse, &told);
        }
        events.add_results(EventCode::DuStateChangeComplete, &told);
        if !unit_changes.is_empty() {
            events.add(EventCode::AutonomousDuStateChangeComplete);
        }
    }

    /// The installed packages as the model shows them.
    #[must_use]
    pub fn installed_units(&self) -> Vec<Installed> {
        // Not the whole table: what describes the packages lies in a file for each of them.
        let fields: [(&str, Put); 5] = [
            ("Name", |installed, text| installed.name = text),
            ("UUID", |installed, text| installed.unit.uuid = text),
            ("Version", |installed, text| installed.unit.version = text),
            ("URL", |installed, text| installed.url = text),
            ("ExecutionUnitList", |installed, text| installed.unit.execution_units = text),
        ];
        let mut context = self.model.context();
        let mut all: Map<u32, Installed> = Map::new();
        for (parameter, put) in fields {
            for value in values_of(&mut context, &format!("{TABLE}*.{parameter}")) {
                let number = value.name.strip_prefix(TABLE).and_then(|rest| rest.split('.').next()?.parse().ok());
                let Some(number) = number else { continue };
                let installed = all.get_or_default(number);
                installed.unit.path = format!("{TABLE}{number}");
                put(installed, value.value.text);
            }
        }
        all.into_values()
    }

    /// Keeps what the ACS said of a package, and when it was installed or updated.
    pub fn remember_unit(&mut self, name: &str, uuid: &str, url: &str, kind: Kind) {
        let Some(installed) = self.installed_units().into_iter().find(|installed| installed.name == name) else {
            return;
        };
        let date = self.now().utc.unwrap_or(UtcTime::UNKNOWN).whole_seconds().to_string();
        let path = installed.unit.path;
        let kept = self.model.change_own(&mut |context| {
            let dates: &[&str] = if kind == Kind::Install { &["Installed", "LastUpdate"] } else { &["LastUpdate"] };
            for parameter in dates {
                context.set_own(&format!("{path}.{parameter}"), Some(&date));
            }
            for (parameter, value) in [("UUID", uuid), ("URL", url)] {
                // An Install without a UUID has none of a former one of the same name.
                if !value.is_empty() || kind == Kind::Install {
                    context.set_own(&format!("{path}.{parameter}"), Some(value).filter(|value| !value.is_empty()));
                }
            }
            true
        });
        if let Err(error) = kept {
            log::error!("what the ACS said of {name} is not kept: {error}");
        }
    }

    fn seen_units(&self) -> Map<String, Seen> {
        let seen = |installed: Installed| {
            let Unit { uuid, version, path, .. } = installed.unit;
            (installed.name, Seen { uuid, version, path })
        };
        self.installed_units().into_iter().map(seen).collect()
    }

    /// Looks for packages that somebody else has changed, if the ACS wants to hear of them.
    pub fn look_at_units(&mut self) {
        if self.unit_under_way.is_some() {
            return;
        }
        let policy = self.unit_policy();
        let seen = if policy.enable { self.seen_units() } else { Map::new() };
        let time = self.now().utc.unwrap_or(UtcTime::UNKNOWN).whole_seconds().to_string();
        self.transfers.unit_changes.look(&seen, &policy, &time);
        if self.transfers.unit_changes.must_persist() {
            self.unit_results_changed();
        }
    }

    fn unit_policy(&self) -> Policy {
        let value = |name: &str| self.value(&format!("Device.ManagementServer.DUStateChangeComplPolicy.{name}"));
        let operations = value("OperationTypeFilter");
        Policy {
            enable: value("Enable") == "true",
            operations: operations.split(',').filter(|name| !name.is_empty()).map(String::from).collect(),
            successes: value("ResultTypeFilter") != "Failure",
        }
    }

    /// What `cwmpd status` tells of software modules.
    pub(super) fn unit_status(&self) -> impl Iterator<Item = TransferStatus> {
        self.transfers.units.iter().map(|(id, command_key, done, all)| {
            let under_way = self.unit_under_way.as_ref().filter(|under_way| under_way.id == id);
            let (bytes, total) = under_way.map_or((0, None), |under_way| under_way.progress);
            let now = self.transfers.units.under_way(id).filter(|_| under_way.is_some());
            TransferStatus {
                id,
                method: "ChangeDUState".into(),
                command_key: command_key.into(),
                file_type: "software modules".into(),
                state: match now {
                    _ if done == all => "done, to be told".into(),
                    Some(operation) => format!("{} under way, {done} of {all} operations done", operation.kind.name()),
                    None => format!("{done} of {all} operations done"),
                },
                done: bytes,
                total,
            }
        })
    }
}
