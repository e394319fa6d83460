//! Which XMPP connection is to be kept, what becomes of it, and of the requests that come over it (TR-069a6 Annex K; CONFORMANCE K-01 to K-05).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Agent, Interface, reachable};
use crate::acs;
use crate::connreq::xmpp::PORT;
use crate::connreq::xmpp::login::{Account, Request};
use crate::connreq::xmpp::rules::{Access, Reason, Rules};
use crate::cwmp::answers::{text_of, values_of};
use crate::cwmp::events::EventCode;
use crate::device::management_server::xmpp::reference;
use crate::device::xmpp::CONNECTION;
use crate::dns::Server;
use crate::model::context::{Context, XmppFacts};
use crate::platform::System;

/// The keep-alive that is chosen where KeepAliveInterval leaves the choice (-1): shorter than the memory of most address translators.
const KEEP_ALIVE: Duration = Duration::from_secs(300);

/// How the server of a connection is found.
#[derive(Clone, PartialEq, Eq)]
pub enum Found {
    /// Through the DNS: SRV records where `true`, and else the addresses of the domain.
    Dns(bool),
    /// In the table of the connection.
    Table(Vec<Server>),
}

/// A connection that is to be kept. Another one in any part is made anew.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    row: u32,
    /// Who logs in, and where.
    pub account: Account,
    /// Where the server is.
    pub found: Found,
    /// How long the connection is silent before it is tested; `None`: it is never tested.
    pub keep_alive: Option<Duration>,
    /// How often a server is tried before the next one is, at least 1.
    pub attempts: u32,
    /// ServerRetryInitialInterval in seconds, ServerRetryIntervalMultiplier in thousandths, and ServerRetryMaxInterval in seconds.
    pub retry: (u32, u32, u32),
    /// Those of the router: with another one the connection is lost.
    addresses: Vec<IpAddr>,
    /// How often connections were given up before: one that was given up is made anew, even if it is wanted again as it was before anybody could
    /// end it, because what was told of it is gone.
    given_up: u32,
}

impl Target {
    /// The connection that ConnReqXMPPConnection names, if it is enabled and complete.
    fn read(context: &mut Context, addresses: &[IpAddr]) -> Option<Self> {
        let path = reference(context);
        let row = path.strip_prefix(CONNECTION)?.parse().ok()?;
        let values = values_of(context, &format!("{path}."));
        let text = |name: &str| {
            let found = values.iter().find(|value| value.name.strip_prefix(path.as_str()) == Some(name));
            found.map(|value| value.value.text.as_str()).unwrap_or_default()
        };
        let number = |name: &str| text(name).parse().unwrap_or(u32::MAX);
        let account = Account {
            username: text(".Username").into(),
            password: context.own(&format!("{path}.Password")).unwrap_or_default(),
            domain: text(".Domain").into(),
            resource: text(".Resource").into(),
            use_tls: text(".UseTLS") == "true",
        };
        if text(".Enable") != "true" || account.username.is_empty() || account.domain.is_empty() {
            return None;
        }
        let server = |index: u32| {
            let of = |name: &str| text(&format!(".Server.{index}.{name}"));
            let server = Server {
                priority: of("Priority").parse().unwrap_or(0),
                // Where the agent may choose, all are alike.
                weight: of("Weight").parse().unwrap_or(0),
                host: of("ServerAddress").into(),
                port: of("Port").parse().unwrap_or(PORT),
            };
            (of("Enable") == "true" && !server.host.is_empty() && server.port != 0).then_some(server)
        };
        let found = match text(".ServerConnectAlgorithm") {
            "ServerTable" => {
                let prefix = format!("{path}.Server.");
                let rows = values
                    .iter()
                    .filter_map(|value| value.name.strip_prefix(&prefix)?.strip_suffix(".Enable")?.parse().ok());
                Found::Table(rows.filter_map(server).collect())
            }
            algorithm => Found::Dns(algorithm == "DNS-SRV"),
        };
        let keep_alive = match text(".KeepAliveInterval").parse().unwrap_or(-1_i64) {
            0 => None,
            seconds => Some(u64::try_from(seconds).map_or(KEEP_ALIVE, Duration::from_secs)),
        };
        let retry = (
            number(".ServerRetryInitialInterval"),
            number(".ServerRetryIntervalMultiplier"),
            number(".ServerRetryMaxInterval"),
        );
        let attempts = number(".ServerConnectAttempts").max(1);
        let addresses = addresses.to_vec();
        Some(Self { row, account, found, keep_alive, attempts, retry, addresses, given_up: 0 })
    }
}

/// Everything about XMPP that lives as long as the process.
#[derive(Default)]
pub(super) struct Xmpp {
    target: Option<Target>,
    /// [`Target::given_up`]
    given_up: u32,
    /// ConnReqAllowedJabberIDs
    allowed: Vec<String>,
    rules: Rules,
    facts: Arc<XmppFacts>,
    /// Why the last connection ended or came to nothing; empty while it is well.
    trouble: String,
}

impl Xmpp {
    pub(super) fn facts(&self) -> Arc<XmppFacts> {
        self.facts.clone()
    }
}

impl Agent {
    /// Takes over the parameters.
    pub(super) fn configure_xmpp(&mut self) {
        let mut context = self.model.context();
        let down = reachable(&self.interface) == Interface::Down;
        let wanted = Target::read(&mut context, &self.interface.addresses);
        let allowed = text_of(&mut context, "Device.ManagementServer.ConnReqAllowedJabberIDs").unwrap_or_default();
        self.xmpp.allowed = allowed.split(',').filter(|jid| !jid.is_empty()).map(String::from).collect();
        let row = wanted.as_ref().map_or(0, |target| target.row);
        if self.xmpp.facts.lock().row != row {
            let mut state = self.xmpp.facts.lock();
            *state = Default::default();
            state.row = row;
            state.status = "Unknown";
            self.xmpp.given_up = self.xmpp.given_up.wrapping_add(1);
        }
        if down && wanted.is_some() {
            self.xmpp_is("Dormant", false, "the interface is down");
            self.xmpp.given_up = self.xmpp.given_up.wrapping_add(1);
        }
        let given_up = self.xmpp.given_up;
        self.xmpp.target = wanted.filter(|_| !down).map(|target| Target { given_up, ..target });
    }

    /// The connection that is to be kept.
    #[must_use]
    pub fn xmpp_target(&self) -> Option<&Target> {
        self.xmpp.target.as_ref()
    }

    /// What is told of the connection, and shared with who keeps it.
    #[must_use]
    pub fn xmpp_facts(&self) -> Arc<XmppFacts> {
        self.xmpp.facts.clone()
    }

    /// Who logs in: where the ACS leaves the resource to the server, the one that it has chosen before is asked for, so that the JID stays the same
    /// (CONFORMANCE K-04).
    #[must_use]
    pub fn xmpp_account(&self, target: &Target) -> Account {
        let mut account = target.account.clone();
        if account.resource.is_empty() {
            let last = self.model.context().own(&jabber_id(target)).unwrap_or_default();
            let (bare, resource) = last.split_once('/').unwrap_or_default();
            if bare.eq_ignore_ascii_case(&format!("{}@{}", account.username, account.domain)) {
                account.resource = resource.into();
            }
        }
        account
    }

    /// What a connection is made with: what counts for the ACS, without the certificate that it has given us.
    #[must_use]
    pub fn xmpp_settings(&self) -> acs::Settings {
        acs::Settings { client_cert: None, client_key: None, ..self.acs_settings() }
    }

    /// The connection has another status (TR-181 `Status`); `trouble` says why it is not well.
    pub fn xmpp_is(&mut self, status: &'static str, tls: bool, trouble: &str) {
        self.xmpp.trouble = trouble.into();
        let mut state = self.xmpp.facts.lock();
        state.tls = tls;
        if state.status != status {
            state.status = status;
            let utc = self.now().utc;
            state.since = utc.map(|utc| utc.whole_seconds().to_string()).unwrap_or_default();
            drop(state);
            self.look_soon();
        }
    }

    /// The connection is made. The JID is kept until there is another one (CONFORMANCE K-04).
    pub fn xmpp_bound(&mut self, target: &Target, jid: &str, tls: bool) {
        if self.xmpp_target() != Some(target) {
            // It is not wanted any more, and about to be told so.
            return;
        }
        log::info!("connected to the XMPP server as {jid}{}", if tls { "" } else { ", without TLS" });
        self.xmpp_is("Enabled", tls, "");
        let name = jabber_id(target);
        let kept = self.model.change_own(&mut |context| {
            let another = context.own(&name).as_deref() != Some(jid);
            if another {
                context.set_own(&name, Some(jid));
            }
            another
        });
        if let Err(error) = kept {
            log::error!("the JID is not saved: {error}");
        }
        self.look_soon();
    }

    /// A connection request came over XMPP.
    ///
    /// # Errors
    /// Why it starts no session.
    pub fn xmpp_requested(&mut self, request: &Request) -> Result<(), Reason> {
        let now = self.live.monotonic();
        let access = Access {
            allowed: &self.xmpp.allowed,
            username: &self.config.cpe.username,
            password: &self.config.cpe.password.0,
            enabled: self.config.cpe.enable && !self.config.acs.url.is_empty(),
        };
        let judged = self.xmpp.rules.judge(request, access, now);
        match judged {
            Ok(()) => {
                log::info!("connection request from {} over XMPP", shown(&request.from));
                self.saved.events.add(EventCode::ConnectionRequest);
            }
            Err(reason) => {
                let from = shown(&request.from);
                log::debug!("a connection request from {from} over XMPP is refused: {}", reason.text());
                self.last_refusal = format!("over XMPP, from {from}: {}", reason.text());
            }
        }
        judged
    }

    /// The line of `cwmpd status`.
    pub(super) fn xmpp_report(&self) -> String {
        let state = self.xmpp.facts.lock().clone();
        match state.row {
            0 => String::new(),
            row => {
                let jid = self.model.context().own(&format!("{CONNECTION}{row}.JabberID")).unwrap_or_default();
                match (state.status, self.xmpp.trouble.as_str()) {
                    ("Enabled", _) if state.tls => format!("connected as {jid} over TLS"),
                    ("Enabled", _) => format!("connected as {jid}, without TLS"),
                    (status, "") => status.into(),
                    (status, trouble) => format!("{status}: {trouble}"),
                }
            }
        }
    }
}

fn jabber_id(target: &Target) -> String {
    format!("{CONNECTION}{}.JabberID", target.row)
}

/// A JID of somebody else, for the log.
fn shown(jid: &str) -> String {
    if jid.is_empty() {
        return "the server".into();
    }
    jid.chars().take(128).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
