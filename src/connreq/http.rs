//! The listener for connection requests over HTTP: sockets, deadlines and caps around [`Gate`] (TR-069a6 3.2.2.1, SECURITY S13).
//!
//! Nothing here waits. The daemon polls what [`Listener::interests`] names until [`Listener::next_deadline`], and then calls
//! [`Listener::handle`]. A connection goes through these phases:
//!
//! ```text
//! accepted -> Receiving -> (Held, where the peer guesses passwords) -> Sending -> Draining -> closed
//!                 ^-------------- a challenge: the digest may come next ---'
//! ```
//!
//! Draining reads what the peer still sends: to close with unread bytes would reset the connection, and the peer might never see the answer.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, sockopt};

use super::gate::{Access, Answer, Gate, Reason};
use super::request::{Scan, Scanner};
use crate::error::{Error, Result};

/// How long a connection lives at most.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// How many connections there are at most.
pub const MAX_CONNECTIONS: usize = 8;
/// How many requests are answered on one connection at most.
pub const MAX_REQUESTS: usize = 4;

/// How late a guesser of passwords gets its answers; within [`DEADLINE`], so that a right guess is still accepted (CONFORMANCE C-10).
const LATE: Duration = Duration::from_secs(2);
/// How many bytes are read after the last answer.
const MAX_DRAINED: usize = 64 * 1024;
/// How many new connections are taken in one turn, so that the daemon gets to its other work.
const MAX_ACCEPTED: usize = MAX_CONNECTIONS;
/// How long no connection is taken when the system has no room for one.
const BREATHER: Duration = Duration::from_secs(1);

/// The listening socket and its connections.
pub struct Listener {
    socket: TcpListener,
    gate: Gate,
    /// The oldest first.
    connections: VecDeque<Connection>,
    /// No connection is taken before this time.
    paused_until: Option<Duration>,
    refusals: Refusals,
}

/// A connection request that was accepted and answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Who asked for a session.
    pub peer: IpAddr,
}

/// Requests refused for one reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Who came last.
    pub peer: IpAddr,
    /// When that was, in monotonic time.
    pub at: Duration,
    /// How many there were since the start.
    pub count: u32,
}

impl Listener {
    /// Listens on `port` of `address`, or of all addresses of both families when it is `None`; without IPv6 in the system, of all IPv4
    /// addresses. Port 0 takes a free one. `key` is random, and of this process only.
    ///
    /// # Errors
    /// When the port is taken, or the address is not one of this system.
    pub fn bind(address: Option<IpAddr>, port: u16, key: [u8; 32]) -> Result<Self> {
        let socket = match address {
            Some(address) => listen(SocketAddr::new(address, port)),
            None => match listen(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)) {
                Err(Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL) => {
                    listen(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port))
                }
                result => result,
            },
        };
        let socket = socket.map_err(io::Error::from).map_err(Error::io(match address {
            Some(address) => format!("listen for connection requests on {}", SocketAddr::new(address, port)),
            None => format!("listen for connection requests on port {port}"),
        }))?;
        Ok(Self {
            socket,
            gate: Gate::new(key),
            connections: VecDeque::with_capacity(MAX_CONNECTIONS),
            paused_until: None,
            refusals: Refusals::default(),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> Result<SocketAddr> {
        self.socket.local_addr().map_err(Error::io("find the address of the connection request socket"))
    }

    /// Adds what [`Self::handle`] waits for.
    pub fn interests<'a>(&'a self, out: &mut Vec<PollFd<'a>>) {
        if self.paused_until.is_none() {
            out.push(PollFd::new(self.socket.as_fd(), PollFlags::POLLIN));
        }
        for connection in &self.connections {
            if let Some(flags) = connection.interest() {
                out.push(PollFd::new(connection.stream.as_fd(), flags));
            }
        }
    }

    /// When [`Self::handle`] is to be called even if nothing is ready, in monotonic time.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        self.connections.iter().map(Connection::next_deadline).chain(self.paused_until).min()
    }

    /// Does all that can be done at `now` (monotonic time) without waiting, and returns the requests that are to start a session; their
    /// answers are on the way. `allowed_local` says of the local address that a peer connected to whether it is served (CONFORMANCE C-13).
    pub fn handle(
        &mut self,
        now: Duration,
        access: Access<'_>,
        allowed_local: &dyn Fn(IpAddr) -> bool,
    ) -> Vec<Accepted> {
        let mut turn = Turn { now, access, gate: &mut self.gate, refusals: &mut self.refusals, accepted: Vec::new() };
        self.connections.retain_mut(|connection| turn.serve(connection));
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
        let room = if self.paused_until.is_none() { MAX_ACCEPTED } else { 0 };
        for _ in 0..room {
            let (stream, peer) = match self.socket.accept() {
                Ok((stream, peer)) => (stream, peer.ip().to_canonical()),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => break,
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => continue,
                    _ => {
                        log::warn!("cannot take a connection request: {error}");
                        self.paused_until = Some(now.saturating_add(BREATHER));
                        break;
                    }
                },
            };
            if !stream.local_addr().is_ok_and(|local| allowed_local(local.ip().to_canonical())) {
                turn.refusals.note(Reason::Interface, peer, now);
                continue;
            }
            let Some(mut connection) = Connection::new(stream, peer, now) else { continue };
            if self.connections.len() >= MAX_CONNECTIONS {
                if let Some(victim) = victim(&self.connections).and_then(|at| self.connections.remove(at)) {
                    turn.give_up(&victim);
                }
            }
            if turn.serve(&mut connection) {
                self.connections.push_back(connection);
            }
        }
        turn.accepted
    }

    /// The refusals since the start, one for each reason, the latest last.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals.0
    }
}

fn listen(address: SocketAddr) -> nix::Result<TcpListener> {
    let family = if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket::socket(family, SockType::Stream, flags, None)?;
    socket::setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    if address.is_ipv6() {
        socket::setsockopt(&socket, sockopt::Ipv6V6Only, &!address.ip().is_unspecified())?;
    }
    socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    socket::listen(&socket, Backlog::new(16)?)?;
    Ok(socket.into())
}

/// Which connection makes room for a new one: the oldest of the peer that holds the most, so that a flood from one address drops itself.
fn victim(connections: &VecDeque<Connection>) -> Option<usize> {
    let held = |peer: IpAddr| connections.iter().filter(|connection| connection.peer == peer).count();
    let most = connections.iter().map(|connection| held(connection.peer)).max()?;
    connections.iter().position(|connection| held(connection.peer) == most)
}

/// The latest refusal for each reason, the latest last; bounded by the number of reasons.
#[derive(Default)]
struct Refusals(Vec<Refusal>);

impl Refusals {
    fn note(&mut self, reason: Reason, peer: IpAddr, at: Duration) {
        log::debug!("connection request from {peer} refused: {}", reason.text());
        let count = match self.0.iter().position(|refusal| refusal.reason == reason) {
            Some(known) => self.0.remove(known).count,
            None => 0,
        };
        self.0.push(Refusal { reason, peer, at, count: count.saturating_add(1) });
    }

    /// The challenge of an exchange that went well was no refusal after all.
    fn forgive_challenge(&mut self, peer: IpAddr) {
        self.0.retain(|refusal| (refusal.reason, refusal.peer) != (Reason::NoCredentials, peer));
    }
}

struct Connection {
    stream: TcpStream,
    peer: IpAddr,
    /// When it is closed whatever it does.
    deadline: Duration,
    phase: Phase,
    /// What came in and is not used yet.
    received: Vec<u8>,
    scanner: Scanner,
    /// Bytes of a body that are still to be skipped.
    skip: usize,
    requests: usize,
}

enum Phase {
    Receiving,
    /// The answer waits for a time.
    Held(Duration, Answer),
    /// This much of the answer is sent.
    Sending(usize, Answer),
    /// This many bytes are still read and thrown away.
    Draining(usize),
}

/// What a phase came to.
enum Step {
    /// The next phase can start now.
    Next(Phase),
    /// Nothing more can be done now.
    Wait,
    /// The connection is over.
    Close,
}

impl Connection {
    fn new(stream: TcpStream, peer: IpAddr, now: Duration) -> Option<Self> {
        stream.set_nonblocking(true).ok()?;
        Some(Self {
            stream,
            peer,
            deadline: now.saturating_add(DEADLINE),
            phase: Phase::Receiving,
            received: Vec::new(),
            scanner: Scanner::default(),
            skip: 0,
            requests: 0,
        })
    }

    fn interest(&self) -> Option<PollFlags> {
        match self.phase {
            Phase::Receiving | Phase::Draining(_) => Some(PollFlags::POLLIN),
            Phase::Sending(..) => Some(PollFlags::POLLOUT),
            Phase::Held(..) => None,
        }
    }

    fn next_deadline(&self) -> Duration {
        match self.phase {
            Phase::Held(until, _) => until.min(self.deadline),
            _ => self.deadline,
        }
    }

    /// Whether a request was begun and not answered.
    fn is_midway(&self) -> bool {
        matches!(self.phase, Phase::Receiving) && (self.requests == 0 || !self.received.is_empty())
    }

    /// Reads once. `None` when there is nothing now; an empty slice at the end.
    fn read<'a>(&mut self, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        loop {
            match self.stream.read(buffer) {
                Ok(length) => return Some(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(_) => return Some(&[]),
            }
        }
    }
}

/// One call of [`Listener::handle`].
struct Turn<'a> {
    now: Duration,
    access: Access<'a>,
    gate: &'a mut Gate,
    refusals: &'a mut Refusals,
    accepted: Vec<Accepted>,
}

impl Turn<'_> {
    /// Does what can be done for a connection; false when it is over.
    fn serve(&mut self, connection: &mut Connection) -> bool {
        if connection.deadline <= self.now {
            self.give_up(connection);
            return false;
        }
        loop {
            let step = match &mut connection.phase {
                Phase::Receiving => self.receive(connection),
                Phase::Held(until, _) if *until > self.now => Step::Wait,
                Phase::Held(_, answer) => Step::Next(Phase::Sending(0, answer.clone())),
                Phase::Sending(..) => self.send(connection),
                Phase::Draining(_) => drain(connection),
            };
            match step {
                Step::Next(phase) => connection.phase = phase,
                Step::Wait => return true,
                Step::Close => return false,
            }
        }
    }

    fn receive(&mut self, connection: &mut Connection) -> Step {
        loop {
            let skipped = connection.skip.min(connection.received.len());
            connection.received.drain(..skipped);
            connection.skip -= skipped;
            match connection.scanner.scan(&connection.received) {
                Scan::Complete(length) => {
                    connection.requests += 1;
                    let more = connection.requests < MAX_REQUESTS;
                    let head = connection.received.get(..length).unwrap_or_default();
                    let answer = self.gate.answer(head, connection.peer, self.access, self.now, more);
                    connection.received.drain(..length);
                    return Step::Next(self.begin(answer, connection));
                }
                Scan::Broken(_) => return Step::Next(self.begin(Answer::malformed(), connection)),
                Scan::Partial => {}
            }
            let mut buffer = [0; 2048];
            match connection.read(&mut buffer) {
                None => return Step::Wait,
                Some([]) => return Step::Close,
                Some(bytes) => connection.received.extend_from_slice(bytes),
            }
        }
    }

    /// The phase that an answer starts.
    fn begin(&mut self, answer: Answer, connection: &mut Connection) -> Phase {
        connection.scanner = Scanner::default();
        connection.skip = answer.next.unwrap_or(0);
        if let Some(reason) = answer.refused {
            self.refusals.note(reason, connection.peer, self.now);
        }
        if answer.late { Phase::Held(self.now.saturating_add(LATE), answer) } else { Phase::Sending(0, answer) }
    }

    fn send(&mut self, connection: &mut Connection) -> Step {
        let Phase::Sending(sent, answer) = &mut connection.phase else { return Step::Wait };
        while let Some(rest) = answer.response.get(*sent..).filter(|rest| !rest.is_empty()) {
            match connection.stream.write(rest) {
                Ok(written @ 1..) => *sent = sent.saturating_add(written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Step::Wait,
                Ok(0) | Err(_) => {
                    self.finish(connection);
                    return Step::Close;
                }
            }
        }
        let again = answer.next.is_some();
        self.finish(connection);
        if again {
            return Step::Next(Phase::Receiving);
        }
        match connection.stream.shutdown(Shutdown::Write) {
            Ok(()) => Step::Next(Phase::Draining(MAX_DRAINED)),
            Err(_) => Step::Close,
        }
    }

    /// Ends a connection for its deadline or for a newer one.
    fn give_up(&mut self, connection: &Connection) {
        if connection.is_midway() {
            self.refusals.note(Reason::Slow, connection.peer, self.now);
        }
        self.finish(connection);
    }

    /// Reports an accepted request, now that its answer is out or never will be: a request that was right is not lost (CONFORMANCE C-10).
    fn finish(&mut self, connection: &Connection) {
        let (Phase::Sending(_, answer) | Phase::Held(_, answer)) = &connection.phase else { return };
        if answer.refused.is_none() {
            self.refusals.forgive_challenge(connection.peer);
            self.accepted.push(Accepted { peer: connection.peer });
        }
    }
}

fn drain(connection: &mut Connection) -> Step {
    let mut buffer = [0; 2048];
    let length = match connection.read(&mut buffer) {
        None => return Step::Wait,
        Some(bytes) => bytes.len(),
    };
    match &mut connection.phase {
        Phase::Draining(left) if length > 0 && length <= *left => {
            *left -= length;
            Step::Next(Phase::Draining(*left))
        }
        _ => Step::Close,
    }
}
