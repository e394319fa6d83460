//! `Device.BulkData.`: reports of chosen values to a collector, over HTTP. The agent keeps all of it itself; `daemon/bulk_data.rs` sends them.

mod profile;

use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Text, constant, count, get, own, ro, rw};
use crate::model::value::{BOOLEAN, INT, STRING, UNSIGNED_INT};

/// Whether reports are made at all.
pub const ENABLE: &str = "Device.BulkData.Enable";

/// The table of profiles.
pub const PROFILES: &str = "Device.BulkData.Profile.";

/// The least ReportingInterval in seconds, and its text.
const LEAST_INTERVAL: u32 = 5;
const LEAST_INTERVAL_TEXT: &str = "5";

const PROTOCOLS: &[&str] = &["HTTP"];
const ENCODINGS: &[&str] = &["CSV", "JSON"];

/// TR-181 2.17 Device.BulkData.
pub static BULK_DATA: Object = Object::single(
    "Device.BulkData.",
    &[
        rw("Enable", BOOLEAN, own("false")),
        ro("Status", STRING.values(&["Enabled", "Disabled", "Error"]), get(status)),
        ro("MinReportingInterval", UNSIGNED_INT, constant(LEAST_INTERVAL_TEXT)),
        ro("Protocols", STRING.values(&["Streaming", "File", "HTTP", "MQTT"]).list(), constant("HTTP")),
        ro("EncodingTypes", STRING.values(&["XML", "XDR", "CSV", "JSON"]).list(), constant("CSV,JSON")),
        ro("ParameterWildCardSupported", BOOLEAN, constant("true")),
        ro("MaxNumberOfProfiles", INT.ranges(&[(-1, i64::MAX)]), constant("8")),
        ro("MaxNumberOfParameterReferences", INT.ranges(&[(-1, i64::MAX)]), constant("512")),
        ro("ProfileNumberOfEntries", UNSIGNED_INT, count("Profile")),
    ],
);

/// The objects of this directory, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[
    &BULK_DATA,
    &profile::PROFILE,
    &profile::PARAMETER,
    &profile::CSV,
    &profile::JSON,
    &profile::HTTP,
    &profile::REQUEST_URI_PARAMETER,
];

fn status(cx: &mut Context, _: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if cx.own(ENABLE).is_some_and(|value| value == "true") { "Enabled" } else { "Disabled" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_interval_is_what_is_told() {
        assert_eq!(LEAST_INTERVAL_TEXT.parse(), Ok(LEAST_INTERVAL));
    }
}
