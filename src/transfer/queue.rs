//! The queue of transfers: what the ACS asked for, how far it is, and what is still to be told of it (TR-069a6 A.3.2.8, A.4.1.5, A.4.1.8).
//!
//! ```text
//!            its time has come        all of it is here      no session is running
//!  Waiting ---------------------> Running ------------> Fetched ------------> Applying --+--> Restarting
//!     ^                              |  |  (a download)    |                     |       |        |
//!     |   a retry within a window,   |  |                  |                     |       |        | the router has booted,
//!     +---- or the power has gone ---+  | (an upload)      | its window is over  |       |        | or does not go down
//!                                       v                  v                     v       v        v
//!                                      Done -------------------------------------------------------  TransferCompleteResponse: gone
//! ```
//!
//! Each step is saved before what it stands for is begun, so that the state says after a crash what may have happened: what was being fetched is
//! fetched again, what was being applied is never applied again (CONFORMANCE F-05, F-10).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::windows::{Mode, Window};
use super::{Trouble, code};
use crate::cwmp::events::EventCode;
use crate::error::{Fault, FaultCode};
use crate::soap::rpc::{Download, QueuedTransfer, ScheduleDownload, TransferComplete, Upload};
use crate::sorted::Set;
use crate::time::{Deadline, Now, UtcTime};

/// How many transfers may wait or be untold; as many as GetAllQueuedTransfers can list (TR-069a6 A.4.1.7).
pub const CAPACITY: usize = 16;

/// A transfer that has been begun so often, and never come to an end because the power or the agent went, is given up.
const GREATEST_STARTS: u32 = 10;

/// A router that is to start a new image goes down within this time.
const GOING_DOWN: Duration = Duration::from_secs(300);

/// The longest FaultString in characters.
const LONGEST_TEXT: usize = 256;

/// The file type of a firmware image, for which alone the router restarts.
pub const FIRMWARE: &str = "1 Firmware Upgrade Image";

/// By which request a transfer came.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[allow(missing_docs, reason = "each is the request of that name")]
pub enum Method {
    Download,
    Upload,
    ScheduleDownload,
}

impl Method {
    /// Whether the router fetches the file.
    #[must_use]
    pub fn is_download(self) -> bool {
        self != Self::Upload
    }

    /// The event that tells its end, next to `7 TRANSFER COMPLETE`.
    #[must_use]
    pub fn event(self) -> EventCode {
        match self {
            Self::Download => EventCode::MDownload,
            Self::Upload => EventCode::MUpload,
            Self::ScheduleDownload => EventCode::MScheduleDownload,
        }
    }

    /// The name of the request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Download => "Download",
            Self::Upload => "Upload",
            Self::ScheduleDownload => "ScheduleDownload",
        }
    }
}

/// What the ACS asked for. Its credentials and URL are forgotten as soon as they are not needed any more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the requests")]
pub struct Request {
    pub method: Method,
    pub command_key: String,
    pub file_type: String,
    pub url: String,
    pub username: String,
    pub password: String,
    /// Bytes; 0 when it is not known.
    pub file_size: u32,
    pub target_file_name: String,
}

/// Shows nothing that may hold credentials.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Request");
        shown.field("method", &self.method).field("command_key", &self.command_key);
        shown.field("file_type", &self.file_type).finish_non_exhaustive()
    }
}

impl From<&Download> for Request {
    fn from(download: &Download) -> Self {
        Self {
            method: Method::Download,
            command_key: download.command_key.clone(),
            file_type: download.file_type.clone(),
            url: download.url.clone(),
            username: download.username.clone(),
            password: download.password.clone(),
            file_size: download.file_size,
            target_file_name: download.target_file_name.clone(),
        }
    }
}

impl From<&ScheduleDownload> for Request {
    fn from(download: &ScheduleDownload) -> Self {
        Self {
            method: Method::ScheduleDownload,
            command_key: download.command_key.clone(),
            file_type: download.file_type.clone(),
            url: download.url.clone(),
            username: download.username.clone(),
            password: download.password.clone(),
            file_size: download.file_size,
            target_file_name: download.target_file_name.clone(),
        }
    }
}

impl From<&Upload> for Request {
    fn from(upload: &Upload) -> Self {
        Self {
            method: Method::Upload,
            command_key: upload.command_key.clone(),
            file_type: upload.file_type.clone(),
            url: upload.url.clone(),
            username: upload.username.clone(),
            password: upload.password.clone(),
            file_size: 0,
            target_file_name: String::new(),
        }
    }
}

/// How far a transfer is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum State {
    /// Its time has not come, or another one is under way.
    Waiting,
    /// The file is being fetched, or made and sent.
    Running,
    /// The file is here, and waits for the end of a session (CONFORMANCE L-12).
    Fetched,
    /// The file is being applied: this is begun once only.
    Applying,
    /// The router is about to restart with a new image.
    Restarting {
        /// Seconds on the monotonic clock; if the agent still runs then, it is to be found out what has become of the image.
        until: u64,
    },
    /// The end, still to be told.
    Done {
        /// 0 for success.
        fault_code: u16,
        /// Empty for success.
        fault_string: String,
        /// When; `None` while the clock was not known.
        completed: Option<UtcTime>,
    },
}

impl State {
    fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// What cannot be taken back any more.
    fn is_past_cancelling(&self) -> bool {
        matches!(self, Self::Applying | Self::Restarting { .. } | Self::Done { .. })
    }
}

/// A transfer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Transfer {
    /// By which the agent knows it; never used again.
    pub id: u32,
    /// What the ACS asked for.
    pub request: Request,
    /// How far it is.
    pub state: State,
    /// DelaySeconds of Download and Upload.
    start: Deadline,
    /// The windows of a ScheduleDownload that are not over yet, the present one first.
    windows: Vec<Window>,
    /// Tries that failed in the present window.
    failures: u32,
    /// How often it was begun in the present window since the last failure.
    starts: u32,
    started: Option<UtcTime>,
    /// Not to be tried again before this time of this process.
    #[serde(skip)]
    not_before: Duration,
    /// The session in which it was asked for is still running (CONFORMANCE F-08).
    #[serde(skip)]
    fresh: bool,
}

impl Transfer {
    /// Whether the file is a firmware image.
    #[must_use]
    pub fn is_firmware(&self) -> bool {
        self.request.method.is_download() && self.request.file_type == FIRMWARE
    }

    fn is_open(&self, now: Now) -> bool {
        let time = match (self.request.method, self.windows.first()) {
            (Method::ScheduleDownload, Some(window)) => window.is_open(now),
            (Method::ScheduleDownload, None) => false,
            _ => self.start.is_over(now),
        };
        time && !self.fresh && self.not_before <= now.monotonic
    }

    fn wants_idle(&self) -> bool {
        self.windows.first().is_some_and(|window| window.mode == Mode::WhenIdle)
    }

    /// The next moment after now at which its time comes or is over.
    fn due(&self, now: Now) -> Option<Duration> {
        let window = self.windows.first();
        let end = window.map(|window| window.end.due());
        let times = match self.state {
            State::Waiting => {
                let start = window.map_or(self.start.due(), |window| window.start.due());
                [Some(start.max(self.not_before)), end]
            }
            State::Running | State::Fetched => [end, None],
            State::Restarting { until } => [Some(Duration::from_secs(until)), None],
            State::Applying | State::Done { .. } => [None, None],
        };
        times.into_iter().flatten().filter(|time| *time > now.monotonic).min()
    }

    fn window_is_over(&self, now: Now) -> bool {
        self.windows.first().is_some_and(|window| window.end.is_over(now))
    }

    fn deadlines(&mut self) -> impl Iterator<Item = &mut Deadline> {
        let windows = self.windows.iter_mut().flat_map(|window| [&mut window.start, &mut window.end]);
        std::iter::once(&mut self.start).chain(windows)
    }

    fn finish(&mut self, result: Result<(), Trouble>, now: Now) {
        let (fault_code, fault_string) = match result {
            Ok(()) => (0, String::new()),
            Err(Trouble { code, text }) => {
                (reportable(self.request.method, code), text.chars().take(LONGEST_TEXT).collect())
            }
        };
        self.state = State::Done { fault_code, fault_string, completed: now.utc };
        self.windows.clear();
        for secret in [&mut self.request.url, &mut self.request.username, &mut self.request.password] {
            secret.clear();
        }
    }

    /// The present window has brought nothing: goes on with the next, if there is one.
    fn next_window(&mut self, trouble: Trouble, now: Now) {
        if !self.windows.is_empty() {
            self.windows.remove(0);
        }
        self.failures = 0;
        self.starts = 0;
        self.not_before = Duration::ZERO;
        if self.windows.is_empty() {
            self.finish(Err(trouble), now);
        } else {
            self.state = State::Waiting;
        }
    }

    /// What the ACS is told of the end.
    fn result(&self) -> Option<TransferComplete> {
        let State::Done { fault_code, fault_string, completed } = &self.state else { return None };
        let time = |time: Option<UtcTime>| time.unwrap_or(UtcTime::UNKNOWN).whole_seconds().to_string();
        Some(TransferComplete {
            command_key: self.request.command_key.clone(),
            fault_code: *fault_code,
            fault_string: fault_string.clone(),
            start_time: time(self.started),
            complete_time: time(*completed),
        })
    }
}

/// A code that the schema lets into a TransferComplete (CONFORMANCE section 8).
fn reportable(method: Method, code: FaultCode) -> u16 {
    match code.0 {
        9017 if !method.is_download() => code::UPLOAD_FAILED.0,
        9001 | 9002 | 9010..=9012 | 9014..=9020 | 9800..=9899 => code.0,
        _ if method.is_download() => code::FAILED.0,
        _ => code::UPLOAD_FAILED.0,
    }
}

fn too_late() -> Trouble {
    Trouble::new(code::TOO_LATE, code::TOO_LATE.text())
}

/// What holds transfers up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Situation {
    /// Whether there is a way out of the router.
    pub online: bool,
    /// Whether nobody uses it.
    pub idle: bool,
    /// Whether a session is running, or something that was promised in one is still to be done.
    pub in_session: bool,
}

/// What is to be done next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// To fetch or send the file of this transfer.
    Run(u32),
    /// To apply the file of this transfer.
    Apply(u32),
    /// Nothing before something happens or [`Queue::due`] comes.
    Nothing,
}

/// The queue.
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
#[serde(default)]
pub struct Queue {
    transfers: Vec<Transfer>,
    last_id: u32,
    #[serde(skip)]
    changed: bool,
}

impl Queue {
    /// Takes a request whose arguments were checked. A delay counts from now (CONFORMANCE F-08); it is for Download and Upload, windows are for
    /// ScheduleDownload.
    ///
    /// # Errors
    /// 9004 when [`CAPACITY`] transfers wait or are untold.
    pub fn add(&mut self, request: Request, delay: u32, windows: Vec<Window>, now: Now) -> Result<u32, Fault> {
        if self.transfers.len() >= CAPACITY {
            return Err(Fault::new(FaultCode::RESOURCES_EXCEEDED, format!("{CAPACITY} transfers are queued already")));
        }
        self.last_id = self.last_id.wrapping_add(1);
        self.transfers.push(Transfer {
            id: self.last_id,
            request,
            state: State::Waiting,
            start: Deadline::after(delay, now),
            windows,
            failures: 0,
            starts: 0,
            started: None,
            not_before: Duration::ZERO,
            fresh: true,
        });
        self.changed = true;
        Ok(self.last_id)
    }

    /// The session is over in which requests came.
    pub fn session_ended(&mut self) {
        for transfer in &mut self.transfers {
            transfer.fresh = false;
        }
    }

    /// Takes off all transfers with this CommandKey (CONFORMANCE F-23), and gives their ids. None is told to the ACS.
    ///
    /// # Errors
    /// 9021 when one of them has gone too far. The others are gone all the same: the ids come first.
    pub fn cancel(&mut self, command_key: &str) -> (Vec<u32>, Result<(), Fault>) {
        let mut gone = Vec::new();
        let mut result = Ok(());
        self.transfers.retain(|transfer| {
            let stays = transfer.request.command_key != command_key || transfer.state.is_past_cancelling();
            if transfer.request.command_key == command_key {
                if stays {
                    result = Err(Fault::from(code::PAST_CANCELLING));
                } else {
                    gone.push(transfer.id);
                }
            }
            stays
        });
        self.changed |= !gone.is_empty();
        (gone, result)
    }

    /// What GetQueuedTransfers and GetAllQueuedTransfers tell (CONFORMANCE F-22).
    #[must_use]
    pub fn list(&self) -> Vec<QueuedTransfer> {
        let each = |transfer: &Transfer| QueuedTransfer {
            command_key: transfer.request.command_key.clone(),
            state: match transfer.state {
                State::Waiting => 1,
                State::Running | State::Fetched | State::Applying | State::Restarting { .. } => 2,
                State::Done { .. } => 3,
            },
            is_download: transfer.request.method.is_download(),
            file_type: transfer.request.file_type.clone(),
            file_size: transfer.request.file_size,
            target_file_name: transfer.request.target_file_name.clone(),
        };
        self.transfers.iter().map(each).collect()
    }

    /// Every transfer, in the order of the requests.
    pub fn iter(&self) -> impl Iterator<Item = &Transfer> {
        self.transfers.iter()
    }

    /// The transfer with this id.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&Transfer> {
        self.transfers.iter().find(|transfer| transfer.id == id)
    }

    fn get_mut(&mut self, id: u32) -> Option<&mut Transfer> {
        self.changed = true;
        self.transfers.iter_mut().find(|transfer| transfer.id == id)
    }

    // The way of a transfer.

    /// Takes up the queue after it was read from the state. `has_file` says whether the file of a transfer is still there. What was running is begun
    /// again; for what was being applied the caller finds out what became of it, see [`Self::unsettled`].
    pub fn restore(&mut self, same_boot: bool, now: Now, has_file: &dyn Fn(u32) -> bool) {
        for transfer in &mut self.transfers {
            if !same_boot {
                transfer.deadlines().for_each(|deadline| deadline.restore(now));
            }
            if transfer.state == State::Running || (transfer.state == State::Fetched && !has_file(transfer.id)) {
                transfer.state = State::Waiting;
                if transfer.starts >= GREATEST_STARTS {
                    let trouble = Trouble::new(code::INCOMPLETE, "the transfer was cut off again and again");
                    transfer.next_window(trouble, now);
                }
            }
        }
        self.changed |= !self.transfers.is_empty();
    }

    /// The transfer that was being applied when the agent or the router went down.
    #[must_use]
    pub fn unsettled(&self) -> Option<&Transfer> {
        let applied = |state: &State| matches!(state, State::Applying | State::Restarting { .. });
        self.transfers.iter().find(|transfer| applied(&transfer.state))
    }

    /// Whether a file is being applied just now.
    #[must_use]
    pub fn is_applying(&self) -> bool {
        self.transfers.iter().any(|transfer| transfer.state == State::Applying)
    }

    /// The clock may have become known.
    pub fn clock_known(&mut self, now: Now) {
        for transfer in &mut self.transfers {
            for deadline in transfer.deadlines() {
                self.changed |= deadline.clock_known(now);
            }
        }
    }

    /// What is to be done now. One transfer is under way at a time, from its beginning until it is applied, so that there is never more than one
    /// file in the memory of the router.
    #[must_use]
    pub fn next(&self, now: Now, situation: Situation) -> Next {
        let under_way = |transfer: &&Transfer| !matches!(transfer.state, State::Waiting | State::Done { .. });
        if let Some(transfer) = self.transfers.iter().find(under_way) {
            let ready = transfer.state == State::Fetched && !situation.in_session;
            return if ready { Next::Apply(transfer.id) } else { Next::Nothing };
        }
        if !situation.online {
            return Next::Nothing;
        }
        let mut ready = self.transfers.iter().filter(|transfer| {
            transfer.state == State::Waiting && transfer.is_open(now) && (situation.idle || !transfer.wants_idle())
        });
        ready.next().map_or(Next::Nothing, |transfer| Next::Run(transfer.id))
    }

    /// Whether a transfer waits for nothing but an idle line.
    #[must_use]
    pub fn wants_idle(&self, now: Now) -> bool {
        let waits = |transfer: &Transfer| transfer.state == State::Waiting && transfer.wants_idle();
        self.transfers.iter().any(|transfer| waits(transfer) && transfer.is_open(now))
    }

    /// The next moment after now at which the time of a transfer comes or is over.
    #[must_use]
    pub fn due(&self, now: Now) -> Option<Duration> {
        self.transfers.iter().filter_map(|transfer| transfer.due(now)).min()
    }

    /// Ends what has run out of time. Gives a transfer that is being fetched outside its window: it is to be stopped, and [`Self::failed`] then says
    /// that it was too late.
    pub fn poll(&mut self, now: Now) -> Option<u32> {
        let mut stop = None;
        for transfer in &mut self.transfers {
            match transfer.state {
                State::Running if transfer.window_is_over(now) => stop = Some(transfer.id),
                State::Waiting | State::Fetched if transfer.window_is_over(now) => {
                    transfer.next_window(too_late(), now);
                    self.changed = true;
                }
                _ => {}
            }
        }
        stop
    }

    /// The transfer whose image should be running by now.
    #[must_use]
    pub fn overdue(&self, now: Now) -> Option<u32> {
        let late = |state: &State| matches!(state, State::Restarting { until } if Duration::from_secs(*until) <= now.monotonic);
        self.transfers.iter().find(|transfer| late(&transfer.state)).map(|transfer| transfer.id)
    }

    /// A transfer begins.
    pub fn begin(&mut self, id: u32, now: Now) -> Option<Request> {
        let transfer = self.get_mut(id)?;
        transfer.state = State::Running;
        transfer.starts = transfer.starts.saturating_add(1);
        transfer.started = transfer.started.or(now.utc);
        Some(transfer.request.clone())
    }

    /// It could not even be tried, because the system is short of something: it is tried again a little later.
    pub fn put_off(&mut self, id: u32, until: Duration) {
        if let Some(transfer) = self.get_mut(id) {
            transfer.state = State::Waiting;
            transfer.not_before = until;
        }
    }

    /// The file of a download is here.
    pub fn fetched(&mut self, id: u32) {
        if let Some(transfer) = self.get_mut(id) {
            transfer.state = State::Fetched;
        }
    }

    /// The file is about to be applied.
    pub fn applying(&mut self, id: u32) -> Option<Request> {
        let transfer = self.get_mut(id)?;
        transfer.state = State::Applying;
        Some(transfer.request.clone())
    }

    /// The router is about to restart with the new image.
    pub fn restarting(&mut self, id: u32, now: Now) {
        if let Some(transfer) = self.get_mut(id) {
            transfer.state = State::Restarting { until: now.monotonic.saturating_add(GOING_DOWN).as_secs() };
        }
    }

    /// The transfer has succeeded.
    pub fn succeeded(&mut self, id: u32, now: Now) {
        if let Some(transfer) = self.get_mut(id) {
            transfer.finish(Ok(()), now);
        }
    }

    /// The transfer has failed. A Download or an Upload is not tried again (TR-069a6 A.3.2.8); a ScheduleDownload is, as often as its window says.
    pub fn failed(&mut self, id: u32, trouble: Trouble, now: Now) {
        let Some(transfer) = self.get_mut(id) else { return };
        let Some(window) = transfer.windows.first().copied() else {
            transfer.finish(Err(trouble), now);
            return;
        };
        if window.end.is_over(now) {
            transfer.next_window(too_late(), now);
        } else if window.retries.is_none_or(|retries| transfer.failures < retries) {
            transfer.failures = transfer.failures.saturating_add(1);
            transfer.starts = 0;
            transfer.state = State::Waiting;
            transfer.not_before = window.next_try(now);
        } else {
            transfer.next_window(trouble, now);
        }
    }

    /// What was being applied when the agent went down is known now.
    pub fn settle(&mut self, id: u32, result: Result<(), Trouble>, now: Now) {
        if let Some(transfer) = self.get_mut(id) {
            transfer.finish(result, now);
        }
    }

    /// What was done with the files of these transfers was undone before the ACS was told of it.
    pub fn undone(&mut self, ids: &Set<u32>, trouble: &Trouble, now: Now) {
        let untold = |transfer: &&mut Transfer| {
            ids.contains(&transfer.id) && matches!(transfer.state, State::Done { fault_code: 0, .. })
        };
        for transfer in self.transfers.iter_mut().filter(untold) {
            transfer.finish(Err(trouble.clone()), now);
            self.changed = true;
        }
    }

    // The results.

    /// What is to be told, in the order of the requests.
    pub fn results(&self) -> impl Iterator<Item = (&Transfer, TransferComplete)> {
        self.transfers.iter().filter_map(|transfer| Some((transfer, transfer.result()?)))
    }

    /// The ACS has taken the result; says which event is told with it.
    pub fn told(&mut self, id: u32) -> Option<(EventCode, String)> {
        let index = self.transfers.iter().position(|transfer| transfer.id == id && transfer.state.is_done())?;
        let request = self.transfers.remove(index).request;
        self.changed = true;
        Some((request.method.event(), request.command_key))
    }

    /// Another ACS is responsible, or the router goes back to its defaults (CONFORMANCE B-05): gives the ids of all that is gone.
    pub fn clear(&mut self) -> Vec<u32> {
        self.changed |= !self.transfers.is_empty();
        self.transfers.drain(..).map(|transfer| transfer.id).collect()
    }

    /// Whether something changed that is to be saved.
    #[must_use]
    pub fn must_persist(&self) -> bool {
        self.changed
    }

    /// It has been saved as it stands.
    pub fn persisted(&mut self) {
        self.changed = false;
    }
}

#[cfg(test)]
mod tests;
