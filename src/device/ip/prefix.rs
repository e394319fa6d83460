//! `Device.IP.Interface.{i}.IPv6Prefix.{i}.`
//!
//! Four things are prefixes of an interface: what its ISP has delegated (`delegated1`, ...); what is given out on it of a delegated prefix, as `ip6assign` and
//! `ip6hint` say (`assign`); the same of the router's own prefix (`ula`); and the items of `ip6prefix`, each known by itself. A row of the ACS that is not
//! finished or switched off is kept in the agent's own state.

use std::net::Ipv6Addr;
use std::rc::Rc;

use serde_json::Value as Json;

use super::super::kept::{Kept, KeptRow, is_new};
use super::super::{layers, net};
use super::address::{FOR_EVER, live, moment};
use super::interface::{INTERFACES, has_ula, proto};
use super::truth;
use crate::error::{Error, Fault, FaultCode, Result};
use crate::model::context::{Context, Row, RowId};
use crate::model::format::IPV6_PREFIX;
use crate::model::schema::{Object, Rows, Source, Table, Text, Values, alias, functional, get, ro, rw, together};
use crate::model::value::{BOOLEAN, DATE_TIME, STRING, Type, UNKNOWN_TIME};
use crate::time::UtcTime;

/// The tables.
pub const PREFIXES: &str = "Device.IP.Interface.{i}.IPv6Prefix.";

const PREFIX: Type = STRING.lengths(&[(0, 49)]).format(IPV6_PREFIX);

/// Seconds that an ACS may take to write back the end of a lifetime that it has read.
const SLACK: u64 = 60;

/// TR-181 2.17 Device.IP.Interface.{i}.IPv6Prefix.{i}.
pub static IPV6_PREFIX_TABLE: Object = Object::table(
    "Device.IP.Interface.{i}.IPv6Prefix.{i}.",
    Table::new(Rows::Keys(keys))
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["Prefix"])])
        .enabled_by("Enable")
        .at_most(32),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(shown(cx, row)?.on)))).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error"]), get(|cx, row| Ok(status(&shown(cx, row)?))))
            .default("Disabled"),
        ro(
            "PrefixStatus",
            STRING.values(&["Preferred", "Deprecated", "Invalid", "Inaccessible", "Unknown"]),
            get(|cx, row| Ok(prefix_status(&shown(cx, row)?))),
        )
        .default("Invalid"),
        alias(),
        rw("Prefix", PREFIX, together(|cx, row| Ok(Text::Owned(shown(cx, row)?.prefix)))).default(""),
        ro(
            "Origin",
            STRING.values(&[
                "AutoConfigured",
                "PrefixDelegation",
                "RouterAdvertisement",
                "WellKnown",
                "Static",
                "Child",
            ]),
            get(|cx, row| Ok(Text::Borrowed(shown(cx, row)?.origin))),
        )
        .default("Static"),
        rw(
            "StaticType",
            STRING.values(&["Static", "Inapplicable", "PrefixDelegation", "Child"]).not_written(&["Inapplicable"]),
            together(|cx, row| Ok(Text::Borrowed(shown(cx, row)?.kind.name()))),
        )
        .default("Static"),
        rw("ParentPrefix", STRING.strong(&[PREFIXES]), together(parent_path)).default(""),
        rw("ChildPrefixBits", PREFIX, together(|cx, row| Ok(Text::Owned(shown(cx, row)?.bits)))).default(""),
        // odhcpd announces what is given out on an interface as such.
        rw("OnLink", BOOLEAN, together(|cx, row| Ok(truth(shown(cx, row)?.is_given_out())))).default("false"),
        rw("Autonomous", BOOLEAN, together(|cx, row| Ok(truth(shown(cx, row)?.is_given_out())))).default("false"),
        rw("PreferredLifetime", DATE_TIME, together(|cx, row| lifetime(cx, row, true))).default(FOR_EVER),
        rw("ValidLifetime", DATE_TIME, together(|cx, row| lifetime(cx, row, false))).default(FOR_EVER),
    ],
)
.set_together(set);

/// What is given out of a delegated prefix.
const ASSIGN: &str = "assign";
/// What is given out of the router's own prefix.
const ULA: &str = "ula";
/// What the key of a delegated prefix begins with.
const DELEGATED: &str = "delegated";

/// `StaticType`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Kind {
    #[default]
    Static,
    Inapplicable,
    PrefixDelegation,
    Child,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Static => "Static",
            Self::Inapplicable => "Inapplicable",
            Self::PrefixDelegation => "PrefixDelegation",
            Self::Child => "Child",
        }
    }

    fn of(name: &str) -> Self {
        match name {
            "PrefixDelegation" => Self::PrefixDelegation,
            "Child" => Self::Child,
            _ => Self::Static,
        }
    }
}

/// What a row shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Shown {
    on: bool,
    kind: Kind,
    origin: &'static str,
    prefix: String,
    /// The interface whose delegated prefix it is a part of; empty where it is none.
    parent: String,
    bits: String,
    /// Whether it is in effect now.
    live: bool,
    /// Seconds; `None` for ever.
    preferred: Option<u64>,
    valid: Option<u64>,
}

impl Shown {
    fn is_given_out(&self) -> bool {
        self.kind == Kind::Child || self.origin == "AutoConfigured"
    }

    /// What it is known by while it is in the configuration.
    fn key(&self) -> Option<String> {
        match self.kind {
            _ if !self.on => None,
            Kind::Child => (!self.parent.is_empty() && !self.bits.is_empty()).then(|| String::from(ASSIGN)),
            _ => (!self.prefix.is_empty()).then(|| self.prefix.clone()),
        }
    }
}

/// The bits and the length of a prefix.
#[must_use]
pub fn parse(text: &str) -> Option<(u128, u8)> {
    let (address, length) = text.split_once('/')?;
    let length: u8 = length.parse().ok().filter(|length| *length <= 128)?;
    Some((u128::from(address.parse::<Ipv6Addr>().ok()?), length))
}

/// The bits of a mask of this length.
fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(length))).unwrap_or(0)
}

/// A prefix in one form: nothing behind its length.
fn written(bits: u128, length: u8) -> String {
    format!("{}/{length}", Ipv6Addr::from(bits & mask(length)))
}

/// Whether a prefix, or an address, lies in another prefix.
fn contains(outer: &str, inner: &str) -> bool {
    let inner = parse(inner).or_else(|| inner.parse::<Ipv6Addr>().ok().map(|address| (u128::from(address), 128)));
    match (parse(outer), inner) {
        (Some((outer, length)), Some((inner, longer))) => longer >= length && (outer ^ inner) & mask(length) == 0,
        _ => false,
    }
}

fn kept(cx: &Context, interface: &Row) -> Kept {
    let name = format!("{}IPv6Prefix", cx.schema().path(interface.node(), interface));
    Kept::read(cx, &name)
}

/// The items of `ip6prefix`.
fn configured(cx: &mut Context, interface: &Row) -> Result<Vec<String>> {
    let section = cx.section(interface)?;
    let items = section.list("ip6prefix").into_iter().flat_map(str::split_ascii_whitespace);
    Ok(items.filter_map(parse).map(|(bits, length)| written(bits, length)).collect())
}

/// How long the prefix is that is given out on an interface; `None` for none.
fn assigned_length(cx: &mut Context, interface: &Row) -> Result<Option<u8>> {
    let length = cx.option(interface, "ip6assign")?.and_then(|length| length.parse().ok());
    Ok(length.filter(|length| (1..=64).contains(length)))
}

/// A prefix of netifd.
#[derive(Default)]
struct Live {
    prefix: String,
    /// Seconds; `None` for ever.
    preferred: Option<u64>,
    valid: Option<u64>,
}

impl Live {
    fn of(json: &Json) -> Option<Self> {
        let length = json.get("mask").and_then(Json::as_u64).and_then(|mask| u8::try_from(mask).ok());
        let address: Ipv6Addr = net::text(json, "address")?.parse().ok()?;
        let prefix = written(u128::from(address), length.filter(|length| *length <= 128)?);
        let seconds = |member: &str| json.get(member).and_then(Json::as_u64);
        Some(Self { prefix, preferred: seconds("preferred"), valid: seconds("valid") })
    }
}

/// The prefixes that netifd has of an interface.
fn live_prefixes(cx: &mut Context, interface: &Row, member: &str) -> Result<Vec<Live>> {
    Ok(live(cx, interface, member)?.iter().filter_map(|(prefix, _)| Live::of(prefix)).collect())
}

/// What netifd has been delegated on an interface.
fn delegated(cx: &mut Context, interface: &Row) -> Result<Vec<Live>> {
    let fixed = configured(cx, interface)?;
    let mut found = live_prefixes(cx, interface, "ipv6-prefix")?;
    found.retain(|live| !fixed.contains(&live.prefix));
    Ok(found)
}

fn keys(cx: &mut Context, interface: &Row) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    // The row is there before the prefix is, so that the ACS can ask to be told of it.
    let asks = proto(cx, interface)? == "dhcpv6" && cx.option(interface, "reqprefix")?.as_deref() != Some("no");
    let count = delegated(cx, interface)?.len().max(usize::from(asks));
    keys.extend((1..=count).map(|number| format!("{DELEGATED}{number}")));
    if assigned_length(cx, interface)?.is_some() {
        keys.push(String::from(ASSIGN));
        if given_out(cx, interface, true)?.live {
            keys.push(String::from(ULA));
        }
    }
    for key in configured(cx, interface)? {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.extend(kept(cx, interface).rows.into_iter().map(|row| row.key).filter(|key| is_new(key)));
    Ok(keys)
}

fn interface_of(cx: &Context, row: &Row) -> Rc<Row> {
    row.parent().cloned().unwrap_or_else(|| cx.root())
}

fn shown(cx: &mut Context, row: &Row) -> Result<Shown> {
    let (interface, key) = (interface_of(cx, row), cx.key(row)?);
    if let Some(number) = key.strip_prefix(DELEGATED).and_then(|number| number.parse::<usize>().ok()) {
        let mut found = delegated(cx, &interface)?.into_iter();
        let found = found.nth(number.saturating_sub(1));
        let live = found.is_some();
        let Live { prefix, preferred, valid } = found.unwrap_or_default();
        let (kind, origin) = (Kind::Inapplicable, "PrefixDelegation");
        return Ok(Shown { on: true, kind, origin, prefix, live, preferred, valid, ..Shown::default() });
    }
    if key == ASSIGN || key == ULA {
        return given_out(cx, &interface, key == ULA);
    }
    let kept = kept(cx, &interface);
    if let Some(row) = kept.get(&key).filter(|_| is_new(&key)) {
        let field = |index: usize| row.fields.get(index).cloned().unwrap_or_default();
        let kind = Kind::of(&field(0));
        let origin = if kind == Kind::Static { "Static" } else { kind.name() };
        return Ok(Shown {
            on: row.on,
            kind,
            origin,
            prefix: field(1),
            parent: field(2),
            bits: field(3),
            ..Shown::default()
        });
    }
    let kind = kept.get(&key).and_then(|row| row.fields.first()).map_or(Kind::Static, |kind| Kind::of(kind));
    let live = live_prefixes(cx, &interface, "ipv6-prefix")?.iter().any(|live| live.prefix == key);
    let origin = if kind == Kind::Static { "Static" } else { kind.name() };
    Ok(Shown { on: true, kind, origin, prefix: key, live, ..Shown::default() })
}

/// What is given out on an interface: of a delegated prefix, or of the router's own.
fn given_out(cx: &mut Context, interface: &Row, own: bool) -> Result<Shown> {
    let ula =
        cx.package(layers::PACKAGE)?.find("globals").and_then(|globals| globals.get("ula_prefix").map(String::from));
    let ula = ula.unwrap_or_default();
    let assigned = live_prefixes(cx, interface, "ipv6-prefix-assignment")?;
    let found = assigned.into_iter().find(|live| contains(&ula, &live.prefix) == own);
    let live = found.is_some();
    let Live { prefix, preferred, valid } = found.unwrap_or_default();
    let mut shown = Shown { on: true, prefix, live, preferred, valid, ..Shown::default() };
    if own {
        (shown.kind, shown.origin) = (Kind::Inapplicable, "AutoConfigured");
        return Ok(shown);
    }
    (shown.kind, shown.origin) = (Kind::Child, "Child");
    let length = assigned_length(cx, interface)?.unwrap_or(64);
    // In units of a /64, as a hexadecimal number.
    let hint = cx.option(interface, "ip6hint")?.and_then(|hint| u32::from_str_radix(&hint, 16).ok()).unwrap_or(0);
    shown.bits = written(u128::from(hint) << 64, length);
    shown.parent = parent_of(cx, interface, &shown.prefix)?;
    Ok(shown)
}

/// The interface whose prefix is divided: the one that the given part is out of, or the first that may be.
fn parent_of(cx: &mut Context, interface: &Row, part: &str) -> Result<String> {
    let classes = classes(cx, interface)?;
    let (network, states) = (layers::network(cx)?, net::interfaces(cx)?);
    let mut first = None;
    for candidate in &network.interfaces {
        let prefixes = states.family(&candidate.name).flat_map(|state| net::items(state, "ipv6-prefix"));
        let prefixes: Vec<Live> = prefixes.filter_map(Live::of).collect();
        if prefixes.iter().any(|live| contains(&live.prefix, part)) {
            return Ok(candidate.name.clone());
        }
        // netifd calls a prefix after the interface, which may be one that the protocol has made on it: `wan_6`.
        let is_of = |class: &String| {
            class.strip_prefix(&candidate.name).is_some_and(|tail| tail.is_empty() || tail.starts_with('_'))
        };
        let may_be = classes.is_empty() || classes.iter().any(is_of);
        if may_be && first.is_none() && (!prefixes.is_empty() || candidate.proto == "dhcpv6") {
            first = Some(candidate.name.clone());
        }
    }
    Ok(first.unwrap_or_default())
}

/// Of which prefixes an interface may be given parts; empty for all.
fn classes(cx: &mut Context, interface: &Row) -> Result<Vec<String>> {
    let section = cx.section(interface)?;
    Ok(section.list("ip6class").into_iter().flat_map(str::split_ascii_whitespace).map(String::from).collect())
}

/// The first row of the prefixes of an interface that fits.
fn find(
    cx: &mut Context,
    interface: &Rc<Row>,
    fits: impl Fn(&str, &mut Context, &Row) -> bool,
) -> Result<Option<String>> {
    let node = cx.schema().find(PREFIXES).ok_or_else(|| Error::other("no prefixes"))?;
    for entry in cx.rows(node, interface)?.iter() {
        let row = Row::new(node, interface, entry);
        if let RowId::Key(key) = row.id() {
            if fits(key, cx, &row) {
                return Ok(Some(cx.path_of(&row)));
            }
        }
    }
    Ok(None)
}

/// The prefix of an interface that an address is out of.
///
/// # Errors
/// When the configuration cannot be read.
pub fn around(cx: &mut Context, interface: &Rc<Row>, address: &str) -> Result<Option<String>> {
    if address.is_empty() {
        return Ok(None);
    }
    let fits = |_: &str, cx: &mut Context, row: &Row| {
        shown(cx, row).is_ok_and(|shown| shown.on && contains(&shown.prefix, address))
    };
    find(cx, interface, fits)
}

fn parent_path(cx: &mut Context, row: &Row) -> Result<Text> {
    let parent = shown(cx, row)?.parent;
    let path = cx.path_of_key(INTERFACES, &parent);
    let Some(interface) = path.and_then(|path| cx.row_of_path(INTERFACES, &path)) else {
        return Ok(Text::Borrowed(""));
    };
    Ok(find(cx, &interface, |key, _, _| key.starts_with(DELEGATED))?.map_or(Text::Borrowed(""), Text::Owned))
}

fn status(shown: &Shown) -> Text {
    Text::Borrowed(if shown.on && shown.live { "Enabled" } else { "Disabled" })
}

fn prefix_status(shown: &Shown) -> Text {
    Text::Borrowed(match (shown.on && shown.live, shown.preferred, shown.valid) {
        (false, _, _) | (_, _, Some(0)) => "Invalid",
        (true, Some(0), _) => "Deprecated",
        (true, _, _) => "Preferred",
    })
}

fn lifetime(cx: &mut Context, row: &Row, preferred: bool) -> Result<Text> {
    let shown = shown(cx, row)?;
    // What is still to come has no end that anybody could know.
    if shown.on && !shown.live && matches!(shown.kind, Kind::Inapplicable | Kind::Child) {
        return Ok(Text::Borrowed(UNKNOWN_TIME));
    }
    moment(cx, if preferred { shown.preferred } else { shown.valid })
}

fn add(cx: &mut Context, interface: &Row) -> Result<String, Fault> {
    cx.name_section(interface)?;
    let mut kept = kept(cx, interface);
    let key = kept.new_key();
    kept.put(KeptRow { key: key.clone(), on: false, fields: Vec::new() });
    kept.store(cx);
    Ok(key)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let (interface, key) = (interface_of(cx, row), cx.key(row)?);
    let before = shown(cx, row)?;
    if before.kind == Kind::Inapplicable {
        let text = "a prefix that is not the ACS's comes and goes by itself";
        return Err(Fault::new(FaultCode::INVALID_PARAMETER_NAME, text));
    }
    remove(cx, &interface, &before)?;
    let mut kept = kept(cx, &interface);
    kept.remove(&key);
    kept.store(cx);
    Ok(())
}

/// Takes what a row stands for out of the configuration.
fn remove(cx: &mut Context, interface: &Row, shown: &Shown) -> Result<(), Fault> {
    match shown.key().as_deref() {
        None => Ok(()),
        Some(ASSIGN) => {
            cx.set_option(interface, "ip6hint", None)?;
            cx.set_option(interface, "ip6assign", None)
        }
        Some(key) => {
            let left: Vec<String> = configured(cx, interface)?.into_iter().filter(|prefix| prefix != key).collect();
            store_list(cx, interface, &left)
        }
    }
}

fn store_list(cx: &mut Context, interface: &Row, prefixes: &[String]) -> Result<(), Fault> {
    let items: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    if items.is_empty() {
        cx.set_option(interface, "ip6prefix", None)
    } else {
        cx.set_list(interface, "ip6prefix", &items)
    }
}

/// Puts what a row stands for into the configuration.
fn put(cx: &mut Context, interface: &Row, before: &Shown, after: &Shown) -> Result<(), Fault> {
    if after.kind != Kind::Child {
        match proto(cx, interface)?.as_str() {
            "static" | "dhcpv6" | "6in4" | "6rd" => {}
            "none" => cx.set_option(interface, "proto", Some("static"))?,
            // netifd would not look at it.
            proto => return Err(Fault::value(format!("an interface of the protocol {proto} has no static prefix"))),
        }
        let mut prefixes = configured(cx, interface)?;
        prefixes.push(after.prefix.clone());
        return store_list(cx, interface, &prefixes);
    }
    let Some((bits, length)) = parse(&after.bits) else { return Err(Fault::value("no prefix")) };
    cx.set_option(interface, "ip6assign", Some(&length.to_string()))?;
    let hint = (bits >> 64) & u128::from(u32::MAX);
    cx.set_option(interface, "ip6hint", (hint != 0).then(|| format!("{hint:x}")).as_deref())?;
    // What it is divided out of is only written where the router would choose another.
    let chosen = parent_of(cx, interface, &before.prefix)?;
    if chosen != after.parent {
        let own = has_ula(cx, interface)?;
        let states = net::interfaces(cx)?;
        let mut prefixes = states.family(&after.parent).flat_map(|state| net::items(state, "ipv6-prefix"));
        let class = prefixes.find_map(|prefix| net::text(prefix, "class")).unwrap_or(&after.parent);
        let classes: &[&str] = if own { &[class, "local"] } else { &[class] };
        cx.set_list(interface, "ip6class", classes)?;
    }
    Ok(())
}

fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let before = shown(cx, row).map_err(|error| ("Prefix", error.into()))?;
    if before.kind == Kind::Inapplicable {
        return set_nothing(cx, row, values);
    }
    let mut after = before.clone();
    if let Some(on) = values.get("Enable") {
        after.on = on == "true";
    }
    if let Some(kind) = values.get("StaticType") {
        after.kind = Kind::of(kind);
    }
    if let Some(prefix) = values.get("Prefix") {
        after.prefix = parse(prefix).map_or_else(String::new, |(bits, length)| written(bits, length));
    }
    if let Some(path) = values.get("ParentPrefix") {
        let now = parent_path(cx, row).map_err(|error| ("ParentPrefix", error.into()))?;
        if now != path {
            after.parent = parent_named(cx, path).map_err(|fault| ("ParentPrefix", fault))?;
        }
    }
    if let Some(bits) = values.get("ChildPrefixBits") {
        after.bits = parse(bits).map_or_else(String::new, |(bits, length)| written(bits, length));
    }
    for name in ["OnLink", "Autonomous"] {
        if values.get(name).is_some_and(|value| (value == "true") != after.is_given_out()) {
            return Err((name, Fault::value("a child prefix is announced on its link, and no other is")));
        }
    }
    for (name, preferred) in [("PreferredLifetime", true), ("ValidLifetime", false)] {
        let now = lifetime(cx, row, preferred).map_err(|error| (name, error.into()))?;
        if values.get(name).is_some_and(|value| !is_same(&now, value)) {
            return Err((name, Fault::value("it cannot be set")));
        }
    }
    if after == before { Ok(()) } else { change(cx, row, &before, &after) }
}

/// Whether a moment is the one that was read not long ago: what is left of a lifetime is in seconds, and so its end moves a little.
fn is_same(now: &str, value: &str) -> bool {
    let near = |(now, value): (UtcTime, UtcTime)| now.seconds().abs_diff(value.seconds()) <= SLACK;
    now == value || UtcTime::parse(now).zip(UtcTime::parse(value)).is_some_and(near)
}

/// The interface of a prefix that can be divided.
fn parent_named(cx: &mut Context, path: &str) -> Result<String, Fault> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let row = cx.row_of_path(PREFIXES, path).ok_or_else(|| Fault::value(format!("there is no {path}")))?;
    let interface = interface_of(cx, &row);
    if shown(cx, &row)?.is_given_out() {
        return Err(Fault::value("what is given out already cannot be divided again"));
    }
    Ok(cx.key(&interface)?)
}

fn change(cx: &mut Context, row: &Row, before: &Shown, after: &Shown) -> Result<(), (&'static str, Fault)> {
    let interface = interface_of(cx, row);
    let old = cx.key(row).map_err(|error| ("Prefix", error.into()))?;
    judge(cx, &interface, before, after)?;
    let fault = |fault| ("Prefix", fault);
    remove(cx, &interface, before).map_err(fault)?;
    let mut kept = kept(cx, &interface);
    let new = match after.key() {
        Some(key) => {
            kept.remove(&old);
            if after.kind == Kind::PrefixDelegation {
                kept.put(KeptRow { key: key.clone(), on: true, fields: vec![String::from(after.kind.name())] });
            }
            key
        }
        None => {
            let key = if is_new(&old) { old.clone() } else { kept.new_key() };
            kept.remove(&old);
            let prefix = if after.kind == Kind::Child { String::new() } else { after.prefix.clone() };
            let fields = vec![String::from(after.kind.name()), prefix, after.parent.clone(), after.bits.clone()];
            kept.put(KeptRow { key: key.clone(), on: after.on, fields });
            key
        }
    };
    kept.store(cx);
    if after.key().is_some() {
        put(cx, &interface, before, after).map_err(fault)?;
    }
    if new != old {
        cx.move_row(row, &new);
    }
    Ok(())
}

/// Whether a row can be in the configuration.
fn judge(cx: &mut Context, interface: &Row, before: &Shown, after: &Shown) -> Result<(), (&'static str, Fault)> {
    if after.kind == Kind::Child {
        if after.prefix != before.prefix && !after.prefix.is_empty() {
            return Err(("Prefix", Fault::value("a child prefix is what its parent gives")));
        }
        let bits = parse(&after.bits);
        if bits.is_some_and(|(bits, length)| !(1..=64).contains(&length) || bits >> 96 != 0) {
            return Err((
                "ChildPrefixBits",
                Fault::value("no such part of a prefix: 1 to 64 bits, of which the last 32 of the net can be set"),
            ));
        }
        let taken = before.key().as_deref() != Some(ASSIGN)
            && assigned_length(cx, interface).map_err(|error| ("StaticType", error.into()))?.is_some();
        if after.key().is_some() && taken {
            return Err(("StaticType", Fault::value("the interface has its child prefix already")));
        }
        return Ok(());
    }
    let Some((bits, length)) = parse(&after.prefix) else { return Ok(()) };
    let address = Ipv6Addr::from(bits);
    if length == 0 || length > 64 || address.is_multicast() || address.is_unspecified() || address.is_loopback() {
        return Err(("Prefix", Fault::value("not a prefix that can be given out")));
    }
    Ok(())
}

/// What comes and goes by itself can only be set to what it is.
fn set_nothing(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let schema = cx.schema().clone();
    for (name, value) in values.0 {
        let Some(parameter) = schema.node(row.node()).parameter(name) else { continue };
        let Source::Together(read) = parameter.source else { continue };
        if read(cx, row).map_err(|error| (*name, error.into()))? != value.as_str() {
            return Err((*name, Fault::new(FaultCode::NON_WRITABLE_PARAMETER, "the prefix is not static")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_in_prefixes() {
        assert!(contains("2001:db8:1200::/56", "2001:db8:1200:10::/60") && contains("::/0", "2001:db8::1"));
        assert!(!contains("2001:db8:1200::/56", "2001:db8:1201::/60") && !contains("2001:db8::/64", "2001:db8::/56"));
        assert!(
            !contains("", "2001:db8::1")
                && !contains("2001:db8::/129", "2001:db8::1")
                && !contains("2001:db8::/32", "x")
        );
        assert_eq!(
            parse("2001:db8::1/64").map(|(bits, length)| written(bits, length)).as_deref(),
            Some("2001:db8::/64")
        );
        assert_eq!(written(0x10 << 64, 60), "0:0:0:10::/60");
    }
}
