//! Reports of bulk data: what is in them, and how they are written (TR-181 2.17 Device.BulkData.; TR-157 Annex A, which TR-369 Annex A carries on).
//!
//! ```text
//!   Parameter.{i}.Reference, Name --names--> Report --+
//!                                                     +--csv, json--> body of a POST or PUT
//!   reports that were not delivered ------------------+
//! ```
//!
//! Free of IO: values and times come in, bytes go out.

mod csv;
mod json;
mod names;
mod uri;

pub use csv::Csv;
pub use json::Json;
pub use names::{object_path, report_name};
pub use uri::{http_date, with_query};

use crate::soap::rpc::ParameterValue;
use crate::time::UtcTime;

/// What was collected at one time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// When.
    pub time: UtcTime,
    /// The values, under the names that they have in reports.
    pub values: Vec<ParameterValue>,
}

impl Report {
    /// How much memory it takes, about, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.values.iter().fold(0, |size, value| size.saturating_add(size_of_value(value)))
    }
}

/// How much memory a value takes, about, in bytes.
#[must_use]
pub fn size_of_value(value: &ParameterValue) -> usize {
    let texts = value.name.len().saturating_add(value.value.text.len());
    texts.saturating_add(size_of::<ParameterValue>())
}

/// How the time of a report is written (RowTimestamp, ReportTimestamp).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Timestamp {
    /// Seconds since 1970.
    #[default]
    Epoch,
    /// A dateTime in UTC.
    Iso,
    /// Not at all.
    None,
}

impl Timestamp {
    /// Reads the value of RowTimestamp or ReportTimestamp.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "ISO-8601" => Self::Iso,
            "None" => Self::None,
            _ => Self::Epoch,
        }
    }
}

/// EncodingType with what goes along.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// `CSV`
    Csv(Csv),
    /// `JSON`
    Json(Json),
}

impl Encoding {
    /// The body that carries these reports, the oldest first.
    #[must_use]
    pub fn encode(&self, reports: &[Report]) -> Vec<u8> {
        match self {
            Self::Csv(csv) => csv.encode(reports).into_bytes(),
            Self::Json(json) => json.encode(reports),
        }
    }

    /// The header `Content-Type`.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Csv(_) => "text/csv; charset=UTF-8; header=present",
            Self::Json(_) => "application/json; charset=UTF-8",
        }
    }

    /// The header `BBF-Report-Format`.
    #[must_use]
    pub fn report_format(&self) -> &'static str {
        match self {
            Self::Csv(Csv { per_row: true, .. }) => "\"ParameterPerRow\"",
            Self::Csv(_) => "\"ParameterPerColumn\"",
            Self::Json(Json { hierarchy: true, .. }) => "\"ObjectHierarchy\"",
            Self::Json(_) => "\"NameValuePair\"",
        }
    }
}

/// Reports for the tests of the encoders.
#[cfg(test)]
mod sample {
    use super::*;
    use crate::soap::rpc::Value;

    pub fn value(name: &str, kind: &str, text: &str) -> ParameterValue {
        ParameterValue { name: name.into(), value: Value { kind: Some(kind.into()), text: text.into() } }
    }

    pub fn report(seconds: i64, values: &[(&str, &str, &str)]) -> Report {
        let values = values.iter().map(|(name, kind, text)| value(name, kind, text)).collect();
        Report { time: UtcTime::new(seconds, 5), values }
    }
}
