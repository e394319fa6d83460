//! `Device.Ethernet.Interface.{i}.`: the ports of the board.

use serde_json::Value as Json;

use super::super::net;
use super::{INTERFACES, device_option, mac_address, name, set_device_option};
use crate::error::{Fault, Result};
use crate::model::access::{full_name, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::format::MAC_ADDRESS;
use crate::model::schema::{
    Notification, Object, Rows, Table, Text, Values, alias, always, get, get_set, ro, rw, together,
};
use crate::model::value::{BOOLEAN, INT, STRING, UNSIGNED_INT};

/// Where `ip` lies on OpenWrt.
const IP: &str = "/sbin/ip";

/// TR-181 2.17 Device.Ethernet.Interface.{i}.: a port, known by the name of its device.
///
/// UCI cannot switch a port off, so that `Enable` is the agent's own; see [`switched_off`].
pub static INTERFACE: Object = Object::table(
    "Device.Ethernet.Interface.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(ports(cx)))).keys(&[always(&["Name"])]),
    &[
        rw("Enable", BOOLEAN, get_set(enable, set_enable)),
        ro("Status", net::INTERFACE_STATUS, get(|cx, row| Ok(Text::Borrowed(status(cx, row)?)))),
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), get(name)),
        ro("LastChange", UNSIGNED_INT, get(last_change)).notification(Notification::CanDeny),
        // Nothing lies below a port.
        rw("LowerLayers", net::LOWER_LAYERS, get_set(|_, _| Ok(Text::Borrowed("")), set_no_layers)),
        ro("Upstream", BOOLEAN, get(upstream)),
        ro("MACAddress", MAC_ADDRESS, get(mac_address)),
        rw("MaxBitRate", INT.ranges(&[(-1, i64::MAX)]), together(max_bit_rate)),
        ro("CurrentBitRate", UNSIGNED_INT, get(current_bit_rate)).notification(Notification::CanDeny),
        rw("DuplexMode", STRING.values(&["Half", "Full", "Auto"]), together(duplex_mode)),
    ],
)
.set_together(set_mode);

/// TR-181 2.17 Device.Ethernet.Interface.{i}.Stats.
pub static INTERFACE_STATS: Object = Object::single("Device.Ethernet.Interface.{i}.Stats.", net::STATS);

/// The ports in the order of the board: those of the LAN first.
fn ports(cx: &mut Context) -> Vec<String> {
    let board = board(cx);
    let mut ports: Vec<String> = Vec::new();
    for network in ["lan", "wan"] {
        let network = board.pointer(&format!("/network/{network}")).unwrap_or(&Json::Null);
        let listed = net::items(network, "ports").iter().filter_map(Json::as_str);
        let single = net::text(network, "device");
        for device in listed.chain(single.filter(|_| net::items(network, "ports").is_empty())) {
            // Boards with a switch behind a tagged port name the VLAN: `eth0.1`.
            let device = device.split('.').next().unwrap_or_default();
            if net::is_device_name(device) && !ports.iter().any(|port| port == device) {
                ports.push(String::from(device));
            }
        }
    }
    if ports.is_empty() {
        // A system without a board description: whatever has hardware, is Ethernet and no Wi-Fi.
        for device in cx.directory("/sys/class/net").iter() {
            let files = cx.directory(&format!("/sys/class/net/{device}"));
            let has = |name: &str| files.iter().any(|file| file == name);
            let ethernet = net::sysfs(cx, device, "type").as_deref() == Some("1");
            if ethernet && has("device") && !has("phy80211") {
                ports.push(device.clone());
            }
        }
    }
    ports
}

/// `/etc/board.json`; null where there is none.
fn board(cx: &mut Context) -> std::rc::Rc<Json> {
    cx.memo("board.json", |cx| {
        Ok(cx
            .file("/etc/board.json")
            .ok()
            .and_then(|text| crate::json::value(text.as_bytes()).ok())
            .unwrap_or(Json::Null))
    })
    .unwrap_or_default()
}

/// The names of the ports that the ACS has switched off. netifd and a boot bring them up, so that the daemon switches them off again then.
pub fn switched_off(cx: &mut Context) -> Vec<String> {
    let Some(node) = cx.schema().find(INTERFACES) else { return Vec::new() };
    let root = cx.root();
    let Ok(rows) = cx.rows(node, &root) else { return Vec::new() };
    let mut off = Vec::new();
    for entry in rows.iter() {
        let row = Row::new(node, &root, entry);
        if !is_enabled(cx, &row) {
            off.extend(cx.key(&row));
        }
    }
    off
}

/// The program that switches a port on or off.
#[must_use]
pub fn switch(device: &str, on: bool) -> [&str; 5] {
    [IP, "link", "set", device, if on { "up" } else { "down" }]
}

fn is_enabled(cx: &mut Context, row: &Row) -> bool {
    let name = full_name(cx, row.node(), row, "Enable");
    cx.own(&name).is_none_or(|value| value != "false")
}

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if is_enabled(cx, row) { "true" } else { "false" }))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let on = value == "true";
    if is_enabled(cx, row) != on {
        let name = full_name(cx, row.node(), row, "Enable");
        cx.set_own(&name, (!on).then_some("false"));
        let device = cx.key(row)?;
        cx.after(&switch(&device, on));
    }
    Ok(())
}

fn status(cx: &mut Context, row: &Row) -> Result<&'static str> {
    let device = cx.key(row)?;
    let status = net::device_status(cx, &device);
    Ok(if status != "NotPresent" && !is_enabled(cx, row) { "Down" } else { status })
}

fn last_change(cx: &mut Context, row: &Row) -> Result<Text> {
    let (device, status) = (cx.key(row)?, status(cx, row)?);
    Ok(net::device_last_change(cx, INTERFACES, &device, status))
}

fn set_no_layers(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if value.is_empty() { Ok(()) } else { Err(Fault::value("nothing lies below an Ethernet port")) }
}

fn upstream(cx: &mut Context, row: &Row) -> Result<Text> {
    let port = cx.key(row)?;
    let board = board(cx);
    let wan = board.pointer("/network/wan").unwrap_or(&Json::Null);
    let device = net::text(wan, "device").and_then(|device| device.split('.').next());
    let up = device == Some(&port) || net::items(wan, "ports").iter().any(|device| device.as_str() == Some(&port));
    Ok(Text::Borrowed(if up { "true" } else { "false" }))
}

fn current_bit_rate(cx: &mut Context, row: &Row) -> Result<Text> {
    let device = cx.key(row)?;
    let speed = net::sysfs(cx, &device, "speed").and_then(|speed| speed.parse::<u32>().ok());
    Ok(Text::Owned(speed.unwrap_or(0).to_string()))
}

/// The speed that a person or the ACS has fixed.
fn fixed_speed(cx: &mut Context, device: &str) -> Result<Option<u32>> {
    Ok(device_option(cx, device, "speed")?.and_then(|speed| speed.parse().ok()).filter(|speed| *speed > 0))
}

fn max_bit_rate(cx: &mut Context, row: &Row) -> Result<Text> {
    let device = cx.key(row)?;
    Ok(fixed_speed(cx, &device)?.map_or(Text::Borrowed("-1"), |speed| Text::Owned(speed.to_string())))
}

fn duplex_mode(cx: &mut Context, row: &Row) -> Result<Text> {
    let device = cx.key(row)?;
    let full = device_option(cx, &device, "duplex")?.as_deref().and_then(uci_truth);
    Ok(Text::Borrowed(match full {
        Some(true) => "Full",
        Some(false) => "Half",
        None => "Auto",
    }))
}

/// netifd takes a fixed speed and duplex only together with `autoneg '0'`.
fn set_mode(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let fault = |fault: Fault| ("MaxBitRate", fault);
    let device = cx.key(row).map_err(|error| fault(error.into()))?;
    if let Some(rate) = values.get("MaxBitRate") {
        let speed = rate.parse::<u32>().ok();
        if let Some(speed) = speed {
            let supported = supports(cx, &device, speed);
            if !supported {
                return Err(fault(Fault::value(format!("the port has no {speed} Mbit/s"))));
            }
        }
        let speed = speed.map(|speed| speed.to_string());
        set_device_option(cx, &device, "speed", speed.as_deref()).map_err(fault)?;
    }
    if let Some(mode) = values.get("DuplexMode") {
        let duplex = match mode {
            "Full" => Some("1"),
            "Half" => Some("0"),
            _ => None,
        };
        set_device_option(cx, &device, "duplex", duplex).map_err(|fault| ("DuplexMode", fault))?;
    }
    let stored = |cx: &mut Context, option| device_option(cx, &device, option).map_err(|error| fault(error.into()));
    let fixed = stored(cx, "speed")?.is_some() || stored(cx, "duplex")?.is_some();
    set_device_option(cx, &device, "autoneg", fixed.then_some("0")).map_err(fault)
}

/// Whether a port can have a speed in Mbit/s; without ubus nothing is known, and netifd has the last word.
fn supports(cx: &mut Context, device: &str, speed: u32) -> bool {
    let devices = net::devices(cx);
    let modes = devices.get(device).map(|device| net::items(device, "link-supported")).unwrap_or_default();
    let prefix = format!("{speed}base");
    modes.is_empty() || modes.iter().filter_map(Json::as_str).any(|mode| mode.starts_with(&prefix))
}
