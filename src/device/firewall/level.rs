//! `Device.Firewall.Level.{i}.`: the configuration as it is, and what the ACS has made beside it.
//!
//! A level has a chain of its own, which comes and goes with it. The base level, with the base chain, cannot go.

use super::state::{BASE, of_level};
use super::{CHAIN, LINE, chain, state};
use crate::device::own_keys;
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, always, change, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

pub(super) static LEVEL_TABLE: Object = Object::table(
    "Device.Firewall.Level.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(keys(cx))))
        .added_by(add)
        .deleted_by(delete)
        .keys(&[always(&["Name"])])
        .at_most(16),
    &[
        alias(),
        rw("Name", STRING.lengths(&[(0, 64)]).format(LINE), get_set(name, set_name)),
        rw("Description", STRING.lengths(&[(0, 256)]).format(LINE), get_set(description, set_description)),
        rw("Order", UNSIGNED_INT.ranges(&[(1, i64::MAX)]), change(order, set_order)),
        ro("Chain", STRING.strong(&[CHAIN]), get(chain_path)),
        rw("PortMappingEnabled", BOOLEAN, get_set(port_mappings, set_port_mappings)).default("true"),
        rw("DefaultPolicy", STRING.values(&["Drop", "Accept", "Reject"]), get_set(policy, set_policy)).default("Drop"),
        rw("DefaultLogPolicy", BOOLEAN, get_set(logs, set_logs)).default("false"),
    ],
);

/// The levels that the ACS has made, and where the base level is among them, in their order.
const LEVELS: &str = "firewall.levels";

/// The keys of all levels, in their order.
pub(super) fn keys(cx: &Context) -> Vec<String> {
    let mut keys = own_keys::list(cx, LEVELS);
    if !keys.iter().any(|key| key == BASE) {
        keys.insert(0, String::from(BASE));
    }
    keys
}

fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let made = if key == BASE { String::from("Base") } else { format!("Level {}", row.number()) };
    Ok(Text::Owned(cx.own(&of_level(&key, "name")).unwrap_or(made)))
}

fn set_name(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if name(cx, row)? != value {
        let key = cx.key(row)?;
        cx.set_own(&of_level(&key, "name"), Some(value));
    }
    Ok(())
}

fn description(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let made = if key == BASE { "The configuration of the router" } else { "" };
    Ok(cx.own(&of_level(&key, "description")).map_or(Text::Borrowed(made), Text::Owned))
}

fn set_description(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if description(cx, row)? != value {
        let key = cx.key(row)?;
        cx.set_own(&of_level(&key, "description"), Some(value));
    }
    Ok(())
}

fn order(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let place = keys(cx).iter().position(|known| *known == key).unwrap_or(0);
    Ok(Text::Owned(place.saturating_add(1).to_string()))
}

/// The others make room.
fn set_order(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    let mut keys = keys(cx);
    keys.retain(|known| *known != key);
    let place = value.parse::<usize>().unwrap_or(usize::MAX).saturating_sub(1).min(keys.len());
    keys.insert(place, key);
    own_keys::keep(cx, LEVELS, &keys);
    Ok(())
}

/// The key of the chain of a level; `None` when it was deleted.
pub(super) fn chain_of(cx: &Context, level: &str) -> Option<String> {
    if level == BASE {
        return Some(String::from(BASE));
    }
    cx.own(&of_level(level, "chain")).filter(|chain| chain::keys(cx).contains(chain))
}

fn chain_path(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let chain = chain_of(cx, &key);
    let path = chain.and_then(|chain| cx.path_of_key(CHAIN, &chain));
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}

fn port_mappings(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(truth(cx.own(&of_level(&key, "no_port_mappings")).is_none()))
}

fn set_port_mappings(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    state::set_port_mappings(cx, &key, value == "true")
}

fn policy(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(Text::Borrowed(state::policy(cx, &key)?))
}

fn set_policy(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    state::set_policy(cx, &key, value)
}

fn logs(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(truth(state::logs(cx, &key)?))
}

fn set_logs(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    state::set_logs(cx, &key, value == "true")
}

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    let mut all = keys(cx);
    let key = own_keys::new_key(cx, LEVELS);
    all.push(key.clone());
    own_keys::keep(cx, LEVELS, &all);
    let chain = chain::make(cx, true);
    cx.set_own(&of_level(&key, "chain"), Some(&chain));
    Ok(key)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let key = cx.key(row)?;
    if key == BASE {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "the configuration of the router is always a level"));
    }
    let chain = chain_of(cx, &key);
    own_keys::remove(cx, LEVELS, &key);
    state::forget_level(cx, &key)?;
    chain.map_or(Ok(()), |chain| chain::remove(cx, &chain))
}
