//! Reports as JSON: objects in objects as the data model has them, or pairs of names and values.

use serde_json::{Map, Number, Value as Tree};

use super::{Report, Timestamp};
use crate::soap::rpc::Value;

/// The parameters of `JSONEncoding.`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Json {
    /// Whether ReportFormat is ObjectHierarchy.
    pub hierarchy: bool,
    /// ReportTimestamp
    pub timestamp: Timestamp,
}

impl Json {
    pub(super) fn encode(&self, reports: &[Report]) -> Vec<u8> {
        let reports = reports.iter().map(|report| Tree::Object(self.report(report))).collect();
        let mut body = Map::new();
        body.insert("Report".into(), Tree::Array(reports));
        Tree::Object(body).to_string().into_bytes()
    }

    fn report(&self, report: &Report) -> Map<String, Tree> {
        let mut members = Map::new();
        for value in &report.values {
            if self.hierarchy {
                place(&mut members, &value.name, json(&value.value));
            } else {
                members.insert(value.name.clone(), json(&value.value));
            }
        }
        let time = match self.timestamp {
            Timestamp::Epoch => Tree::Number(report.time.seconds().into()),
            Timestamp::Iso => Tree::String(report.time.whole_seconds().to_string()),
            Timestamp::None => return members,
        };
        members.insert("CollectionTime".into(), time);
        members
    }
}

/// Puts a value where its name says. One that has the name of an object is left out.
fn place(members: &mut Map<String, Tree>, name: &str, value: Tree) {
    let mut members = members;
    let mut rest = name;
    while let Some((object, below)) = rest.split_once('.') {
        let entry = members.entry(object).or_insert_with(|| Tree::Object(Map::new()));
        let Tree::Object(next) = entry else { return };
        (members, rest) = (next, below);
    }
    if !matches!(members.get(rest), Some(Tree::Object(_))) {
        members.insert(rest.into(), value);
    }
}

/// Numbers and booleans as themselves, anything else as a text.
fn json(value: &Value) -> Tree {
    let text = value.text.as_str();
    let number = |number: Option<Number>| number.map(Tree::Number);
    let found = match value.kind.as_deref() {
        Some("int" | "long") => number(text.parse().ok().map(|value: i64| value.into())),
        Some("unsignedInt" | "unsignedLong") => number(text.parse().ok().map(|value: u64| value.into())),
        Some("boolean") => text.parse().ok().map(Tree::Bool),
        _ => None,
    };
    found.unwrap_or_else(|| Tree::String(text.into()))
}

#[cfg(test)]
mod tests {
    use super::super::sample::report;
    use super::*;
    use proptest::prelude::*;

    fn encoded(json: &Json, reports: &[Report]) -> String {
        String::from_utf8(json.encode(reports)).unwrap()
    }

    #[test]
    fn objects_in_objects() {
        let json = Json { hierarchy: true, timestamp: Timestamp::Epoch };
        let values = [
            ("Device.WiFi.SSID.1.Stats.BytesSent", "unsignedLong", "18446744073709551615"),
            ("Device.DeviceInfo.UpTime", "unsignedInt", "7"),
            ("Device.WiFi.SSID.1.Enable", "boolean", "true"),
            ("Device.WiFi.SSID.10.SSID", "string", "a\"b\u{e9}"),
            ("Short", "int", "-5"),
        ];
        assert_eq!(
            encoded(&json, &[report(1_364_529_149, &values)]),
            "{\"Report\":[{\"CollectionTime\":1364529149,\"Device\":{\"DeviceInfo\":{\"UpTime\":7},\"WiFi\":{\"SSID\":{\
             \"1\":{\"Enable\":true,\"Stats\":{\"BytesSent\":18446744073709551615}},\
             \"10\":{\"SSID\":\"a\\\"b\u{e9}\"}}}},\"Short\":-5}]}"
        );
    }

    #[test]
    fn pairs_of_names_and_values_and_former_reports_first() {
        let json = Json { hierarchy: false, timestamp: Timestamp::Iso };
        let reports = [
            report(0, &[("Device.A.B", "long", "-1")]),
            report(60, &[("Device.A.B", "dateTime", "0001-01-01T00:00:00Z")]),
        ];
        assert_eq!(
            encoded(&json, &reports),
            "{\"Report\":[{\"CollectionTime\":\"1970-01-01T00:00:00Z\",\"Device.A.B\":-1},\
             {\"CollectionTime\":\"1970-01-01T00:01:00Z\",\"Device.A.B\":\"0001-01-01T00:00:00Z\"}]}"
        );
        let json = Json { timestamp: Timestamp::None, ..json };
        assert_eq!(encoded(&json, &[report(0, &[])]), "{\"Report\":[{}]}");
    }

    #[test]
    fn names_that_contradict_each_other_do_no_harm() {
        let json = Json { hierarchy: true, timestamp: Timestamp::None };
        let values =
            [("A", "int", "1"), ("A.B", "int", "2"), ("C.D", "int", "3"), ("C", "int", "4"), ("C.D", "int", "5")];
        assert_eq!(encoded(&json, &[report(0, &values)]), "{\"Report\":[{\"A\":1,\"C\":{\"D\":5}}]}");
        let odd = [("E", "int", "x"), ("F", "boolean", "maybe"), ("..", "unsignedInt", "-1")];
        assert_eq!(
            encoded(&json, &[report(0, &odd)]),
            "{\"Report\":[{\"\":{\"\":{\"\":\"-1\"}},\"E\":\"x\",\"F\":\"maybe\"}]}"
        );
    }

    proptest! {
        #[test]
        fn whatever_it_is_the_body_is_json(names in proptest::collection::vec("[a.]{0,6}", 0..5), text: String, hierarchy: bool) {
            let json = Json { hierarchy, timestamp: Timestamp::Epoch };
            let values: Vec<_> = names.iter().map(|name| (name.as_str(), "string", text.as_str())).collect();
            let body: Tree = serde_json::from_slice(&json.encode(&[report(1, &values)])).unwrap();
            prop_assert_eq!(&body["Report"][0]["CollectionTime"], 1);
        }
    }
}
