//! The bytes of blobmsg against those of libubox itself, both ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::fmt::Write as _;
#[path = "common/uci_tool.rs"]
#[allow(dead_code, reason = "of the tools, one is needed here")]
mod uci_tool;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use cwmpd::platform::ubus::blob::{Writer, decode_table};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uci_tool::built;

/// The program around the real blobmsg, built on first use by `tests/tools/ubus/build.sh`. Where it cannot be built (no gcc, no crates), says so
/// and gives `None`: the test is skipped. With `CWMPD_CI=1` that is a failure.
fn real_blobmsg() -> Option<PathBuf> {
    static TOOL: OnceLock<Option<PathBuf>> = OnceLock::new();
    TOOL.get_or_init(|| built("ubus", "blobmsg")).clone()
}

/// The lines that the program answers with.
fn run(mode: &str, input: String) -> Option<Vec<String>> {
    let mut child =
        Command::new(real_blobmsg()?).arg(mode).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".to_owned() } else { bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).unwrap()).collect()
}

/// A value as the program reads it.
fn describe(lines: &mut String, name: &str, value: &Value) {
    let name = hex(name.as_bytes());
    match value {
        Value::Null => writeln!(lines, "null {name} -"),
        Value::Bool(truth) => writeln!(lines, "bool {name} {}", u8::from(*truth)),
        Value::Number(number) if number.is_f64() => writeln!(lines, "double {name} {:e}", number.as_f64().unwrap()),
        Value::Number(number) => writeln!(lines, "int {name} {number}"),
        Value::String(text) => writeln!(lines, "string {name} {}", hex(text.as_bytes())),
        Value::Array(_) => writeln!(lines, "array {name} -"),
        Value::Object(_) => writeln!(lines, "table {name} -"),
    }
    .unwrap();
    match value {
        Value::Array(items) => items.iter().for_each(|item| describe(lines, "", item)),
        Value::Object(members) => members.iter().for_each(|(name, value)| describe(lines, name, value)),
        _ => return,
    }
    lines.push_str("end\n");
}

fn describe_message(message: &Value) -> String {
    let mut lines = String::new();
    message.as_object().unwrap().iter().for_each(|(name, value)| describe(&mut lines, name, value));
    lines + ";\n"
}

/// Our own bytes, without the head of the attribute that they lie in.
fn encoded(message: &Value) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.put_members(0, message).unwrap();
    writer.finish().unwrap()[4..].to_vec()
}

/// Numbers that are the same in one JSON and the other: libubox writes 1.0 as 1, and the last digits of a double are not read exactly.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() && number.as_f64().unwrap().fract() == 0.0 => {
            let number = number.as_f64().unwrap();
            if number.abs() < 1e15 { json!(number as i64) } else { format!("{number:.6e}").into() }
        }
        Value::Number(number) if number.is_f64() => format!("{:.6e}", number.as_f64().unwrap()).into(),
        Value::Number(number)
            if number.as_i64().is_some_and(|number| number.unsigned_abs() >= 1_000_000_000_000_000) =>
        {
            format!("{:.6e}", number.as_f64().unwrap()).into()
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>())
        }
        _ => value.clone(),
    }
}

fn names() -> impl Strategy<Value = String> {
    "[a-z.-]{1,9}"
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| (f64::from(number) / 256.0).into()),
        "[ -~\n\t\u{e9}\u{4e2d}\u{1f600}\u{1}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(names(), inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn messages() -> impl Strategy<Value = Vec<Value>> {
    let message = prop::collection::btree_map(names(), values(), 0..7);
    prop::collection::vec(message.prop_map(|members| members.into_iter().collect::<Value>()), 1..12)
}

/// What both sides make of these messages.
fn compare(messages: &[Value]) {
    let Some(theirs) = run("encode", messages.iter().map(describe_message).collect()) else { return };
    assert_eq!(theirs.len(), messages.len());
    let mut lines = String::new();
    for (message, theirs) in messages.iter().zip(&theirs) {
        let ours = encoded(message);
        assert_eq!(hex(&ours).trim_matches('-'), theirs.as_str(), "{message}");
        assert_eq!(decode_table(&from_hex(theirs)).as_ref(), Ok(message));
        writeln!(lines, "{}", hex(&ours)).unwrap();
    }
    let shown = run("decode", lines).unwrap();
    for (message, shown) in messages.iter().zip(shown) {
        let shown: Value = serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(plain(&shown), plain(message));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_message_has_the_bytes_of_libubox(messages in messages()) {
        compare(&messages);
    }

    /// What libubox shows of bytes that are damaged is what we read, wherever we read something.
    #[test]
    fn damaged_bytes_are_read_as_libubox_reads_them(message in messages(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encoded(&message[0]);
        if bytes.is_empty() || real_blobmsg().is_none() {
            return Ok(());
        }
        let place = place.index(bytes.len());
        bytes[place] = byte;
        // libubox trusts a list of attributes; what it would run beyond is not given to it.
        let Ok(ours) = decode_table(&bytes) else { return Ok(()) };
        if ours.to_string().contains('\u{fffd}') || ours.to_string().contains(r#"{"":"#) || ours.to_string().contains(r#","":"#) {
            return Ok(());
        }
        let shown = run("decode", hex(&bytes) + "\n").unwrap().remove(0);
        let Ok(shown) = serde_json::from_str::<Value>(&shown) else { return Ok(()) };
        prop_assert_eq!(plain(&shown), plain(&ours));
    }
}

#[test]
fn the_edges_have_the_bytes_of_libubox() {
    compare(&[
        json!({}),
        json!({"a": i32::MAX, "b": i64::from(i32::MAX) + 1, "c": i32::MIN, "d": i64::from(i32::MIN) - 1, "e": i64::MAX, "f": i64::MIN}),
        json!({"n": null, "t": true, "f": false, "z": 0, "e": "", "l": [], "o": {}}),
        json!({"a": 0.5, "b": 1e300, "c": -1e-300, "d": 0.1}),
        json!({"abc": "abc", "abcd": "abcd", "abcde": "abcde", "abcdef": "abcdef"}),
        json!({"a": [[], [[]], [{}, {"x": [null, true, -1, 0.25, "t"]}]]}),
        json!({"long": "x".repeat(100_000)}),
    ]);
}
