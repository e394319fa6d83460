//! Keeps the connection to an XMPP server (TR-069a6 Annex K; CONFORMANCE K-05), from a thread that is there only while one is to be kept.
//!
//! The thread waits for the server alone: it wakes up when something comes, for the keep-alive, and when it is told to end. Each wait has the
//! `http_timeout` of the configuration: for the connection, for TLS, for the server to take what is sent and to answer a keep-alive.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::agent::{Found, Target};
use super::{Shared, fill_random, join, random, start};
use crate::acs::{Cancel, Channel, PostError, TlsSessions};
use crate::connreq::limits::Allowance;
use crate::connreq::xmpp::login::{Account, Login, Step, Trouble};
use crate::connreq::xmpp::srv;
use crate::connreq::xmpp::stream::{Piece, Pieces};
use crate::connreq::xmpp::{PORT, stanza};
use crate::cwmp::retry::Retry;
use crate::dns::{self, Server};
use crate::model::context::XmppFacts;
use crate::platform::System;

/// A connection that has lasted this long was a good one: the next failure is the first again.
const LASTING: Duration = Duration::from_secs(60);
/// Longer than anybody waits.
const FAR: Duration = Duration::from_secs(24 * 3600);
/// How long it rests when the thread could not be started.
const AGAIN: Duration = Duration::from_secs(60);
/// What is read at once, in bytes.
const PIECE: usize = 2048;
/// A server that sends more is read more slowly: so many reads at once, and then one more an interval.
const READS: (u32, Duration) = (128, Duration::from_millis(100));
/// How often a name server is asked, and how long it may take.
const ASKED: u32 = 2;
const TOLD: Duration = Duration::from_secs(3);

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The thread, and what it works for.
#[derive(Default)]
pub struct Keeper {
    running: Option<Running>,
    again_at: Option<Duration>,
}

struct Running {
    target: Target,
    cancel: Cancel,
    over: Arc<AtomicBool>,
    worker: Option<JoinHandle<()>>,
}

/// How far a connection came.
enum Reached {
    Nobody,
    Server,
    /// The login, at this time.
    Bound(Instant),
}

/// Says that the thread is through, however its end comes.
struct Leaving(Arc<Shared>, Arc<AtomicBool>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.1.store(true, Ordering::SeqCst);
        self.0.wake();
    }
}

impl Keeper {
    /// Starts the thread, or lets it end, as the settings want it. What a session changes takes effect when it is over.
    pub fn follow(&mut self, shared: &Arc<Shared>) {
        let (wanted, now) = {
            let agent = shared.lock();
            if agent.in_session() {
                return;
            }
            let working = |it: &Running| !it.over.load(Ordering::SeqCst) && agent.xmpp_target() == Some(&it.target);
            if self.running.as_ref().is_some_and(working) {
                return;
            }
            (agent.xmpp_target().cloned(), agent.live().monotonic())
        };
        if let Some(running) = &mut self.running {
            if !running.over.load(Ordering::SeqCst) {
                running.cancel.cancel();
                // Its end wakes the loop.
                return;
            }
            join(&mut running.worker, "XMPP");
            // An end that nobody has asked for: it could not be started, or it has died.
            self.again_at = (wanted.as_ref() == Some(&running.target)).then(|| now.saturating_add(AGAIN));
            self.running = None;
        }
        let Some(target) = wanted else {
            self.again_at = None;
            return;
        };
        if self.again_at.is_some_and(|at| now < at) {
            return;
        }
        self.again_at = None;
        let Ok(cancel) = Cancel::new() else {
            self.again_at = Some(now.saturating_add(AGAIN));
            return;
        };
        let over = Arc::new(AtomicBool::new(false));
        let leaving = Leaving(shared.clone(), over.clone());
        let (job, stop) = (target.clone(), cancel.clone());
        // Where it cannot be started it is over at once.
        let worker = start("xmpp", Box::new(move || keep(&leaving.0, &job, &stop)));
        self.running = Some(Running { target, cancel, over, worker });
    }

    /// When [`Self::follow`] is to be called.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.again_at
    }
}

/// Keeps a connection until it is cancelled.
fn keep(shared: &Shared, target: &Target, cancel: &Cancel) {
    let sessions = TlsSessions::default();
    let mut retry = Retry::default();
    let (mut known, mut place, mut failures) = (Vec::new(), 0_usize, 0_u32);
    loop {
        tell(shared, "Connecting", "");
        let mut reached = Reached::Nobody;
        if place >= known.len() {
            (known, place) = (servers(shared, target, cancel), 0);
        }
        let choice = known.get(place);
        let (status, trouble) = match choice {
            None => ("Error_Misconfigured", String::from("no server in its table is enabled")),
            Some(server) => {
                let trouble = connect(shared, target, server, &sessions, cancel, &mut reached);
                let status = match reached {
                    Reached::Nobody => "ServerNotPresent",
                    _ if trouble.authentication => "Error_AuthenticationFailure",
                    _ => "Error",
                };
                (status, trouble.text)
            }
        };
        if cancel.is_cancelled() {
            return;
        }
        tell(shared, status, &trouble);
        if matches!(reached, Reached::Bound(at) if at.elapsed() >= LASTING) {
            (retry, failures) = (Retry::default(), 0);
            known.clear();
        }
        retry.failed(None);
        failures = failures.saturating_add(1);
        if failures >= target.attempts {
            place = place.saturating_add(1);
            failures = 0;
            if known.len() > 1 {
                retry = Retry::default();
            }
        }
        let (initial, multiplier, longest) = target.retry;
        let wait = retry.wait(initial, multiplier, random()).min(Duration::from_secs(longest.into()));
        log::warn!("no connection to the XMPP server: {trouble}; the next try is in {} s", wait.as_secs());
        cancel.wait(wait);
        if cancel.is_cancelled() {
            return;
        }
    }
}

/// The connection is not there, and has this status. The loop sleeps, and is to look whether the ACS wants to hear of it.
fn tell(shared: &Shared, status: &'static str, trouble: &str) {
    shared.lock().xmpp_is(status, false, trouble);
    shared.wake();
}

/// The servers, in the order in which they are tried.
fn servers(shared: &Shared, target: &Target, cancel: &Cancel) -> Vec<Server> {
    let domain = &target.account.domain;
    let mut servers = match &target.found {
        Found::Table(servers) => servers.clone(),
        Found::Dns(srv) => {
            let mut servers = if *srv { ask_dns(shared, domain, cancel) } else { Vec::new() };
            if servers.is_empty() {
                // RFC 6120 3.2.2
                servers.push(Server { priority: 0, weight: 0, host: domain.clone(), port: PORT });
            }
            servers
        }
    };
    srv::order(&mut servers, &mut random);
    servers
}

/// What the name servers of the router know of a domain's servers; nothing where none of them answers.
fn ask_dns(shared: &Shared, domain: &str, cancel: &Cancel) -> Vec<Server> {
    let live = shared.lock().live().clone();
    let text = live.read_file(RESOLV_CONF, 64 << 10).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    for address in dns::name_servers(&text).into_iter().take(3) {
        for _ in 0..ASKED {
            if cancel.is_cancelled() {
                return Vec::new();
            }
            let id = u16::try_from(random() >> 16).unwrap_or(0);
            let Some(question) = srv::question(id, domain) else { return Vec::new() };
            if let Some(servers) = ask(address, id, domain, &question) {
                return servers;
            }
        }
    }
    log::debug!("no name server tells the XMPP servers of {domain}");
    Vec::new()
}

/// One question to one name server.
fn ask(address: IpAddr, id: u16, domain: &str, question: &[u8]) -> Option<Vec<Server>> {
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    // Only that address is heard.
    socket.connect((address, 53)).ok()?;
    socket.send(question).ok()?;
    let end = Instant::now() + TOLD;
    let mut buffer = [0; 1500];
    loop {
        let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        socket.set_read_timeout(Some(left)).ok()?;
        let length = socket.recv(&mut buffer).ok()?;
        if let Some(servers) = srv::servers(id, domain, buffer.get(..length)?) {
            return Some(servers);
        }
    }
}

/// One connection, from its beginning to its end; tells why it ended, and how far it came.
fn connect(
    shared: &Shared,
    target: &Target,
    server: &Server,
    sessions: &TlsSessions,
    cancel: &Cancel,
    reached: &mut Reached,
) -> Trouble {
    let (account, settings, facts) = {
        let agent = shared.lock();
        (agent.xmpp_account(target), agent.xmpp_settings(), agent.xmpp_facts())
    };
    log::debug!("connecting to the XMPP server {}:{}", server.host, server.port);
    let timeout = settings.timeout;
    let channel = Channel::connect(settings, (&server.host, server.port), "the XMPP server", cancel);
    let channel = match channel {
        Ok(channel) => channel,
        Err(error) => return failed(&error),
    };
    *reached = Reached::Server;
    let mut nonce = [0; 16];
    fill_random(&mut nonce);
    let login = Login::new(account.clone(), format!("{:032x}", u128::from_be_bytes(nonce)));
    let talk = Talk { shared, target, account, channel, login, pieces: Pieces::default(), facts, timeout, reached };
    match talk.run(sessions, cancel) {
        Ok(never) => match never {},
        Err(trouble) => trouble,
    }
}

fn failed(error: &PostError) -> Trouble {
    Trouble::new(error.to_string())
}

/// A connection.
struct Talk<'a> {
    shared: &'a Shared,
    target: &'a Target,
    account: Account,
    channel: Channel,
    login: Login,
    pieces: Pieces,
    facts: Arc<XmppFacts>,
    /// How long the server may take to answer, and half of how long it may take for the whole login.
    timeout: Duration,
    reached: &'a mut Reached,
}

impl Talk<'_> {
    fn run(mut self, sessions: &TlsSessions, cancel: &Cancel) -> Result<Infallible, Trouble> {
        let began = Instant::now();
        let (burst, interval) = READS;
        let mut reads = Allowance::new(burst, interval);
        let mut heard = began;
        let mut asked = None;
        let mut buffer = [0; PIECE];
        self.send(&self.login.opening())?;
        loop {
            let quiet = match (self.login.is_bound(), asked, self.target.keep_alive) {
                (false, ..) => began + 2 * self.timeout,
                (true, Some(asked), _) => asked + self.timeout,
                (true, None, keep_alive) => heard + keep_alive.unwrap_or(FAR).min(FAR),
            };
            if !self.login.is_bound() && Instant::now() >= quiet {
                return Err(Trouble::new("the XMPP server did not finish the login in time"));
            }
            match self.channel.read(&mut buffer, quiet) {
                Ok(0) => return Err(Trouble::new("the XMPP server closed the connection")),
                Ok(length) => {
                    heard = Instant::now();
                    asked = None;
                    self.pieces.push(buffer.get(..length).unwrap_or_default());
                }
                Err(error) if error.kind() == ErrorKind::TimedOut && self.login.is_bound() => {
                    if asked.is_some() {
                        return Err(Trouble::new("the XMPP server does not answer any more"));
                    }
                    if self.target.keep_alive.is_some() {
                        self.send_stanza(&self.login.ping(), false)?;
                        asked = Some(Instant::now());
                    }
                    heard = Instant::now();
                    continue;
                }
                Err(_) if cancel.is_cancelled() => {
                    // It is over whether this arrives or not.
                    let _ = self.channel.write(stanza::CLOSING);
                    return Err(Trouble::new("it is not wanted any more"));
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => continue,
                // The same end beneath TLS, of which the other side has not said that it comes.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Err(Trouble::new("the XMPP server closed the connection"));
                }
                Err(error) => return Err(Trouble::new(format!("the connection broke: {error}"))),
            }
            self = self.take_all(sessions)?;
            // Who floods the agent fills the buffers of the network and not its time.
            while !reads.take(began.elapsed()) {
                cancel.wait(interval);
                if cancel.is_cancelled() {
                    break;
                }
            }
        }
    }

    /// Takes what has come.
    fn take_all(mut self, sessions: &TlsSessions) -> Result<Self, Trouble> {
        loop {
            let piece = self.pieces.take().map_err(|broken| Trouble::new(broken.to_string()))?;
            let Some(piece) = piece else { return Ok(self) };
            self.count(&piece);
            match self.login.take(piece)? {
                Step::Nothing => {}
                Step::Send(bytes) => self.send_stanza(&bytes, false)?,
                Step::Answer(id, to, error) => {
                    self.send_stanza(&stanza::answer(&id, &to, error), error.is_some())?;
                }
                Step::StartTls => {
                    // What came in the clear behind the agreement is of somebody in between (RFC 6120 5.3.5).
                    if !self.pieces.is_empty() {
                        return Err(Trouble::new("the XMPP server goes on without TLS"));
                    }
                    self.channel =
                        self.channel.start_tls(sessions, &self.account.domain).map_err(|error| failed(&error))?;
                    self.reopen()?;
                }
                Step::Restart => self.reopen()?,
                Step::Bound(jid) => {
                    *self.reached = Reached::Bound(Instant::now());
                    self.shared.lock().xmpp_bound(self.target, &jid, self.login.is_secure());
                    self.shared.wake();
                }
                Step::Asked(request) => {
                    let refused = self.shared.lock().xmpp_requested(&request).err();
                    let answer = stanza::answer(&request.id, &request.from, refused.map(|reason| reason.condition()));
                    // The session comes after the answer, whatever becomes of that.
                    let sent = self.send_stanza(&answer, refused.is_some());
                    self.shared.wake();
                    sent?;
                }
            }
        }
    }

    fn reopen(&mut self) -> Result<(), Trouble> {
        self.pieces = Pieces::default();
        self.send(&self.login.opening())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.channel.write(bytes).map_err(|error| Trouble::new(format!("the connection broke: {error}")))
    }

    fn send_stanza(&mut self, bytes: &[u8], error: bool) -> Result<(), Trouble> {
        self.send(bytes)?;
        if bytes.starts_with(b"<iq") {
            self.counted(1, error);
        }
        Ok(())
    }

    fn count(&self, piece: &Piece) {
        if let Piece::Stanza(stanza) = piece {
            if matches!(stanza.local(), "iq" | "message" | "presence") {
                self.counted(0, stanza.attribute("type") == "error");
            }
        }
    }

    /// Counts a stanza that came (0) or went (1).
    fn counted(&self, way: usize, error: bool) {
        let mut state = self.facts.lock();
        let counts = state.counts.iter_mut().skip(way).step_by(2);
        for count in counts.take(if error { 2 } else { 1 }) {
            *count = count.wrapping_add(1);
        }
    }
}
