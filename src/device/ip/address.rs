//! `Device.IP.Interface.{i}.IPv4Address.{i}.` and `IPv6Address.{i}.`
//!
//! Rows are of two kinds. Static ones are items of a UCI list, in which an address is all that there is: so that a row keeps its number when
//! its address changes, each has a slot (`static1`, `static2`, ...). A slot that is switched off, or still empty, is kept in the agent's own
//! state. All others are what netifd or the kernel shows: the one IPv4 address of DHCP or PPP, and each IPv6 address by itself.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use serde_json::Value as Json;

use super::super::{net, slots};
use super::interface::{device, proto};
use super::truth;
use crate::error::{Fault, FaultCode, Result};
use crate::model::context::{Context, Row};
use crate::model::format::{IPV4_ADDRESS, IPV6_ADDRESS, NETMASK, mask_of_prefix, prefix_of_mask};
use crate::model::schema::{Object, Rows, Table, Text, Values, alias, functional, get, ro, rw, together};
use crate::model::value::{BOOLEAN, DATE_TIME, STRING, Type};
use crate::time::UtcTime;

const STATUS: Type = STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]);

/// Valid for ever (CONFORMANCE J-02).
pub(super) const FOR_EVER: &str = "9999-12-31T23:59:59Z";

/// TR-181 2.17 Device.IP.Interface.{i}.IPv4Address.{i}.
pub static IPV4_ADDRESS_TABLE: Object = Object::table(
    "Device.IP.Interface.{i}.IPv4Address.{i}.",
    Table::new(Rows::Keys(|cx, row| keys(cx, row, V4)))
        .added_by(|cx, row| add(cx, row, V4))
        .deleted_by(|cx, row| delete(cx, row, V4))
        .keys(&[functional(&["IPAddress", "SubnetMask"])])
        .enabled_by("Enable")
        .at_most(16),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(is_enabled(cx, row, V4)?)))).default("false"),
        ro("Status", STATUS, get(|cx, row| status(cx, row, V4))).default("Disabled"),
        alias(),
        rw("IPAddress", IPV4_ADDRESS, together(|cx, row| Ok(Text::Owned(shown(cx, row, V4)?.address)))),
        rw("SubnetMask", IPV4_ADDRESS.format(NETMASK), together(subnet_mask)).default(""),
        ro("AddressingType", STRING.values(&["DHCP", "IKEv2", "AutoIP", "IPCP", "Static"]), get(addressing_type))
            .default("Static"),
    ],
)
.set_together(|cx, row, values| set(cx, row, values, V4));

/// TR-181 2.17 Device.IP.Interface.{i}.IPv6Address.{i}.
pub static IPV6_ADDRESS_TABLE: Object = Object::table(
    "Device.IP.Interface.{i}.IPv6Address.{i}.",
    Table::new(Rows::Keys(|cx, row| keys(cx, row, V6)))
        .added_by(|cx, row| add(cx, row, V6))
        .deleted_by(|cx, row| delete(cx, row, V6))
        .keys(&[functional(&["IPAddress"])])
        .enabled_by("Enable")
        .at_most(32),
    &[
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(is_enabled(cx, row, V6)?)))).default("false"),
        ro("Status", STATUS, get(|cx, row| status(cx, row, V6))).default("Disabled"),
        ro(
            "IPAddressStatus",
            STRING.values(&[
                "Preferred",
                "Deprecated",
                "Invalid",
                "Inaccessible",
                "Unknown",
                "Tentative",
                "Duplicate",
                "Optimistic",
            ]),
            get(address_status),
        )
        .default("Invalid"),
        alias(),
        rw("IPAddress", IPV6_ADDRESS, together(|cx, row| Ok(Text::Owned(shown(cx, row, V6)?.address)))).default(""),
        ro(
            "Origin",
            STRING.values(&["AutoConfigured", "DHCPv6", "IKEv2", "MAP", "WellKnown", "Static"]),
            get(|cx, row| Ok(Text::Borrowed(shown(cx, row, V6)?.origin))),
        )
        .default("Static"),
        rw("Prefix", STRING.strong(&[super::prefix::PREFIXES]), together(prefix_path)).default(""),
        rw("PreferredLifetime", DATE_TIME, together(|cx, row| lifetime(cx, row, "preferred"))).default(FOR_EVER),
        rw("ValidLifetime", DATE_TIME, together(|cx, row| lifetime(cx, row, "valid"))).default(FOR_EVER),
        rw("Anycast", BOOLEAN, together(|_, _| Ok(Text::Borrowed("false")))).default("false"),
    ],
)
.set_together(|cx, row, values| set(cx, row, values, V6));

/// What differs between the two tables.
#[derive(Clone, Copy)]
struct Family {
    /// The UCI list.
    list: &'static str,
    /// The name of the table, under which slots are kept in the agent's own state of the interface.
    table: &'static str,
    six: bool,
}

const V4: Family = Family { list: "ipaddr", table: "IPv4Address", six: false };
const V6: Family = Family { list: "ip6addr", table: "IPv6Address", six: true };

/// A static address.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Slot {
    number: u32,
    enabled: bool,
    /// Empty when it has none yet.
    address: String,
    /// The length of its prefix in bits; `None` when it has none yet.
    prefix: Option<u8>,
}

/// The static addresses of an interface.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Slots {
    /// The greatest number that a slot ever had.
    last: u32,
    slots: Vec<Slot>,
}

impl Slots {
    /// `last;number enabled address prefix;...`
    fn parse(text: &str) -> Self {
        let (last, slots) = slots::parse(text, |number, enabled, address, prefix| Slot {
            number,
            enabled,
            address: String::from(address),
            prefix: prefix.parse().ok(),
        });
        Self { last, slots }
    }

    fn to_text(&self) -> String {
        let mut text = self.last.to_string();
        for slot in &self.slots {
            let prefix = slot.prefix.map_or_else(String::new, |prefix| prefix.to_string());
            slots::push(&mut text, slot.number, slot.enabled, &slot.address, &prefix);
        }
        text
    }

    /// Brings what was kept together with what the file has now: first what is the same, then the rest in order; what is new gets new numbers,
    /// and what has gone from the file is gone.
    fn reconcile(&mut self, mut present: Vec<(String, Option<u8>)>) {
        let mut unmatched = Vec::new();
        let mut kept: Vec<Slot> = Vec::new();
        for slot in std::mem::take(&mut self.slots) {
            if !slot.enabled {
                kept.push(slot);
                continue;
            }
            match present.iter().position(|(address, prefix)| *address == slot.address && *prefix == slot.prefix) {
                Some(index) => {
                    present.remove(index);
                    kept.push(slot);
                }
                None => unmatched.push(slot),
            }
        }
        let mut present = present.into_iter();
        for slot in unmatched {
            let Some((address, prefix)) = present.next() else { break };
            kept.push(Slot { address, prefix, ..slot });
        }
        for (address, prefix) in present {
            self.last = self.last.saturating_add(1);
            kept.push(Slot { number: self.last, enabled: true, address, prefix });
        }
        kept.sort_by_key(|slot| slot.number);
        self.slots = kept;
    }

    fn get(&self, key: &str) -> Option<&Slot> {
        let number: u32 = key.strip_prefix("static")?.parse().ok()?;
        self.slots.iter().find(|slot| slot.number == number)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Slot> {
        let number: u32 = key.strip_prefix("static")?.parse().ok()?;
        self.slots.iter_mut().find(|slot| slot.number == number)
    }
}

/// Under which name the slots of an interface are kept. They go with it.
fn own_name(cx: &Context, interface: &Row, family: Family) -> String {
    format!("{}{}", cx.schema().path(interface.node(), interface), family.table)
}

/// The addresses that are configured for an interface, whatever its protocol does with them.
fn configured(cx: &mut Context, interface: &Row, family: Family) -> Result<Vec<(String, Option<u8>)>> {
    let netmask = cx.option(interface, "netmask")?.and_then(|mask| prefix_of_mask(&mask));
    let section = cx.section(interface)?;
    let items = section.list(family.list).into_iter().flat_map(str::split_ascii_whitespace);
    let item = |item: &str| match item.split_once('/') {
        Some((address, prefix)) => {
            let length = prefix.parse().ok().or_else(|| prefix_of_mask(prefix));
            (String::from(address), length)
        }
        None if family.six => (String::from(item), Some(128)),
        None => (String::from(item), netmask),
    };
    Ok(items.map(item).collect())
}

/// The static addresses of an interface, those that are switched off too.
fn slots(cx: &mut Context, interface: &Row, family: Family) -> Result<Slots> {
    let name = own_name(cx, interface, family);
    let mut slots = cx.own(&name).map(|text| Slots::parse(&text)).unwrap_or_default();
    let used = family.six || proto(cx, interface)? == "static";
    let present = if used { configured(cx, interface, family)? } else { Vec::new() };
    slots.reconcile(present);
    Ok(slots)
}

/// The interface around a row.
fn interface_of(row: &Row) -> Result<Rc<Row>, Fault> {
    row.parent().cloned().ok_or_else(|| Fault::internal("an address without an interface"))
}

/// What a row shows.
#[derive(Clone, Default)]
struct Shown {
    enabled: bool,
    address: String,
    prefix: Option<u8>,
    origin: &'static str,
    /// Seconds; `None` for ever.
    preferred: Option<u64>,
    valid: Option<u64>,
    /// What is configured is not yet what is there.
    live: bool,
}

fn keys(cx: &mut Context, interface: &Row, family: Family) -> Result<Vec<String>> {
    let slots = slots(cx, interface, family)?;
    let mut keys: Vec<String> = slots.slots.iter().map(|slot| format!("static{}", slot.number)).collect();
    if family.six {
        let fixed: Vec<String> = slots.slots.iter().map(|slot| plain(&slot.address)).collect();
        let live = live_v6(cx, interface)?;
        keys.extend(live.into_iter().map(|shown| shown.address).filter(|address| !fixed.contains(&plain(address))));
    } else if let Some(kind) = dynamic_kind(&proto(cx, interface)?) {
        // The row is there before the address is, so that the ACS can ask to be told of it.
        keys.push(String::from(kind));
    }
    Ok(keys)
}

/// The AddressingType of the address that a protocol brings along.
fn dynamic_kind(proto: &str) -> Option<&'static str> {
    match proto {
        "dhcp" | "qmi" | "mbim" | "ncm" | "modemmanager" => Some("DHCP"),
        "ppp" | "pppoe" | "pppoa" | "pptp" | "l2tp" | "3g" => Some("IPCP"),
        _ => None,
    }
}

/// What netifd has of an interface and of those that its protocol has made on it: the items of a list, each with the protocol.
pub(super) fn live(cx: &mut Context, interface: &Row, member: &str) -> Result<Vec<(Json, String)>> {
    let key = cx.key(interface)?;
    let interfaces = net::interfaces(cx)?;
    let mut items = Vec::new();
    for state in interfaces.family(&key) {
        let proto = net::text(state, "proto").unwrap_or_default();
        items.extend(net::items(state, member).iter().map(|item| (item.clone(), String::from(proto))));
    }
    Ok(items)
}

fn v6_of(json: &Json, origin: &'static str) -> Option<Shown> {
    let seconds = |member: &str| json.get(member).and_then(Json::as_u64);
    Some(Shown {
        enabled: true,
        address: String::from(net::text(json, "address")?),
        prefix: json.get("mask").and_then(Json::as_u64).and_then(|mask| u8::try_from(mask).ok()),
        origin,
        preferred: seconds("preferred"),
        valid: seconds("valid"),
        live: true,
    })
}

/// The IPv6 addresses that an interface has now.
fn live_v6(cx: &mut Context, interface: &Row) -> Result<Vec<Shown>> {
    let mut all = Vec::new();
    // A protocol hands over what it has got to an interface of its own that is static.
    let is_static = proto(cx, interface)? == "static";
    for (address, proto) in live(cx, interface, "ipv6-address")? {
        let origin = match proto.as_str() {
            "dhcpv6" => "DHCPv6",
            "static" if is_static => "Static",
            "map" => "MAP",
            _ => "AutoConfigured",
        };
        all.extend(v6_of(&address, origin));
    }
    for (assignment, _) in live(cx, interface, "ipv6-prefix-assignment")? {
        let Some(mut shown) = assignment.get("local-address").and_then(|address| v6_of(address, "AutoConfigured"))
        else {
            continue;
        };
        let seconds = |member: &str| assignment.get(member).and_then(Json::as_u64);
        (shown.preferred, shown.valid) = (seconds("preferred"), seconds("valid"));
        all.push(shown);
    }
    all.extend(link_local(cx, interface));
    let mut seen = Vec::new();
    all.retain(|shown| {
        let address = plain(&shown.address);
        let new = !seen.contains(&address);
        seen.push(address);
        new
    });
    Ok(all)
}

/// The addresses of the link and the loopback, which netifd does not show, from the kernel's list. Of several interfaces on one device the
/// first one in the file has them.
fn link_local(cx: &mut Context, interface: &Row) -> Vec<Shown> {
    let (Some(device), Ok(list)) = (device(cx, interface), cx.file("/proc/net/if_inet6")) else { return Vec::new() };
    if !is_first_on(cx, interface, &device) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for line in list.lines() {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [digits, _, prefix, scope, .., name] = fields.as_slice() else { continue };
        // 20 is the link, 10 the host.
        let origin = match *scope {
            "20" => "AutoConfigured",
            "10" => "WellKnown",
            _ => continue,
        };
        let (Ok(bits), Ok(prefix)) = (u128::from_str_radix(digits, 16), u8::from_str_radix(prefix, 16)) else {
            continue;
        };
        if *name == device && digits.len() == 32 {
            let address = Ipv6Addr::from(bits).to_string();
            found.push(Shown { enabled: true, address, prefix: Some(prefix), origin, live: true, ..Shown::default() });
        }
    }
    found
}

fn is_first_on(cx: &mut Context, interface: &Row, name: &str) -> bool {
    let Some(around) = interface.parent().cloned() else { return true };
    let Ok(rows) = cx.rows(interface.node(), &around) else { return true };
    let first = rows.iter().map(|entry| Row::new(interface.node(), &around, entry));
    let first = first.into_iter().find(|row| device(cx, row).as_deref() == Some(name));
    first.is_none_or(|first| first.number() == interface.number())
}

/// An address in one form, to be compared.
fn plain(address: &str) -> String {
    address.parse::<Ipv6Addr>().map_or_else(|_| String::from(address), |address| address.to_string())
}

fn shown(cx: &mut Context, row: &Row, family: Family) -> Result<Shown> {
    let interface = row.parent().cloned().unwrap_or_else(|| cx.root());
    let key = cx.key(row)?;
    if let Some(slot) = slots(cx, &interface, family)?.get(&key) {
        let live = slot.enabled && is_live(cx, &interface, family, &slot.address)?;
        let (enabled, address, prefix) = (slot.enabled, slot.address.clone(), slot.prefix);
        return Ok(Shown { enabled, address, prefix, origin: "Static", live, ..Shown::default() });
    }
    if family.six {
        let live = live_v6(cx, &interface)?;
        return Ok(live.into_iter().find(|shown| shown.address == key).unwrap_or_default());
    }
    let address = live(cx, &interface, "ipv4-address")?.first().and_then(|(address, _)| v6_of(address, ""));
    Ok(Shown { enabled: true, ..address.unwrap_or_default() })
}

fn is_live(cx: &mut Context, interface: &Row, family: Family, address: &str) -> Result<bool> {
    let items = live(cx, interface, if family.six { "ipv6-address" } else { "ipv4-address" })?;
    let wanted = plain(address);
    Ok(items.iter().any(|(item, _)| net::text(item, "address").is_some_and(|it| plain(it) == wanted)))
}

fn is_enabled(cx: &mut Context, row: &Row, family: Family) -> Result<bool> {
    Ok(shown(cx, row, family)?.enabled)
}

fn status(cx: &mut Context, row: &Row, family: Family) -> Result<Text> {
    let shown = shown(cx, row, family)?;
    // What is switched on but not there (yet) is not in effect, which is no error: its interface may be down, or the change still to come.
    Ok(Text::Borrowed(if shown.enabled && shown.live { "Enabled" } else { "Disabled" }))
}

fn subnet_mask(cx: &mut Context, row: &Row) -> Result<Text> {
    let prefix = shown(cx, row, V4)?.prefix;
    Ok(prefix.map_or(Text::Borrowed(""), |prefix| Text::Owned(mask_of_prefix(prefix).to_string())))
}

fn addressing_type(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(match cx.key(row)?.as_str() {
        "DHCP" => "DHCP",
        "IPCP" => "IPCP",
        _ => "Static",
    }))
}

fn address_status(cx: &mut Context, row: &Row) -> Result<Text> {
    let shown = shown(cx, row, V6)?;
    Ok(Text::Borrowed(match (shown.enabled && shown.live, shown.preferred, shown.valid) {
        (false, _, _) | (_, _, Some(0)) => "Invalid",
        (true, Some(0), _) => "Deprecated",
        (true, _, _) => "Preferred",
    }))
}

/// The moment at which a lifetime ends.
fn lifetime(cx: &mut Context, row: &Row, which: &str) -> Result<Text> {
    let shown = shown(cx, row, V6)?;
    moment(cx, if which == "preferred" { shown.preferred } else { shown.valid })
}

/// The moment in so many seconds; for ever where they have no end, unknown without a clock.
pub(super) fn moment(cx: &mut Context, seconds: Option<u64>) -> Result<Text> {
    let Some(seconds) = seconds else { return Ok(Text::Borrowed(FOR_EVER)) };
    if !cx.facts().clock_known {
        return Ok(Text::Borrowed(crate::model::value::UNKNOWN_TIME));
    }
    // The same in every pass over a request.
    let now = cx.memo("lifetimes", |cx| Ok(UtcTime::from(cx.system().wall_clock()).whole_seconds()))?;
    Ok(Text::Owned(now.plus(std::time::Duration::from_secs(seconds)).to_string()))
}

/// The prefix on the same interface that the address is out of.
fn prefix_path(cx: &mut Context, row: &Row) -> Result<Text> {
    let address = shown(cx, row, V6)?.address;
    let interface = row.parent().cloned().unwrap_or_else(|| cx.root());
    Ok(super::prefix::around(cx, &interface, &address)?.map_or(Text::Borrowed(""), Text::Owned))
}

/// A new slot, empty and switched off.
fn add(cx: &mut Context, interface: &Row, family: Family) -> Result<String, Fault> {
    let mut slots = slots(cx, interface, family)?;
    slots.last = slots.last.saturating_add(1);
    let number = slots.last;
    slots.slots.push(Slot { number, enabled: false, address: String::new(), prefix: None });
    cx.name_section(interface)?;
    let name = own_name(cx, interface, family);
    cx.set_own(&name, Some(&slots.to_text()));
    Ok(format!("static{number}"))
}

fn delete(cx: &mut Context, row: &Row, family: Family) -> Result<(), Fault> {
    let interface = interface_of(row)?;
    let key = cx.key(row)?;
    let mut slots = slots(cx, &interface, family)?;
    let Some(slot) = slots.get(&key) else {
        return Err(Fault::new(
            FaultCode::INVALID_PARAMETER_NAME,
            "an address that is not static comes and goes by itself",
        ));
    };
    if slot.address.starts_with("127.") {
        return Err(Fault::new(FaultCode::INVALID_PARAMETER_NAME, "the address of the loopback stays"));
    }
    let number = slot.number;
    slots.slots.retain(|slot| slot.number != number);
    store(cx, &interface, family, &slots)
}

/// Whether an interface is also static for something else than the addresses of a family.
fn has_others(cx: &mut Context, interface: &Row, family: Family) -> Result<bool> {
    let others = configured(cx, interface, if family.six { V4 } else { V6 })?;
    Ok(!others.is_empty() || cx.section(interface)?.value("ip6prefix").is_some())
}

/// Writes the static addresses of an interface.
fn store(cx: &mut Context, interface: &Row, family: Family, slots: &Slots) -> Result<(), Fault> {
    let enabled: Vec<&Slot> = slots.slots.iter().filter(|slot| slot.enabled).collect();
    // netifd takes the addresses of both families from the options of an interface whose protocol is `static`, and of no other.
    match (proto(cx, interface)?.as_str(), enabled.is_empty()) {
        ("static", true) if !has_others(cx, interface, family)? => cx.set_option(interface, "proto", Some("none"))?,
        ("static", _) | (_, true) => {}
        ("none", false) => cx.set_option(interface, "proto", Some("static"))?,
        // Its tunnel has such an address.
        ("6in4", false) if family.six => {}
        (proto, false) => {
            return Err(Fault::value(format!("the interface has its address by {proto}")));
        }
    }
    let before = configured(cx, interface, family)?;
    let after: Vec<(String, Option<u8>)> = enabled.iter().map(|slot| (slot.address.clone(), slot.prefix)).collect();
    if before != after {
        let plain = cx.option(interface, "netmask")?.is_some() || before.is_empty();
        match enabled.as_slice() {
            // One address with its mask beside it stays as a person would have written it.
            [slot] if plain && !family.six => {
                let mask = slot.prefix.map(|prefix| mask_of_prefix(prefix).to_string());
                cx.set_option(interface, family.list, Some(&slot.address))?;
                cx.set_option(interface, "netmask", mask.as_deref())?;
            }
            _ => {
                let items: Vec<String> = enabled
                    .iter()
                    .map(|slot| {
                        format!("{}/{}", slot.address, slot.prefix.unwrap_or(if family.six { 128 } else { 32 }))
                    })
                    .collect();
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                if items.is_empty() {
                    cx.set_option(interface, family.list, None)?;
                } else {
                    cx.set_list(interface, family.list, &items)?;
                }
                if !family.six {
                    cx.set_option(interface, "netmask", None)?;
                }
            }
        }
    }
    let name = own_name(cx, interface, family);
    cx.set_own(&name, Some(&slots.to_text()));
    Ok(())
}

fn set(cx: &mut Context, row: &Row, values: &Values<'_>, family: Family) -> Result<(), (&'static str, Fault)> {
    let fault = |fault: Fault| ("IPAddress", fault);
    let interface = interface_of(row).map_err(fault)?;
    let key = cx.key(row).map_err(|error| fault(error.into()))?;
    let mut slots = slots(cx, &interface, family).map_err(|error| fault(error.into()))?;
    let Some(slot) = slots.get_mut(&key) else { return set_dynamic(cx, row, values, family) };
    for (name, allowed) in [("PreferredLifetime", FOR_EVER), ("ValidLifetime", FOR_EVER), ("Anycast", "false")] {
        if values.get(name).is_some_and(|value| value != allowed) {
            return Err((name, Fault::value(format!("for a static address it can only be {allowed}"))));
        }
    }
    let before = slot.clone();
    if let Some(path) = values.get("Prefix") {
        let now = prefix_path(cx, row).map_err(|error| ("Prefix", error.into()))?;
        if now != path {
            return Err(("Prefix", Fault::value("the address itself says which prefix it is out of")));
        }
    }
    if let Some(value) = values.get("Enable") {
        slot.enabled = value == "true";
    }
    if let Some(value) = values.get("IPAddress") {
        slot.address = String::from(value);
        if family.six && slot.prefix.is_none() {
            slot.prefix = Some(64);
        }
    }
    if let Some(value) = values.get("SubnetMask") {
        slot.prefix = prefix_of_mask(value);
    }
    if *slot == before {
        return Ok(());
    }
    if slot.enabled {
        judge(slot, family)?;
    }
    store(cx, &interface, family, &slots).map_err(fault)
}

/// Whether an address can be that of a router.
fn judge(slot: &Slot, family: Family) -> Result<(), (&'static str, Fault)> {
    let bad = |text: &str| Err(("IPAddress", Fault::value(format!("{text} cannot be the address of an interface"))));
    if slot.address.is_empty() {
        return Err(("IPAddress", Fault::value("an address that is switched on has to be one")));
    }
    if family.six {
        return match slot.address.parse::<Ipv6Addr>() {
            Ok(address) if !address.is_unspecified() && !address.is_multicast() => Ok(()),
            _ => bad(&slot.address),
        };
    }
    let Some(prefix) = slot.prefix.filter(|prefix| *prefix > 0) else {
        return Err(("SubnetMask", Fault::value("an address that is switched on needs a subnet mask")));
    };
    let Ok(address) = slot.address.parse::<Ipv4Addr>() else { return bad(&slot.address) };
    let host = u32::from(address) & !u32::from(mask_of_prefix(prefix));
    let edge = prefix < 31 && (host == 0 || host == !u32::from(mask_of_prefix(prefix)));
    let first = address.octets()[0];
    if first == 0 || first >= 224 || edge { bad(&slot.address) } else { Ok(()) }
}

/// What is not static can only be set to what it is.
fn set_dynamic(cx: &mut Context, row: &Row, values: &Values<'_>, family: Family) -> Result<(), (&'static str, Fault)> {
    let schema = cx.schema().clone();
    for (name, value) in values.0 {
        let Some(parameter) = schema.node(row.node()).parameter(name) else { continue };
        let crate::model::schema::Source::Together(read) = parameter.source else { continue };
        let now = read(cx, row).map_err(|error| (*name, error.into()))?;
        if now != value.as_str() {
            let text = if family.six { "the address is not static" } else { "the address comes from the network" };
            return Err((*name, Fault::new(FaultCode::NON_WRITABLE_PARAMETER, text)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: u32, enabled: bool, address: &str, prefix: u8) -> Slot {
        Slot { number, enabled, address: address.into(), prefix: Some(prefix) }
    }

    #[test]
    fn p62_a_slot_keeps_its_number_while_others_change() {
        let mut slots = Slots::default();
        slots.reconcile(vec![("10.0.0.1".into(), Some(8)), ("10.0.1.1".into(), Some(24))]);
        assert_eq!(slots.slots, [slot(1, true, "10.0.0.1", 8), slot(2, true, "10.0.1.1", 24)]);
        // The first one was removed and the second one edited by hand: nothing is the same, so that the order counts.
        let mut edited = slots.clone();
        edited.reconcile(vec![("10.0.2.1".into(), Some(24))]);
        assert_eq!(edited.slots, [slot(1, true, "10.0.2.1", 24)]);
        // Reordered.
        slots.reconcile(vec![("10.0.1.1".into(), Some(24)), ("10.0.0.1".into(), Some(8))]);
        assert_eq!(slots.slots, [slot(1, true, "10.0.0.1", 8), slot(2, true, "10.0.1.1", 24)]);
        // One is gone, one is new, and one that is switched off is not in the file at all.
        slots.slots.push(slot(3, false, "10.0.3.1", 24));
        slots.last = 3;
        slots.slots.remove(0);
        slots.reconcile(vec![("10.0.1.1".into(), Some(24)), ("10.0.9.1".into(), Some(24))]);
        assert_eq!(
            slots.slots,
            [slot(2, true, "10.0.1.1", 24), slot(3, false, "10.0.3.1", 24), slot(4, true, "10.0.9.1", 24)]
        );
    }

    #[test]
    fn slots_are_read_back_as_they_were_written() {
        let slots = Slots {
            last: 7,
            slots: vec![
                slot(2, true, "192.168.1.1", 24),
                Slot { number: 7, enabled: false, address: String::new(), prefix: None },
            ],
        };
        assert_eq!(Slots::parse(&slots.to_text()), slots);
        assert_eq!(Slots::parse("garbage; ;x"), Slots::default());
    }

    #[test]
    fn addresses_that_no_router_can_have_are_refused() {
        for (address, prefix) in
            [("192.168.1.0", 24), ("192.168.1.255", 24), ("0.0.0.0", 24), ("224.0.0.1", 4), ("10.0.0.1", 0)]
        {
            assert!(judge(&slot(1, true, address, prefix), V4).is_err(), "{address}/{prefix}");
        }
        for (address, prefix) in [("192.168.1.1", 24), ("10.0.0.0", 31), ("203.0.113.7", 32)] {
            assert!(judge(&slot(1, true, address, prefix), V4).is_ok(), "{address}/{prefix}");
        }
        assert!(judge(&slot(1, true, "ff02::1", 64), V6).is_err());
        assert!(judge(&slot(1, true, "2001:db8::1", 64), V6).is_ok());
    }
}
