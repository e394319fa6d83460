//! `Device.DynamicDNS.Client.{i}.Hostname.{i}.`: the one name that a client of ddns-scripts keeps.

use super::client::updated;
use super::{HOSTNAME_ON, in_force, is_on, mark, option, section_of, set_option, turn};
use crate::device::own_keys;
use crate::error::{Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::HOST_NAME;
use crate::model::schema::{Object, Rows, Table, Text, functional, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, DATE_TIME, STRING, UNKNOWN_TIME};
use crate::time::UtcTime;

pub(super) static HOSTNAME: Object = Object::table(
    "Device.DynamicDNS.Client.{i}.Hostname.{i}.",
    Table::new(Rows::Keys(keys))
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["Name"])])
        .enabled_by("Enable")
        .at_most(1),
    &[
        rw("Enable", BOOLEAN, get_set(enable, set_enable)),
        ro("Status", STRING.values(&["Registered", "UpdateNeeded", "Updating", "Error", "Disabled"]), get(status)),
        rw("Name", STRING.lengths(&[(0, 256)]).format(HOST_NAME), get_set(name, set_name)),
        ro("LastUpdate", DATE_TIME, get(last_update)),
    ],
);

/// The key of the only row.
const HOST: &str = "host";
/// Says that the row is there before it has a name.
const THERE: &str = "hostname";

fn keys(cx: &mut Context, around: &Row) -> Result<Vec<String>> {
    let (id, section) = section_of(cx, around)?;
    let is_there = option(cx, id, "lookup_host")?.is_some()
        || option(cx, id, "domain")?.is_some()
        || cx.own(&mark(&section, THERE)).is_some();
    Ok(if is_there { vec![String::from(HOST)] } else { Vec::new() })
}

fn add(cx: &mut Context, around: &Row) -> Result<String, Fault> {
    let (_, section) = section_of(cx, around)?;
    cx.set_own(&mark(&section, THERE), Some("1"));
    own_keys::set_wish(cx, &mark(&section, HOSTNAME_ON), Some(false));
    Ok(String::from(HOST))
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let (id, section) = section_of(cx, row)?;
    own_keys::set_own(cx, &mark(&section, THERE), None);
    set_option(cx, id, "lookup_host", None)?;
    set_option(cx, id, "domain", None)?;
    turn(cx, id, &section, Some((HOSTNAME_ON, false)))
}

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    let (id, section) = section_of(cx, row)?;
    Ok(truth(is_on(cx, id, &section, HOSTNAME_ON)?))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if value == "true" && enable(cx, row)? == value {
        return Ok(());
    }
    let (id, section) = section_of(cx, row)?;
    turn(cx, id, &section, Some((HOSTNAME_ON, value == "true")))
}

fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    let (id, _) = section_of(cx, row)?;
    let name = match option(cx, id, "lookup_host")? {
        Some(name) => Some(name),
        None => option(cx, id, "domain")?,
    };
    Ok(name.map_or(Text::Borrowed(""), Text::Owned))
}

/// The name that is looked up and the one that the provider is told are the same, unless somebody has told them apart.
fn set_name(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let before = name(cx, row)?;
    if before == value {
        return Ok(());
    }
    let (id, section) = section_of(cx, row)?;
    let domain = option(cx, id, "domain")?;
    own_keys::set_own(cx, &mark(&section, THERE), Some("1"));
    let value = Some(value).filter(|value| !value.is_empty());
    set_option(cx, id, "lookup_host", value)?;
    if domain.is_none_or(|domain| domain == before) {
        set_option(cx, id, "domain", value)?;
    }
    turn(cx, id, &section, None)
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let (id, section) = section_of(cx, row)?;
    Ok(Text::Borrowed(if !is_on(cx, id, &section, HOSTNAME_ON)? {
        "Disabled"
    } else if !in_force(cx, id)? {
        "Error"
    } else if updated(cx, &section).is_some() {
        "Registered"
    } else {
        "UpdateNeeded"
    }))
}

/// The scripts note the uptime of an update.
fn last_update(cx: &mut Context, row: &Row) -> Result<Text> {
    let (_, section) = section_of(cx, row)?;
    let Some(then) = updated(cx, &section).filter(|_| cx.facts().clock_known) else {
        return Ok(Text::Borrowed(UNKNOWN_TIME));
    };
    let uptime = cx.file("/proc/uptime").ok().and_then(|text| text.split(['.', ' ']).next()?.parse::<u64>().ok());
    let ago = i64::try_from(uptime.unwrap_or(then).saturating_sub(then)).unwrap_or(0);
    let now = UtcTime::from(cx.system().wall_clock());
    Ok(Text::Owned(UtcTime::new(now.seconds().saturating_sub(ago), 0).to_string()))
}
