//! `Device.Firewall.Chain.{i}.Rule.{i}.`: the `rule` sections of fw4 that let something through or not, in the order of the file.
//!
//! * The source is a zone, or any; without a destination the rule is one for packets to the router itself. A rule of the ACS without a source is not
//!   complete, and not in force: fw4 would take it for one for packets that the router sends, and the agent could be cut off.
//! * An interface that is in no zone gets a zone of its own when a rule names it; the zone goes with the last such rule.
//! * A rule that is enabled, and not in force because it is not complete or its chain does not count, has a mark in the agent's own state.
//! * Ports are those of TCP and UDP. fw4 ignores them with any other protocol, which would let more through than was asked for, so that any protocol
//!   becomes these two as soon as there is a port.
//! * What fw4 knows beyond TR-181 (lists of addresses, limits, times) is left as it is.

use std::rc::Rc;

use super::matching::{
    Address, Ports, family, ip_version, is_any_protocol, protocol_number, protocol_word, without_not,
};
use super::state::{self, BASE};
use super::{INTERFACE, LINE, PACKAGE, UDP_ECHO, chain, description, gone, pinhole};
use crate::device::nat::zone;
use crate::device::own_keys;
use crate::error::{Error, Fault, Result};
use crate::model::access::{full_name, truth, uci_truth};
use crate::model::context::{Context, Row, RowId};
use crate::model::format::{IP_ADDRESS, MAC_ADDRESS};
use crate::model::schema::{Object, Rows, Table, Text, Values, alias, change, get, get_set, ro, rw, together};
use crate::model::value::{BOOLEAN, DATE_TIME, Format, INT, STRING, Type, UNKNOWN_TIME, UNSIGNED_INT};
use crate::platform::uci::{Section, SectionId};
use crate::sorted::Map;
use crate::time::UtcTime;

const MASK: Format = Format {
    name: "mask such as /24",
    check: |text| text.strip_prefix('/').is_some_and(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= 128)),
};
const MASK_TYPE: Type = STRING.lengths(&[(0, 49)]).format(MASK);
const PORT: Type = INT.ranges(&[(-1, 65_535)]);
/// Any object is allowed by TR-181; the setter takes IP interfaces.
const ANY_INTERFACE: Type = STRING.strong(&[]).lengths(&[(0, 256)]);
const NEVER: &str = "9999-12-31T23:59:59Z";

pub(super) static RULE: Object = Object::table(
    "Device.Firewall.Chain.{i}.Rule.{i}.",
    Table::new(Rows::SomeSections { package: PACKAGE, list })
        .added_by(add)
        .deleted_by(delete)
        .enabled_by("Enable")
        .at_most(256),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(Rule::read(cx, row)?.enabled)))).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]), get(status)),
        rw("Order", UNSIGNED_INT.ranges(&[(1, i64::MAX)]), change(order, set_order)),
        alias(),
        rw("Description", STRING.lengths(&[(0, 256)]).format(LINE), get_set(description::read, description::set)),
        rw(
            "Target",
            STRING.values(&["Drop", "Accept", "Reject", "Return", "TargetChain"]),
            together(|cx, row| Ok(Text::Borrowed(Rule::read(cx, row)?.target))),
        )
        .default("Drop"),
        // fw4 has no chains that a rule could go on in.
        rw("TargetChain", STRING.strong(&[super::CHAIN]), get_set(|_, _| Ok(Text::Borrowed("")), only_empty))
            .default(""),
        rw("Log", BOOLEAN, get_set(log, set_log)).default("false"),
        ro("CreationDate", DATE_TIME, get(creation_date)),
        rw("ExpiryDate", DATE_TIME, change(expiry_date, set_expiry_date)).default(NEVER),
        rw("SourceInterface", ANY_INTERFACE, together(|cx, row| interface(cx, row, SOURCE))).default(""),
        rw("SourceInterfaceExclude", BOOLEAN, NO_EXCLUDE).default("false"),
        rw("SourceAllInterfaces", BOOLEAN, together(|cx, row| Ok(truth(Rule::read(cx, row)?.source == Side::Any))))
            .default("false"),
        rw("DestInterface", ANY_INTERFACE, together(|cx, row| interface(cx, row, DESTINATION))).default(""),
        rw("DestInterfaceExclude", BOOLEAN, NO_EXCLUDE).default("false"),
        rw("DestAllInterfaces", BOOLEAN, together(|cx, row| Ok(truth(Rule::read(cx, row)?.dest == Side::Any))))
            .default("false"),
        rw("IPVersion", INT.ranges(&[(-1, 15)]), together(|cx, row| Ok(Text::Borrowed(Rule::read(cx, row)?.version))))
            .default("-1"),
        rw("DestIP", IP_ADDRESS, together(|cx, row| Ok(Text::Owned(Rule::read(cx, row)?.dest_ip.address)))).default(""),
        rw("DestMask", MASK_TYPE, together(|cx, row| Ok(Text::Owned(Rule::read(cx, row)?.dest_ip.mask)))).default(""),
        rw("DestIPExclude", BOOLEAN, together(|cx, row| Ok(truth(Rule::read(cx, row)?.dest_ip.exclude))))
            .default("false"),
        rw("SourceIP", IP_ADDRESS, together(|cx, row| Ok(Text::Owned(Rule::read(cx, row)?.source_ip.address))))
            .default(""),
        rw("SourceMask", MASK_TYPE, together(|cx, row| Ok(Text::Owned(Rule::read(cx, row)?.source_ip.mask))))
            .default(""),
        rw("SourceIPExclude", BOOLEAN, together(|cx, row| Ok(truth(Rule::read(cx, row)?.source_ip.exclude))))
            .default("false"),
        rw("Protocol", INT.ranges(&[(-1, 255)]), together(|cx, row| number(Rule::read(cx, row)?.protocol)))
            .default("-1"),
        rw("ProtocolExclude", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), no_protocol_exclude))
            .default("false"),
        rw("DestPort", PORT, together(|cx, row| number(Rule::read(cx, row)?.dest_port.first))).default("-1"),
        rw("DestPortRangeMax", PORT, together(|cx, row| number(Rule::read(cx, row)?.dest_port.last))).default("-1"),
        rw("DestPortExclude", BOOLEAN, together(|cx, row| Ok(truth(Rule::read(cx, row)?.dest_port.exclude))))
            .default("false"),
        rw("SourcePort", PORT, together(|cx, row| number(Rule::read(cx, row)?.source_port.first))).default("-1"),
        rw("SourcePortRangeMax", PORT, together(|cx, row| number(Rule::read(cx, row)?.source_port.last))).default("-1"),
        rw("SourcePortExclude", BOOLEAN, together(|cx, row| Ok(truth(Rule::read(cx, row)?.source_port.exclude))))
            .default("false"),
        rw("DSCP", INT.ranges(&[(-1, 63)]), together(|cx, row| number(Rule::read(cx, row)?.dscp))).default("-1"),
        rw("DSCPExclude", BOOLEAN, together(|cx, row| Ok(truth(Rule::read(cx, row)?.dscp_exclude)))).default("false"),
        rw("SourceMAC", MAC_ADDRESS, together(|cx, row| Ok(Text::Owned(Rule::read(cx, row)?.mac)))).default(""),
        rw("SourceMACExclude", BOOLEAN, together(|cx, row| Ok(truth(Rule::read(cx, row)?.mac_exclude))))
            .default("false"),
    ],
)
.set_together(set);

/// `log` is a truth, or what stands before each line in the log.
fn log(cx: &mut Context, row: &Row) -> Result<Text> {
    let word = cx.option(row, "log")?;
    Ok(truth(word.is_some_and(|word| uci_truth(&word) != Some(false))))
}

fn set_log(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if log(cx, row)? == value { Ok(()) } else { cx.set_option(row, "log", (value == "true").then_some("1")) }
}

/// A zone is a zone or is none: fw4 has no rules for all but one.
const NO_EXCLUDE: crate::model::schema::Source = get_set(|_, _| Ok(Text::Borrowed("false")), only_false);

fn only_false(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if value == "false" { Ok(()) } else { Err(Fault::value("fw4 has no rules for all interfaces but one")) }
}

/// fw4 reads the `!` of a protocol and does not use it: the rule would be one for the very protocol that it leaves out.
fn no_protocol_exclude(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if value == "false" { Ok(()) } else { Err(Fault::value("fw4 has no rules for all protocols but one")) }
}

fn only_empty(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if value.is_empty() { Ok(()) } else { Err(Fault::value("fw4 has no rules that go on in another chain")) }
}

fn number<T: Into<i64>>(value: T) -> Result<Text> {
    Ok(Text::Owned(value.into().to_string()))
}

/// A name of a parameter, and the option of UCI that has its zone.
type SideNames = (&'static str, &'static str, &'static str);
const SOURCE: SideNames = ("SourceInterface", "SourceAllInterfaces", "src");
const DESTINATION: SideNames = ("DestInterface", "DestAllInterfaces", "dest");

/// Where packets come from or go to.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Side {
    /// The router itself.
    Router,
    Any,
    Zone(String),
}

impl Side {
    fn parse(word: Option<&str>) -> Self {
        match word {
            None | Some("") => Self::Router,
            Some("*") => Self::Any,
            Some(zone) => Self::Zone(String::from(zone)),
        }
    }

    fn word(&self) -> Option<&str> {
        match self {
            Self::Router => None,
            Self::Any => Some("*"),
            Self::Zone(zone) => Some(zone),
        }
    }
}

/// A rule as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Rule {
    enabled: bool,
    target: &'static str,
    source: Side,
    dest: Side,
    version: &'static str,
    source_ip: Address,
    dest_ip: Address,
    /// -1 for all, and for several.
    protocol: i16,
    source_port: Ports,
    dest_port: Ports,
    /// -1 for any.
    dscp: i16,
    dscp_exclude: bool,
    mac: String,
    mac_exclude: bool,
}

fn target(section: &Section<'_>) -> Option<&'static str> {
    match section.get("target")?.to_ascii_uppercase().as_str() {
        "ACCEPT" => Some("Accept"),
        "DROP" => Some("Drop"),
        "REJECT" => Some("Reject"),
        _ => None,
    }
}

/// The first word of an option that may be a list, in either form.
fn first<'a>(section: &Section<'a>, option: &str) -> Option<&'a str> {
    section.list(option).into_iter().flat_map(str::split_ascii_whitespace).next()
}

/// The protocols of a rule; fw4 takes TCP and UDP where none is given.
fn protocols<'a>(section: &Section<'a>) -> Vec<&'a str> {
    let words: Vec<&str> = section.list("proto").into_iter().flat_map(str::split_ascii_whitespace).collect();
    if words.is_empty() { vec!["tcp", "udp"] } else { words }
}

fn in_force(section: &Section<'_>) -> bool {
    section.get("enabled").and_then(uci_truth).unwrap_or(true)
}

impl Rule {
    fn of(section: &Section<'_>, wished: bool) -> Self {
        let protocol = match protocols(section).as_slice() {
            [one] => protocol_number(without_not(one).0).map_or(-1, i16::from),
            _ => -1,
        };
        let (dscp, dscp_exclude) = without_not(section.get("dscp").unwrap_or_default());
        let (mac, mac_exclude) = without_not(first(section, "src_mac").unwrap_or_default());
        Self {
            enabled: in_force(section) || wished,
            target: target(section).unwrap_or("Drop"),
            source: Side::parse(section.get("src")),
            dest: Side::parse(section.get("dest")),
            version: ip_version(section.get("family")),
            source_ip: Address::parse(first(section, "src_ip")),
            dest_ip: Address::parse(first(section, "dest_ip")),
            protocol,
            source_port: Ports::parse(first(section, "src_port")),
            dest_port: Ports::parse(first(section, "dest_port")),
            dscp: dscp_number(dscp),
            dscp_exclude,
            mac: if crate::model::format::is_mac(mac) { String::from(mac) } else { String::new() },
            mac_exclude,
        }
    }

    fn read(cx: &mut Context, row: &Row) -> Result<Self> {
        let name = cx.key(row)?;
        let wished = cx.own(&own(&name, "enable")).is_some();
        Ok(Self::of(&cx.section(row)?, wished))
    }
}

/// DSCP values as numbers, and the names of RFC 2474, 2597 and 3246 that fw4 knows.
fn dscp_number(word: &str) -> i16 {
    let upper = word.to_ascii_uppercase();
    let digit = |rest: &str, most: i16| rest.parse::<i16>().ok().filter(|digit| (0..=most).contains(digit));
    if upper == "EF" {
        return 46;
    }
    if upper == "BE" {
        return 0;
    }
    if let Some(class) = upper.strip_prefix("CS").and_then(|rest| digit(rest, 7)) {
        return class * 8;
    }
    if let Some(pair) = upper.strip_prefix("AF").and_then(|rest| digit(rest, 43)) {
        return (pair / 10) * 8 + (pair % 10) * 2;
    }
    let number = match upper.strip_prefix("0X") {
        Some(digits) => i16::from_str_radix(digits, 16).ok(),
        None => upper.parse().ok(),
    };
    number.filter(|number| (0..=63).contains(number)).unwrap_or(-1)
}

/// The agent's own state of a rule, by the name of its section, since it changes with levels and chains.
fn own(section: &str, what: &str) -> String {
    format!("firewall.rule.{section}.{what}")
}

/// The chain of a section.
fn chain_of(cx: &Context, section: &str) -> String {
    let chain = cx.own(&own(section, "chain")).filter(|chain| chain::keys(cx).contains(chain));
    chain.unwrap_or_else(|| String::from(BASE))
}

/// Whether a section is a row of one of the chains.
fn is_rule(section: &Section<'_>) -> bool {
    let name = section.name().unwrap_or_default();
    section.kind() == "rule"
        && target(section).is_some()
        && !state::is_of_high(name)
        && !pinhole::is_pinhole(section)
        && name != UDP_ECHO
        && name != crate::device::user_interface::REMOTE_ACCESS
}

/// A rule of a chain.
#[derive(Clone, Debug)]
struct Listed {
    id: SectionId,
    /// What its section is known by.
    name: String,
    chain: String,
    /// Its place in the chain, from 1.
    order: usize,
}

/// All rules of all chains, in the order of the file; listed once a request.
fn all(cx: &mut Context) -> Result<Rc<Vec<Listed>>> {
    cx.memo("firewall rules", |cx| {
        let ids: Vec<SectionId> = cx.package(PACKAGE)?.sections().filter(is_rule).map(|section| section.id()).collect();
        let chains = chain::keys(cx);
        let mut counts: Map<String, usize> = Map::new();
        let mut rules = Vec::with_capacity(ids.len());
        for id in ids {
            let name = cx.section_name(PACKAGE, id)?;
            let chain = cx.own(&own(&name, "chain")).filter(|chain| chains.contains(chain));
            let chain = chain.unwrap_or_else(|| String::from(BASE));
            let order = counts.get_or_default(chain.clone());
            *order = order.saturating_add(1);
            rules.push(Listed { id, name, order: *order, chain });
        }
        Ok(rules)
    })
}

fn of_chain(cx: &mut Context, chain: &str) -> Result<Vec<(SectionId, String)>> {
    let rules = all(cx)?;
    let mine = rules.iter().filter(|rule| rule.chain == chain);
    Ok(mine.map(|rule| (rule.id, rule.name.clone())).collect())
}

fn list(cx: &mut Context, around: &Row) -> Result<Vec<SectionId>> {
    let chain = cx.key(around)?;
    Ok(of_chain(cx, &chain)?.into_iter().map(|(id, _)| id).collect())
}

fn chain_around(cx: &mut Context, row: &Row) -> Result<String> {
    let around = row.parent().cloned().ok_or_else(|| Error::other("a rule has a chain"))?;
    cx.key(&around)
}

fn id_of(row: &Row) -> Result<SectionId> {
    match row.id() {
        &RowId::Section(id) => Ok(id),
        _ => Err(gone()),
    }
}

fn add(cx: &mut Context, around: &Row) -> Result<String, Fault> {
    let chain = cx.key(around)?;
    let options = [("enabled", "0"), ("proto", "all"), ("target", "DROP")];
    let (_, name) = cx.add_section(PACKAGE, "rule", &options)?;
    cx.set_own(&own(&name, "chain"), Some(&chain));
    if cx.facts().clock_known {
        let now = UtcTime::from(cx.system().wall_clock()).whole_seconds().to_string();
        cx.set_own(&own(&name, "created"), Some(&now));
    }
    Ok(name)
}

fn forget(cx: &mut Context, section: &str) {
    for what in ["chain", "created", "enable", "expiry"] {
        own_keys::set_own(cx, &own(section, what), None);
    }
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let name = cx.key(row)?;
    cx.package_mut(PACKAGE)?.remove_section(id_of(row)?);
    forget(cx, &name);
    zone::drop_unused(cx)
}

/// Takes all rules of a chain away.
pub(super) fn remove_all(cx: &mut Context, chain: &str) -> Result<(), Fault> {
    for (id, name) in of_chain(cx, chain)? {
        cx.package_mut(PACKAGE)?.remove_section(id);
        forget(cx, &name);
    }
    zone::drop_unused(cx)
}

/// Whether a rule says where its packets come from. What a person has made without that may stay.
fn is_complete(cx: &Context, name: &str, rule: &Rule) -> bool {
    rule.source != Side::Router || cx.own(&own(name, "chain")).is_none()
}

/// Brings `enabled` into line with what is wanted and what counts.
fn settle(cx: &mut Context, id: SectionId, name: &str, wanted: bool) -> Result<(), Fault> {
    let section = cx.package(PACKAGE)?.section(id).ok_or_else(gone)?;
    let (now, rule) = (in_force(&section), Rule::of(&section, false));
    let chain = chain_of(cx, name);
    let on = wanted && is_complete(cx, name, &rule) && chain::is_in_force(cx, &chain)?;
    if now != on {
        let package = cx.package_mut(PACKAGE)?;
        package.rename_section(id, name).map_err(super::refused)?;
        package.set(id, "enabled", if on { "1" } else { "0" }).map_err(super::refused)?;
    }
    own_keys::set_own(cx, &own(name, "enable"), (wanted && !on).then_some("1"));
    Ok(())
}

/// Brings all rules of the chains that the ACS has made into line with what counts.
pub(super) fn settle_all(cx: &mut Context) -> Result<(), Fault> {
    for Listed { id, name, .. } in all(cx)?.iter().filter(|rule| rule.chain != BASE) {
        let section = cx.package(PACKAGE)?.section(*id).ok_or_else(gone)?;
        let wanted = in_force(&section) || cx.own(&own(name, "enable")).is_some();
        settle(cx, *id, name, wanted)?;
    }
    Ok(())
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = cx.key(row)?;
    let rule = Rule::read(cx, row)?;
    let in_force = in_force(&cx.section(row)?);
    Ok(Text::Borrowed(if in_force {
        "Enabled"
    } else if rule.enabled && !is_complete(cx, &name, &rule) {
        "Error_Misconfigured"
    } else {
        "Disabled"
    }))
}

fn order(cx: &mut Context, row: &Row) -> Result<Text> {
    let id = id_of(row)?;
    let order = all(cx)?.iter().find(|rule| rule.id == id).map_or(1, |rule| rule.order);
    Ok(Text::Owned(order.to_string()))
}

/// The section goes to where the rule with this Order was, and the others make room; what is beyond the last one means the last.
fn set_order(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let chain = chain_around(cx, row)?;
    let id = id_of(row)?;
    let mut others = of_chain(cx, &chain)?;
    others.retain(|(known, _)| *known != id);
    let place = value.parse::<usize>().unwrap_or(usize::MAX).saturating_sub(1);
    let before = match (others.get(place), others.last()) {
        (Some((before, _)), _) => Some(*before),
        (None, Some((last, _))) => {
            let mut behind = cx.package(PACKAGE)?.sections().skip_while(|section| section.id() != *last).skip(1);
            behind.find(|section| section.id() != id).map(|section| section.id())
        }
        (None, None) => return Ok(()),
    };
    cx.name_section(row)?;
    cx.package_mut(PACKAGE)?.move_section(id, before);
    Ok(())
}

fn creation_date(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = cx.key(row)?;
    Ok(cx.own(&own(&name, "created")).map_or(Text::Borrowed(UNKNOWN_TIME), Text::Owned))
}

fn expiry_date(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = cx.key(row)?;
    Ok(cx.own(&own(&name, "expiry")).map_or(Text::Borrowed(NEVER), Text::Owned))
}

fn set_expiry_date(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let name = cx.name_section(row)?;
    let time = UtcTime::parse(value).ok_or_else(|| Fault::value("not a dateTime"))?;
    let ends = time != UtcTime::INFINITE && time != UtcTime::UNKNOWN;
    own_keys::set_own(cx, &own(&name, "expiry"), ends.then_some(value));
    Ok(())
}

/// The paths of the rules that have an ExpiryDate, with it.
///
/// # Errors
/// When the configuration cannot be read.
pub(in crate::device) fn expiring(cx: &mut Context) -> Result<Vec<(String, UtcTime)>> {
    let schema = cx.schema().clone();
    let root = cx.root();
    let Some(chains) = schema.find(super::CHAIN) else { return Ok(Vec::new()) };
    let Some(rules) = schema.child(chains, "Rule") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for chain in cx.rows(chains, &root)?.iter() {
        let chain = Row::new(chains, &root, chain);
        for entry in cx.rows(rules, &chain)?.iter() {
            let row = Row::new(rules, &chain, entry);
            let name = cx.key(&row)?;
            let expiry = cx.own(&own(&name, "expiry")).and_then(|text| UtcTime::parse(&text));
            found.extend(expiry.map(|expiry| (schema.path(rules, &row), expiry)));
        }
    }
    Ok(found)
}

/// Which interface of the zone was asked for is the agent's own; UCI has the zone.
fn interface(cx: &mut Context, row: &Row, (name, _, option): SideNames) -> Result<Text> {
    let Side::Zone(zone) = Side::parse(cx.section(row)?.get(option)) else { return Ok(Text::Borrowed("")) };
    let asked = cx.own(&full_name(cx, row.node(), row, name));
    state::interface_of_zone(cx, &zone, asked)
}

type Blamed = (&'static str, Fault);

fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), Blamed> {
    let broken = |error: Error| ("Enable", Fault::from(error));
    let before = Rule::read(cx, row).map_err(broken)?;
    let mut after = before.clone();
    for (names, side) in [(SOURCE, &mut after.source), (DESTINATION, &mut after.dest)] {
        set_side(cx, row, values, names, side)?;
    }
    merge(&mut after, values)?;
    judge(&after, values)?;
    if after == before {
        return Ok(());
    }
    write(cx, row, &before, &after).map_err(|fault| (blamed(values), fault))?;
    if after.source != before.source || after.dest != before.dest {
        zone::drop_unused(cx).map_err(|fault| (blamed(values), fault))?;
    }
    let name = cx.name_section(row).map_err(|fault| ("Enable", fault))?;
    let id = id_of(row).map_err(broken)?;
    settle(cx, id, &name, after.enabled).map_err(|fault| ("Enable", fault))
}

fn blamed(values: &Values<'_>) -> &'static str {
    values.0.first().map_or("Enable", |(name, _)| *name)
}

fn set_side(
    cx: &mut Context,
    row: &Row,
    values: &Values<'_>,
    (name, all, option): SideNames,
    side: &mut Side,
) -> Result<(), Blamed> {
    let path = interface(cx, row, (name, all, option)).map_err(|error| (name, Fault::from(error)))?;
    let new_path = values.get(name).filter(|value| *value != path);
    let any = values.get(all).map_or(*side == Side::Any, |value| value == "true");
    if new_path.is_none() && any == (*side == Side::Any) {
        return Ok(());
    }
    let asked = full_name(cx, row.node(), row, name);
    // The interface that comes along with all interfaces has no say.
    match values.get(name).unwrap_or(&path) {
        _ if any => *side = Side::Any,
        "" => *side = Side::Router,
        path if path.starts_with(INTERFACE) => {
            let (zone, interface) = state::zone_for_rule(cx, path).map_err(|fault| (name, fault))?;
            *side = Side::Zone(zone.name);
            cx.set_own(&asked, Some(&interface));
        }
        _ => return Err((name, Fault::value("the firewall knows IP interfaces only"))),
    }
    Ok(())
}

/// Puts the values of a request into a rule.
fn merge(rule: &mut Rule, values: &Values<'_>) -> Result<(), Blamed> {
    let flag = |name, place: &mut bool| {
        if let Some(value) = values.get(name) {
            *place = value == "true";
        }
    };
    let text = |name, place: &mut String| {
        if let Some(value) = values.get(name) {
            *place = String::from(value);
        }
    };
    let number = |name, place: &mut i32| {
        if let Some(value) = values.get(name) {
            *place = value.parse().unwrap_or(-1);
        }
    };
    flag("Enable", &mut rule.enabled);
    if let Some(value) = values.get("Target") {
        rule.target = match value {
            "Accept" => "Accept",
            "Drop" => "Drop",
            "Reject" => "Reject",
            _ => return Err(("Target", Fault::value("fw4 has no rules that go on in another chain"))),
        };
    }
    if let Some(value) = values.get("IPVersion") {
        rule.version = match value {
            "-1" => "-1",
            "4" => "4",
            "6" => "6",
            _ => return Err(("IPVersion", Fault::value("4, 6, or -1 for both"))),
        };
    }
    text("SourceIP", &mut rule.source_ip.address);
    text("SourceMask", &mut rule.source_ip.mask);
    flag("SourceIPExclude", &mut rule.source_ip.exclude);
    text("DestIP", &mut rule.dest_ip.address);
    text("DestMask", &mut rule.dest_ip.mask);
    flag("DestIPExclude", &mut rule.dest_ip.exclude);
    if let Some(value) = values.get("Protocol") {
        rule.protocol = value.parse().unwrap_or(-1);
    }
    number("SourcePort", &mut rule.source_port.first);
    number("SourcePortRangeMax", &mut rule.source_port.last);
    flag("SourcePortExclude", &mut rule.source_port.exclude);
    number("DestPort", &mut rule.dest_port.first);
    number("DestPortRangeMax", &mut rule.dest_port.last);
    flag("DestPortExclude", &mut rule.dest_port.exclude);
    if let Some(value) = values.get("DSCP") {
        rule.dscp = value.parse().unwrap_or(-1);
    }
    flag("DSCPExclude", &mut rule.dscp_exclude);
    if let Some(value) = values.get("SourceMAC").filter(|value| !value.eq_ignore_ascii_case(&rule.mac)) {
        rule.mac = String::from(value);
    }
    flag("SourceMACExclude", &mut rule.mac_exclude);
    Ok(())
}

/// Judges the end state. Nothing can be excluded where nothing is named; a mark for that would be lost, so that it waits as `false`.
fn judge(rule: &Rule, values: &Values<'_>) -> Result<(), Blamed> {
    let touched = |names: &[&'static str]| names.iter().copied().find(|name| values.get(name).is_some());
    let addresses = [
        (&rule.source_ip, ["SourceIP", "SourceMask", "SourceIPExclude"]),
        (&rule.dest_ip, ["DestIP", "DestMask", "DestIPExclude"]),
    ];
    for (address, names) in addresses {
        let Some(name) = touched(&names) else { continue };
        if !address.is_valid() || (address.address.is_empty() && (address.exclude || !address.mask.is_empty())) {
            return Err((name, Fault::value("the mask, or the exclusion, has no address that it fits")));
        }
        if address.version().is_some_and(|version| rule.version != "-1" && rule.version != version.to_string()) {
            return Err((name, Fault::value("the address is of another IPVersion")));
        }
    }
    let versions = (rule.source_ip.version(), rule.dest_ip.version());
    if let (Some(source), Some(dest)) = versions {
        if source != dest {
            let name = touched(&["DestIP", "SourceIP", "IPVersion"]).unwrap_or("DestIP");
            return Err((name, Fault::value("the source and the destination are of different versions of IP")));
        }
    }
    let ports = [
        (rule.source_port, ["SourcePort", "SourcePortRangeMax", "SourcePortExclude"]),
        (rule.dest_port, ["DestPort", "DestPortRangeMax", "DestPortExclude"]),
    ];
    for (port, names) in ports {
        let Some(name) = touched(&names).or_else(|| touched(&["Protocol"])) else { continue };
        let in_order = port.last < 0 || (port.first >= 0 && port.last >= port.first);
        if !in_order || (port.is_any() && port.exclude) {
            return Err((name, Fault::value("the range, or the exclusion, has no port that it begins with")));
        }
        let has_ports = matches!(rule.protocol, -1 | 6 | 17);
        if !port.is_any() && !has_ports {
            return Err((name, Fault::value("fw4 looks at the ports of TCP and UDP only")));
        }
    }
    for (nothing, exclude, name) in
        [(rule.dscp < 0, rule.dscp_exclude, "DSCPExclude"), (rule.mac.is_empty(), rule.mac_exclude, "SourceMACExclude")]
    {
        if nothing && exclude && touched(&[name, "DSCP", "SourceMAC"]).is_some() {
            return Err((name, Fault::value("there is nothing that could be excluded")));
        }
    }
    Ok(())
}

/// Writes what differs, so that what fw4 knows beyond TR-181 stays as it is.
fn write(cx: &mut Context, row: &Row, before: &Rule, after: &Rule) -> Result<(), Fault> {
    let not = |exclude: bool, word: String| if exclude { format!("!{word}") } else { word };
    if after.target != before.target {
        cx.set_option(row, "target", Some(&after.target.to_ascii_uppercase()))?;
    }
    if after.source != before.source {
        cx.set_option(row, "src", after.source.word())?;
    }
    if after.dest != before.dest {
        cx.set_option(row, "dest", after.dest.word())?;
    }
    if after.version != before.version {
        cx.set_option(row, "family", family(after.version).flatten())?;
    }
    if after.source_ip != before.source_ip {
        cx.set_option(row, "src_ip", after.source_ip.word().as_deref())?;
    }
    if after.dest_ip != before.dest_ip {
        cx.set_option(row, "dest_ip", after.dest_ip.word().as_deref())?;
    }
    if after.source_port != before.source_port {
        cx.set_option(row, "src_port", after.source_port.word().as_deref())?;
    }
    if after.dest_port != before.dest_port {
        cx.set_option(row, "dest_port", after.dest_port.word().as_deref())?;
    }
    if after.dscp != before.dscp || after.dscp_exclude != before.dscp_exclude {
        let word = (after.dscp >= 0).then(|| not(after.dscp_exclude, after.dscp.to_string()));
        cx.set_option(row, "dscp", word.as_deref())?;
    }
    if after.mac != before.mac || after.mac_exclude != before.mac_exclude {
        let word = (!after.mac.is_empty()).then(|| not(after.mac_exclude, after.mac.clone()));
        cx.set_option(row, "src_mac", word.as_deref())?;
    }
    write_protocol(cx, row, before, after)
}

fn write_protocol(cx: &mut Context, row: &Row, before: &Rule, after: &Rule) -> Result<(), Fault> {
    let had_ports = !before.source_port.is_any() || !before.dest_port.is_any();
    let has_ports = !after.source_port.is_any() || !after.dest_port.is_any();
    let same = after.protocol == before.protocol;
    if let Ok(number) = u8::try_from(after.protocol) {
        if same {
            return Ok(());
        }
        return cx.set_option(row, "proto", Some(&protocol_word(number)));
    }
    if has_ports {
        let any = protocols(&cx.section(row)?).iter().any(|word| is_any_protocol(word));
        if any || !same { cx.set_option(row, "proto", Some("tcp udp")) } else { Ok(()) }
    } else if !same || had_ports {
        cx.set_option(row, "proto", Some("all"))
    } else {
        Ok(())
    }
}
