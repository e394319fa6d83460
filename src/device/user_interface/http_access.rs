//! `Device.UserInterface.HTTPAccess.{i}.`: the ports that uhttpd listens on.
//!
//! A row is known by the protocol and port that it was found with, such as `HTTPS 443`; one that the ACS has added is known by a key of its own. What a
//! row has become is the agent's own state: the protocol and port that it has now, and its addresses while it is disabled.

use super::PROTOCOL;
use super::listeners::{self, EVERYWHERE, Listener};
use crate::device::{dhcpv4, own_keys};
use crate::error::{Error, Fault, FaultCode, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, Values, alias, get, ro, rw, together};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

pub(super) static HTTP_ACCESS: Object = Object::table(
    "Device.UserInterface.HTTPAccess.{i}.",
    Table::new(Rows::Keys(|cx, _| keys(cx))).added_by(add).deleted_by(delete).enabled_by("Enable").at_most(16),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(Access::read(cx, row)?.enabled)))),
        alias(),
        ro("Status", STRING.values(&["Up", "Down", "Error"]), get(status)),
        rw(
            "AccessType",
            STRING.values(&["RemoteAccess", "LocalAccess"]),
            together(|cx, row| {
                Ok(Text::Borrowed(if Access::read(cx, row)?.remote { "RemoteAccess" } else { "LocalAccess" }))
            }),
        )
        .default("LocalAccess"),
        rw("Interface", STRING.strong(&[]).lengths(&[(0, 256)]), together(interface)).default(""),
        rw(
            "Port",
            UNSIGNED_INT.ranges(&[(1, 65_535)]),
            together(|cx, row| Ok(Text::Owned(Access::read(cx, row)?.listener.port.to_string()))),
        )
        .default("443"),
        rw("Protocol", PROTOCOL, together(|cx, row| Ok(Text::Borrowed(Access::read(cx, row)?.listener.protocol)))),
    ],
)
.set_together(set);

/// The rows that are not what they are known by.
const ROWS: &str = "user_interface.access";
const INTERFACE: &str = "Device.IP.Interface.";

fn own(key: &str, what: &str) -> String {
    format!("{ROWS}.{key}.{what}")
}

/// A row as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Access {
    enabled: bool,
    /// While it is disabled, it will be open to the outside when it is enabled.
    remote: bool,
    listener: Listener,
}

fn known_by(listener: &Listener) -> String {
    format!("{} {}", listener.protocol, listener.port)
}

fn parse(text: &str) -> (&'static str, u16) {
    let (protocol, port) = text.split_once(' ').unwrap_or(("HTTPS", "443"));
    (if protocol == "HTTP" { "HTTP" } else { "HTTPS" }, port.parse().unwrap_or(443))
}

/// What a row listens on now.
fn place_of(cx: &Context, key: &str) -> String {
    cx.own(&own(key, "listener")).unwrap_or_else(|| String::from(key))
}

fn is_parked(cx: &Context, key: &str) -> bool {
    cx.own(&own(key, "parked")).is_some()
}

fn keys(cx: &mut Context) -> Result<Vec<String>> {
    let changed = own_keys::list(cx, ROWS);
    let mut keys = Vec::new();
    for listener in listeners::all(cx)? {
        let known = known_by(&listener);
        let owner = changed.iter().find(|key| !is_parked(cx, key) && place_of(cx, key) == known).cloned();
        let key = owner.unwrap_or_else(|| known.clone());
        // A new listener where a changed row once was is not that row.
        if !keys.contains(&key) && (key != known || place_of(cx, &key) == known) {
            keys.push(key);
        }
    }
    keys.extend(changed.into_iter().filter(|key| is_parked(cx, key)));
    keys.dedup();
    Ok(keys)
}

impl Access {
    fn read(cx: &mut Context, row: &Row) -> Result<Self> {
        let key = cx.key(row)?;
        let (protocol, port) = parse(&place_of(cx, &key));
        if let Some(parked) = cx.own(&own(&key, "parked")) {
            let addresses = parked.split(' ').map(String::from).collect();
            let remote = cx.own(&own(&key, "remote")).is_some();
            return Ok(Self { enabled: false, remote, listener: Listener { protocol, port, addresses } });
        }
        let all = listeners::all(cx)?;
        let found = all.into_iter().find(|listener| (listener.protocol, listener.port) == (protocol, port));
        let listener = found.ok_or_else(|| Error::other("uhttpd does not listen there any more"))?;
        Ok(Self { enabled: true, remote: listeners::remote_ports(cx)?.contains(&port), listener })
    }
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if Access::read(cx, row)?.enabled { "Up" } else { "Down" }))
}

/// The interface that has the address; none where it is every address.
fn interface(cx: &mut Context, row: &Row) -> Result<Text> {
    let access = Access::read(cx, row)?;
    let [address] = access.listener.addresses.as_slice() else { return Ok(Text::Borrowed("")) };
    let sections = cx.package("network")?.sections().filter(|section| section.kind() == "interface");
    let names: Vec<String> = sections.filter_map(|section| section.name()).map(String::from).collect();
    for name in names {
        if dhcpv4::subnet(cx, &name)?.is_some_and(|subnet| subnet.address.to_string() == *address) {
            return Ok(cx.path_of_key(INTERFACE, &name).map_or(Text::Borrowed(""), Text::Owned));
        }
    }
    Ok(Text::Borrowed(""))
}

fn addresses_of(cx: &mut Context, path: &str) -> Result<Vec<String>, Fault> {
    if path.is_empty() {
        return Ok(EVERYWHERE.map(String::from).to_vec());
    }
    let target = cx.row_of_path(INTERFACE, path).ok_or_else(|| Fault::value("not the path of an IP interface"))?;
    let name = cx.key(&target)?;
    let subnet = dhcpv4::subnet(cx, &name)?.ok_or_else(|| Fault::value("the interface has no IPv4 address"))?;
    Ok(vec![subnet.address.to_string()])
}

fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let broken = |error: Error| ("Enable", Fault::from(error));
    let before = Access::read(cx, row).map_err(broken)?;
    let mut after = before.clone();
    let path = interface(cx, row).map_err(broken)?;
    if let Some(value) = values.get("Interface").filter(|value| *value != path) {
        after.listener.addresses = addresses_of(cx, value).map_err(|fault| ("Interface", fault))?;
    }
    if let Some(value) = values.get("Enable") {
        after.enabled = value == "true";
    }
    if let Some(value) = values.get("AccessType") {
        after.remote = value == "RemoteAccess";
    }
    if let Some(value) = values.get("Port") {
        after.listener.port = value.parse().unwrap_or(443);
    }
    if let Some(value) = values.get("Protocol") {
        after.listener.protocol = if value == "HTTP" { "HTTP" } else { "HTTPS" };
    }
    if after == before {
        return Ok(());
    }
    write(cx, row, &before, &after).map_err(|fault| {
        let names = ["Port", "Protocol", "Enable", "AccessType", "Interface"];
        (names.into_iter().find(|name| values.get(name).is_some()).unwrap_or("Enable"), fault)
    })
}

fn write(cx: &mut Context, row: &Row, before: &Access, after: &Access) -> Result<(), Fault> {
    let key = cx.key(row)?;
    let mine = before.enabled.then_some(&before.listener);
    if after.enabled {
        let all = listeners::all(cx)?;
        let mut others = all.iter().filter(|listener| Some(*listener) != mine);
        if others.any(|listener| listener.port == after.listener.port) {
            return Err(Fault::value("another row has this port"));
        }
    }
    listeners::replace(cx, mine, after.enabled.then_some(&after.listener))?;
    let mut ports = listeners::remote_ports(cx)?;
    if before.enabled {
        ports.retain(|port| *port != before.listener.port);
    }
    if after.enabled && after.remote {
        ports.push(after.listener.port);
    }
    listeners::set_remote_ports(cx, &ports)?;
    let mut rows = own_keys::list(cx, ROWS);
    if !rows.contains(&key) {
        rows.push(key.clone());
        own_keys::keep(cx, ROWS, &rows);
    }
    let parked = after.listener.addresses.join(" ");
    own_keys::set_own(cx, &own(&key, "listener"), Some(&known_by(&after.listener)));
    own_keys::set_own(cx, &own(&key, "parked"), (!after.enabled).then_some(parked.as_str()));
    own_keys::set_own(cx, &own(&key, "remote"), (!after.enabled && after.remote).then_some("1"));
    Ok(())
}

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    if cx.package("uhttpd")?.find("main").is_none() {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "there is no web server"));
    }
    let key = own_keys::add(cx, ROWS);
    cx.set_own(&own(&key, "listener"), Some("HTTPS 443"));
    cx.set_own(&own(&key, "parked"), Some(&EVERYWHERE.join(" ")));
    Ok(key)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let access = Access::read(cx, row)?;
    if access.enabled {
        listeners::replace(cx, Some(&access.listener), None)?;
        let mut ports = listeners::remote_ports(cx)?;
        ports.retain(|port| *port != access.listener.port);
        listeners::set_remote_ports(cx, &ports)?;
    }
    let key = cx.key(row)?;
    own_keys::remove(cx, ROWS, &key);
    for what in ["listener", "parked", "remote"] {
        own_keys::set_own(cx, &own(&key, what), None);
    }
    Ok(())
}
