//! Software modules: the operations of ChangeDUState, one after the other, and what is still to be told of them (TR-069a6 A.4.1.10, A.4.2.3).
//!
//! The queue does no IO. An operation is saved as begun before it is carried out by [`work`]; after a crash it is carried out again, and what the
//! first attempt has already brought about counts as its success.

pub mod autonomous;
pub mod work;

use serde::{Deserialize, Serialize};

use super::Trouble;
use crate::error::{Fault, FaultCode};
use crate::soap::rpc::{DuOperation, DuResult, Message};
use crate::time::{Now, UtcTime};

/// The most requests that wait or are untold, and the most operations in one.
pub const CAPACITY: usize = 16;

/// An operation that has been begun so often, and never come to an end because the power or the agent went, is given up.
const GREATEST_STARTS: u32 = 3;

/// What is done to a deployment unit.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[allow(missing_docs, reason = "each is the operation of that name")]
pub enum Kind {
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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        let empty = String::new;
        match operation {
            DuOperation::Install { url, uuid, username, password, exec_env } => {
                Self { kind: Kind::Install, uuid, url, version: empty(), username, password, exec_env }
            }
            DuOperation::Update { uuid, version, url, username, password } => {
                Self { kind: Kind::Update, uuid, url, version, username, password, exec_env: empty() }
            }
            DuOperation::Uninstall { uuid, version, exec_env } => Self {
                kind: Kind::Uninstall,
                uuid,
                url: empty(),
                version,
                username: empty(),
                password: empty(),
                exec_env,
            },
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

/// One ChangeDUState.
#[derive(Clone, Serialize, Deserialize, Debug)]
struct Job {
    id: u32,
    command_key: String,
    /// What is left to be done, in the order of the request.
    operations: Vec<Operation>,
    /// When the first of them was begun, and how often.
    begun: Option<(String, u32)>,
    outcomes: Vec<Outcome>,
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
    /// 9004 when there is no room for it, or it has too many operations.
    pub fn add(&mut self, command_key: &str, operations: Vec<DuOperation>) -> Result<u32, Fault> {
        if self.jobs.len() >= CAPACITY || operations.len() > CAPACITY {
            let text = format!("at most {CAPACITY} ChangeDUState with {CAPACITY} operations each");
            return Err(Fault::new(FaultCode::RESOURCES_EXCEEDED, text));
        }
        self.last_id = self.last_id.wrapping_add(1).max(1);
        let operations = operations.into_iter().map(Operation::from).collect();
        let job =
            Job { id: self.last_id, command_key: command_key.into(), operations, begun: None, outcomes: Vec::new() };
        self.jobs.push(job);
        self.dirty = true;
        Ok(self.last_id)
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
            if starts < GREATEST_STARTS {
                let time = job.begun.take().map_or_else(|| time(now), |(time, _)| time);
                job.begun = Some((time, starts.saturating_add(1)));
                return Some((job.id, operation, starts > 0));
            }
            let id = job.id;
            let text = format!("the router went down {starts} times in the middle of it");
            self.end(id, Err(Trouble::new(FaultCode::REQUEST_DENIED, text)), now);
        }
    }

    /// The operation that was begun in a job has ended.
    pub fn end(&mut self, id: u32, result: Result<Unit, Trouble>, now: Now) {
        let Some(job) = self.jobs.iter_mut().find(|job| job.id == id && !job.operations.is_empty()) else { return };
        let operation = job.operations.remove(0);
        let start_time = job.begun.take().map_or_else(|| time(now), |(time, _)| time);
        let outcome = Outcome { start_time, complete_time: time(now), ..outcome(operation.kind, &operation, result) };
        job.outcomes.push(outcome);
        self.dirty = true;
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

    /// What `cwmpd status` tells: CommandKey, operations done, and how many there are.
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize, usize)> {
        let all = |job: &Job| job.outcomes.len().saturating_add(job.operations.len());
        self.jobs.iter().map(move |job| (job.command_key.as_str(), job.outcomes.len(), all(job)))
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

fn outcome(kind: Kind, operation: &Operation, result: Result<Unit, Trouble>) -> Outcome {
    match result {
        Ok(unit) => Outcome {
            uuid: unit.uuid,
            deployment_unit: unit.path,
            version: unit.version,
            state: kind.done().into(),
            resolved: kind != Kind::Uninstall,
            execution_units: unit.execution_units,
            ..Outcome::default()
        },
        Err(trouble) => Outcome {
            uuid: operation.uuid.clone(),
            version: operation.version.clone(),
            state: "Failed".into(),
            fault_code: trouble.code.0,
            fault_string: trouble.text.chars().take(256).collect(),
            ..Outcome::default()
        },
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
        let id = units.add("key", vec![install("http://a/1.ipk"), install("http://a/2.ipk")]).unwrap();
        let (first, operation, again) = units.begin(now()).unwrap();
        assert_eq!((first, operation.url.as_str(), again), (id, "http://a/1.ipk", false));
        units.end(id, Err(Trouble::new(FaultCode(9016), "404")), now());
        assert_eq!(units.results().count(), 0);
        let (_, operation, _) = units.begin(now()).unwrap();
        assert_eq!(operation.url, "http://a/2.ipk");
        units.end(id, Ok(Unit { version: "2".into(), ..Unit::default() }), now());
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
        let id = units.add("", vec![install("http://a/1.ipk")]).unwrap();
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

    #[test]
    fn no_more_than_there_is_room_for() {
        let mut units = Units::default();
        for _ in 0..CAPACITY {
            units.add("", vec![install("http://a/")]).unwrap();
        }
        assert_eq!(units.add("", Vec::new()).unwrap_err().code, FaultCode::RESOURCES_EXCEEDED);
        let many = (0..=CAPACITY).map(|_| install("http://a/")).collect();
        assert!(Units::default().add("", many).is_err());
    }

    /// Credentials are not kept longer than they are needed, and never shown.
    #[test]
    fn credentials_go_with_their_operation() {
        let mut units = Units::default();
        let id = units.add("", vec![install("http://a/")]).unwrap();
        assert!(!format!("{units:?}").contains("\"p\""));
        units.begin(now());
        units.end(id, Ok(Unit::default()), now());
        assert!(!serde_json::to_string(&units).unwrap().contains("\"p\""));
    }
}
