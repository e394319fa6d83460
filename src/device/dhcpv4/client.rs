//! `Device.DHCPv4.Server.Pool.{i}.Client.{i}.`: the leases of dnsmasq and odhcpd.

use std::net::Ipv4Addr;
use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::pool::subnet_of;
use super::{PACKAGE, POOL};
use crate::device::net;
use crate::device::option_rows::hex;
use crate::error::Result;
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::{IPV4_ADDRESS, MAC_ADDRESS, is_mac};
use crate::model::schema::{Object, Rows, Table, Text, alias, always, count, get, ro};
use crate::model::value::{BOOLEAN, DATE_TIME, HEX_BINARY, UNSIGNED_INT};
use crate::sorted::{Map, Set};
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

/// A lease.
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

/// The leases of dnsmasq, and of odhcpd where it serves DHCPv4, read once a request.
///
/// # Errors
/// When the configuration of dnsmasq cannot be read.
pub fn leases(cx: &mut Context) -> Result<Rc<Vec<Lease>>> {
    cx.memo("dhcp leases", |cx| {
        let dnsmasq = cx.package(PACKAGE)?.find("@dnsmasq[0]");
        let path = String::from(dnsmasq.and_then(|section| section.get("leasefile")).unwrap_or("/tmp/dhcp.leases"));
        let file = cx.file(&path).unwrap_or_default();
        let mut leases: Vec<Lease> = file.lines().filter_map(parse).collect();
        let now = UtcTime::from(cx.system().wall_clock()).seconds();
        let reply = cx.ubus("dhcp", "ipv4leases", &json!({})).unwrap_or_default();
        let devices = reply.get("device").and_then(Json::as_object).into_iter().flatten();
        leases.extend(
            devices.flat_map(|(_, listed)| net::items(listed, "leases")).filter_map(|item| from_odhcpd(item, now)),
        );
        Ok(leases)
    })
}

/// odhcpd writes a MAC address without colons, and for ever as 2^32-1 or -1.
fn from_odhcpd(lease: &Json, now: i64) -> Option<Lease> {
    let digits = net::text(lease, "mac")?.to_ascii_lowercase();
    let pairs: Option<Vec<&str>> = (0..6).map(|i| digits.get(2 * i..2 * i + 2)).collect();
    let mac = Some(pairs?.join(":")).filter(|mac| digits.len() == 12 && is_mac(mac))?;
    let left = lease.get("valid").and_then(Json::as_i64).filter(|left| (0..i64::from(u32::MAX)).contains(left));
    let name = net::text(lease, "hostname").filter(|name| *name != "-").unwrap_or_default();
    Some(Lease {
        end: left.map(|left| now.saturating_add(left)),
        mac,
        address: net::text(lease, "address")?.parse().ok()?,
        name: String::from(name),
        client_id: String::new(),
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

/// The leases in the subnet of each pool, by the name of its section and by MAC address.
type Index = Map<String, Map<String, Vec<Lease>>>;

fn index(cx: &mut Context) -> Result<Rc<Index>> {
    cx.memo("dhcp leases by pool", |cx| {
        let mut index = Index::new();
        let Some(node) = cx.schema().find(POOL) else { return Ok(index) };
        let (root, leases) = (cx.root(), leases(cx)?);
        for entry in cx.rows(node, &root)?.iter() {
            let pool = Row::new(node, &root, entry);
            let Some(subnet) = subnet_of(cx, &pool)? else { continue };
            let clients: &mut Map<String, Vec<Lease>> = index.get_or_default(cx.key(&pool)?);
            let mut inside: Vec<&Lease> = leases.iter().filter(|lease| subnet.contains(lease.address)).collect();
            // There may be thousands, and in this order none moves another.
            inside.sort_by(|lease, next| lease.mac.cmp(&next.mac));
            for lease in inside {
                clients.get_or_default(lease.mac.clone()).push(lease.clone());
            }
        }
        Ok(index)
    })
}

fn of_client(cx: &mut Context, client: &Row) -> Result<Vec<Lease>> {
    let Some(pool) = client.parent().cloned() else { return Ok(Vec::new()) };
    let (pool, mac) = (cx.key(&pool)?, cx.key(client)?);
    Ok(index(cx)?.get(&pool).and_then(|clients| clients.get(&mac)).cloned().unwrap_or_default())
}

/// Those that came first have the first numbers.
fn clients(cx: &mut Context, pool: &Row) -> Result<Vec<String>> {
    let pool = cx.key(pool)?;
    let index = index(cx)?;
    let Some(of_pool) = index.get(&pool) else { return Ok(Vec::new()) };
    let leases = leases(cx)?;
    Ok(leases.iter().map(|lease| &lease.mac).filter(|mac| of_pool.contains_key(*mac)).cloned().collect())
}

/// The addresses that the kernel has met lately; `None` where it does not tell.
fn reachable(cx: &mut Context) -> Result<Rc<Option<Set<Ipv4Addr>>>> {
    cx.memo("reachable addresses", |cx| {
        let Ok(neighbours) = cx.file("/proc/net/arp") else { return Ok(None) };
        let met = neighbours.lines().filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let address = words.next()?.parse::<Ipv4Addr>().ok()?;
            let flags = u32::from_str_radix(words.nth(1)?.trim_start_matches("0x"), 16).ok()?;
            (flags & 2 != 0).then_some(address)
        });
        Ok(Some(met.collect()))
    })
}

fn active(cx: &mut Context, client: &Row) -> Result<Text> {
    let leases = of_client(cx, client)?;
    Ok(truth(match reachable(cx)?.as_ref() {
        Some(met) => leases.iter().any(|lease| met.contains(&lease.address)),
        None => !leases.is_empty(),
    }))
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
        Some(None) => Text::Borrowed(net::FOR_EVER),
        // Leases end by the clock on the wall, which says nothing as long as it is wrong (CONFORMANCE J-02).
        Some(Some(_)) if !cx.facts().clock_known => Text::Borrowed(crate::model::value::UNKNOWN_TIME),
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
