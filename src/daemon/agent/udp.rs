//! Connection requests over UDP, and the way through NAT (TR-069a6 Annex G; CONFORMANCE U-01 to U-08): what the parameters want, what the datagrams
//! say, and what the model is told of it. The sockets are the poll loop's.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::super::fill_random;
use super::super::status::Status;
use super::Agent;
use crate::acs::Url;
use crate::config::Secret;
use crate::connreq::limits::Allowance;
use crate::connreq::udp::binding::{self, Binding, Datagram, Port};
use crate::connreq::udp::request::{Access, Reason, Requests};
use crate::connreq::udp::stun;
use crate::cwmp::answers::text_of;
use crate::device::management_server::UDP_ADDRESS;
use crate::model::context::{Context, Facts};
use crate::platform::System;
use crate::platform::net::is_link_local;

/// A port that cannot be had is tried again this much later.
const AGAIN: Duration = Duration::from_secs(60);

/// A mapped address that changes all the time is told so often: a few times at once, and then one a minute (CONFORMANCE U-08).
const TOLD_AT_ONCE: u32 = 3;
const TOLD_EACH: Duration = Duration::from_secs(60);

/// The parameters of STUN, while it is switched on.
#[derive(Clone, PartialEq, Eq)]
struct Settings {
    host: String,
    port: u16,
    binding: binding::Settings,
}

impl Settings {
    /// `None` while STUN is switched off, or nobody knows where the server is.
    fn read(context: &mut Context, acs: &str) -> Option<Self> {
        let mut read =
            |name: &str| text_of(context, &format!("Device.ManagementServer.STUN{name}")).unwrap_or_default();
        if read("Enable") != "true" {
            return None;
        }
        let host = match read("ServerAddress") {
            host if host.is_empty() => Url::parse(acs).ok()?.host,
            host => host.trim_start_matches('[').trim_end_matches(']').into(),
        };
        let port = read("ServerPort").parse().ok().filter(|port| *port != 0).unwrap_or(stun::PORT);
        let username = read("Username");
        let minimum = Duration::from_secs(read("MinimumKeepAlivePeriod").parse().unwrap_or(0));
        let maximum = read("MaximumKeepAlivePeriod").parse().ok().map(Duration::from_secs);
        // It is hidden from everybody who reads.
        let password = context.own("Device.ManagementServer.STUNPassword").unwrap_or_default();
        Some(Self { host, port, binding: binding::Settings { username, password, minimum, maximum } })
    }
}

/// What lives as long as the process.
pub(super) struct Udp {
    settings: Option<Settings>,
    /// Where datagrams are heard.
    local: Option<SocketAddr>,
    /// No port is opened before this time.
    again_at: Option<Duration>,
    /// While STUN is switched on and datagrams are heard.
    binding: Option<Binding>,
    /// Somebody looks for the address of the server.
    resolving: bool,
    requests: Requests,
    /// Those of the requests that were seen.
    credentials: (String, Secret),
    /// The last request that was refused: when, from where, and why.
    refused: Option<(Duration, SocketAddr, Reason)>,
    told: Allowance,
    /// The ACS does not hear of the address before this time.
    held_until: Option<Duration>,
}

impl Udp {
    /// With what was seen before a restart.
    pub(super) fn new(seen: &[String]) -> Self {
        Self {
            settings: None,
            local: None,
            again_at: None,
            binding: None,
            resolving: false,
            requests: Requests::new(seen),
            credentials: Default::default(),
            refused: None,
            told: Allowance::new(TOLD_AT_ONCE, TOLD_EACH),
            held_until: None,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let binding = self.binding.as_ref().and_then(|binding| match binding.wants_servers() {
            true => (!self.resolving).then_some(Duration::ZERO),
            false => binding.next_deadline(),
        });
        let again = self.again_at.filter(|_| self.local.is_none());
        [binding, again, self.held_until].into_iter().flatten().min()
    }

    /// Whether the ACS is not to hear of this parameter yet: it was told of too many values just now, or the next will be there in a moment.
    pub(super) fn holds_back(&self, name: &str) -> bool {
        let asks_first = |binding: &Binding| binding.mapped().is_none() && binding.trouble().is_empty();
        name == UDP_ADDRESS && (self.held_until.is_some() || self.binding.as_ref().is_some_and(asks_first))
    }

    fn mapped(&self) -> Option<SocketAddr> {
        self.binding.as_ref().and_then(Binding::mapped)
    }

    fn begin(&mut self) {
        let settings = self.settings.as_ref().zip(self.local);
        self.binding = settings.map(|(settings, local)| Binding::new(settings.binding.clone(), local));
    }
}

impl Agent {
    /// Takes over the parameters, and tells the model what is known (CONFORMANCE U-02).
    pub(super) fn facts_of_udp(&mut self, mut facts: Facts) -> Facts {
        self.configure_udp();
        let (mapped, local) = (self.udp.mapped(), self.udp.local);
        facts.udp_connection_request_address = mapped.or(local).map(|address| address.to_string()).unwrap_or_default();
        facts.nat_detected = mapped.is_some() && mapped != local;
        facts
    }

    fn configure_udp(&mut self) {
        let cpe = &self.config.cpe;
        if self.udp.credentials.0 != cpe.username || self.udp.credentials.1 != cpe.password {
            let is_known = !self.udp.credentials.1.0.is_empty();
            self.udp.credentials = (cpe.username.clone(), cpe.password.clone());
            if is_known {
                self.udp.requests.forget();
            }
        }
        let settings = Settings::read(&mut self.model.context(), &self.config.acs.url);
        if settings != self.udp.settings {
            self.udp.settings = settings;
            self.udp.begin();
        }
    }

    /// Tells a person.
    pub(super) fn report_udp(&self, mut status: Status) -> Status {
        let context = self.model.context();
        status.udp_connection_request_address.clone_from(&context.facts().udp_connection_request_address);
        status.nat_detected = context.facts().nat_detected;
        if let Some(binding) = &self.udp.binding {
            status.stun_trouble = binding.trouble().into();
            status.stun_period = Some(binding.period().as_secs());
        }
        if let Some((at, from, reason)) = &self.udp.refused {
            let ago = self.live.monotonic().saturating_sub(*at).as_secs();
            if !status.last_refusal.is_empty() {
                status.last_refusal.push_str("; ");
            }
            status.last_refusal += &format!("over UDP {ago} s ago, from {}: {}", from.ip(), reason.text());
        }
        status
    }

    /// Where datagrams are to be heard: one address, so that what comes to others does not count (CONFORMANCE C-13), and what is sent comes
    /// from it. The port is that of the other connection requests.
    #[must_use]
    pub fn udp_place(&mut self) -> Option<SocketAddr> {
        let cpe = &self.config.cpe;
        let now = self.live.monotonic();
        // Over is over, also where there is nothing to open any more: a time that is past would keep the loop awake.
        self.udp.again_at = self.udp.again_at.filter(|at| *at > now);
        if !cpe.enable || self.udp.again_at.is_some() {
            return None;
        }
        let listen = cpe.listen_address.parse().ok().filter(|address: &IpAddr| !address.is_unspecified());
        // A link-local address of IPv6 cannot be bound without its device, and no ACS gets there.
        let usable = self.interface.addresses.iter().filter(|it| it.is_ipv4() || !is_link_local(**it));
        let address = listen.or_else(|| usable.min_by_key(|it| it.is_ipv6()).copied())?;
        Some(SocketAddr::new(address, cpe.listen_port))
    }

    /// Datagrams are heard here from now on, or nowhere; an error is for a port that cannot be had.
    pub fn udp_opened(&mut self, opened: std::io::Result<Option<SocketAddr>>) {
        let now = self.live.monotonic();
        self.udp.again_at = None;
        let local = opened.unwrap_or_else(|error| {
            log::error!("cannot hear connection requests over UDP: {error}");
            self.udp.again_at = Some(now.saturating_add(AGAIN));
            None
        });
        self.udp.local = local;
        self.udp.begin();
        self.refresh_facts();
        self.look_soon();
    }

    /// The server whose addresses somebody is to look for now.
    pub fn stun_server(&mut self) -> Option<(String, u16)> {
        let wanted = self.udp.binding.as_ref().is_some_and(Binding::wants_servers);
        let settings = self.udp.settings.as_ref().filter(|_| wanted && !self.udp.resolving)?;
        self.udp.resolving = true;
        Some((settings.host.clone(), settings.port))
    }

    /// What somebody has found for this server.
    pub fn stun_resolved(&mut self, server: &(String, u16), found: &std::io::Result<Vec<SocketAddr>>) {
        self.udp.resolving = false;
        let now = self.live.monotonic();
        let still = self.udp.settings.as_ref().is_some_and(|it| (&it.host, it.port) == (&server.0, server.1));
        let Some(binding) = self.udp.binding.as_mut().filter(|binding| still && binding.wants_servers()) else {
            return;
        };
        let before = String::from(binding.trouble());
        match found {
            Ok(addresses) => binding.resolved(addresses, now),
            Err(error) => binding.unresolved(&format!("cannot resolve {}: {error}", server.0), now),
        }
        self.note_trouble(&before);
    }

    /// Does what is due; gives what is to be sent, and whether the second port is needed.
    pub fn poll_udp(&mut self) -> (Vec<Datagram>, bool) {
        let now = self.live.monotonic();
        if self.udp.held_until.is_some_and(|until| until <= now) {
            self.udp.held_until = None;
            self.look_soon();
        }
        let Some(binding) = &mut self.udp.binding else { return (Vec::new(), false) };
        let before = String::from(binding.trouble());
        let out = binding.poll(now, &mut || {
            let mut id = [0; 16];
            fill_random(&mut id);
            id
        });
        let trying = binding.is_trying();
        self.note_trouble(&before);
        (out, trying)
    }

    /// A datagram has come.
    pub fn udp_received(&mut self, by: Port, from: SocketAddr, bytes: &[u8]) {
        if stun::is_stun(bytes) {
            self.stun_received(by, from, bytes);
        } else if by == Port::Primary {
            self.udp_requested(from, bytes);
        }
    }

    fn stun_received(&mut self, by: Port, from: SocketAddr, bytes: &[u8]) {
        let now = self.live.monotonic();
        let Some(binding) = &mut self.udp.binding else { return };
        let (before, trouble) = (binding.mapped(), String::from(binding.trouble()));
        binding.received(by, from, bytes, now);
        let mapped = binding.mapped();
        self.note_trouble(&trouble);
        if before != mapped {
            if let Some(mapped) = mapped {
                log::info!("the STUN server {from} sees the port of connection requests at {mapped}");
            }
            if before.is_some() && !self.udp.told.take(now) && self.udp.held_until.is_none() {
                self.udp.held_until = Some(now.saturating_add(TOLD_EACH));
            }
            self.refresh_facts();
            self.look_soon();
        }
    }

    /// Nobody is answered, and most of what comes is worth no line in the log.
    fn udp_requested(&mut self, from: SocketAddr, bytes: &[u8]) {
        let now = self.live.monotonic();
        let cpe = &self.config.cpe;
        let access = Access { username: &cpe.username, password: &cpe.password.0 };
        match self.udp.requests.judge(bytes, access, now) {
            Ok(()) => {
                self.saved.udp_seen = self.udp.requests.seen();
                self.connection_requested(from.ip().to_canonical());
                self.save();
            }
            // Each request of an ACS has its copies.
            Err(reason @ (Reason::Old | Reason::Malformed)) => log::debug!("a datagram of {from}: {}", reason.text()),
            Err(reason) => {
                log::debug!("UDP connection request of {from}: {}", reason.text());
                self.udp.refused = Some((now, from, reason));
            }
        }
    }

    /// A new trouble is worth a line in the log, and the address is what it is for now.
    fn note_trouble(&mut self, before: &str) {
        let now = self.udp.binding.as_ref().map(Binding::trouble).unwrap_or_default();
        if !now.is_empty() && before != now {
            log::warn!("{now}");
            self.look_soon();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_port_that_could_not_be_had_and_is_not_wanted_any_more_keeps_nobody_awake() {
        let (_root, _lock, mut agent) = sample("config cpe 'cpe'\n\toption listen_address '127.0.0.1'\n");
        assert!(agent.udp_place().is_some());
        agent.udp_opened(Err(std::io::ErrorKind::AddrInUse.into()));
        assert!(agent.udp_place().is_none() && agent.udp.next_deadline().is_some(), "it is tried again later");
        agent.config.cpe.enable = false;
        agent.udp.again_at = Some(Duration::ZERO);
        assert!(agent.udp_place().is_none());
        assert_eq!(agent.udp.next_deadline(), None);
    }
}
