//! `Device.DHCPv6.Client.{i}.SentOption.{i}.` and `ReceivedOption.{i}.`
//!
//! odhcp6c takes the user class and the vendor class apart; all others go through `sendopts`, as `number:digits`. What it has received and does not
//! make something of itself, it leaves with netifd as `passthru`, one option after the other as they came.

use super::client::state;
use crate::device::net;
use crate::device::option_rows::{Options, Present, bytes, hex, printable, value_of, words};
use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, functional, get, ro, rw, together};
use crate::model::value::{BOOLEAN, HEX_BINARY, UNSIGNED_INT};

static SENT: Options =
    Options { table: "SentOption", read: read_sent, write: write_sent, judge: judge_sent, valued: true };

/// TR-181 2.17 Device.DHCPv6.Client.{i}.SentOption.{i}.
pub(super) static SENT_OPTION: Object = Object::table(
    "Device.DHCPv6.Client.{i}.SentOption.{i}.",
    Table::new(Rows::Keys(|cx, row| SENT.keys(cx, row)))
        .added_by(|cx, row| SENT.add(cx, row))
        .deleted_by(|cx, row| SENT.delete(cx, row))
        .keys(&[functional(&["Tag"])])
        .enabled_by("Enable")
        .at_most(32),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| SENT.enabled(cx, row))).default("false"),
        alias(),
        rw("Tag", UNSIGNED_INT.ranges(&[(0, 65535)]), together(|cx, row| SENT.tag(cx, row))),
        rw("Value", HEX_BINARY.lengths(&[(0, 65535)]), together(|cx, row| SENT.value(cx, row))).default(""),
    ],
)
.set_together(|cx, row, values| SENT.set(cx, row, values));

/// TR-181 2.17 Device.DHCPv6.Client.{i}.ReceivedOption.{i}.
pub(super) static RECEIVED_OPTION: Object = Object::table(
    "Device.DHCPv6.Client.{i}.ReceivedOption.{i}.",
    Table::new(Rows::Keys(|cx, row| Ok(received(cx, row)?.into_iter().map(|(key, ..)| key).collect()))),
    &[
        ro("Tag", UNSIGNED_INT.ranges(&[(0, 65535)]), get(received_tag)),
        ro("Value", HEX_BINARY.lengths(&[(0, 65535)]), get(received_value)),
    ],
);

const USER_CLASS: u16 = 15;
const VENDOR_CLASS: u16 = 16;

fn parse(item: &str) -> Option<(u16, String)> {
    let (tag, value) = item.split_once(':')?;
    let value = value_of(value);
    bytes(&value)?;
    Some((tag.parse().ok()?, value))
}

/// The texts of a user class, each with its length before it (RFC 8415 21.15).
fn to_classes(hex: &str) -> Option<Vec<String>> {
    let bytes = bytes(hex)?;
    let (mut rest, mut classes) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (class, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let class = printable(&self::hex(class)).filter(|class| !class.contains([' ', ',']))?;
        classes.push(class);
        rest = after;
    }
    Some(classes)
}

fn from_classes(text: &str) -> String {
    let classes = text.split([' ', ',', '\t']).filter(|class| !class.is_empty());
    let encoded = classes.map(|class| {
        let length = u16::try_from(class.len()).unwrap_or(u16::MAX);
        format!("{}{}", hex(&length.to_be_bytes()), hex(class.as_bytes()))
    });
    encoded.collect()
}

fn read_sent(cx: &mut Context, row: &Row) -> Result<Present> {
    let mut present = Present::new();
    if let Some(class) = cx.option(row, "userclass")? {
        present.push((USER_CLASS, from_classes(&class)));
    }
    if let Some(class) = cx.option(row, "vendorclass")?.filter(|class| bytes(class).is_some()) {
        present.push((VENDOR_CLASS, class.to_ascii_lowercase()));
    }
    present.extend(words(cx, row, "sendopts")?.iter().filter_map(|item| parse(item)));
    Ok(present)
}

fn write_sent(cx: &mut Context, row: &Row, wanted: &[(u16, String)]) -> Result<(), Fault> {
    let of = |tag: u16| wanted.iter().find(|(known, _)| *known == tag).map(|(_, value)| value.as_str());
    let classes = of(USER_CLASS).and_then(to_classes).map(|classes| classes.join(","));
    cx.set_option(row, "userclass", classes.as_deref())?;
    cx.set_option(row, "vendorclass", of(VENDOR_CLASS))?;
    let mut list: Vec<String> = words(cx, row, "sendopts")?.into_iter().filter(|item| parse(item).is_none()).collect();
    let others = wanted.iter().filter(|(tag, _)| ![USER_CLASS, VENDOR_CLASS].contains(tag));
    list.extend(others.map(|(tag, value)| format!("{tag}:{value}")));
    cx.set_list(row, "sendopts", &list.iter().map(String::as_str).collect::<Vec<_>>())
}

/// odhcp6c does not start with an option that it makes itself or takes in a form of its own; so that nothing is lost, only what it takes as it is
/// gets through.
fn judge_sent(tag: u16, value: &str) -> Result<(), (&'static str, Fault)> {
    match tag {
        USER_CLASS if to_classes(value).is_none_or(|classes| classes.is_empty()) => {
            Err(("Value", Fault::value("not texts with their lengths (RFC 8415 21.15)")))
        }
        USER_CLASS | VENDOR_CLASS | 17 | 56 | 68 | 136.. => Ok(()),
        _ => Err(("Tag", Fault::value("odhcp6c sends this option by itself, or not at all"))),
    }
}

/// The options that netifd has: key, tag and value. One that came twice has two keys.
fn received(cx: &mut Context, client: &Row) -> Result<Vec<(String, u16, String)>> {
    let state = state(cx, client)?;
    let passed = state.get("data").and_then(|data| net::text(data, "passthru")).and_then(bytes).unwrap_or_default();
    let mut found: Vec<(String, u16, String)> = Vec::new();
    let mut rest = passed.as_slice();
    while let Some((&[a, b, c, d], after)) = rest.split_first_chunk::<4>() {
        let tag = u16::from_be_bytes([a, b]);
        let length = usize::from(u16::from_be_bytes([c, d]));
        // One that was cut off at the end of what netifd keeps is none.
        let Some((value, after)) = after.split_at_checked(length) else { break };
        let before = found.iter().filter(|(_, known, _)| *known == tag).count();
        let key = if before == 0 { tag.to_string() } else { format!("{tag}.{before}") };
        found.push((key, tag, hex(value)));
        rest = after;
    }
    Ok(found)
}

fn received_option(cx: &mut Context, row: &Row) -> Result<Option<(String, u16, String)>> {
    let Some(client) = row.parent().cloned() else { return Ok(None) };
    let key = cx.key(row)?;
    Ok(received(cx, &client)?.into_iter().find(|(known, ..)| *known == key))
}

fn received_tag(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Owned(received_option(cx, row)?.map_or(0, |(_, tag, _)| tag).to_string()))
}

fn received_value(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(received_option(cx, row)?.map_or(Text::Borrowed(""), |(.., value)| Text::Owned(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_classes_have_their_lengths() {
        let hex = from_classes("gold iptv");
        assert_eq!(hex, "0004676f6c64000469707476");
        assert_eq!(to_classes(&hex).unwrap(), ["gold", "iptv"]);
        for hex in ["0005676f6c64", "00", "000120", "0001ff"] {
            assert_eq!(to_classes(hex), None, "{hex}");
        }
    }

    #[test]
    fn tags_that_would_keep_odhcp6c_from_starting_are_refused() {
        for tag in [1, 3, 14, 18, 23, 25, 39, 112] {
            assert!(judge_sent(tag, "00").is_err(), "{tag}");
        }
        for tag in [16, 17, 56, 200, 65535] {
            assert!(judge_sent(tag, "00").is_ok(), "{tag}");
        }
    }
}
