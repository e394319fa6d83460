//! `Device.DHCPv6.Server.` with its pools: what odhcpd gives away, one pool an interface.

use std::net::Ipv6Addr;

use crate::device::odhcpd::{DHCPV6, KIND, PACKAGE, interface, prefixes};
use crate::device::option_rows::{Options, Present, bytes, hex, printable};
use crate::device::order;
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Object, Rows, Table, Text, alias, change, count, functional, get, get_set, ro, rw, sections_where, together,
    uci_bool,
};
use crate::model::value::{BOOLEAN, HEX_BINARY, STRING, UNSIGNED_INT};

const INTERFACE: &str = "Device.IP.Interface.";
const ORDER: &str = "dhcp.dhcpv6_order";

/// TR-181 2.17 Device.DHCPv6.Server.
pub(super) static SERVER: Object = Object::single(
    "Device.DHCPv6.Server.",
    &[
        rw(
            "Enable",
            BOOLEAN,
            get_set(|cx, _| Ok(truth(DHCPV6.all_enabled(cx))), |cx, _, value| DHCPV6.set_all(cx, value)),
        ),
        ro("PoolNumberOfEntries", UNSIGNED_INT, count("Pool")),
    ],
);

/// TR-181 2.17 Device.DHCPv6.Server.Pool.{i}.
pub(super) static POOL: Object = Object::table(
    "Device.DHCPv6.Server.Pool.{i}.",
    Table::new(sections_where(PACKAGE, KIND, |section| section.value("dhcpv6").is_some()))
        .writable(&[("ignore", "1"), ("dhcpv6", "disabled")])
        .deleted_by(|cx, row| DHCPV6.delete(cx, row))
        .keys(&[functional(&["Order"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw(
            "Enable",
            BOOLEAN,
            get_set(|cx, row| Ok(truth(DHCPV6.enabled(cx, row)?)), |cx, row, value| DHCPV6.set_enable(cx, row, value)),
        )
        .default("false"),
        ro(
            "Status",
            STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]),
            get(|cx, row| DHCPV6.status(cx, row)),
        ),
        alias(),
        rw(
            "Order",
            UNSIGNED_INT.ranges(&[(1, i64::MAX)]),
            get_set(
                |cx, row| order::position(cx, row, ORDER),
                |cx, row, value| order::set_position(cx, row, ORDER, value),
            ),
        ),
        rw(
            "Interface",
            STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]),
            get_set(interface, |cx, row, value| DHCPV6.set_interface(cx, row, value)),
        )
        .default(""),
        rw("IANAEnable", BOOLEAN, uci_bool("dhcpv6_na", "true")),
        ro(
            "IANAPrefixes",
            STRING.strong(&[]).list_within((0, 8), u32::MAX),
            get(|cx, row| given(cx, row, "dhcpv6_na")),
        ),
        rw("IAPDEnable", BOOLEAN, uci_bool("dhcpv6_pd", "true")),
        ro(
            "IAPDPrefixes",
            STRING.strong(&[]).list_within((0, 8), u32::MAX),
            get(|cx, row| given(cx, row, "dhcpv6_pd")),
        ),
        rw("IAPDAddLength", UNSIGNED_INT.ranges(&[(i64::MIN, 64)]), change(add_length, set_add_length)),
        ro("ClientNumberOfEntries", UNSIGNED_INT, count("Client")),
        ro("OptionNumberOfEntries", UNSIGNED_INT, count("Option")),
    ],
);

/// TR-181 2.17 Device.DHCPv6.Server.Pool.{i}.Option.{i}.
pub(super) static OPTION: Object = Object::table(
    "Device.DHCPv6.Server.Pool.{i}.Option.{i}.",
    Table::new(Rows::Keys(|cx, row| SENT.keys(cx, row)))
        .added_by(|cx, row| SENT.add(cx, row))
        .deleted_by(|cx, row| SENT.delete(cx, row))
        .keys(&[functional(&["Tag"])])
        .enabled_by("Enable")
        .at_most(16),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| SENT.enabled(cx, row))).default("false"),
        alias(),
        rw("Tag", UNSIGNED_INT.ranges(&[(0, 65535)]), together(|cx, row| SENT.tag(cx, row))),
        rw("Value", HEX_BINARY.lengths(&[(0, 65535)]), together(|cx, row| SENT.value(cx, row))).default(""),
    ],
)
.set_together(|cx, row, values| SENT.set(cx, row, values));

/// The prefixes that addresses, or shorter prefixes, are given from.
fn given(cx: &mut Context, row: &Row, option: &str) -> Result<Text> {
    let on = cx.option(row, option)?.as_deref().and_then(uci_truth).unwrap_or(true);
    if on && DHCPV6.enabled(cx, row)? { prefixes(cx, row) } else { Ok(Text::Borrowed("")) }
}

/// The greatest prefix that odhcpd gives away where nothing is configured.
const SHORTEST: u32 = 62;
/// The length of the prefixes on an interface where `ip6assign` says nothing.
const ASSIGNED: u32 = 60;

fn assigned(cx: &mut Context, row: &Row) -> Result<u32> {
    let Some(name) = cx.option(row, "interface")? else { return Ok(ASSIGNED) };
    let section = cx.package("network")?.find(&name);
    let bits = section.and_then(|section| section.get("ip6assign")).and_then(|bits| bits.parse().ok());
    Ok(bits.filter(|bits| (1..=64).contains(bits)).unwrap_or(ASSIGNED))
}

/// Bits between the length of the interface's prefixes and that of those given away.
fn add_length(cx: &mut Context, row: &Row) -> Result<Text> {
    let shortest = cx.option(row, "dhcpv6_pd_min_len")?.and_then(|bits| bits.parse().ok()).unwrap_or(SHORTEST);
    Ok(Text::Owned(shortest.min(64).saturating_sub(assigned(cx, row)?).to_string()))
}

fn set_add_length(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let added: u32 = value.parse().map_err(|_| Fault::value("not a number"))?;
    let shortest = assigned(cx, row)?.saturating_add(added);
    if shortest > SHORTEST {
        return Err(Fault::value(format!("odhcpd gives away prefixes of up to {SHORTEST} bits")));
    }
    cx.set_option(row, "dhcpv6_pd_min_len", Some(&shortest.to_string()))
}

// Options that odhcpd can be told to send.

const DNS_SERVERS: u16 = 23;
const DOMAINS: u16 = 24;
const NTP: u16 = 56;
const CAPTIVE_PORTAL: u16 = 103;
const PORTAL: &str = "captive_portal_uri";

static SENT: Options = Options { table: "Option", read: read_sent, write: write_sent, judge: judge_sent, valued: true };

fn items(cx: &mut Context, row: &Row, option: &str) -> Result<Vec<String>> {
    let section = cx.section(row)?;
    Ok(section.list(option).into_iter().flat_map(str::split_ascii_whitespace).map(String::from).collect())
}

fn six(items: &[String]) -> Vec<Ipv6Addr> {
    items.iter().filter_map(|item| item.parse().ok()).collect()
}

/// Names as labels with their lengths (RFC 1035 3.1).
#[must_use]
pub fn from_names(names: &[String]) -> String {
    let mut bytes = Vec::new();
    for name in names.iter().filter(|name| crate::model::format::is_host_name(name)) {
        for label in name.trim_end_matches('.').split('.') {
            bytes.push(u8::try_from(label.len()).unwrap_or(0));
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.push(0);
    }
    hex(&bytes)
}

/// The names that labels with their lengths are; `None` for what is none.
#[must_use]
pub fn to_names(value: &str) -> Option<Vec<String>> {
    let bytes = bytes(value)?;
    let (mut rest, mut names, mut labels) = (bytes.as_slice(), Vec::new(), Vec::new());
    while let Some((&length, after)) = rest.split_first() {
        let (label, after) = after.split_at_checked(usize::from(length))?;
        rest = after;
        if length > 0 {
            labels.push(std::str::from_utf8(label).ok()?);
            continue;
        }
        let name = std::mem::take(&mut labels).join(".");
        names.push(Some(name).filter(|name| crate::model::format::is_host_name(name))?);
    }
    labels.is_empty().then_some(names)
}

fn to_addresses(value: &str) -> Option<Vec<Ipv6Addr>> {
    let bytes = bytes(value)?;
    let chunks = bytes.chunks_exact(16);
    let whole = chunks.remainder().is_empty();
    whole.then(|| chunks.filter_map(|chunk| Some(Ipv6Addr::from(<[u8; 16]>::try_from(chunk).ok()?))).collect())
}

/// NTP servers by address: suboption 1 with 16 bytes, one a server (RFC 5908 4.1).
fn to_ntp(value: &str) -> Option<Vec<Ipv6Addr>> {
    let bytes = bytes(value)?;
    let mut addresses = Vec::new();
    for part in bytes.chunks(20) {
        let (head, address) = part.split_at_checked(4)?;
        let address: [u8; 16] = address.try_into().ok()?;
        (head == [0, 1, 0, 16]).then_some(())?;
        addresses.push(Ipv6Addr::from(address));
    }
    Some(addresses)
}

fn read_sent(cx: &mut Context, row: &Row) -> Result<Present> {
    let servers = six(&items(cx, row, "dns")?);
    let names = items(cx, row, "domain")?;
    let ntp = six(&items(cx, row, "ntp")?);
    let uri = cx.option(row, PORTAL)?.unwrap_or_default();
    let mut present = vec![
        (DNS_SERVERS, servers.iter().map(|server| hex(&server.octets())).collect()),
        (DOMAINS, from_names(&names)),
        (NTP, ntp.iter().map(|server| format!("00010010{}", hex(&server.octets()))).collect()),
        (CAPTIVE_PORTAL, hex(uri.as_bytes())),
    ];
    present.retain(|(_, value): &(u16, String)| !value.is_empty());
    Ok(present)
}

fn write_sent(cx: &mut Context, row: &Row, wanted: &[(u16, String)]) -> Result<(), Fault> {
    let of = |tag: u16| wanted.iter().find(|(known, _)| *known == tag).map(|(_, value)| value.as_str());
    for (option, addresses) in [("dns", of(DNS_SERVERS).and_then(to_addresses)), ("ntp", of(NTP).and_then(to_ntp))] {
        // The list has servers of both kinds.
        let mut list = items(cx, row, option)?;
        list.retain(|item| item.parse::<Ipv6Addr>().is_err());
        list.extend(addresses.unwrap_or_default().iter().map(Ipv6Addr::to_string));
        cx.set_list(row, option, &list.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    let names = of(DOMAINS).and_then(to_names).unwrap_or_default();
    cx.set_list(row, "domain", &names.iter().map(String::as_str).collect::<Vec<_>>())?;
    cx.set_option(row, PORTAL, of(CAPTIVE_PORTAL).and_then(printable).as_deref())
}

fn judge_sent(tag: u16, value: &str) -> Result<(), (&'static str, Fault)> {
    let good = match tag {
        DNS_SERVERS => to_addresses(value).is_some(),
        DOMAINS => to_names(value).is_some(),
        NTP => to_ntp(value).is_some(),
        CAPTIVE_PORTAL => printable(value).is_some_and(|uri| uri.contains(':')),
        _ => return Err(("Tag", Fault::value("odhcpd sends this option by itself, or not at all"))),
    };
    if good { Ok(()) } else { Err(("Value", Fault::value("not what this option carries"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_lists_and_come_back() {
        let names = [String::from("lan.example"), String::from("example")];
        let value = from_names(&names);
        assert_eq!(value, "036c616e076578616d706c6500076578616d706c6500");
        assert_eq!(to_names(&value).unwrap(), names);
        for value in ["036c616e", "05", "0120", "00"] {
            assert_eq!(to_names(value), None, "{value}");
        }
        assert_eq!(
            to_addresses("20010db8000000000000000000000001").unwrap(),
            ["2001:db8::1".parse::<Ipv6Addr>().unwrap()]
        );
        assert_eq!(to_addresses("20010db8"), None);
        assert_eq!(to_ntp("0001001020010db8000000000000000000000001").unwrap().len(), 1);
        assert_eq!(to_ntp("0002001020010db8000000000000000000000001"), None);
    }
}
