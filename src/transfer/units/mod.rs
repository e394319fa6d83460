//! Software modules: the operations of ChangeDUState, one after the other, and what is still to be told of them (TR-069a6 A.4.1.10, A.4.2.3).
//!
//! The queue does no IO. An operation is saved as begun before it is carried out by [`work`]; after a crash it is carried out again, and what the
//! first attempt has already brought about counts as its success.

pub mod autonomous;
mod manager;
pub mod work;

use serde::{Deserialize, Serialize};

use super::Trouble;
use crate::error::{Fault, FaultCode};
use crate::model::format::is_uuid;
use crate::soap::rpc::{DuOperation, DuResult, Message};
use crate::time::{Deadline, Now, UtcTime};

/// The most requests that wait or are untold, and the most operations in one.
pub const CAPACITY: usize = 16;

/// An operation that has been begun so often, and never come to an end because the power or the agent went, is given up.
const GREATEST_STARTS: u32 = 3;

/// What is not begun so many seconds after its request is not done any more (TR-069a6 A.4.1.10).
const WITHIN: u32 = 24 * 60 * 60;

/// Where the schema wants a UUID and there is none (RFC 4122 4.1.7).
const NO_UUID: &str = "00000000-0000-0000-0000-000000000000";

/// The longest Version of a result, in characters.
const LONGEST_VERSION: usize = 32;

/// What is done to a deployment unit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
#[allow(missing_docs, reason = "each is the operation of that name")]
pub enum Kind {
    #[default]
    Install,
    Update,
    Uninstall,
}

impl Kind {
    /// As OperationPerformed and OperationTypeFilter have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Install => "Install",
            Self::Update => "Update",
            Self::Uninstall => "Uninstall",
        }
    }

    /// The CurrentState of a success.
    fn done(self) -> &'static str {
        match self {
            Self::Install | Self::Update => "Installed",
            Self::Uninstall => "Uninstalled",
        }
    }
}

/// An operation. Its credentials are forgotten when it is done.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the request")]
pub struct Operation {
    pub kind: Kind,
    pub uuid: String,
    pub url: String,
    pub version: String,
    pub username: String,
    pub password: String,
    pub exec_env: String,
}

/// Shows nothing that may hold credentials.
impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation").field("kind", &self.kind).field("uuid", &self.uuid).finish_non_exhaustive()
    }
}

impl From<DuOperation> for Operation {
    fn from(operation: DuOperation) -> Self {
        match operation {
            DuOperation::Install { url, uuid, username, password, exec_env } => {
                Self { kind: Kind::Install, uuid, url, username, password, exec_env, ..Self::default() }
            }
            DuOperation::Update { uuid, version, url, username, password } => {
                Self { kind: Kind::Update, uuid, url, version, username, password, ..Self::default() }
            }
            DuOperation::Uninstall { uuid, version, exec_env } => {
                Self { kind: Kind::Uninstall, uuid, version, exec_env, ..Self::default() }
            }
        }
    }
}

/// What became of an operation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default, Debug)]
#[allow(missing_docs, reason = "the fields are those of OpResultStruct")]
pub struct Outcome {
    pub uuid: String,
    pub deployment_unit: String,
    pub version: String,
    pub state: String,
    pub resolved: bool,
    pub execution_units: String,
    pub start_time: String,
    pub complete_time: String,
    pub fault_code: u16,
    pub fault_string: String,
    pub operation: String,
}

impl Outcome {
    fn result(&self) -> DuResult {
        let Self { uuid, deployment_unit, version, state, execution_units, .. } = self.clone();
        DuResult {
            uuid,
            deployment_unit,
            version,
            state,
            resolved: self.resolved,
            execution_units,
            start_time: self.start_time.clone(),
            complete_time: self.complete_time.clone(),
            fault_code: self.fault_code,
            fault_string: self.fault_string.clone(),
            operation: self.operation.clone(),
        }
    }
}

/// What a deployment unit is after an operation on it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Unit {
    /// Its UUID.
    pub uuid: String,
    /// Its version.
    pub version: String,
    /// Its path in the model, without the last dot.
    pub path: String,
    /// The paths of its execution units, with commas between.
    pub execution_units: String,
}

/// How an operation on a deployment unit ended.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Ending {
    /// What the unit is now; after a failure what is known of it.
    pub unit: Unit,
    /// Why it failed.
    pub trouble: Option<Trouble>,
}

impl Ending {
    /// An operation that failed, with what it says itself of its unit.
    #[must_use]
    pub fn failed(operation: &Operation, trouble: Trouble) -> Self {
        let uuid = if is_uuid(&operation.uuid) { operation.uuid.clone() } else { String::new() };
        Self { unit: Unit { uuid, version: operation.version.clone(), ..Unit::default() }, trouble: Some(trouble) }
    }

    fn outcome(self, kind: Kind) -> Outcome {
        let Unit { uuid, version, path, execution_units } = self.unit;
        let done = Outcome {
            uuid: if uuid.is_empty() { NO_UUID.into() } else { uuid },
            version: version.chars().take(LONGEST_VERSION).collect(),
            deployment_unit: path,
            execution_units,
            ..Outcome::default()
        };
        match self.trouble {
            None => Outcome { state: kind.done().into(), resolved: kind != Kind::Uninstall, ..done },
            Some(trouble) => Outcome {
                state: "Failed".into(),
                fault_code: trouble.code.0,
                fault_string: trouble.text.chars().take(256).collect(),
                ..done
            },
        }
    }
}

/// One ChangeDUState.
#[derive(Clone, Serialize, Deserialize, Debug)]
struct Job {
    id: u32,
    command_key: String,
    /// What is left to be done, in the order of the request.
    operations: Vec<Operation>,
    /// When the first of them was begun, and how often.
    begun: Option<(String, u32)>,
    /// One for each operation that is done; an Update of everything has one for each deployment unit.
    outcomes: Vec<Outcome>,
    /// How many operations there were.
    number: usize,
    /// Until when they may begin.
    until: Deadline,
}

/// The queue.
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
#[serde(default)]
pub struct Units {
    jobs: Vec<Job>,
    last_id: u32,
    #[serde(skip)]
    dirty: bool,
}

impl Units {
    /// Takes a ChangeDUState.
    ///
    /// # Errors
    /// 9004 when there is no room for it, or it has too many operations; 9001 when it has none.
    pub fn add(&mut self, command_key: &str, operations: Vec<DuOperation>, now: Now) -> Result<u32, Fault> {
        if self.jobs.len() >= CAPACITY || operations.len() > CAPACITY {
            let text = format!("at most {CAPACITY} ChangeDUState with {CAPACITY} operations each");
            return Err(Fault::new(FaultCode::RESOURCES_EXCEEDED, text));
        }
        if operations.is_empty() {
            return Err(Fault::new(FaultCode::REQUEST_DENIED, "there is nothing to do"));
        }
        self.last_id = self.last_id.wrapping_add(1).max(1);
        self.jobs.push(Job {
            id: self.last_id,
            command_key: command_key.into(),
            number: operations.len(),
            operations: operations.into_iter().map(Operation::from).collect(),
            begun: None,
            outcomes: Vec::new(),
            until: Deadline::after(WITHIN, now),
        });
        self.dirty = true;
        Ok(self.last_id)
    }

    /// Takes the queue up after a start of the agent.
    pub fn restore(&mut self, same_boot: bool, now: Now) {
        if !same_boot {
            self.jobs.iter_mut().for_each(|job| job.until.restore(now));
        }
    }

    /// Whether there is something to be done.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.jobs.iter().any(|job| !job.operations.is_empty())
    }

    /// Begins the next operation: its job, what it is, and whether it was begun before.
    pub fn begin(&mut self, now: Now) -> Option<(u32, Operation, bool)> {
        loop {
            let job = self.jobs.iter_mut().find(|job| !job.operations.is_empty())?;
            let operation = job.operations.first()?.clone();
            let starts = job.begun.as_ref().map_or(0, |(_, starts)| *starts);
            self.dirty = true;
            job.until.clock_known(now);
            let late = job.until.is_over(now);
            if starts < GREATEST_STARTS && !late {
                let time = job.begun.take().map_or_else(|| time(now), |(time, _)| time);
                job.begun = Some((time, starts.saturating_add(1)));
                return Some((job.id, operation, starts > 0));
            }
            let id = job.id;
            let text = match late {
                true => String::from("24 hours have gone by"),
                false => format!("the router went down {starts} times in the middle of it"),
            };
            let trouble = Trouble::new(FaultCode::REQUEST_DENIED, text);
            self.end(id, vec![Ending::failed(&operation, trouble)], now);
        }
    }

    /// The operation that was begun in a job has ended, in a way for each deployment unit.
    pub fn end(&mut self, id: u32, endings: Vec<Ending>, now: Now) {
        let Some(job) = self.jobs.iter_mut().find(|job| job.id == id && !job.operations.is_empty()) else { return };
        let kind = job.operations.remove(0).kind;
        let start_time = job.begun.take().map_or_else(|| time(now), |(time, _)| time);
        job.outcomes.extend(endings.into_iter().map(|ending| Outcome {
            start_time: start_time.clone(),
            complete_time: time(now),
            ..ending.outcome(kind)
        }));
        self.dirty = true;
    }

    /// The operation of a job that is under way.
    #[must_use]
    pub fn under_way(&self, id: u32) -> Option<&Operation> {
        self.jobs.iter().find(|job| job.id == id)?.operations.first()
    }

    /// The requests that are done and not told yet: their numbers, CommandKeys and messages.
    pub fn results(&self) -> impl Iterator<Item = (u32, &str, Message)> {
        self.jobs.iter().filter(|job| job.operations.is_empty()).map(|job| {
            let results = job.outcomes.iter().map(Outcome::result).collect();
            let message = Message::DuStateChangeComplete { results, command_key: job.command_key.clone() };
            (job.id, job.command_key.as_str(), message)
        })
    }

    /// The ACS has heard of a request; returns its CommandKey.
    pub fn told(&mut self, id: u32) -> Option<String> {
        let index = self.jobs.iter().position(|job| job.id == id && job.operations.is_empty())?;
        self.dirty = true;
        Some(self.jobs.remove(index).command_key)
    }

    /// Another ACS has nothing to do with what the former one asked for (CONFORMANCE B-05).
    pub fn clear(&mut self) {
        self.dirty |= !self.jobs.is_empty();
        self.jobs.clear();
    }

    /// What `cwmpd status` tells: the number of the request, its CommandKey, how many operations are done, and how many there are.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &str, usize, usize)> {
        self.jobs.iter().map(|job| {
            let number = job.number.max(job.operations.len());
            (job.id, job.command_key.as_str(), number.saturating_sub(job.operations.len()), number)
        })
    }

    /// Whether something is to be saved.
    #[must_use]
    pub fn must_persist(&self) -> bool {
        self.dirty
    }

    /// Everything is saved.
    pub fn persisted(&mut self) {
        self.dirty = false;
    }
}

fn time(now: Now) -> String {
    now.utc.unwrap_or(UtcTime::UNKNOWN).whole_seconds().to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn now() -> Now {
        Now { monotonic: Duration::from_secs(9), utc: UtcTime::parse("2026-03-04T05:06:07Z") }
    }

    fn install(url: &str) -> DuOperation {
        let empty = String::new;
        DuOperation::Install {
            url: url.into(),
            uuid: empty(),
            username: "u".into(),
            password: "p".into(),
            exec_env: empty(),
        }
    }

    fn saved(units: &Units) -> Units {
        serde_json::from_str(&serde_json::to_string(units).unwrap()).unwrap()
    }

    /// CONFORMANCE Q-07: in the order of the request, each by itself, all in one answer.
    #[test]
    fn q07_operations_go_in_order_and_are_told_together() {
        let mut units = Units::default();
        let id = units.add("key", vec![install("http://a/1.ipk"), install("http://a/2.ipk")], now()).unwrap();
        let (first, operation, again) = units.begin(now()).unwrap();
        assert_eq!((first, operation.url.as_str(), again), (id, "http://a/1.ipk", false));
        units.end(id, vec![Ending::failed(&operation, Trouble::new(FaultCode(9016), "404"))], now());
        assert_eq!(units.results().count(), 0);
        let (_, operation, _) = units.begin(now()).unwrap();
        assert_eq!(operation.url, "http://a/2.ipk");
        let unit = Unit { version: "2".into(), ..Unit::default() };
        units.end(id, vec![Ending { unit, trouble: None }], now());
        let units = &mut saved(&units);
        let (told, key, message) = units.results().next().unwrap();
        assert_eq!((told, key), (id, "key"));
        let Message::DuStateChangeComplete { results, .. } = message else { panic!("{message:?}") };
        let states: Vec<_> = results.iter().map(|result| (result.state.as_str(), result.fault_code)).collect();
        assert_eq!(states, [("Failed", 9016), ("Installed", 0)]);
        assert_eq!(results[0].start_time, "2026-03-04T05:06:07Z");
        assert_eq!(units.told(id).as_deref(), Some("key"));
        assert_eq!(units.results().count(), 0);
    }

    #[test]
    fn q07_an_operation_that_was_cut_off_is_done_again_but_not_for_ever() {
        let mut units = Units::default();
        let id = units.add("", vec![install("http://a/1.ipk")], now()).unwrap();
        for attempt in 0..GREATEST_STARTS {
            let (_, _, again) = units.begin(now()).unwrap();
            assert_eq!(again, attempt > 0);
            units = saved(&units);
        }
        assert!(units.begin(now()).is_none());
        let (told, _, message) = units.results().next().unwrap();
        let Message::DuStateChangeComplete { results, .. } = message else { panic!("{message:?}") };
        assert_eq!((told, results[0].fault_code), (id, 9001));
    }

    /// Over a reboot too, and also when the clock is not known.
    #[test]
    fn q07_what_is_not_begun_within_a_day_fails() {
        let mut units = Units::default();
        let id = units.add("", vec![install("http://a/1.ipk"), install("http://a/2.ipk")], now()).unwrap();
        let at = |seconds: u64| Now { monotonic: Duration::from_secs(seconds), utc: None };
        let mut units = saved(&units);
        units.restore(false, at(5));
        assert!(units.begin(at(86_400)).is_some());
        units.end(id, vec![Ending::default()], at(86_401));
        assert!(units.begin(at(86_405)).is_none());
        let (_, _, message) = units.results().next().unwrap();
        let Message::DuStateChangeComplete { results, .. } = message else { panic!("{message:?}") };
        let codes: Vec<_> = results.iter().map(|result| result.fault_code).collect();
        assert_eq!(codes, [0, 9001]);
    }

    /// NTP finds out that the router was off for days.
    #[test]
    fn q07_s08_a_clock_that_is_set_makes_nothing_late() {
        let mut units = Units::default();
        units.add("", vec![install("http://a/1.ipk")], now()).unwrap();
        let set = Now { utc: UtcTime::parse("2026-03-14T05:06:07Z"), ..now() };
        assert!(units.begin(set).is_some());
    }

    #[test]
    fn no_more_than_there_is_room_for() {
        let mut units = Units::default();
        for _ in 0..CAPACITY {
            units.add("", vec![install("http://a/")], now()).unwrap();
        }
        assert_eq!(units.add("", Vec::new(), now()).unwrap_err().code, FaultCode::RESOURCES_EXCEEDED);
        let many = (0..=CAPACITY).map(|_| install("http://a/")).collect();
        assert!(Units::default().add("", many, now()).is_err());
        // A result has at least one operation.
        assert_eq!(Units::default().add("", Vec::new(), now()).unwrap_err().code, FaultCode::REQUEST_DENIED);
    }

    /// Credentials are not kept longer than they are needed, and never shown.
    #[test]
    fn credentials_go_with_their_operation() {
        let mut units = Units::default();
        let id = units.add("", vec![install("http://a/")], now()).unwrap();
        assert!(!format!("{units:?}").contains("\"p\""));
        units.begin(now());
        units.end(id, vec![Ending::default()], now());
        assert!(!serde_json::to_string(&units).unwrap().contains("\"p\""));
    }
}
