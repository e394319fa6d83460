//! Reports as comma-separated values (RFC 4180): a parameter a row, or a parameter a column.

use super::{Report, Timestamp};
use crate::soap::rpc::Value;
use crate::sorted::Map;

/// The parameters of `CSVEncoding.`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csv {
    /// FieldSeparator
    pub field: String,
    /// RowSeparator
    pub row: String,
    /// EscapeCharacter: around a field that has a separator in it, and doubled within. Empty: fields stand as they are.
    pub escape: String,
    /// Whether ReportFormat is ParameterPerRow.
    pub per_row: bool,
    /// RowTimestamp
    pub timestamp: Timestamp,
}

impl Default for Csv {
    fn default() -> Self {
        Self { field: ",".into(), row: "\r\n".into(), escape: "\"".into(), per_row: false, timestamp: Timestamp::Epoch }
    }
}

impl Csv {
    pub(super) fn encode(&self, reports: &[Report]) -> String {
        let mut text = String::new();
        if self.per_row {
            self.rows(reports, &mut text)
        } else {
            self.columns(reports, &mut text)
        }
        text
    }

    fn rows(&self, reports: &[Report], text: &mut String) {
        self.line(self.head(), &["ParameterName", "ParameterValue", "ParameterType"], text);
        for report in reports {
            let time = self.time(report);
            for value in &report.values {
                self.line(time.as_deref(), &[&value.name, &value.value.text, base_type(&value.value)], text);
            }
        }
    }

    /// All reports have the columns of all of them, because rows of tables come and go between them.
    fn columns(&self, reports: &[Report], text: &mut String) {
        let all: Vec<&str> =
            reports.iter().flat_map(|report| &report.values).map(|value| value.name.as_str()).collect();
        // From the end on, so that the place where a name comes first is the one that counts.
        let first: Map<&str, usize> = all.iter().enumerate().rev().map(|(place, name)| (*name, place)).collect();
        let is_first = |(place, name): &(usize, &str)| first.get(*name) == Some(place);
        let names: Vec<&str> = all.into_iter().enumerate().filter(is_first).map(|(_, name)| name).collect();
        let places: Map<&str, usize> = names.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        self.line(self.head(), &names, text);
        for report in reports {
            let mut fields = vec![""; names.len()];
            for value in &report.values {
                if let Some(field) = places.get(value.name.as_str()).and_then(|place| fields.get_mut(*place)) {
                    *field = &value.value.text;
                }
            }
            self.line(self.time(report).as_deref(), &fields, text);
        }
    }

    fn head(&self) -> Option<&str> {
        (self.timestamp != Timestamp::None).then_some("ReportTimestamp")
    }

    fn time(&self, report: &Report) -> Option<String> {
        match self.timestamp {
            Timestamp::Epoch => Some(report.time.seconds().to_string()),
            Timestamp::Iso => Some(report.time.whole_seconds().to_string()),
            Timestamp::None => None,
        }
    }

    fn line(&self, first: Option<&str>, rest: &[&str], text: &mut String) {
        let mut separator = "";
        for field in first.iter().chain(rest) {
            text.push_str(separator);
            self.field(field, text);
            separator = &self.field;
        }
        text.push_str(&self.row);
    }

    fn field(&self, field: &str, text: &mut String) {
        let has = |part: &str| !part.is_empty() && field.contains(part);
        if self.escape.is_empty()
            || !(has(&self.field) || has(&self.row) || has(&self.escape) || field.contains(['\r', '\n']))
        {
            text.push_str(field);
            return;
        }
        text.push_str(&self.escape);
        text.push_str(&field.replace(&self.escape, &self.escape.repeat(2)));
        text.push_str(&self.escape);
    }
}

/// The base type of TR-106, which is named as in XML Schema but for one.
fn base_type(value: &Value) -> &str {
    match value.kind.as_deref() {
        Some("base64Binary") => "base64",
        Some(kind) => kind,
        None => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::report;
    use super::*;
    use proptest::prelude::*;

    const SENT: &str = "Device.IP.Interface.1.Stats.BytesSent";

    #[test]
    fn a_parameter_a_row() {
        let csv = Csv { per_row: true, ..Csv::default() };
        let reports = [
            report(1_364_529_149, &[(SENT, "unsignedLong", "25248"), ("Up", "boolean", "true")]),
            report(1_364_529_449, &[("Key", "base64Binary", "AAEC"), ("Text", "string", "a,\"b\"\r\nc")]),
        ];
        assert_eq!(
            csv.encode(&reports),
            "ReportTimestamp,ParameterName,ParameterValue,ParameterType\r\n\
             1364529149,Device.IP.Interface.1.Stats.BytesSent,25248,unsignedLong\r\n\
             1364529149,Up,true,boolean\r\n\
             1364529449,Key,AAEC,base64\r\n\
             1364529449,Text,\"a,\"\"b\"\"\r\nc\",string\r\n"
        );
        let csv = Csv { timestamp: Timestamp::None, ..csv };
        assert_eq!(
            csv.encode(&reports[..1]),
            "ParameterName,ParameterValue,ParameterType\r\n\
             Device.IP.Interface.1.Stats.BytesSent,25248,unsignedLong\r\nUp,true,boolean\r\n"
        );
    }

    #[test]
    fn a_parameter_a_column() {
        let csv = Csv { timestamp: Timestamp::Iso, ..Csv::default() };
        let reports = [
            report(0, &[("A.1", "int", "-1"), ("A.2", "int", "2")]),
            report(300, &[("A.2", "int", "3"), ("A.3", "string", "x")]),
        ];
        assert_eq!(
            csv.encode(&reports),
            "ReportTimestamp,A.1,A.2,A.3\r\n1970-01-01T00:00:00Z,-1,2,\r\n1970-01-01T00:05:00Z,,3,x\r\n"
        );
        assert_eq!(csv.encode(&[]), "ReportTimestamp\r\n");
    }

    #[test]
    fn separators_are_what_is_set() {
        let csv = Csv { field: ";".into(), row: "\n".into(), escape: "'".into(), ..Csv::default() };
        let reports = [report(1, &[("A", "string", "a,b"), ("B", "string", "it's; so"), ("C", "string", "\"")])];
        assert_eq!(csv.encode(&reports), "ReportTimestamp;A;B;C\n1;a,b;'it''s; so';\"\n");
        let bare = Csv { escape: String::new(), field: String::new(), row: "|".into(), ..csv };
        assert_eq!(bare.encode(&reports), "ReportTimestampABC|1a,bit's; so\"|");
    }

    /// Reads RFC 4180 back.
    fn parse(text: &str) -> Vec<Vec<String>> {
        let mut rows = vec![vec![String::new()]];
        let mut quoted = false;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let row = rows.last_mut().unwrap();
            match c {
                '"' if quoted && rest.next_if_eq(&'"').is_some() => row.last_mut().unwrap().push('"'),
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(String::new()),
                '\r' if !quoted && rest.next_if_eq(&'\n').is_some() => rows.push(vec![String::new()]),
                c => row.last_mut().unwrap().push(c),
            }
        }
        assert_eq!(rows.pop().unwrap(), [""]);
        rows
    }

    proptest! {
        #[test]
        fn whatever_is_in_a_value_comes_back(values in proptest::collection::vec("[a,\"\r\n é]{0,8}", 1..6), per_row: bool) {
            let csv = Csv { per_row, ..Csv::default() };
            let names: Vec<String> = (0..values.len()).map(|i| format!("P{i}")).collect();
            let all: Vec<_> = names.iter().zip(&values).map(|(name, value)| (name.as_str(), "string", value.as_str())).collect();
            let rows = parse(&csv.encode(&[report(7, &all)]));
            if per_row {
                let back: Vec<&String> = rows[1..].iter().map(|row| &row[2]).collect();
                prop_assert_eq!(back, values.iter().collect::<Vec<_>>());
            } else {
                prop_assert_eq!(&rows[1][1..], &values[..]);
            }
        }
    }
}
