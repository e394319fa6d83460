//! `Device.XMPP.`: the connection to an XMPP server, over which connection requests come (TR-069a6 Annex K).
//!
//! The rows are the agent's own. The daemon keeps the connection that `ManagementServer.ConnReqXMPPConnection` names; any other one that is enabled is
//! dormant, because nothing needs it.

use crate::device::management_server::xmpp::reference;
use crate::error::Result;
use crate::model::access::full_name;
use crate::model::context::{Context, Row, XmppState};
use crate::model::schema::{Object, Rows, Table, Text, alias, constant, count, functional, get, own, ro, rw};
use crate::model::value::{BOOLEAN, DATE_TIME, LONG, STRING, Type, UNKNOWN_TIME, UNSIGNED_INT};

/// The table of connections.
pub const CONNECTION: &str = "Device.XMPP.Connection.";

/// The ways to find a server.
const ALGORITHM: Type = STRING.values(&["DNS-SRV", "DNS", "ServerTable"]);

const STATUS: Type = STRING.values(&[
    "Enabled",
    "Disabled",
    "Unknown",
    "Dormant",
    "Connecting",
    "ServerNotPresent",
    "Error_Misconfigured",
    "Error_AuthenticationFailure",
    "Error",
]);

/// TR-181 2.17 Device.XMPP.
static XMPP: Object = Object::single(
    "Device.XMPP.",
    &[
        ro("ConnectionNumberOfEntries", UNSIGNED_INT, count("Connection")),
        ro(
            "SupportedServerConnectAlgorithms",
            STRING.values(&["DNS-SRV", "DNS", "ServerTable", "WebSocket"]).list(),
            constant("DNS-SRV,DNS,ServerTable"),
        ),
    ],
);

/// TR-181 2.17 Device.XMPP.Connection.{i}.
static CONNECTIONS: Object = Object::table(
    "Device.XMPP.Connection.{i}.",
    Table::new(Rows::Own)
        .writable(&[])
        .keys(&[functional(&["Username", "Domain", "Resource"])])
        .enabled_by("Enable")
        .at_most(8),
    &[
        rw("Enable", BOOLEAN, own("false")).default("false"),
        alias(),
        rw("Username", STRING.lengths(&[(0, 256)]), own("")),
        rw("Password", STRING.lengths(&[(0, 256)]), own("")).hidden(),
        rw("Domain", STRING.lengths(&[(0, 64)]), own("")),
        rw("Resource", STRING.lengths(&[(0, 64)]), own("")),
        ro("JabberID", STRING, get(jabber_id)),
        ro("Status", STATUS, get(status)),
        ro("LastChangeDate", DATE_TIME, get(last_change)),
        rw("ServerConnectAlgorithm", ALGORITHM, own("DNS-SRV")).default("DNS-SRV"),
        rw("KeepAliveInterval", LONG.ranges(&[(-1, i64::MAX)]), own("-1")).default("-1"),
        rw("ServerConnectAttempts", UNSIGNED_INT, own("16")).default("16"),
        rw("ServerRetryInitialInterval", UNSIGNED_INT.ranges(&[(1, 65535)]), own("60")).default("60"),
        rw("ServerRetryIntervalMultiplier", UNSIGNED_INT.ranges(&[(1000, 65535)]), own("2000")).default("2000"),
        rw("ServerRetryMaxInterval", UNSIGNED_INT.ranges(&[(1, i64::MAX)]), own("30720")).default("30720"),
        rw("UseTLS", BOOLEAN, own("false")).default("false"),
        ro("TLSEstablished", BOOLEAN, get(tls)),
        ro("ServerNumberOfEntries", UNSIGNED_INT, count("Server")),
    ],
);

/// TR-181 2.17 Device.XMPP.Connection.{i}.Server.{i}.
static SERVERS: Object = Object::table(
    "Device.XMPP.Connection.{i}.Server.{i}.",
    Table::new(Rows::Own)
        .writable(&[])
        .keys(&[functional(&["ServerAddress", "Port"])])
        .enabled_by("Enable")
        .at_most(16),
    &[
        rw("Enable", BOOLEAN, own("false")).default("false"),
        alias(),
        rw("Priority", UNSIGNED_INT.ranges(&[(0, 65535)]), own("0")),
        rw("Weight", LONG.ranges(&[(-1, 65535)]), own("-1")),
        rw("ServerAddress", STRING.lengths(&[(0, 256)]), own("")),
        rw("Port", UNSIGNED_INT.ranges(&[(0, 65535)]), own("5222")).default("5222"),
    ],
);

/// TR-181 2.17 Device.XMPP.Connection.{i}.Stats.
static STATS: Object = Object::single(
    "Device.XMPP.Connection.{i}.Stats.",
    &[
        ro("ReceivedMessages", UNSIGNED_INT, get(|cx, row| counted(cx, row, 0))),
        ro("TransmittedMessages", UNSIGNED_INT, get(|cx, row| counted(cx, row, 1))),
        ro("ReceivedErrorMessages", UNSIGNED_INT, get(|cx, row| counted(cx, row, 2))),
        ro("TransmittedErrorMessages", UNSIGNED_INT, get(|cx, row| counted(cx, row, 3))),
    ],
);

/// The objects of this file, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&XMPP, &CONNECTIONS, &SERVERS, &STATS];

/// A value of a connection that the agent keeps itself.
fn of(cx: &Context, row: &Row, name: &str) -> String {
    cx.own(&full_name(cx, row.node(), row, name)).unwrap_or_default()
}

fn is_enabled(cx: &Context, row: &Row) -> bool {
    of(cx, row, "Enable") == "true"
}

/// The one that was bound last: a connection that comes back has it again (CONFORMANCE K-04).
fn jabber_id(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Owned(if is_enabled(cx, row) { of(cx, row, "JabberID") } else { String::new() }))
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if !is_enabled(cx, row) {
        "Disabled"
    } else if of(cx, row, "Username").is_empty() || of(cx, row, "Domain").is_empty() {
        "Error_Misconfigured"
    } else if reference(cx) != format!("{CONNECTION}{}", row.number()) {
        "Dormant"
    } else {
        kept(cx, row).map_or("Unknown", |state| state.status)
    }))
}

/// What the daemon knows of a connection, if it keeps it.
fn kept(cx: &Context, row: &Row) -> Option<XmppState> {
    let state = cx.facts().xmpp.lock().clone();
    (state.row == row.number()).then_some(state)
}

fn last_change(cx: &mut Context, row: &Row) -> Result<Text> {
    let since = kept(cx, row).map(|state| state.since).filter(|since| !since.is_empty());
    Ok(since.map_or(Text::Borrowed(UNKNOWN_TIME), Text::Owned))
}

fn tls(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if kept(cx, row).is_some_and(|state| state.tls) { "true" } else { "false" }))
}

fn counted(cx: &mut Context, row: &Row, which: usize) -> Result<Text> {
    let counts = kept(cx, row).map(|state| state.counts).unwrap_or_default();
    Ok(Text::Owned(counts.get(which).copied().unwrap_or_default().to_string()))
}
