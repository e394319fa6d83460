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

use serde_json::Value as Tree;

use crate::soap::rpc::{ParameterValue, Value};
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

    /// As it is kept in a file: the time, and of each value its name, type and text.
    #[must_use]
    pub fn to_json(&self) -> Tree {
        let texts = |value: &ParameterValue| {
            let kind = value.value.kind.clone().unwrap_or_default();
            [value.name.clone(), kind, value.value.text.clone()].map(Tree::String)
        };
        let time = Tree::String(self.time.to_string());
        Tree::Array([time].into_iter().chain(self.values.iter().flat_map(texts)).collect())
    }

    /// Reads what [`Report::to_json`] has made; `None` for anything else.
    #[must_use]
    pub fn from_json(json: &Tree) -> Option<Self> {
        let (time, values) = json.as_array()?.split_first()?;
        let mut report = Self { time: UtcTime::parse(time.as_str()?)?, values: Vec::new() };
        for value in values.chunks(3) {
            let [name, kind, text] = value else { return None };
            let value = Value { kind: Some(kind.as_str()?.into()), text: text.as_str()?.into() };
            report.values.push(ParameterValue { name: name.as_str()?.into(), value });
        }
        Some(report)
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

    pub fn value(name: &str, kind: &str, text: &str) -> ParameterValue {
        ParameterValue { name: name.into(), value: Value { kind: Some(kind.into()), text: text.into() } }
    }

    pub fn report(seconds: i64, values: &[(&str, &str, &str)]) -> Report {
        let values = values.iter().map(|(name, kind, text)| value(name, kind, text)).collect();
        Report { time: UtcTime::new(seconds, 5), values }
    }
}

#[cfg(test)]
mod tests {
    use super::sample::report;
    use super::*;

    #[test]
    fn a_report_that_was_kept_is_the_same() {
        for values in [&[][..], &[("A.B", "int", "-1"), ("A.C", "string", "a\"b\n")]] {
            let report = report(1_900_000_000, values);
            assert_eq!(Report::from_json(&report.to_json()), Some(report));
        }
        for bad in ["{}", "[]", "[1]", "[\"x\"]", "[\"2030-01-01T00:00:00Z\",\"A\",\"int\"]"] {
            assert_eq!(Report::from_json(&serde_json::from_str(bad).unwrap()), None, "{bad}");
        }
    }
}
