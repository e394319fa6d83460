//! A connection to ubusd: never blocks, except as long as its user says.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, recv, send, socket};
use serde_json::{Map, Value as Json};

use super::blob::{BlobError, Writer};
use super::message::{Incoming, Kind, Message, attribute, encode};
use super::{AT_ONCE, DEADLINE, UbusError};
use crate::sorted;

/// How much is read at once, in bytes.
const CHUNK: usize = 16 << 10;

/// How much may wait to be sent, in bytes: the longest message, and as much again.
const BACKLOG: usize = 2 << 20;

/// How many numbers of objects are remembered.
const OBJECTS: usize = 256;

/// `UBUS_STATUS_NOT_FOUND`
const NOT_FOUND: u32 = 4;

/// A connection on which messages go and come.
pub(super) struct Connection {
    socket: OwnedFd,
    incoming: Incoming,
    /// What [`Connection::queue`] could not send at once.
    outgoing: Vec<u8>,
}

impl Connection {
    /// Opens it. ubusd then says HELLO.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
        // A socket whose queue of callers is full says so at once (EAGAIN).
        connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
        Ok(Self { socket, incoming: Incoming::default(), outgoing: Vec::new() })
    }

    /// To be polled for reading.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Sends all of a message, or fails at the deadline.
    pub(super) fn send(&self, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            match send(self.socket.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.wait(PollFlags::POLLOUT, Some(deadline))?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sends as much of a message as goes at once; the rest waits for [`Self::flush`]. Fails when too much waits already.
    pub(super) fn queue(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.outgoing.len().saturating_add(bytes.len()) > BACKLOG {
            return Err(ErrorKind::TimedOut.into());
        }
        self.outgoing.extend_from_slice(bytes);
        self.flush()
    }

    /// Sends as much of what waits as goes at once.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match send(self.socket.as_raw_fd(), &self.outgoing, MsgFlags::MSG_NOSIGNAL) {
                Ok(sent) if sent >= self.outgoing.len() => self.outgoing = Vec::new(),
                Ok(sent) => drop(self.outgoing.drain(..sent)),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whether something waits to be sent.
    pub(super) fn has_backlog(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// The next message that is there or comes before the deadline; without one, `None` where there is nothing yet.
    pub(super) fn receive(&mut self, deadline: Option<Instant>) -> io::Result<Option<Message>> {
        let mut chunk = [0; CHUNK];
        loop {
            let next = self.incoming.next_message();
            if let Some(message) = next.map_err(|error| io::Error::new(ErrorKind::InvalidData, error.text()))? {
                return Ok(Some(message));
            }
            // A descriptor that comes along is not asked for, so the kernel closes it.
            match recv(self.socket.as_raw_fd(), &mut chunk, MsgFlags::empty()) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.incoming.push(chunk.get(..length).unwrap_or_default()),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) if deadline.is_none() => return Ok(None),
                Err(Errno::EAGAIN) => self.wait(PollFlags::POLLIN, deadline)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn wait(&self, what: PollFlags, deadline: Option<Instant>) -> io::Result<()> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let Some(left) = left.filter(|left| !left.is_zero()) else { return Err(ErrorKind::TimedOut.into()) };
        let left = PollTimeout::try_from(left.as_millis().saturating_add(1)).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(self.socket.as_fd(), what)], left) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A connection for calls: one at a time, each waits for its answer.
pub(super) struct Caller {
    connection: Connection,
    sequence: u16,
    /// The numbers of objects by their paths; they hold as long as the connection, unless an object goes.
    objects: sorted::Map<String, u32>,
}

/// How a request failed: by an answer, after which the connection goes on, or by the lack of one.
pub(super) enum Failure {
    /// ubusd or the object says so, `enum ubus_msg_status`.
    Status(u32),
    /// What was to be sent, or what has come as an answer, is no blob.
    Blob(BlobError),
    /// The connection is of no use any more.
    Broken(io::Error),
    /// ubusd itself does not answer.
    Silent,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        Self::Blob(error)
    }
}

impl Caller {
    /// Connects, and waits for the greeting.
    pub(super) fn connect(path: &Path) -> io::Result<Self> {
        let mut connection = Connection::open(path)?;
        match connection.receive(Some(Instant::now() + AT_ONCE))? {
            Some(message) if message.kind == Kind::Hello => {
                Ok(Self { connection, sequence: 0, objects: sorted::Map::new() })
            }
            _ => Err(io::Error::new(ErrorKind::InvalidData, "no greeting")),
        }
    }

    /// Whether ubusd is still there; answers that nobody waits for any more are thrown away.
    pub(super) fn is_alive(&mut self) -> bool {
        loop {
            match self.connection.receive(None) {
                Ok(None) => return true,
                Ok(Some(_)) => {}
                Err(_) => return false,
            }
        }
    }

    /// Calls a method.
    pub(super) fn call(&mut self, object: &str, method: &str, arguments: &Json) -> Result<Json, Failure> {
        let known = self.objects.get(object).copied();
        let number = match known {
            Some(number) => number,
            None => self.lookup(object)?,
        };
        match self.invoke(number, method, arguments) {
            // Its owner was started again since, and it has another number; or it is the method that has not found something.
            Err(Failure::Status(NOT_FOUND)) if known.is_some() => {
                self.objects.remove(object);
                match self.lookup(object)? {
                    same if same == number => Err(Failure::Status(NOT_FOUND)),
                    other => self.invoke(other, method, arguments),
                }
            }
            other => other,
        }
    }

    fn lookup(&mut self, object: &str) -> Result<u32, Failure> {
        let mut attributes = Writer::default();
        attributes.put_text(attribute::PATH, object)?;
        let mut number = None;
        let answered = self.request(Kind::Lookup, 0, attributes, Instant::now() + AT_ONCE, |message| {
            if message.text(attribute::PATH) == Some(object) {
                number = message.number(attribute::OBJECT).or(number);
            }
            Ok(())
        });
        answered.map_err(|failure| match failure {
            Failure::Broken(error) if error.kind() == ErrorKind::TimedOut => Failure::Silent,
            other => other,
        })?;
        let number = number.ok_or(Failure::Status(NOT_FOUND))?;
        if self.objects.len() < OBJECTS {
            self.objects.insert(object.to_owned(), number);
        }
        Ok(number)
    }

    fn invoke(&mut self, number: u32, method: &str, arguments: &Json) -> Result<Json, Failure> {
        let mut attributes = Writer::default();
        attributes.put_number(attribute::OBJECT, number);
        attributes.put_text(attribute::METHOD, method)?;
        attributes.put_members(attribute::DATA, arguments)?;
        let mut answer = None;
        self.request(Kind::Invoke, number, attributes, Instant::now() + DEADLINE, |message| {
            answer = message.data()?.or(answer.take());
            Ok(())
        })?;
        Ok(answer.unwrap_or_else(|| Json::Object(Map::new())))
    }

    /// Sends a request and takes its data until its status.
    fn request(
        &mut self,
        kind: Kind,
        peer: u32,
        attributes: Writer,
        deadline: Instant,
        mut take: impl FnMut(&Message) -> Result<(), BlobError>,
    ) -> Result<(), Failure> {
        self.sequence = self.sequence.wrapping_add(1);
        self.connection.send(&encode(kind, self.sequence, peer, attributes)?, deadline)?;
        let mut result = Ok(());
        loop {
            let Some(message) = self.connection.receive(Some(deadline))? else { continue };
            // An answer that was given up, or an event that nobody here has asked for.
            if message.sequence != self.sequence {
                continue;
            }
            match message.kind {
                Kind::Data if result.is_ok() => result = take(&message),
                Kind::Status => {
                    return match message.number(attribute::STATUS) {
                        Some(0) => Ok(result?),
                        Some(status) => Err(Failure::Status(status)),
                        None => Err(Failure::Blob(BlobError::Length)),
                    };
                }
                _ => {}
            }
            // A peer that talks for ever has its end here, too.
            if Instant::now() >= deadline {
                return Err(Failure::Broken(ErrorKind::TimedOut.into()));
            }
        }
    }
}

impl Failure {
    /// As the user of a call sees it.
    pub(super) fn tell(self, object: &str, method: &str) -> UbusError {
        match self {
            Self::Status(status) => UbusError::from_status(object, method, i32::try_from(status).unwrap_or(i32::MAX)),
            Self::Blob(error) => UbusError::Failed(format!("ubus {object} {method}: {}", error.text())),
            Self::Silent => UbusError::TimedOut,
            Self::Broken(error) if error.kind() == ErrorKind::TimedOut => UbusError::TimedOut,
            Self::Broken(error) => UbusError::Failed(format!("ubus {object} {method}: {error}")),
        }
    }
}
