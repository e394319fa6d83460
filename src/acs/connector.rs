//! Our connections for ureq. Its traits for them are outside its promise of compatibility, so all of them are in this file.

use super::cancel::Cancel;
use super::error::PostError;
use super::resolve;
use super::settings::Settings;
use super::tls::{self, TlsSessions, TlsStream};
use super::wire::Wire;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use ureq::Timeout;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};

/// The longest head of a response, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;
/// Head and body go out together where they fit into this, and otherwise in pieces of this size.
const OUTPUT: usize = 16 * 1024;
/// With less room than this left the output goes out.
const LEAST_ROOM: usize = 1024;
/// An ACS that takes fewer bytes in a second than this is too slow.
const SLOWEST: u64 = 4096;
/// Longer than any session: whether a connection is still there is seen when it is used.
const IDLE: Duration = Duration::from_secs(24 * 3600);

/// Makes the connections of one session and sees what happens on them.
pub(super) struct Link {
    settings: Settings,
    sessions: TlsSessions,
    cancel: Cancel,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: u32,
    heard: bool,
    local: Option<IpAddr>,
}

impl Link {
    pub(super) fn new(settings: Settings, sessions: TlsSessions, cancel: Cancel) -> Self {
        Self { settings, sessions, cancel, seen: Mutex::default() }
    }

    /// The agent of ureq on top of these connections, with everything off that is done elsewhere. `whole_body` is how long the body of an
    /// answer may take; each wait for a piece of it has the timeout of the settings in any case.
    pub(super) fn agent(self: &Arc<Self>, whole_body: Option<Duration>) -> ureq::Agent {
        use ureq::config::AutoHeaderValue::None as Absent;
        let timeout = Some(self.settings.timeout);
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .accept(Absent)
            .accept_encoding(Absent)
            .user_agent(Absent)
            .timeout_recv_response(timeout)
            .timeout_recv_body(whole_body)
            .max_response_header_size(LONGEST_HEAD)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(IDLE)
            .build();
        ureq::Agent::with_parts(config, Door(Arc::clone(self)), NotHere)
    }

    /// An exchange begins. Returns what [`Link::was_stale`] wants to know.
    pub(super) fn begin(&self) -> u32 {
        let mut seen = self.seen();
        seen.heard = false;
        seen.connections
    }

    /// Whether the exchange since [`Link::begin`] was made on a connection that was there already, and not a byte came back.
    pub(super) fn was_stale(&self, begin: u32) -> bool {
        let seen = self.seen();
        seen.connections == begin && !seen.heard
    }

    /// The address of this end of the last connection.
    pub(super) fn local_address(&self) -> Option<IpAddr> {
        self.seen().local
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self, uri: &Uri) -> Result<Stream, PostError> {
        let settings = &self.settings;
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let addresses = resolve::addresses(&settings.resolver, (host, port), settings.timeout, &self.cancel)?;
        let wire = Wire::connect(&addresses, settings.timeout, settings.bind_device.as_deref(), &self.cancel)?;
        {
            let mut seen = self.seen();
            seen.connections = seen.connections.wrapping_add(1);
            seen.local = wire.local_address().map(|address| address.ip());
        }
        if secure {
            Ok(Stream::Tls(Box::new(self.sessions.connect(settings, host, wire)?)))
        } else {
            Ok(Stream::Plain(wire))
        }
    }
}

/// ureq's way to ask for a connection.
struct Door(Arc<Link>);

impl Connector for Door {
    type Out = Line;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Line>, ureq::Error> {
        let stream = self.0.connect(details.uri).map_err(|error| ureq::Error::Other(Box::new(error)))?;
        let buffers = Buffer { input: LazyBuffers::new(LONGEST_HEAD + LEAST_ROOM, 1), output: Vec::new(), pending: 0 };
        Ok(Some(Line { link: Arc::clone(&self.0), stream, buffers, sending: None, broken: false }))
    }
}

/// Resolving belongs to connecting here, so ureq is told nothing.
#[derive(Debug)]
struct NotHere;

impl Resolver for NotHere {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// A connection, encrypted or not.
pub(super) enum Stream {
    Plain(Wire),
    Tls(Box<TlsStream>),
}

impl Stream {
    pub(super) fn wait_until(&mut self, deadline: Option<Instant>) {
        let wire = match self {
            Self::Plain(wire) => wire,
            Self::Tls(stream) => stream.wire(),
        };
        wire.deadline = deadline;
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(wire) => wire.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    pub(super) fn write_all(&mut self, buffer: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(wire) => wire.write_all(buffer),
            Self::Tls(stream) => stream.write_all(buffer).and_then(|()| stream.flush()),
        }
    }
}

/// One connection, as ureq uses it.
struct Line {
    link: Arc<Link>,
    stream: Stream,
    buffers: Buffer,
    /// When the request began to go out, and how much of it has.
    sending: Option<(Instant, u64)>,
    /// The ACS takes no more. It may have answered before that, so what it sent is read first.
    broken: bool,
}

impl Line {
    /// Sends what has gathered.
    fn flush(&mut self) -> Result<(), ureq::Error> {
        let pending = std::mem::take(&mut self.buffers.pending);
        if pending == 0 || self.broken {
            return Ok(());
        }
        let now = Instant::now();
        let timeout = self.link.settings.timeout;
        let (begin, sent) = self.sending.get_or_insert((now, 0));
        *sent = sent.saturating_add(u64::try_from(pending).unwrap_or(u64::MAX));
        // Each piece has its time, and all of them together have no more than the slowest ACS needs.
        let whole = begin.checked_add(timeout + Duration::from_secs(*sent / SLOWEST));
        self.stream.wait_until(whole.min(now.checked_add(timeout)));
        match self.stream.write_all(self.buffers.output.get(..pending).unwrap_or_default()) {
            Err(error) if is_disconnect(error.kind()) => {
                self.broken = true;
                Ok(())
            }
            result => result.map_err(|error| self.explain(error, Timeout::SendBody)),
        }
    }

    fn explain(&self, error: io::Error, reason: Timeout) -> ureq::Error {
        if let Some(error) = tls::explain(&error, &self.link.settings.ca_file) {
            return ureq::Error::Other(Box::new(error));
        }
        match error.kind() {
            io::ErrorKind::TimedOut => ureq::Error::Timeout(reason),
            _ => ureq::Error::Io(error),
        }
    }
}

/// Whether this is what the end of a connection looks like.
pub(super) fn is_disconnect(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::NotConnected
            | io::ErrorKind::UnexpectedEof
    )
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    /// Gathers head and body, so that they go out in one write (one packet, one TLS record) where they fit.
    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.buffers.pending = self.buffers.pending.saturating_add(amount);
        if self.buffers.pending.saturating_add(LEAST_ROOM) > OUTPUT { self.flush() } else { Ok(()) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.flush()?;
        self.sending = None;
        // Without a limit on the whole, ureq would wait for ever.
        let longest = (*timeout.after).min(self.link.settings.timeout);
        self.stream.wait_until(Instant::now().checked_add(longest));
        let amount = self
            .stream
            .read(self.buffers.input.input_append_buf())
            .map_err(|error| self.explain(error, timeout.reason))?;
        self.buffers.input.input_appended(amount);
        if amount > 0 {
            self.link.seen().heard = true;
        }
        Ok(amount > 0)
    }

    /// Open is a connection on which nothing more has come: neither its end nor bytes that nobody asked for.
    fn is_open(&mut self) -> bool {
        self.stream.wait_until(None);
        let read = self.stream.read(&mut [0]);
        !self.broken && read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Stream::Tls(stream) = &mut self.stream {
            stream.close();
        }
    }
}

/// Input as ureq has it, and output that gathers.
struct Buffer {
    input: LazyBuffers,
    output: Vec<u8>,
    pending: usize,
}

impl Buffers for Buffer {
    fn output(&mut self) -> &mut [u8] {
        self.tmp_and_output().1
    }

    fn input(&self) -> &[u8] {
        self.input.input()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.input.input_append_buf()
    }

    fn input_appended(&mut self, amount: usize) {
        self.input.input_appended(amount);
    }

    fn input_consume(&mut self, amount: usize) {
        self.input.input_consume(amount);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.output.resize(OUTPUT, 0);
        (self.input.input_append_buf(), self.output.get_mut(self.pending..).unwrap_or_default())
    }

    fn can_use_input(&self) -> bool {
        self.input.can_use_input()
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}
