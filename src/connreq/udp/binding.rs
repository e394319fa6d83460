//! The way through NAT: asks a STUN server where the port of connection requests is seen from, tells it of changes, and keeps the way open
//! (TR-069a6 G.2.1, RFC 3489 9; CONFORMANCE U-01 to U-04, SECURITY S23).
//!
//! ```text
//!             +--------------- no address, no answer, refused: later ----------------.
//!             v                                                                      |
//!   +------------+  addresses  +--------+   answer    +---------+  time to use it    |
//!   | Unresolved | ----------> | Asking | ----------> | Resting | ---> Asking        |
//!   +------------+             +--------+             +---------+  time to try it    |
//!                                | |  ^                    ^      ---> Trying        |
//!                                | |  | another address,   |             |           |
//!                                | |  | 401, other mapping | no server   | over      |
//!                                | '--' --------------------------------'           |
//!                                '---------------------------------------------------'
//! ```
//!
//! Free of IO: time is monotonic and passed in, random numbers come from a function, datagrams go in and out. Everything leaves from the port
//! of connection requests, but for the requests of a trial (see [`super::lifetime`]), which leave from a second port.
//!
//! An answer counts only if it comes from the address that was asked, by the port that it is awaited at, with the id of the request, and signed if the
//! request was: whatever else comes is passed over.

use std::net::SocketAddr;
use std::time::Duration;

use super::lifetime::{Lifetime, Step};
use super::stun::{
    BINDING_CHANGE, Builder, CONNECTION_REQUEST_BINDING, Kind, Message, RESPONSE_ADDRESS, TR_111, TransactionId,
    USERNAME,
};

/// A request is sent again after 100 ms, then after twice as long each time, up to this (RFC 3489 9.3).
const SLOWEST: Duration = Duration::from_millis(1600);
const FASTEST: Duration = Duration::from_millis(100);

/// How often it is sent; nobody waits for an answer to the last for more than [`SLOWEST`].
const SENDINGS: u8 = 9;

/// The same for a trial, all in the patience that there is for one: what it takes longer is not found out.
const TRIAL_SENDINGS: u8 = 5;

/// The longest pause after servers did not answer, unless the keep-alive period is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// The most addresses of a server that are tried.
const MOST_SERVERS: usize = 8;

/// What the ACS has set.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// STUNUsername; empty: no request is signed.
    pub username: String,
    /// STUNPassword
    pub password: String,
    /// STUNMinimumKeepAlivePeriod
    pub minimum: Duration,
    /// STUNMaximumKeepAlivePeriod; `None` for -1.
    pub maximum: Option<Duration>,
}

/// One of the sockets of the agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Port {
    /// That of connection requests.
    Primary,
    /// One that is there for a trial only.
    Secondary,
}

/// What is to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Datagram {
    /// By which socket.
    pub by: Port,
    /// Where.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// A request that waits for its answer.
struct Exchange {
    id: TransactionId,
    bytes: Vec<u8>,
    server: SocketAddr,
    /// It has MESSAGE-INTEGRITY.
    signed: bool,
    /// It has BINDING-CHANGE.
    change: bool,
    sent: u8,
    /// When it is sent again or given up.
    at: Duration,
}

/// What follows a rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Ask,
    Try,
}

enum State {
    /// Waits for the addresses of the server.
    Unresolved,
    /// Nothing is to be done before this time, and then this.
    Resting(Duration, Next),
    /// Waits for the answer to a request by the primary port.
    Asking(Exchange),
    /// Waits for an answer by the primary port to a request by the secondary one.
    Trying(Exchange),
}

/// The way through NAT.
pub struct Binding {
    settings: Settings,
    local: SocketAddr,
    state: State,
    servers: Vec<SocketAddr>,
    /// The one that is asked.
    server: usize,
    mapped: Option<SocketAddr>,
    /// The server has not heard of the mapped address being another one.
    change: bool,
    /// The server wants requests to be signed.
    challenged: bool,
    lifetime: Lifetime,
    /// How often in a row no server was of use.
    failures: u32,
    trouble: String,
}

impl Binding {
    /// For connection requests to this address of the router.
    #[must_use]
    pub fn new(settings: Settings, local: SocketAddr) -> Self {
        Self {
            lifetime: Lifetime::new(settings.minimum, settings.maximum),
            settings,
            local,
            state: State::Unresolved,
            servers: Vec::new(),
            server: 0,
            mapped: None,
            change: false,
            challenged: false,
            failures: 0,
            trouble: String::new(),
        }
    }

    /// Where the server has seen the port of connection requests last; `None` before it has.
    #[must_use]
    pub fn mapped(&self) -> Option<SocketAddr> {
        self.mapped
    }

    /// What goes wrong at present, as a clause for a person; empty for nothing.
    #[must_use]
    pub fn trouble(&self) -> &str {
        &self.trouble
    }

    /// How often the way is used at present.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.lifetime.period()
    }

    /// Whether it waits for [`Self::resolved`] or [`Self::unresolved`].
    #[must_use]
    pub fn wants_servers(&self) -> bool {
        matches!(self.state, State::Unresolved)
    }

    /// Whether a trial is under way, so that the secondary port is needed.
    #[must_use]
    pub fn is_trying(&self) -> bool {
        matches!(self.state, State::Trying(_))
    }

    /// When [`Self::poll`] has something to do, if nothing comes in before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        match &self.state {
            State::Unresolved => None,
            State::Resting(until, _) => Some(*until),
            State::Asking(exchange) | State::Trying(exchange) => Some(exchange.at),
        }
    }

    /// The addresses of the server.
    pub fn resolved(&mut self, servers: &[SocketAddr], now: Duration) {
        let fitting = servers.iter().filter(|server| server.is_ipv4() == self.local.is_ipv4());
        self.servers = fitting.copied().take(MOST_SERVERS).collect();
        self.server = 0;
        match self.servers.is_empty() {
            true => self.unresolved("the STUN server has no address of the family of the connection request port", now),
            false => self.state = State::Resting(now, Next::Ask),
        }
    }

    /// There is no address of the server, for this reason.
    pub fn unresolved(&mut self, reason: &str, now: Duration) {
        self.servers.clear();
        self.failed(String::from(reason), now);
    }

    /// Does what is due, and gives what is to be sent.
    pub fn poll(&mut self, now: Duration, random: &mut dyn FnMut() -> TransactionId) -> Vec<Datagram> {
        let mut out = Vec::new();
        // A state that is over is followed by one with a time of its own, so that this ends.
        while self.next_deadline().is_some_and(|at| at <= now) {
            match &mut self.state {
                State::Unresolved => {}
                State::Resting(_, next) => {
                    let next = *next;
                    self.begin(next, now, random);
                }
                State::Asking(exchange) if exchange.sent < SENDINGS => out.push(exchange.send(Port::Primary, now)),
                State::Trying(exchange) if exchange.sent < TRIAL_SENDINGS => {
                    out.push(exchange.send(Port::Secondary, now));
                }
                State::Asking(exchange) => {
                    let text = format!("the STUN server {} does not answer", exchange.server);
                    self.next_server(text, now);
                }
                State::Trying(_) => self.tried(false, now),
            }
        }
        out
    }

    /// The rest is over.
    fn begin(&mut self, next: Next, now: Duration, random: &mut dyn FnMut() -> TransactionId) {
        let Some(server) = self.servers.get(self.server).copied() else {
            self.state = State::Unresolved;
            return;
        };
        let id = random();
        let request = Builder::new(Kind::Request, &id);
        let change = self.change && next == Next::Ask;
        let mut request = match (next, self.mapped) {
            (Next::Try, Some(mapped)) => request.address(RESPONSE_ADDRESS, mapped),
            _ => request.attribute(CONNECTION_REQUEST_BINDING, TR_111),
        };
        if change {
            request = request.attribute(BINDING_CHANGE, &[]);
        }
        let bytes = match self.challenged {
            true => {
                let request = request.attribute(USERNAME, self.settings.username.as_bytes());
                request.finish_signed(&self.settings.password)
            }
            false => request.finish(),
        };
        let exchange = Exchange { id, bytes, server, signed: self.challenged, change, sent: 0, at: now };
        self.state = match next {
            Next::Ask => State::Asking(exchange),
            Next::Try => State::Trying(exchange),
        };
    }

    /// Takes a datagram that has come by one of the ports.
    pub fn received(&mut self, by: Port, from: SocketAddr, bytes: &[u8], now: Duration) {
        let (State::Asking(exchange) | State::Trying(exchange)) = &self.state else { return };
        if from != exchange.server {
            return;
        }
        let Ok(message) = Message::parse(bytes) else { return };
        let signed = message.is_signed_with(&self.settings.password);
        // An error may come from a server that does not know the password (RFC 3489 9.4).
        let is_unproven = exchange.signed && !signed && (message.kind != Kind::Error || message.is_signed());
        if message.id != exchange.id || is_unproven {
            return;
        }
        let (exchange_signed, change) = (exchange.signed, exchange.change);
        match (&self.state, by, message.kind) {
            (State::Trying(_), Port::Primary, Kind::Response) => self.tried(true, now),
            (State::Trying(_), _, Kind::Response | Kind::Error) => self.tried(false, now),
            (State::Asking(_), Port::Primary, Kind::Response) => {
                if let Some(mapped) = message.mapped_address() {
                    self.answered(mapped, change, now);
                }
            }
            (State::Asking(_), Port::Primary, Kind::Error) => match message.error_code() {
                Some(401) if !exchange_signed && !self.settings.username.is_empty() => {
                    self.challenged = true;
                    self.state = State::Resting(now, Next::Ask);
                }
                code => {
                    let text = format!("the STUN server {from} refuses requests: error {}", code.unwrap_or(0));
                    self.next_server(text, now);
                }
            },
            _ => {}
        }
    }

    /// The server has seen the primary port at this address.
    fn answered(&mut self, mapped: SocketAddr, told: bool, now: Duration) {
        self.failures = 0;
        self.trouble.clear();
        if self.mapped == Some(mapped) {
            self.change &= !told;
        } else {
            self.mapped = Some(mapped);
            self.change = true;
            self.lifetime.rebound();
        }
        // A NAT with another address for each request is told of no faster than the way is used.
        self.state = if self.change && !told { State::Resting(now, Next::Ask) } else { self.rest(now) };
    }

    /// A trial is over.
    fn tried(&mut self, alive: bool, now: Duration) {
        let calibrated = self.lifetime.step() == Step::Try(Duration::ZERO);
        if alive {
            self.lifetime.alive()
        } else {
            self.lifetime.dead()
        }
        if let Step::Keep(period) = self.lifetime.step() {
            log::info!("NAT keeps the way open as long as it is used each {} s", period.as_secs());
        }
        // Whether the way has survived its rest or not, now it has to be used; before, it had been just now.
        self.state = if calibrated { self.rest(now) } else { State::Resting(now, Next::Ask) };
    }

    /// The way has been used.
    fn rest(&self, now: Duration) -> State {
        match self.lifetime.step() {
            Step::Keep(rest) => State::Resting(now.saturating_add(rest), Next::Ask),
            Step::Try(rest) => State::Resting(now.saturating_add(rest), Next::Try),
        }
    }

    fn next_server(&mut self, text: String, now: Duration) {
        self.server = self.server.saturating_add(1);
        match self.server < self.servers.len() {
            true => self.state = State::Resting(now, Next::Ask),
            false => self.failed(text, now),
        }
    }

    /// No server is of use: they are looked for again later, and later each time.
    fn failed(&mut self, trouble: String, now: Duration) {
        self.servers.clear();
        self.server = 0;
        self.challenged = false;
        let period = self.lifetime.period();
        let pause = period.saturating_mul(1 << self.failures.min(8)).min(LONGEST_PAUSE.max(period));
        let pause = self.settings.maximum.map_or(pause, |maximum| pause.min(maximum.max(period)));
        self.failures = self.failures.saturating_add(1);
        self.trouble = trouble;
        self.state = State::Resting(now.saturating_add(pause), Next::Ask);
    }
}

impl Exchange {
    /// Sends it once more.
    fn send(&mut self, by: Port, now: Duration) -> Datagram {
        let wait = FASTEST.saturating_mul(1 << self.sent.min(4)).min(SLOWEST);
        self.sent = self.sent.saturating_add(1);
        self.at = now.saturating_add(wait);
        Datagram { by, to: self.server, bytes: self.bytes.clone() }
    }
}

#[cfg(test)]
mod tests;
