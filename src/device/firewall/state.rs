//! What is in force: `Enable`, `Config` and `AdvancedLevel`, and how they are brought about in the configuration of fw4.
//!
//! The wishes are the agent's own state. What they come to is in UCI, where it is looked for when they are read, so that what LuCI or a person changes is
//! seen:
//!
//! * The level in force is one of the table, or none while the firewall is off. The base level, which is always there, stands for the configuration as it
//!   is. Its policy, or that of another level, is `input` and `forward` of the zone towards the internet, and lies in the agent's own state while another
//!   is in force. `ACCEPT` comes with a `forwarding` from that zone into each that gets out through it; `forward` alone lets nothing into another zone.
//! * Rules of other chains than the base chain are `enabled` while the level of their chain is in force ([`super::rule`]).
//! * `High` is two rules of fixed names that reject what goes out to other ports.

use super::{INTERFACE, LEVEL, PACKAGE, refused, rule};
use crate::device::nat::{self, zone};
use crate::device::own_keys;
use crate::error::{Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::schema::Text;

/// The level and the chain that are the configuration as it is.
pub(super) const BASE: &str = "base";

const ENABLE: &str = "firewall.enable";
const CONFIG: &str = "firewall.config";
const ADVANCED_LEVEL: &str = "firewall.advanced_level";
/// The names of the forwardings that were made to open the ways in.
const INBOUND: &str = "firewall.inbound";

/// The rules of `High`, their protocols, and the ports that stay open: FTP, SSH, telnet, mail, DNS, the web; DNS, NTP, QUIC and IPsec.
const HIGH: [(&str, &str, &[&str]); 2] = [
    (
        "cwmpd_high_tcp",
        "tcp",
        &["!20-23", "!25", "!53", "!80", "!110", "!143", "!443", "!465", "!587", "!853", "!993", "!995"],
    ),
    ("cwmpd_high_udp", "udp", &["!53", "!123", "!443", "!500", "!853", "!4500"]),
];

/// What decides over packets.
#[derive(Clone, PartialEq, Eq, Debug)]
struct InForce {
    /// The level; `None` while all ways are open.
    level: Option<String>,
    high: bool,
}

/// Whether a section of the type `rule` is one that only [`HIGH`] knows.
pub(super) fn is_of_high(name: &str) -> bool {
    HIGH.iter().any(|(known, _, _)| *known == name)
}

/// What a level has in the agent's own state.
pub(super) fn of_level(level: &str, what: &str) -> String {
    format!("firewall.level.{level}.{what}")
}

/// `input` and `forward` of a zone, as they stand there, or as `defaults` has them.
fn zone_policy(cx: &mut Context, zone: &zone::Zone) -> Result<(String, String)> {
    let package = cx.package(PACKAGE)?;
    let defaults = package.sections().find(|section| section.kind() == "defaults");
    let of = |option: &str| {
        let own = package.section(zone.id).and_then(|section| section.get(option));
        let word = own.or_else(|| defaults.and_then(|defaults| defaults.get(option)));
        word.unwrap_or("DROP").to_ascii_uppercase()
    };
    Ok((of("input"), of("forward")))
}

fn parse_policy(text: Option<String>) -> (String, String) {
    let text = text.unwrap_or_else(|| String::from("REJECT REJECT"));
    let (input, forward) = text.split_once(' ').unwrap_or(("REJECT", "REJECT"));
    (String::from(input), String::from(forward))
}

/// Whether the ways in are open.
fn is_open(cx: &mut Context) -> Result<bool> {
    let Some(zone) = zone::outside(cx)? else { return Ok(false) };
    let (input, forward) = zone_policy(cx, &zone)?;
    Ok(input == "ACCEPT" && forward == "ACCEPT")
}

fn is_high(cx: &mut Context) -> Result<bool> {
    let package = cx.package(PACKAGE)?;
    Ok(HIGH.iter().all(|(name, _, _)| {
        package.find(name).is_some_and(|rule| rule.get("enabled").and_then(uci_truth) != Some(false))
    }))
}

fn wished_level(cx: &Context) -> String {
    let level = cx.own(ADVANCED_LEVEL).unwrap_or_else(|| String::from(BASE));
    if super::level::keys(cx).contains(&level) { level } else { String::from(BASE) }
}

/// What the wishes come to.
fn wished(cx: &Context) -> InForce {
    let config = cx.own(CONFIG).unwrap_or_default();
    if cx.own(ENABLE).is_some() || config == "Off" {
        return InForce { level: None, high: false };
    }
    let level = if config == "Advanced" { wished_level(cx) } else { String::from(BASE) };
    InForce { level: Some(level), high: config == "High" }
}

/// The level that is in force; `None` while all ways are open. Who closes them behind the agent's back has put the base level into force.
pub(super) fn level_in_force(cx: &mut Context) -> Result<Option<String>> {
    let level = wished(cx).level;
    if level.is_none() && zone::outside(cx)?.is_some() && !is_open(cx)? {
        return Ok(Some(String::from(BASE)));
    }
    Ok(level)
}

fn is_in_force(cx: &mut Context, level: &str) -> Result<bool> {
    Ok(level_in_force(cx)?.as_deref() == Some(level))
}

/// Whether the level in force does without port mappings.
pub fn port_mappings_suspended(cx: &mut Context) -> Result<bool> {
    let level = level_in_force(cx)?;
    Ok(level.is_some_and(|level| cx.own(&of_level(&level, "no_port_mappings")).is_some()))
}

pub(super) fn enable(cx: &mut Context, _: &Row) -> Result<Text> {
    // Who closes the ways in has enabled the firewall.
    Ok(truth(cx.own(ENABLE).is_none() || (zone::outside(cx)?.is_some() && !is_open(cx)?)))
}

pub(super) fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if enable(cx, row)? == value && cx.own(ENABLE).is_none() == (value == "true") {
        return Ok(());
    }
    change(cx, true, |cx| own_keys::set_own(cx, ENABLE, (value == "false").then_some("0")))
}

/// `Config` as it is.
pub(super) fn config(cx: &mut Context) -> Result<&'static str> {
    let wish = cx.own(CONFIG).unwrap_or_default();
    if cx.own(ENABLE).is_none() {
        if wish == "Advanced" {
            return Ok("Advanced");
        }
        if is_open(cx)? {
            return Ok("Off");
        }
        return Ok(if is_high(cx)? { "High" } else { "Low" });
    }
    Ok(match wish.as_str() {
        "High" => "High",
        "Off" => "Off",
        "Advanced" => "Advanced",
        _ => "Low",
    })
}

pub(super) fn set_config(cx: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if config(cx)? == value {
        return Ok(());
    }
    if value == "Policy" {
        return Err(Fault::value("fw4 has no policies between pairs of interfaces"));
    }
    // What somebody else has opened is closed again.
    let opened = cx.own(CONFIG).is_none() && cx.own(ENABLE).is_none() && is_open(cx)?;
    if opened {
        cx.set_own(&of_level(BASE, "policy"), Some("REJECT REJECT"));
    }
    change(cx, !opened, |cx| own_keys::set_own(cx, CONFIG, (value != "Low").then_some(value)))
}

pub(super) fn advanced_level(cx: &mut Context, _: &Row) -> Result<Text> {
    let level = match cx.own(ADVANCED_LEVEL) {
        Some(level) if level.is_empty() => return Ok(Text::Borrowed("")),
        Some(level) => level,
        None => String::from(BASE),
    };
    Ok(cx.path_of_key(LEVEL, &level).map_or(Text::Borrowed(""), Text::Owned))
}

pub(super) fn set_advanced_level(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if advanced_level(cx, row)? == value {
        return Ok(());
    }
    let level = match value {
        "" => String::new(),
        path => {
            let target = cx.row_of_path(LEVEL, path).ok_or_else(|| Fault::value(format!("there is no {path}")))?;
            cx.key(&target)?
        }
    };
    change(cx, true, |cx| own_keys::set_own(cx, ADVANCED_LEVEL, (level != BASE).then_some(&level)))
}

/// Forgets a level that goes; the base level is in force instead of it.
pub(super) fn forget_level(cx: &mut Context, level: &str) -> Result<(), Fault> {
    if cx.own(ADVANCED_LEVEL).as_deref() == Some(level) {
        change(cx, true, |cx| cx.set_own(ADVANCED_LEVEL, Some("")))?;
    }
    for what in ["name", "description", "policy", "log", "no_port_mappings", "chain"] {
        own_keys::set_own(cx, &of_level(level, what), None);
    }
    Ok(())
}

/// Changes wishes, and then what they come to. `keep` says whether the policy that is in force is kept for its level.
fn change(cx: &mut Context, keep: bool, wish: impl FnOnce(&mut Context)) -> Result<(), Fault> {
    if let (Some(level), Some(zone), true) = (level_in_force(cx)?, zone::outside(cx)?, keep) {
        let (input, forward) = zone_policy(cx, &zone)?;
        own_keys::set_own(cx, &of_level(&level, "policy"), Some(&format!("{input} {forward}")));
        let log = logs(cx, &level)?;
        own_keys::set_own(cx, &of_level(&level, "log"), log.then_some("1"));
    }
    wish(cx);
    let after = wished(cx);
    if let Some(zone) = zone::outside(cx)? {
        match &after.level {
            None => open(cx, &zone)?,
            Some(level) => {
                let (input, forward) = parse_policy(cx.own(&of_level(level, "policy")));
                set_zone_policy(cx, &zone, &input, &forward)?;
                let log = cx.own(&of_level(level, "log")).is_some();
                set_zone_log(cx, &zone, log)?;
            }
        }
        set_high(cx, after.high.then_some(zone.name.as_str()))?;
    }
    rule::settle_all(cx)?;
    nat::settle_port_mappings(cx)
}

fn open(cx: &mut Context, zone: &zone::Zone) -> Result<(), Fault> {
    set_zone_policy(cx, zone, "ACCEPT", "ACCEPT")
}

fn set_zone_option(cx: &mut Context, zone: &zone::Zone, option: &str, value: Option<&str>) -> Result<(), Fault> {
    let now = cx.package(PACKAGE)?.section(zone.id).and_then(|section| section.get(option)).map(String::from);
    if now.as_deref() == value {
        return Ok(());
    }
    let name = cx.section_name(PACKAGE, zone.id)?;
    let package = cx.package_mut(PACKAGE)?;
    package.rename_section(zone.id, &name).map_err(refused)?;
    match value {
        Some(value) => package.set(zone.id, option, value).map(|_| ()).map_err(refused),
        None => {
            package.remove(zone.id, option);
            Ok(())
        }
    }
}

fn set_zone_policy(cx: &mut Context, zone: &zone::Zone, input: &str, forward: &str) -> Result<(), Fault> {
    if zone_policy(cx, zone)? != (String::from(input), String::from(forward)) {
        set_zone_option(cx, zone, "input", Some(input))?;
        set_zone_option(cx, zone, "forward", Some(forward))?;
    }
    let made = own_keys::list(cx, INBOUND);
    if forward != "ACCEPT" {
        let package = cx.package_mut(PACKAGE)?;
        for name in &made {
            let found = package.find(name).filter(|section| section.kind() == "forwarding").map(|section| section.id());
            if let Some(id) = found {
                package.remove_section(id);
            }
        }
        own_keys::keep(cx, INBOUND, &[]);
        return Ok(());
    }
    let mut names = made;
    for inside in inside(cx, &zone.name)? {
        let is_there = forwardings(cx)?.iter().any(|(src, dest)| *src == zone.name && *dest == inside);
        if !is_there {
            names.push(cx.add_section(PACKAGE, "forwarding", &[("src", &zone.name), ("dest", &inside)])?.1);
        }
    }
    own_keys::keep(cx, INBOUND, &names);
    Ok(())
}

/// Source and destination of the forwardings that are enabled.
fn forwardings(cx: &mut Context) -> Result<Vec<(String, String)>> {
    let sections = cx
        .package(PACKAGE)?
        .sections()
        .filter(|section| section.kind() == "forwarding" && section.get("enabled").and_then(uci_truth) != Some(false));
    let pair = |option: Option<&str>| String::from(option.unwrap_or_default());
    Ok(sections.map(|section| (pair(section.get("src")), pair(section.get("dest")))).collect())
}

/// The zones that get out through another one.
fn inside(cx: &mut Context, outside: &str) -> Result<Vec<String>> {
    let mut zones: Vec<String> = Vec::new();
    for (src, dest) in forwardings(cx)? {
        if dest == outside && src != outside && src != "*" && !zones.contains(&src) {
            zones.push(src);
        }
    }
    Ok(zones)
}

/// The zone that hosts are in when nothing else says so: the first that gets out to the internet.
pub(super) fn first_inside(cx: &mut Context) -> Result<Option<String>> {
    let Some(outside) = zone::outside(cx)? else { return Ok(None) };
    Ok(inside(cx, &outside.name)?.into_iter().next())
}

/// Makes the rules of `High` for a zone, or takes them away.
fn set_high(cx: &mut Context, outside: Option<&str>) -> Result<(), Fault> {
    for (name, proto, ports) in HIGH {
        let found = cx.package(PACKAGE)?.find(name).map(|section| section.id());
        let id = match (found, outside) {
            (None, None) => continue,
            (Some(id), None) => {
                cx.package_mut(PACKAGE)?.remove_section(id);
                continue;
            }
            (Some(id), Some(_)) => id,
            (None, Some(_)) => cx.package_mut(PACKAGE)?.add_section("rule", Some(name)).map_err(refused)?,
        };
        let package = cx.package_mut(PACKAGE)?;
        package.remove(id, "enabled");
        let options =
            [("name", "Common services only"), ("src", "*"), ("dest", outside.unwrap_or_default()), ("proto", proto)];
        for (option, value) in options.into_iter().chain([("target", "REJECT")]) {
            package.set(id, option, value).map_err(refused)?;
        }
        package.set_list(id, "dest_port", ports).map_err(refused)?;
    }
    Ok(())
}

/// The policy of a level as TR-181 says it.
pub(super) fn policy(cx: &mut Context, level: &str) -> Result<&'static str> {
    let in_force = is_in_force(cx, level)?;
    let input = match zone::outside(cx)? {
        Some(zone) if in_force => zone_policy(cx, &zone)?.0,
        _ => parse_policy(cx.own(&of_level(level, "policy"))).0,
    };
    Ok(match input.as_str() {
        "ACCEPT" => "Accept",
        "REJECT" => "Reject",
        _ => "Drop",
    })
}

pub(super) fn set_policy(cx: &mut Context, level: &str, value: &str) -> Result<(), Fault> {
    if policy(cx, level)? == value {
        return Ok(());
    }
    let word = value.to_ascii_uppercase();
    cx.set_own(&of_level(level, "policy"), Some(&format!("{word} {word}")));
    match zone::outside(cx)? {
        Some(zone) if is_in_force(cx, level)? => set_zone_policy(cx, &zone, &word, &word),
        _ => Ok(()),
    }
}

fn set_zone_log(cx: &mut Context, zone: &zone::Zone, value: bool) -> Result<(), Fault> {
    if zone_logs(cx, zone)? == value {
        return Ok(());
    }
    set_zone_option(cx, zone, "log", value.then_some("1"))
}

/// `log` of a zone is a number; its lowest bit is for packets that are dropped or rejected.
fn zone_logs(cx: &mut Context, zone: &zone::Zone) -> Result<bool> {
    let section = cx.package(PACKAGE)?.section(zone.id);
    let log = section.and_then(|section| section.get("log")).unwrap_or_default();
    Ok(log.parse::<u32>().is_ok_and(|bits| bits & 1 == 1))
}

/// Whether what a level drops and rejects is logged.
pub(super) fn logs(cx: &mut Context, level: &str) -> Result<bool> {
    match zone::outside(cx)? {
        Some(zone) if is_in_force(cx, level)? => zone_logs(cx, &zone),
        _ => Ok(cx.own(&of_level(level, "log")).is_some()),
    }
}

pub(super) fn set_logs(cx: &mut Context, level: &str, value: bool) -> Result<(), Fault> {
    if logs(cx, level)? == value {
        return Ok(());
    }
    own_keys::set_own(cx, &of_level(level, "log"), value.then_some("1"));
    match zone::outside(cx)? {
        Some(zone) if is_in_force(cx, level)? => set_zone_log(cx, &zone, value),
        _ => Ok(()),
    }
}

pub(super) fn set_port_mappings(cx: &mut Context, level: &str, value: bool) -> Result<(), Fault> {
    let name = of_level(level, "no_port_mappings");
    if cx.own(&name).is_none() == value {
        return Ok(());
    }
    cx.set_own(&name, (!value).then_some("1"));
    nat::settle_port_mappings(cx)
}

/// The zone of an interface that a path names.
pub(super) fn zone_of_path(cx: &mut Context, path: &str) -> Result<(zone::Zone, String), Fault> {
    let target = cx.row_of_path(INTERFACE, path).ok_or_else(|| Fault::value("not the path of an IP interface"))?;
    let interface = cx.key(&target)?;
    let zone = zone::of_any_interface(cx, &interface)?;
    zone.map(|zone| (zone, interface)).ok_or_else(|| Fault::value("the interface is in no zone of the firewall"))
}

/// The same for a rule: an interface that is in no zone, as one that the ACS has made, gets one of its own.
pub(super) fn zone_for_rule(cx: &mut Context, path: &str) -> Result<(zone::Zone, String), Fault> {
    if let Some(target) = cx.row_of_path(INTERFACE, path) {
        let interface = cx.key(&target)?;
        if zone::of_any_interface(cx, &interface)?.is_none() && zone::can_join(cx, &interface)? {
            return Ok((zone::make(cx, &interface)?, interface));
        }
    }
    zone_of_path(cx, path)
}

/// The path of the interface that stands for a zone: the one that was asked for, if it is in the zone, or the first.
pub(super) fn interface_of_zone(cx: &mut Context, zone: &str, asked: Option<String>) -> Result<Text> {
    let Some(zone) = zone::of_name(cx, zone)? else { return Ok(Text::Borrowed("")) };
    let chosen = asked.filter(|name| zone.all_interfaces.contains(name)).or_else(|| zone.interfaces.first().cloned());
    let chosen = chosen.or_else(|| zone.all_interfaces.first().cloned());
    let path = chosen.and_then(|name| cx.path_of_key(INTERFACE, &name));
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}
