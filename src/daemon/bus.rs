//! The object `cwmpd` on ubus: what the command line can do, for LuCI, scripts and whoever else is on the bus (docs/ubus.md).
//!
//! Calls come and answers go over the connection of the poll loop, which never waits: a thread carries the calls out, one after the other, and
//! ends when there are none. ubusd lets nobody but root call it; others come in through rpcd, whose ACL says what they may do.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json};

use super::control::perform;
use super::operations::{Command, Reply, failed};
use super::{MEDIUM_STACK, Shared, thread};
use crate::cwmp::events::EventCode;
use crate::error::{Fault, FaultCode};
use crate::json;
use crate::platform::System;
use crate::platform::ubus::events::Listener;
use crate::platform::ubus::object::{Argument, Call, Caller, Object, Status};

/// The object.
pub static OBJECT: Object = Object {
    path: "cwmpd",
    methods: &[
        ("status", &[]),
        ("inform", &[("event", Argument::Text)]),
        ("get", &[("names", Argument::Array)]),
        ("set", &[("values", Argument::Table)]),
        ("reload", &[]),
    ],
};

/// What is told when a session begins and when it ends.
const SESSION: &str = "cwmpd.session";

/// How many calls wait; more are refused.
const WAITING: usize = 16;

/// Where the poll loop leaves calls, and finds answers.
#[derive(Default)]
pub struct Desk(Mutex<Papers>);

#[derive(Default)]
struct Papers {
    calls: VecDeque<Call>,
    answers: Vec<(Caller, Status, Option<Json>)>,
    /// A thread takes calls.
    manned: bool,
    /// The session that was told last, and whether its end was.
    told: (u32, bool),
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Papers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes what has come, and sends what has become of it; for the poll loop.
pub fn serve(shared: &Arc<Shared>, bus: &mut Listener) {
    let calls = bus.calls();
    let now = shared.lock().live().monotonic();
    let mut desk = shared.bus.lock();
    for call in calls {
        if desk.calls.len() < WAITING {
            desk.calls.push_back(call);
        } else {
            bus.answer(call.caller, Status::UnknownError, Some(&text("too many calls wait already")), now);
        }
    }
    for (caller, status, data) in std::mem::take(&mut desk.answers) {
        bus.answer(caller, status, data.as_ref(), now);
    }
    let man = !desk.manned && !desk.calls.is_empty();
    desk.manned |= man;
    drop(desk);
    if man {
        let clerk = Clerk(shared.clone());
        let work = move || while clerk.work() {};
        if let Err(error) = thread("bus", MEDIUM_STACK, Box::new(work)) {
            log::warn!("cannot serve ubus: {error}");
            // Tried again when something happens.
            shared.bus.lock().manned = false;
        }
    }
    tell_session(shared, bus);
}

/// Tells of a session that has begun or ended since.
fn tell_session(shared: &Shared, bus: &mut Listener) {
    let agent = shared.lock();
    let Some(record) = agent.session_record() else { return };
    let now = agent.live().monotonic();
    let mut desk = shared.bus.lock();
    let (number, ended) = desk.told;
    let over = !record.ended.is_empty();
    if (number, ended) == (record.number, over) {
        return;
    }
    desk.told = (record.number, over);
    let mut data = Map::new();
    data.insert("session".into(), record.number.into());
    data.insert("events".into(), record.events.iter().map(String::as_str).collect());
    if number != record.number {
        let mut data = data.clone();
        data.insert("state".into(), "begun".into());
        bus.tell(SESSION, Json::Object(data), now);
    }
    if over {
        data.insert("state".into(), "ended".into());
        data.insert("complete".into(), record.complete.into());
        data.insert("reason".into(), record.reason.as_str().into());
        bus.tell(SESSION, Json::Object(data), now);
    }
}

/// The thread that carries out calls. When it ends, however, the next call has another one.
struct Clerk(Arc<Shared>);

impl Clerk {
    /// Carries out the next call; `false` when there is none.
    fn work(&self) -> bool {
        let call = {
            let mut desk = self.0.bus.lock();
            let call = desk.calls.pop_front();
            desk.manned = call.is_some();
            call
        };
        let Some(call) = call else { return false };
        let (status, data) = match answer(&self.0, &call) {
            Ok(data) => (Status::Ok, data),
            Err(refusal) => refusal,
        };
        self.0.bus.lock().answers.push((call.caller, status, data));
        self.0.wake();
        true
    }
}

impl Drop for Clerk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.bus.lock().manned = false;
        }
    }
}

type Answer = Result<Option<Json>, (Status, Option<Json>)>;

fn answer(shared: &Shared, call: &Call) -> Answer {
    match call.method.as_str() {
        "status" => status(shared),
        "inform" => inform(shared, &call.arguments),
        "get" => get(shared, &call.arguments),
        "set" => set(shared, &call.arguments),
        "reload" => {
            shared.reload.store(true, Ordering::SeqCst);
            shared.wake();
            Ok(None)
        }
        _ => Err((Status::MethodNotFound, None)),
    }
}

/// As `cwmpd --json status`.
fn status(shared: &Shared) -> Answer {
    let status = shared.lock().status();
    Ok(json::value(&json::bytes(&status)).ok())
}

/// Asks for a session, and says which number it has; its end is told as an event.
fn inform(shared: &Shared, arguments: &Json) -> Answer {
    let event = match arguments.get("event") {
        None => "2 PERIODIC",
        Some(event) => event.as_str().unwrap_or_default(),
    };
    let Some(code) = EventCode::parse(event) else {
        return Err(wrong("event is to be one such as '2 PERIODIC' or '6 CONNECTION REQUEST'"));
    };
    let asked = shared.lock().request_session(code);
    let number = asked.map_err(|reason| (Status::UnknownError, Some(text(&reason))))?;
    shared.wake();
    Ok(Some(member("session", number.into())))
}

fn get(shared: &Shared, arguments: &Json) -> Answer {
    let names = arguments.get("names").and_then(Json::as_array);
    let names = names.map(|names| names.iter().filter_map(Json::as_str).map(String::from).collect::<Vec<_>>());
    let Some(names) = names.filter(|names| !names.is_empty()) else {
        return Err(wrong("names is to be a list of parameters and partial paths"));
    };
    let mut values = Map::new();
    perform(shared, &Command::Get { names }, &mut |reply| {
        if let Reply::Value { name, value, .. } = reply {
            values.insert(name, value.into());
        }
    })
    .map_err(|fault| refused(&fault))?;
    Ok(Some(member("values", Json::Object(values))))
}

fn set(shared: &Shared, arguments: &Json) -> Answer {
    let values = arguments.get("values").and_then(Json::as_object);
    let values = values.and_then(|values| {
        values.iter().map(|(name, value)| Some((name.clone(), plain(value)?))).collect::<Option<Vec<_>>>()
    });
    let Some(values) = values.filter(|values| !values.is_empty()) else {
        return Err(wrong("values is to be an object of names with values"));
    };
    perform(shared, &Command::Set { values }, &mut |_| {}).map_err(|fault| refused(&fault))?;
    Ok(None)
}

/// A text, a number or a boolean, as the command line would have it.
fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn member(name: &str, value: Json) -> Json {
    let mut members = Map::new();
    members.insert(name.into(), value);
    Json::Object(members)
}

fn text(text: &str) -> Json {
    member("text", text.into())
}

fn wrong(reason: &str) -> (Status, Option<Json>) {
    (Status::InvalidArgument, Some(text(reason)))
}

/// A fault of CWMP with its code, and the status of ubus that is nearest.
fn refused(fault: &Fault) -> (Status, Option<Json>) {
    let status = match fault.code {
        FaultCode::REQUEST_DENIED => Status::PermissionDenied,
        FaultCode(9003 | 9005..=9008) => Status::InvalidArgument,
        _ => Status::UnknownError,
    };
    let Reply::Failed { code, text: reason } = failed(fault) else { return (status, None) };
    let mut data = text(&reason);
    if let (Some(members), Some(code)) = (data.as_object_mut(), code) {
        members.insert("fault".into(), code.into());
    }
    (status, Some(data))
}
