//! `Device.Ethernet.Link.{i}.`: a device that logical interfaces and VLANs stand on.
//!
//! A link is known by the name of its device, and is there as soon as something stands on the device. One that the ACS has made for a device that
//! nothing stands on yet, or for none at all, is kept in the agent's own state.

use super::super::kept::{Kept, KeptRow};
use super::super::{bridging, layers, net};
use super::{INTERFACES, LINKS, VLANS, device_option, mac_address, name, same, set_device_option, upper_status};
use crate::error::{Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::MAC_ADDRESS;
use crate::model::schema::{Notification, Object, Rows, Table, Text, alias, always, change, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

/// TR-181 2.17 Device.Ethernet.Link.{i}.
pub static LINK: Object = Object::table(
    "Device.Ethernet.Link.{i}.",
    Table::new(Rows::Keys(|cx, _| keys(cx)))
        .added_by(|cx, _| add(cx))
        .deleted_by(delete)
        .keys(&[always(&["Name"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(is_enabled(cx, row)?)), set_enable)).default("false"),
        ro("Status", net::INTERFACE_STATUS, get(|cx, row| Ok(Text::Borrowed(status(cx, row)?)))).default("Down"),
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), get(name)),
        ro("LastChange", UNSIGNED_INT, get(last_change)).notification(Notification::CanDeny),
        rw("LowerLayers", net::LOWER_LAYERS, change(lower_layers, set_lower_layers)).default(""),
        rw("MACAddress", MAC_ADDRESS, get_set(mac_address, set_mac_address)),
        rw("PriorityTagging", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), |_, _, value| same(value, "false")))
            .default("false"),
    ],
);

/// TR-181 2.17 Device.Ethernet.Link.{i}.Stats.
pub static LINK_STATS: Object = Object::single("Device.Ethernet.Link.{i}.Stats.", net::STATS);

/// Where links that the ACS has made are kept.
const KEPT: &str = "Device.Ethernet.Link";

/// Whether there is a link on a device.
pub(in super::super) fn has_link(cx: &Context, network: &layers::Network, device: &str) -> bool {
    network.bases().iter().any(|base| base == device) || Kept::read(cx, KEPT).get(device).is_some()
}

/// Whether a row has a device.
fn has_device(key: &str) -> bool {
    net::is_device_name(key)
}

fn keys(cx: &mut Context) -> Result<Vec<String>> {
    let mut keys = layers::network(cx)?.bases();
    for device in wireless(cx)? {
        if !keys.contains(&device) {
            keys.push(device);
        }
    }
    for row in Kept::read(cx, KEPT).rows {
        if !keys.contains(&row.key) {
            keys.push(row.key);
        }
    }
    Ok(keys)
}

/// The wireless devices that interfaces without a device of their own are on.
fn wireless(cx: &mut Context) -> Result<Vec<String>> {
    let network = layers::network(cx)?;
    if network.interfaces.iter().all(|interface| !interface.device.is_empty()) {
        return Ok(Vec::new());
    }
    let (interfaces, ssids) = (net::interfaces(cx)?, layers::ssids(cx));
    let on_air = network.interfaces.iter().filter(|interface| interface.device.is_empty());
    let devices = on_air.filter_map(|interface| net::text(interfaces.get(&interface.name), "device"));
    Ok(devices.filter(|device| ssids.contains_key(*device)).map(String::from).collect())
}

fn add(cx: &mut Context) -> Result<String, Fault> {
    let mut kept = Kept::read(cx, KEPT);
    let key = kept.new_key();
    kept.put(KeptRow { key: key.clone(), on: false, fields: Vec::new() });
    kept.store(cx);
    Ok(key)
}

/// What stands on the link loses it (CONFORMANCE P-67); the port or bridge below stays.
fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let key = cx.key(row)?;
    if has_device(&key) {
        free(cx, &key)?;
    }
    let mut kept = Kept::read(cx, KEPT);
    kept.remove(&key);
    kept.store(cx);
    Ok(())
}

/// Takes interfaces and VLANs off a device.
fn free(cx: &mut Context, device: &str) -> Result<(), Fault> {
    super::vlan::detach_from(cx, device)?;
    let network = layers::network(cx)?;
    for interface in network.interfaces.iter().filter(|interface| interface.device == device) {
        layers::keep_way(cx, &interface.name)?;
        layers::set(cx, interface.id, "ifname", None)?;
        layers::set(cx, interface.id, "device", None)?;
    }
    Ok(())
}

fn is_enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    let key = cx.key(row)?;
    if !has_device(&key) {
        return Ok(Kept::read(cx, KEPT).get(&key).is_some_and(|row| row.on));
    }
    layers::device_switch(cx, &key)?.is_enabled(cx, "link")
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let key = cx.key(row)?;
    let on = value == "true";
    if has_device(&key) {
        return layers::device_switch(cx, &key)?.set(cx, "link", on);
    }
    let mut kept = Kept::read(cx, KEPT);
    kept.put(KeptRow { key, on, fields: Vec::new() });
    kept.store(cx);
    Ok(())
}

fn status(cx: &mut Context, row: &Row) -> Result<&'static str> {
    let key = cx.key(row)?;
    if !is_enabled(cx, row)? || !has_device(&key) {
        return Ok("Down");
    }
    Ok(upper_status(cx, &key))
}

fn last_change(cx: &mut Context, row: &Row) -> Result<Text> {
    let (device, status) = (cx.key(row)?, status(cx, row)?);
    Ok(net::device_last_change(cx, LINKS, &device, status))
}

/// The management port of the bridge, or the port of the board.
fn lower_layers(cx: &mut Context, row: &Row) -> Result<Text> {
    let device = cx.key(row)?;
    let path = match layers::network(cx)?.bridge(&device) {
        Some(_) => cx.path_of_key(bridging::PORTS, &device),
        None => layers::path_below(cx, &device),
    };
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_lower_layers(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let old = cx.key(row)?;
    let on = is_enabled(cx, row)?;
    let mut kept = Kept::read(cx, KEPT);
    let new = if value.is_empty() {
        // What stands on it is let go.
        if has_device(&old) {
            free(cx, &old)?;
        }
        kept.new_key()
    } else {
        let new = device_below(cx, value)?;
        if let Some(other) = cx.path_of_key(LINKS, &new) {
            return Err(Fault::value(format!("{other} is on it already")));
        }
        if has_device(&old) {
            rename(cx, &old, &new)?;
        }
        new
    };
    if kept.get(&old).is_some() || !layers::network(cx)?.bases().contains(&new) {
        kept.remove(&old);
        kept.put(KeptRow { key: new.clone(), on, fields: Vec::new() });
    }
    kept.store(cx);
    cx.move_row(row, &new);
    if has_device(&new) { layers::device_switch(cx, &new)?.set(cx, "link", on) } else { Ok(()) }
}

/// The device of a row that a link can stand on.
fn device_below(cx: &mut Context, path: &str) -> Result<String, Fault> {
    if let Some(port) = cx.row_of_path(INTERFACES, path) {
        let device = cx.key(&port)?;
        return match layers::network(cx)?.bridge_of(&device) {
            Some(bridge) => Err(Fault::value(format!("{device} is a port of the bridge {}", bridge.name))),
            None => Ok(device),
        };
    }
    if let Some(port) = cx.row_of_path(bridging::PORTS, path) {
        let device = cx.key(&port)?;
        if layers::network(cx)?.bridge(&device).is_some() {
            return Ok(device);
        }
        return Err(Fault::value("not the management port of its bridge"));
    }
    let ssids = layers::ssids(cx);
    let found = ssids.iter().find(|(_, ssid)| *ssid == path).map(|(device, _)| device.clone());
    found.ok_or_else(|| {
        Fault::value("a link is on an Ethernet interface, the management port of a bridge, or an SSID that is up")
    })
}

/// Moves what stands on a device to another one, with the VLANs that are named after it.
pub(super) fn rename(cx: &mut Context, old: &str, new: &str) -> Result<(), Fault> {
    let network = layers::network(cx)?;
    for interface in network.interfaces.iter().filter(|interface| interface.device == old) {
        layers::set(cx, interface.id, "ifname", None)?;
        layers::set(cx, interface.id, "device", Some(new))?;
    }
    for device in network.devices.iter().filter(|device| device.below == old && device.kind != "bridge") {
        layers::set(cx, device.id, "ifname", Some(new))?;
    }
    for name in network.vlans() {
        let Some(vlan) = network.vlan(&name).filter(|vlan| vlan.below == old) else { continue };
        if name == format!("{old}.{}", vlan.id) {
            let path = cx.path_of_key(VLANS, &name);
            let row = path.and_then(|path| cx.row_of_path(VLANS, &path));
            let renamed = format!("{new}.{}", vlan.id);
            super::vlan::rename(cx, &name, &renamed)?;
            if let Some(row) = row {
                cx.move_row(&row, &renamed);
            }
        }
    }
    Ok(())
}

fn set_mac_address(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if mac_address(cx, row)?.eq_ignore_ascii_case(value) {
        return Ok(());
    }
    let device = cx.key(row)?;
    if !has_device(&device) {
        return Err(Fault::value("the link is on nothing yet"));
    }
    if value.is_empty() {
        return set_device_option(cx, &device, "macaddr", None);
    }
    let first = value.get(..2).and_then(|octet| u8::from_str_radix(octet, 16).ok()).unwrap_or(1);
    if first & 1 != 0 || value == "00:00:00:00:00:00" {
        return Err(Fault::value("not the address of a single station"));
    }
    // Written in one form, whatever form it came in.
    let now = device_option(cx, &device, "macaddr")?;
    if now.is_some_and(|now| now.eq_ignore_ascii_case(value)) {
        Ok(())
    } else {
        set_device_option(cx, &device, "macaddr", Some(value))
    }
}
