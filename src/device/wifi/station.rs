//! `Device.WiFi.AccessPoint.{i}.AssociatedDevice.{i}.`: the stations that hostapd and the driver have.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::live::{self, number};
use crate::device::net;
use crate::error::Result;
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::MAC_ADDRESS;
use crate::model::schema::{Notification, Object, Rows, Table, Text, always, constant, get, ro};
use crate::model::value::{BOOLEAN, INT, STRING, Type, UNSIGNED_INT, UNSIGNED_LONG};
use crate::sorted::Map;

/// kbit/s
const RATE: Type = UNSIGNED_INT.ranges(&[(1000, i64::MAX)]);

pub(super) static ASSOCIATED_DEVICE: Object = Object::table(
    "Device.WiFi.AccessPoint.{i}.AssociatedDevice.{i}.",
    Table::new(Rows::Keys(stations)).keys(&[always(&["MACAddress"])]),
    &[
        ro("MACAddress", MAC_ADDRESS, get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("OperatingStandard", STRING.values(&["a", "b", "g", "n", "ac", "ax", "be"]), get(standard)),
        ro("AuthenticationState", BOOLEAN, get(authorized)),
        ro("LastDataDownlinkRate", RATE, get(|cx, row| rate(cx, row, "tx"))).notification(Notification::CanDeny),
        ro("LastDataUplinkRate", RATE, get(|cx, row| rate(cx, row, "rx"))).notification(Notification::CanDeny),
        ro("SignalStrength", INT.ranges(&[(-200, 0)]), get(|cx, row| level(cx, row, "signal"))),
        ro("Noise", INT.ranges(&[(-200, 0)]), get(|cx, row| level(cx, row, "noise"))),
        ro("SNR", UNSIGNED_INT, get(signal_to_noise)),
        ro("Retransmissions", UNSIGNED_INT.ranges(&[(0, 100)]), get(retransmissions)),
        ro("Active", BOOLEAN, constant("true")),
    ],
);

pub(super) static STATS: Object = Object::single(
    "Device.WiFi.AccessPoint.{i}.AssociatedDevice.{i}.Stats.",
    &[
        ro("BytesSent", UNSIGNED_LONG, get(|cx, row| counter(cx, row, "tx", "bytes"))),
        ro("BytesReceived", UNSIGNED_LONG, get(|cx, row| counter(cx, row, "rx", "bytes"))),
        ro("PacketsSent", UNSIGNED_LONG, get(|cx, row| counter(cx, row, "tx", "packets"))),
        ro("PacketsReceived", UNSIGNED_LONG, get(|cx, row| counter(cx, row, "rx", "packets"))),
        ro("ErrorsSent", UNSIGNED_INT, get(|cx, row| counter(cx, row, "tx", "failed"))),
        ro("RetransCount", UNSIGNED_INT, get(|cx, row| counter(cx, row, "tx", "retries"))),
    ],
);

/// A station, as hostapd and as the driver have it; null where one has it not.
#[derive(Default)]
struct Station {
    hostapd: Json,
    driver: Json,
}

/// The stations of the access point of a row, by their MAC addresses in small letters.
fn all(cx: &mut Context, access_point: &Row) -> Result<Map<String, Station>> {
    let mut found: Map<String, Station> = Map::new();
    let Some(device) = live::device(cx, access_point)? else { return Ok(found) };
    let clients = cx.ubus(&format!("hostapd.{device}"), "get_clients", &json!({})).unwrap_or_default();
    for (mac, client) in clients.get("clients").and_then(Json::as_object).into_iter().flatten() {
        found.get_or_default(mac.to_ascii_lowercase()).hostapd = client.clone();
    }
    for client in live::list(cx, "assoclist", &device) {
        if let Some(mac) = net::text(&client, "mac").map(str::to_ascii_lowercase) {
            found.get_or_default(mac).driver = client;
        }
    }
    found.retain(|mac, _| crate::model::format::is_mac(mac));
    Ok(found)
}

fn stations(cx: &mut Context, access_point: &Row) -> Result<Vec<String>> {
    Ok(all(cx, access_point)?.into_keys())
}

fn station(cx: &mut Context, row: &Row) -> Result<Station> {
    let Some(access_point) = row.parent().map(Rc::clone) else { return Ok(Station::default()) };
    let mac = cx.key(row)?;
    Ok(all(cx, &access_point)?.remove(&mac).unwrap_or_default())
}

fn standard(cx: &mut Context, row: &Row) -> Result<Text> {
    let station = station(cx, row)?;
    let modes = [("eht", "be"), ("he", "ax"), ("vht", "ac"), ("ht", "n")];
    let has = |mode: &str| {
        let direction = |name| station.driver.get(name).is_some_and(|way| net::truth(way, mode));
        direction("tx") || direction("rx") || (station.driver.is_null() && net::truth(&station.hostapd, mode))
    };
    if let Some((_, standard)) = modes.iter().find(|(mode, _)| has(mode)) {
        return Ok(Text::Borrowed(standard));
    }
    let Some(access_point) = row.parent().map(Rc::clone) else { return Ok(Text::Borrowed("")) };
    let device = live::device(cx, &access_point)?.unwrap_or_default();
    let frequency = number(&live::info(cx, &device), "frequency").unwrap_or(0);
    Ok(Text::Borrowed(if frequency > 5000 { "a" } else { "g" }))
}

fn authorized(cx: &mut Context, row: &Row) -> Result<Text> {
    let station = station(cx, row)?;
    Ok(truth(net::truth(&station.hostapd, "authorized") || net::truth(&station.driver, "authorized")))
}

/// The rate of the last frames in kbit/s; TR-181 has nothing below 1000.
fn rate(cx: &mut Context, row: &Row, direction: &str) -> Result<Text> {
    let station = station(cx, row)?;
    let driver = station.driver.get(direction).and_then(|way| number(way, "rate"));
    let hostapd = station.hostapd.get("rate").and_then(|rates| number(rates, direction));
    let rate = driver.or(hostapd).unwrap_or(0).clamp(1000, i64::from(u32::MAX));
    Ok(Text::Owned(rate.to_string()))
}

fn level(cx: &mut Context, row: &Row, member: &str) -> Result<Text> {
    let station = station(cx, row)?;
    let level = number(&station.driver, member).or_else(|| number(&station.hostapd, member)).unwrap_or(-1);
    Ok(Text::Owned(level.clamp(-200, 0).to_string()))
}

fn signal_to_noise(cx: &mut Context, row: &Row) -> Result<Text> {
    let station = station(cx, row)?;
    let ratio = match (number(&station.driver, "signal"), number(&station.driver, "noise")) {
        (Some(signal), Some(noise)) if noise < 0 => signal.saturating_sub(noise).clamp(0, 200),
        _ => 0,
    };
    Ok(Text::Owned(ratio.to_string()))
}

/// How many of a hundred packets had to be sent again.
fn retransmissions(cx: &mut Context, row: &Row) -> Result<Text> {
    let station = station(cx, row)?;
    let sent = |member| station.driver.get("tx").and_then(|way| number(way, member)).unwrap_or(0).max(0);
    let percent = sent("retries").saturating_mul(100).checked_div(sent("packets")).unwrap_or(0).min(100);
    Ok(Text::Owned(percent.to_string()))
}

fn counter(cx: &mut Context, row: &Row, direction: &str, member: &str) -> Result<Text> {
    let station = station(cx, row)?;
    let driver = station.driver.get(direction).and_then(|way| way.get(member)).and_then(Json::as_u64);
    let hostapd = station.hostapd.get(member).and_then(|ways| ways.get(direction)).and_then(Json::as_u64);
    let value = driver.or(hostapd).unwrap_or(0);
    let wide = matches!(member, "bytes" | "packets");
    Ok(Text::Owned(if wide { value.to_string() } else { (value % (1 << 32)).to_string() }))
}
