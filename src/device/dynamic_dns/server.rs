//! `Device.DynamicDNS.Server.{i}.`: a provider, and how often and in which way its clients go to it.
//!
//! Each `service` section says all of that itself. A server is known by the `service_name` that it was found with, or by a key of its own when the ACS has
//! added it. What it says is read from the first of its clients, and written into all of them; without one it is the agent's own state.

use super::client::is_plain;
use super::{mark, option, providers, services, set_option, turn};
use crate::device::own_keys;
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, change, constant, functional, get_set, ro, rw};
use crate::model::value::{BOOLEAN, Format, STRING, UNSIGNED_INT};
use crate::platform::uci::SectionId;

pub(super) static SERVER_TABLE: Object = Object::table(
    "Device.DynamicDNS.Server.{i}.",
    Table::new(Rows::Keys(|cx, _| keys(cx)))
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["Name"])])
        .enabled_by("Enable")
        .at_most(32),
    &[
        rw("Enable", BOOLEAN, get_set(enable, set_enable)),
        rw("Name", STRING.lengths(&[(0, 64)]).format(LINE), change(name, set_name)),
        alias(),
        rw("ServiceName", STRING.lengths(&[(0, 256)]).format(LINE), change(service_name, set_service_name)),
        ro("SupportedProtocols", STRING.values(&["HTTP", "HTTPS"]).list(), constant("HTTP,HTTPS")),
        rw("Protocol", STRING.values(&["HTTP", "HTTPS"]), change(protocol, set_protocol)),
        rw(
            "CheckInterval",
            UNSIGNED_INT,
            get_set(|cx, row| interval(cx, row, CHECK), |cx, row, v| set_interval(cx, row, CHECK, v)),
        ),
        rw(
            "RetryInterval",
            UNSIGNED_INT,
            get_set(|cx, row| interval(cx, row, RETRY), |cx, row, v| set_interval(cx, row, RETRY, v)),
        ),
        rw("MaxRetries", UNSIGNED_INT, change(retries, set_retries)),
    ],
);

const LINE: Format = Format { name: "text without quotes, `$` and control characters", check: is_plain };

/// The servers that the ACS has added or changed.
const SERVERS: &str = "ddns.servers";

/// An interval in two options, a number and its unit, and the seconds where there are none.
type Interval = (&'static str, &'static str, u32);
const CHECK: Interval = ("check_interval", "check_unit", 600);
const RETRY: Interval = ("retry_interval", "retry_unit", 60);
/// The options that a server says for its clients.
const OPTIONS: [&str; 6] =
    ["use_https", "check_interval", "check_unit", "retry_interval", "retry_unit", "retry_max_count"];

fn own(key: &str, what: &str) -> String {
    format!("{SERVERS}.{key}.{what}")
}

fn is_own(cx: &Context, key: &str) -> bool {
    own_keys::list(cx, SERVERS).iter().any(|known| known == key)
}

/// What `service_name` of its clients is.
fn service_of(cx: &Context, key: &str) -> String {
    let made = if key.starts_with('+') { "" } else { key };
    cx.own(&own(key, "service")).unwrap_or_else(|| String::from(made))
}

/// The key of the server of a client; `None` where it has a URL of its own instead.
pub(super) fn of_client(cx: &mut Context, id: SectionId, section: &str) -> Result<Option<String>> {
    let service = option(cx, id, "service_name")?.unwrap_or_default();
    if let Some(key) = cx.own(&mark(section, "server")).filter(|key| is_own(cx, key)) {
        if service_of(cx, &key) == service {
            return Ok(Some(key));
        }
    }
    if service.is_empty() {
        return Ok(None);
    }
    let added = own_keys::list(cx, SERVERS);
    let key = added.into_iter().find(|key| service_of(cx, key) == service);
    // A server that was found, and then became another one, keeps its key.
    Ok(Some(key.unwrap_or(service)))
}

fn keys(cx: &mut Context) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    for (id, section) in services(cx)? {
        keys.extend(of_client(cx, id, &section)?.filter(|key| !keys.contains(key)));
    }
    for key in own_keys::list(cx, SERVERS) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn clients(cx: &mut Context, key: &str) -> Result<Vec<(SectionId, String)>> {
    let mut mine = Vec::new();
    for (id, section) in services(cx)? {
        if of_client(cx, id, &section)?.as_deref() == Some(key) {
            mine.push((id, section));
        }
    }
    Ok(mine)
}

/// An option of the clients of a server.
fn said(cx: &mut Context, key: &str, name: &str) -> Result<Option<String>> {
    match clients(cx, key)?.first() {
        Some((id, _)) => option(cx, *id, name),
        None => Ok(cx.own(&own(key, name))),
    }
}

/// Writes options for all clients of a server, and for those to come. It is one of the agent's own from now on.
fn say(cx: &mut Context, key: &str, options: &[(&str, Option<&str>)]) -> Result<(), Fault> {
    let clients = clients(cx, key)?;
    adopt(cx, key, &clients);
    for (name, value) in options {
        own_keys::set_own(cx, &own(key, name), *value);
        for (id, _) in &clients {
            set_option(cx, *id, name, *value)?;
        }
    }
    Ok(())
}

fn adopt(cx: &mut Context, key: &str, clients: &[(SectionId, String)]) {
    let mut servers = own_keys::list(cx, SERVERS);
    if !servers.iter().any(|known| known == key) {
        servers.push(String::from(key));
        own_keys::keep(cx, SERVERS, &servers);
        cx.set_own(&own(key, "enable"), Some("1"));
        for (_, section) in clients {
            cx.set_own(&mark(section, "server"), Some(key));
        }
    }
}

/// Lets a client go to another server, or to none.
pub(super) fn give(cx: &mut Context, id: SectionId, section: &str, key: Option<&str>) -> Result<(), Fault> {
    let service = key.map(|key| service_of(cx, key)).unwrap_or_default();
    if let Some(key) = key {
        for name in OPTIONS {
            let value = said(cx, key, name)?;
            set_option(cx, id, name, value.as_deref())?;
        }
    }
    own_keys::set_own(cx, &mark(section, "server"), key);
    set_option(cx, id, "service_name", Some(service.as_str()).filter(|service| !service.is_empty()))?;
    turn(cx, id, section, None)
}

/// Whether a client can go somewhere: to a server that is enabled and has a name, or to a URL of its own.
pub(super) fn is_usable(cx: &mut Context, id: SectionId, section: &str) -> Result<bool> {
    match of_client(cx, id, section)? {
        Some(key) => Ok(is_enabled(cx, &key) && !service_of(cx, &key).is_empty()),
        None => Ok(option(cx, id, "update_url")?.is_some()),
    }
}

fn is_enabled(cx: &Context, key: &str) -> bool {
    !is_own(cx, key) || cx.own(&own(key, "enable")).is_some()
}

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(truth(is_enabled(cx, &key)))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    if enable(cx, row)? == value {
        return Ok(());
    }
    let clients = clients(cx, &key)?;
    adopt(cx, &key, &clients);
    own_keys::set_own(cx, &own(&key, "enable"), (value == "true").then_some("1"));
    clients.into_iter().try_for_each(|(id, section)| turn(cx, id, &section, None))
}

fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let made = if key.starts_with('+') { format!("server-{}", row.number()) } else { key.clone() };
    let name = cx.own(&own(&key, "name")).unwrap_or(made);
    Ok(Text::Owned(name.chars().take(64).collect()))
}

fn set_name(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    let clients = clients(cx, &key)?;
    adopt(cx, &key, &clients);
    cx.set_own(&own(&key, "name"), Some(value));
    Ok(())
}

fn service_name(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(Text::Owned(service_of(cx, &key)))
}

fn set_service_name(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let providers = providers(cx);
    if !value.is_empty() && !providers.is_empty() && !providers.iter().any(|known| known == value) {
        return Err(Fault::value("not one of SupportedServices"));
    }
    let key = cx.key(row)?;
    let clients = clients(cx, &key)?;
    adopt(cx, &key, &clients);
    cx.set_own(&own(&key, "service"), Some(value));
    for (id, section) in clients {
        own_keys::set_own(cx, &mark(&section, "server"), Some(&key));
        set_option(cx, id, "service_name", Some(value).filter(|value| !value.is_empty()))?;
        turn(cx, id, &section, None)?;
    }
    Ok(())
}

fn protocol(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let https = said(cx, &key, "use_https")?.as_deref().and_then(uci_truth).unwrap_or(false);
    Ok(Text::Borrowed(if https { "HTTPS" } else { "HTTP" }))
}

fn set_protocol(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    say(cx, &key, &[("use_https", Some(if value == "HTTPS" { "1" } else { "0" }))])
}

fn seconds_of(unit: &str) -> Option<u32> {
    match unit {
        "seconds" => Some(1),
        "minutes" => Some(60),
        "hours" => Some(3_600),
        "days" => Some(86_400),
        _ => None,
    }
}

/// In seconds.
fn interval(cx: &mut Context, row: &Row, (number, unit, missing): Interval) -> Result<Text> {
    let key = cx.key(row)?;
    let count = said(cx, &key, number)?.and_then(|text| text.parse::<u32>().ok());
    let unit = said(cx, &key, unit)?;
    // Without a unit the scripts check in minutes and try again after seconds.
    let usual = if number == CHECK.0 { 60 } else { 1 };
    let unit = unit.as_deref().and_then(seconds_of).unwrap_or(usual);
    Ok(Text::Owned(count.map_or(missing, |count| count.saturating_mul(unit)).to_string()))
}

fn set_interval(cx: &mut Context, row: &Row, which: Interval, value: &str) -> Result<(), Fault> {
    if interval(cx, row, which)? == value {
        return Ok(());
    }
    // The scripts refuse to look more often than every five minutes.
    if which.0 == CHECK.0 && value.parse::<u32>().is_ok_and(|seconds| seconds < 300) {
        return Err(Fault::value("300 seconds at least"));
    }
    let key = cx.key(row)?;
    say(cx, &key, &[(which.0, Some(value)), (which.1, Some("seconds"))])
}

fn retries(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let count = said(cx, &key, "retry_max_count")?.filter(|text| text.parse::<u32>().is_ok());
    Ok(count.map_or(Text::Borrowed("0"), Text::Owned))
}

fn set_retries(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    say(cx, &key, &[("retry_max_count", Some(value))])
}

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    if !super::installed(cx) {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "ddns-scripts is not installed"));
    }
    Ok(own_keys::add(cx, SERVERS))
}

/// Its clients go nowhere then (CONFORMANCE P-67).
fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let key = cx.key(row)?;
    let clients = clients(cx, &key)?;
    own_keys::remove(cx, SERVERS, &key);
    for (id, section) in clients {
        own_keys::set_own(cx, &mark(&section, "server"), None);
        set_option(cx, id, "service_name", None)?;
        turn(cx, id, &section, None)?;
    }
    for what in ["name", "service", "enable"].into_iter().chain(OPTIONS) {
        own_keys::set_own(cx, &own(&key, what), None);
    }
    Ok(())
}
