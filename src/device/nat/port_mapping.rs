//! `Device.NAT.PortMapping.{i}.`: the `redirect` sections with target DNAT, and what hosts have asked miniupnpd for ([`upnp`]).
//!
//! fw4 takes a redirect without an address for one to the router itself. So that a mapping which the ACS has enabled, and not filled in yet, does not
//! open the router, its section stays disabled until it is complete, and the wish is kept in the agent's own state.

use std::net::Ipv4Addr;

use super::{INTERFACE, PACKAGE, upnp, zone};
use crate::device::{firewall, lease, schedules};
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::{full_name, truth, uci_truth};
use crate::model::context::{Context, Row, RowId};
use crate::model::format::mask_of_prefix;
use crate::model::schema::{
    Notification, Object, Rows, Table, Text, Values, alias, change, functional, get, get_set, ro, rw, together,
};
use crate::model::value::{BOOLEAN, Format, STRING, Type, UNSIGNED_INT};
use crate::platform::uci::{Section, SectionId};

const PORT: Type = UNSIGNED_INT.ranges(&[(0, 65_535)]);
const LINE: Format = Format { name: "one line of text", check: |text| !text.chars().any(char::is_control) };

pub(super) static PORT_MAPPING: Object = Object::table(
    "Device.NAT.PortMapping.{i}.",
    Table::new(Rows::SectionsAndKeys { package: PACKAGE, list: |cx, _| sections(cx), keys: |cx, _| upnp::keys(cx) })
        .added_by(add)
        .deleted_by(delete)
        .keys(&[functional(&["RemoteHost", "ExternalPort", "Protocol"])])
        .enabled_by("Enable")
        .at_most(256),
    &[
        rw("Enable", BOOLEAN, get_set(|cx, row| Ok(truth(enabled(cx, row)?)), set_enable)).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]), get(status)),
        ro("Origin", STRING.values(&["User", "System", "UPnP", "Controller"]), get(origin)),
        alias(),
        rw("Interface", STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]), change(interface, set_interface)).default(""),
        rw("AllInterfaces", BOOLEAN, get_set(|cx, row| Ok(truth(all_interfaces(cx, row)?)), set_all_interfaces))
            .default("false"),
        rw("LeaseDuration", UNSIGNED_INT, get_set(remaining, lease::begin)).notification(Notification::CanDeny),
        rw("RemoteHost", STRING.format(LINE), change(remote_host, set_remote_host)).default(""),
        rw("ExternalPort", PORT, together(|cx, row| number(Ports::read(cx, row)?.external))),
        rw("ExternalPortEndRange", PORT, together(|cx, row| number(Ports::read(cx, row)?.end))).default("0"),
        rw("InternalPort", PORT, together(|cx, row| number(Ports::read(cx, row)?.internal))),
        rw("Protocol", STRING.values(&["TCP", "UDP"]), change(protocol, set_protocol)),
        rw("InternalClient", STRING.lengths(&[(0, 256)]).format(LINE), change(internal_client, set_internal_client))
            .default(""),
        rw("Description", STRING.lengths(&[(0, 256)]).format(LINE), get_set(description, firewall::description::set))
            .default(""),
        schedules::SCHEDULE_REF,
    ],
)
.set_together(set_ports);

fn is_mapping(section: &Section<'_>) -> bool {
    section.get("target").is_none_or(|target| target.eq_ignore_ascii_case("DNAT")) && !firewall::is_of_dmz(section)
}

fn sections(cx: &mut Context) -> Result<Vec<SectionId>> {
    let sections =
        cx.package(PACKAGE)?.sections().filter(|section| section.kind() == "redirect" && is_mapping(section));
    Ok(sections.map(|section| section.id()).collect())
}

fn number(value: u16) -> Result<Text> {
    Ok(Text::Owned(value.to_string()))
}

/// The agent's own state of a mapping goes with its row, because its name begins with the path of the row.
fn own_name(cx: &Context, row: &Row, what: &str) -> String {
    full_name(cx, row.node(), row, what)
}

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    let (id, name) = cx.add_section(PACKAGE, "redirect", &[("target", "DNAT"), ("proto", "tcp"), ("enabled", "0")])?;
    // fw4 takes the first that fits, and the host of the DMZ gets what nobody else wants.
    let package = cx.package_mut(PACKAGE)?;
    let dmz = package.sections().find(firewall::is_of_dmz).map(|section| section.id());
    if dmz.is_some() {
        package.move_section(id, dmz);
    }
    cx.set_own(&made(&name), Some("1"));
    Ok(name)
}

fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let name = cx.key(row)?;
    let &RowId::Section(id) = row.id() else {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "the mapping belongs to the host that has asked for it"));
    };
    cx.package_mut(PACKAGE)?.remove_section(id);
    cx.set_own(&made(&name), None);
    Ok(())
}

/// The mark of a mapping that the ACS has made.
fn made(name: &str) -> String {
    format!("{PACKAGE}.{name}.made_by_controller")
}

fn origin(cx: &mut Context, row: &Row) -> Result<Text> {
    if cx.is_foreign(row) {
        return Ok(Text::Borrowed("UPnP"));
    }
    let name = cx.key(row)?;
    Ok(Text::Borrowed(if cx.own(&made(&name)).is_some() { "Controller" } else { "User" }))
}

fn in_force(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(cx.is_foreign(row) || cx.option(row, "enabled")?.and_then(|text| uci_truth(&text)).unwrap_or(true))
}

fn enabled(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(in_force(cx, row)? || cx.own(&own_name(cx, row, "Enable")).is_some())
}

fn set_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let value = value == "true";
    if enabled(cx, row)? == value {
        return Ok(());
    }
    settle(cx, row, value)
}

fn is_complete(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(cx.is_foreign(row) || (cx.option(row, "src")?.is_some() && cx.option(row, "dest_ip")?.is_some()))
}

/// Brings `enabled` into line with what is wanted and what is there.
fn settle(cx: &mut Context, row: &Row, wanted: bool) -> Result<(), Fault> {
    let in_time = schedules::limits(cx, row)? != schedules::Limits::Never;
    let on = wanted && in_time && is_complete(cx, row)? && !firewall::port_mappings_suspended(cx)?;
    if in_force(cx, row)? != on {
        cx.set_option(row, "enabled", Some(if on { "1" } else { "0" }))?;
    }
    let name = own_name(cx, row, "Enable");
    let waiting = (wanted && !on).then_some("1");
    if cx.own(&name).as_deref() != waiting {
        cx.set_own(&name, waiting);
    }
    firewall::keep_connection_requests(cx)
}

/// Brings all mappings into line with the level of the firewall that is in force.
pub(in crate::device) fn settle_all(cx: &mut Context) -> Result<(), Fault> {
    let schema = cx.schema().clone();
    let Some(node) = schema.find("Device.NAT.PortMapping.") else { return Ok(()) };
    let root = cx.root();
    let suspended = firewall::port_mappings_suspended(cx)?;
    for entry in cx.rows(node, &root)?.iter().filter(|entry| matches!(entry.id, RowId::Section(_))) {
        let row = Row::new(node, &root, entry);
        // What leads to no host is no mapping to one, and stays as it is.
        if is_complete(cx, &row)? && enabled(cx, &row)? && in_force(cx, &row)? == suspended {
            settle(cx, &row, true)?;
        }
    }
    Ok(())
}

/// Brings a mapping into line with its schedule.
pub(in crate::device) fn settle_one(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let wanted = enabled(cx, row)?;
    settle(cx, row, wanted)
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let off = firewall::port_mappings_suspended(cx)? || schedules::limits(cx, row)? == schedules::Limits::Never;
    Ok(Text::Borrowed(if !enabled(cx, row)? || (!in_force(cx, row)? && off) {
        "Disabled"
    } else if !in_force(cx, row)? || !is_complete(cx, row)? {
        "Error_Misconfigured"
    } else {
        "Enabled"
    }))
}

/// Which interface of the zone was asked for is the agent's own; UCI has the zone.
fn interface(cx: &mut Context, row: &Row) -> Result<Text> {
    if all_interfaces(cx, row)? {
        return Ok(Text::Borrowed(""));
    }
    if cx.is_foreign(row) {
        let name = upnp::interface(cx)?;
        return Ok(cx.path_of_key(INTERFACE, &name).map_or(Text::Borrowed(""), Text::Owned));
    }
    let Some(source) = cx.option(row, "src")? else { return Ok(Text::Borrowed("")) };
    let Some(zone) = zone::of_name(cx, &source)? else { return Ok(Text::Borrowed("")) };
    let asked = cx.own(&own_name(cx, row, "Interface"));
    let chosen = asked.filter(|name| zone.interfaces.contains(name)).or_else(|| zone.interfaces.first().cloned());
    let path = chosen.and_then(|name| cx.path_of_key(INTERFACE, &name));
    Ok(path.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_interface(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let wanted = enabled(cx, row)?;
    let asked = own_name(cx, row, "Interface");
    if value.is_empty() {
        cx.set_own(&asked, None);
        cx.set_option(row, "src", None)?;
        return settle(cx, row, wanted);
    }
    let target = cx.row_of_path(INTERFACE, value).ok_or_else(|| Fault::value(format!("there is no {value}")))?;
    let name = cx.key(&target)?;
    let zone = zone::of_interface(cx, &name)?;
    let zone = zone.ok_or_else(|| Fault::value("the interface is in no zone of the firewall"))?;
    if all_interfaces(cx, row)? {
        // Ignored while AllInterfaces is true, and kept for later (TR-181 Device.NAT.PortMapping.{i}.Interface).
        cx.set_own(&asked, Some(&name));
        return Ok(());
    }
    cx.set_own(&asked, (zone.interfaces.first() != Some(&name)).then_some(name.as_str()));
    cx.set_option(row, "src", Some(&zone.name))?;
    settle(cx, row, wanted)
}

fn remaining(cx: &mut Context, row: &Row) -> Result<Text> {
    match upnp::lease(cx, row)? {
        Some(lease) => Ok(Text::Owned(lease.left(cx.system().wall_clock()).to_string())),
        None => lease::remaining(cx, row),
    }
}

fn description(cx: &mut Context, row: &Row) -> Result<Text> {
    match upnp::lease(cx, row)? {
        Some(lease) => Ok(Text::Owned(lease.description)),
        None => firewall::description::read(cx, row),
    }
}

fn all_interfaces(cx: &mut Context, row: &Row) -> Result<bool> {
    Ok(cx.own(&own_name(cx, row, "AllInterfaces")).is_some())
}

fn set_all_interfaces(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let value = value == "true";
    if all_interfaces(cx, row)? == value {
        return Ok(());
    }
    let wanted = enabled(cx, row)?;
    cx.set_own(&own_name(cx, row, "AllInterfaces"), value.then_some("1"));
    if value {
        let zone = zone::outside(cx)?.ok_or_else(|| Fault::value("the firewall has no zone towards the internet"))?;
        cx.set_option(row, "src", Some(&zone.name))?;
    } else {
        let asked = cx.own(&own_name(cx, row, "Interface")).unwrap_or_default();
        let zone = zone::of_interface(cx, &asked)?;
        cx.set_option(row, "src", zone.as_ref().map(|zone| zone.name.as_str()))?;
    }
    settle(cx, row, wanted)
}

/// The whole of IPv4, which some ACSs send for any host.
const ANYWHERE: &str = "0.0.0.0/0";

fn remote_host(cx: &mut Context, row: &Row) -> Result<Text> {
    if cx.is_foreign(row) {
        return Ok(Text::Borrowed(""));
    }
    Ok(match cx.option(row, "src_ip")?.as_deref() {
        Some(ANYWHERE) => Text::Borrowed("0.0.0.0"),
        Some(host) => Text::Owned(String::from(host)),
        None => Text::Borrowed(""),
    })
}

fn set_remote_host(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let (address, length) = value.split_once('/').unwrap_or((value, "32"));
    let valid = address.parse::<Ipv4Addr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= 32);
    match value {
        "" => cx.set_option(row, "src_ip", None),
        "0.0.0.0" => cx.set_option(row, "src_ip", Some(ANYWHERE)),
        _ if valid => cx.set_option(row, "src_ip", Some(value)),
        _ => Err(Fault::value("the firewall takes an IPv4 address or prefix")),
    }
}

/// The ports of a mapping; 0 for any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Ports {
    external: u16,
    /// The last of a range; 0 for none.
    end: u16,
    internal: u16,
}

fn parse_ports(text: Option<&str>) -> (u16, u16) {
    let text = text.unwrap_or_default().trim();
    let (first, last) = text.split_once(['-', ':']).unwrap_or((text, ""));
    (first.trim().parse().unwrap_or(0), last.trim().parse().unwrap_or(0))
}

impl Ports {
    fn read(cx: &mut Context, row: &Row) -> Result<Self> {
        if let Some(lease) = upnp::lease(cx, row)? {
            return Ok(Self { external: lease.external, end: 0, internal: lease.internal });
        }
        let section = cx.section(row)?;
        let (external, end) = parse_ports(section.get("src_dport"));
        let (internal, _) = parse_ports(section.get("dest_port"));
        // Without one of its own, the port stays as it came.
        Ok(Self { external, end, internal: if internal == 0 { external } else { internal } })
    }
}

fn set_ports(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let before = Ports::read(cx, row).map_err(|error| ("ExternalPort", Fault::from(error)))?;
    let value = |name, before| values.get(name).map_or(before, |text| text.parse::<u16>().unwrap_or(before));
    let mut ports = Ports {
        external: value("ExternalPort", before.external),
        end: value("ExternalPortEndRange", before.end),
        internal: value("InternalPort", before.internal),
    };
    if values.get("InternalPort").is_none() && before.internal == before.external {
        // What was never set apart goes along.
        ports.internal = ports.external;
    }
    if ports.end != 0 && (ports.external == 0 || ports.end < ports.external) {
        let fault = Fault::value("the range ends before its ExternalPort");
        let blamed = if values.get("ExternalPortEndRange").is_some() { "ExternalPortEndRange" } else { "ExternalPort" };
        return Err((blamed, fault));
    }
    if ports.internal == 0 && ports.external != 0 {
        return Err(("InternalPort", Fault::value("0 is no port to forward to")));
    }
    let range =
        |first: u16| if ports.end > ports.external { format!("{first}-{}", ports.end) } else { first.to_string() };
    let external = (ports.external != 0).then(|| range(ports.external));
    // A range keeps its ports, or all of it goes to one.
    let internal = match ports.internal {
        0 => None,
        port if port == ports.external => Some(range(port)),
        port => Some(port.to_string()),
    };
    if ports == before {
        return Ok(());
    }
    cx.set_option(row, "src_dport", external.as_deref()).map_err(|fault| ("ExternalPort", fault))?;
    cx.set_option(row, "dest_port", internal.as_deref()).map_err(|fault| ("InternalPort", fault))?;
    firewall::keep_connection_requests(cx).map_err(|fault| ("ExternalPort", fault))
}

/// A redirect of both protocols, which TR-181 does not have, reads as TCP and stays as it is until it is changed.
fn protocol(cx: &mut Context, row: &Row) -> Result<Text> {
    if let Some(lease) = upnp::lease(cx, row)? {
        return Ok(Text::Borrowed(lease.protocol));
    }
    let section = cx.section(row)?;
    let protocols = section.list("proto").join(" ").to_ascii_lowercase();
    let udp_alone =
        protocols.split_ascii_whitespace().all(|name| matches!(name, "udp" | "17")) && !protocols.is_empty();
    Ok(Text::Borrowed(if udp_alone { "UDP" } else { "TCP" }))
}

fn set_protocol(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    cx.set_option(row, "proto", Some(if value == "UDP" { "udp" } else { "tcp" }))?;
    firewall::keep_connection_requests(cx)
}

/// The name that was asked for, with the address that it had then, is the agent's own; UCI has the address.
fn internal_client(cx: &mut Context, row: &Row) -> Result<Text> {
    if let Some(lease) = upnp::lease(cx, row)? {
        return Ok(Text::Owned(lease.client.to_string()));
    }
    let address = cx.option(row, "dest_ip")?.unwrap_or_default();
    let asked = cx.own(&own_name(cx, row, "InternalClient")).unwrap_or_default();
    Ok(Text::Owned(match asked.split_once('=') {
        Some((name, then)) if then == address => String::from(name),
        _ => address,
    }))
}

fn set_internal_client(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let wanted = enabled(cx, row)?;
    let asked = own_name(cx, row, "InternalClient");
    if value.is_empty() {
        cx.set_own(&asked, None);
        cx.set_option(row, "dest_ip", None)?;
        return settle(cx, row, wanted);
    }
    let address = match value.parse::<Ipv4Addr>() {
        Ok(address) => {
            cx.set_own(&asked, None);
            address
        }
        Err(_) => {
            let address = address_of_host(cx, value)?;
            let address = address.ok_or_else(|| Fault::value("no host of this name has an address here"))?;
            cx.set_own(&asked, Some(&format!("{value}={address}")));
            address
        }
    };
    if address.is_unspecified() || address.is_loopback() || address.is_multicast() || address.is_broadcast() {
        return Err(Fault::value("not the address of a host"));
    }
    cx.set_option(row, "dest_ip", Some(&address.to_string()))?;
    let zone = zone_of_address(cx, address)?;
    if let Some(zone) = zone {
        cx.set_option(row, "dest", Some(&zone))?;
    } else if cx.option(row, "dest")?.is_none() {
        cx.set_option(row, "dest", Some("lan"))?;
    }
    settle(cx, row, wanted)
}

/// The address of a host that has a static or dynamic lease by this name.
fn address_of_host(cx: &mut Context, name: &str) -> Result<Option<Ipv4Addr>> {
    let hosts = cx.package("dhcp")?.sections().filter(|section| section.kind() == "host");
    let mut named = hosts.filter(|host| host.get("name").is_some_and(|known| known.eq_ignore_ascii_case(name)));
    let fixed = named.find_map(|host| host.get("ip")?.parse().ok());
    drop(named);
    if fixed.is_some() {
        return Ok(fixed);
    }
    let leases = crate::device::dhcpv4::leases(cx)?;
    let lease = leases.iter().find(|lease| lease.name.eq_ignore_ascii_case(name));
    Ok(lease.map(|lease| lease.address))
}

/// The zone of the interface whose subnet has an address.
pub(in crate::device) fn zone_of_address(cx: &mut Context, address: Ipv4Addr) -> Result<Option<String>> {
    for zone in zone::all(cx)?.iter() {
        for interface in &zone.interfaces {
            if let Some(subnet) = crate::device::dhcpv4::subnet(cx, interface)? {
                let mask = u32::from(mask_of_prefix(subnet.prefix));
                if u32::from(subnet.address) & mask == u32::from(address) & mask {
                    return Ok(Some(zone.name.clone()));
                }
            }
        }
    }
    Ok(None)
}
