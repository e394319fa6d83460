//! `Device.WiFi.NeighboringWiFiDiagnostic.`: the networks that the radios hear, found by `crate::diagnostics`.
//!
//! What iwinfo does not tell of other networks is left out: BeaconPeriod, DTIMPeriod, Noise and the rates.

use crate::device::probe::state;
use crate::error::Result;
use crate::model::access::full_name;
use crate::model::context::{Context, Row};
use crate::model::format::MAC;
use crate::model::schema::{Object, Rows, Table, Text, count, fleeting, get, ro};
use crate::model::value::{INT, STRING, Type, UNSIGNED_INT};

const STANDARDS: Type = STRING.values(&["a", "b", "g", "n", "ac", "ax", "be"]).list();

/// TR-181 2.17 Device.WiFi.NeighboringWiFiDiagnostic.
static NEIGHBORS: Object = Object::single(
    "Device.WiFi.NeighboringWiFiDiagnostic.",
    &[
        state(&["Requested", "Canceled", "None", "Complete", "Error"]),
        ro("ResultNumberOfEntries", UNSIGNED_INT, count("Result")),
    ],
);

/// TR-181 2.17 Device.WiFi.NeighboringWiFiDiagnostic.Result.{i}.
static RESULT: Object = Object::table(
    "Device.WiFi.NeighboringWiFiDiagnostic.Result.{i}.",
    Table::new(Rows::Fleeting),
    &[
        ro("Radio", STRING.strong(&[super::RADIO]), get(radio)),
        ro("SSID", STRING.lengths(&[(0, 32)]), fleeting("")),
        ro("BSSID", STRING.lengths(&[(0, 17)]).format(MAC), fleeting("")),
        ro("Mode", STRING.values(&["AdHoc", "Infrastructure"]), fleeting("Infrastructure")),
        ro("Channel", UNSIGNED_INT.ranges(&[(1, 255)]), fleeting("1")),
        ro("SignalStrength", INT.ranges(&[(-200, 0)]), fleeting("0")),
        ro(
            "SecurityModeEnabled",
            STRING.values(&[
                "None",
                "WEP",
                "WPA",
                "WPA2",
                "WPA-WPA2",
                "WPA-Enterprise",
                "WPA2-Enterprise",
                "WPA-WPA2-Enterprise",
                "WPA3-SAE",
                "WPA2-PSK-WPA3-SAE",
                "WPA3-Enterprise",
                "OWE",
            ]),
            fleeting("None"),
        ),
        ro("EncryptionMode", STRING.values(&["TKIP", "AES"]).list(), fleeting("")),
        ro("OperatingFrequencyBand", STRING.values(&["2.4GHz", "5GHz", "6GHz"]), fleeting("2.4GHz")),
        ro("SupportedStandards", STANDARDS, fleeting("")),
        ro("OperatingStandards", STANDARDS, fleeting("")),
        ro(
            "OperatingChannelBandwidth",
            STRING.values(&["20MHz", "40MHz", "80MHz", "160MHz", "320MHz-1", "320MHz-2", "Auto"]),
            fleeting("20MHz"),
        ),
    ],
);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&NEIGHBORS, &RESULT];

/// The test knows the name of the radio; its row has a path as long as it is there.
fn radio(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = full_name(cx, row.node(), row, "Radio");
    let radio = cx.fleeting().get(&name).map(String::from).unwrap_or_default();
    Ok(Text::Owned(cx.path_of_key(super::RADIO, &radio).unwrap_or_default()))
}
