//! What the forwarding tables of both versions share.
//!
//! A row is a static route, which is a `config route` or `config route6` of netifd and known by the name of its section, or one of the kernel's, known by
//! what it is. The kernel's route that a static one has become is not shown twice.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value as Json;

use super::INTERFACE;
use crate::device::{net, sections};
use crate::error::{Error, Fault, FaultCode, Result};
use crate::model::access::uci_truth;
use crate::model::context::{Context, Row};
use crate::model::format::prefix_of_mask;
use crate::model::schema::{Text, Values};
use crate::model::value::{STRING, Type};
use crate::platform::uci::{Section, SectionId};
use crate::sorted::Map;

/// The UCI package.
const PACKAGE: &str = "network";
/// How many routes of the kernel are shown.
const MOST: usize = 1024;

pub(super) const STATUS: Type = STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]);
pub(super) const TYPE: Type = STRING.values(&["Normal", "Receive", "Blackhole", "Unreachable", "Prohibit"]);

/// `type` of netifd and `Type` of TR-181.
const KINDS: [(&str, &str); 5] = [
    ("unicast", "Normal"),
    ("local", "Receive"),
    ("blackhole", "Blackhole"),
    ("unreachable", "Unreachable"),
    ("prohibit", "Prohibit"),
];

/// What differs between the two versions.
pub(super) struct Family {
    pub(super) six: bool,
    /// The type of the sections.
    pub(super) kind: &'static str,
    /// The parameters of the destination, and of the next hop.
    pub(super) target: &'static str,
    pub(super) gateway: &'static str,
    /// The routes of the kernel.
    pub(super) kernel: fn(&mut Context) -> Option<Vec<Live>>,
}

/// A route of the kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Live {
    pub(super) target: IpAddr,
    pub(super) length: u8,
    pub(super) gateway: Option<IpAddr>,
    pub(super) device: String,
    pub(super) metric: u32,
    /// Whether packets are refused.
    pub(super) rejects: bool,
    /// Whether the kernel has it from a router advertisement.
    pub(super) advertised: bool,
}

impl Live {
    fn is_prefix(&self, prefix: &Json) -> bool {
        let address = net::text(prefix, "address").and_then(|address| address.parse::<IpAddr>().ok());
        address == Some(self.target) && prefix.get("mask").and_then(Json::as_u64) == Some(u64::from(self.length))
    }

    fn key(&self) -> String {
        let gateway = self.gateway.map_or_else(|| String::from("-"), |gateway| gateway.to_string());
        format!("{}/{} {gateway} {} {}", self.target, self.length, self.device, self.metric)
    }
}

/// A row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Route {
    /// Whether it is a static one.
    pub(super) fixed: bool,
    pub(super) enabled: bool,
    /// Texts, empty for none. The destination is without the length of its prefix.
    pub(super) target: String,
    /// Bits; `None` where it is not said.
    pub(super) length: Option<u8>,
    pub(super) gateway: String,
    /// The logical interface; empty for none.
    pub(super) interface: String,
    pub(super) metric: Option<u32>,
    pub(super) kind: &'static str,
    pub(super) origin: &'static str,
    /// Whether the kernel has it; `None` where the kernel's routes are not known.
    installed: Option<bool>,
}

/// The rows of a table, by what they are known by.
pub(super) type Routes = Map<String, Route>;

/// What the rows are known by, static ones first.
pub(super) fn keys(routes: &Routes) -> Vec<String> {
    let of = |fixed: bool| routes.iter().filter(move |(_, route)| route.fixed == fixed).map(|(key, _)| key.clone());
    of(true).chain(of(false)).collect()
}

impl Family {
    fn bits(&self) -> u8 {
        if self.six { 128 } else { 32 }
    }

    fn zero(&self) -> IpAddr {
        if self.six { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) }
    }

    fn parse(&self, text: &str) -> Option<IpAddr> {
        text.parse::<IpAddr>().ok().filter(|address| address.is_ipv6() == self.six)
    }

    /// Where a route leads: with neither destination nor length it is the default route.
    fn destination(&self, route: &Route) -> Option<(IpAddr, u8)> {
        match (route.target.as_str(), route.length) {
            ("", None) => Some((self.zero(), 0)),
            (target, length) => Some((self.parse(target)?, length.unwrap_or(self.bits()))),
        }
    }

    /// A static route, as its section has it.
    fn read(&self, section: &Section<'_>) -> Route {
        let text = |option: &str| section.get(option).unwrap_or_default();
        let enabled = uci_truth(text("disabled")) != Some(true);
        let (target, inner) = match text("target").split_once('/') {
            Some((target, length)) => (target, Some(length)),
            None => (text("target"), section.get("netmask")),
        };
        let length = inner.and_then(|length| length.parse().ok().or_else(|| prefix_of_mask(length)));
        let length = length.filter(|length| *length <= self.bits());
        let whole = !target.is_empty() && enabled;
        let mut target = String::from(if self.parse(target).is_some() { target } else { "" });
        // Without a prefix netifd takes one address.
        let mut length = length.or(whole.then_some(self.bits()));
        let written = section.get("netmask").is_none();
        if !target.is_empty() && length == Some(0) && written != self.six {
            // One of the two ways to write the default route stands for no destination at all.
            (target, length) = (String::new(), None);
        }
        let kind = KINDS.iter().find(|(name, _)| *name == text("type")).map_or("Normal", |(_, kind)| *kind);
        Route {
            fixed: true,
            enabled,
            target,
            length,
            gateway: String::from(if self.parse(text("gateway")).is_some() { text("gateway") } else { "" }),
            interface: String::from(text("interface")),
            metric: section.get("metric").and_then(|metric| metric.parse().ok()),
            kind,
            origin: "Static",
            installed: None,
        }
    }

    fn has_become(&self, route: &Route, live: &Live) -> bool {
        let gateway = self.parse(&route.gateway).filter(|gateway| !gateway.is_unspecified());
        let same_way = if route.kind == "Normal" { gateway == live.gateway && !live.rejects } else { live.rejects };
        route.enabled
            && self.destination(route) == Some((live.target, live.length))
            && same_way
            && route.metric.is_none_or(|metric| metric == live.metric)
    }

    /// All rows.
    pub(super) fn routes(&self, cx: &mut Context) -> Result<Routes> {
        let kernel = (self.kernel)(cx);
        let known = kernel.is_some();
        let mut kernel = kernel.unwrap_or_default();
        let mut routes = Vec::new();
        let sections = cx.package(PACKAGE)?.sections().filter(|section| section.kind() == self.kind);
        let fixed: Vec<(SectionId, Route)> = sections.map(|section| (section.id(), self.read(&section))).collect();
        for (id, mut route) in fixed {
            let before = kernel.len();
            kernel.retain(|live| !self.has_become(&route, live));
            route.installed = known.then_some(kernel.len() != before);
            routes.push((cx.section_name(PACKAGE, id)?, route));
        }
        let interfaces = net::interfaces(cx)?;
        for live in kernel.iter().take(MOST) {
            let (interface, proto) = self.interface_of(&interfaces, live);
            routes.push((
                live.key(),
                Route {
                    fixed: false,
                    enabled: true,
                    target: if live.length == 0 && !self.six { String::new() } else { live.target.to_string() },
                    length: (live.length != 0 || self.six).then_some(live.length),
                    gateway: live.gateway.map_or_else(String::new, |gateway| gateway.to_string()),
                    interface,
                    metric: Some(live.metric),
                    kind: if live.rejects { "Unreachable" } else { "Normal" },
                    origin: self.origin(live, &proto),
                    installed: Some(true),
                },
            ));
        }
        Ok(routes.into_iter().collect())
    }

    /// The logical interface of a route and its protocol: the one on the device, of several one that has addresses of the version; for a prefix of which
    /// the rest is refused, the one that has got it.
    fn interface_of(&self, interfaces: &net::Interfaces, live: &Live) -> (String, String) {
        let lists: &[&str] =
            if self.six { &["ipv6-address", "ipv6-prefix-assignment", "ipv6-prefix"] } else { &["ipv4-address"] };
        let got = |state: &Json| net::items(state, "ipv6-prefix").iter().any(|prefix| live.is_prefix(prefix));
        let on =
            |state: &Json| if live.rejects { got(state) } else { net::text(state, "l3_device") == Some(&live.device) };
        let has = |state: &Json| lists.iter().any(|list| !net::items(state, list).is_empty());
        let best = interfaces.iter().find(|(_, state)| on(state) && has(state));
        let found = best.or_else(|| interfaces.iter().find(|(_, state)| on(state)));
        // The user knows `wwan`, but it is `wwan_4` on the same device that speaks DHCP.
        let made = interfaces.iter().find(|(_, state)| on(state) && has(state) && net::truth(state, "dynamic"));
        let proto = made.or(found).and_then(|(_, state)| net::text(state, "proto")).unwrap_or_default();
        (found.map_or_else(String::new, |(name, _)| String::from(name)), String::from(proto))
    }

    fn origin(&self, live: &Live, proto: &str) -> &'static str {
        match (self.six, proto) {
            (false, "dhcp") => "DHCPv4",
            (false, proto) if proto.starts_with("ppp") => "IPCP",
            (true, "dhcpv6") if live.advertised || live.gateway.is_some() => "RA",
            (true, "dhcpv6") => "DHCPv6",
            (true, _) if live.advertised => "RA",
            _ => "Static",
        }
    }

    pub(super) fn status(&self, cx: &mut Context, route: &Route) -> Result<&'static str> {
        if !route.enabled {
            return Ok("Disabled");
        }
        let section = cx.package(PACKAGE)?.find(&route.interface);
        let known = section.is_some_and(|section| section.kind() == "interface") || !route.fixed;
        if !known || self.destination(route).is_none() {
            return Ok("Error_Misconfigured");
        }
        let up = net::truth(net::interfaces(cx)?.get(&route.interface), "up");
        Ok(match (route.installed, up) {
            (Some(true), _) | (None, true) => "Enabled",
            // What its interface waits for, or what is still to be applied, is not in effect and no error.
            _ => "Disabled",
        })
    }

    /// Writes what a request sets of a row.
    pub(super) fn set(
        &self,
        cx: &mut Context,
        row: &Row,
        before: &Route,
        values: &Values<'_>,
    ) -> Result<(), (&'static str, Fault)> {
        let mut after = before.clone();
        for (name, value) in values.0 {
            self.apply(cx, &mut after, name, value).map_err(|fault| (*name, fault))?;
            if !before.fixed && after != *before {
                return Err((*name, Fault::new(FaultCode::NON_WRITABLE_PARAMETER, "the route is not a static one")));
            }
        }
        if after == *before {
            return Ok(());
        }
        self.judge(&after)?;
        self.store(cx, row, before, &after).map_err(|fault| ("Enable", fault))
    }

    fn apply(&self, cx: &mut Context, route: &mut Route, name: &str, value: &str) -> Result<(), Fault> {
        match name {
            "Enable" => route.enabled = value == "true",
            "DestIPAddress" => route.target = String::from(value),
            "DestSubnetMask" => route.length = prefix_of_mask(value),
            "DestIPPrefix" => {
                let (target, length) = value.split_once('/').unwrap_or((value, ""));
                (route.target, route.length) = (String::from(target), length.parse().ok());
            }
            "Interface" => route.interface = interface_name(cx, value)?,
            "ForwardingMetric" => route.metric = value.parse().ok(),
            "Type" => route.kind = KINDS.iter().find(|(_, kind)| *kind == value).map_or("Normal", |(_, kind)| *kind),
            "ForwardingPolicy" if value != "-1" => {
                return Err(Fault::value("no class of packets has a way of its own"));
            }
            "ForwardingPolicy" => {}
            _ => route.gateway = String::from(value),
        }
        Ok(())
    }

    /// What the kernel would refuse, so that the ACS hears of it.
    fn judge(&self, route: &Route) -> Result<(), (&'static str, Fault)> {
        let gateway = self.parse(&route.gateway);
        if gateway.is_some_and(|gateway| gateway.is_multicast() || gateway.is_loopback()) {
            return Err((self.gateway, Fault::value("not the address of a router")));
        }
        if !route.enabled {
            return Ok(());
        }
        let bad = |text: &str| Err((self.target, Fault::value(text)));
        match (self.parse(&route.target), route.length) {
            (None, None | Some(0)) => Ok(()),
            (None, Some(_)) => bad("a prefix needs its address"),
            (Some(_), None) => Err(("DestSubnetMask", Fault::value("a destination needs its subnet mask"))),
            (Some(target), Some(length)) if !is_network(target, length) => {
                bad("the address has bits behind its prefix")
            }
            (Some(target), _) if target.is_multicast() => bad("the router has no routes for groups"),
            _ => Ok(()),
        }
    }

    fn store(&self, cx: &mut Context, row: &Row, before: &Route, after: &Route) -> Result<(), Fault> {
        let id = self.section(cx, row)?;
        sections::name(cx, PACKAGE, id)?;
        let package = cx.package_mut(PACKAGE)?;
        let mut put = |option: &str, value: &str| package.set(id, option, value).map(drop).map_err(sections::refused);
        put("disabled", if after.enabled { "" } else { "1" })?;
        let moved = (&before.target, before.length, before.enabled) != (&after.target, after.length, after.enabled);
        if moved {
            let (target, mask) = self.target_text(after);
            put("target", &target)?;
            put("netmask", &mask)?;
        }
        put("gateway", &after.gateway)?;
        put("interface", &after.interface)?;
        put("metric", &after.metric.map_or_else(String::new, |metric| metric.to_string()))?;
        if before.kind != after.kind {
            let kind = KINDS.iter().find(|(_, kind)| *kind == after.kind).map_or("", |(name, _)| *name);
            put("type", if kind == "unicast" { "" } else { kind })?;
        }
        Ok(())
    }

    /// `target` and `netmask`, so that what was written comes back.
    fn target_text(&self, route: &Route) -> (String, String) {
        let none = String::new;
        let slash = |length: u8| (format!("{}/{length}", route.target), none());
        match (route.target.is_empty(), route.length) {
            (true, None | Some(0)) if !route.enabled => (none(), none()),
            (true, _) if self.six => (String::from("::"), String::from("0")),
            (true, _) => (String::from("0.0.0.0/0"), none()),
            (false, None) => (route.target.clone(), none()),
            (false, Some(0)) if !self.six => (route.target.clone(), String::from("0.0.0.0")),
            (false, Some(length)) => slash(length),
        }
    }

    fn section(&self, cx: &mut Context, row: &Row) -> Result<SectionId> {
        let key = cx.key(row)?;
        let sections = cx.package(PACKAGE)?.sections().filter(|section| section.kind() == self.kind);
        let ids: Vec<SectionId> = sections.map(Section::id).collect();
        for id in ids {
            if cx.section_name(PACKAGE, id)? == key {
                return Ok(id);
            }
        }
        Err(Error::other("the route is gone"))
    }

    /// A route without an interface is none to netifd: it gets the one whose network its next hop is in.
    pub(super) fn settle(&self, cx: &mut Context, row: &Row, route: &Route) -> Result<(), (&'static str, Fault)> {
        let Some(gateway) = self.parse(&route.gateway).filter(|_| route.interface.is_empty() && route.enabled) else {
            return Ok(());
        };
        let found = self.network_of(cx, gateway).map_err(|error| ("Interface", error.into()))?;
        let Some(name) = found else { return Ok(()) };
        let after = Route { interface: name, ..route.clone() };
        self.store(cx, row, route, &after).map_err(|fault| ("Interface", fault))
    }

    fn network_of(&self, cx: &mut Context, gateway: IpAddr) -> Result<Option<String>> {
        let sections = cx.package(PACKAGE)?.sections().filter(|section| section.kind() == "interface");
        let names: Vec<String> = sections.filter_map(|section| section.name().map(String::from)).collect();
        for name in names {
            let inside = match gateway {
                IpAddr::V4(gateway) => {
                    crate::device::dhcpv4::subnet(cx, &name)?.is_some_and(|subnet| subnet.contains(gateway))
                }
                IpAddr::V6(gateway) => {
                    let interfaces = net::interfaces(cx)?;
                    let state = interfaces.get(&name);
                    let lists = ["ipv6-address", "ipv6-prefix-assignment"].map(|list| net::items(state, list));
                    lists.concat().iter().any(|network| in_network(network, gateway))
                }
            };
            if inside {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    pub(super) fn add(&self, cx: &mut Context) -> Result<String, Fault> {
        Ok(cx.add_section(PACKAGE, self.kind, &[("disabled", "1")])?.1)
    }

    pub(super) fn delete(&self, cx: &mut Context, row: &Row, route: &Route) -> Result<(), Fault> {
        if !route.fixed {
            let text = "a route that is not static comes and goes by itself";
            return Err(Fault::new(FaultCode::INVALID_PARAMETER_NAME, text));
        }
        let id = self.section(cx, row)?;
        cx.package_mut(PACKAGE)?.remove_section(id);
        Ok(())
    }
}

/// `Interface` as netifd calls it.
fn interface_name(cx: &mut Context, path: &str) -> Result<String, Fault> {
    Ok(cx.section_of_path(INTERFACE, path)?.unwrap_or_default())
}

/// `Interface` as the ACS sees it.
pub(super) fn interface_path(cx: &mut Context, route: &Route) -> Text {
    cx.path_of_key(INTERFACE, &route.interface).map_or(Text::Borrowed(""), Text::Owned)
}

fn in_network(network: &Json, address: Ipv6Addr) -> bool {
    let length = network.get("mask").and_then(Json::as_u64).and_then(|mask| u8::try_from(mask).ok()).unwrap_or(128);
    let own = net::text(network, "address").and_then(|own| own.parse::<Ipv6Addr>().ok());
    let shift = 128_u32.saturating_sub(u32::from(length));
    own.is_some_and(|own| (own.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or(0) == 0)
}

/// Whether an address has no bits behind its prefix.
fn is_network(address: IpAddr, length: u8) -> bool {
    let zeros = match address {
        IpAddr::V4(address) => u32::from(address).trailing_zeros().saturating_add(u32::from(length)) >= 32,
        IpAddr::V6(address) => address.to_bits().trailing_zeros().saturating_add(u32::from(length)) >= 128,
    };
    zeros || address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_has_no_bits_behind_its_prefix() {
        for (address, length, good) in [
            ("10.0.0.0", 8, true),
            ("10.0.0.1", 24, false),
            ("10.0.0.1", 32, true),
            ("0.0.0.0", 0, true),
            ("2001:db8::", 32, true),
            ("2001:db8::1", 64, false),
        ] {
            assert_eq!(is_network(address.parse().unwrap(), length), good, "{address}/{length}");
        }
    }
}
