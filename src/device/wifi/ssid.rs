//! `Device.WiFi.SSID.{i}.`: the radio, the name and the addresses of a `wifi-iface` section of mode `ap`.

use super::halves::{self, Half};
use super::{LINE, PACKAGE, RADIO, live};
use crate::device::net;
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::format::MAC_ADDRESS;
use crate::model::schema::{
    Notification, Object, Rows, Table, Text, alias, always, change, constant, get, get_set, ro, rw, uci,
};
use crate::model::value::{BOOLEAN, Format, INT, STRING, UNSIGNED_INT};

pub(super) static SSID: Object = Object::table(
    "Device.WiFi.SSID.{i}.",
    Table::new(Rows::SomeSections { package: PACKAGE, list: |cx, _| halves::sections(cx, Half::Ssid) })
        .added_by(|cx, _| halves::add(cx, Half::Ssid))
        .deleted_by(|cx, row| halves::delete(cx, row, Half::Ssid))
        .keys(&[always(&["Name"])])
        .enabled_by("Enable")
        .at_most(32),
    &[
        rw("Enable", BOOLEAN, get_set(enable, set_enable)).default("false"),
        ro("Status", net::INTERFACE_STATUS, get(|cx, row| Ok(Text::Borrowed(status(cx, row)?)))),
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), get(name)),
        ro("LastChange", UNSIGNED_INT, get(last_change)).notification(Notification::CanDeny),
        rw(
            "LowerLayers",
            STRING.strong(&[RADIO]).list_within((0, u32::MAX), 1024),
            change(lower_layers, set_lower_layers),
        )
        .default(""),
        ro("BSSID", MAC_ADDRESS, get(mac_address)),
        ro("MACAddress", MAC_ADDRESS, get(mac_address)),
        rw("SSID", STRING.lengths(&[(0, 32)]).format(NETWORK_NAME), uci("ssid")),
        rw("MLDUnit", INT.ranges(&[(-1, -1), (0, 24)]), get_set(|_, _| Ok(Text::Borrowed("-1")), set_mld_unit))
            .default("-1"),
        ro("Upstream", BOOLEAN, constant("false")),
    ],
)
.check(judge);

pub(super) static STATS: Object = Object::single(
    "Device.WiFi.SSID.{i}.Stats.",
    &[
        net::BYTES_SENT,
        net::BYTES_RECEIVED,
        net::PACKETS_SENT,
        net::PACKETS_RECEIVED,
        // Here TR-181 lets the ACS have notification of them.
        net::ERRORS_SENT.notification(Notification::Normal),
        net::ERRORS_RECEIVED,
        net::UNICAST_PACKETS_SENT,
        net::UNICAST_PACKETS_RECEIVED,
        net::DISCARD_PACKETS_SENT,
        net::DISCARD_PACKETS_RECEIVED,
        net::MULTICAST_PACKETS_SENT,
        net::MULTICAST_PACKETS_RECEIVED,
        net::BROADCAST_PACKETS_SENT,
        net::BROADCAST_PACKETS_RECEIVED,
        net::UNKNOWN_PROTO_PACKETS_RECEIVED,
        net::RESET,
    ],
);

/// An SSID has 32 bytes at most, whatever its characters are (IEEE 802.11-2020 9.4.2.2).
const NETWORK_NAME: Format =
    Format { name: "an SSID of at most 32 bytes", check: |text| text.len() <= 32 && (LINE.check)(text) };

fn enable(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(truth(halves::enabled(cx, row, Half::Ssid)?))
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    halves::set_enabled(cx, row, Half::Ssid, value == "true")
}

pub(super) fn status(cx: &mut Context, row: &Row) -> Result<&'static str> {
    if !halves::enabled(cx, row, Half::Ssid)? {
        return Ok("Down");
    }
    let Some(radio) = halves::radios(cx, row)?.into_iter().next() else { return Ok("LowerLayerDown") };
    if !halves::on(cx, row)? {
        return Ok("Down");
    }
    let wireless = live::wireless(cx)?;
    if !wireless.known() {
        return Ok("Unknown");
    }
    if let Some(device) = live::device(cx, row)? {
        return Ok(net::device_status(cx, &device));
    }
    Ok(match wireless.radio(&radio) {
        Some(state) if state.up => "Down",
        _ => "LowerLayerDown",
    })
}

fn last_change(cx: &mut Context, row: &Row) -> Result<Text> {
    let status = status(cx, row)?;
    match live::device(cx, row)? {
        Some(device) => Ok(net::device_last_change(cx, super::SSID, &device, status)),
        None => {
            let thing = format!("{}{}", super::SSID, cx.key(row)?);
            let seconds = net::seconds_in_state(cx, &thing, status);
            Ok(Text::Owned(seconds.min(u64::from(u32::MAX)).to_string()))
        }
    }
}

/// The network device of a row, while it is up.
pub(in crate::device) fn device_of(cx: &mut Context, row: &Row) -> Option<String> {
    live::device(cx, row).ok().flatten()
}

fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    if let Some(device) = live::device(cx, row)? {
        return Ok(Text::Owned(device));
    }
    match cx.option(row, "ifname")? {
        Some(device) => Ok(Text::Owned(device)),
        None => Ok(Text::Owned(cx.key(row)?)),
    }
}

/// An access point has the address of its network device as BSSID.
fn mac_address(cx: &mut Context, row: &Row) -> Result<Text> {
    if let Some(device) = live::device(cx, row)? {
        return Ok(Text::Owned(net::mac(cx, &device)));
    }
    let configured = cx.option(row, "macaddr")?.filter(|mac| crate::model::format::is_mac(mac));
    Ok(configured.map_or(Text::Borrowed(""), Text::Owned))
}

fn lower_layers(cx: &mut Context, row: &Row) -> Result<Text> {
    let radios = halves::radios(cx, row)?;
    let paths: Vec<String> = radios.iter().filter_map(|radio| cx.path_of_key(RADIO, radio)).collect();
    Ok(Text::Owned(paths.join(",")))
}

fn set_lower_layers(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if value.is_empty() {
        return halves::set_radio(cx, row, None);
    }
    let radio = cx.row_of_path(RADIO, value).ok_or_else(|| Fault::value(format!("there is no {value}")))?;
    let name = cx.name_section(&radio)?;
    halves::set_radio(cx, row, Some(&name))
}

fn set_mld_unit(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if value == "-1" { Ok(()) } else { Err(Fault::value("the router has no multi-link devices")) }
}

fn judge(cx: &mut Context, row: &Row) -> Result<(), (&'static str, Fault)> {
    let judged = |error: crate::error::Error| ("SSID", Fault::from(error));
    let off = cx.option(row, "disabled").map_err(judged)?.and_then(|text| uci_truth(&text)).unwrap_or(false);
    if !off && cx.option(row, "ssid").map_err(judged)?.is_none() {
        return Err(("SSID", Fault::value("an SSID that is enabled needs a name")));
    }
    Ok(())
}
