//! `Device.Routing.Router.{i}.IPv6Forwarding.{i}.`

use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

use serde_json::Value as Json;

use super::INTERFACE;
use super::route::{Family, Live, Route, Routes, STATUS, TYPE, interface_path, keys};
use crate::device::net;
use crate::error::{Error, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::{IPV6_ADDRESS, IPV6_PREFIX};
use crate::model::schema::{Object, Rows, Table, Text, alias, functional, get, ro, rw, together};
use crate::model::value::{BOOLEAN, DATE_TIME, INT, STRING};

static V6: Family = Family { six: true, kind: "route6", target: "DestIPPrefix", gateway: "NextHop", kernel };

/// TR-181 2.17 Device.Routing.Router.{i}.IPv6Forwarding.{i}.
pub(super) static FORWARDING: Object = Object::table(
    "Device.Routing.Router.{i}.IPv6Forwarding.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(keys(&*all(cx)?))))
        .added_by(|cx, _| V6.add(cx))
        .deleted_by(|cx, row| {
            let route = of_row(cx, row)?;
            V6.delete(cx, row, &route)
        })
        .keys(&[functional(&["DestIPPrefix", "ForwardingPolicy", "NextHop", "Interface", "ForwardingMetric"])])
        .enabled_by("Enable")
        .at_most(2048),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(of_row(cx, row)?.enabled)))).default("false"),
        ro("Status", STATUS, get(status)),
        alias(),
        rw("Type", TYPE, together(|cx, row| Ok(Text::Borrowed(of_row(cx, row)?.kind)))).default("Normal"),
        rw("DestIPPrefix", STRING.lengths(&[(0, 49)]).format(IPV6_PREFIX), together(prefix)).default(""),
        rw("ForwardingPolicy", INT.ranges(&[(-1, i64::MAX)]), together(|_, _| Ok(Text::Borrowed("-1")))).default("-1"),
        rw("NextHop", IPV6_ADDRESS, together(|cx, row| Ok(Text::Owned(of_row(cx, row)?.gateway)))).default(""),
        rw("Interface", STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]), together(interface)).default(""),
        ro(
            "Origin",
            STRING.values(&["DHCPv6", "OSPF", "RA", "RIPng", "Static"]),
            get(|cx, row| Ok(Text::Borrowed(of_row(cx, row)?.origin))),
        ),
        rw("ForwardingMetric", INT.ranges(&[(-1, i64::MAX)]), together(metric)).default("-1"),
        ro("ExpirationTime", DATE_TIME, get(expiration)),
    ],
)
.set_together(|cx, row, values| {
    let route = of_row(cx, row).map_err(|error| ("Enable", error.into()))?;
    V6.set(cx, row, &route, values)
})
.check(|cx, row| {
    let route = of_row(cx, row).map_err(|error| ("Enable", error.into()))?;
    V6.settle(cx, row, &route)
});

fn all(cx: &mut Context) -> Result<Rc<Routes>> {
    cx.memo("IPv6 routes", |cx| V6.routes(cx))
}

fn of_row(cx: &mut Context, row: &Row) -> Result<Route> {
    let key = cx.key(row)?;
    all(cx)?.get(&key).cloned().ok_or_else(|| Error::other("the route is gone"))
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let route = of_row(cx, row)?;
    Ok(Text::Borrowed(V6.status(cx, &route)?))
}

fn prefix(cx: &mut Context, row: &Row) -> Result<Text> {
    let route = of_row(cx, row)?;
    Ok(match (route.target.as_str(), route.length) {
        ("", _) => Text::Borrowed(""),
        (target, length) => Text::Owned(format!("{target}/{}", length.unwrap_or(128))),
    })
}

fn interface(cx: &mut Context, row: &Row) -> Result<Text> {
    let route = of_row(cx, row)?;
    Ok(interface_path(cx, &route))
}

fn metric(cx: &mut Context, row: &Row) -> Result<Text> {
    let metric = of_row(cx, row)?.metric.and_then(|metric| i32::try_from(metric).ok());
    Ok(metric.map_or(Text::Borrowed("-1"), |metric| Text::Owned(metric.to_string())))
}

/// How long netifd still has a route of a router advertisement.
fn expiration(cx: &mut Context, row: &Row) -> Result<Text> {
    let route = of_row(cx, row)?;
    let interfaces = net::interfaces(cx)?;
    let same = |other: &&Json| {
        net::text(other, "target") == Some(route.target.as_str())
            && other.get("mask").and_then(Json::as_u64) == route.length.map(u64::from)
            && net::text(other, "nexthop").unwrap_or_default() == route.gateway
    };
    let known = net::items(interfaces.get(&route.interface), "route").iter().find(same);
    let valid = known.filter(|_| !route.fixed).and_then(|known| known.get("valid")).and_then(Json::as_u64);
    net::moment(cx, valid)
}

/// Flags of the kernel: up; refused; from an advertisement; of an address of our own, or any one of a group; of the cache.
const UP: u32 = 0x1;
const REJECT: u32 = 0x200;
const ADVERTISED: u32 = 0x4_0000;
const ANYCAST: u32 = 0x10_0000;
const CACHE: u32 = 0x100_0000;
const LOCAL: u32 = 0x8000_0000;

/// `/proc/net/ipv6_route`: destination, its length, source, its length, next hop, metric, two counters, flags, device. What the kernel has for each link
/// and each address of its own is no way anywhere, and neither is what it refuses when nothing else is left.
fn kernel(cx: &mut Context) -> Option<Vec<Live>> {
    let table = cx.file("/proc/net/ipv6_route").ok()?;
    let mut routes: Vec<Live> = Vec::new();
    for live in table.lines().filter_map(parse) {
        // One for each source that it is for.
        if !routes.contains(&live) {
            routes.push(live);
        }
    }
    Some(routes)
}

fn parse(line: &str) -> Option<Live> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let &[target, length, _, _, gateway, metric, _, _, flags, device] = fields.as_slice() else { return None };
    let address =
        |digits: &str| u128::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 32).map(Ipv6Addr::from);
    let (target, gateway) = (address(target)?, address(gateway)?);
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let length = u8::from_str_radix(length, 16).ok().filter(|length| *length <= 128)?;
    let metric = u32::from_str_radix(metric, 16).ok()?;
    let inner = target.is_unicast_link_local() || target.is_multicast() || target.is_loopback();
    let last = length == 0 && flags & REJECT != 0;
    if inner || last || flags & (ANYCAST | CACHE | LOCAL) != 0 || flags & (UP | REJECT) == 0 {
        return None;
    }
    Some(Live {
        target: IpAddr::V6(target),
        length,
        gateway: (!gateway.is_unspecified()).then_some(IpAddr::V6(gateway)),
        device: String::from(device),
        metric,
        rejects: flags & REJECT != 0,
        advertised: flags & ADVERTISED != 0,
    })
}
