//! `Device.WiFi.` (TR-181 2.17): radios, SSIDs, access points, their security and the stations on them.
//!
//! A `wifi-iface` section of mode `ap` is a row of two tables, `SSID.{i}.` and `AccessPoint.{i}.`; `halves` says how they share it.
//! What the router really does comes from `network.wireless`, `iwinfo` and `hostapd` over ubus (`live`); without ubus the tables show the
//! configuration.

mod access_point;
mod channel;
mod features;
mod halves;
mod live;
#[cfg(feature = "diagnostics")]
pub mod neighbors;
mod power;
mod radio;
mod security;
mod ssid;
mod station;
mod words;

pub(super) use ssid::device_of;

use crate::model::schema::{Object, count, ro};
use crate::model::value::{Format, STRING, Type, UNSIGNED_INT};

/// The UCI package.
const PACKAGE: &str = "wireless";
/// The table of radios.
const RADIO: &str = "Device.WiFi.Radio.";
/// The table of SSIDs.
const SSID: &str = "Device.WiFi.SSID.";

/// No line breaks: what goes into the configuration of hostapd must stay in its line.
const LINE: Format = Format { name: "one line of text", check: |text| !text.chars().any(char::is_control) };
/// A text of one line.
const ONE_LINE: Type = STRING.format(LINE);

static WIFI: Object = Object::single(
    "Device.WiFi.",
    &[
        ro("RadioNumberOfEntries", UNSIGNED_INT, count("Radio")),
        ro("SSIDNumberOfEntries", UNSIGNED_INT, count("SSID")),
        ro("AccessPointNumberOfEntries", UNSIGNED_INT, count("AccessPoint")),
    ],
);

/// The objects of Wi-Fi, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[
    &WIFI,
    &radio::RADIO,
    &radio::STATS,
    &ssid::SSID,
    &ssid::STATS,
    &access_point::ACCESS_POINT,
    &security::SECURITY,
    &access_point::WPS,
    &station::ASSOCIATED_DEVICE,
    &station::STATS,
];
