//! `Device.IP.Interface.{i}.`: one row for each `config interface`.

use super::super::{cellular, dhcpv4, dhcpv6, ethernet, layers, net, ppp};
use super::truth;
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::uci_truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Notification, Object, Rows, Table, Text, alias, always, change, count, get, get_set, ro, rw,
};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};
use crate::platform::uci::SectionId;

/// The table.
pub const INTERFACES: &str = "Device.IP.Interface.";

/// Protocols of netifd that carry packets in others.
const TUNNELS: [&str; 14] = [
    "6in4",
    "6to4",
    "6rd",
    "4in6",
    "dslite",
    "ds-lite",
    "map",
    "464xlat",
    "gre",
    "gretap",
    "grev6",
    "ipip",
    "vti",
    "wireguard",
];

/// TR-181 2.17 Device.IP.Interface.{i}.
///
/// A new row is a section without a protocol; its addresses and clients give it one.
pub static INTERFACE: Object = Object::table(
    "Device.IP.Interface.{i}.",
    Table::new(Rows::SomeSections { package: layers::PACKAGE, list: |cx, _| list(cx) })
        .added_by(|cx, _| Ok(cx.add_section(layers::PACKAGE, "interface", &[("proto", "none"), ("disabled", "1")])?.1))
        .deleted_by(delete)
        .keys(&[always(&["Name"])])
        .enabled_by("Enable")
        .at_most(64),
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(is_enabled(cx, row)?)), set_enable)).default("false"),
        rw("IPv4Enable", BOOLEAN, get_set(|cx, row| Ok(truth(carries_ipv4(cx, row)?)), set_ipv4)),
        rw("IPv6Enable", BOOLEAN, get_set(|cx, row| Ok(truth(carries_ipv6(cx, row)?)), set_ipv6)),
        rw("ULAEnable", BOOLEAN, get_set(|cx, row| Ok(truth(has_ula(cx, row)?)), set_ula)).default("false"),
        ro("Status", net::INTERFACE_STATUS, get(|cx, row| Ok(Text::Borrowed(status(cx, row)?)))).default("Down"),
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), get(name)),
        ro("LastChange", UNSIGNED_INT, get(last_change)).notification(Notification::CanDeny),
        rw("LowerLayers", net::LOWER_LAYERS, change(lower_layers, set_lower_layers)).default(""),
        rw("Router", STRING.strong(&[ROUTERS]).lengths(&[(0, 256)]), get_set(router, set_router)),
        rw("Reset", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), reset)).command().default("false"),
        rw("MaxMTUSize", UNSIGNED_INT.ranges(&[(64, 65535)]), change(mtu, set_mtu)),
        ro("Type", STRING.values(&["Normal", "Loopback", "Tunnel", "Tunneled"]), get(kind)).default("Normal"),
        rw("Loopback", BOOLEAN, get_set(|cx, row| Ok(truth(is_loopback(cx, row)?)), set_loopback)).default("false"),
        ro("IPv4AddressNumberOfEntries", UNSIGNED_INT, count("IPv4Address")),
        ro("IPv6AddressNumberOfEntries", UNSIGNED_INT, count("IPv6Address")),
        ro("IPv6PrefixNumberOfEntries", UNSIGNED_INT, count("IPv6Prefix")),
        // netifd gives no addresses out of 169.254.0.0/16.
        rw("AutoIPEnable", BOOLEAN, get_set(|_, _| Ok(truth(false)), set_auto_ip)).default("false"),
    ],
);

/// TR-181 2.17 Device.IP.Interface.{i}.Stats.
pub static STATS: Object = Object::single(
    "Device.IP.Interface.{i}.Stats.",
    &[
        net::BYTES_SENT,
        net::BYTES_RECEIVED,
        net::PACKETS_SENT,
        net::PACKETS_RECEIVED,
        net::ERRORS_SENT,
        net::ERRORS_RECEIVED,
        net::UNICAST_PACKETS_SENT,
        net::UNICAST_PACKETS_RECEIVED,
        net::DISCARD_PACKETS_SENT,
        net::DISCARD_PACKETS_RECEIVED,
        net::MULTICAST_PACKETS_SENT,
        net::MULTICAST_PACKETS_RECEIVED,
        // Here TR-181 lets the ACS have notification of them.
        net::BROADCAST_PACKETS_SENT.notification(Notification::Normal),
        net::BROADCAST_PACKETS_RECEIVED.notification(Notification::Normal),
        net::UNKNOWN_PROTO_PACKETS_RECEIVED,
        net::RESET,
    ],
);

/// The table of routers.
const ROUTERS: &str = "Device.Routing.Router.";

/// Every interface, but those that are only the PPP interface which is still to get an IP interface.
fn list(cx: &mut Context) -> Result<Vec<SectionId>> {
    let network = layers::network(cx)?;
    let interfaces = network.interfaces.iter().filter(|interface| !ppp::is_bare(cx, &interface.name));
    Ok(interfaces.map(|interface| interface.id).collect())
}

/// The protocol of the interface of a row.
pub(super) fn proto(cx: &mut Context, row: &Row) -> Result<String> {
    Ok(cx.option(row, "proto")?.unwrap_or_else(|| String::from("none")))
}

/// The device that the configuration names; empty where it names none.
fn configured_device(cx: &mut Context, row: &Row) -> Result<String> {
    Ok(match cx.option(row, "device")? {
        Some(device) => device,
        None => cx.option(row, "ifname")?.unwrap_or_default(),
    })
}

/// The device that packets of an interface go through now (`pppoe-wan`, `br-lan`), or the one that it is configured on.
pub fn device(cx: &mut Context, row: &Row) -> Option<String> {
    let key = cx.key(row).ok()?;
    let interfaces = net::interfaces(cx).ok()?;
    let state = interfaces.get(&key);
    let live = net::text(state, "l3_device").or_else(|| net::text(state, "device")).map(String::from);
    let device = live.or_else(|| configured_device(cx, row).ok())?;
    net::is_device_name(&device).then_some(device)
}

/// The device, or the name of the section where another interface is on the same device, since names are unique. Of several on one device, the one
/// that is called like it has its name wherever it stands: its section would give it the same name.
fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let Some(device) = device(cx, row) else { return Ok(Text::Owned(key)) };
    let interfaces = net::interfaces(cx)?;
    let sections = cx.package("network")?.sections().filter(|section| section.kind() == "interface");
    let mut first = None;
    for section in sections {
        let name = section.name().unwrap_or_default();
        let state = interfaces.get(name);
        let live = net::text(state, "l3_device").or_else(|| net::text(state, "device"));
        if live.or_else(|| section.get("device")).or_else(|| section.get("ifname")) != Some(device.as_str()) {
            continue;
        }
        if first.is_none() || name == device {
            first = Some(section);
        }
    }
    let mine = first.is_none_or(|first| first.name().is_none_or(|name| name == key));
    let name = if mine { device } else { key };
    Ok(Text::Owned(name.chars().take(64).collect()))
}

fn is_enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    layers::interface_switch(cx, row)?.is_enabled(cx, "ip")
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    cx.name_section(row)?;
    layers::interface_switch(cx, row)?.set(cx, "ip", value == "true")
}

/// The state as netifd has it.
fn status(cx: &mut Context, row: &Row) -> Result<&'static str> {
    let switch = layers::interface_switch(cx, row)?;
    if !switch.is_enabled(cx, "ip")? {
        return Ok("Down");
    }
    if !switch.is_on(cx)? {
        return Ok("LowerLayerDown");
    }
    let key = cx.key(row)?;
    let interfaces = net::interfaces(cx)?;
    if !interfaces.known() {
        return Ok("Unknown");
    }
    let state = interfaces.get(&key);
    if net::truth(state, "up") {
        return Ok("Up");
    }
    if net::truth(state, "pending") {
        return Ok("Dormant");
    }
    let device = configured_device(cx, row)?;
    if net::is_device_name(&device) {
        match net::device_status(cx, &device) {
            "NotPresent" => return Ok("NotPresent"),
            "Down" => return Ok("LowerLayerDown"),
            _ => {}
        }
    }
    Ok("Down")
}

/// netifd says how long an interface has been up; for anything else, what the agent has seen counts.
fn last_change(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let status = status(cx, row)?;
    let seen = net::seconds_in_state(cx, &format!("{INTERFACES}{key}"), status);
    let interfaces = net::interfaces(cx)?;
    let up = interfaces.get(&key).get("uptime").and_then(serde_json::Value::as_u64).filter(|_| status == "Up");
    Ok(Text::Owned(up.unwrap_or(seen).min(u64::from(u32::MAX)).to_string()))
}

/// What the interface is on: the PPP interface or modem of its own or of the interface that `@` names, a VLAN termination, or a link.
fn lower_layers(cx: &mut Context, row: &Row) -> Result<Text> {
    let (network, key) = (layers::network(cx)?, cx.key(row)?);
    let Some(interface) = network.interface(&key) else { return Ok(Text::Borrowed("")) };
    let interface = network.behind_alias(interface);
    let path = if layers::is_ppp(&interface.proto) {
        cx.path_of_key(ppp::INTERFACES, &interface.name)
    } else if layers::is_cellular(&interface.proto) {
        cellular::path_of(cx, interface)
    } else if interface.device.is_empty() {
        // An SSID may bring its device along.
        device(cx, row).and_then(|device| layers::path_of(cx, &device))
    } else {
        layers::path_of(cx, &interface.device)
    };
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}

/// The protocol follows what the interface is on: PPP takes it over, and anything else leaves none behind it.
fn set_lower_layers(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if is_loopback(cx, row)? {
        return Err(Fault::value("the loopback interface stays where it is"));
    }
    let proto = proto(cx, row)?;
    if layers::is_cellular(&proto) {
        return Err(Fault::value("the interface is on its modem"));
    }
    let target = match cx.row_of_path(ppp::INTERFACES, value) {
        Some(below) => {
            let name = cx.key(&below)?;
            if ppp::is_bare(cx, &name) {
                return ppp::attach(cx, row, &below);
            }
            // Another interface has it: this one goes along.
            Some(format!("@{name}"))
        }
        None if value.is_empty() => None,
        None => {
            Some(layers::device_of_path(cx, value).ok_or_else(|| Fault::value("not one link, VLAN or PPP interface"))?)
        }
    };
    let leaves_ppp = layers::is_ppp(&proto);
    if leaves_ppp {
        ppp::detach(cx, row)?;
    }
    cx.set_option(row, "ifname", None)?;
    cx.set_option(row, "device", target.as_deref())?;
    if leaves_ppp && target.is_some_and(|device| !device.starts_with('@')) {
        // Its row is enabled all the time, so that an ACS that compares would never enable it.
        let name = cx.name_section(row)?;
        dhcpv4::CLIENT.come_back(cx, &name)?;
        dhcpv6::CLIENT.come_back(cx, &name)?;
    }
    Ok(())
}

/// The one router that there is.
fn router(cx: &mut Context, _: &Row) -> Result<Text> {
    let path = format!("{ROUTERS}1");
    Ok(cx.row_of_path(ROUTERS, &path).map_or(Text::Borrowed(""), |_| Text::Owned(path)))
}

fn set_router(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    same(value, router(cx, row)?, "every interface belongs to the one router")
}

fn set_auto_ip(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    same(value, truth(false), "the router gives itself no addresses")
}

/// `/sbin/ifup` takes an interface down first; after the session, since it may be the one to the ACS.
fn reset(cx: &mut Context, row: &Row, _: &str) -> Result<(), Fault> {
    let name = cx.name_section(row)?;
    cx.after(&["/sbin/ifup", &name]);
    Ok(())
}

/// The device whose `config device` has the MTU: netifd looks at `mtu` of an interface only where the device has none, and for PPP.
fn device_with_mtu(cx: &mut Context, row: &Row) -> Result<Option<String>> {
    let device = configured_device(cx, row)?;
    Ok((!is_ppp(cx, row)? && ethernet::has_settings(cx, &device)?).then_some(device))
}

/// What is configured, or what the device has.
fn mtu(cx: &mut Context, row: &Row) -> Result<Text> {
    let set = match device_with_mtu(cx, row)? {
        Some(device) => ethernet::device_option(cx, &device, "mtu")?,
        None => cx.option(row, "mtu")?,
    };
    let set = set.and_then(|mtu| mtu.parse::<u32>().ok());
    let live = match (set, device(cx, row)) {
        (None, Some(device)) => net::sysfs(cx, &device, "mtu").and_then(|mtu| mtu.parse::<u32>().ok()),
        _ => None,
    };
    // The kernel's own device may have more than the parameter can say.
    Ok(Text::Owned(set.or(live).unwrap_or(1500).clamp(64, 65535).to_string()))
}

fn set_mtu(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    match device_with_mtu(cx, row)? {
        Some(device) => ethernet::set_device_option(cx, &device, "mtu", Some(value)),
        None => cx.set_option(row, "mtu", Some(value)),
    }
}

fn kind(cx: &mut Context, row: &Row) -> Result<Text> {
    let proto = proto(cx, row)?;
    Ok(Text::Borrowed(if is_loopback(cx, row)? {
        "Loopback"
    } else if TUNNELS.contains(&proto.as_str()) {
        "Tunnel"
    } else {
        "Normal"
    }))
}

fn is_loopback(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(configured_device(cx, row)? == "lo")
}

fn set_loopback(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    same(value, truth(is_loopback(cx, row)?), "an interface is a loopback, or it is none")
}

/// An interface that only asks for IPv6.
fn only_ipv6(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(is_ipv6(&proto(cx, row)?))
}

/// Whether a protocol of netifd brings IPv6 and nothing else.
pub(in crate::device) fn is_ipv6(proto: &str) -> bool {
    matches!(proto, "dhcpv6" | "6in4" | "6to4" | "6rd")
}

fn carries_ipv4(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(!only_ipv6(cx, row)?)
}

fn set_ipv4(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    same(value, truth(carries_ipv4(cx, row)?), "the protocol of the interface says whether it has IPv4")
}

/// For PPP it is an option of the interface; for all others one of the device.
fn carries_ipv6(cx: &mut Context, row: &Row) -> Result<bool> {
    let set = if is_ppp(cx, row)? {
        cx.option(row, "ipv6")?
    } else {
        let device = configured_device(cx, row)?;
        ethernet::device_option(cx, &device, "ipv6")?
    };
    Ok(set.as_deref().and_then(uci_truth) != Some(false))
}

fn set_ipv6(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let on = value == "true";
    if carries_ipv6(cx, row)? == on {
        return Ok(());
    }
    let option = if on { None } else { Some("0") };
    if is_ppp(cx, row)? {
        return cx.set_option(row, "ipv6", option);
    }
    let device = configured_device(cx, row)?;
    if !net::is_device_name(&device) {
        return Err(Fault::value("the interface has no device"));
    }
    ethernet::set_device_option(cx, &device, "ipv6", option)
}

fn is_ppp(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(layers::is_ppp(&proto(cx, row)?))
}

/// Whether the router's own prefix is given out on the interface, where it has one.
pub(super) fn has_ula(cx: &mut Context, row: &Row) -> Result<bool> {
    let assigned = cx.option(row, "ip6assign")?.is_some_and(|bits| bits != "0");
    let classes: Vec<String> = cx.section(row)?.list("ip6class").into_iter().map(String::from).collect();
    let globals = cx.package("network")?.find("globals");
    let prefix = globals.and_then(|globals| globals.get("ula_prefix")).is_some_and(|prefix| prefix.contains(':'));
    Ok(assigned && prefix && (classes.is_empty() || classes.iter().any(|class| class == "local")))
}

fn set_ula(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    same(value, truth(has_ula(cx, row)?), "the prefixes that are given out on the interface say whether it has one")
}

fn same(value: &str, now: Text, reason: &str) -> Result<(), Fault> {
    if now == value { Ok(()) } else { Err(Fault::value(reason)) }
}

/// The loopback stays, and so does the way to the ACS.
fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    if is_loopback(cx, row)? {
        return Err(Fault::new(FaultCode::INVALID_PARAMETER_NAME, "the loopback interface cannot go"));
    }
    let key = cx.key(row)?;
    layers::keep_way(cx, &key)?;
    // The PPP interface below stays.
    if is_ppp(cx, row)? {
        ppp::detach(cx, row)?;
    }
    let network = layers::network(cx)?;
    for interface in network.interfaces.iter().filter(|interface| interface.device.strip_prefix('@') == Some(&key)) {
        layers::set(cx, interface.id, "device", None)?;
    }
    leave(cx, "firewall", "zone", &key)?;
    leave(cx, "wireless", "wifi-iface", &key)?;
    layers::interface_switch(cx, row)?.forget(cx);
    let id = cx.section(row)?.id();
    cx.package_mut(layers::PACKAGE)?.remove_section(id);
    Ok(())
}

/// Takes an interface out of the `network` of zones or SSIDs, so that one of the same name does not join them unasked.
fn leave(cx: &mut Context, package: &str, kind: &str, name: &str) -> Result<(), Fault> {
    let mut changed = Vec::new();
    for section in cx.package(package)?.sections().filter(|section| section.kind() == kind) {
        let networks = section.list("network").into_iter().flat_map(str::split_ascii_whitespace);
        let networks: Vec<String> = networks.map(String::from).collect();
        if networks.iter().any(|network| network == name) {
            changed.push((section.id(), networks.into_iter().filter(|network| network != name).collect::<Vec<_>>()));
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let package = cx.package_mut(package)?;
    for (id, left) in changed {
        let items: Vec<&str> = left.iter().map(String::as_str).collect();
        match items.as_slice() {
            [] => drop(package.remove(id, "network")),
            items => drop(package.set_list(id, "network", items).map_err(|error| Fault::value(error.to_string()))?),
        }
    }
    Ok(())
}
