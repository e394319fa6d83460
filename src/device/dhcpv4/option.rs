//! DHCP options of a pool: the items of `list dhcp_option`, and `Device.DHCPv4.Server.Pool.{i}.Option.{i}.`.
//!
//! A row is known by its tag. One that the ACS has added, changed the tag of, or disabled is known by a name of its own, and what UCI has no place for
//! lies in the agent's own state.

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::PACKAGE;
use super::pool::OWN_OPTIONS;
use crate::device::dhcpv6::{from_names, to_names};
use crate::device::option_rows::{bytes, hex, printable};
use crate::error::{Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, Values, alias, functional, rw, together};
use crate::model::value::{BOOLEAN, HEX_BINARY, UNSIGNED_INT};

pub(super) static OPTION: Object = Object::table(
    "Device.DHCPv4.Server.Pool.{i}.Option.{i}.",
    Table::new(Rows::Keys(keys))
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["Tag"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(Stored::read(cx, row)?.enabled)))).default("false"),
        alias(),
        rw(
            "Tag",
            UNSIGNED_INT.ranges(&[(1, 254)]),
            together(|cx, row| Ok(Text::Owned(Stored::read(cx, row)?.tag.to_string()))),
        ),
        rw("Value", HEX_BINARY.lengths(&[(0, 255)]), together(|cx, row| Ok(Text::Owned(Stored::read(cx, row)?.value))))
            .default(""),
    ],
)
.set_together(set_row);

/// An item of `list dhcp_option`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Item {
    pub(super) tag: u8,
    /// What stands behind the tag and its comma.
    pub(super) value: String,
    /// The item as it stands there.
    text: String,
}

/// The names that dnsmasq has for options, of those that people write.
const NAMES: [(&str, u8); 10] = [
    ("netmask", 1),
    ("time-offset", 2),
    ("router", 3),
    ("dns-server", 6),
    ("domain-name", 15),
    ("mtu", 26),
    ("ntp-server", 42),
    ("tftp-server", 66),
    ("bootfile-name", 67),
    ("domain-search", 119),
];

fn parse(text: &str) -> Option<Item> {
    let (tag, value) = text.split_once(',').unwrap_or((text, ""));
    let tag = tag.trim();
    // Options for some clients only (`tag:`, `vendor:`, `encap:`) are none of every client.
    let tag = match tag.strip_prefix("option:") {
        Some(name) => NAMES.iter().find(|(known, _)| *known == name).map(|(_, tag)| *tag)?,
        None => tag.parse().ok().filter(|tag| (1..=254).contains(tag))?,
    };
    Some(Item { tag, value: String::from(value.trim()), text: String::from(text) })
}

fn items(cx: &mut Context, pool: &Row) -> Result<Vec<Item>> {
    let section = cx.section(pool)?;
    Ok(section.list("dhcp_option").iter().filter_map(|text| parse(text)).collect())
}

/// The item of a pool for a tag.
pub(super) fn find(cx: &mut Context, pool: &Row, tag: u8) -> Result<Option<Item>> {
    Ok(items(cx, pool)?.into_iter().find(|item| item.tag == tag))
}

/// Sets the value of an option of a pool in the place that it has, or takes the option away.
pub(super) fn set(cx: &mut Context, pool: &Row, tag: u8, value: Option<&str>) -> Result<(), Fault> {
    let now = find(cx, pool, tag)?;
    if now.as_ref().map(|item| item.value.as_str()) == value {
        return Ok(());
    }
    let text = value.map(|value| if value.is_empty() { tag.to_string() } else { format!("{tag},{value}") });
    let list = cx.section(pool)?.list("dhcp_option");
    let mut list: Vec<String> = list.into_iter().map(String::from).collect();
    match (now.and_then(|now| list.iter().position(|item| *item == now.text)), text) {
        (Some(place), Some(text)) => {
            if let Some(item) = list.get_mut(place) {
                *item = text;
            }
        }
        (Some(place), None) => {
            list.remove(place);
        }
        (None, Some(text)) => list.push(text),
        (None, None) => {}
    }
    cx.set_list(pool, "dhcp_option", &list.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The form in which dnsmasq takes the value of an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// Addresses by commas, and nothing else.
    Addresses,
    /// Text, be it of digits and colons.
    Text,
    /// Names of domains by commas, which it encodes itself.
    Names,
    /// Seconds.
    Time,
    /// Any: addresses, numbers, pairs of digits with colons, or text.
    Any,
}

/// What dnsmasq knows of an option (`opttab` in its dhcp-common.c). With a value of another form it does not start, or sends the digits as text.
fn form(tag: u8) -> Form {
    match tag {
        7 | 9 | 16 | 21 | 28 | 32 | 33 | 41 | 42 | 44 | 45 | 48..=50 | 65 | 68..=71 | 74 | 92 | 150 => Form::Addresses,
        12 | 17 | 18 | 40 | 60 | 64 | 66 | 67 | 100 | 101 => Form::Text,
        58 | 59 | 91 => Form::Time,
        119 => Form::Names,
        _ => Form::Any,
    }
}

/// The bytes of an option as hexadecimal digits.
fn to_hex(tag: u8, value: &str) -> String {
    match form(tag) {
        Form::Text => return hex(value.trim_matches('"').as_bytes()),
        Form::Names => return from_names(&value.split(',').map(|name| String::from(name.trim())).collect::<Vec<_>>()),
        Form::Addresses | Form::Time | Form::Any => {}
    }
    let addresses: Option<Vec<Ipv4Addr>> = value.split(',').map(|item| item.trim().parse().ok()).collect();
    let pairs: Option<Vec<u8>> = value.contains(':').then_some(value).and_then(|value| {
        value.split(':').map(|pair| (pair.len() <= 2).then(|| u8::from_str_radix(pair, 16).ok()).flatten()).collect()
    });
    if value.is_empty() {
        String::new()
    } else if let Some(addresses) = addresses {
        addresses.iter().map(|address| hex(&address.octets())).collect()
    } else if let Some(pairs) = pairs {
        hex(&pairs)
    } else if let Some(sized) = sized(value) {
        sized
    } else if let Ok(number) = value.parse::<u32>() {
        let [_, _, high, low] = number.to_be_bytes();
        match (tag, number) {
            (2 | 24 | 35 | 38 | 51 | 58 | 59 | 91, _) | (_, 0x1_0000..) => hex(&number.to_be_bytes()),
            (13 | 22 | 26, _) | (_, 0x100..) => hex(&[high, low]),
            _ => hex(&[low]),
        }
    } else {
        hex(value.as_bytes())
    }
}

/// A number with the letter that says how many bytes it has: `5b`, `5s`, `5i`.
fn sized(value: &str) -> Option<String> {
    let (digits, size) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let bytes = digits.parse::<u32>().ok()?.to_be_bytes();
    let from = match size {
        "b" => 3,
        "s" => 2,
        "i" => 0,
        _ => return None,
    };
    bytes.get(from..).map(hex)
}

/// What dnsmasq takes for these bytes; `None` where it takes nothing for them.
fn from_hex(tag: u8, hex: &str) -> Option<String> {
    let bytes = bytes(hex)?;
    if bytes.is_empty() {
        return Some(String::new());
    }
    match form(tag) {
        Form::Addresses => {
            let addresses = bytes.chunks(4).map(|four| <[u8; 4]>::try_from(four).ok().map(Ipv4Addr::from));
            let addresses: Option<Vec<String>> =
                addresses.map(|address| address.map(|address| address.to_string())).collect();
            addresses.map(|addresses| addresses.join(","))
        }
        // Its file has quotation marks, escapes and comments of its own.
        Form::Text => printable(hex).filter(|text| {
            text.is_ascii() && text.trim() == text && !text.contains(['"', '\\']) && !text.contains(" #")
        }),
        Form::Names => to_names(hex).map(|names| names.join(",")),
        Form::Time => {
            let seconds = <[u8; 4]>::try_from(bytes.as_slice()).ok().map(i32::from_be_bytes);
            seconds.filter(|seconds| *seconds >= 0).map(|seconds| seconds.to_string())
        }
        Form::Any => Some(match bytes.as_slice() {
            // One pair has no colon to be known by.
            [single] => format!("{single}b"),
            all => all.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
        }),
    }
}

/// A row as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Stored {
    enabled: bool,
    /// 0 for none yet.
    tag: u8,
    /// Hexadecimal digits.
    value: String,
}

/// Where the list of the rows with a name of their own, and what they have, is kept.
fn own(cx: &mut Context, pool: &Row, what: &str) -> Result<String> {
    Ok(format!("{PACKAGE}.{}.option.{what}", cx.key(pool)?))
}

/// The rows of a pool that have a name of their own, with their tags and their parked values.
fn named(cx: &mut Context, pool: &Row) -> Result<Vec<(String, u8, String)>> {
    let list = own(cx, pool, "rows")?;
    let list = cx.own(&list).unwrap_or_default();
    let mut rows = Vec::new();
    for key in list.split(',').filter(|key| !key.is_empty()) {
        let name = own(cx, pool, key)?;
        let text = cx.own(&name).unwrap_or_default();
        let (tag, value) = text.split_once(' ').unwrap_or((text.as_str(), ""));
        rows.push((String::from(key), tag.parse().unwrap_or(0), String::from(value)));
    }
    Ok(rows)
}

fn keys(cx: &mut Context, pool: &Row) -> Result<Vec<String>> {
    let named = named(cx, pool)?;
    let mut keys = Vec::new();
    for item in items(cx, pool)? {
        let taken = OWN_OPTIONS.contains(&item.tag) || named.iter().any(|(_, tag, _)| *tag == item.tag);
        let key = item.tag.to_string();
        if !taken && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.extend(named.into_iter().map(|(key, ..)| key));
    Ok(keys)
}

fn pool_of(row: &Row) -> Result<Rc<Row>> {
    row.parent().cloned().ok_or_else(|| crate::error::Error::other("an option has a pool"))
}

impl Stored {
    fn read(cx: &mut Context, row: &Row) -> Result<Self> {
        let pool = pool_of(row)?;
        let key = cx.key(row)?;
        let named = named(cx, &pool)?.into_iter().find(|(name, ..)| *name == key);
        let (tag, parked) = match named {
            Some((_, tag, value)) => (tag, value),
            None => (key.parse().unwrap_or(0), String::new()),
        };
        Ok(match find(cx, &pool, tag)? {
            Some(item) if tag != 0 => {
                let hex = to_hex(tag, &item.value);
                // The digits come back as they were written.
                let value = if parked.eq_ignore_ascii_case(&hex) { parked } else { hex };
                Self { enabled: true, tag, value }
            }
            _ => Self { enabled: parked.starts_with('!'), tag, value: parked.trim_start_matches('!').into() },
        })
    }
}

fn set_row(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let broken = |error: crate::error::Error| ("Enable", Fault::from(error));
    let before = Stored::read(cx, row).map_err(broken)?;
    let pool = pool_of(row).map_err(broken)?;
    let mut after = before.clone();
    if let Some(value) = values.get("Enable") {
        after.enabled = value == "true";
    }
    if let Some(value) = values.get("Tag") {
        after.tag = value.parse().map_err(|_| ("Tag", Fault::value("not a tag")))?;
        if OWN_OPTIONS.contains(&after.tag) {
            return Err(("Tag", Fault::value("the pool has a parameter of its own for this option")));
        }
    }
    if let Some(value) = values.get("Value") {
        after.value = String::from(value);
    }
    if after == before {
        return Ok(());
    }
    let tag_taken = after.tag != before.tag && find(cx, &pool, after.tag).map_err(broken)?.is_some();
    if after.enabled && tag_taken {
        return Err(("Tag", Fault::value("another enabled row has the same Tag")));
    }
    let text = if after.enabled && after.tag != 0 {
        let blamed = ["Value", "Tag"].into_iter().find(|name| values.get(name).is_some()).unwrap_or("Enable");
        let text = from_hex(after.tag, &after.value);
        Some(text.ok_or_else(|| (blamed, Fault::value("the bytes are not what this option carries")))?)
    } else {
        None
    };
    let stage = |cx: &mut Context| -> Result<(), Fault> {
        let key = cx.key(row)?;
        if before.tag != 0 && before.enabled && (before.tag != after.tag || !after.enabled) {
            set(cx, &pool, before.tag, None)?;
        }
        // Enabled without a tag, it waits for one.
        let waiting = after.enabled && after.tag == 0;
        if let Some(text) = &text {
            set(cx, &pool, after.tag, Some(text))?;
        }
        let list = own(cx, &pool, "rows")?;
        let mut rows: Vec<String> = named(cx, &pool)?.into_iter().map(|(name, ..)| name).collect();
        if !rows.contains(&key) {
            rows.push(key.clone());
            cx.set_own(&list, Some(&rows.join(",")));
        }
        let name = own(cx, &pool, &key)?;
        cx.set_own(&name, Some(&format!("{} {}{}", after.tag, if waiting { "!" } else { "" }, after.value)));
        Ok(())
    };
    stage(cx).map_err(|fault| ("Value", fault))
}

fn add(cx: &mut Context, pool: &Row) -> Result<String, Fault> {
    let counter = own(cx, pool, "last")?;
    let last = cx.own(&counter).and_then(|last| last.parse::<u32>().ok()).unwrap_or(0).saturating_add(1);
    cx.set_own(&counter, Some(&last.to_string()));
    let key = format!("+{last}");
    let list = own(cx, pool, "rows")?;
    let mut rows: Vec<String> = named(cx, pool)?.into_iter().map(|(name, ..)| name).collect();
    rows.push(key.clone());
    cx.set_own(&list, Some(&rows.join(",")));
    Ok(key)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let pool = pool_of(row)?;
    let stored = Stored::read(cx, row)?;
    if stored.enabled && stored.tag != 0 {
        set(cx, &pool, stored.tag, None)?;
    }
    let key = cx.key(row)?;
    let list = own(cx, &pool, "rows")?;
    let rows: Vec<String> = named(cx, &pool)?.into_iter().map(|(name, ..)| name).filter(|name| *name != key).collect();
    cx.set_own(&list, (!rows.is_empty()).then(|| rows.join(",")).as_deref());
    let name = own(cx, &pool, &key)?;
    cx.set_own(&name, None);
    Ok(())
}

/// Forgets what is kept of the rows of a pool.
pub(super) fn forget_all(cx: &mut Context, pool: &Row) -> Result<(), Fault> {
    let rows: Vec<String> = named(cx, pool)?.into_iter().map(|(name, ..)| name).collect();
    for what in rows.iter().map(String::as_str).chain(["rows", "last"]) {
        let name = own(cx, pool, what)?;
        cx.set_own(&name, None);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_bytes_and_come_back() {
        assert_eq!(to_hex(42, "192.0.2.1,192.0.2.2"), "c0000201c0000202");
        assert_eq!(to_hex(66, "boot.example"), "626f6f742e6578616d706c65");
        assert_eq!(to_hex(26, "1500"), "05dc");
        assert_eq!(to_hex(23, "64"), "40");
        assert_eq!(to_hex(43, "01:04:c0"), "0104c0");
        for hex in ["05dc", "40", "0104c0a80101", "", "ff"] {
            assert_eq!(to_hex(43, &from_hex(43, hex).unwrap()), hex);
        }
    }

    /// As `dnsmasq --test` has them: with another form it does not start, or takes the digits for text.
    #[test]
    fn each_option_has_the_form_that_dnsmasq_takes() {
        for (tag, hex, text) in [
            (42, "c0000201c0000202", "192.0.2.1,192.0.2.2"),
            (150, "c0000201", "192.0.2.1"),
            (66, "626f6f742e6578616d706c65", "boot.example"),
            (66, "3139322e302e322e31", "192.0.2.1"),
            (119, "036c616e076578616d706c6500076578616d706c6500", "lan.example,example"),
            (58, "00000e10", "3600"),
            (43, "05", "5b"),
            (121, "18c00002c0a80101", "18:c0:00:02:c0:a8:01:01"),
        ] {
            assert_eq!(from_hex(tag, hex).as_deref(), Some(text), "{tag}");
            assert_eq!(to_hex(tag, text), hex, "{tag}");
        }
        assert_eq!((to_hex(26, "1500s").as_str(), to_hex(2, "3600i").as_str()), ("05dc", "00000e10"));
        for (tag, hex) in [(42, "c00002"), (66, "00"), (66, "6122"), (67, "612023"), (119, "05"), (58, "0e10")] {
            assert_eq!(from_hex(tag, hex), None, "{tag} {hex}");
        }
    }

    #[test]
    fn options_for_some_clients_are_left_alone() {
        assert_eq!(parse("6,1.1.1.1").map(|item| item.tag), Some(6));
        assert_eq!(parse("option:ntp-server,192.0.2.1").map(|item| item.tag), Some(42));
        for text in ["tag:guest,6,1.1.1.1", "vendor:MSFT,2,1i", "0,1", "255,1", "option:nothing,1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
