//! `Device.Firewall.Chain.{i}.`: the base chain, which is all rules of the configuration, and those of the levels that the ACS has made.
//!
//! fw4 has one list of rules. Those of another chain than the base chain have a mark in the agent's own state that says which, and are in force only
//! while a level is that has the chain.

use super::state::BASE;
use super::{LINE, level, rule, state};
use crate::device::own_keys;
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, always, count, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

pub(super) static CHAIN_TABLE: Object = Object::table(
    "Device.Firewall.Chain.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(keys(cx))))
        .added_by(|cx, _| Ok(make(cx, false)))
        .deleted_by(delete)
        .keys(&[always(&["Name"])])
        .enabled_by("Enable")
        .at_most(32),
    &[
        rw("Enable", BOOLEAN, get_set(enable, set_enable)).default("false"),
        alias(),
        rw("Name", STRING.lengths(&[(0, 64)]).format(LINE), get_set(name, set_name)),
        ro(
            "Creator",
            STRING.values(&["Defaults", "PortMapping", "WANIPv6FirewallControl", "ACS", "UserInterface", "Other"]),
            get(creator),
        ),
        ro("RuleNumberOfEntries", UNSIGNED_INT, count("Rule")),
    ],
);

/// The chains that the ACS has made.
const CHAINS: &str = "firewall.chains";

/// The keys of all chains.
pub(super) fn keys(cx: &Context) -> Vec<String> {
    let mut keys = own_keys::list(cx, CHAINS);
    keys.insert(0, String::from(BASE));
    keys
}

fn own(key: &str, what: &str) -> String {
    format!("firewall.chain.{key}.{what}")
}

fn is_enabled(cx: &Context, key: &str) -> bool {
    key == BASE || cx.own(&own(key, "enable")).is_some()
}

/// Whether the rules of a chain count now.
pub(super) fn is_in_force(cx: &mut Context, key: &str) -> Result<bool> {
    if key == BASE {
        return Ok(true);
    }
    let level = state::level_in_force(cx)?;
    Ok(is_enabled(cx, key) && level.and_then(|level| level::chain_of(cx, &level)).as_deref() == Some(key))
}

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(truth(is_enabled(cx, &key)))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    let value = value == "true";
    if is_enabled(cx, &key) == value {
        return Ok(());
    }
    if key == BASE {
        return Err(Fault::value("the router cannot do without its own rules"));
    }
    cx.set_own(&own(&key, "enable"), value.then_some("1"));
    rule::settle_all(cx)
}

fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let made = if key == BASE { String::from("Base") } else { format!("Chain {}", row.number()) };
    Ok(Text::Owned(cx.own(&own(&key, "name")).unwrap_or(made)))
}

fn set_name(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if name(cx, row)? != value {
        let key = cx.key(row)?;
        cx.set_own(&own(&key, "name"), Some(value));
    }
    Ok(())
}

fn creator(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if cx.key(row)? == BASE { "Defaults" } else { "ACS" }))
}

/// Makes a chain; one that comes with a level is enabled at once.
pub(super) fn make(cx: &mut Context, enabled: bool) -> String {
    let key = own_keys::add(cx, CHAINS);
    if enabled {
        cx.set_own(&own(&key, "enable"), Some("1"));
    }
    key
}

/// Takes a chain away, with its rules.
pub(super) fn remove(cx: &mut Context, key: &str) -> Result<(), Fault> {
    rule::remove_all(cx, key)?;
    own_keys::remove(cx, CHAINS, key);
    for what in ["enable", "name"] {
        own_keys::set_own(cx, &own(key, what), None);
    }
    Ok(())
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let key = cx.key(row)?;
    if key == BASE {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "the router cannot do without its own rules"));
    }
    remove(cx, &key)
}
