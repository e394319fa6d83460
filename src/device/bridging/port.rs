//! `Device.Bridging.Bridge.{i}.Port.{i}.`: the bridge itself as its management port, the devices in its `ports`, and the SSIDs whose network is on it.
//!
//! A port that is switched off is not in the configuration; the agent's own state has it then.

use std::rc::Rc;

use super::super::kept::{Kept, KeptRow, is_new};
use super::super::{ethernet, layers, net, wifi};
use super::{PORTS, bridge, bridge_name, bridge_of, same, vlan};
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::{full_name, truth};
use crate::model::context::{Context, Row};
use crate::model::schema::{Notification, Object, Rows, Table, Text, alias, always, change, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, INT, STRING, UNSIGNED_INT};

/// The table of SSIDs.
const SSIDS: &str = "Device.WiFi.SSID.";

/// What the key of a port begins with that is an SSID; the section follows.
const WIFI: &str = "wifi ";

/// The longest text that `LowerLayers` can have.
const LONGEST: usize = 1024;

const PRIORITIES: &str = "0,1,2,3,4,5,6,7";

/// TR-181 2.17 Device.Bridging.Bridge.{i}.Port.{i}.
pub static PORT: Object = Object::table(
    "Device.Bridging.Bridge.{i}.Port.{i}.",
    Table::new(Rows::Keys(keys))
        .added_by(add)
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
        rw("ManagementPort", BOOLEAN, get_set(|cx, row| Ok(truth(is_management(cx, row)?)), set_management))
            .default("false"),
        // The kernel's bridge takes priorities as they are.
        rw(
            "DefaultUserPriority",
            UNSIGNED_INT.ranges(&[(0, 7)]),
            get_set(|_, _| Ok(Text::Borrowed("0")), set_user_priority),
        ),
        rw(
            "PriorityRegeneration",
            UNSIGNED_INT.ranges(&[(0, 7)]).list_within((8, 8), u32::MAX),
            get_set(|_, _| Ok(Text::Borrowed(PRIORITIES)), set_regeneration),
        )
        .default(PRIORITIES),
        ro(
            "PortState",
            STRING.values(&["Disabled", "Blocking", "Listening", "Learning", "Forwarding", "Broken"]),
            get(port_state),
        )
        .default("Disabled"),
        rw("PVID", INT.ranges(&[(1, 4094)]), change(pvid, set_pvid)).default("1"),
        rw(
            "AcceptableFrameTypes",
            STRING.values(&["AdmitAll", "AdmitOnlyVLANTagged", "AdmitOnlyPrioUntagged"]),
            get_set(|cx, row| Ok(Text::Borrowed(frame_types(cx, row)?)), set_frame_types),
        )
        .default("AdmitAll"),
        rw("IngressFiltering", BOOLEAN, get_set(ingress_filtering, set_ingress_filtering)).default("false"),
        rw("PriorityTagging", BOOLEAN, get_set(|_, _| Ok(truth(false)), set_priority_tagging)).default("false"),
    ],
);

/// TR-181 2.17 Device.Bridging.Bridge.{i}.Port.{i}.Stats.
pub static PORT_STATS: Object = Object::single("Device.Bridging.Bridge.{i}.Port.{i}.Stats.", net::STATS);

/// Under which name the ports of a bridge are kept that are not in the configuration. They go with it.
fn kept_name(cx: &Context, bridge: &Row) -> String {
    format!("{}Port", cx.schema().path(bridge.node(), bridge))
}

fn kept(cx: &Context, bridge: &Row) -> Kept {
    let name = kept_name(cx, bridge);
    Kept::read(cx, &name)
}

/// The bridge first, then its ports in the order of the file, then SSIDs.
fn keys(cx: &mut Context, bridge: &Row) -> Result<Vec<String>> {
    let mut keys = attached(cx, bridge)?;
    for row in kept(cx, bridge).rows {
        if !keys.contains(&row.key) {
            keys.push(row.key);
        }
    }
    Ok(keys)
}

fn attached(cx: &mut Context, bridge: &Row) -> Result<Vec<String>> {
    let name = bridge_name(cx, bridge)?;
    let mut keys = vec![name.clone()];
    if let Some(bridge) = layers::network(cx)?.bridge(&name) {
        keys.extend(bridge.ports.iter().filter(|port| net::is_device_name(port) && **port != name).cloned());
    }
    let networks = networks_on(cx, &name)?;
    if !networks.is_empty() {
        for (key, on) in wifi_networks(cx)?.iter() {
            if on.iter().any(|network| networks.contains(network)) {
                keys.push(format!("{WIFI}{key}"));
            }
        }
    }
    Ok(keys)
}

/// The interfaces that are on a bridge, or on a VLAN of it.
fn networks_on(cx: &mut Context, bridge: &str) -> Result<Vec<String>> {
    let network = layers::network(cx)?;
    let is_on = |device: &str| device == bridge || network.vlan(device).is_some_and(|vlan| vlan.below == bridge);
    let on = network.interfaces.iter().filter(|interface| is_on(&interface.device));
    Ok(on.map(|interface| interface.name.clone()).collect())
}

/// The section of an SSID, and its networks.
type WifiNetworks = (String, Vec<String>);

/// All SSIDs with their networks.
fn wifi_networks(cx: &mut Context) -> Result<Rc<Vec<WifiNetworks>>> {
    cx.memo("networks of SSIDs", |cx| {
        let mut found = Vec::new();
        let Some(node) = cx.schema().find(SSIDS) else { return Ok(found) };
        for row in cx.all_rows(node)? {
            let networks = cx.section(&row)?.list("network").into_iter().flat_map(str::split_ascii_whitespace);
            let networks = networks.map(String::from).collect();
            found.push((cx.key(&row)?, networks));
        }
        Ok(found)
    })
}

fn is_management(cx: &mut Context, row: &Row) -> Result<bool> {
    let bridge = bridge_of(cx, row);
    Ok(bridge_name(cx, &bridge)? == cx.key(row)?)
}

/// The network device of a port; `None` where it has none now.
pub(in super::super) fn device(cx: &mut Context, row: &Row) -> Option<String> {
    let key = cx.key(row).ok()?;
    match key.strip_prefix(WIFI) {
        Some(section) => {
            let path = cx.path_of_key(SSIDS, section)?;
            let ssid = cx.row_of_path(SSIDS, &path)?;
            wifi::device_of(cx, &ssid)
        }
        None => (!is_new(&key)).then_some(key),
    }
}

fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    // A section of Wi-Fi is the name of a network that has no device now.
    let name = device(cx, row).unwrap_or_else(|| key.strip_prefix(WIFI).map_or(key.clone(), String::from));
    Ok(Text::Owned(name.chars().take(64).collect()))
}

fn is_enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    let (bridge, key) = (bridge_of(cx, row), cx.key(row)?);
    if is_new(&key) {
        return Ok(kept(cx, &bridge).get(&key).is_some_and(|row| row.on));
    }
    Ok(attached(cx, &bridge)?.contains(&key))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let on = value == "true";
    if is_enabled(cx, row)? == on {
        return Ok(());
    }
    if is_management(cx, row)? {
        return Err(Fault::value("the management port is the bridge itself: it is switched off with the bridge"));
    }
    let (bridge, key) = (bridge_of(cx, row), cx.key(row)?);
    let mut kept = kept(cx, &bridge);
    if is_new(&key) || !on {
        kept.put(KeptRow { key: key.clone(), on, fields: Vec::new() });
    } else {
        kept.remove(&key);
    }
    kept.store(cx);
    match (is_new(&key), on) {
        (true, _) => Ok(()),
        (false, true) => attach(cx, &bridge, &key),
        (false, false) => detach(cx, &bridge, &key),
    }
}

/// Puts a device or SSID into a bridge.
fn attach(cx: &mut Context, bridge: &Row, key: &str) -> Result<(), Fault> {
    let name = bridge_name(cx, bridge)?;
    if let Some(section) = key.strip_prefix(WIFI) {
        let networks = networks_on(cx, &name)?;
        let network = networks
            .first()
            .ok_or_else(|| Fault::value("no IP interface is on the bridge that the SSID could join"))?;
        return set_networks(cx, section, std::slice::from_ref(network));
    }
    let device = layers::network(cx)?.bridge(&name).cloned().ok_or_else(|| Fault::internal("the bridge is gone"))?;
    let mut ports = device.ports;
    ports.push(String::from(key));
    layers::set_list(cx, device.id, "ports", &ports)
}

/// Takes a device or SSID out of a bridge.
fn detach(cx: &mut Context, bridge: &Row, key: &str) -> Result<(), Fault> {
    let name = bridge_name(cx, bridge)?;
    if let Some(section) = key.strip_prefix(WIFI) {
        let networks = networks_on(cx, &name)?;
        let now =
            wifi_networks(cx)?.iter().find(|(known, _)| known == section).map(|(_, on)| on.clone()).unwrap_or_default();
        let left: Vec<String> = now.into_iter().filter(|network| !networks.contains(network)).collect();
        return set_networks(cx, section, &left);
    }
    let device = layers::network(cx)?.bridge(&name).cloned().ok_or_else(|| Fault::internal("the bridge is gone"))?;
    let ports: Vec<String> = device.ports.into_iter().filter(|port| port != key).collect();
    layers::set_list(cx, device.id, "ports", &ports)
}

fn set_networks(cx: &mut Context, section: &str, networks: &[String]) -> Result<(), Fault> {
    let path = cx.path_of_key(SSIDS, section).ok_or_else(|| Fault::value("the SSID is gone"))?;
    let ssid = cx.row_of_path(SSIDS, &path).ok_or_else(|| Fault::value("the SSID is gone"))?;
    match networks {
        [] => cx.set_option(&ssid, "network", None),
        [one] => cx.set_option(&ssid, "network", Some(one)),
        several => {
            let items: Vec<&str> = several.iter().map(String::as_str).collect();
            cx.set_list(&ssid, "network", &items)
        }
    }
}

fn status(cx: &mut Context, row: &Row) -> Result<&'static str> {
    if !is_enabled(cx, row)? {
        return Ok("Down");
    }
    Ok(match device(cx, row) {
        Some(device) => match net::device_status(cx, &device) {
            "Down" => "LowerLayerDown",
            status => status,
        },
        None => "Down",
    })
}

fn last_change(cx: &mut Context, row: &Row) -> Result<Text> {
    let (key, status) = (cx.key(row)?, status(cx, row)?);
    let device = device(cx, row).unwrap_or(key);
    Ok(net::device_last_change(cx, PORTS, &device, status))
}

/// All other ports, below the management port; what it is itself, below any other.
fn lower_layers(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    if is_management(cx, row)? {
        let bridge = bridge_of(cx, row);
        let mut paths = String::new();
        for entry in cx.rows(row.node(), &bridge)?.iter() {
            let other = Row::new(row.node(), &bridge, entry);
            let path = cx.path_of(&other);
            if other.number() != row.number() && paths.len().saturating_add(path.len()) < LONGEST {
                if !paths.is_empty() {
                    paths.push(',');
                }
                paths.push_str(&path);
            }
        }
        return Ok(Text::Owned(paths));
    }
    let path = match key.strip_prefix(WIFI) {
        Some(section) => cx.path_of_key(SSIDS, section),
        None => layers::path_below(cx, &key),
    };
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_lower_layers(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if is_management(cx, row)? {
        return Err(Fault::value("below the management port are all other ports of the bridge"));
    }
    let (bridge, old, on) = (bridge_of(cx, row), cx.key(row)?, is_enabled(cx, row)?);
    let mut kept = kept(cx, &bridge);
    let new = if value.is_empty() { kept.new_key() } else { port_below(cx, value)? };
    if on && !is_new(&old) {
        detach(cx, &bridge, &old)?;
        let successor = net::is_device_name(&new).then_some(new.as_str());
        layers::replace_vlan_ports(cx, &old, successor)?;
    }
    kept.remove(&old);
    if is_new(&new) || !on {
        kept.put(KeptRow { key: new.clone(), on, fields: Vec::new() });
    }
    kept.store(cx);
    if on && !is_new(&new) {
        attach(cx, &bridge, &new)?;
    }
    cx.move_row(row, &new);
    Ok(())
}

/// The key of a port on a row below.
fn port_below(cx: &mut Context, path: &str) -> Result<String, Fault> {
    let key = if let Some(ssid) = cx.row_of_path(SSIDS, path) {
        format!("{WIFI}{}", cx.name_section(&ssid)?)
    } else if let Some(port) = cx.row_of_path(ethernet::INTERFACES, path) {
        cx.key(&port)?
    } else if let Some(vlan) = cx.row_of_path(ethernet::VLANS, path) {
        cx.key(&vlan)?
    } else {
        return Err(Fault::value("a port is on an Ethernet interface, a VLAN termination or an SSID"));
    };
    if let Some(other) = cx.path_of_key(PORTS, &key) {
        return Err(Fault::value(format!("{other} is it already")));
    }
    let network = layers::network(cx)?;
    if let Some(interface) = network.interfaces.iter().find(|interface| interface.device == key) {
        return Err(Fault::value(format!("the interface {} is on it", interface.name)));
    }
    Ok(key)
}

fn add(cx: &mut Context, bridge: &Row) -> Result<String, Fault> {
    cx.name_section(bridge)?;
    let mut kept = kept(cx, bridge);
    let key = kept.new_key();
    kept.put(KeptRow { key: key.clone(), on: false, fields: Vec::new() });
    kept.store(cx);
    Ok(key)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    if is_management(cx, row)? {
        return Err(Fault::new(FaultCode::INVALID_PARAMETER_NAME, "the management port is the bridge itself"));
    }
    let (bridge, key) = (bridge_of(cx, row), cx.key(row)?);
    if !is_new(&key) && is_enabled(cx, row)? {
        detach(cx, &bridge, &key)?;
    }
    layers::replace_vlan_ports(cx, &key, None)?;
    let mut kept = kept(cx, &bridge);
    kept.remove(&key);
    kept.store(cx);
    Ok(())
}

fn set_management(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let now = truth(is_management(cx, row)?);
    same(value, &now, "every bridge has its management port from the beginning")
}

fn set_user_priority(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    same(value, "0", "the bridge gives no priority to untagged frames")
}

fn set_regeneration(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    same(value, PRIORITIES, "the bridge takes priorities as they are")
}

fn set_priority_tagging(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    same(value, "false", "the bridge does not send priority tags")
}

fn port_state(cx: &mut Context, row: &Row) -> Result<Text> {
    let Some(device) = device(cx, row) else { return Ok(Text::Borrowed("Disabled")) };
    if is_management(cx, row)? {
        return Ok(Text::Borrowed(if status(cx, row)? == "Up" { "Forwarding" } else { "Disabled" }));
    }
    // BR_STATE_* of the kernel.
    Ok(Text::Borrowed(match net::sysfs(cx, &device, "brport/state").as_deref() {
        Some("1") => "Listening",
        Some("2") => "Learning",
        Some("3") => "Forwarding",
        Some("4") => "Blocking",
        _ => "Disabled",
    }))
}

/// Whether the port is in any VLAN, to which one untagged frames are said to belong, and to which one netifd lets them belong where nothing is said:
/// the first that the port is in without a tag.
fn untagged_vlan(cx: &mut Context, row: &Row) -> Result<(bool, Option<u16>, Option<u16>)> {
    let (bridge, key) = (bridge_of(cx, row), cx.key(row)?);
    let vlans = vlan::all(cx, &bridge)?;
    let flags = |vlan: &vlan::BridgeVlan| vlan.flags(&key).filter(|_| vlan.enabled);
    let member = vlans.iter().any(|vlan| flags(vlan).is_some());
    let chosen = vlans.iter().find(|vlan| flags(vlan).is_some_and(|(_, chosen)| chosen));
    let without_tag = vlans.iter().filter(|vlan| flags(vlan).is_some_and(|(untagged, _)| untagged));
    Ok((member, chosen.map(|vlan| vlan.number), without_tag.map(|vlan| vlan.number).min()))
}

/// What the VLANs say, or else what the ACS has wished, to count as soon as the port is in that VLAN, or else what netifd makes of it.
fn pvid(cx: &mut Context, row: &Row) -> Result<Text> {
    let (_, said, usual) = untagged_vlan(cx, row)?;
    let number = said.or_else(|| wished_pvid(cx, row)).or(usual).unwrap_or(1);
    Ok(Text::Owned(number.max(1).to_string()))
}

/// The PVID that the ACS has set.
pub(super) fn wished_pvid(cx: &Context, row: &Row) -> Option<u16> {
    let name = full_name(cx, row.node(), row, "PVID");
    cx.own(&name).and_then(|number| number.parse().ok())
}

fn set_pvid(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let name = full_name(cx, row.node(), row, "PVID");
    cx.set_own(&name, Some(value));
    let (bridge, key) = (bridge_of(cx, row), cx.key(row)?);
    for vlan in vlan::all(cx, &bridge)? {
        let Some((untagged, chosen)) = vlan.flags(&key) else { continue };
        let choose = vlan.number.to_string() == value;
        if chosen != choose {
            super::vlan_port::put(cx, &vlan, &key, Some((untagged, choose)))?;
        }
    }
    Ok(())
}

fn frame_types(cx: &mut Context, row: &Row) -> Result<&'static str> {
    Ok(match untagged_vlan(cx, row)? {
        (true, None, None) => "AdmitOnlyVLANTagged",
        _ => "AdmitAll",
    })
}

fn set_frame_types(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let now = frame_types(cx, row)?;
    same(value, now, "the VLANs and the PVID of the port say what it takes")
}

fn ingress_filtering(cx: &mut Context, row: &Row) -> Result<Text> {
    let (bridge, key) = (bridge_of(cx, row), cx.key(row)?);
    // A port that is none yet does nothing.
    Ok(truth(!is_new(&key) && bridge::filters(cx, &bridge)?))
}

fn set_ingress_filtering(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let now = ingress_filtering(cx, row)?;
    same(value, &now, "a bridge filters if and only if it has VLANs")
}
