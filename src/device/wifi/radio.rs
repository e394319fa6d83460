//! `Device.WiFi.Radio.{i}.`: the `wifi-device` sections.

use std::rc::Rc;

use super::halves::{self, Half};
use super::{PACKAGE, channel, live, power};
use crate::device::net;
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Notification, Object, Parameter, Table, Text, alias, always, change, constant, get, get_set, ro, rw, sections,
    together, uci_not, uci_or,
};
use crate::model::value::{BOOLEAN, Format, INT, STRING, Type, UNSIGNED_INT, UNSIGNED_LONG};

const STANDARD: Type = STRING.values(&["a", "b", "g", "n", "ac", "ax", "be"]).list();
const BANDS: Type = STRING.values(&["2.4GHz", "5GHz", "6GHz"]);
const WIDTHS: &[&str] = &["20MHz", "40MHz", "80MHz", "160MHz", "80+80MHz", "320MHz-1", "320MHz-2"];
const BANDWIDTH: Type =
    STRING.values(&["20MHz", "40MHz", "80MHz", "160MHz", "80+80MHz", "320MHz-1", "320MHz-2", "Auto"]);
const EXTENSION: Type = STRING.values(&["AboveControlChannel", "BelowControlChannel", "Auto"]);
const GUARD_INTERVAL: Type = STRING.values(&[
    "400nsec",
    "800nsec",
    "1xLTF_0.8us",
    "1xLTF_1.6us",
    "2xLTF_0.8us",
    "2xLTF_1.6us",
    "4xLTF_0.8us",
    "4xLTF_3.2us",
    "Auto",
]);
const DOMAIN: Type = STRING.lengths(&[(3, 3)]).format(Format {
    name: "country code with a blank, I or O at its end",
    check: |text| match text.as_bytes() {
        [first, second, third] => first.is_ascii_uppercase() && second.is_ascii_uppercase() && b" IO".contains(third),
        _ => false,
    },
});
/// A list that is only read.
const CHANNELS: Type = STRING.list_within((0, u32::MAX), 1024);

pub(super) static RADIO: Object = Object::table(
    "Device.WiFi.Radio.{i}.",
    Table::new(sections(PACKAGE, "wifi-device")).keys(&[always(&["Name"])]),
    &[
        rw("Enable", BOOLEAN, uci_not("disabled")),
        ro("Status", net::INTERFACE_STATUS, get(|cx, row| Ok(Text::Borrowed(status(cx, row)?)))),
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("LastChange", UNSIGNED_INT, get(last_change)).notification(Notification::CanDeny),
        rw("LowerLayers", net::LOWER_LAYERS, get_set(|_, _| Ok(Text::Borrowed("")), set_lower_layers)),
        ro("Upstream", BOOLEAN, get(upstream)),
        // Neither netifd nor iwinfo tells it.
        ro("MaxBitRate", UNSIGNED_INT, constant("0")),
        ro("SupportedFrequencyBands", BANDS.list(), get(channel::supported_bands)),
        rw("OperatingFrequencyBand", BANDS, together(channel::band)),
        ro("SupportedStandards", STANDARD, get(channel::supported_standards)),
        rw("OperatingStandards", STANDARD, together(channel::standards)),
        ro("PossibleChannels", CHANNELS, get(channel::possible_channels)),
        ro("ChannelsInUse", CHANNELS, get(channel::in_use)).notification(Notification::CanDeny),
        rw("Channel", UNSIGNED_INT.ranges(&[(1, 255)]), together(channel::channel)),
        ro("AutoChannelSupported", BOOLEAN, constant("true")),
        rw("AutoChannelEnable", BOOLEAN, together(channel::auto)),
        ro("SupportedOperatingChannelBandwidths", BANDWIDTH.list(), get(channel::supported_bandwidths)),
        rw("OperatingChannelBandwidth", BANDWIDTH, together(channel::bandwidth)),
        ro("CurrentOperatingChannelBandwidth", STRING.values(WIDTHS), get(channel::current_bandwidth)),
        rw("ExtensionChannel", EXTENSION, together(channel::extension)),
        rw("GuardInterval", GUARD_INTERVAL, change(guard_interval, set_guard_interval)),
        rw("MCS", INT.ranges(&[(-1, 15), (16, 31)]), get_set(|_, _| Ok(Text::Borrowed("-1")), set_mcs)),
        ro("TransmitPowerSupported", INT.ranges(&[(-1, 100)]).list_within((0, u32::MAX), 64), get(power::supported)),
        rw("TransmitPower", INT.ranges(&[(-1, 100)]), get_set(power::power, power::set_power)),
        ro("IEEE80211hSupported", BOOLEAN, get(|cx, row| Ok(truth(channel::has_80211h(cx, row)?)))),
        rw("IEEE80211hEnabled", BOOLEAN, change(get_80211h, set_80211h)),
        rw("RegulatoryDomain", DOMAIN, change(domain, set_domain)),
        rw("FragmentationThreshold", UNSIGNED_INT.ranges(&[(256, 2346)]), uci_or("frag", "2346")),
        rw("RTSThreshold", UNSIGNED_INT.ranges(&[(0, 65_535)]), uci_or("rts", "2347")),
        rw("BeaconPeriod", UNSIGNED_INT.ranges(&[(15, 65_535)]), uci_or("beacon_int", "100")),
        rw("DTIMPeriod", UNSIGNED_INT.ranges(&[(1, 255)]), get_set(dtim_period, set_dtim_period)),
    ],
)
.set_together(channel::set);

pub(super) static STATS: Object = Object::single(
    "Device.WiFi.Radio.{i}.Stats.",
    &[
        stat("BytesSent", UNSIGNED_LONG, |cx, row| sum(cx, row, "tx_bytes")),
        stat("BytesReceived", UNSIGNED_LONG, |cx, row| sum(cx, row, "rx_bytes")),
        stat("PacketsSent", UNSIGNED_LONG, |cx, row| sum(cx, row, "tx_packets")),
        stat("PacketsReceived", UNSIGNED_LONG, |cx, row| sum(cx, row, "rx_packets")),
        stat("ErrorsSent", UNSIGNED_INT, |cx, row| short_sum(cx, row, "tx_errors")),
        stat("ErrorsReceived", UNSIGNED_INT, |cx, row| short_sum(cx, row, "rx_errors")),
        stat("DiscardPacketsSent", UNSIGNED_INT, |cx, row| short_sum(cx, row, "tx_dropped")),
        stat("DiscardPacketsReceived", UNSIGNED_INT, |cx, row| short_sum(cx, row, "rx_dropped")),
        ro("Noise", INT, get(noise)),
        rw("Reset", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), reset)).command(),
    ],
);

const fn stat(name: &'static str, value: Type, read: crate::model::schema::Get) -> Parameter {
    ro(name, value, get(read)).notification(Notification::CanDeny)
}

fn add_up(cx: &mut Context, row: &Row, counter: &str) -> Result<u64> {
    let name = cx.key(row)?;
    let wireless = live::wireless(cx)?;
    let devices = wireless.radio(&name).map(|radio| radio.devices.as_slice()).unwrap_or_default();
    Ok(net::since_reset(cx, row, devices, counter))
}

fn reset(cx: &mut Context, row: &Row, _: &str) -> Result<(), Fault> {
    let name = cx.key(row)?;
    let wireless = live::wireless(cx)?;
    net::reset(cx, row, wireless.radio(&name).map(|radio| radio.devices.as_slice()).unwrap_or_default());
    Ok(())
}

fn sum(cx: &mut Context, row: &Row, counter: &str) -> Result<Text> {
    Ok(Text::Owned(add_up(cx, row, counter)?.to_string()))
}

fn short_sum(cx: &mut Context, row: &Row, counter: &str) -> Result<Text> {
    Ok(Text::Owned((add_up(cx, row, counter)? % (1 << 32)).to_string()))
}

fn noise(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = cx.key(row)?;
    Ok(Text::Owned(live::number(&live::info(cx, &name), "noise").unwrap_or(-1).to_string()))
}

fn status(cx: &mut Context, row: &Row) -> Result<&'static str> {
    if cx.option(row, "disabled")?.and_then(|text| uci_truth(&text)) == Some(true) {
        return Ok("Down");
    }
    let name = cx.key(row)?;
    let wireless = live::wireless(cx)?;
    if !wireless.known() {
        return Ok("Unknown");
    }
    Ok(match wireless.radio(&name) {
        None => "NotPresent",
        Some(radio) if radio.up => "Up",
        Some(radio) if radio.pending => "Dormant",
        Some(radio) if radio.failed => "Error",
        Some(_) => "Down",
    })
}

fn last_change(cx: &mut Context, row: &Row) -> Result<Text> {
    let status = status(cx, row)?;
    let thing = format!("{}{}", super::RADIO, cx.key(row)?);
    let seconds = net::seconds_in_state(cx, &thing, status);
    Ok(Text::Owned(seconds.min(u64::from(u32::MAX)).to_string()))
}

fn set_lower_layers(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if value.is_empty() { Ok(()) } else { Err(Fault::value("nothing is below a radio")) }
}

/// A radio with a station interface leads towards the internet.
fn upstream(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = cx.key(row)?;
    let station = cx.package(PACKAGE)?.sections().any(|section| {
        section.kind() == "wifi-iface"
            && section.get("mode") == Some("sta")
            && section.get("device") == Some(name.as_str())
            && section.get("disabled").and_then(uci_truth) != Some(true)
    });
    Ok(truth(station))
}

const SHORT_GUARD: [&str; 4] = ["short_gi_20", "short_gi_40", "short_gi_80", "short_gi_160"];

/// hostapd may be told to do without short guard intervals, but not to use nothing else.
fn guard_interval(cx: &mut Context, row: &Row) -> Result<Text> {
    let section = cx.section(row)?;
    let off = SHORT_GUARD.iter().all(|option| section.get(option).and_then(uci_truth) == Some(false));
    Ok(Text::Borrowed(if off { "800nsec" } else { "Auto" }))
}

fn set_guard_interval(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let option = match value {
        "Auto" => None,
        "800nsec" => Some("0"),
        _ => return Err(Fault::value("the router can only have Auto and 800nsec")),
    };
    SHORT_GUARD.iter().try_for_each(|name| cx.set_option(row, name, option))
}

fn set_mcs(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if value == "-1" { Ok(()) } else { Err(Fault::value("the router chooses the rate itself: only -1")) }
}

fn get_80211h(cx: &mut Context, row: &Row) -> Result<Text> {
    let configured = cx.option(row, "doth")?.and_then(|text| uci_truth(&text)).unwrap_or(true);
    Ok(truth(channel::has_80211h(cx, row)? && configured))
}

fn set_80211h(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if !channel::has_80211h(cx, row)? {
        return Err(Fault::value("802.11h is for the 5 GHz band"));
    }
    cx.set_option(row, "doth", Some(if value == "true" { "1" } else { "0" }))
}

fn domain(cx: &mut Context, row: &Row) -> Result<Text> {
    let Some(country) = cx.option(row, "country")?.filter(|country| country.len() == 2) else {
        return Ok(Text::Borrowed(""));
    };
    let place = match cx.option(row, "country3")?.as_deref() {
        Some("0x49") => 'I',
        Some("0x4f" | "0x4F") => 'O',
        _ => ' ',
    };
    Ok(Text::Owned(format!("{}{place}", country.to_ascii_uppercase())))
}

fn set_domain(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let (country, place) = value.split_at_checked(2).ok_or_else(|| Fault::value("not a country code"))?;
    cx.set_option(row, "country", Some(country))?;
    let place = match place {
        "I" => Some("0x49"),
        "O" => Some("0x4f"),
        _ => None,
    };
    cx.set_option(row, "country3", place)
}

/// The access points of a radio, which have the DTIM period that TR-181 gives to the radio.
fn access_points(cx: &mut Context, row: &Row) -> Result<Vec<Rc<Row>>> {
    let name = cx.key(row)?;
    let Some(node) = cx.schema().find(super::SSID) else { return Ok(Vec::new()) };
    let root = cx.root();
    let mut found = Vec::new();
    for entry in cx.rows(node, &root)?.iter() {
        let ssid = Row::new(node, &root, entry);
        if halves::radios(cx, &ssid)?.contains(&name) && halves::has(cx, &ssid, Half::AccessPoint)? {
            found.push(ssid);
        }
    }
    Ok(found)
}

fn dtim_period(cx: &mut Context, row: &Row) -> Result<Text> {
    for ssid in access_points(cx, row)? {
        if let Some(period) = cx.option(&ssid, "dtim_period")?.filter(|text| text.parse::<u8>().is_ok()) {
            return Ok(Text::Owned(period));
        }
    }
    Ok(Text::Borrowed("2"))
}

fn set_dtim_period(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let rows = access_points(cx, row)?;
    if dtim_period(cx, row)? == value {
        return Ok(());
    }
    if rows.is_empty() {
        return Err(Fault::value("the radio has no access point to carry it"));
    }
    for ssid in rows {
        cx.set_option(&ssid, "dtim_period", Some(value))?;
    }
    Ok(())
}
