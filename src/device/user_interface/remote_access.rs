//! `Device.UserInterface.RemoteAccess.`, which 2.17 deprecates and ACSs set: one port of the web interface that is open to the outside.
//!
//! While it is closed, the port and protocol that were asked for lie in the agent's own state. A port that uhttpd does not listen on yet is added to it,
//! and taken away again with the access.

use super::PROTOCOL;
use super::listeners::{self, EVERYWHERE, Listener};
use crate::device::own_keys;
use crate::error::{Error, Fault, Result};
use crate::model::access::truth;
use crate::model::context::Context;
use crate::model::schema::{Object, Text, Values, constant, ro, rw, together};
use crate::model::value::{BOOLEAN, UNSIGNED_INT};

pub(super) static REMOTE_ACCESS_OBJECT: Object = Object::single(
    "Device.UserInterface.RemoteAccess.",
    &[
        rw("Enable", BOOLEAN, together(|cx, _| Ok(truth(State::read(cx)?.enabled)))),
        rw(
            "Port",
            UNSIGNED_INT.ranges(&[(i64::MIN, 65_535)]),
            together(|cx, _| Ok(Text::Owned(State::read(cx)?.port.to_string()))),
        ),
        ro("SupportedProtocols", PROTOCOL.list(), constant("HTTP,HTTPS")),
        rw("Protocol", PROTOCOL, together(|cx, _| Ok(Text::Borrowed(State::read(cx)?.protocol)))),
    ],
)
.set_together(|cx, _, values| set(cx, values));

const PORT: &str = "user_interface.remote.port";
const PROTOCOL_WISH: &str = "user_interface.remote.protocol";
/// The listener that was added for the access, as `HTTPS 8443`.
const MADE: &str = "user_interface.remote.made";

#[derive(Clone, PartialEq, Eq, Debug)]
struct State {
    enabled: bool,
    port: u16,
    protocol: &'static str,
}

fn protocol(word: &str) -> &'static str {
    if word == "HTTP" { "HTTP" } else { "HTTPS" }
}

impl State {
    fn read(cx: &mut Context) -> Result<Self> {
        let open = listeners::remote_ports(cx)?.first().copied();
        let all = listeners::all(cx)?;
        let wish = cx.own(PORT).and_then(|port| port.parse().ok());
        let usual = all.iter().find(|listener| listener.protocol == "HTTPS").or_else(|| all.first());
        let port = open.or(wish).or(usual.map(|listener| listener.port)).unwrap_or(443);
        let listened = all.iter().find(|listener| listener.port == port).map(|listener| listener.protocol);
        let wish = cx.own(PROTOCOL_WISH).map(|word| protocol(&word));
        let protocol = if open.is_some() { listened.or(wish) } else { wish.or(listened) };
        Ok(Self { enabled: open.is_some(), port, protocol: protocol.unwrap_or("HTTPS") })
    }
}

fn set(cx: &mut Context, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let broken = |error: Error| ("Enable", Fault::from(error));
    let before = State::read(cx).map_err(broken)?;
    let mut after = before.clone();
    if let Some(value) = values.get("Enable") {
        after.enabled = value == "true";
    }
    if let Some(value) = values.get("Port") {
        after.port = value.parse().unwrap_or(0);
    }
    if let Some(value) = values.get("Protocol") {
        after.protocol = protocol(value);
    }
    if after == before {
        return Ok(());
    }
    if after.port == 0 {
        return Err(("Port", Fault::value("0 is no port")));
    }
    own_keys::set_own(cx, PORT, Some(&after.port.to_string()));
    own_keys::set_own(cx, PROTOCOL_WISH, Some(after.protocol));
    apply(cx, &before, &after).map_err(|fault| {
        let names = ["Port", "Protocol", "Enable"];
        (names.into_iter().find(|name| values.get(name).is_some()).unwrap_or("Enable"), fault)
    })
}

fn apply(cx: &mut Context, before: &State, after: &State) -> Result<(), Fault> {
    let made = cx.own(MADE).and_then(|made| {
        let (word, port) = made.split_once(' ')?;
        Some((protocol(word), port.parse::<u16>().ok()?))
    });
    if let Some((protocol, port)) = made.filter(|made| !after.enabled || *made != (after.protocol, after.port)) {
        let all = listeners::all(cx)?;
        let listener = all.iter().find(|listener| (listener.protocol, listener.port) == (protocol, port));
        listeners::replace(cx, listener, None)?;
        cx.set_own(MADE, None);
    }
    let mut ports = listeners::remote_ports(cx)?;
    ports.retain(|port| *port != before.port);
    if after.enabled {
        let all = listeners::all(cx)?;
        match all.iter().find(|listener| listener.port == after.port) {
            Some(listener) if listener.protocol != after.protocol => {
                return Err(Fault::value(format!("the web server speaks {} on this port", listener.protocol)));
            }
            Some(_) => {}
            None => {
                let addresses = EVERYWHERE.map(String::from).to_vec();
                let listener = Listener { protocol: after.protocol, port: after.port, addresses };
                listeners::replace(cx, None, Some(&listener))?;
                cx.set_own(MADE, Some(&format!("{} {}", after.protocol, after.port)));
            }
        }
        ports.insert(0, after.port);
    }
    listeners::set_remote_ports(cx, &ports)
}
