//! A stand-in for ubusd and all that is on the bus: answers calls with what lies in the router's `ubus/`, as the stand-in of the program does, tells
//! events, and misbehaves when told to.

#![allow(dead_code, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cwmpd::platform::ubus::blob::Writer;
use cwmpd::platform::ubus::message::{EVENTS, Incoming, Kind, Message, attribute, encode};
use nix::sys::socket::shutdown;
use serde_json::{Value as Json, json};

use super::root::RouterRoot;

/// How a call is answered other than it should.
#[derive(Clone, Debug)]
pub enum Misbehaviour {
    /// Not at all.
    Hang,
    /// With these bytes, instead of a message.
    Bytes(Vec<u8>),
    /// With a data attribute that holds these bytes.
    Data(Vec<u8>),
    /// With so many data messages before the status.
    Many(usize),
    /// With so many bytes of the answer, and then the end of the connection.
    CutOff(usize),
    /// With this status.
    Status(u32),
}

/// What the connections share.
struct Shared {
    replies: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Calls so far, as `object method {arguments}`.
    calls: Vec<String>,
    lookups: Vec<String>,
    connections: u32,
    misbehaviour: BTreeMap<String, Misbehaviour>,
    /// Neither greets nor answers.
    silent: bool,
    /// Numbers are made from this on when an object is seen for the first time.
    generation: u32,
    objects: BTreeMap<String, u32>,
    listeners: Vec<Listener>,
    answers: Vec<u32>,
    published: Vec<Published>,
    /// Data and status of calls that the tests have made.
    called: BTreeMap<u16, (Option<Json>, Option<u32>)>,
    calls_made: u16,
    /// Events that clients have sent: name and data.
    sent: Vec<(String, Json)>,
    /// Paths that nobody gets.
    taken: BTreeSet<String>,
}

/// An object of a client with a path.
struct Published {
    path: String,
    signature: Json,
    number: u32,
    stream: UnixStream,
    owner: u32,
}

/// An own object of a client.
struct Listener {
    own: u32,
    stream: UnixStream,
    patterns: BTreeSet<String>,
    targets: BTreeSet<String>,
}

/// The stand-in; it ends with this value, and its socket goes.
pub struct Ubusd {
    shared: Arc<Shared>,
    socket: PathBuf,
    ending: UnixListener,
    thread: Option<JoinHandle<()>>,
}

impl RouterRoot {
    /// Starts a ubusd where a router has it.
    pub fn start_ubusd(&self) -> Ubusd {
        self.start_ubusd_at("/tmp/run/ubus/ubus.sock")
    }

    /// Starts a ubusd at another place.
    pub fn start_ubusd_at(&self, path: &str) -> Ubusd {
        let socket = self.at(path);
        fs::create_dir_all(socket.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let shared = Arc::new(Shared { replies: self.at("/ubus"), state: Mutex::default(), changed: Condvar::new() });
        let accepting = shared.clone();
        let ending = listener.try_clone().unwrap();
        let thread = std::thread::spawn(move || {
            let mut threads = Vec::new();
            let mut streams: Vec<UnixStream> = Vec::new();
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                streams.push(stream.try_clone().unwrap());
                let shared = accepting.clone();
                threads.push(std::thread::spawn(move || serve(&shared, stream)));
            }
            for stream in streams {
                let _ = stream.shutdown(Shutdown::Both);
            }
            for thread in threads {
                thread.join().unwrap();
            }
        });
        Ubusd { shared, socket, ending, thread: Some(thread) }
    }
}

impl Ubusd {
    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.shared.state.lock().unwrap())
    }

    /// The calls so far, as `object method {arguments}`.
    pub fn calls(&self) -> Vec<String> {
        self.state(|state| state.calls.clone())
    }

    /// The lookups so far.
    pub fn lookups(&self) -> Vec<String> {
        self.state(|state| state.lookups.clone())
    }

    /// How many connections there were.
    pub fn connections(&self) -> u32 {
        self.state(|state| state.connections)
    }

    /// Forgets the calls and lookups so far.
    pub fn clear(&self) {
        self.state(|state| {
            state.calls.clear();
            state.lookups.clear();
        });
    }

    /// From now on calls of this object are answered like that.
    pub fn misbehave(&self, object: &str, how: Misbehaviour) {
        self.state(|state| state.misbehaviour.insert(object.into(), how));
    }

    /// All is well again.
    pub fn behave(&self) {
        self.state(|state| {
            state.misbehaviour.clear();
            state.silent = false;
        });
    }

    /// Neither new connections nor lookups are answered from now on.
    pub fn fall_silent(&self) {
        self.state(|state| state.silent = true);
    }

    /// Those who own the objects were started again: all have other numbers.
    pub fn renumber(&self) {
        self.state(|state| {
            state.generation += 1;
            state.objects.clear();
        });
    }

    /// Waits until a client listens to this event, or has subscribed to this object.
    pub fn wait_for_listener(&self, name: &str) {
        let listens = |listener: &Listener| listener.patterns.contains(name) || listener.targets.contains(name);
        let state = self.shared.state.lock().unwrap();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, Duration::from_secs(20), |state| !state.listeners.iter().any(listens))
            .unwrap();
        assert!(state.listeners.iter().any(listens), "nobody listens to {name}");
    }

    /// Whether a client listens to this event, or has subscribed to this object.
    pub fn listens(&self, name: &str) -> bool {
        let listens = |listener: &Listener| listener.patterns.contains(name) || listener.targets.contains(name);
        self.state(|state| state.listeners.iter().any(listens))
    }

    /// Waits until a client has put an object on the bus here, and gives its methods with the types of their arguments.
    pub fn wait_for_object(&self, path: &str) -> Json {
        eventually(&format!("the object {path}"), || {
            self.state(|state| state.published.iter().any(|object| object.path == path))
        });
        self.state(|state| {
            state.published.iter().find(|object| object.path == path).map(|object| object.signature.clone())
        })
        .unwrap()
    }

    /// Whether a client has put an object on the bus here.
    pub fn has_object(&self, path: &str) -> bool {
        self.state(|state| state.published.iter().any(|object| object.path == path))
    }

    /// Says whether somebody else has this path.
    pub fn take_path(&self, path: &str, taken: bool) {
        self.state(|state| if taken { state.taken.insert(path.into()) } else { state.taken.remove(path) });
    }

    /// Calls a method of an object that a client has put on the bus, without waiting for the answer.
    pub fn begin_call(&self, object: &str, method: &str, arguments: &[u8]) -> u16 {
        self.state(|state| {
            state.calls_made += 1;
            let sequence = state.calls_made;
            state.called.insert(sequence, (None, None));
            let object = state.published.iter_mut().find(|known| known.path == object).expect("an object");
            let mut attributes = Writer::default();
            attributes.put_number(attribute::OBJECT, object.number);
            attributes.put_text(attribute::METHOD, method).unwrap();
            attributes.put(attribute::DATA, arguments);
            let bytes = encode(Kind::Invoke, sequence, CALLER, attributes).unwrap();
            object.stream.write_all(&bytes).unwrap();
            sequence
        })
    }

    /// The answer to a call: its status, and its data if there was some.
    pub fn wait_for_call(&self, sequence: u16) -> (u32, Option<Json>) {
        eventually("an answer to a call", || self.state(|state| state.called[&sequence].1.is_some()));
        let (data, status) = self.state(|state| state.called[&sequence].clone());
        (status.unwrap(), data)
    }

    /// Calls a method of an object that a client has put on the bus.
    pub fn call(&self, object: &str, method: &str, arguments: &Json) -> (u32, Option<Json>) {
        let mut writer = Writer::default();
        writer.put_members(0, arguments).unwrap();
        self.wait_for_call(self.begin_call(object, method, &writer.finish().unwrap()[4..]))
    }

    /// The events of this name that clients have sent.
    pub fn sent_events(&self, name: &str) -> Vec<Json> {
        self.state(|state| state.sent.iter().filter(|(sent, _)| sent == name).map(|(_, data)| data.clone()).collect())
    }

    /// Whether a notification was answered.
    pub fn has_answers(&self) -> bool {
        self.state(|state| !state.answers.is_empty())
    }

    /// Tells an event to all who listen to it.
    pub fn send_event(&self, name: &str, data: &Json) {
        self.state(|state| {
            for listener in &mut state.listeners {
                if listener.patterns.contains(name) {
                    let bytes = invocation(listener.own, name, data, 0, true);
                    let _ = listener.stream.write_all(&bytes);
                }
            }
        });
    }

    /// An object tells all its subscribers; whether it waits for an answer.
    pub fn notify(&self, object: &str, name: &str, data: &Json, wait: bool) {
        self.state(|state| {
            for listener in &mut state.listeners {
                if listener.targets.contains(object) {
                    let bytes = invocation(listener.own, name, data, 77, !wait);
                    let _ = listener.stream.write_all(&bytes);
                }
            }
        });
    }

    /// Waits for the answer to a notification: its status.
    pub fn wait_for_answer(&self) -> u32 {
        let state = self.shared.state.lock().unwrap();
        let (mut state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, Duration::from_secs(20), |state| state.answers.is_empty())
            .unwrap();
        state.answers.pop().expect("an answer")
    }

    /// Sends these bytes to every listener.
    pub fn send_raw(&self, bytes: &[u8]) {
        self.state(|state| {
            for listener in &mut state.listeners {
                let _ = listener.stream.write_all(bytes);
            }
        });
    }
}

/// The client that the tests call from.
const CALLER: u32 = 0x7777_0001;

impl Drop for Ubusd {
    fn drop(&mut self) {
        // Wakes the thread even if the router's directory is gone already.
        let _ = shutdown(self.ending.as_raw_fd(), nix::sys::socket::Shutdown::Both);
        let _ = fs::remove_file(&self.socket);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.unwrap();
            }
        }
    }
}

fn invocation(own: u32, name: &str, data: &Json, peer: u32, no_reply: bool) -> Vec<u8> {
    let mut attributes = Writer::default();
    attributes.put_number(attribute::OBJECT, own);
    attributes.put_text(attribute::METHOD, name).unwrap();
    if no_reply && peer != 0 {
        attributes.put(attribute::NO_REPLY, &[1]);
    }
    attributes.put_members(attribute::DATA, data).unwrap();
    encode(Kind::Invoke, 9, peer, attributes).unwrap()
}

fn serve(shared: &Shared, mut stream: UnixStream) {
    let number = {
        let mut state = shared.state.lock().unwrap();
        state.connections += 1;
        if state.silent { None } else { Some(0x8000_0000 + state.connections) }
    };
    if let Some(number) = number {
        let hello = encode(Kind::Hello, 0, number, Writer::default()).unwrap();
        if stream.write_all(&hello).is_err() {
            return;
        }
    }
    let mut incoming = Incoming::default();
    let mut chunk = [0; 4096];
    let mut own = None;
    'connection: while let Ok(length) = stream.read(&mut chunk) {
        if length == 0 {
            break;
        }
        incoming.push(&chunk[..length]);
        while let Some(message) = incoming.next_message().expect("a message") {
            if shared.state.lock().unwrap().silent {
                continue;
            }
            let answer = answer(shared, &message, &stream, &mut own);
            if stream.write_all(&answer.bytes).is_err() || answer.end {
                let _ = stream.shutdown(Shutdown::Both);
                break 'connection;
            }
        }
    }
    let mut state = shared.state.lock().unwrap();
    state.listeners.retain(|listener| Some(listener.own) != own);
    state.published.retain(|object| Some(object.owner) != own);
}

#[derive(Default)]
struct Answer {
    bytes: Vec<u8>,
    end: bool,
}

fn answer(shared: &Shared, message: &Message, stream: &UnixStream, own: &mut Option<u32>) -> Answer {
    let mut bytes = Vec::new();
    let status = match message.kind {
        Kind::Lookup => {
            let path = message.text(attribute::PATH).unwrap();
            shared.state.lock().unwrap().lookups.push(path.into());
            let found = objects(&shared.replies, path);
            for name in &found {
                let mut attributes = Writer::default();
                attributes.put_text(attribute::PATH, name).unwrap();
                attributes.put_number(attribute::OBJECT, number_of(shared, name));
                bytes.extend(encode(Kind::Data, message.sequence, message.peer, attributes).unwrap());
            }
            if found.is_empty() { 4 } else { 0 }
        }
        Kind::Invoke if message.number(attribute::OBJECT) == Some(EVENTS) => match message.text(attribute::METHOD) {
            Some("send") => {
                let data = message.data().unwrap().unwrap();
                let event = (data["id"].as_str().unwrap().to_owned(), data["data"].clone());
                shared.state.lock().unwrap().sent.push(event);
                0
            }
            _ => register(shared, message),
        },
        Kind::Invoke => return invoke(shared, message),
        Kind::AddObject if message.text(attribute::PATH).is_some() => {
            let path = message.text(attribute::PATH).unwrap();
            let mut state = shared.state.lock().unwrap();
            if state.taken.contains(path) || state.published.iter().any(|object| object.path == path) {
                2
            } else {
                let number = 0xe000_0000 + state.connections;
                state.published.push(Published {
                    path: path.into(),
                    signature: message.members(attribute::SIGNATURE).unwrap().unwrap(),
                    number,
                    stream: stream.try_clone().unwrap(),
                    owner: own.expect("an object that listens"),
                });
                let mut attributes = Writer::default();
                attributes.put_number(attribute::OBJECT, number);
                bytes.extend(encode(Kind::Data, message.sequence, message.peer, attributes).unwrap());
                0
            }
        }
        // As the real one, it passes on only what comes from the owner of the object.
        Kind::Data | Kind::Status if message.peer == CALLER => {
            let mut state = shared.state.lock().unwrap();
            let object = message.number(attribute::OBJECT);
            assert!(state.published.iter().any(|known| Some(known.number) == object), "an answer of no object");
            let answer = state.called.get_mut(&message.sequence).expect("a call");
            match message.number(attribute::STATUS) {
                Some(status) => answer.1 = Some(status),
                None => answer.0 = message.data().unwrap(),
            }
            shared.changed.notify_all();
            return Answer::default();
        }
        Kind::AddObject => {
            let mut state = shared.state.lock().unwrap();
            // As with the real one, numbers use all of their 32 bits.
            let number = 0xf000_0000 + state.connections;
            *own = Some(number);
            state.listeners.push(Listener {
                own: number,
                stream: stream.try_clone().unwrap(),
                patterns: BTreeSet::new(),
                targets: BTreeSet::new(),
            });
            let mut attributes = Writer::default();
            attributes.put_number(attribute::OBJECT, number);
            bytes.extend(encode(Kind::Data, message.sequence, message.peer, attributes).unwrap());
            0
        }
        Kind::Subscribe => {
            let target = message.number(attribute::TARGET);
            let mut state = shared.state.lock().unwrap();
            let name = state.objects.iter().find(|(_, number)| Some(**number) == target).map(|(name, _)| name.clone());
            let own = message.number(attribute::OBJECT);
            let listener = state.listeners.iter_mut().find(|listener| Some(listener.own) == own);
            match (listener, name) {
                (Some(listener), Some(name)) => {
                    listener.targets.insert(name);
                    shared.changed.notify_all();
                    0
                }
                _ => 4,
            }
        }
        Kind::Status => {
            let mut state = shared.state.lock().unwrap();
            state.answers.push(message.number(attribute::STATUS).unwrap());
            shared.changed.notify_all();
            return Answer::default();
        }
        _ => 1,
    };
    bytes.extend(status_message(message, status));
    Answer { bytes, end: false }
}

fn status_message(message: &Message, status: u32) -> Vec<u8> {
    let mut attributes = Writer::default();
    attributes.put_number(attribute::STATUS, status);
    encode(Kind::Status, message.sequence, message.peer, attributes).unwrap()
}

fn register(shared: &Shared, message: &Message) -> u32 {
    let data = message.data().unwrap().unwrap();
    // ubusd wants 32 bits here, which are signed in JSON.
    let object = data["object"].as_i64().and_then(|number| i32::try_from(number).ok());
    let (Some(object), Some(pattern)) = (object, data["pattern"].as_str()) else { return 2 };
    let object = u32::from_be_bytes(object.to_be_bytes());
    let mut state = shared.state.lock().unwrap();
    let Some(listener) = state.listeners.iter_mut().find(|listener| listener.own == object) else { return 4 };
    listener.patterns.insert(pattern.into());
    shared.changed.notify_all();
    0
}

/// The number of an object, which is there.
fn number_of(shared: &Shared, name: &str) -> u32 {
    let mut state = shared.state.lock().unwrap();
    let next = 0x9000_0000 + (state.generation << 16) + u32::try_from(state.objects.len()).unwrap();
    *state.objects.entry(name.into()).or_insert(next)
}

/// The objects at a path, which may end with `*`.
fn objects(replies: &Path, path: &str) -> BTreeSet<String> {
    let matches = |name: &str| path.strip_suffix('*').map_or(name == path, |beginning| name.starts_with(beginning));
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(replies).into_iter().flatten() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".json") else { continue };
        // `hostapd.phy0-ap0.get_status`, `iwinfo.info.radio0`: a file does not say where the object ends, so each way is one.
        for (dot, _) in name.match_indices('.') {
            if matches(&name[..dot]) {
                found.insert(name[..dot].to_owned());
            }
        }
    }
    if path.ends_with('*') {
        // Of those that go with a pattern only the longest: `hostapd.phy0-ap0` is an object, `hostapd` none.
        let all = found.clone();
        let inner =
            |name: &str| all.iter().any(|other| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')));
        found.retain(|name| !inner(name));
    }
    found
}

fn invoke(shared: &Shared, message: &Message) -> Answer {
    let number = message.number(attribute::OBJECT).unwrap();
    let method = message.text(attribute::METHOD).unwrap();
    let arguments = message.data().unwrap().unwrap_or_else(|| json!({}));
    let (object, misbehaviour) = {
        let mut state = shared.state.lock().unwrap();
        let found = state.objects.iter().find(|(_, known)| **known == number).map(|(name, _)| name.clone());
        let Some(object) = found else { return Answer { bytes: status_message(message, 4), end: false } };
        state.calls.push(format!("{object} {method} {arguments}"));
        shared.changed.notify_all();
        let misbehaviour = state.misbehaviour.get(&object).cloned();
        (object, misbehaviour)
    };
    let reply = reply(&shared.replies, &object, method, &arguments);
    let data = |object: u32, fill: &dyn Fn(&mut Writer)| {
        let mut attributes = Writer::default();
        attributes.put_number(attribute::OBJECT, object);
        fill(&mut attributes);
        encode(Kind::Data, message.sequence, message.peer, attributes).unwrap()
    };
    let mut repeat = 1;
    let mut cut = None;
    match misbehaviour {
        Some(Misbehaviour::Hang) => return Answer::default(),
        Some(Misbehaviour::Bytes(bytes)) => return Answer { bytes, end: false },
        Some(Misbehaviour::Data(wrong)) => {
            let mut bytes = data(number, &|attributes| attributes.put(attribute::DATA, &wrong));
            bytes.extend(status_message(message, 0));
            return Answer { bytes, end: false };
        }
        Some(Misbehaviour::Status(status)) => return Answer { bytes: status_message(message, status), end: false },
        Some(Misbehaviour::Many(times)) => repeat = times,
        Some(Misbehaviour::CutOff(length)) => cut = Some(length),
        None => {}
    }
    let mut bytes = Vec::new();
    match reply {
        Ok(Some(reply)) => {
            let one = data(number, &|attributes| attributes.put_members(attribute::DATA, &reply).unwrap());
            for _ in 0..repeat {
                bytes.extend_from_slice(&one);
            }
            bytes.extend(status_message(message, 0));
        }
        Ok(None) => bytes.extend(status_message(message, 0)),
        Err(status) => bytes.extend(status_message(message, status)),
    }
    if let Some(length) = cut {
        bytes.truncate(length);
    }
    Answer { bytes, end: cut.is_some() }
}

/// What lies in the file of a call: `OBJECT.METHOD[.DEVICE].json`.
fn reply(replies: &Path, object: &str, method: &str, arguments: &Json) -> Result<Option<Json>, u32> {
    let plain = replies.join(format!("{object}.{method}.json"));
    let read = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        // An answer without content.
        if text.trim().is_empty() { None } else { Some(serde_json::from_str(&text).unwrap()) }
    };
    for key in ["device", "name"] {
        if let Some(device) = arguments[key].as_str() {
            let named = replies.join(format!("{object}.{method}.{device}.json"));
            return match (named.exists(), plain.exists()) {
                (true, _) => Ok(read(&named)),
                (_, true) => Ok(Some(json!({}))),
                _ => Err(4),
            };
        }
    }
    if plain.exists() {
        return Ok(read(&plain));
    }
    Err(3)
}

/// Waits for something, looking again and again, since only the other side knows when it is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::yield_now();
    }
}
