//! The transfers of the agent: what is asked for, what is due, and what comes of it. The work itself is done by [`super::super::transfers`].

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Agent;
use super::saved::GOING_DOWN;
use crate::acs::{self, Cancel};
use crate::cwmp::answers::text_of;
use crate::cwmp::handlers;
use crate::cwmp::plan::Interface;
use crate::daemon::status::TransferStatus;
use crate::error::{Fault, FaultCode};
use crate::platform::System;
use crate::platform::live::Live;
use crate::soap::rpc::{Download, DuOperation, QueuedTransfer, ScheduleDownload, Upload};
use crate::time::Now;
use crate::transfer::autonomous::{Autonomous, Policy};
use crate::transfer::queue::{CAPACITY, Next, Queue, Request, Situation, State, Transfer};
use crate::transfer::units::{self, Units};
use crate::transfer::windows::Window;
use crate::transfer::{Trouble, apply, fetch, place};

/// How the file of a transfer is called in the private directory; its id follows.
const FILE: &str = "transfer-";

/// When the system is short of something, a transfer is put off this long.
const AGAIN: Duration = Duration::from_secs(10);

/// After a boot no transfer begins before a session has ended well, or this time is over: names cannot be resolved as soon as an interface is up,
/// and a transfer is tried once only.
const NETWORK: Duration = Duration::from_secs(60);

/// Which image runs, on a board with more than one.
pub(super) const ACTIVE_IMAGE: &str = "Device.DeviceInfo.ActiveFirmwareImage";

/// And which one the next boot starts.
pub(super) const BOOT_IMAGE: &str = "Device.DeviceInfo.BootFirmwareImage";

/// What is saved in `transfers.json`.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Transfers {
    pub(super) queue: Queue,
    pub(super) autonomous: Autonomous,
    pub(super) units: Units,
    pub(super) unit_changes: units::autonomous::Autonomous,
}

impl Transfers {
    pub(super) fn must_persist(&self) -> bool {
        self.queue.must_persist()
            || self.autonomous.must_persist()
            || self.units.must_persist()
            || self.unit_changes.must_persist()
    }

    pub(super) fn persisted(&mut self) {
        self.queue.persisted();
        self.autonomous.persisted();
        self.units.persisted();
        self.unit_changes.persisted();
    }
}

/// A transfer that a worker has.
#[derive(Debug)]
pub(super) struct UnderWay {
    id: u32,
    cancel: Cancel,
    /// Bytes done, and all of them where that is known.
    progress: (u64, Option<u64>),
}

/// What a worker needs for a transfer.
pub struct Job {
    /// The transfer.
    pub id: u32,
    /// What the ACS asked for.
    pub request: Request,
    /// Where its file is on this machine.
    pub file: PathBuf,
    /// Ends it.
    pub cancel: Cancel,
    /// For the file client, with the settings of the ACS but for URL and credentials.
    pub settings: acs::Settings,
    /// The router.
    pub live: Arc<Live>,
}

/// The queue as the requests of the ACS see it.
pub(super) struct Orders<'a> {
    queue: &'a mut Queue,
    units: &'a mut Units,
    autonomous: &'a Autonomous,
    live: &'a Live,
    now: Now,
    cancelled: Vec<u32>,
}

impl<'a> Orders<'a> {
    pub(super) fn new(transfers: &'a mut Transfers, live: &'a Live, now: Now) -> Self {
        let Transfers { queue, autonomous, units, .. } = transfers;
        Self { queue, units, autonomous, live, now, cancelled: Vec::new() }
    }

    /// What was taken off the queue.
    pub(super) fn cancelled(self) -> Vec<u32> {
        self.cancelled
    }

    fn add(&mut self, request: Request, delay: u32, windows: Vec<Window>) -> Result<(), Fault> {
        let said = format!("{} {:?}, {}", request.method.name(), request.command_key, request.file_type);
        let id = self.queue.add(request, delay, windows, self.now)?;
        log::info!("transfer {id} is queued: {said}");
        Ok(())
    }
}

impl handlers::Transfers for Orders<'_> {
    fn download(&mut self, request: &Download) -> Result<(), Fault> {
        fetch::check_url(&request.url)?;
        apply::check_file_type(self.live, &request.file_type)?;
        self.add(request.into(), request.delay_seconds, Vec::new())
    }

    fn schedule_download(&mut self, request: &ScheduleDownload) -> Result<(), Fault> {
        fetch::check_url(&request.url)?;
        apply::check_file_type(self.live, &request.file_type)?;
        let windows = Window::list(&request.windows, self.now)?;
        self.add(request.into(), 0, windows)
    }

    fn upload(&mut self, request: &Upload) -> Result<(), Fault> {
        fetch::check_url(&request.url)?;
        apply::check_upload_type(self.live, &request.file_type)?;
        self.add(request.into(), request.delay_seconds, Vec::new())
    }

    fn cancel(&mut self, command_key: &str) -> Result<(), Fault> {
        let (gone, result) = self.queue.cancel(command_key);
        self.cancelled.extend(gone);
        result
    }

    fn change_units(&mut self, command_key: &str, operations: Vec<DuOperation>) -> Result<(), Fault> {
        units::work::check(self.live)?;
        let number = operations.len();
        let id = self.units.add(command_key, operations, self.now)?;
        log::info!("ChangeDUState {id} is queued: {command_key:?}, {number} operations");
        Ok(())
    }

    fn list(&self, all: bool) -> Vec<QueuedTransfer> {
        let mut list = self.queue.list();
        if all {
            list.extend(self.autonomous.list());
            list.truncate(CAPACITY);
        }
        list
    }
}

impl Agent {
    /// Takes up the queue after a start, and finds out what became of a file that was being applied.
    pub(super) fn take_up_transfers(&mut self, same_boot: bool) {
        let now = self.now();
        let live = self.live.clone();
        self.transfers
            .queue
            .restore(same_boot, now, &|id| same_boot && host_file(&live, id).is_ok_and(|file| file.is_file()));
        self.transfers.units.restore(same_boot, now);
        if !same_boot {
            self.network_at = Some(self.started.saturating_add(NETWORK));
        }
        let mut expected = false;
        if let Some((id, firmware)) = self.transfers.queue.unsettled().map(|it| (it.id, it.is_firmware())) {
            if firmware {
                expected = self.settle_firmware(id, same_boot) == Some(true);
            } else {
                let text = "the agent or the router went down while the file was being applied";
                self.settle(id, Err(Trouble::new(FaultCode::INTERNAL_ERROR, text)));
                // Half of the settings may lead to another ACS, that of DHCP for one, and would be kept when that one is reached. Without a boot what
                // restores them may still be at work.
                if !same_boot && self.guard.lock().transfers().contains(&id) {
                    self.undo_change(now.monotonic);
                }
            }
        }
        let policy = self.policy();
        let version = self.value("Device.DeviceInfo.SoftwareVersion");
        // An image that cannot say its version is no reason to tell anything.
        if !version.is_empty() {
            if self.transfers.autonomous.is_other(&version) {
                self.transfers.unit_changes.image_changed();
            }
            let chosen = String::from(self.transfers.autonomous.chosen());
            // Only a board with such an image is asked which one runs.
            if !chosen.is_empty() {
                let (runs, boots) = (self.value(ACTIVE_IMAGE) == chosen, self.value(BOOT_IMAGE));
                expected |= runs;
                // Where others have chosen another one since, what they store in its place later on is not what the ACS has chosen.
                if runs || !boots.is_empty() && boots != chosen {
                    self.transfers.autonomous.choose("");
                }
            }
            self.transfers.autonomous.start(&version, expected, &policy, now.utc);
        }
        self.agree_events(true);
        self.sweep();
    }

    /// Finds out what has become of an image: says whether it runs, if that is known already.
    fn settle_firmware(&mut self, id: u32, same_boot: bool) -> Option<bool> {
        match apply::firmware_result(&self.live) {
            // As long as the router has not booted, only a failure is certain; a second try could not be told from the first.
            Some(result) if result.is_err() || !same_boot => {
                let runs = result.is_ok();
                self.settle(id, result);
                // As long as it is not saved the next start has to find it out once more.
                if self.save_at.is_none() {
                    apply::firmware_forget(&self.live);
                }
                Some(runs)
            }
            _ => {
                let now = self.now();
                self.transfers.queue.restarting(id, now);
                None
            }
        }
    }

    /// What was being applied is known now.
    fn settle(&mut self, id: u32, result: Result<(), Trouble>) {
        let now = self.now();
        self.transfers.queue.settle(id, result, now);
        self.results_changed();
        self.log_end(id);
    }

    /// What the ACS wants to hear of transfers that it has not asked for.
    fn policy(&self) -> Policy {
        let value =
            |name: &str| self.value(&format!("Device.ManagementServer.AutonomousTransferCompletePolicy.{name}"));
        let types = value("FileTypeFilter");
        Policy {
            enable: value("Enable") == "true",
            transfer_type: value("TransferTypeFilter"),
            result_type: value("ResultTypeFilter"),
            file_types: types.split(',').filter(|name| !name.is_empty()).map(String::from).collect(),
        }
    }

    pub(super) fn value(&self, name: &str) -> String {
        text_of(&mut self.model.context(), name).unwrap_or_default()
    }

    /// Another ACS has nothing to do with what the former one asked for (CONFORMANCE B-05).
    pub(super) fn clear_transfers(&mut self) {
        let gone = self.transfers.queue.clear();
        self.transfers.autonomous.clear();
        self.transfers.units.clear();
        self.transfers.unit_changes.clear();
        self.saved.acs_methods = None;
        self.stop_transfers(&gone);
    }

    /// What the former ACS asked for is to be done after all: the change to another one is undone. Files that were here are fetched again.
    pub(super) fn take_back_transfers(&mut self, former: Transfers, same_boot: bool) {
        let gone = self.transfers.queue.clear();
        self.stop_transfers(&gone);
        self.transfers = former;
        let now = self.now();
        self.transfers.queue.restore(same_boot, now, &|_| false);
        self.transfers.units.restore(same_boot, now);
        if let Some(id) = self.transfers.queue.unsettled().map(|transfer| transfer.id) {
            self.settle(id, Err(died()));
        }
        self.agree_events(true);
    }

    /// Stops these if they are under way; they are off the queue.
    pub(super) fn stop_transfers(&mut self, gone: &[u32]) {
        if gone.is_empty() {
            return;
        }
        if let Some(under_way) = self.under_way.as_ref().filter(|under_way| gone.contains(&under_way.id)) {
            under_way.cancel.cancel();
        }
        for id in gone {
            log::info!("transfer {id} is cancelled");
        }
        self.sweep();
    }

    /// Stops the one that is under way, which goes on after the next start.
    pub fn pause_transfer(&self) {
        if let Some(under_way) = &self.under_way {
            under_way.cancel.cancel();
        }
    }

    // What is due.

    /// What is to be done next.
    #[must_use]
    pub fn next_transfer(&self) -> Next {
        let now = self.now();
        let promised = &self.saved.promised;
        let resting = self.quiet_until.is_some_and(|until| until > now.monotonic);
        if resting || promised.reboot || promised.factory_reset {
            return Next::Nothing;
        }
        // A session says more about the way out than the state of one interface.
        let up = super::reachable(&self.interface) != Interface::Down || self.sessions > 0;
        let situation = Situation {
            online: up && self.network_at.is_none_or(|at| at <= now.monotonic),
            idle: self.line.is_idle(),
            in_session: self.planner.in_session() || self.promised().is_some(),
        };
        match self.transfers.queue.next(now, situation) {
            // One that was cancelled may take a moment to end.
            Next::Run(_) if self.under_way.is_some() => Next::Nothing,
            Next::Apply(id) if self.waits_for_trial(id) => Next::Nothing,
            next => next,
        }
    }

    /// Whether this is an image, and a change is on trial. An upgrade keeps the change together with the files that would undo it, and those of the
    /// old image may cut off the new one, whose own settings they would replace.
    fn waits_for_trial(&self, id: u32) -> bool {
        self.transfers.queue.get(id).is_some_and(Transfer::is_firmware) && self.guard.lock().trial().is_some()
    }

    /// When to look for something to do.
    pub(super) fn transfer_deadline(&self) -> Option<Duration> {
        let now = self.now();
        let queue = &self.transfers.queue;
        let line = queue.wants_idle(now).then(|| self.line.due(now.monotonic));
        let waits = queue.iter().next().is_some();
        let held_up = [self.quiet_until, self.network_at].into_iter().flatten();
        let held_up = held_up.filter(|until| waits && *until > now.monotonic).min();
        [queue.due(now), line, held_up].into_iter().flatten().min()
    }

    /// Ends what has run out of time.
    pub(super) fn poll_transfers(&mut self) {
        let now = self.now();
        if self.transfers.queue.wants_idle(now) {
            self.line.look(self.live.as_ref(), self.interface.device.as_deref(), now.monotonic);
        } else {
            self.line.forget();
        }
        if let Some(id) = self.transfers.queue.overdue(now) {
            self.settle_firmware(id, false);
        }
        let before = self.transfers.queue.results().count();
        let late = self.transfers.queue.poll(now);
        if let Some(under_way) = self.under_way.as_ref().filter(|under_way| Some(under_way.id) == late) {
            under_way.cancel.cancel();
        }
        if self.transfers.queue.results().count() > before {
            self.results_changed();
        }
    }

    /// Gives a transfer to a worker.
    pub fn begin_transfer(&mut self, id: u32) -> Option<Job> {
        let cancel = match Cancel::new() {
            Ok(cancel) => cancel,
            Err(error) => {
                log::error!("transfer {id} is put off: {error}");
                self.put_off_transfer(id);
                return None;
            }
        };
        let file = match host_file(&self.live, id) {
            Ok(file) => file,
            // Waiting does not mend that, and the ACS has to hear of it.
            Err(trouble) => {
                self.end_transfer(id, Some(Err(trouble)));
                return None;
            }
        };
        let now = self.now();
        let request = self.transfers.queue.begin(id, now)?;
        log::info!("transfer {id} begins: {}, {}", request.method.name(), request.file_type);
        self.under_way = Some(UnderWay { id, cancel: cancel.clone(), progress: (0, None) });
        self.save();
        Some(Job { id, request, file, cancel, settings: self.acs_settings(), live: self.live.clone() })
    }

    /// A transfer cannot be begun just now, because the system is short of something.
    pub fn put_off_transfer(&mut self, id: u32) {
        self.under_way = None;
        let until = self.live.monotonic().saturating_add(AGAIN);
        self.transfers.queue.put_off(id, until);
    }

    /// Says how far a transfer is.
    pub fn transfer_progress(&mut self, id: u32, done: u64, total: Option<u64>) {
        if let Some(under_way) = self.under_way.as_mut().filter(|under_way| under_way.id == id) {
            under_way.progress = (done, total);
        }
    }

    /// A worker is through with a transfer. A download is applied later; `None` means that the agent is about to end, and goes on with it after the
    /// next start.
    pub fn end_transfer(&mut self, id: u32, result: Option<Result<(), Trouble>>) {
        self.under_way = None;
        let now = self.now();
        // One that was cancelled meanwhile is gone.
        let is_download = self.transfers.queue.get(id).map(|transfer| transfer.request.method.is_download());
        match (is_download, result) {
            (None, _) | (_, None) => {}
            (Some(true), Some(Ok(()))) => {
                log::info!("transfer {id}: the file is here");
                self.transfers.queue.fetched(id);
            }
            (Some(false), Some(Ok(()))) => self.transfers.queue.succeeded(id, now),
            (_, Some(Err(trouble))) => {
                log::warn!("transfer {id} failed: {trouble}");
                self.transfers.queue.failed(id, trouble, now);
            }
        }
        self.sweep();
        self.results_changed();
    }

    /// Gives a file that is here to a worker, to be applied. It is saved that this begins, so that it never happens twice.
    pub fn begin_applying(&mut self, id: u32) -> Option<(Request, PathBuf, Arc<Live>)> {
        let file = host_file(&self.live, id).ok().filter(|file| file.is_file());
        let Some(file) = file else {
            let trouble = Trouble::new(FaultCode::INTERNAL_ERROR, "the file that was fetched is not there any more");
            let now = self.now();
            self.transfers.queue.failed(id, trouble, now);
            self.results_changed();
            return None;
        };
        let kind = self.transfers.queue.get(id).map(|it| apply::check_file_type(&self.live, &it.request.file_type));
        let guarded = match kind {
            Some(Ok(apply::Kind::Settings)) => self.guard_restore(id),
            _ => Ok(()),
        };
        if self.transfers.queue.get(id).is_some_and(Transfer::is_firmware) {
            // What is left of an earlier image must not be taken for the result of this one.
            apply::firmware_forget(&self.live);
        } else if let Err(fault) = guarded {
            let now = self.now();
            self.transfers.queue.failed(id, Trouble::new(fault.code, fault.into_text()), now);
            self.sweep();
            self.results_changed();
            self.log_end(id);
            return None;
        }
        let request = self.transfers.queue.applying(id)?;
        self.save();
        log::info!("transfer {id}: the file is being applied");
        Some((request, file, self.live.clone()))
    }

    /// What came of applying a file.
    pub fn applied(&mut self, id: u32, result: Result<apply::Applied, Trouble>) {
        let now = self.now();
        self.settle_guard(true);
        match result {
            Ok(apply::Applied::Restart) => {
                log::info!("transfer {id}: the router restarts with the new image");
                self.transfers.queue.restarting(id, now);
                self.quiet_until = Some(now.monotonic.saturating_add(GOING_DOWN));
            }
            Ok(apply::Applied::Now) => {
                self.transfers.queue.succeeded(id, now);
            }
            Err(trouble) => {
                self.transfers.queue.failed(id, trouble, now);
            }
        }
        // It may have brought other settings, another ACS too (CONFORMANCE F-13), and nobody has read any while it was written. They are meant as
        // they stand now, even if there are none.
        self.reload_at = Some(now.monotonic);
        self.reload();
        self.sweep();
        self.results_changed();
        self.log_end(id);
    }

    /// The worker of a transfer is gone in the middle of its work.
    pub fn abandon_transfer(&mut self) {
        if let Some(UnderWay { id, .. }) = self.under_way.take() {
            self.settle(id, Err(died()));
        }
    }

    /// The worker that applied a file is gone in the middle of its work.
    pub fn abandon_applying(&mut self) {
        if let Some(id) = self.transfers.queue.unsettled().map(|transfer| transfer.id) {
            self.settle(id, Err(died()));
            self.reload_at = Some(self.live.monotonic());
        }
    }

    fn results_changed(&mut self) {
        self.agree_events(false);
        self.save();
    }

    fn log_end(&self, id: u32) {
        if let Some(State::Done { fault_code, fault_string, .. }) = self.transfers.queue.get(id).map(|it| &it.state) {
            match fault_code {
                0 => log::info!("transfer {id} is done"),
                _ => log::warn!("transfer {id} failed: {fault_code} {fault_string}"),
            }
        }
    }

    // Files.

    /// Removes the files that no transfer needs any more.
    fn sweep(&self) {
        let Ok(directory) = place::private_directory(&self.live) else { return };
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            // Beside the file `transfer-1` there may be a `transfer-1.note`.
            let id = name.to_str().and_then(|name| name.strip_prefix(FILE)?.split('.').next()?.parse().ok());
            let wanted = id.and_then(|id| self.transfers.queue.get(id));
            let needed = wanted.is_some_and(|transfer| !matches!(transfer.state, State::Done { .. }));
            if id.is_some() && !needed {
                if let Err(error) = fs::remove_file(entry.path()) {
                    log::debug!("{} stays: {error}", entry.path().display());
                }
            }
        }
    }

    /// What `cwmpd status` tells of the transfers: nothing of URLs and credentials.
    pub(super) fn transfer_status(&self) -> Vec<TransferStatus> {
        let each = |transfer: &Transfer| {
            let under_way = self.under_way.as_ref().filter(|under_way| under_way.id == transfer.id);
            let (done, total) = under_way.map_or((0, None), |under_way| under_way.progress);
            TransferStatus {
                id: transfer.id,
                method: transfer.request.method.name().into(),
                command_key: transfer.request.command_key.clone(),
                file_type: transfer.request.file_type.clone(),
                state: match &transfer.state {
                    State::Waiting => "waits".into(),
                    State::Running => "under way".into(),
                    State::Fetched => "fetched".into(),
                    State::Applying => "being applied".into(),
                    State::Restarting { .. } => "the router restarts".into(),
                    State::Done { fault_code: 0, .. } => "done, to be told".into(),
                    State::Done { fault_code, fault_string, .. } => {
                        format!("failed, to be told: {fault_code} {fault_string}")
                    }
                },
                done,
                total,
            }
        };
        self.transfers.queue.iter().map(each).collect()
    }
}

/// Where the file of a transfer is on this machine.
fn host_file(live: &Live, id: u32) -> Result<PathBuf, Trouble> {
    Ok(place::private_directory(live)?.join(format!("{FILE}{id}")))
}

pub(super) fn died() -> Trouble {
    Trouble::new(FaultCode::INTERNAL_ERROR, FaultCode::INTERNAL_ERROR.text())
}
