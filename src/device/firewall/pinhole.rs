//! `Device.Firewall.Pinhole.{i}.`: rules that let something in from outside to one host.
//!
//! They are `rule` sections whose name says so, since fw4 has no other place for that; every other rule is one of a chain. A section without a host
//! stays disabled, and the wish is kept in the agent's own state.

use std::net::IpAddr;

use super::matching::{Ports, family, ip_version, is_any_protocol, protocol_number, protocol_word};
use super::{INTERFACE, LINE, PACKAGE, description, refused, state};
use crate::device::nat::{zone, zone_of_address};
use crate::device::{lease, own_keys, schedules};
use crate::error::{Error, Fault, Result};
use crate::model::access::{full_name, truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::format::IP_ADDRESS;
use crate::model::schema::{
    Notification, Object, Table, Text, Values, alias, constant, get, get_set, ro, rw, sections_where, together,
};
use crate::model::value::{BOOLEAN, Format, INT, STRING, Type, UNSIGNED_INT};
use crate::platform::uci::Section;

/// How the name of a section begins.
const PREFIX: &str = "pinhole_";

const IP_PREFIX: Format = Format { name: "IP prefix such as 2001:db8::/56", check: is_prefix };
const PORT: Type = INT.ranges(&[(-1, 65_535)]);

pub(super) static PINHOLE: Object = Object::table(
    "Device.Firewall.Pinhole.{i}.",
    Table::new(sections_where(PACKAGE, "rule", is_pinhole))
        .writable(&[])
        .added_by(add)
        .enabled_by("Enable")
        .at_most(128),
    &[
        alias(),
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(Pinhole::read(cx, row)?.enabled)))),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]), get(status)),
        ro("Origin", STRING.values(&["User", "System", "UPnP", "Controller"]), constant("Controller")),
        rw("Description", STRING.lengths(&[(0, 256)]).format(LINE), get_set(description::read, description::set)),
        rw("Interface", STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]), together(interface)).default(""),
        rw("LeaseDuration", UNSIGNED_INT, get_set(lease::asked, lease::ask)),
        ro("RemainingLeaseTime", UNSIGNED_INT, get(lease::remaining)).notification(Notification::CanDeny),
        rw("SourcePort", PORT, together(|cx, row| port(Pinhole::read(cx, row)?.source_port))).default("-1"),
        rw("DestPort", PORT, together(|cx, row| port(Pinhole::read(cx, row)?.dest_port))).default("-1"),
        rw(
            "IPVersion",
            INT.ranges(&[(-1, 15)]),
            together(|cx, row| Ok(Text::Borrowed(Pinhole::read(cx, row)?.version))),
        )
        .default("6"),
        rw(
            "Protocol",
            INT.ranges(&[(-1, 255)]).list(),
            together(|cx, row| Ok(Text::Owned(Pinhole::read(cx, row)?.protocols))),
        )
        .default("-1"),
        rw(
            "SourcePrefixes",
            STRING.lengths(&[(0, 49)]).format(IP_PREFIX).list(),
            together(|cx, row| Ok(Text::Owned(Pinhole::read(cx, row)?.sources))),
        ),
        schedules::SCHEDULE_REF,
        rw("DestIP", IP_ADDRESS, together(|cx, row| Ok(Text::Owned(Pinhole::read(cx, row)?.host)))),
    ],
)
.set_together(set);

fn is_prefix(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match address.parse::<IpAddr>() {
        Ok(address) => {
            if address.is_ipv4() {
                32
            } else {
                128
            }
        }
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

/// Whether a section is a pinhole.
pub(super) fn is_pinhole(section: &Section<'_>) -> bool {
    section.kind() == "rule" && section.name().is_some_and(|name| name.starts_with(PREFIX))
}

fn port(ports: Ports) -> Result<Text> {
    Ok(Text::Owned(ports.first.to_string()))
}

/// A pinhole as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Pinhole {
    enabled: bool,
    zone: String,
    source_port: Ports,
    dest_port: Ports,
    version: &'static str,
    /// Numbers by commas, -1 for all.
    protocols: String,
    /// Prefixes by commas.
    sources: String,
    host: String,
}

impl Pinhole {
    fn read(cx: &mut Context, row: &Row) -> Result<Self> {
        let wished = cx.own(&full_name(cx, row.node(), row, "Enable")).is_some();
        // Any protocol with a port is TCP and UDP for fw4.
        let any = cx.own(&full_name(cx, row.node(), row, "Protocol")).is_some();
        let section = cx.section(row)?;
        let words = |option: &str| -> Vec<String> {
            section.list(option).into_iter().flat_map(str::split_ascii_whitespace).map(String::from).collect()
        };
        let protocols = words("proto");
        let any = any && protocols == ["tcp", "udp"];
        let numbers: Vec<String> = if any || protocols.iter().any(|word| is_any_protocol(word)) {
            vec![String::from("-1")]
        } else if protocols.is_empty() {
            vec![String::from("6"), String::from("17")]
        } else {
            protocols.iter().filter_map(|word| protocol_number(word)).map(|number| number.to_string()).collect()
        };
        let mut sources = words("src_ip");
        sources.retain(|source| is_prefix(source));
        let host = section.get("dest_ip").filter(|host| host.parse::<IpAddr>().is_ok()).unwrap_or_default();
        Ok(Self {
            enabled: in_force(&section) || wished,
            zone: String::from(section.get("src").unwrap_or_default()),
            source_port: Ports::parse(section.get("src_port")),
            dest_port: Ports::parse(section.get("dest_port")),
            version: ip_version(section.get("family")),
            protocols: numbers.join(","),
            sources: sources.join(","),
            host: String::from(host),
        })
    }

    fn is_complete(&self) -> bool {
        !self.host.is_empty() && !self.zone.is_empty()
    }
}

fn in_force(section: &Section<'_>) -> bool {
    section.get("enabled").and_then(uci_truth).unwrap_or(true)
}

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    let zone = zone::outside(cx)?.map(|zone| zone.name);
    let name = format!("{PREFIX}{}", cx.new_section_name(PACKAGE)?);
    let package = cx.package_mut(PACKAGE)?;
    let id = package.add_section("rule", Some(&name)).map_err(refused)?;
    let options =
        [("enabled", "0"), ("src", zone.as_deref().unwrap_or_default()), ("proto", "all"), ("target", "ACCEPT")];
    for (option, value) in options {
        package.set(id, option, value).map_err(refused)?;
    }
    package.set(id, "family", "ipv6").map_err(refused)?;
    Ok(name)
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let pinhole = Pinhole::read(cx, row)?;
    let on = in_force(&cx.section(row)?);
    let never = schedules::limits(cx, row)? == schedules::Limits::Never;
    Ok(Text::Borrowed(match (pinhole.enabled && !never, on && pinhole.is_complete()) {
        (false, _) => "Disabled",
        (true, true) => "Enabled",
        (true, false) => "Error_Misconfigured",
    }))
}

/// Which interface of the zone was asked for is the agent's own; without one it is the way to the internet.
fn interface(cx: &mut Context, row: &Row) -> Result<Text> {
    let asked = cx.own(&full_name(cx, row.node(), row, "Interface"));
    let Some(zone) = cx.option(row, "src")? else { return Ok(Text::Borrowed("")) };
    let outside = zone::outside(cx)?.map(|zone| zone.name);
    if asked.is_none() && outside == Some(zone.clone()) {
        return Ok(Text::Borrowed(""));
    }
    state::interface_of_zone(cx, &zone, asked)
}

type Blamed = (&'static str, Fault);

fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), Blamed> {
    let broken = |error: Error| ("Enable", Fault::from(error));
    let before = Pinhole::read(cx, row).map_err(broken)?;
    let mut after = before.clone();
    let path = interface(cx, row).map_err(broken)?;
    if let Some(value) = values.get("Interface").filter(|value| *value != path) {
        let asked = full_name(cx, row.node(), row, "Interface");
        if value.is_empty() {
            cx.set_own(&asked, None);
            after.zone = zone::outside(cx).map_err(broken)?.map(|zone| zone.name).unwrap_or_default();
        } else {
            let (zone, interface) = state::zone_of_path(cx, value).map_err(|fault| ("Interface", fault))?;
            cx.set_own(&asked, Some(&interface));
            after.zone = zone.name;
        }
    }
    if let Some(value) = values.get("Enable") {
        after.enabled = value == "true";
    }
    for (name, place) in [("SourcePort", &mut after.source_port), ("DestPort", &mut after.dest_port)] {
        if let Some(value) = values.get(name) {
            let first = value.parse().unwrap_or(-1);
            // The end of a range that somebody else has made goes with its beginning.
            if first != place.first {
                *place = Ports { first, last: -1, exclude: false };
            }
        }
    }
    if let Some(value) = values.get("IPVersion") {
        after.version = match value {
            "-1" => "-1",
            "4" => "4",
            "6" => "6",
            _ => return Err(("IPVersion", Fault::value("4, 6, or -1 for both"))),
        };
    }
    for (name, place) in
        [("Protocol", &mut after.protocols), ("SourcePrefixes", &mut after.sources), ("DestIP", &mut after.host)]
    {
        if let Some(value) = values.get(name) {
            *place = String::from(value);
        }
    }
    judge(&after, values)?;
    if after != before {
        let blamed = values.0.first().map_or("Enable", |(name, _)| *name);
        write(cx, row, &before, &after).map_err(|fault| (blamed, fault))?;
    }
    Ok(())
}

fn judge(pinhole: &Pinhole, values: &Values<'_>) -> Result<(), Blamed> {
    let touched = |names: &[&'static str]| names.iter().copied().find(|name| values.get(name).is_some());
    let numbers: Vec<&str> = pinhole.protocols.split(',').filter(|number| !number.is_empty()).collect();
    if let Some(name) = touched(&["Protocol", "DestPort", "SourcePort"]) {
        if numbers.is_empty() || (numbers.len() > 1 && numbers.contains(&"-1")) {
            return Err((name, Fault::value("either protocols, or -1 for all")));
        }
        let ports = !pinhole.source_port.is_any() || !pinhole.dest_port.is_any();
        if ports && !numbers.iter().all(|number| matches!(*number, "-1" | "6" | "17")) {
            return Err((name, Fault::value("fw4 looks at the ports of TCP and UDP only")));
        }
    }
    let version = |address: &str| address.split('/').next().and_then(|address| address.parse::<IpAddr>().ok());
    let addresses = pinhole.sources.split(',').chain([pinhole.host.as_str()]).filter_map(version);
    let mut versions = addresses.map(|address| if address.is_ipv4() { "4" } else { "6" });
    let Some(first) = versions.next() else { return Ok(()) };
    if versions.any(|other| other != first) || (pinhole.version != "-1" && pinhole.version != first) {
        let name = touched(&["DestIP", "SourcePrefixes", "IPVersion"]).unwrap_or("Enable");
        return Err((name, Fault::value("the addresses are not of one IPVersion, or of another one")));
    }
    Ok(())
}

fn write(cx: &mut Context, row: &Row, before: &Pinhole, after: &Pinhole) -> Result<(), Fault> {
    if after.zone != before.zone {
        cx.set_option(row, "src", Some(&after.zone))?;
    }
    if after.source_port != before.source_port {
        cx.set_option(row, "src_port", after.source_port.word().as_deref())?;
    }
    if after.dest_port != before.dest_port {
        cx.set_option(row, "dest_port", after.dest_port.word().as_deref())?;
    }
    if after.version != before.version {
        cx.set_option(row, "family", family(after.version).flatten())?;
    }
    if after.sources != before.sources {
        let items: Vec<&str> = after.sources.split(',').filter(|item| !item.is_empty()).collect();
        cx.set_list(row, "src_ip", &items)?;
    }
    if after.host != before.host {
        let zone = match after.host.parse::<IpAddr>() {
            Err(_) => None,
            Ok(IpAddr::V4(address)) => zone_of_address(cx, address)?,
            Ok(IpAddr::V6(_)) => None,
        };
        let zone = match zone {
            Some(zone) => Some(zone),
            None if after.host.is_empty() => None,
            None => state::first_inside(cx)?,
        };
        cx.set_option(row, "dest_ip", Some(&after.host))?;
        cx.set_option(row, "dest", zone.as_deref())?;
    }
    let ports = !after.source_port.is_any() || !after.dest_port.is_any();
    let mark = full_name(cx, row.node(), row, "Protocol");
    own_keys::set_own(cx, &mark, (ports && after.protocols == "-1").then_some("-1"));
    let numbers = after.protocols.split(',').filter_map(|number| number.parse::<u8>().ok());
    let words: Vec<String> = numbers.map(protocol_word).collect();
    let words = match (after.protocols.as_str(), ports) {
        ("-1", true) => String::from("tcp udp"),
        ("-1", false) => String::from("all"),
        _ => words.join(" "),
    };
    let had_ports = !before.source_port.is_any() || !before.dest_port.is_any();
    if after.protocols != before.protocols || ports != had_ports {
        cx.set_option(row, "proto", Some(&words))?;
    }
    switch(cx, row, after)
}

/// Brings `enabled` into line with what is wanted and what is there.
fn switch(cx: &mut Context, row: &Row, pinhole: &Pinhole) -> Result<(), Fault> {
    let in_time = schedules::limits(cx, row)? != schedules::Limits::Never;
    // Without a destination fw4 would take it for a hole to the router itself.
    let on = pinhole.enabled && in_time && pinhole.is_complete() && cx.option(row, "dest")?.is_some();
    if in_force(&cx.section(row)?) != on {
        cx.set_option(row, "enabled", Some(if on { "1" } else { "0" }))?;
    }
    let mark = full_name(cx, row.node(), row, "Enable");
    own_keys::set_own(cx, &mark, (pinhole.enabled && !on).then_some("1"));
    Ok(())
}

/// Brings a pinhole into line with its schedule.
pub(in crate::device) fn settle(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let pinhole = Pinhole::read(cx, row)?;
    switch(cx, row, &pinhole)
}
