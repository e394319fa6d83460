//! That no redirect takes the connection requests of the ACS away from the agent.
//!
//! A DMZ, or a port mapping of all ports, takes what comes in from outside before the router sees it. fw4 goes by the order of the redirects, so that
//! one for the port of connection requests, to the router itself, stands before the first that would take them, for as long as there is one.

use super::{PACKAGE, refused};
use crate::device::layers::way;
use crate::device::nat::zone;
use crate::error::{Fault, Result};
use crate::model::access::uci_truth;
use crate::model::context::Context;
use crate::platform::uci::{Section, SectionId};

/// The name of the section.
const KEEP: &str = "cwmpd_keep";

/// Whether a section is the one that keeps connection requests here.
pub(super) fn is_keep(section: &Section<'_>) -> bool {
    section.name() == Some(KEEP)
}

/// Whether a redirect takes TCP to a port away to another host.
fn takes(section: &Section<'_>, zone: &str, port: u16) -> bool {
    let protocols = section.list("proto").join(" ").to_ascii_lowercase();
    let mut words = protocols.split_ascii_whitespace();
    let tcp = protocols.is_empty() || words.any(|word| matches!(word, "tcp" | "6" | "tcpudp" | "all" | "any" | "*"));
    let ports = super::matching::Ports::parse(section.get("src_dport"));
    let within = (ports.first..=ports.last.max(ports.first)).contains(&i32::from(port)) != ports.exclude;
    section.kind() == "redirect"
        && !is_keep(section)
        && section.get("target").is_none_or(|target| target.eq_ignore_ascii_case("DNAT"))
        && section.get("enabled").and_then(uci_truth) != Some(false)
        && section.get("src") == Some(zone)
        && section.get("dest_ip").is_some()
        && tcp
        && (ports.is_any() || within)
}

/// Makes, moves or takes away the redirect that keeps connection requests here.
///
/// # Errors
/// When the configuration cannot be read or edited.
pub(in crate::device) fn keep_connection_requests(cx: &mut Context) -> Result<(), Fault> {
    let interface = way(cx)?;
    let cpe = cx.package("cwmpd")?.find("cpe");
    let port = cpe.and_then(|cpe| cpe.get("listen_port")?.parse().ok()).unwrap_or(7547);
    let zone = zone::of_any_interface(cx, &interface)?.map(|zone| zone.name);
    let package = cx.package(PACKAGE)?;
    let first: Option<SectionId> = zone
        .as_deref()
        .and_then(|zone| package.sections().find(|section| takes(section, zone, port)))
        .map(|section| section.id());
    let kept = package.find(KEEP).map(|section| section.id());
    let (first, zone) = match (first, zone, kept) {
        (Some(first), Some(zone), _) => (first, zone),
        (_, _, None) => return Ok(()),
        (_, _, Some(kept)) => {
            cx.package_mut(PACKAGE)?.remove_section(kept);
            return Ok(());
        }
    };
    let package = cx.package_mut(PACKAGE)?;
    let id = match kept {
        Some(id) => id,
        None => package.add_section("redirect", Some(KEEP)).map_err(refused)?,
    };
    let port = port.to_string();
    let options =
        [("name", "Connection requests"), ("target", "DNAT"), ("src", &zone), ("proto", "tcp"), ("src_dport", &port)];
    for (option, value) in options {
        package.set(id, option, value).map_err(refused)?;
    }
    let is_before = package.sections().take_while(|section| section.id() != first).any(|section| section.id() == id);
    if !is_before {
        package.move_section(id, Some(first));
    }
    Ok(())
}
