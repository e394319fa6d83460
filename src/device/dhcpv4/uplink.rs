//! `Device.DHCPv4.Client.{i}.`: the logical interfaces that get their address by DHCP.

use std::net::Ipv4Addr;

use serde_json::Value as Json;

use super::INTERFACE;
use crate::device::net;
use crate::device::netifd_client::{Client, PACKAGE};
use crate::error::Result;
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::{IPV4, IPV4_ADDRESS, mask_of_prefix};
use crate::model::schema::{Notification, Object, Rows, Table, Text, alias, count, functional, get, get_set, ro, rw};
use crate::model::value::UNSIGNED_INT;
use crate::model::value::{BOOLEAN, INT, STRING, Type};

/// udhcpc, and what it is told.
pub(in crate::device) static DHCP: Client = Client {
    table: "Device.DHCPv4.Client.",
    proto: "dhcp",
    waiting: "cwmp_dhcp",
    options: &[
        "hostname",
        "clientid",
        "vendorid",
        "reqopts",
        "sendopts",
        "defaultreqopts",
        "broadcast",
        "norelease",
        "classlessroute",
    ],
};

const LIST: Type = STRING.lengths(&[(0, 15)]).format(IPV4).list_within((0, u32::MAX), 256);

/// TR-181 2.17 Device.DHCPv4.Client.{i}.
pub(super) static CLIENT: Object = Object::table(
    "Device.DHCPv4.Client.{i}.",
    Table::new(Rows::SomeSections { package: PACKAGE, list: |cx, _| DHCP.sections(cx) })
        .added_by(|cx, _| DHCP.add(cx))
        .deleted_by(|cx, row| DHCP.delete(cx, row))
        .keys(&[functional(&["Interface"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw(
            "Enable",
            BOOLEAN,
            get_set(|cx, row| Ok(truth(DHCP.enabled(cx, row)?)), |cx, row, value| DHCP.set_enable(cx, row, value)),
        )
        .default("false"),
        alias(),
        rw(
            "Interface",
            STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]),
            get_set(|cx, row| DHCP.interface(cx, row), |cx, row, value| DHCP.set_interface(cx, row, value)),
        )
        .default(""),
        ro(
            "Status",
            STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]),
            get(|cx, row| DHCP.status(cx, row)),
        ),
        ro(
            "DHCPStatus",
            STRING.values(&["Init", "Selecting", "Requesting", "Rebinding", "Bound", "Renewing"]),
            get(dhcp_status),
        ),
        rw("Renew", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), |cx, row, _| DHCP.renew(cx, row)))
            .command()
            .default("false"),
        ro(
            "IPAddress",
            IPV4_ADDRESS,
            get(|cx, row| Ok(own_address(&state(cx, row)?).map_or_else(none, |own| shown(own.0)))),
        ),
        ro(
            "SubnetMask",
            IPV4_ADDRESS,
            get(|cx, row| Ok(own_address(&state(cx, row)?).map_or_else(none, |own| shown(mask_of_prefix(own.1))))),
        ),
        ro("IPRouters", LIST, get(|cx, row| Ok(list(&routers(&state(cx, row)?))))),
        ro("DNSServers", LIST, get(|cx, row| Ok(list(&dns_servers(&state(cx, row)?))))),
        ro("LeaseTimeRemaining", INT.ranges(&[(-1, i64::MAX)]), get(lease_time_remaining))
            .notification(Notification::CanDeny),
        ro("DHCPServer", IPV4_ADDRESS, get(|cx, row| Ok(server(&state(cx, row)?).map_or_else(none, shown)))),
        ro("SentOptionNumberOfEntries", UNSIGNED_INT, count("SentOption")),
        ro("ReqOptionNumberOfEntries", UNSIGNED_INT, count("ReqOption")),
    ],
)
.check(|cx, row| DHCP.settle(cx, row));

fn none() -> Text {
    Text::Borrowed("")
}

fn shown(address: Ipv4Addr) -> Text {
    Text::Owned(address.to_string())
}

fn list(addresses: &[Ipv4Addr]) -> Text {
    // As many as the parameter holds.
    Text::Owned(addresses.iter().take(16).map(Ipv4Addr::to_string).collect::<Vec<_>>().join(","))
}

/// What netifd says of the interface of a client; null while the client is not in effect.
pub(super) fn state(cx: &mut Context, row: &Row) -> Result<Json> {
    DHCP.state(cx, row)
}

/// The address with the length of its prefix.
pub(super) fn own_address(state: &Json) -> Option<(Ipv4Addr, u8)> {
    let first = net::items(state, "ipv4-address").first()?;
    let prefix = first.get("mask").and_then(Json::as_u64).and_then(|mask| u8::try_from(mask).ok()).unwrap_or(32);
    Some((net::text(first, "address")?.parse().ok()?, prefix.min(32)))
}

/// The next hops of default routes.
pub(super) fn routers(state: &Json) -> Vec<Ipv4Addr> {
    let default = |route: &&Json| {
        net::text(route, "target") == Some("0.0.0.0") && route.get("mask").and_then(Json::as_u64) == Some(0)
    };
    let routes = net::items(state, "route").iter().filter(default);
    routes
        .filter_map(|route| net::text(route, "nexthop")?.parse().ok())
        .filter(|hop: &Ipv4Addr| !hop.is_unspecified())
        .collect()
}

pub(super) fn dns_servers(state: &Json) -> Vec<Ipv4Addr> {
    net::items(state, "dns-server").iter().filter_map(|server| server.as_str()?.parse().ok()).collect()
}

/// A member of what udhcpc has left with netifd.
pub(super) fn data<'a>(state: &'a Json, member: &str) -> Option<&'a Json> {
    state.get("data")?.get(member)
}

pub(super) fn server(state: &Json) -> Option<Ipv4Addr> {
    data(state, "dhcpserver")?.as_str()?.parse().ok()
}

/// The length of the lease in seconds; some versions of the script leave it as a text.
pub(super) fn lease_time(state: &Json) -> Option<u32> {
    let time = data(state, "leasetime")?;
    time.as_u64().and_then(|time| u32::try_from(time).ok()).or_else(|| time.as_str()?.parse().ok())
}

fn dhcp_status(cx: &mut Context, row: &Row) -> Result<Text> {
    let state = state(cx, row)?;
    Ok(Text::Borrowed(if net::truth(&state, "up") && own_address(&state).is_some() {
        "Bound"
    } else if net::truth(&state, "pending") {
        "Selecting"
    } else {
        "Init"
    }))
}

/// udhcpc renews a lease when half of it is over (RFC 2131 4.4.5), and netifd says since when the interface has been up.
fn lease_time_remaining(cx: &mut Context, row: &Row) -> Result<Text> {
    let state = state(cx, row)?;
    let lease = lease_time(&state).filter(|_| own_address(&state).is_some());
    let Some(lease) = lease else { return Ok(Text::Borrowed("0")) };
    if lease == u32::MAX {
        return Ok(Text::Borrowed("-1"));
    }
    let up = state.get("uptime").and_then(Json::as_u64).unwrap_or(0);
    let since = up.checked_rem(u64::from(lease / 2)).unwrap_or(0);
    let left = u64::from(lease).saturating_sub(since).min(i32::MAX as u64);
    Ok(Text::Owned(left.to_string()))
}
