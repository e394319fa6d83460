//! `Device.DHCPv4.Client.{i}.SentOption.{i}.` and `ReqOption.{i}.`: what udhcpc sends and asks for.
//!
//! netifd has options of its own for the host name, the vendor class and the client identifier; all others go through `sendopts`, as
//! `number:digits`. What is asked for stands in `reqopts`, by number or by udhcpc's names.

use std::net::Ipv4Addr;

use super::uplink::{data, dns_servers, lease_time, own_address, routers, server, state};
use crate::device::net;
use crate::device::option_rows::{Options, Present, hex, printable, value_of, words};
use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::format::mask_of_prefix;
use crate::model::schema::{Object, Rows, Table, Text, alias, functional, get, ro, rw, together};
use crate::model::value::{BOOLEAN, HEX_BINARY, UNSIGNED_INT};

static SENT: Options =
    Options { table: "SentOption", read: read_sent, write: write_sent, judge: judge_sent, valued: true };

static ASKED: Options =
    Options { table: "ReqOption", read: read_asked, write: write_asked, judge: judge_asked, valued: false };

/// TR-181 2.17 Device.DHCPv4.Client.{i}.SentOption.{i}.
pub(super) static SENT_OPTION: Object = Object::table(
    "Device.DHCPv4.Client.{i}.SentOption.{i}.",
    Table::new(Rows::Keys(|cx, row| SENT.keys(cx, row)))
        .added_by(|cx, row| SENT.add(cx, row))
        .deleted_by(|cx, row| SENT.delete(cx, row))
        .keys(&[functional(&["Tag"])])
        .enabled_by("Enable")
        .at_most(32),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| SENT.enabled(cx, row))).default("false"),
        alias(),
        rw("Tag", UNSIGNED_INT.ranges(&[(1, 254)]), together(|cx, row| SENT.tag(cx, row))),
        rw("Value", HEX_BINARY.lengths(&[(0, 255)]), together(|cx, row| SENT.value(cx, row))).default(""),
    ],
)
.set_together(|cx, row, values| SENT.set(cx, row, values));

/// TR-181 2.17 Device.DHCPv4.Client.{i}.ReqOption.{i}.
pub(super) static REQ_OPTION: Object = Object::table(
    "Device.DHCPv4.Client.{i}.ReqOption.{i}.",
    Table::new(Rows::Keys(|cx, row| ASKED.keys(cx, row)))
        .added_by(|cx, row| ASKED.add(cx, row))
        .deleted_by(|cx, row| ASKED.delete(cx, row))
        .keys(&[functional(&["Tag"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| ASKED.enabled(cx, row))).default("false"),
        rw("Order", UNSIGNED_INT.ranges(&[(1, i64::MAX)]), together(|cx, row| ASKED.order(cx, row))),
        alias(),
        rw("Tag", UNSIGNED_INT.ranges(&[(1, 254)]), together(|cx, row| ASKED.tag(cx, row))),
        ro("Value", HEX_BINARY.lengths(&[(0, 255)]), get(received)),
    ],
)
.set_together(|cx, row, values| ASKED.set(cx, row, values));

const HOST_NAME: u16 = 12;
const VENDOR_CLASS: u16 = 60;
const CLIENT_ID: u16 = 61;

/// `12:6d79`, `0x0c:6d79` or `12:"my"`; `None` for udhcpc's names, which stay as they are.
fn parse_sent(item: &str) -> Option<(u16, String)> {
    let (tag, value) = item.split_once(':')?;
    let tag = match tag.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16).ok()?,
        None => tag.parse().ok()?,
    };
    let value = value_of(value);
    (1..=254).contains(&tag).then_some((tag, value)).filter(|(_, value)| value.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn read_sent(cx: &mut Context, row: &Row) -> Result<Present> {
    let mut present = Present::new();
    if let Some(name) = cx.option(row, "hostname")?.filter(|name| name != "*") {
        present.push((HOST_NAME, hex(name.as_bytes())));
    }
    if let Some(class) = cx.option(row, "vendorid")? {
        present.push((VENDOR_CLASS, hex(class.as_bytes())));
    }
    if let Some(id) = cx.option(row, "clientid")? {
        present.push((CLIENT_ID, id.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase()));
    }
    present.extend(words(cx, row, "sendopts")?.iter().filter_map(|item| parse_sent(item)));
    Ok(present)
}

fn write_sent(cx: &mut Context, row: &Row, wanted: &[(u16, String)]) -> Result<(), Fault> {
    let of = |tag: u16| wanted.iter().find(|(known, _)| *known == tag).map(|(_, value)| value.as_str());
    let name = of(HOST_NAME).and_then(printable);
    // Without one of its own, the client would send the name of the router; a star is how netifd is told not to.
    let silent = cx.option(row, "hostname")?.map(|_| String::from("*"));
    cx.set_option(row, "hostname", name.or(silent).as_deref())?;
    cx.set_option(row, "vendorid", of(VENDOR_CLASS).and_then(printable).as_deref())?;
    cx.set_option(row, "clientid", of(CLIENT_ID))?;
    let mut list: Vec<String> =
        words(cx, row, "sendopts")?.into_iter().filter(|item| parse_sent(item).is_none()).collect();
    let others = wanted.iter().filter(|(tag, _)| ![HOST_NAME, VENDOR_CLASS, CLIENT_ID].contains(tag));
    list.extend(others.map(|(tag, value)| format!("{tag}:{value}")));
    cx.set_list(row, "sendopts", &list.iter().map(String::as_str).collect::<Vec<_>>())
}

fn judge_sent(tag: u16, value: &str) -> Result<(), (&'static str, Fault)> {
    match tag {
        50..=55 | 57 => Err(("Tag", Fault::value("the protocol itself sends this option"))),
        HOST_NAME if !printable(value).is_some_and(|name| crate::model::format::is_host_name(&name)) => {
            Err(("Value", Fault::value("not the name of a host")))
        }
        VENDOR_CLASS if printable(value).is_none() => {
            Err(("Value", Fault::value("udhcpc takes a text for this option")))
        }
        _ => Ok(()),
    }
}

/// udhcpc's names of options that people ask for.
const NAMES: [(&str, u16); 26] = [
    ("subnet", 1),
    ("timezone", 2),
    ("router", 3),
    ("dns", 6),
    ("lprsvr", 9),
    ("hostname", 12),
    ("bootsize", 13),
    ("domain", 15),
    ("swapsrv", 16),
    ("rootpath", 17),
    ("ipttl", 23),
    ("mtu", 26),
    ("broadcast", 28),
    ("routes", 33),
    ("nisdomain", 40),
    ("nissrv", 41),
    ("ntpsrv", 42),
    ("wins", 44),
    ("lease", 51),
    ("serverid", 54),
    ("tftp", 66),
    ("bootfile", 67),
    ("search", 119),
    ("sipsrv", 120),
    ("staticroutes", 121),
    ("msstaticroutes", 249),
];

fn parse_asked(item: &str) -> Option<u16> {
    let named = NAMES.iter().find(|(name, _)| *name == item).map(|(_, tag)| *tag);
    named.or_else(|| item.parse().ok()).filter(|tag| (1..=254).contains(tag))
}

fn read_asked(cx: &mut Context, row: &Row) -> Result<Present> {
    let items = words(cx, row, "reqopts")?;
    Ok(items.iter().filter_map(|item| parse_asked(item)).map(|tag| (tag, String::new())).collect())
}

/// netifd takes one text here, not a list.
fn write_asked(cx: &mut Context, row: &Row, wanted: &[(u16, String)]) -> Result<(), Fault> {
    let mut list: Vec<String> =
        words(cx, row, "reqopts")?.into_iter().filter(|item| parse_asked(item).is_none()).collect();
    list.extend(wanted.iter().map(|(tag, _)| tag.to_string()));
    cx.set_option(row, "reqopts", Some(&list.join(" ")))
}

fn judge_asked(tag: u16, _: &str) -> Result<(), (&'static str, Fault)> {
    match tag {
        50 | 52..=53 | 55 | 57 | 61 => Err(("Tag", Fault::value("no server sends this option on request"))),
        _ => Ok(()),
    }
}

fn addresses(addresses: &[Ipv4Addr]) -> String {
    addresses.iter().map(|address| hex(&address.octets())).collect()
}

/// The value that the server has sent, of those that netifd keeps.
fn received(cx: &mut Context, row: &Row) -> Result<Text> {
    let tag = ASKED.tag(cx, row)?;
    let Some(client) = row.parent().cloned() else { return Ok(Text::Borrowed("")) };
    let state = state(cx, &client)?;
    let text = |member: &str| data(&state, member).and_then(|value| value.as_str()).map(|text| hex(text.as_bytes()));
    let value = match tag.as_ref() {
        "1" => own_address(&state).map(|(_, prefix)| hex(&mask_of_prefix(prefix).octets())),
        "3" => Some(addresses(&routers(&state))),
        "6" => Some(addresses(&dns_servers(&state))),
        "12" => text("hostname"),
        "15" => {
            net::items(&state, "dns-search").first().and_then(|name| name.as_str()).map(|name| hex(name.as_bytes()))
        }
        "42" => data(&state, "ntpserver").and_then(|value| value.as_str()).map(|list| {
            addresses(&list.split_ascii_whitespace().filter_map(|item| item.parse().ok()).collect::<Vec<_>>())
        }),
        "51" => lease_time(&state).map(|time| hex(&time.to_be_bytes())),
        "54" => server(&state).map(|server| hex(&server.octets())),
        _ => None,
    };
    Ok(value.filter(|value| value.len() <= 510).map_or(Text::Borrowed(""), Text::Owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sent_options_have_several_forms() {
        assert_eq!(parse_sent("12:6D79"), Some((12, "6d79".into())));
        assert_eq!(parse_sent("0x3d:0100"), Some((61, "0100".into())));
        assert_eq!(parse_sent("14:\"my\""), Some((14, "6d79".into())));
        for item in ["hostname:my", "12", "0:00", "300:00", "12:zz", ":"] {
            assert_eq!(parse_sent(item), None, "{item}");
        }
    }

    #[test]
    fn asked_options_have_names_and_numbers() {
        assert_eq!(parse_asked("ntpsrv"), Some(42));
        assert_eq!(parse_asked("121"), Some(121));
        for item in ["", "0", "255", "unknown", "-1"] {
            assert_eq!(parse_asked(item), None, "{item}");
        }
    }
}
