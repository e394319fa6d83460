//! `Device.Cellular.`: modems of mobile networks, as the protocols of netifd for them have them (`qmi`, `mbim`, `ncm`, `modemmanager`, `3g`).
//!
//! A modem is known by what its interfaces call it: the path of its control device, or of its place on the bus. What only the modem itself knows, such
//! as its signal, is left out: asking it takes a program at every reading.

use serde_json::Value as Json;

use super::{layers, net};
use crate::error::{Error, Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format;
use crate::model::schema::{
    Notification, Object, Rows, Table, Text, alias, always, change, constant, count, functional, get, get_set, ro, rw,
    uci,
};
use crate::model::value::{BOOLEAN, Format, STRING, UNSIGNED_INT, UNSIGNED_LONG};
use crate::platform::uci::SectionId;

/// The table of modems.
pub const INTERFACES: &str = "Device.Cellular.Interface.";

/// TR-181 2.17 Device.Cellular.
pub static CELLULAR: Object = Object::single(
    "Device.Cellular.",
    &[
        ro("InterfaceNumberOfEntries", UNSIGNED_INT, count("Interface")),
        ro("AccessPointNumberOfEntries", UNSIGNED_INT, count("AccessPoint")),
    ],
);

/// TR-181 2.17 Device.Cellular.Interface.{i}.
pub static INTERFACE: Object = Object::table(
    "Device.Cellular.Interface.{i}.",
    Table::new(Rows::Keys(|cx, _| keys(cx))).keys(&[always(&["Name"])]),
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(is_enabled(cx, row)?)), set_enable)),
        ro("Status", net::INTERFACE_STATUS, get(|cx, row| Ok(Text::Borrowed(status(cx, row)?)))),
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), get(name)),
        ro("LastChange", UNSIGNED_INT, get(last_change)).notification(Notification::CanDeny),
        // Nothing lies below a modem.
        rw("LowerLayers", net::LOWER_LAYERS, get_set(|_, _| Ok(Text::Borrowed("")), set_no_layers)),
        ro("Upstream", BOOLEAN, constant("true")),
        rw("NetworkRequested", STRING.lengths(&[(0, 64)]), get_set(network_requested, set_network_requested)),
    ],
);

/// TR-181 2.17 Device.Cellular.Interface.{i}.USIM.
pub static USIM: Object = Object::single(
    "Device.Cellular.Interface.{i}.USIM.",
    &[rw("PIN", STRING.lengths(&[(0, 4)]), get_set(pin, set_pin)).hidden()],
);

/// TR-181 2.17 Device.Cellular.Interface.{i}.Stats.
pub static STATS: Object = Object::single(
    "Device.Cellular.Interface.{i}.Stats.",
    &[
        net::BYTES_SENT,
        net::BYTES_RECEIVED,
        net::PACKETS_SENT,
        net::PACKETS_RECEIVED,
        // Here TR-181 has 64 bits for what other interfaces count with 32.
        long("ErrorsSent", |cx, row| counted(cx, row, "tx_errors")),
        long("ErrorsReceived", |cx, row| counted(cx, row, "rx_errors")),
        net::UNICAST_PACKETS_SENT,
        net::UNICAST_PACKETS_RECEIVED,
        long("DiscardPacketsSent", |cx, row| counted(cx, row, "tx_dropped")),
        long("DiscardPacketsReceived", |cx, row| counted(cx, row, "rx_dropped")),
        net::MULTICAST_PACKETS_SENT,
        net::MULTICAST_PACKETS_RECEIVED,
        net::BROADCAST_PACKETS_SENT,
        net::BROADCAST_PACKETS_RECEIVED,
        long("UnknownProtoPacketsReceived", |cx, row| counted(cx, row, "rx_nohandler")),
        net::RESET,
    ],
);

/// 3GPP TS 23.003 9.1: labels between dots. The script of `3g` puts it into a command that pppd has a shell run, so nothing else may get there
/// (SECURITY S3).
const APN: Format = Format { name: "name of an access point such as internet.example", check: format::is_host_name };
/// The script of `qmi` hands it to uqmi without quotes, and ModemManager takes it from a list with commas and quotes: it stays one argument there.
const WORD: Format = Format {
    name: "text without blanks, quotes, backslashes, commas and wildcards, and without a hyphen at its start",
    check: is_word,
};

fn is_word(text: &str) -> bool {
    let apart = |c: char| c.is_control() || c.is_whitespace() || "\"'\\`,*?[".contains(c);
    !text.starts_with('-') && !text.contains(apart)
}

/// TR-181 2.17 Device.Cellular.AccessPoint.{i}.: what an interface asks its modem for. It comes and goes with the interface.
pub static ACCESS_POINT: Object = Object::table(
    "Device.Cellular.AccessPoint.{i}.",
    Table::new(Rows::SomeSections { package: layers::PACKAGE, list: |cx, _| access_points(cx) })
        .keys(&[functional(&["APN"]), functional(&["Interface"])])
        .enabled_by("Enable"),
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(point_is_enabled(cx, row)?)), set_point_enable)),
        alias(),
        rw("APN", STRING.lengths(&[(0, 64)]).format(APN), uci("apn")),
        rw("Username", STRING.lengths(&[(0, 256)]).format(WORD), uci("username")),
        rw("Password", STRING.lengths(&[(0, 256)]).format(WORD), uci("password")).hidden(),
        rw("Interface", STRING.strong(&[INTERFACES]), change(modem, set_modem)),
    ],
);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&CELLULAR, &INTERFACE, &USIM, &STATS, &ACCESS_POINT];

const fn long(name: &'static str, read: crate::model::schema::Get) -> crate::model::schema::Parameter {
    ro(name, UNSIGNED_LONG, get(read)).notification(Notification::CanDeny)
}

fn counted(cx: &mut Context, row: &Row, name: &str) -> Result<Text> {
    Ok(Text::Owned(net::counter(cx, row, name).to_string()))
}

/// The modems, in the order of the file.
fn keys(cx: &mut Context) -> Result<Vec<String>> {
    let mut keys: Vec<String> = Vec::new();
    for interface in layers::network(cx)?.interfaces.iter().filter(|it| layers::is_cellular(&it.proto)) {
        let key = modem_of(interface);
        if !key.is_empty() && !keys.iter().any(|known| known == key) {
            keys.push(String::from(key));
        }
    }
    Ok(keys)
}

/// What the modem of an interface is known by.
fn modem_of(interface: &layers::Interface) -> &str {
    // Without a device the protocol looks for one by itself.
    if interface.device.is_empty() { &interface.name } else { &interface.device }
}

/// The row of the modem of an interface.
pub fn path_of(cx: &mut Context, interface: &layers::Interface) -> Option<String> {
    cx.path_of_key(INTERFACES, modem_of(interface))
}

fn access_points(cx: &mut Context) -> Result<Vec<SectionId>> {
    let network = layers::network(cx)?;
    Ok(network.interfaces.iter().filter(|it| layers::is_cellular(&it.proto)).map(|it| it.id).collect())
}

/// The first interface on a modem, which says what is set for all of it.
fn first_of(cx: &mut Context, row: &Row) -> Result<layers::Interface> {
    let (network, key) = (layers::network(cx)?, cx.key(row)?);
    let mut on_modems = network.interfaces.iter().filter(|it| layers::is_cellular(&it.proto));
    on_modems.find(|it| modem_of(it) == key).cloned().ok_or_else(|| Error::other("the modem is gone"))
}

/// The access point of the first interface on a modem: the row with its section.
fn section_of(cx: &mut Context, row: &Row) -> Result<std::rc::Rc<Row>> {
    const POINTS: &str = "Device.Cellular.AccessPoint.";
    let first = first_of(cx, row)?;
    let path = cx.path_of_key(POINTS, &first.name);
    path.and_then(|path| cx.row_of_path(POINTS, &path)).ok_or_else(|| Error::other("the modem is gone"))
}

/// What netifd says of the interface of a modem.
fn state(cx: &mut Context, row: &Row) -> Result<Json> {
    let first = first_of(cx, row)?;
    Ok(net::interfaces(cx)?.get(&first.name).clone())
}

/// The network device of a modem, while it has one (`wwan0`).
pub fn device(cx: &mut Context, row: &Row) -> Option<String> {
    let state = state(cx, row).ok()?;
    let device = net::text(&state, "l3_device").or_else(|| net::text(&state, "device"));
    device.filter(|device| net::is_device_name(device)).map(String::from)
}

fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let name = key.rsplit('/').next().unwrap_or_default();
    Ok(Text::Owned(name.chars().take(64).collect()))
}

fn is_enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    let section = section_of(cx, row)?;
    layers::interface_switch(cx, &section)?.is_enabled(cx, "cellular")
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let section = section_of(cx, row)?;
    layers::interface_switch(cx, &section)?.set(cx, "cellular", value == "true")
}

fn status(cx: &mut Context, row: &Row) -> Result<&'static str> {
    let section = section_of(cx, row)?;
    if !layers::interface_switch(cx, &section)?.is_on(cx)? {
        return Ok("Down");
    }
    if !net::interfaces(cx)?.known() {
        return Ok("Unknown");
    }
    let state = state(cx, row)?;
    Ok(if net::truth(&state, "up") {
        "Up"
    } else if net::truth(&state, "pending") {
        "Dormant"
    } else if state.get("available").and_then(Json::as_bool) == Some(false) {
        "NotPresent"
    } else {
        "Down"
    })
}

fn last_change(cx: &mut Context, row: &Row) -> Result<Text> {
    let (key, status) = (cx.key(row)?, status(cx, row)?);
    let seen = net::seconds_in_state(cx, &format!("{INTERFACES}{key}"), status);
    let up = state(cx, row)?.get("uptime").and_then(Json::as_u64).filter(|_| status == "Up");
    Ok(Text::Owned(up.unwrap_or(seen).min(u64::from(u32::MAX)).to_string()))
}

fn set_no_layers(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if value.is_empty() { Ok(()) } else { Err(Fault::value("nothing lies below a modem")) }
}

/// The network by its number; without one the modem chooses.
fn network_requested(cx: &mut Context, row: &Row) -> Result<Text> {
    let section = section_of(cx, row)?;
    Ok(cx.option(&section, "plmn")?.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_network_requested(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let number = value.len() <= 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    if !number || matches!(value.len(), 1..=4) {
        return Err(Fault::value("a network is the 5 or 6 digits of its country and its own code"));
    }
    let section = section_of(cx, row)?;
    if !matches!(cx.option(&section, "proto")?.as_deref(), Some("qmi" | "modemmanager")) && !value.is_empty() {
        return Err(Fault::value("the protocol of the modem leaves the network to the modem"));
    }
    cx.set_option(&section, "plmn", Some(value))
}

fn pin(cx: &mut Context, row: &Row) -> Result<Text> {
    let section = section_of(cx, row)?;
    Ok(cx.option(&section, "pincode")?.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_pin(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if !value.is_empty() && (value.len() != 4 || !value.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(Fault::value("a PIN has four digits"));
    }
    let section = section_of(cx, row)?;
    cx.set_option(&section, "pincode", Some(value))
}

fn point_is_enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    layers::interface_switch(cx, row)?.is_enabled(cx, "access_point")
}

fn set_point_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    layers::interface_switch(cx, row)?.set(cx, "access_point", value == "true")
}

fn modem(cx: &mut Context, row: &Row) -> Result<Text> {
    let (network, key) = (layers::network(cx)?, cx.key(row)?);
    let Some(interface) = network.interface(&key) else { return Ok(Text::Borrowed("")) };
    Ok(path_of(cx, interface).map_or(Text::Borrowed(""), Text::Owned))
}

fn set_modem(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let target = cx.row_of_path(INTERFACES, value).ok_or_else(|| Fault::value("an access point has a modem"))?;
    let key = cx.key(&target)?;
    if !key.starts_with('/') {
        return Err(Fault::value("the modem has no path that could be set"));
    }
    cx.set_option(row, "device", Some(&key))
}
