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
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::device;
use super::http::{self, Response};
use super::meter::{Carried, Meter, Timing};
use super::stamp::Stamps;
use crate::acs::Url;
use crate::diagnostics::{INTERNAL, NO_ROUTE, Test, Trouble, Way};

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
pub struct Settings {
    /// Whether data is sent; else it is fetched.
    pub upload: bool,
    /// Where; `http` only.
    pub url: Url,
    /// How the packets leave.
    pub way: Way,
    /// EthernetPriority, 0 to 7.
    pub priority: u32,
    /// 1 to [`MOST_CONNECTIONS`].
    pub connections: usize,
    /// How many bytes each connection uploads, if the test is not ended by time.
    pub length: u64,
    /// How long a test takes that is ended by time.
    pub timing: Timing,
}

/// Why there is no result.
#[derive(Debug)]
enum Failure {
    /// There is no way to the server.
    NoRoute(String),
    /// Nobody takes the connection.
    Connect(String),
    /// Nothing is said to the request.
    NoResponse,
    /// Another status than one of success.
    Status(u16),
    /// No HTTP, or a connection that broke.
    Transfer(&'static str),
    /// The connection ended before the file did.
    Size,
    /// It takes too long, or stands still.
    Timeout,
    /// The test could not begin, or was cancelled.
    Trouble(Trouble),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Failure {
    /// With the DiagnosticsState of TR-181 2.17: a download and an upload have different ones.
    fn trouble(self, upload: bool) -> Trouble {
        let broken = if upload { "Error_NoTransferComplete" } else { "Error_TransferFailed" };
        match self {
            Self::NoRoute(text) => Trouble::new(NO_ROUTE, text),
            Self::Connect(text) => Trouble::new("Error_InitConnectionFailed", text),
            Self::NoResponse => Trouble::new("Error_NoResponse", "the server does not answer"),
            Self::Status(status @ (401 | 407)) => {
                Trouble::new("Error_LoginFailed", format!("the server wants to know who asks (status {status})"))
            }
            Self::Status(status) => Trouble::new(broken, format!("the server answers with status {status}")),
            Self::Transfer(text) => Trouble::new(broken, text),
            Self::Size if upload => Trouble::new(broken, "the answer of the server is not complete"),
            Self::Size => Trouble::new("Error_IncorrectSize", "the connection ended before the file did"),
            Self::Timeout => Trouble::new("Error_Timeout", "the test takes too long, or stands still"),
            Self::Trouble(trouble) => trouble,
        }
    }
}

/// What came out.
pub struct Outcome {
    /// Times, and bytes.
    pub meter: Meter,
    /// IPAddressUsed: the address of this end.
    pub local: Option<IpAddr>,
}

/// Runs a test to its end, which comes within 999 s, or its duration and a minute.
///
/// # Errors
/// Why it has no result, with a state that its object knows.
pub fn run(settings: &Settings, test: &Test<'_>, stamps: &Stamps) -> Result<Outcome, Trouble> {
    let connections = settings.connections.clamp(1, MOST_CONNECTIONS);
    let mut runner = Runner {
        settings,
        test,
        stamps,
        meter: Meter::new(connections, settings.timing),
        local: None,
        counted: None,
        addresses: Vec::new(),
        lines: Vec::with_capacity(connections),
        request: Vec::new(),
        input: vec![0; INPUT],
        output: Vec::new(),
        stopped: false,
    };
    match runner.run(connections) {
        Ok(()) => Ok(Outcome { meter: runner.meter, local: runner.local }),
        Err(failure) => Err(failure.trouble(settings.upload)),
    }
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
    settings: &'a Settings,
    test: &'a Test<'a>,
    stamps: &'a Stamps,
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
        let Settings { url, way, upload, timing, length, .. } = self.settings;
        let by_time = self.by_time();
        self.addresses = self.test.resolve(&url.host, url.port, way.version)?;
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
                self.tell(now);
            }
            self.give_up(now)?;
            self.wait(now, limit.min(tell))?;
        }
    }

    fn now(&self) -> Duration {
        self.stamps.elapsed()
    }

    fn by_time(&self) -> bool {
        !self.settings.timing.duration.is_zero()
    }

    fn tell(&self, now: Duration) {
        let whole = self.meter.whole();
        let rate = whole.begin.map_or(0, |begin| rate(whole.bytes, now.saturating_sub(begin)));
        self.test.tell(&format!("{} s: {} bytes, {rate} kbit/s", now.as_secs(), whole.bytes));
    }

    fn carried(&self) -> Carried {
        self.counted.as_deref().map_or_else(Carried::default, |name| device::carried(self.test.live, name))
    }

    /// Connects a line to the first of the addresses, from this one on, that the kernel does not refuse.
    fn open(&mut self, connection: usize, first: usize) -> Result<Line, Failure> {
        let share = CONNECT / u32::try_from(self.addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut failure = Failure::Connect(String::from("the server has no further address"));
        for (number, address) in self.addresses.iter().enumerate().skip(first) {
            let socket = device::tcp(&self.settings.way, address.ip(), self.settings.priority)?;
            let now = self.stamps.elapsed();
            match device::connect(&socket, *address) {
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
                Err(error) => failure = unreachable(*address, &error),
            }
        }
        Err(failure)
    }

    /// What has taken too long.
    fn give_up(&mut self, now: Duration) -> Result<(), Failure> {
        let late = self.lines.iter().position(|line| line.stage != Stage::Over && line.deadline <= now);
        let Some((connection, line)) = late.and_then(|at| Some((at, self.lines.get(at)?))) else { return Ok(()) };
        match line.stage {
            Stage::Connecting => {
                let text = String::from("the server does not take the connection in time");
                self.next_address(connection, Failure::Connect(text))
            }
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
        if self.settings.upload {
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
            let _ = line.stream.shutdown(Shutdown::Both);
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
        let mut descriptors = vec![PollFd::new(self.test.cancel.event(), PollFlags::POLLIN)];
        let mut waiting = Vec::with_capacity(self.lines.len());
        // One that is over is shut down, and poll tells of that at once, whatever it is asked for.
        for (connection, line) in self.lines.iter().enumerate().filter(|(_, line)| line.stage != Stage::Over) {
            descriptors.push(PollFd::new(line.stream.as_fd(), line.interest()));
            waiting.push(connection);
        }
        match poll(&mut descriptors, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(()),
            Err(errno) => return Err(Trouble::new(INTERNAL, format!("cannot wait: {errno}")).into()),
        }
        if self.test.cancel.is_cancelled() {
            return Err(Trouble::cancelled().into());
        }
        let happened: Vec<PollFlags> =
            descriptors.iter().skip(1).map(|fd| fd.revents().unwrap_or(PollFlags::empty())).collect();
        for (connection, flags) in waiting.into_iter().zip(happened) {
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
            Ok(Some(error)) | Err(error) => {
                let failure = self.addresses.get(line.address).map(|address| unreachable(*address, &error));
                return self.next_address(connection, failure.unwrap_or(Failure::NoResponse));
            }
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
                self.counted = local.and_then(|local| device::device_of(self.test.live, local));
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
            Err(_) => return Err(Failure::Transfer("the server takes no more")),
        };
        line.deadline = now.saturating_add(SILENCE);
        let stage = line.stage;
        if self.settings.upload {
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
        if next == Stage::Response && self.settings.upload && self.settings.length == 0 && !self.by_time() {
            let carried = self.carried();
            self.meter.begin(connection, now, carried);
        }
        let Some(line) = self.lines.get_mut(connection) else { return Ok(()) };
        line.stage = next;
        // Some servers answer before they have seen the whole of a body.
        let answered = if self.settings.upload { line.response.status().is_some() } else { line.response.is_over() };
        if next == Stage::Response && answered {
            self.over(connection, now);
        }
        Ok(())
    }

    /// The stage after so much was sent.
    fn after(&self, stage: Stage, sent: usize) -> Stage {
        match stage {
            Stage::Request(out) if out.saturating_add(sent) < self.request.len() => {
                Stage::Request(out.saturating_add(sent))
            }
            Stage::Request(_) if self.settings.upload && self.by_time() => Stage::Body(0, u64::MAX),
            Stage::Request(_) if self.settings.upload && self.settings.length > 0 => {
                Stage::Body(0, self.settings.length)
            }
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
            Err(_) if line.response.status().is_none() && !self.settings.upload => return Err(Failure::NoResponse),
            Err(_) => return Err(Failure::Transfer("the connection broke")),
        };
        let now = self.stamps.elapsed();
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
                (false, _) => Err(Failure::Transfer("the server has closed the connection")),
            };
        }
        let own = line.response.take(bytes).map_err(|_| Failure::Transfer("the server does not speak HTTP"))?;
        line.heard = now;
        if line.stage == Stage::Response {
            line.deadline = now.saturating_add(SILENCE);
        }
        let (status, over, stage) = (line.response.status(), line.response.is_over(), line.stage);
        if !self.settings.upload {
            let begun = self.meter.lines().get(connection).is_some_and(|line| line.begin.is_some());
            if !begun {
                let carried = self.carried();
                self.meter.begin(connection, now, carried);
            }
            self.meter.count(connection, own);
        }
        match status {
            Some(200..=299) | None => {}
            Some(status) => return Err(Failure::Status(status)),
        }
        // The end of an upload is the answer, not the end of its body (TR-181 2.17 UploadDiagnostics.EOMTime).
        let answered = self.settings.upload && status.is_some();
        if stage == Stage::Response && (over || answered) {
            self.over(connection, now);
        }
        Ok(())
    }
}

fn unreachable(address: SocketAddr, error: &io::Error) -> Failure {
    let text = format!("{address}: {error}");
    match error.kind() {
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => Failure::NoRoute(text),
        _ => Failure::Connect(text),
    }
}

/// Kilobits in a second.
pub fn rate(bytes: u64, time: Duration) -> u64 {
    let bits = u128::from(bytes).saturating_mul(8_000_000 / 1000);
    u64::try_from(bits.checked_div(time.as_micros()).unwrap_or(0)).unwrap_or(u64::MAX)
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
        let all = || {
            [
                Failure::NoRoute(String::new()),
                Failure::Connect(String::new()),
                Failure::NoResponse,
                Failure::Status(401),
                Failure::Status(302),
                Failure::Transfer(""),
                Failure::Size,
                Failure::Timeout,
            ]
        };
        let states = |upload| all().map(|failure| failure.trouble(upload).state);
        let begin = ["Error_NoRouteToHost", "Error_InitConnectionFailed", "Error_NoResponse", "Error_LoginFailed"];
        let (down, up) = (states(false), states(true));
        assert_eq!((&down[..4], &up[..4]), (&begin[..], &begin[..]));
        assert_eq!(down[4..], ["Error_TransferFailed", "Error_TransferFailed", "Error_IncorrectSize", "Error_Timeout"]);
        let broken = "Error_NoTransferComplete";
        assert_eq!(up[4..], [broken, broken, broken, "Error_Timeout"]);
    }

    #[test]
    fn rates_are_in_thousands_of_bits() {
        assert_eq!(rate(1000, Duration::from_secs(1)), 8);
        assert_eq!(rate(1_250_000, Duration::from_millis(100)), 100_000);
        assert_eq!(rate(5, Duration::ZERO), 0);
        assert_eq!(rate(u64::MAX, Duration::from_micros(1)), u64::MAX);
    }
}
