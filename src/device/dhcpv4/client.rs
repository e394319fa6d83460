//! `Device.DHCPv4.Server.Pool.{i}.Client.{i}.`: the leases of dnsmasq.

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::PACKAGE;
use super::pool::subnet_of;
use crate::device::option_rows::hex;
use crate::error::Result;
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::{IPV4_ADDRESS, MAC_ADDRESS, is_mac};
use crate::model::schema::{Object, Rows, Table, Text, alias, always, count, get, ro};
use crate::model::value::{BOOLEAN, DATE_TIME, HEX_BINARY, UNSIGNED_INT};
use crate::time::UtcTime;

pub(super) static CLIENT: Object = Object::table(
    "Device.DHCPv4.Server.Pool.{i}.Client.{i}.",
    Table::new(Rows::Keys(clients)).keys(&[always(&["Chaddr"])]),
    &[
        alias(),
        ro("Chaddr", MAC_ADDRESS, get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("Active", BOOLEAN, get(active)),
        ro("IPv4AddressNumberOfEntries", UNSIGNED_INT, count("IPv4Address")),
        ro("OptionNumberOfEntries", UNSIGNED_INT, count("Option")),
    ],
);

pub(super) static ADDRESS: Object = Object::table(
    "Device.DHCPv4.Server.Pool.{i}.Client.{i}.IPv4Address.{i}.",
    Table::new(Rows::Keys(addresses)).keys(&[always(&["IPAddress"])]),
    &[
        ro("IPAddress", IPV4_ADDRESS, get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("LeaseTimeRemaining", DATE_TIME, get(lease_end)),
    ],
);

pub(super) static OPTION: Object = Object::table(
    "Device.DHCPv4.Server.Pool.{i}.Client.{i}.Option.{i}.",
    Table::new(Rows::Keys(options)),
    &[
        ro("Tag", UNSIGNED_INT.ranges(&[(0, 255)]), get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("Value", HEX_BINARY.lengths(&[(0, 255)]), get(option_value)),
    ],
);

/// A lease of dnsmasq.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// When it ends, in seconds since 1970; `None` for never.
    pub end: Option<i64>,
    /// The MAC address in small letters.
    pub mac: String,
    /// The address.
    pub address: Ipv4Addr,
    /// The host name; empty for none.
    pub name: String,
    /// The client identifier in pairs of digits with colons; empty for none.
    pub client_id: String,
}

/// The leases of dnsmasq, read once a request; none where there is no file of them.
///
/// # Errors
/// When the configuration of dnsmasq cannot be read.
pub fn leases(cx: &mut Context) -> Result<Rc<Vec<Lease>>> {
    cx.memo("dnsmasq leases", |cx| {
        let dnsmasq = cx.package(PACKAGE)?.find("@dnsmasq[0]");
        let path = String::from(dnsmasq.and_then(|section| section.get("leasefile")).unwrap_or("/tmp/dhcp.leases"));
        Ok(cx.file(&path).map(|text| text.lines().filter_map(parse).collect()).unwrap_or_default())
    })
}

/// `END MAC ADDRESS NAME CLIENT-ID`; lines of IPv6 have none of that form.
fn parse(line: &str) -> Option<Lease> {
    let mut words = line.split_ascii_whitespace();
    let end: i64 = words.next()?.parse().ok()?;
    // A hardware type that is not Ethernet stands before the address.
    let mac = words.next()?.to_ascii_lowercase();
    let address = words.next()?.parse().ok()?;
    let mut known = || words.next().filter(|word| *word != "*").map(String::from).unwrap_or_default();
    let (name, client_id) = (known(), known());
    is_mac(&mac).then_some(Lease { end: (end > 0).then_some(end), mac, address, name, client_id })
}

/// The leases of a client row, or those in the subnet of a pool row.
fn in_pool(cx: &mut Context, pool: &Row) -> Result<Vec<Lease>> {
    let Some(subnet) = subnet_of(cx, pool)? else { return Ok(Vec::new()) };
    Ok(leases(cx)?.iter().filter(|lease| subnet.contains(lease.address)).cloned().collect())
}

fn of_client(cx: &mut Context, client: &Row) -> Result<Vec<Lease>> {
    let Some(pool) = client.parent().cloned() else { return Ok(Vec::new()) };
    let mac = cx.key(client)?;
    let mut leases = in_pool(cx, &pool)?;
    leases.retain(|lease| lease.mac == mac);
    Ok(leases)
}

fn clients(cx: &mut Context, pool: &Row) -> Result<Vec<String>> {
    Ok(in_pool(cx, pool)?.into_iter().map(|lease| lease.mac).collect())
}

/// Whether the kernel has met the client lately.
fn active(cx: &mut Context, client: &Row) -> Result<Text> {
    let leases = of_client(cx, client)?;
    let Ok(neighbours) = cx.file("/proc/net/arp") else { return Ok(truth(!leases.is_empty())) };
    let met = neighbours.lines().any(|line| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next().and_then(|word| word.parse::<Ipv4Addr>().ok());
        let flags = words.nth(1).and_then(|word| u32::from_str_radix(word.trim_start_matches("0x"), 16).ok());
        flags.is_some_and(|flags| flags & 2 != 0) && leases.iter().any(|lease| Some(lease.address) == address)
    });
    Ok(truth(met))
}

fn addresses(cx: &mut Context, client: &Row) -> Result<Vec<String>> {
    Ok(of_client(cx, client)?.iter().map(|lease| lease.address.to_string()).collect())
}

/// CONFORMANCE J-02: a lease without an end lasts to the end of the calendar.
fn lease_end(cx: &mut Context, row: &Row) -> Result<Text> {
    let Some(client) = row.parent().cloned() else { return Ok(Text::Borrowed(crate::model::value::UNKNOWN_TIME)) };
    let address = cx.key(row)?;
    let lease = of_client(cx, &client)?.into_iter().find(|lease| lease.address.to_string() == address);
    Ok(match lease.map(|lease| lease.end) {
        None => Text::Borrowed(crate::model::value::UNKNOWN_TIME),
        Some(None) => Text::Borrowed("9999-12-31T23:59:59Z"),
        Some(Some(end)) => Text::Owned(UtcTime::new(end, 0).to_string()),
    })
}

/// What the lease still has of the options that the client sent.
fn sent(cx: &mut Context, client: &Row) -> Result<Vec<(&'static str, String)>> {
    let mut found = Vec::new();
    for lease in of_client(cx, client)? {
        if !lease.name.is_empty() {
            found.push(("12", hex(lease.name.as_bytes())));
        }
        let id = lease.client_id.replace(':', "");
        if !id.is_empty() && id.len() % 2 == 0 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            found.push(("61", id));
        }
    }
    Ok(found)
}

fn options(cx: &mut Context, client: &Row) -> Result<Vec<String>> {
    Ok(sent(cx, client)?.into_iter().map(|(tag, _)| String::from(tag)).collect())
}

fn option_value(cx: &mut Context, row: &Row) -> Result<Text> {
    let Some(client) = row.parent().cloned() else { return Ok(Text::Borrowed("")) };
    let tag = cx.key(row)?;
    let value = sent(cx, &client)?.into_iter().find(|(known, _)| *known == tag);
    Ok(value.map_or(Text::Borrowed(""), |(_, value)| Text::Owned(value)))
}
