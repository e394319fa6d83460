//! The zones of the firewall and the interfaces in them.

use std::rc::Rc;

use super::PACKAGE;
use crate::device::layers;
use crate::error::{Fault, Result};
use crate::model::access::uci_truth;
use crate::model::context::Context;
use crate::platform::uci::SectionId;

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
            zone.interfaces.retain(|name| {
                let proto = network.find(name).and_then(|section| section.get("proto"));
                // Interfaces of IPv6 alone share the zone with those of IPv4.
                !matches!(proto, Some("dhcpv6" | "6in4" | "6rd" | "6to4"))
            });
        }
        Ok(zones)
    })
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

/// Sets or takes away what `masq` says in a zone.
pub(super) fn set_masquerading(cx: &mut Context, zone: &Zone, value: Option<bool>) -> Result<(), Fault> {
    if zone.masquerades == value {
        return Ok(());
    }
    let name = cx.section_name(PACKAGE, zone.id)?;
    let package = cx.package_mut(PACKAGE)?;
    let refused = |error: crate::platform::uci::EditError| Fault::internal(error.to_string());
    package.rename_section(zone.id, &name).map_err(refused)?;
    match value {
        Some(value) => package.set(zone.id, "masq", if value { "1" } else { "0" }).map(|_| ()).map_err(refused),
        None => {
            package.remove(zone.id, "masq");
            Ok(())
        }
    }
}
