//! `Device.NAT.InterfaceSetting.{i}.`: an IPv4 interface in a zone that has the option `masq`.
//!
//! A row is known by the name of its interface. One that the ACS has added, and has not given an interface yet, or another than before, is known by
//! a name that no interface has, and its interface lies in the agent's own state. Interfaces of one zone are masqueraded together.
//!
//! An interface that the ACS has made is in no zone, or in one that was made for rules alone. With NAT it is one more way to the internet, and in the
//! zone of these while its row is enabled.

use super::{INTERFACE, PACKAGE, zone};
use crate::device::own_keys;
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, change, functional, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING};

pub(super) static INTERFACE_SETTING: Object = Object::table(
    "Device.NAT.InterfaceSetting.{i}.",
    Table::new(Rows::Keys(keys))
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["Interface"])])
        .enabled_by("Enable"),
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(enabled(cx, row)?)), set_enable)).default("false"),
        ro(
            "Status",
            STRING.values(&[
                "Disabled",
                "Enabled",
                "Enabled_NATForcedDisabled",
                "Enabled_PortMappingDisabled",
                "Error_Misconfigured",
                "Error",
            ]),
            get(status),
        ),
        alias(),
        rw("Interface", STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]), change(interface_path, set_interface))
            .default(""),
    ],
);

/// The rows that the ACS has added, by commas.
const ADDED: &str = "firewall.masquerading";

fn added(cx: &Context) -> Vec<String> {
    let list = cx.own(ADDED).unwrap_or_default();
    list.split(',').filter(|key| !key.is_empty()).map(String::from).collect()
}

fn set_added(cx: &mut Context, keys: &[String]) {
    cx.set_own(ADDED, (!keys.is_empty()).then(|| keys.join(",")).as_deref());
}

/// Where the interface, and the wish to masquerade, of a row that the ACS has added are kept.
fn own(key: &str, what: &str) -> String {
    format!("{PACKAGE}.masquerading.{key}.{what}")
}

/// The interface of a row; empty for none.
fn interface(cx: &Context, key: &str) -> String {
    if added(cx).iter().any(|added| added == key) {
        return cx.own(&own(key, "interface")).unwrap_or_default();
    }
    String::from(key)
}

fn keys(cx: &mut Context, _: &Row) -> Result<Vec<String>> {
    let added = added(cx);
    let taken: Vec<String> = added.iter().map(|key| interface(cx, key)).collect();
    let mut keys = Vec::new();
    for zone in zone::all(cx)?.iter().filter(|zone| zone.masquerades.is_some()) {
        keys.extend(zone.interfaces.iter().filter(|name| !taken.contains(name)).cloned());
    }
    keys.extend(added);
    Ok(keys)
}

/// The zone of an interface that has to do with NAT.
fn zone_of(cx: &mut Context, interface: &str) -> Result<Option<zone::Zone>> {
    match zone::of_interface(cx, interface)? {
        Some(zone) if zone::is_as_made(cx, &zone)? => Ok(None),
        zone => Ok(zone),
    }
}

/// Whether the interface of a row has joined this zone, and nobody has put it into another one since.
fn has_joined(cx: &mut Context, key: &str, zone: &zone::Zone) -> Result<bool> {
    let joined = cx.own(&own(key, "joined"));
    Ok(joined.is_some() && joined == Some(cx.section_name(PACKAGE, zone.id)?))
}

fn enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    let key = cx.key(row)?;
    let interface = interface(cx, &key);
    match zone_of(cx, &interface)? {
        Some(zone) => Ok(zone.masquerades == Some(true)),
        None => Ok(cx.own(&own(&key, "enable")).is_some()),
    }
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let value = value == "true";
    let key = cx.key(row)?;
    let interface = interface(cx, &key);
    match zone_of(cx, &interface)? {
        // The others in the zone keep their NAT.
        Some(zone) if !value && has_joined(cx, &key, &zone)? => release(cx, &key),
        Some(zone) if zone.masquerades == Some(true) || value => zone::set_masquerading(cx, &zone, Some(value)),
        Some(_) => Ok(()),
        None if value && zone::can_join_for_nat(cx, &interface)? => join(cx, &key, &interface),
        None => {
            cx.set_own(&own(&key, "enable"), value.then_some("1"));
            Ok(())
        }
    }
}

/// Puts the interface of a row into the zone towards the internet.
fn join(cx: &mut Context, key: &str, interface: &str) -> Result<(), Fault> {
    let zone = zone::outside(cx)?;
    let zone = zone.ok_or_else(|| Fault::value("no zone of the firewall is one towards the internet"))?;
    zone::leave_own(cx, interface, &zone)?;
    zone::set_member(cx, &zone, interface, true)?;
    let name = cx.section_name(PACKAGE, zone.id)?;
    cx.set_own(&own(key, "joined"), Some(&name));
    cx.set_own(&own(key, "enable"), None);
    zone::set_masquerading(cx, &zone, Some(true))
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let interface = interface(cx, &key);
    Ok(Text::Borrowed(if !enabled(cx, row)? {
        "Disabled"
    } else if zone_of(cx, &interface)?.is_none() {
        "Error_Misconfigured"
    } else if crate::device::firewall::port_mappings_suspended(cx)? {
        "Enabled_PortMappingDisabled"
    } else {
        "Enabled"
    }))
}

fn interface_path(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let interface = interface(cx, &key);
    Ok(cx.path_of_key(INTERFACE, &interface).map_or(Text::Borrowed(""), Text::Owned))
}

fn set_interface(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    if !added(cx).contains(&key) {
        return Err(Fault::value("the zones of the firewall say which interface this is; add a row for another"));
    }
    let name = match value {
        "" => String::new(),
        path => {
            let target = cx.row_of_path(INTERFACE, path).ok_or_else(|| Fault::value(format!("there is no {path}")))?;
            let name = cx.key(&target)?;
            let fits = match zone::of_any_interface(cx, &name)? {
                Some(_) => zone::of_interface(cx, &name)?.is_some(),
                None => zone::can_join_for_nat(cx, &name)?,
            };
            if !fits {
                return Err(Fault::value("the loopback interface, and one of IPv6 alone, have no NAT"));
            }
            // What the zones say of an interface can only be shown once.
            let root = cx.root();
            if keys(cx, &root)?.iter().any(|other| *other != key && interface(cx, other) == name) {
                return Err(Fault::value("another row has this interface"));
            }
            name
        }
    };
    let enabled = enabled(cx, row)?;
    release(cx, &key)?;
    cx.set_own(&own(&key, "interface"), (!name.is_empty()).then_some(name.as_str()));
    cx.set_own(&own(&key, "enable"), (enabled && name.is_empty()).then_some("1"));
    match zone_of(cx, &name)? {
        Some(zone) if enabled => zone::set_masquerading(cx, &zone, Some(true)),
        None if enabled && !name.is_empty() => join(cx, &key, &name),
        _ => Ok(()),
    }
}

/// Takes the interface of a row out of the zone that it has joined, or ends the masquerading of its zone, unless another row has an interface in it.
fn release(cx: &mut Context, key: &str) -> Result<(), Fault> {
    let mine = interface(cx, key);
    let zone = zone_of(cx, &mine)?;
    let has_joined = match &zone {
        Some(zone) => has_joined(cx, key, zone)?,
        None => false,
    };
    own_keys::set_own(cx, &own(key, "joined"), None);
    let Some(zone) = zone else { return Ok(()) };
    if has_joined {
        return zone::set_member(cx, &zone, &mine, false);
    }
    let root = cx.root();
    for other in keys(cx, &root)?.iter().filter(|other| *other != key) {
        let other = interface(cx, other);
        if zone.interfaces.contains(&other) {
            return Ok(());
        }
    }
    zone::set_masquerading(cx, &zone, None)
}

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    let mut keys = added(cx);
    // The number is one more than any that was ever given, so that nothing of a former row comes back.
    let last = cx.own(&own("", "last")).and_then(|last| last.parse::<u32>().ok()).unwrap_or(0).saturating_add(1);
    cx.set_own(&own("", "last"), Some(&last.to_string()));
    let key = format!("+{last}");
    keys.push(key.clone());
    set_added(cx, &keys);
    Ok(key)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let key = cx.key(row)?;
    let mut keys = added(cx);
    let mine = interface(cx, &key);
    release(cx, &key)?;
    if !keys.contains(&key) {
        let left = zone::of_interface(cx, &mine)?.is_some_and(|zone| zone.masquerades.is_some());
        // The interfaces of a zone can only go together.
        return if left {
            Err(Fault::new(FaultCode::REQUEST_DENIED, "another interface shares its zone"))
        } else {
            Ok(())
        };
    }
    keys.retain(|other| *other != key);
    set_added(cx, &keys);
    cx.set_own(&own(&key, "interface"), None);
    cx.set_own(&own(&key, "enable"), None);
    Ok(())
}
