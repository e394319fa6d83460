//! What the bus tells without being asked: that an interface went up or down, that a Wi-Fi client or a DHCP lease came or went.
//!
//! ```text
//! connect --HELLO--> own object --DATA--> listen to events, look up who notifies --DATA--> subscribe to each
//!    ^                                        |                                               ^
//!    '---- later, when the connection is lost '---- INVOKE: an event, or a notification       '---- ubus.object.add
//! ```
//!
//! [`Listener`] belongs to a poll loop. Nothing here waits: each step is taken when the answer to the one before has come, and what cannot be
//! sent at once is sent later. The connection also carries the agent's [`Object`] that others can call, and the events that the agent tells.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::blob::{BlobError, Writer};
use super::message::{EVENTS, Kind, Message, attribute, encode};
use super::object::{Call, Caller, Object, Status, event};
use super::socket::Connection;
use super::socket_path;

/// The events that are listened to: of netifd, and of ubusd itself when objects come and go.
const PATTERNS: [&str; 3] = ["network.interface", OBJECT_ADDED, OBJECT_REMOVED];

/// A path is there now, or again.
const OBJECT_ADDED: &str = "ubus.object.add";

/// A path is free.
const OBJECT_REMOVED: &str = "ubus.object.remove";

/// Objects that notify: of clients (hostapd has one for each network), and of leases (dnsmasq, one for each instance, and odhcpd).
const NOTIFIERS: [&str; 3] = ["hostapd.*", "dnsmasq*", "dhcp"];

/// What hostapd says of a client that comes or goes. It also tells of every probe, which is nothing to us.
const CLIENT: [&str; 4] = ["assoc", "disassoc", "deauth", "sta-authorized"];

/// The first and the longest time until the next attempt to connect.
const SOON: Duration = Duration::from_secs(1);
const LATE: Duration = Duration::from_secs(300);

/// How many messages are taken in one go, so that a flood of them cannot hold the poll loop.
const MESSAGES: usize = 256;

/// How many calls wait to be taken; more are refused.
const CALLS: usize = 16;

/// The sequence of the requests for the object that listens and the one that is called, and of the lookups; nobody minds about that of others.
const OWN: u16 = 1;
const LOOKUP: u16 = 2;
const OTHER: u16 = 3;
const PUBLISHED: u16 = 4;

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Events {
    /// An interface went up or down.
    pub interfaces: bool,
    /// A Wi-Fi client or a DHCP lease came or went, or a Wi-Fi network did.
    pub clients: bool,
}

/// Listens to the bus, and connects again whenever it can.
pub struct Listener {
    root: PathBuf,
    connection: Option<Connection>,
    /// The number of the own object, when there is one.
    own: Option<u32>,
    /// When the next attempt to connect is due, in time since the boot.
    attempt: Duration,
    pause: Duration,
    /// Whether there was a connection before: then events were missed until the next.
    missed: bool,
    /// The object that others can call, and its number while it is on the bus.
    object: Option<&'static Object>,
    published: Option<u32>,
    /// Counts the connections.
    generation: u32,
    calls: Vec<Call>,
}

impl Listener {
    /// For the bus beneath this root; connects with the first [`Listener::read`].
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let (attempt, pause) = (Duration::ZERO, SOON);
        Self {
            root: root.to_path_buf(),
            connection: None,
            own: None,
            attempt,
            pause,
            missed: false,
            object: None,
            published: None,
            generation: 0,
            calls: Vec::new(),
        }
    }

    /// Puts this object on the bus, with this connection and every further one.
    pub fn publish(&mut self, object: &'static Object) {
        self.object = Some(object);
    }

    /// The calls that have come since they were last taken. Each is to be answered.
    pub fn calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.calls)
    }

    /// Answers a call; nobody hears of it when the connection is another one by now. An answer that is too long for a message is told as a
    /// failure. `now` is the time since the boot.
    pub fn answer(&mut self, caller: Caller, status: Status, data: Option<&Json>, now: Duration) {
        if caller.connection != self.generation {
            return;
        }
        let bytes = caller.answer(status, data).or_else(|error| {
            let text = json!({"text": format!("the answer is {}: ask for less", error.text())});
            caller.answer(Status::UnknownError, Some(&text))
        });
        self.queue(&bytes.unwrap_or_default(), now);
    }

    /// Tells an event to everybody who listens, if there is a bus; `now` is the time since the boot.
    pub fn tell(&mut self, name: &str, data: Json, now: Duration) {
        if self.own.is_some() {
            self.queue(&event(OTHER, name, data).unwrap_or_default(), now);
        }
    }

    fn queue(&mut self, bytes: &[u8], now: Duration) {
        let sent = self.connection.as_mut().map_or(Ok(()), |connection| connection.queue(bytes));
        self.lost(sent, now);
    }

    /// To be polled for reading; `None` while there is no connection.
    #[must_use]
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.connection.as_ref().map(Connection::descriptor)
    }

    /// To be polled for writing, before the next [`Listener::read`]: something could not be sent at once.
    #[must_use]
    pub fn backlog(&self) -> Option<BorrowedFd<'_>> {
        self.connection.as_ref().filter(|connection| connection.has_backlog()).map(Connection::descriptor)
    }

    /// When to call [`Listener::read`] even if nothing comes, in time since the boot.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        self.connection.is_none().then_some(self.attempt)
    }

    /// What has happened since the last call; `now` is the time since the boot.
    pub fn read(&mut self, now: Duration) -> Events {
        let mut events = Events::default();
        if self.connection.is_none() && now >= self.attempt {
            self.connect(now);
        }
        let flushed = self.connection.as_mut().map_or(Ok(()), Connection::flush);
        self.lost(flushed, now);
        for _ in 0..MESSAGES {
            let Some(connection) = &mut self.connection else { break };
            let taken = match connection.receive(None) {
                Ok(None) => break,
                Ok(Some(message)) => self.take(&message, &mut events),
                Err(error) => Err(error),
            };
            self.lost(taken, now);
        }
        events
    }

    fn lost(&mut self, result: io::Result<()>, now: Duration) {
        if let Err(error) = result {
            log::debug!("the bus cannot be listened to: {error}");
            self.lose(now);
        }
    }

    fn connect(&mut self, now: Duration) {
        self.connection = socket_path(&self.root).and_then(|path| Connection::open(&path).ok());
        if self.connection.is_none() {
            self.lose(now);
        }
    }

    fn lose(&mut self, now: Duration) {
        (self.connection, self.own, self.published) = (None, None, None);
        self.generation = self.generation.wrapping_add(1);
        self.calls.clear();
        self.attempt = now.saturating_add(self.pause);
        self.pause = self.pause.saturating_mul(2).min(LATE);
    }

    fn take(&mut self, message: &Message, events: &mut Events) -> io::Result<()> {
        match (message.kind, message.sequence) {
            (Kind::Hello, _) => self.send(Kind::AddObject, OWN, 0, |_| Ok(())),
            (Kind::Data, OWN) if self.own.is_none() => match message.number(attribute::OBJECT) {
                Some(own) => self.listen(own, events),
                None => Ok(()),
            },
            (Kind::Data, PUBLISHED) => {
                self.published = message.number(attribute::OBJECT);
                Ok(())
            }
            (Kind::Status, PUBLISHED) if self.published.is_none() => {
                // Whoever had it is expected to end, and then it is tried again.
                let path = self.object.map_or("", |object| object.path);
                log::warn!("the object {path} is not on the bus: somebody else has it, or it is not allowed");
                Ok(())
            }
            (Kind::Data, LOOKUP) => match message.number(attribute::OBJECT) {
                Some(target) => self.subscribe(target),
                None => Ok(()),
            },
            (Kind::Invoke, _) => self.hear(message, events),
            // The object that notified is gone, and so is the network of that name.
            (Kind::Unsubscribe, _) => {
                events.clients = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The connection is good for something: asks for all that is of interest.
    fn listen(&mut self, own: u32, events: &mut Events) -> io::Result<()> {
        self.own = Some(own);
        self.pause = SOON;
        if std::mem::replace(&mut self.missed, true) {
            *events = Events { interfaces: true, clients: true };
        }
        self.add_object()?;
        for pattern in PATTERNS {
            self.send(Kind::Invoke, OTHER, EVENTS, |attributes| {
                attributes.put_number(attribute::OBJECT, EVENTS);
                attributes.put_text(attribute::METHOD, "register")?;
                // ubusd takes 32 bits only, and in JSON they have a sign.
                let own = i32::from_be_bytes(own.to_be_bytes());
                attributes.put_members(attribute::DATA, &json!({"object": own, "pattern": pattern}))
            })?;
        }
        NOTIFIERS.iter().try_for_each(|path| self.look_up(path))
    }

    /// Asks for the object that others can call.
    fn add_object(&mut self) -> io::Result<()> {
        let (Some(object), None) = (self.object, self.published) else { return Ok(()) };
        let bytes = object.add(PUBLISHED).map_err(|error| io::Error::other(error.text()))?;
        self.connection.as_mut().map_or(Ok(()), |connection| connection.queue(&bytes))
    }

    fn look_up(&mut self, path: &str) -> io::Result<()> {
        self.send(Kind::Lookup, LOOKUP, 0, |attributes| attributes.put_text(attribute::PATH, path))
    }

    fn subscribe(&mut self, target: u32) -> io::Result<()> {
        let Some(own) = self.own else { return Ok(()) };
        self.send(Kind::Subscribe, OTHER, 0, |attributes| {
            attributes.put_number(attribute::OBJECT, own);
            attributes.put_number(attribute::TARGET, target);
            Ok(())
        })
    }

    /// An event, a notification or a call has come.
    fn hear(&mut self, message: &Message, events: &mut Events) -> io::Result<()> {
        if let Some(object) = self.published.filter(|object| message.number(attribute::OBJECT) == Some(*object)) {
            return self.take_call(message, object);
        }
        let Some(name) = message.text(attribute::METHOD) else { return Ok(()) };
        match name {
            "network.interface" => events.interfaces = true,
            OBJECT_ADDED | OBJECT_REMOVED => {
                let data = message.data().ok().flatten();
                let path = data.as_ref().and_then(|data| data.get("path")).and_then(Json::as_str).unwrap_or_default();
                if name == OBJECT_REMOVED {
                    if self.object.is_some_and(|object| object.path == path) {
                        self.add_object()?;
                    }
                } else if notifies(path) {
                    events.clients = true;
                    self.look_up(path)?;
                }
            }
            _ if CLIENT.contains(&name) || name.starts_with("dhcp.") => events.clients = true,
            _ => {}
        }
        // hostapd may wait for what its listeners think of a client.
        match self.own {
            Some(own) if !message.no_reply() && message.peer != 0 => {
                self.send(Kind::Status, message.sequence, message.peer, |attributes| {
                    attributes.put_number(attribute::STATUS, 0);
                    attributes.put_number(attribute::OBJECT, own);
                    Ok(())
                })
            }
            _ => Ok(()),
        }
    }

    fn take_call(&mut self, message: &Message, object: u32) -> io::Result<()> {
        let (caller, call) = Call::of(message, object, self.generation);
        let status = match call {
            Some(call) if self.calls.len() < CALLS => {
                self.calls.push(call);
                return Ok(());
            }
            Some(_) => Status::UnknownError,
            None => Status::InvalidArgument,
        };
        let bytes = caller.answer(status, None).map_err(|error| io::Error::other(error.text()))?;
        self.connection.as_mut().map_or(Ok(()), |connection| connection.queue(&bytes))
    }

    fn send(
        &mut self,
        kind: Kind,
        sequence: u16,
        peer: u32,
        fill: impl FnOnce(&mut Writer) -> Result<(), BlobError>,
    ) -> io::Result<()> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let mut attributes = Writer::default();
        let bytes = fill(&mut attributes).and_then(|()| encode(kind, sequence, peer, attributes));
        let bytes = bytes.map_err(|error| io::Error::other(error.text()))?;
        connection.queue(&bytes)
    }
}

/// Whether the object at this path is one to subscribe to.
fn notifies(path: &str) -> bool {
    NOTIFIERS.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => path.starts_with(beginning),
        None => path == *pattern,
    })
}
