//! What `cwmpd status` tells.

use serde::{Deserialize, Serialize};

/// The most steps of a session that are kept.
const STEPS: usize = 100;

/// The state of the daemon. Times are those of the router's clock, in UTC, or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// The release of the agent.
    pub version: String,
    /// Seconds since the daemon started.
    pub uptime: u64,
    /// Whether the agent may have sessions at all.
    pub enabled: bool,
    /// The ACS; empty for none.
    pub acs_url: String,
    /// Where its URL comes from: `DHCP`, or `the configuration`, into which the ACS writes too; empty for none.
    pub acs_url_from: String,
    /// Where the ACS can reach the agent; empty when it cannot.
    pub connection_request_url: String,
    /// How it goes with the connection to the XMPP server, a text for a person; empty where there is to be none.
    pub xmpp: String,
    /// Where the ACS can reach the agent with datagrams; empty when it cannot.
    pub udp_connection_request_address: String,
    /// Whether the STUN server sees another address there than the router has.
    pub nat_detected: bool,
    /// How often the way through NAT is used, in seconds, while STUN is switched on.
    pub stun_period: Option<u64>,
    /// What goes wrong with STUN at present; empty for nothing.
    pub stun_trouble: String,
    /// Whether the clock is known to be right.
    pub clock_known: bool,
    /// Whether `interface` is up.
    pub interface_up: bool,
    /// Seconds until the last change of the ACS is undone, unless the ACS is reached before.
    pub undone_in: Option<u32>,
    /// Whether a session is running.
    pub in_session: bool,
    /// Failed tries since the last session that ended well.
    pub retry_count: u32,
    /// When the next session begins and why: a text for a person.
    pub next_session: String,
    /// The events that wait to be delivered.
    pub pending_events: Vec<String>,
    /// The transfers of files that wait, are under way, or are still to be told.
    pub transfers: Vec<TransferStatus>,
    /// The last session.
    pub last_session: Option<SessionRecord>,
    /// The last connection request that was refused.
    pub last_refusal: String,
    /// How many programs were started since the start of the daemon.
    pub programs_started: u32,
}

/// How far a transfer is. Nothing of its URL and credentials is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TransferStatus {
    /// By which the log calls it.
    pub id: u32,
    /// Download, Upload or ScheduleDownload.
    pub method: String,
    /// That of the request.
    pub command_key: String,
    /// Such as `1 Firmware Upgrade Image`.
    pub file_type: String,
    /// A text for a person.
    pub state: String,
    /// Bytes that are done, while it is under way.
    pub done: u64,
    /// All bytes, where that is known.
    pub total: Option<u64>,
}

/// How a session went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionRecord {
    /// Counts the sessions of this process.
    pub number: u32,
    /// When it began.
    pub started: String,
    /// When it ended; empty while it runs.
    pub ended: String,
    /// Whether it ended well.
    pub complete: bool,
    /// Why it did not.
    pub reason: String,
    /// The events in its Inform.
    pub events: Vec<String>,
    /// What was said, one line each.
    pub steps: Vec<String>,
}

impl SessionRecord {
    /// Notes a step; the beginning and the end of a long session are kept.
    pub fn step(&mut self, text: impl Into<String>) {
        if self.steps.len() >= STEPS {
            self.steps.remove(STEPS / 2);
        }
        self.steps.push(text.into());
    }
}
