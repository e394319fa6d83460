//! `Device.DHCPv4.Server.Pool.{i}.`: the `dhcp` sections of dnsmasq, one an interface.

use std::net::Ipv4Addr;

use super::network::{Subnet, subnet};
use super::option::{self, Item};
use super::static_address::{self, PARKED};
use super::{INTERFACE, PACKAGE, is_off};
use crate::device::odhcpd::{self, KIND};
use crate::device::order;
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row, RowId};
use crate::model::format::{IPV4, IPV4_ADDRESS};
use crate::model::schema::{
    Object, Table, Text, Values, alias, change, count, functional, get, get_set, ro, rw, sections_where, together,
};
use crate::model::value::{BOOLEAN, Format, INT, STRING, Type, UNSIGNED_INT};
use crate::platform::uci::Section;

const ADDRESSES: Type = STRING.lengths(&[(0, 15)]).format(IPV4).list_within((0, 4), u32::MAX);
/// A comma would begin another value of the option.
const DOMAIN: Format = Format {
    name: "a domain name",
    check: |text| text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')),
};

pub(super) static POOL: Object = Object::table(
    "Device.DHCPv4.Server.Pool.{i}.",
    Table::new(sections_where(PACKAGE, KIND, odhcpd::is_pool))
        .writable(&[("ignore", "1")])
        .deleted_by(delete)
        .keys(&[functional(&["Order"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(enabled(cx, row)?)), set_enable)).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]), get(status)),
        alias(),
        rw(
            "Order",
            UNSIGNED_INT.ranges(&[(1, i64::MAX)]),
            get_set(
                |cx, row| order::position(cx, row, ORDER),
                |cx, row, value| order::set_position(cx, row, ORDER, value),
            ),
        ),
        rw("Interface", STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]), change(odhcpd::interface, set_interface))
            .default(""),
        rw("MinAddress", IPV4_ADDRESS, together(|cx, row| Ok(address(Range::read(cx, row)?.map(|range| range.first))))),
        rw("MaxAddress", IPV4_ADDRESS, together(|cx, row| Ok(address(Range::read(cx, row)?.map(|range| range.last))))),
        rw(
            "ReservedAddresses",
            STRING.lengths(&[(0, 15)]).format(IPV4).list_within((0, 32), u32::MAX),
            together(reserved),
        )
        .default(""),
        rw("SubnetMask", IPV4_ADDRESS, together(subnet_mask)),
        rw(
            "DNSServers",
            ADDRESSES,
            get_set(
                |cx, row| listed(cx, row, DNS_SERVERS),
                |cx, row, value| option::set(cx, row, DNS_SERVERS, (!value.is_empty()).then_some(value)),
            ),
        ),
        rw("DomainName", STRING.lengths(&[(0, 64)]).format(DOMAIN), change(domain_name, set_domain_name)),
        rw(
            "IPRouters",
            ADDRESSES,
            get_set(
                |cx, row| listed(cx, row, ROUTERS),
                |cx, row, value| option::set(cx, row, ROUTERS, (!value.is_empty()).then_some(value)),
            ),
        ),
        rw("LeaseTime", INT.ranges(&[(-1, i64::MAX)]), change(lease_time, set_lease_time)).default("86400"),
        ro("StaticAddressNumberOfEntries", UNSIGNED_INT, count("StaticAddress")),
        ro("OptionNumberOfEntries", UNSIGNED_INT, count("Option")),
        ro("ClientNumberOfEntries", UNSIGNED_INT, count("Client")),
    ],
)
.set_together(set_addresses);

/// DHCP options that the pool has parameters for (RFC 2132).
const ROUTERS: u8 = 3;
const DNS_SERVERS: u8 = 6;
const DOMAIN_NAME: u8 = 15;
/// Options that are set by other parameters of the pool, or by the protocol itself, and so are no rows of its `Option.{i}.`.
pub(super) const OWN_OPTIONS: [u8; 8] = [1, ROUTERS, DNS_SERVERS, DOMAIN_NAME, 51, 53, 54, 55];

// Enable.

fn mark(cx: &mut Context, row: &Row) -> Result<String> {
    Ok(format!("{PACKAGE}.{}.enabled", cx.key(row)?))
}

fn serves(cx: &mut Context, row: &Row) -> Result<bool> {
    let ignored = cx.option(row, "ignore")?.and_then(|text| uci_truth(&text)).unwrap_or(false);
    Ok(!ignored && cx.option(row, "dhcpv4")?.as_deref() != Some("disabled"))
}

pub(super) fn enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    let mark = mark(cx, row)?;
    Ok(serves(cx, row)? || (is_off(cx) && cx.own(&mark).is_some()))
}

/// Brings the section into line with what is wanted of the pool and of the whole server.
pub(super) fn settle(cx: &mut Context, row: &Row, wanted: bool) -> Result<(), Fault> {
    let on = wanted && !is_off(cx);
    if serves(cx, row)? != on {
        cx.set_option(row, "ignore", (!on).then_some("1"))?;
        if on && cx.option(row, "dhcpv4")?.as_deref() == Some("disabled") {
            cx.set_option(row, "dhcpv4", Some("server"))?;
        }
    }
    let mark = mark(cx, row)?;
    let waiting = (wanted && !on).then_some("1");
    if cx.own(&mark).as_deref() != waiting {
        cx.set_own(&mark, waiting);
    }
    Ok(())
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    settle(cx, row, value == "true")
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    if !serves(cx, row)? {
        return Ok(Text::Borrowed("Disabled"));
    }
    Ok(Text::Borrowed(if subnet_of(cx, row)?.is_some() { "Enabled" } else { "Error_Misconfigured" }))
}

// Order: dnsmasq has none, because each interface has one pool. It is the agent's own, and holds the others together.

const ORDER: &str = "dhcp.order";

// Interface and addresses.

/// What odhcpd does on the interfaces stays with them.
fn set_interface(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let id = cx.section(row)?.id();
    odhcpd::leave(cx, id)?;
    if value.is_empty() {
        return cx.set_option(row, "interface", None);
    }
    let target = cx.row_of_path(INTERFACE, value).ok_or_else(|| Fault::value(format!("there is no {value}")))?;
    let name = cx.name_section(&target)?;
    odhcpd::gather(cx, id, &name)?;
    cx.set_option(row, "interface", Some(&name))
}

/// The subnet of the pool's interface.
pub(super) fn subnet_of(cx: &mut Context, row: &Row) -> Result<Option<Subnet>> {
    match cx.option(row, "interface")? {
        Some(interface) => subnet(cx, &interface),
        None => Ok(None),
    }
}

/// Deletes a pool with everything below it, so that nothing of it is there in the next pool of the interface (CONFORMANCE P-66). What another
/// pool of the interface has as well stays.
fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let interface = cx.option(row, "interface")?;
    let of_interface = |pool: &Section<'_>| pool.kind() == "dhcp" && pool.get("interface") == interface.as_deref();
    if cx.package(PACKAGE)?.sections().filter(of_interface).count() == 1 {
        static_address::delete_all(cx, row, PACKAGE)?;
        set_reserved(cx, row, "")?;
    }
    static_address::delete_all(cx, row, PARKED)?;
    option::forget_all(cx, row)?;
    if let RowId::Section(id) = row.id() {
        odhcpd::leave(cx, *id)?;
        cx.package_mut(PACKAGE)?.remove_section(*id);
    }
    Ok(())
}

/// The addresses that the pool gives away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    first: Ipv4Addr,
    last: Ipv4Addr,
}

impl Range {
    /// As dnsmasq's init script has it: `start` counts from the address of the subnet, `limit` is how many there are.
    fn read(cx: &mut Context, row: &Row) -> Result<Option<Self>> {
        let Some(subnet) = subnet_of(cx, row)? else { return Ok(None) };
        let number = |text: Option<String>, missing| text.and_then(|text| text.parse::<u32>().ok()).unwrap_or(missing);
        let start = number(cx.option(row, "start")?, 100) & !subnet.mask();
        let limit = number(cx.option(row, "limit")?, 150).max(1);
        let first = subnet.network().saturating_add(start);
        let most = subnet.broadcast().saturating_sub(u32::from(subnet.prefix < 31)).max(first);
        let last = first.saturating_add(limit.saturating_sub(1)).min(most);
        Ok(Some(Self { first: Ipv4Addr::from(first), last: Ipv4Addr::from(last) }))
    }
}

fn address(address: Option<Ipv4Addr>) -> Text {
    address.map_or(Text::Borrowed(""), |address| Text::Owned(address.to_string()))
}

fn subnet_mask(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(address(subnet_of(cx, row)?.map(|subnet| Ipv4Addr::from(subnet.mask()))))
}

fn set_addresses(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    if let Some(mask) = values.get("SubnetMask") {
        if subnet_mask(cx, row).map_err(|error| ("SubnetMask", error.into()))? != mask {
            return Err(("SubnetMask", Fault::value("the mask is that of the interface")));
        }
    }
    if values.get("MinAddress").is_some() || values.get("MaxAddress").is_some() {
        set_range(cx, row, values)?;
    }
    match values.get("ReservedAddresses") {
        Some(value) => set_reserved(cx, row, value).map_err(|fault| ("ReservedAddresses", fault)),
        None => Ok(()),
    }
}

fn set_range(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let blamed = if values.get("MinAddress").is_some() { "MinAddress" } else { "MaxAddress" };
    let broken = |error: crate::error::Error| (blamed, Fault::from(error));
    let subnet = subnet_of(cx, row).map_err(broken)?;
    let before = Range::read(cx, row).map_err(broken)?;
    let (Some(subnet), Some(before)) = (subnet, before) else {
        return Err((blamed, Fault::value("the pool needs an Interface with an IPv4 address first")));
    };
    let mut range = before;
    for (name, end) in [("MinAddress", &mut range.first), ("MaxAddress", &mut range.last)] {
        if let Some(value) = values.get(name) {
            let address = value.parse().ok().filter(|address| subnet.has_host(*address));
            *end =
                address.ok_or_else(|| (name, Fault::value("not the address of a host in the subnet of the pool")))?;
        }
    }
    if range.first > range.last {
        return Err((blamed, Fault::value("MinAddress is greater than MaxAddress")));
    }
    if range == before {
        return Ok(());
    }
    let start = u32::from(range.first).saturating_sub(subnet.network());
    let limit = u32::from(range.last).saturating_sub(u32::from(range.first)).saturating_add(1);
    cx.set_option(row, "start", Some(&start.to_string())).map_err(|fault| ("MinAddress", fault))?;
    cx.set_option(row, "limit", Some(&limit.to_string())).map_err(|fault| ("MaxAddress", fault))
}

// ReservedAddresses: dnsmasq keeps an address for a name that no client has.

fn reservation(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("reserved-{a}-{b}-{c}-{d}")
}

/// The sections that reserve an address of the pool.
fn reservations(cx: &mut Context, row: &Row) -> Result<Vec<(crate::platform::uci::SectionId, Ipv4Addr)>> {
    let Some(subnet) = subnet_of(cx, row)? else { return Ok(Vec::new()) };
    let hosts = cx.package(PACKAGE)?.sections().filter(|section| section.kind() == "host");
    let reserving = hosts.filter(|host| host.value("mac").is_none()).filter_map(|host| {
        let address: Ipv4Addr = host.get("ip")?.parse().ok()?;
        let ours = host.get("name") == Some(reservation(address).as_str()) && subnet.contains(address);
        ours.then(|| (host.id(), address))
    });
    Ok(reserving.collect())
}

fn reserved(cx: &mut Context, row: &Row) -> Result<Text> {
    let addresses = reservations(cx, row)?;
    Ok(Text::Owned(addresses.iter().map(|(_, address)| address.to_string()).collect::<Vec<_>>().join(",")))
}

fn set_reserved(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let wanted: Vec<Ipv4Addr> = value.split(',').filter_map(|item| item.parse().ok()).collect();
    let subnet = subnet_of(cx, row)?;
    if wanted.iter().any(|address| !subnet.is_some_and(|subnet| subnet.has_host(*address))) {
        return Err(Fault::value("not the address of a host in the subnet of the pool"));
    }
    let now = reservations(cx, row)?;
    for (id, _) in now.iter().filter(|(_, address)| !wanted.contains(address)) {
        cx.package_mut(PACKAGE)?.remove_section(*id);
    }
    let mut done: Vec<Ipv4Addr> = now.iter().map(|(_, address)| *address).collect();
    for address in wanted {
        if done.contains(&address) {
            continue;
        }
        static_address::check_free(cx, None, address)?;
        let ip = address.to_string();
        cx.add_section(PACKAGE, "host", &[("name", &reservation(address)), ("ip", &ip)])?;
        done.push(address);
    }
    Ok(())
}

// Options of the pool that have a parameter.

fn listed(cx: &mut Context, row: &Row, tag: u8) -> Result<Text> {
    Ok(option::find(cx, row, tag)?.map_or(Text::Borrowed(""), |item: Item| Text::Owned(item.value)))
}

/// Where the pool has none of its own, dnsmasq's.
fn domain_name(cx: &mut Context, row: &Row) -> Result<Text> {
    if let Some(item) = option::find(cx, row, DOMAIN_NAME)? {
        return Ok(Text::Owned(item.value));
    }
    let dnsmasq = cx.package(PACKAGE)?.find("@dnsmasq[0]");
    Ok(Text::Owned(dnsmasq.and_then(|section| section.get("domain")).unwrap_or_default().into()))
}

fn set_domain_name(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    // Without a value the option is not sent.
    option::set(cx, row, DOMAIN_NAME, Some(value))
}

// LeaseTime.

fn lease_time(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(cx.option(row, "leasetime")?.map_or(Text::Borrowed("43200"), |text| read_time(&text)))
}

fn set_lease_time(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let text = write_time(value)?;
    cx.set_option(row, "leasetime", Some(&text))
}

/// `12h`, `30m`, `45`, `infinite` in seconds.
fn read_time(text: &str) -> Text {
    if text == "infinite" {
        return Text::Borrowed("-1");
    }
    let (digits, unit) = match text.as_bytes().last() {
        Some(b's' | b'S') => (text.len().saturating_sub(1), 1),
        Some(b'm' | b'M') => (text.len().saturating_sub(1), 60),
        Some(b'h' | b'H') => (text.len().saturating_sub(1), 3600),
        Some(b'd' | b'D') => (text.len().saturating_sub(1), 86_400),
        Some(b'w' | b'W') => (text.len().saturating_sub(1), 604_800),
        _ => (text.len(), 1),
    };
    let number = text.get(..digits).and_then(|digits| digits.parse::<i32>().ok());
    match number.and_then(|number| number.checked_mul(unit)) {
        Some(seconds) if seconds > 0 => Text::Owned(seconds.to_string()),
        _ => Text::Borrowed("43200"),
    }
}

fn write_time(value: &str) -> Result<String, Fault> {
    let seconds: i32 = value.parse().map_err(|_| Fault::value("not a number"))?;
    Ok(match seconds {
        -1 => String::from("infinite"),
        0 => return Err(Fault::value("a lease lasts a second at least")),
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lease_times_go_there_and_back() {
        for (text, seconds) in [("12h", "43200"), ("30m", "1800"), ("2d", "172800"), ("90", "90"), ("infinite", "-1")] {
            assert_eq!(read_time(text), seconds, "{text}");
        }
        for seconds in ["43200", "60", "61", "-1", "2147483647"] {
            let text = write_time(seconds).unwrap();
            assert_eq!(read_time(&text), seconds, "{text}");
        }
        assert_eq!(read_time("99999999999h"), "43200");
    }
}
