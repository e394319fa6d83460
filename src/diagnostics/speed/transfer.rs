//! Download and upload tests over HTTP (TR-143 A.2): one thread, any number of connections.
//!
//! A connection goes through these stages:
//!
//! ```text
//! Connecting -> Request -> (Body -> Tail, of an upload) -> Response -> Over
//! ```
//!
//! A test that is ended by time ends a download where it is, and an upload with the chunk under way; the answer of the server to that is waited for,
//! because everything that was sent has arrived then. Redirects are not followed, and there is no authentication (TR-181 2.17 DownloadURL).

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::SockType;

use super::http::{self, Response};
use super::meter::{Carried, Meter, Timing};
use super::socket::{self, Way};
use super::stamp::Stamps;
use crate::acs::{Cancel, Url};
use crate::platform::System;

/// The most connections of a test.
pub const MOST_CONNECTIONS: usize = 8;

/// How long all addresses of the server together have to take a connection.
const CONNECT: Duration = Duration::from_secs(30);
/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a test of a file may take: as long as the longest that is ended by time.
const LONGEST: Duration = Duration::from_secs(999);
/// How often the progress is told.
const TELL: Duration = Duration::from_secs(1);
/// What is read at once.
const INPUT: usize = 64 << 10;
/// What is sent at once: a chunk of a test that is ended by time.
const OUTPUT: usize = 32 << 10;
/// After the last chunk.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What is to be tested.
#[derive(Clone, Debug)]
pub struct Test {
    /// Whether data is sent; else it is fetched.
    pub upload: bool,
    /// Where; `http` only.
    pub url: Url,
    /// How the packets leave.
    pub way: Way,
    /// 1 to [`MOST_CONNECTIONS`].
    pub connections: usize,
    /// How many bytes each connection uploads, if the test is not ended by time.
    pub length: u64,
    /// How long a test takes that is ended by time.
    pub timing: Timing,
}

/// Why there is no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The name has no address of the wanted kind.
    Resolve,
    /// There is no way to it.
    NoRoute,
    /// Nobody takes the connection.
    Connect,
    /// Nothing is said to the request.
    NoResponse,
    /// The server wants to know who asks.
    Login,
    /// Another status, no HTTP, or a connection that broke.
    Transfer,
    /// The connection ended before the file did.
    Size,
    /// It takes too long, or stands still.
    Timeout,
    /// The system has no room, or no such device.
    Internal,
    /// It was cancelled.
    Cancelled,
}

impl Failure {
    /// The DiagnosticsState of TR-181 2.17, of a download or of an upload.
    #[must_use]
    pub fn state(self, upload: bool) -> &'static str {
        match self {
            Self::Resolve => "Error_CannotResolveHostName",
            Self::NoRoute => "Error_NoRouteToHost",
            Self::Connect => "Error_InitConnectionFailed",
            Self::NoResponse => "Error_NoResponse",
            Self::Login => "Error_LoginFailed",
            Self::Transfer | Self::Size if upload => "Error_NoTransferComplete",
            Self::Transfer => "Error_TransferFailed",
            Self::Size => "Error_IncorrectSize",
            Self::Timeout => "Error_Timeout",
            Self::Internal => "Error_Internal",
            Self::Cancelled => "None",
        }
    }
}

/// What a test needs besides its settings.
pub struct Around<'a> {
    /// The router.
    pub system: &'a dyn System,
    /// Ends it.
    pub cancel: &'a Cancel,
    /// Began before the test.
    pub stamps: &'a Stamps,
    /// Hears about once a second how long the test has been going, and how many bytes there are.
    pub progress: &'a mut dyn FnMut(Duration, u64),
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Times, and bytes.
    pub meter: Meter,
    /// IPAddressUsed: the address of this end.
    pub local: Option<IpAddr>,
    /// How it ended.
    pub end: Result<(), Failure>,
}

/// Runs a test to its end, which comes within its duration or 999 s and two minutes.
pub fn run<'a>(test: &'a Test, around: Around<'a>) -> Outcome {
    let connections = test.connections.clamp(1, MOST_CONNECTIONS);
    let mut runner = Runner {
        test,
        around,
        meter: Meter::new(connections, test.timing),
        local: None,
        counted: None,
        addresses: Vec::new(),
        lines: Vec::with_capacity(connections),
        request: Vec::new(),
        input: vec![0; INPUT],
        output: Vec::new(),
        stopped: false,
    };
    let end = runner.run(connections);
    Outcome { meter: runner.meter, local: runner.local, end }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Connecting,
    /// So much of the request is out.
    Request(usize),
    /// So much of the chunk under way is out, and so much of the file is left.
    Body(usize, u64),
    /// So much of the last chunk is out.
    Tail(usize),
    Response,
    Over,
}

/// One connection.
struct Line {
    stream: TcpStream,
    stage: Stage,
    /// Which of the addresses it is to.
    address: usize,
    response: Response,
    /// When something must have happened.
    deadline: Duration,
    /// When data came last.
    heard: Duration,
}

impl Line {
    fn interest(&self) -> PollFlags {
        match self.stage {
            Stage::Connecting => PollFlags::POLLOUT,
            Stage::Request(_) | Stage::Body(..) | Stage::Tail(_) => PollFlags::POLLIN | PollFlags::POLLOUT,
            Stage::Response => PollFlags::POLLIN,
            Stage::Over => PollFlags::empty(),
        }
    }
}

struct Runner<'a> {
    test: &'a Test,
    around: Around<'a>,
    meter: Meter,
    local: Option<IpAddr>,
    /// The device whose counters are read.
    counted: Option<String>,
    addresses: Vec<SocketAddr>,
    lines: Vec<Line>,
    request: Vec<u8>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// The time of a test that is ended by time is over.
    stopped: bool,
}

impl Runner<'_> {
    fn run(&mut self, connections: usize) -> Result<(), Failure> {
        let Test { url, way, upload, timing, length, .. } = self.test;
        let by_time = !timing.duration.is_zero();
        self.addresses = way.resolve(&url.host, url.port, self.around.cancel).ok_or(Failure::Cancelled)?;
        if self.addresses.is_empty() {
            return Err(Failure::Resolve);
        }
        if *upload {
            self.request = http::put(url, (!by_time).then_some(*length));
            self.output = noise(by_time);
        } else {
            self.request = http::get(url);
        }
        self.counted.clone_from(&way.device);
        for connection in 0..connections {
            let line = self.open(connection, 0)?;
            self.lines.push(line);
        }
        let limit = if by_time { timing.duration.saturating_add(CONNECT).saturating_add(SILENCE) } else { LONGEST };
        let limit = self.now().saturating_add(limit);
        let mut tell = self.now().saturating_add(TELL);
        loop {
            let now = self.now();
            if self.meter.next_tick().is_some_and(|at| at <= now) {
                let carried = self.carried();
                self.meter.tick(now, carried);
            }
            if !self.stopped && self.meter.over_at().is_some_and(|at| at <= now) {
                self.stop(now)?;
            }
            if self.lines.iter().all(|line| line.stage == Stage::Over) {
                return Ok(());
            }
            if now >= limit {
                return Err(Failure::Timeout);
            }
            if now >= tell {
                tell = now.saturating_add(TELL);
                (self.around.progress)(now, self.meter.whole().bytes);
            }
            self.give_up(now)?;
            self.wait(now, limit.min(tell))?;
        }
    }

    fn now(&self) -> Duration {
        self.around.stamps.elapsed()
    }

    fn carried(&self) -> Carried {
        self.counted.as_deref().map_or_else(Carried::default, |device| socket::carried(self.around.system, device))
    }

    /// Connects a line to the first of the addresses, from this one on, that the kernel does not refuse.
    fn open(&mut self, connection: usize, first: usize) -> Result<Line, Failure> {
        let share = CONNECT / u32::try_from(self.addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut failure = Failure::Connect;
        for (number, address) in self.addresses.iter().enumerate().skip(first) {
            let socket = self.test.way.socket(address.is_ipv6(), SockType::Stream).map_err(internal)?;
            let now = self.around.stamps.elapsed();
            match socket::connect(&socket, *address) {
                Ok(()) => {
                    if let Some(line) = self.meter.line(connection) {
                        line.open_request = Some(now);
                    }
                    return Ok(Line {
                        stream: TcpStream::from(socket),
                        stage: Stage::Connecting,
                        address: number,
                        response: Response::default(),
                        deadline: now.saturating_add(share),
                        heard: now,
                    });
                }
                Err(error) => failure = unreachable(&error),
            }
        }
        Err(failure)
    }

    /// What has taken too long.
    fn give_up(&mut self, now: Duration) -> Result<(), Failure> {
        let late = self.lines.iter().position(|line| line.stage != Stage::Over && line.deadline <= now);
        let Some((connection, line)) = late.and_then(|at| Some((at, self.lines.get(at)?))) else { return Ok(()) };
        match line.stage {
            Stage::Connecting => self.next_address(connection, Failure::Connect),
            Stage::Response if line.response.status().is_none() => Err(Failure::NoResponse),
            _ => Err(Failure::Timeout),
        }
    }

    /// Tries the next address, if there is one.
    fn next_address(&mut self, connection: usize, failure: Failure) -> Result<(), Failure> {
        let tried = self.lines.get(connection).map_or(0, |line| line.address);
        let next = tried.saturating_add(1);
        if next >= self.addresses.len() {
            return Err(failure);
        }
        let line = self.open(connection, next)?;
        if let Some(old) = self.lines.get_mut(connection) {
            *old = line;
        }
        Ok(())
    }

    /// Ends a test that is ended by time.
    fn stop(&mut self, now: Duration) -> Result<(), Failure> {
        self.stopped = true;
        if self.test.upload {
            return Ok(());
        }
        if self.lines.iter().any(|line| line.response.status().is_none()) {
            return Err(Failure::NoResponse);
        }
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by_key(|at| self.lines.get(*at).map(|line| line.heard));
        for connection in order {
            let heard = self.lines.get(connection).map_or(now, |line| line.heard);
            self.over(connection, heard);
        }
        Ok(())
    }

    fn over(&mut self, connection: usize, at: Duration) {
        let carried = self.carried();
        self.meter.end(connection, at, carried);
        if let Some(line) = self.lines.get_mut(connection) {
            line.stage = Stage::Over;
            // The server hears of it now, not at the end of the test.
            let _ = line.stream.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Waits until something happens on a connection, and deals with that.
    fn wait(&mut self, now: Duration, until: Duration) -> Result<(), Failure> {
        let deadlines = self.lines.iter().filter(|line| line.stage != Stage::Over).map(|line| line.deadline);
        let over = self.meter.over_at().filter(|_| !self.stopped);
        let until = deadlines.chain(over).chain(self.meter.next_tick()).min().map_or(until, |at| at.min(until));
        // Rounded up, so that what is due is due then.
        let left = until.saturating_sub(now).saturating_add(Duration::from_micros(999));
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut descriptors = vec![PollFd::new(self.around.cancel.event(), PollFlags::POLLIN)];
        for line in &self.lines {
            descriptors.push(PollFd::new(line.stream.as_fd(), line.interest()));
        }
        match poll(&mut descriptors, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(()),
            Err(_) => return Err(Failure::Internal),
        }
        if self.around.cancel.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        let happened: Vec<PollFlags> =
            descriptors.iter().skip(1).map(|fd| fd.revents().unwrap_or(PollFlags::empty())).collect();
        for (connection, flags) in happened.into_iter().enumerate() {
            let stage = self.lines.get(connection).map_or(Stage::Over, |line| line.stage);
            let broken = flags.intersects(PollFlags::POLLERR | PollFlags::POLLHUP);
            if stage == Stage::Over || flags.is_empty() {
                continue;
            }
            if stage == Stage::Connecting {
                self.connected(connection)?;
                continue;
            }
            // What the server says comes first: it may be why it takes no more.
            if broken || flags.contains(PollFlags::POLLIN) {
                self.read(connection)?;
            }
            if flags.contains(PollFlags::POLLOUT) {
                self.write(connection)?;
            }
        }
        Ok(())
    }

    fn connected(&mut self, connection: usize) -> Result<(), Failure> {
        let now = self.now();
        let Some(line) = self.lines.get_mut(connection) else { return Ok(()) };
        match line.stream.take_error() {
            Ok(None) => {}
            Ok(Some(error)) | Err(error) => return self.next_address(connection, unreachable(&error)),
        }
        line.stage = Stage::Request(0);
        line.deadline = now.saturating_add(SILENCE);
        // The last piece of a body goes out at once.
        let _ = line.stream.set_nodelay(true);
        let local = line.stream.local_addr().ok().map(|address| address.ip());
        if let Some(line) = self.meter.line(connection) {
            line.open_response = Some(now);
        }
        if self.local.is_none() {
            self.local = local;
            if self.counted.is_none() {
                self.counted = local.and_then(|local| socket::device_of(self.around.system, local));
            }
        }
        self.write(connection)
    }

    /// Sends what there is to send, as much as goes at once.
    fn write(&mut self, connection: usize) -> Result<(), Failure> {
        let now = self.now();
        let Some(line) = self.lines.get_mut(connection) else { return Ok(()) };
        let pieces = match line.stage {
            Stage::Request(out) => {
                if let Some(line) = self.meter.line(connection) {
                    line.request.get_or_insert(now);
                }
                self.request.get(out..)
            }
            Stage::Body(out, left) => {
                let piece = self.output.get(out..).unwrap_or_default();
                let room = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
                piece.get(..room)
            }
            Stage::Tail(out) => LAST_CHUNK.get(out..),
            _ => None,
        };
        let Some(piece) = pieces.filter(|piece| !piece.is_empty()) else { return Ok(()) };
        let sent = match line.stream.write(piece) {
            Ok(sent) => sent,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            // Whatever the server has to say about it was read before.
            Err(_) => return Err(Failure::Transfer),
        };
        line.deadline = now.saturating_add(SILENCE);
        let stage = line.stage;
        if self.test.upload {
            if matches!(stage, Stage::Body(..)) {
                let begun = self.meter.lines().get(connection).is_some_and(|line| line.begin.is_some());
                if !begun {
                    let carried = self.carried();
                    self.meter.begin(connection, now, carried);
                }
            }
            self.meter.count(connection, sent);
        }
        let next = self.after(stage, sent);
        if next == Stage::Response && self.test.upload && self.test.length == 0 && !self.by_time() {
            let carried = self.carried();
            self.meter.begin(connection, now, carried);
        }
        let Some(line) = self.lines.get_mut(connection) else { return Ok(()) };
        line.stage = next;
        // Some servers answer before they have seen the whole of a body.
        if next == Stage::Response && line.response.status().is_some() {
            self.over(connection, now);
        }
        Ok(())
    }

    fn by_time(&self) -> bool {
        !self.test.timing.duration.is_zero()
    }

    /// The stage after so much was sent.
    fn after(&self, stage: Stage, sent: usize) -> Stage {
        match stage {
            Stage::Request(out) if out.saturating_add(sent) < self.request.len() => {
                Stage::Request(out.saturating_add(sent))
            }
            Stage::Request(_) if self.test.upload && self.by_time() => Stage::Body(0, u64::MAX),
            Stage::Request(_) if self.test.upload && self.test.length > 0 => Stage::Body(0, self.test.length),
            Stage::Request(_) => Stage::Response,
            Stage::Body(out, left) => {
                let out = out.saturating_add(sent);
                let out = if out < self.output.len() { out } else { 0 };
                let left = if self.by_time() { left } else { left.saturating_sub(sent as u64) };
                match left {
                    0 => Stage::Response,
                    _ if out == 0 && self.stopped => Stage::Tail(0),
                    left => Stage::Body(out, left),
                }
            }
            Stage::Tail(out) if out.saturating_add(sent) < LAST_CHUNK.len() => Stage::Tail(out.saturating_add(sent)),
            Stage::Tail(_) => Stage::Response,
            stage => stage,
        }
    }

    /// Reads what there is, as much as comes at once.
    fn read(&mut self, connection: usize) -> Result<(), Failure> {
        let Some(line) = self.lines.get_mut(connection) else { return Ok(()) };
        let amount = match line.stream.read(&mut self.input) {
            Ok(amount) => amount,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            Err(_) if line.response.status().is_none() && !self.test.upload => return Err(Failure::NoResponse),
            Err(_) => return Err(Failure::Transfer),
        };
        let now = self.around.stamps.elapsed();
        let bytes = self.input.get(..amount).unwrap_or_default();
        if bytes.is_empty() {
            let ended = line.response.closed() && line.stage == Stage::Response;
            return match (ended, line.response.status()) {
                (true, _) => {
                    let heard = line.heard;
                    self.over(connection, heard);
                    Ok(())
                }
                (false, None) if line.stage == Stage::Response => Err(Failure::NoResponse),
                (false, Some(_)) if line.response.has_length() => Err(Failure::Size),
                (false, _) => Err(Failure::Transfer),
            };
        }
        let own = line.response.take(bytes).map_err(|_| Failure::Transfer)?;
        line.heard = now;
        if line.stage == Stage::Response {
            line.deadline = now.saturating_add(SILENCE);
        }
        let (status, over, stage) = (line.response.status(), line.response.is_over(), line.stage);
        if !self.test.upload {
            let begun = self.meter.lines().get(connection).is_some_and(|line| line.begin.is_some());
            if !begun {
                let carried = self.carried();
                self.meter.begin(connection, now, carried);
            }
            self.meter.count(connection, own);
        }
        match status {
            Some(200..=299) | None => {}
            Some(401 | 407) => return Err(Failure::Login),
            Some(_) => return Err(Failure::Transfer),
        }
        // The end of an upload is the answer, not the end of its body (TR-181 2.17 UploadDiagnostics.EOMTime).
        let answered = self.test.upload && status.is_some();
        if stage == Stage::Response && (over || answered) {
            self.over(connection, now);
        }
        Ok(())
    }
}

fn internal(error: io::Error) -> Failure {
    log::info!("a speed test has no socket: {error}");
    Failure::Internal
}

fn unreachable(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => Failure::NoRoute,
        _ => Failure::Connect,
    }
}

/// What an upload sends: bytes that nobody on the way can pack into fewer, as a chunk where the length of the body is not known.
fn noise(as_chunk: bool) -> Vec<u8> {
    let mut noise = Vec::with_capacity(OUTPUT.saturating_add(16));
    if as_chunk {
        noise.extend_from_slice(format!("{OUTPUT:x}\r\n").as_bytes());
    }
    // A generator of Marsaglia's, because random numbers of good quality are slow to make.
    let mut word: u32 = 0x9e37_79b9;
    for _ in 0..OUTPUT / 4 {
        word ^= word << 13;
        word ^= word >> 17;
        word ^= word << 5;
        noise.extend_from_slice(&word.to_be_bytes());
    }
    if as_chunk {
        noise.extend_from_slice(b"\r\n");
    }
    noise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_says_how_long_it_is() {
        let chunk = noise(true);
        let head = b"8000\r\n";
        assert!(chunk.starts_with(head) && chunk.ends_with(b"\r\n"));
        assert_eq!(chunk.len(), head.len() + OUTPUT + 2);
        assert_eq!(noise(false).len(), OUTPUT);
    }

    #[test]
    fn every_failure_is_a_state_that_tr_181_knows() {
        use Failure::{Cancelled, Connect, Internal, Login, NoResponse, NoRoute, Resolve, Size, Timeout, Transfer};
        for failure in [Resolve, NoRoute, Connect, NoResponse, Login, Transfer, Size, Timeout, Internal] {
            for upload in [false, true] {
                assert!(failure.state(upload).starts_with("Error_"), "{failure:?}");
            }
            assert_ne!(failure.state(true), "Error_TransferFailed", "an upload has no such state");
            assert_ne!(failure.state(true), "Error_IncorrectSize", "an upload has no such state");
        }
        assert_eq!(Cancelled.state(false), "None");
    }
}
