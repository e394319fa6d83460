//! What the bus tells without being asked: that an interface went up or down, that a Wi-Fi client or a DHCP lease came or went.
//!
//! ```text
//! connect --HELLO--> own object --DATA--> listen to events, look up who notifies --DATA--> subscribe to each
//!    ^                                        |                                               ^
//!    '---- later, when the connection is lost '---- INVOKE: an event, or a notification       '---- ubus.object.add
//! ```
//!
//! [`Listener`] belongs to a poll loop. Nothing here waits: each step is taken when the answer to the one before has come. The connection can
//! carry objects of the agent's own, too, since a call of one is a message like a notification.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::blob::{BlobError, Writer};
use super::message::{EVENTS, Kind, Message, attribute, encode};
use super::socket::Connection;
use super::socket_path;

/// The events that are listened to: of netifd, and of ubusd itself when objects come.
const PATTERNS: [&str; 2] = ["network.interface", OBJECT_ADDED];

/// A path is there now, or again.
const OBJECT_ADDED: &str = "ubus.object.add";

/// Objects that notify: of clients (hostapd has one for each network), and of leases (dnsmasq, one for each instance, and odhcpd).
const NOTIFIERS: [&str; 3] = ["hostapd.*", "dnsmasq*", "dhcp"];

/// What hostapd says of a client that comes or goes. It also tells of every probe, which is nothing to us.
const CLIENT: [&str; 4] = ["assoc", "disassoc", "deauth", "sta-authorized"];

/// The first and the longest time until the next attempt to connect.
const SOON: Duration = Duration::from_secs(1);
const LATE: Duration = Duration::from_secs(300);

/// How many messages are taken in one go, so that a flood of them cannot hold the poll loop.
const MESSAGES: usize = 256;

/// The sequence of the request for the own object, and of the lookups; nobody minds about that of others.
const OWN: u16 = 1;
const LOOKUP: u16 = 2;
const OTHER: u16 = 3;

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
}

impl Listener {
    /// For the bus beneath this root; connects with the first [`Listener::read`].
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let (attempt, pause) = (Duration::ZERO, SOON);
        Self { root: root.to_path_buf(), connection: None, own: None, attempt, pause, missed: false }
    }

    /// To be polled for reading; `None` while there is no connection.
    #[must_use]
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.connection.as_ref().map(Connection::descriptor)
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
        for _ in 0..MESSAGES {
            let Some(connection) = &mut self.connection else { break };
            let taken = match connection.receive(None) {
                Ok(None) => break,
                Ok(Some(message)) => self.take(&message, &mut events),
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                log::debug!("the bus cannot be listened to: {error}");
                self.lose(now);
            }
        }
        events
    }

    fn connect(&mut self, now: Duration) {
        self.connection = socket_path(&self.root).and_then(|path| Connection::open(&path).ok());
        if self.connection.is_none() {
            self.lose(now);
        }
    }

    fn lose(&mut self, now: Duration) {
        (self.connection, self.own) = (None, None);
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

    fn look_up(&self, path: &str) -> io::Result<()> {
        self.send(Kind::Lookup, LOOKUP, 0, |attributes| attributes.put_text(attribute::PATH, path))
    }

    fn subscribe(&self, target: u32) -> io::Result<()> {
        let Some(own) = self.own else { return Ok(()) };
        self.send(Kind::Subscribe, OTHER, 0, |attributes| {
            attributes.put_number(attribute::OBJECT, own);
            attributes.put_number(attribute::TARGET, target);
            Ok(())
        })
    }

    /// An event or a notification has come.
    fn hear(&self, message: &Message, events: &mut Events) -> io::Result<()> {
        let Some(name) = message.text(attribute::METHOD) else { return Ok(()) };
        match name {
            "network.interface" => events.interfaces = true,
            OBJECT_ADDED => {
                let data = message.data().ok().flatten();
                let path = data.as_ref().and_then(|data| data.get("path")).and_then(Json::as_str);
                if let Some(path) = path.filter(|path| notifies(path)) {
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

    fn send(
        &self,
        kind: Kind,
        sequence: u16,
        peer: u32,
        fill: impl FnOnce(&mut Writer) -> Result<(), BlobError>,
    ) -> io::Result<()> {
        let Some(connection) = &self.connection else { return Ok(()) };
        let mut attributes = Writer::default();
        let bytes = fill(&mut attributes).and_then(|()| encode(kind, sequence, peer, attributes));
        let bytes = bytes.map_err(|error| io::Error::other(error.text()))?;
        connection.send(&bytes, None)
    }
}

/// Whether the object at this path is one to subscribe to.
fn notifies(path: &str) -> bool {
    NOTIFIERS.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => path.starts_with(beginning),
        None => path == *pattern,
    })
}
