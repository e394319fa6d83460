//! `Device.Routing.RouteInformation.`: the routes that router advertisements have brought (RFC 4191), as odhcp6c leaves them with netifd.

use std::net::Ipv6Addr;
use std::rc::Rc;

use serde_json::Value as Json;

use super::INTERFACE;
use crate::device::net;
use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::format::{IPV6_ADDRESS, IPV6_PREFIX};
use crate::model::schema::{Object, Rows, Table, Text, constant, count, functional, get, get_set, ro, rw};
use crate::model::value::{BOOLEAN, DATE_TIME, STRING, UNKNOWN_TIME, UNSIGNED_INT};

/// TR-181 2.17 Device.Routing.RouteInformation.
pub(super) static INFORMATION: Object = Object::single(
    "Device.Routing.RouteInformation.",
    &[
        rw("Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), |_, _, value| only_true(value))),
        ro("InterfaceSettingNumberOfEntries", UNSIGNED_INT, count("InterfaceSetting")),
    ],
);

/// TR-181 2.17 Device.Routing.RouteInformation.InterfaceSetting.{i}.
pub(super) static INTERFACE_SETTING: Object = Object::table(
    "Device.Routing.RouteInformation.InterfaceSetting.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(all(cx)?.iter().map(Information::key).collect())))
        .keys(&[functional(&["Interface"])]),
    &[
        ro(
            "Status",
            STRING.values(&["ForwardingEntryCreated", "NoForwardingEntry", "Error"]),
            constant("ForwardingEntryCreated"),
        ),
        ro("Interface", STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]), get(interface)),
        ro("SourceRouter", IPV6_ADDRESS, get(|cx, row| text(cx, row, |route| route.router.to_string()))),
        ro("PreferredRouteFlag", STRING.values(&["High", "Medium", "Low"]), get(preference)),
        ro(
            "Prefix",
            STRING.lengths(&[(0, 49)]).format(IPV6_PREFIX),
            get(|cx, row| text(cx, row, |route| format!("{}/{}", route.target, route.length))),
        ),
        ro("RouteLifetime", DATE_TIME, get(lifetime)),
    ],
);

/// A route of an advertisement.
#[derive(Clone, Debug)]
struct Information {
    interface: String,
    target: Ipv6Addr,
    length: u8,
    router: Ipv6Addr,
    metric: u64,
    /// Seconds; `None` for ever.
    valid: Option<u64>,
}

impl Information {
    fn key(&self) -> String {
        format!("{} {}/{} {}", self.interface, self.target, self.length, self.router)
    }
}

fn only_true(value: &str) -> Result<(), Fault> {
    if value == "true" { Ok(()) } else { Err(Fault::value("odhcp6c always heeds them")) }
}

/// Routes over a link-local router of the interfaces on which odhcp6c listens, once a request.
fn all(cx: &mut Context) -> Result<Rc<Vec<Information>>> {
    cx.memo("route information", |cx| {
        let interfaces = net::interfaces(cx)?;
        let mut found: Vec<Information> = Vec::new();
        for (name, state) in interfaces.iter() {
            if net::text(state, "proto") != Some("dhcpv6") {
                continue;
            }
            for route in net::items(state, "route") {
                let Some(information) = parse(name, route).filter(|new| new.router.is_unicast_link_local()) else {
                    continue;
                };
                // One route for each source that it is for.
                if !found.iter().any(|known| known.key() == information.key()) {
                    found.push(information);
                }
            }
        }
        Ok(found)
    })
}

fn parse(interface: &str, route: &Json) -> Option<Information> {
    let number = |member: &str| route.get(member).and_then(Json::as_u64);
    Some(Information {
        interface: String::from(interface),
        target: net::text(route, "target")?.parse().ok()?,
        length: u8::try_from(number("mask")?).ok().filter(|length| *length <= 128)?,
        router: net::text(route, "nexthop")?.parse().ok()?,
        metric: number("metric").unwrap_or(0),
        valid: number("valid"),
    })
}

fn of_row(cx: &mut Context, row: &Row) -> Result<Option<Information>> {
    let key = cx.key(row)?;
    Ok(all(cx)?.iter().find(|route| route.key() == key).cloned())
}

fn text(cx: &mut Context, row: &Row, field: fn(&Information) -> String) -> Result<Text> {
    Ok(of_row(cx, row)?.map_or(Text::Borrowed(""), |route| Text::Owned(field(&route))))
}

fn interface(cx: &mut Context, row: &Row) -> Result<Text> {
    let Some(route) = of_row(cx, row)? else { return Ok(Text::Borrowed("")) };
    Ok(cx.path_of_key(INTERFACE, &route.interface).map_or(Text::Borrowed(""), Text::Owned))
}

/// odhcp6c makes 384, 512 and 640 of the preferences of RFC 4191.
fn preference(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(match of_row(cx, row)?.map_or(512, |route| route.metric) {
        0..=511 => "High",
        512 => "Medium",
        _ => "Low",
    }))
}

fn lifetime(cx: &mut Context, row: &Row) -> Result<Text> {
    match of_row(cx, row)? {
        Some(route) => net::moment(cx, route.valid),
        None => Ok(Text::Borrowed(UNKNOWN_TIME)),
    }
}
