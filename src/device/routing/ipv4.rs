//! `Device.Routing.Router.{i}.IPv4Forwarding.{i}.`

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use super::INTERFACE;
use super::route::{Family, Live, Route, Routes, STATUS, TYPE, interface_path, keys};
use crate::error::{Error, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::format::{IPV4_ADDRESS, NETMASK, mask_of_prefix};
use crate::model::schema::{Object, Rows, Table, Text, alias, functional, get, ro, rw, together};
use crate::model::value::{BOOLEAN, INT, STRING};

static V4: Family = Family { six: false, kind: "route", target: "DestIPAddress", gateway: "GatewayIPAddress", kernel };

/// TR-181 2.17 Device.Routing.Router.{i}.IPv4Forwarding.{i}.
pub(super) static FORWARDING: Object = Object::table(
    "Device.Routing.Router.{i}.IPv4Forwarding.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(keys(&*all(cx)?))))
        .added_by(|cx, _| V4.add(cx))
        .deleted_by(|cx, row| {
            let route = of_row(cx, row)?;
            V4.delete(cx, row, &route)
        })
        .keys(&[functional(&[
            "DestIPAddress",
            "DestSubnetMask",
            "ForwardingPolicy",
            "GatewayIPAddress",
            "Interface",
            "ForwardingMetric",
        ])])
        .enabled_by("Enable")
        .at_most(2048),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(of_row(cx, row)?.enabled)))).default("false"),
        ro("Status", STATUS, get(status)),
        alias(),
        rw("Type", TYPE, together(|cx, row| Ok(Text::Borrowed(of_row(cx, row)?.kind)))).default("Normal"),
        ro("StaticRoute", BOOLEAN, get(|cx, row| Ok(truth(of_row(cx, row)?.fixed)))),
        rw("DestIPAddress", IPV4_ADDRESS, together(|cx, row| Ok(Text::Owned(of_row(cx, row)?.target)))).default(""),
        rw("DestSubnetMask", IPV4_ADDRESS.format(NETMASK), together(mask)).default(""),
        rw("ForwardingPolicy", INT.ranges(&[(-1, i64::MAX)]), together(|_, _| Ok(Text::Borrowed("-1")))).default("-1"),
        rw("GatewayIPAddress", IPV4_ADDRESS, together(|cx, row| Ok(Text::Owned(of_row(cx, row)?.gateway)))).default(""),
        rw("Interface", STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]), together(interface)).default(""),
        ro(
            "Origin",
            STRING.values(&["DHCPv4", "OSPF", "IPCP", "RIP", "Static"]),
            get(|cx, row| Ok(Text::Borrowed(of_row(cx, row)?.origin))),
        ),
        rw("ForwardingMetric", INT.ranges(&[(-1, i64::MAX)]), together(metric)).default("-1"),
    ],
)
.set_together(|cx, row, values| {
    let route = of_row(cx, row).map_err(|error| ("Enable", error.into()))?;
    V4.set(cx, row, &route, values)
})
.check(|cx, row| {
    let route = of_row(cx, row).map_err(|error| ("Enable", error.into()))?;
    V4.settle(cx, row, &route)
});

fn all(cx: &mut Context) -> Result<Rc<Routes>> {
    cx.memo("IPv4 routes", |cx| V4.routes(cx))
}

fn of_row(cx: &mut Context, row: &Row) -> Result<Route> {
    let key = cx.key(row)?;
    all(cx)?.get(&key).cloned().ok_or_else(|| Error::other("the route is gone"))
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let route = of_row(cx, row)?;
    Ok(Text::Borrowed(V4.status(cx, &route)?))
}

fn mask(cx: &mut Context, row: &Row) -> Result<Text> {
    let length = of_row(cx, row)?.length;
    Ok(length.map_or(Text::Borrowed(""), |length| Text::Owned(mask_of_prefix(length).to_string())))
}

fn interface(cx: &mut Context, row: &Row) -> Result<Text> {
    let route = of_row(cx, row)?;
    Ok(interface_path(cx, &route))
}

fn metric(cx: &mut Context, row: &Row) -> Result<Text> {
    let metric = of_row(cx, row)?.metric.and_then(|metric| i32::try_from(metric).ok());
    Ok(metric.map_or(Text::Borrowed("-1"), |metric| Text::Owned(metric.to_string())))
}

/// Flags of the kernel: up, and packets are refused.
const UP: u32 = 0x1;
const REJECT: u32 = 0x200;

/// `/proc/net/route`: device, destination, gateway, flags, two counters, metric, mask. Addresses are the bytes on the wire, printed as one number
/// of the machine.
fn kernel(cx: &mut Context) -> Option<Vec<Live>> {
    let table = cx.file("/proc/net/route").ok()?;
    Some(table.lines().skip(1).filter_map(parse).collect())
}

fn parse(line: &str) -> Option<Live> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let &[device, target, gateway, flags, _, _, metric, mask, ..] = fields.as_slice() else { return None };
    let address = |digits: &str| Some(Ipv4Addr::from(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes()));
    let flags = u32::from_str_radix(flags, 16).ok().filter(|flags| flags & UP != 0)?;
    Some(Live {
        target: IpAddr::V4(address(target)?),
        length: u8::try_from(u32::from(address(mask)?).leading_ones()).ok()?,
        gateway: address(gateway).filter(|gateway| !gateway.is_unspecified()).map(IpAddr::V4),
        device: String::from(device),
        metric: metric.parse().ok()?,
        rejects: flags & REJECT != 0,
        advertised: false,
    })
}
