//! The zones of the firewall and the interfaces in them.

use std::rc::Rc;

use super::PACKAGE;
use crate::device::{ip, layers};
use crate::error::{Fault, Result};
use crate::model::access::uci_truth;
use crate::model::context::Context;
use crate::platform::uci::{EditError, Package, SectionId};

/// A zone.
#[derive(Clone, Debug)]
pub(in crate::device) struct Zone {
    pub(in crate::device) id: SectionId,
    pub(in crate::device) name: String,
    /// What `masq` says; `None` where there is no such option.
    pub(super) masquerades: Option<bool>,
    /// The interfaces that can have IPv4, in the order of the file.
    pub(in crate::device) interfaces: Vec<String>,
    /// All interfaces, in the order of the file.
    pub(in crate::device) all_interfaces: Vec<String>,
}

/// All zones, read once a request.
pub(in crate::device) fn all(cx: &mut Context) -> Result<Rc<Vec<Zone>>> {
    cx.memo("firewall zones", |cx| {
        let mut zones = Vec::new();
        for section in cx.package(PACKAGE)?.sections().filter(|section| section.kind() == "zone") {
            let Some(name) = section.get("name") else { continue };
            let networks = section.list("network");
            let interfaces: Vec<String> =
                networks.iter().flat_map(|item| item.split_ascii_whitespace()).map(String::from).collect();
            zones.push(Zone {
                id: section.id(),
                name: String::from(name),
                masquerades: section.value("masq").map(|_| section.get("masq").and_then(uci_truth).unwrap_or(false)),
                all_interfaces: interfaces.clone(),
                interfaces,
            });
        }
        let network = cx.package("network")?;
        for zone in &mut zones {
            // Interfaces of IPv6 alone share the zone with those of IPv4.
            zone.interfaces.retain(|name| !is_only_ipv6(network, name));
        }
        Ok(zones)
    })
}

fn is_only_ipv6(network: &Package, interface: &str) -> bool {
    let proto = network.find(interface).and_then(|section| section.get("proto"));
    proto.is_some_and(ip::interface::is_ipv6)
}

/// Whether an interface that is in no zone can be put into one: the loopback interface cannot.
pub(in crate::device) fn can_join(cx: &mut Context, interface: &str) -> Result<bool> {
    let section = cx.package("network")?.find(interface).filter(|section| section.kind() == "interface");
    Ok(section.is_some_and(|section| section.get("device").or_else(|| section.get("ifname")) != Some("lo")))
}

/// The same for NAT, which is for IPv4.
pub(super) fn can_join_for_nat(cx: &mut Context, interface: &str) -> Result<bool> {
    Ok(can_join(cx, interface)? && !is_only_ipv6(cx.package("network")?, interface))
}

/// The zone of an interface.
pub(in crate::device) fn of_interface(cx: &mut Context, interface: &str) -> Result<Option<Zone>> {
    Ok(all(cx)?.iter().find(|zone| zone.interfaces.iter().any(|name| name == interface)).cloned())
}

/// The zone of an interface, be it one of IPv6 alone.
pub(in crate::device) fn of_any_interface(cx: &mut Context, interface: &str) -> Result<Option<Zone>> {
    Ok(all(cx)?.iter().find(|zone| zone.all_interfaces.iter().any(|name| name == interface)).cloned())
}

/// The zone of this name.
pub(in crate::device) fn of_name(cx: &mut Context, name: &str) -> Result<Option<Zone>> {
    Ok(all(cx)?.iter().find(|zone| zone.name == name).cloned())
}

/// The zone towards the internet: that of the way to the ACS, if it is one for NAT or called `wan`, even while NAT is switched off there. Else the
/// first that masquerades, or the one that is called `wan`.
pub(in crate::device) fn outside(cx: &mut Context) -> Result<Option<Zone>> {
    let way = layers::way(cx)?;
    let of_way = of_any_interface(cx, &way)?;
    if let Some(zone) = of_way.filter(|zone| zone.masquerades.is_some() || zone.name == "wan") {
        return Ok(Some(zone));
    }
    let zones = all(cx)?;
    let first = zones.iter().find(|zone| zone.masquerades == Some(true));
    Ok(first.or_else(|| zones.iter().find(|zone| zone.name == "wan")).cloned())
}

/// Puts an interface into a zone, or takes it out.
pub(super) fn set_member(cx: &mut Context, zone: &Zone, interface: &str, member: bool) -> Result<(), Fault> {
    let name = cx.section_name(PACKAGE, zone.id)?;
    let others = zone.all_interfaces.iter().map(String::as_str).filter(|other| *other != interface);
    let items: Vec<&str> = others.chain(member.then_some(interface)).collect();
    let package = cx.package_mut(PACKAGE)?;
    let refused = |error: EditError| Fault::internal(error.to_string());
    package.rename_section(zone.id, &name).map_err(refused)?;
    if items.is_empty() {
        package.remove(zone.id, "network");
        return Ok(());
    }
    package.set_list(zone.id, "network", &items).map(drop).map_err(refused)
}

/// The mark of a zone that the agent has made.
fn made(section: &str) -> String {
    format!("{PACKAGE}.zone.{section}.made")
}

/// Gives an interface that is in no zone one of its own, for rules to name. fw4 takes the policies that a zone does not have from `defaults`, and these
/// are what counts for an interface without a zone: by itself the new one changes nothing.
pub(in crate::device) fn make(cx: &mut Context, interface: &str) -> Result<Zone, Fault> {
    let (id, name) = cx.add_section(PACKAGE, "zone", &[])?;
    let package = cx.package_mut(PACKAGE)?;
    let refused = |error: EditError| Fault::internal(error.to_string());
    package.set(id, "name", &name).map_err(refused)?;
    package.set_list(id, "network", &[interface]).map_err(refused)?;
    cx.set_own(&made(&name), Some("1"));
    of_name(cx, &name)?.ok_or_else(|| Fault::internal("the new zone is gone"))
}

/// Whether a zone is one that [`make`] has made, and that nobody has added something to.
pub(super) fn is_as_made(cx: &mut Context, zone: &Zone) -> Result<bool> {
    let name = cx.section_name(PACKAGE, zone.id)?;
    let section = cx.package(PACKAGE)?.section(zone.id);
    let only = section.is_some_and(|section| section.options().all(|(option, _)| matches!(option, "name" | "network")));
    // It was made for one interface, which may have been deleted since.
    Ok(only && zone.all_interfaces.len() <= 1 && cx.own(&made(&name)).is_some())
}

/// Takes an interface out of the zone that [`make`] has made for it. What names that zone names another one from then on, as if the interface had been
/// in it when the rules were made: the order in which an ACS asks for things means nothing.
pub(super) fn leave_own(cx: &mut Context, interface: &str, to: &Zone) -> Result<(), Fault> {
    let Some(zone) = of_any_interface(cx, interface)? else { return Ok(()) };
    if !is_as_made(cx, &zone)? {
        return Ok(());
    }
    let mut naming = Vec::new();
    for section in cx.package(PACKAGE)?.sections() {
        for option in ["src", "dest"] {
            if section.get(option) == Some(zone.name.as_str()) {
                naming.push((section.id(), option));
            }
        }
    }
    let package = cx.package_mut(PACKAGE)?;
    for (id, option) in naming {
        package.set(id, option, &to.name).map_err(|error| Fault::internal(error.to_string()))?;
    }
    drop_unused(cx)
}

/// Takes the zones away that the agent has made and that nothing names any more. One that a person has added something to stays.
pub(in crate::device) fn drop_unused(cx: &mut Context) -> Result<(), Fault> {
    for zone in all(cx)?.iter() {
        if !is_as_made(cx, zone)? {
            continue;
        }
        let names_it = |option: Option<&str>| option == Some(zone.name.as_str());
        let package = cx.package(PACKAGE)?;
        if !package.sections().any(|section| names_it(section.get("src")) || names_it(section.get("dest"))) {
            let name = cx.section_name(PACKAGE, zone.id)?;
            cx.package_mut(PACKAGE)?.remove_section(zone.id);
            cx.set_own(&made(&name), None);
        }
    }
    Ok(())
}

/// Sets or takes away what `masq` says in a zone.
pub(super) fn set_masquerading(cx: &mut Context, zone: &Zone, value: Option<bool>) -> Result<(), Fault> {
    if zone.masquerades == value {
        return Ok(());
    }
    let name = cx.section_name(PACKAGE, zone.id)?;
    let package = cx.package_mut(PACKAGE)?;
    let refused = |error: EditError| Fault::internal(error.to_string());
    package.rename_section(zone.id, &name).map_err(refused)?;
    match value {
        Some(value) => package.set(zone.id, "masq", if value { "1" } else { "0" }).map(|_| ()).map_err(refused),
        None => {
            package.remove(zone.id, "masq");
            Ok(())
        }
    }
}
