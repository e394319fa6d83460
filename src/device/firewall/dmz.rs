//! `Device.Firewall.DMZ.{i}.`: the `redirect` sections for all protocols without a port, which send what nobody else wants to one host.
//!
//! As with port mappings, a section without a host stays disabled, since fw4 would take it for one to the router itself, and the wish is kept in the
//! agent's own state.

use std::net::Ipv4Addr;

use super::matching::is_any_protocol;
use super::{INTERFACE, LINE, PACKAGE, description, keep, state};
use crate::device::nat::{zone, zone_of_address};
use crate::device::{lease, own_keys};
use crate::error::{Fault, Result};
use crate::model::access::{full_name, truth, uci_truth};
use crate::model::context::{Context, Row, RowId};
use crate::model::format::{IPV4_ADDRESS, IPV4_PREFIX};
use crate::model::schema::{
    Notification, Object, Table, Text, alias, change, functional, get, get_set, ro, rw, sections_where,
};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};
use crate::platform::uci::Section;

pub(super) static DMZ: Object = Object::table(
    "Device.Firewall.DMZ.{i}.",
    Table::new(sections_where(PACKAGE, "redirect", is_dmz))
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["DestIP", "SourcePrefix"])])
        .enabled_by("Enable")
        .at_most(16),
    &[
        alias(),
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(enabled(cx, row)?)), set_enable)),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]), get(status)),
        rw("Origin", STRING.values(&["User", "System", "Controller"]), get_set(origin, set_origin))
            .default("Controller"),
        rw("Description", STRING.lengths(&[(0, 256)]).format(LINE), get_set(description::read, description::set)),
        rw("Interface", STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]), change(interface, set_interface)).default(""),
        rw("LeaseDuration", UNSIGNED_INT, get_set(lease::asked, lease::ask)),
        ro("RemainingLeaseTime", UNSIGNED_INT, get(lease::remaining)).notification(Notification::CanDeny),
        rw("DestIP", IPV4_ADDRESS, change(dest_ip, set_dest_ip)),
        rw("SourcePrefix", STRING.lengths(&[(0, 18)]).format(IPV4_PREFIX), get_set(source_prefix, set_source_prefix))
            .default(""),
    ],
);

fn is_dmz(section: &Section<'_>) -> bool {
    let protocols = section.list("proto");
    section.kind() == "redirect"
        && section.get("target").is_none_or(|target| target.eq_ignore_ascii_case("DNAT"))
        && section.get("src_dport").is_none()
        && !protocols.is_empty()
        && protocols.iter().all(|word| is_any_protocol(word))
}

/// Whether a redirect belongs to the DMZ and is no port mapping.
pub(in crate::device) fn is_of_dmz(section: &Section<'_>) -> bool {
    is_dmz(section) || keep::is_keep(section)
}

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    let mut options = vec![("target", "DNAT"), ("proto", "all"), ("enabled", "0")];
    let zone = zone::outside(cx)?.map(|zone| zone.name);
    if let Some(zone) = &zone {
        options.push(("src", zone));
    }
    let (_, name) = cx.add_section(PACKAGE, "redirect", &options)?;
    Ok(name)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    if let &RowId::Section(id) = row.id() {
        cx.package_mut(PACKAGE)?.remove_section(id);
    }
    keep::keep_connection_requests(cx)
}

fn own(cx: &Context, row: &Row, what: &str) -> String {
    full_name(cx, row.node(), row, what)
}

fn in_force(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(cx.option(row, "enabled")?.and_then(|text| uci_truth(&text)).unwrap_or(true))
}

fn enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(in_force(cx, row)? || cx.own(&own(cx, row, "Enable")).is_some())
}

fn is_complete(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(cx.option(row, "src")?.is_some() && cx.option(row, "dest_ip")?.is_some())
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if enabled(cx, row)? == (value == "true") {
        return Ok(());
    }
    settle(cx, row, value == "true")
}

fn settle(cx: &mut Context, row: &Row, wanted: bool) -> Result<(), Fault> {
    let on = wanted && is_complete(cx, row)?;
    if in_force(cx, row)? != on {
        cx.set_option(row, "enabled", Some(if on { "1" } else { "0" }))?;
    }
    let name = own(cx, row, "Enable");
    own_keys::set_own(cx, &name, (wanted && !on).then_some("1"));
    keep::keep_connection_requests(cx)
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if !enabled(cx, row)? {
        "Disabled"
    } else if !in_force(cx, row)? || !is_complete(cx, row)? {
        "Error_Misconfigured"
    } else {
        "Enabled"
    }))
}

fn origin(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(cx.own(&own(cx, row, "Origin")).map_or(Text::Borrowed("User"), Text::Owned))
}

fn set_origin(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if origin(cx, row)? != value {
        let name = own(cx, row, "Origin");
        cx.set_own(&name, Some(value));
    }
    Ok(())
}

/// Which interface of the zone was asked for is the agent's own; without one it is the way to the internet.
fn interface(cx: &mut Context, row: &Row) -> Result<Text> {
    let asked = cx.own(&own(cx, row, "Interface"));
    let Some(zone) = cx.option(row, "src")? else { return Ok(Text::Borrowed("")) };
    let outside = zone::outside(cx)?.map(|zone| zone.name);
    if asked.is_none() && outside == Some(zone.clone()) {
        return Ok(Text::Borrowed(""));
    }
    state::interface_of_zone(cx, &zone, asked)
}

fn set_interface(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let wanted = enabled(cx, row)?;
    let asked = own(cx, row, "Interface");
    let zone = match value {
        "" => {
            cx.set_own(&asked, None);
            zone::outside(cx)?.map(|zone| zone.name)
        }
        path => {
            let (zone, interface) = state::zone_of_path(cx, path)?;
            cx.set_own(&asked, Some(&interface));
            Some(zone.name)
        }
    };
    cx.set_option(row, "src", zone.as_deref())?;
    settle(cx, row, wanted)
}

fn dest_ip(cx: &mut Context, row: &Row) -> Result<Text> {
    let address = cx.option(row, "dest_ip")?.filter(|text| text.parse::<Ipv4Addr>().is_ok());
    Ok(address.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_dest_ip(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let wanted = enabled(cx, row)?;
    let zone = match value.parse::<Ipv4Addr>() {
        Err(_) => None,
        Ok(address) => {
            if address.is_unspecified() || address.is_loopback() || address.is_multicast() || address.is_broadcast() {
                return Err(Fault::value("not the address of a host"));
            }
            match zone_of_address(cx, address)? {
                Some(zone) => Some(zone),
                None => state::first_inside(cx)?,
            }
        }
    };
    cx.set_option(row, "dest_ip", Some(value))?;
    cx.set_option(row, "dest", zone.as_deref())?;
    settle(cx, row, wanted)
}

fn source_prefix(cx: &mut Context, row: &Row) -> Result<Text> {
    let prefix = cx.option(row, "src_ip")?;
    Ok(match prefix {
        Some(prefix) if (IPV4_PREFIX.check)(&prefix) => Text::Owned(prefix),
        Some(address) if address.parse::<Ipv4Addr>().is_ok() => Text::Owned(format!("{address}/32")),
        _ => Text::Borrowed(""),
    })
}

fn set_source_prefix(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if source_prefix(cx, row)? == value { Ok(()) } else { cx.set_option(row, "src_ip", Some(value)) }
}
