//! The events that wait to be told to the ACS, and the rules of their delivery (TR-069a6 3.7.1.5, CONFORMANCE section 10).
//!
//! An event that is told again while its Inform is under way is a new one: an acknowledgement takes off exactly what was sent.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::FaultCode;
use crate::soap::rpc::Event;

/// How many events an Inform has at most (TR-069a6 A.3.3.1).
pub const EVENTS_PER_INFORM: usize = 64;
/// How many events with CommandKeys may wait, so that no ACS can fill the memory with them.
pub const CAPACITY: usize = 256;

/// The codes of events.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs, reason = "each is the event of that name")]
pub enum EventCode {
    Bootstrap,
    Boot,
    Periodic,
    Scheduled,
    ValueChange,
    Kicked,
    ConnectionRequest,
    TransferComplete,
    DiagnosticsComplete,
    RequestDownload,
    AutonomousTransferComplete,
    DuStateChangeComplete,
    AutonomousDuStateChangeComplete,
    Wakeup,
    Heartbeat,
    MReboot,
    MScheduleInform,
    MDownload,
    MScheduleDownload,
    MUpload,
    MChangeDuState,
    /// `X ...`, or `M X_...` that comes once per occurrence with its CommandKey.
    Vendor(String),
}

/// The response of the ACS that takes an event off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is the response of that name")]
pub enum Confirmation {
    InformResponse,
    KickedResponse,
    TransferCompleteResponse,
    RequestDownloadResponse,
    AutonomousTransferCompleteResponse,
    DuStateChangeCompleteResponse,
    AutonomousDuStateChangeCompleteResponse,
}

/// How long an event is kept when it cannot be delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Retention {
    /// For ever, over reboots.
    Always,
    /// Over restarts of the agent.
    UntilReboot,
    /// Only in memory, because it comes about again by itself.
    WhileRunning,
    /// It goes with the session that was to deliver it.
    Session,
}

/// The event table of TR-069a6 3.7.1.5.
static TABLE: &[(EventCode, &str, Confirmation, Retention)] = {
    use Confirmation as By;
    use EventCode as Code;
    use Retention::{Always, Session, UntilReboot, WhileRunning};
    &[
        (Code::Bootstrap, "0 BOOTSTRAP", By::InformResponse, Always),
        (Code::Boot, "1 BOOT", By::InformResponse, UntilReboot),
        (Code::Periodic, "2 PERIODIC", By::InformResponse, Always),
        (Code::Scheduled, "3 SCHEDULED", By::InformResponse, Always),
        (Code::ValueChange, "4 VALUE CHANGE", By::InformResponse, WhileRunning),
        (Code::Kicked, "5 KICKED", By::KickedResponse, Session),
        (Code::ConnectionRequest, "6 CONNECTION REQUEST", By::InformResponse, Session),
        (Code::TransferComplete, "7 TRANSFER COMPLETE", By::TransferCompleteResponse, Always),
        (Code::DiagnosticsComplete, "8 DIAGNOSTICS COMPLETE", By::InformResponse, UntilReboot),
        (Code::RequestDownload, "9 REQUEST DOWNLOAD", By::RequestDownloadResponse, Session),
        (
            Code::AutonomousTransferComplete,
            "10 AUTONOMOUS TRANSFER COMPLETE",
            By::AutonomousTransferCompleteResponse,
            Always,
        ),
        (Code::DuStateChangeComplete, "11 DU STATE CHANGE COMPLETE", By::DuStateChangeCompleteResponse, Always),
        (
            Code::AutonomousDuStateChangeComplete,
            "12 AUTONOMOUS DU STATE CHANGE COMPLETE",
            By::AutonomousDuStateChangeCompleteResponse,
            Always,
        ),
        (Code::Wakeup, "13 WAKEUP", By::InformResponse, UntilReboot),
        (Code::Heartbeat, "14 HEARTBEAT", By::InformResponse, WhileRunning),
        (Code::MReboot, "M Reboot", By::InformResponse, Always),
        (Code::MScheduleInform, "M ScheduleInform", By::InformResponse, Always),
        (Code::MDownload, "M Download", By::TransferCompleteResponse, Always),
        (Code::MScheduleDownload, "M ScheduleDownload", By::TransferCompleteResponse, Always),
        (Code::MUpload, "M Upload", By::TransferCompleteResponse, Always),
        (Code::MChangeDuState, "M ChangeDUState", By::DuStateChangeCompleteResponse, Always),
    ]
};

impl EventCode {
    /// Reads a code as it stands in an Inform; any that begins with `X ` or `M X_` is one of the vendor.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let standard = TABLE.iter().find(|row| row.1 == text).map(|row| row.0.clone());
        let vendor = || (text.starts_with("X ") || text.starts_with("M X_")).then(|| Self::Vendor(text.into()));
        standard.or_else(vendor)
    }

    /// The code as it stands in an Inform.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Vendor(text) => text,
            _ => self.row().map_or("", |row| row.1),
        }
    }

    /// Whether it comes once per occurrence with a CommandKey, and not once however often it happened (CONFORMANCE E-01).
    #[must_use]
    pub fn is_multiple(&self) -> bool {
        self.text().starts_with("M ")
    }

    fn row(&self) -> Option<&'static (Self, &'static str, Confirmation, Retention)> {
        TABLE.iter().find(|row| row.0 == *self)
    }

    fn confirmation(&self) -> Confirmation {
        self.row().map_or(Confirmation::InformResponse, |row| row.2)
    }

    fn retention(&self) -> Retention {
        self.row().map_or(Retention::Always, |row| row.3)
    }

    fn is_stored(&self) -> bool {
        matches!(self.retention(), Retention::Always | Retention::UntilReboot)
    }

    /// The event that an `M` event never comes without (CONFORMANCE E-03).
    fn base(&self) -> Option<Self> {
        match self {
            Self::MScheduleInform => Some(Self::Scheduled),
            Self::MDownload | Self::MScheduleDownload | Self::MUpload => Some(Self::TransferComplete),
            Self::MChangeDuState => Some(Self::DuStateChangeComplete),
            _ => None,
        }
    }
}

impl Serialize for EventCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for EventCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not the code of an event"))
    }
}

/// An event that waits.
#[derive(Clone, Serialize, Deserialize, Debug)]
struct Entry {
    code: EventCode,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    command_key: String,
    /// Whether it is in the Inform of the running session.
    #[serde(skip)]
    sent: bool,
}

/// All events that wait to be delivered. Its JSON has those that survive the process.
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
#[serde(from = "Saved", into = "Saved")]
pub struct Queue {
    pending: Vec<Entry>,
    at_next_boot: Vec<Entry>,
    changed: bool,
    heartbeat_failed: bool,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    #[serde(default)]
    pending: Vec<Entry>,
    #[serde(default)]
    at_next_boot: Vec<Entry>,
}

impl From<Queue> for Saved {
    fn from(mut queue: Queue) -> Self {
        queue.pending.retain(|entry| entry.code.is_stored());
        queue.merge();
        Self { pending: queue.pending, at_next_boot: queue.at_next_boot }
    }
}

impl From<Saved> for Queue {
    fn from(saved: Saved) -> Self {
        let mut queue = Self { pending: saved.pending, at_next_boot: saved.at_next_boot, ..Self::default() };
        queue.merge();
        queue
    }
}

impl Queue {
    /// A single event happened. For an `M` event use [`Self::add_multiple`].
    pub fn add(&mut self, code: EventCode) {
        if !self.pending.iter().any(|entry| entry.code == code && !entry.sent) {
            self.push(code, String::new());
        }
    }

    /// An event with a CommandKey happened.
    ///
    /// # Errors
    /// 9004 when more than [`CAPACITY`] events wait already.
    pub fn add_multiple(&mut self, code: EventCode, command_key: &str) -> Result<(), FaultCode> {
        self.check_capacity()?;
        self.push(code, command_key.into());
        Ok(())
    }

    /// An event that happens with the next boot, such as `M Reboot` (CONFORMANCE Q-01).
    ///
    /// # Errors
    /// 9004 when more than [`CAPACITY`] events wait already.
    pub fn add_at_next_boot(&mut self, code: EventCode, command_key: &str) -> Result<(), FaultCode> {
        self.check_capacity()?;
        self.at_next_boot.push(Entry { code, command_key: command_key.into(), sent: false });
        self.changed = true;
        Ok(())
    }

    /// Whether there are changed values to tell: adds or takes back `4 VALUE CHANGE` (CONFORMANCE N-01, N-06).
    pub fn set_value_change(&mut self, any: bool) {
        if any {
            self.add(EventCode::ValueChange);
        } else {
            self.pending.retain(|entry| entry.code != EventCode::ValueChange || entry.sent);
        }
    }

    /// The system has booted: `1 BOOT`, what waited for it, and of the rest what survives a reboot.
    pub fn on_boot(&mut self) {
        self.pending.retain(|entry| entry.code.retention() == Retention::Always);
        self.pending.append(&mut self.at_next_boot);
        self.changed = true;
        self.add(EventCode::Boot);
    }

    /// From now on another ACS is responsible: `0 BOOTSTRAP`, and all that was meant for the former one goes, except for the `1 BOOT` of this
    /// very start (CONFORMANCE B-05).
    pub fn bootstrap(&mut self) {
        self.pending.retain(|entry| entry.code == EventCode::Boot);
        self.at_next_boot.clear();
        self.changed = true;
        self.heartbeat_failed = false;
        self.add(EventCode::Bootstrap);
    }

    /// Another ACS was responsible for a while and is not any more: what waited for this one waits again, and instead of `0 BOOTSTRAP` only what
    /// has happened to the router since. `rebooted` says whether it has started anew.
    pub fn take_back_bootstrap(&mut self, mut former: Self, rebooted: bool) {
        if rebooted {
            former.on_boot();
        }
        let since = std::mem::replace(self, former);
        self.changed = true;
        for entry in since.pending.into_iter().filter(|entry| entry.code != EventCode::Bootstrap) {
            if !entry.code.is_multiple() {
                self.add(entry.code);
            }
        }
    }

    /// An event has no meaning any more, unless it is being told just now.
    pub fn withdraw(&mut self, code: &EventCode) {
        self.remove(|entry| entry.code == *code && !entry.sent);
    }

    /// The events for the Inform of a session that begins now, at most [`EVENTS_PER_INFORM`]; the rest stays for the next session. `retrying`
    /// says that the last session failed.
    ///
    /// `14 HEARTBEAT` is alone in its Inform. It comes after all other events and not in the retry of another session (CONFORMANCE H-02).
    pub fn for_inform(&mut self, retrying: bool) -> Vec<Event> {
        let heartbeat = self.only_heartbeat(retrying);
        let mut order: Vec<&mut Entry> =
            self.pending.iter_mut().filter(|entry| (entry.code == EventCode::Heartbeat) == heartbeat).collect();
        order.sort_by(|a, b| (a.code.is_multiple(), &a.code).cmp(&(b.code.is_multiple(), &b.code)));
        let mut codes = Vec::new();
        let mut events = Vec::new();
        for entry in order {
            let base = entry.code.base().filter(|base| !codes.contains(base));
            if events.len() + 1 + usize::from(base.is_some()) > EVENTS_PER_INFORM {
                break;
            }
            for code in base.into_iter().chain([entry.code.clone()]) {
                let command_key = if code == entry.code { entry.command_key.clone() } else { String::new() };
                events.push(Event { code: code.text().into(), command_key });
                codes.push(code);
            }
            entry.sent = true;
        }
        events
    }

    /// Whether the next Inform would be a heartbeat: then values that changed are not looked for (CONFORMANCE I-07).
    #[must_use]
    pub fn only_heartbeat(&self, retrying: bool) -> bool {
        !self.pending.is_empty()
            && self.pending.iter().all(|entry| entry.code == EventCode::Heartbeat)
            && (!retrying || self.heartbeat_failed)
    }

    /// The InformResponse came: takes off what it confirms of the events that were sent.
    pub fn acknowledge_inform(&mut self) {
        self.remove(|entry| entry.sent && entry.code.confirmation() == Confirmation::InformResponse);
    }

    /// The response to a request of the CPE came: takes off one `M` event with this CommandKey, and the single event unless `more` such results
    /// wait to be told.
    pub fn acknowledge_response(&mut self, response: Confirmation, command_key: &str, more: bool) {
        let confirmed = |entry: &Entry| {
            entry.code.confirmation() == response && entry.code.is_multiple() && entry.command_key == command_key
        };
        let sent = self.pending.iter().position(|entry| confirmed(entry) && entry.sent);
        if let Some(index) = sent.or_else(|| self.pending.iter().position(confirmed)) {
            self.pending.remove(index);
            self.changed = true;
        }
        if !more {
            self.remove(|entry| entry.code.confirmation() == response && !entry.code.is_multiple());
        }
    }

    /// Takes off what waits for this response and has no result behind it, because the power went between the saving of the one and of the other.
    /// Not while a session is running.
    pub fn keep_results(&mut self, response: Confirmation, results: &[(EventCode, &str)]) {
        let mut results: Vec<_> = results.iter().collect();
        let any = !results.is_empty();
        self.remove_unless(|entry| {
            if entry.code.confirmation() != response {
                return true;
            }
            if !entry.code.is_multiple() {
                return any;
            }
            let found = results.iter().position(|(code, key)| *code == entry.code && *key == entry.command_key);
            found.map(|index| results.remove(index)).is_some()
        });
    }

    /// Adds the events that results lack which wait to be told: an `M` event each, by code and CommandKey, and the single event `base` for all.
    pub fn add_results(&mut self, base: EventCode, results: &[(EventCode, &str)]) {
        if results.is_empty() {
            return;
        }
        self.add(base);
        let mut present: Vec<_> = self
            .iter()
            .filter(|(code, _)| code.is_multiple())
            .map(|(code, key)| (code.clone(), key.to_owned()))
            .collect();
        for (code, command_key) in results {
            let found = present.iter().position(|(known, key)| known == code && key == command_key);
            if let Some(index) = found {
                present.remove(index);
            } else if self.add_multiple(code.clone(), command_key).is_err() {
                // There is room again after a session.
                log::warn!("too many events wait: the end of a transfer is told later");
                return;
            }
        }
    }

    /// The session is over. An event that ends with its session goes. When the session was `complete` every request of the CPE had its
    /// response, so that an event which still waits for one has no request behind it, and goes as well.
    pub fn session_ended(&mut self, complete: bool) {
        self.heartbeat_failed =
            !complete && self.pending.iter().any(|entry| entry.sent && entry.code == EventCode::Heartbeat);
        self.remove(|entry| {
            let unconfirmed = complete && entry.code.confirmation() != Confirmation::InformResponse;
            entry.sent && (unconfirmed || entry.code.retention() == Retention::Session)
        });
        self.merge();
    }

    /// Whether something changed that must be saved before it can be relied on.
    #[must_use]
    pub fn must_persist(&self) -> bool {
        self.changed
    }

    /// The queue has been saved as it stands.
    pub fn persisted(&mut self) {
        self.changed = false;
    }

    /// The codes and CommandKeys of all that waits, in the order in which it happened.
    pub fn iter(&self) -> impl Iterator<Item = (&EventCode, &str)> {
        self.pending.iter().map(|entry| (&entry.code, entry.command_key.as_str()))
    }

    fn check_capacity(&self) -> Result<(), FaultCode> {
        let waiting = self.pending.len() + self.at_next_boot.len();
        if waiting < CAPACITY { Ok(()) } else { Err(FaultCode::RESOURCES_EXCEEDED) }
    }

    fn push(&mut self, code: EventCode, command_key: String) {
        self.changed |= code.is_stored();
        self.pending.push(Entry { code, command_key, sent: false });
    }

    fn remove(&mut self, goes: impl Fn(&Entry) -> bool) {
        self.remove_unless(|entry| !goes(entry));
    }

    fn remove_unless(&mut self, mut stays: impl FnMut(&Entry) -> bool) {
        let mut stored = false;
        self.pending.retain(|entry| {
            let stays = stays(entry);
            stored |= !stays && entry.code.is_stored();
            stays
        });
        self.changed |= stored;
    }

    /// Nothing is under way any more, so that single events are single again.
    fn merge(&mut self) {
        let mut singles = Vec::new();
        self.pending.retain_mut(|entry| {
            entry.sent = false;
            let again = !entry.code.is_multiple() && singles.contains(&entry.code);
            singles.push(entry.code.clone());
            !again
        });
    }
}

#[cfg(test)]
mod tests;
