//! The rule that lets the packets of one host through to the UDP echo server (TR-181 2.17 Device.IP.Diagnostics.UDPEchoConfig.).

use std::net::IpAddr;

use super::{PACKAGE, UDP_ECHO, refused};
use crate::device::nat::zone;
use crate::error::{Fault, Result};
use crate::model::context::Context;

/// Whose packets are let through, and to which port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::device) struct EchoHole {
    /// The name of the logical interface that they come in by; empty for any.
    pub(in crate::device) interface: String,
    /// The host.
    pub(in crate::device) source: IpAddr,
    /// The port of the server.
    pub(in crate::device) port: u16,
}

/// Makes, changes or takes away the rule. A router without zones has no firewall to let something through.
///
/// # Errors
/// When the configuration cannot be read or edited.
pub(in crate::device) fn let_udp_echo_in(cx: &mut Context, hole: Option<&EchoHole>) -> Result<(), Fault> {
    let zone = match hole {
        None => None,
        Some(hole) if hole.interface.is_empty() => (!zone::all(cx)?.is_empty()).then(|| String::from("*")),
        Some(hole) => zone::of_any_interface(cx, &hole.interface)?.map(|zone| zone.name),
    };
    let kept = cx.package(PACKAGE)?.find(UDP_ECHO).map(|section| section.id());
    let (Some(hole), Some(zone)) = (hole, zone) else {
        if let Some(kept) = kept {
            cx.package_mut(PACKAGE)?.remove_section(kept);
        }
        return Ok(());
    };
    let (source, port) = (hole.source.to_string(), hole.port.to_string());
    let options = [
        ("name", "UDP echo"),
        ("src", zone.as_str()),
        ("src_ip", source.as_str()),
        ("proto", "udp"),
        ("dest_port", port.as_str()),
        ("target", "ACCEPT"),
    ];
    if let Some(section) = cx.package(PACKAGE)?.find(UDP_ECHO) {
        if options.iter().all(|(option, value)| section.get(option) == Some(value)) {
            return Ok(());
        }
    }
    let package = cx.package_mut(PACKAGE)?;
    let id = match kept {
        Some(id) => id,
        None => package.add_section("rule", Some(UDP_ECHO)).map_err(refused)?,
    };
    for (option, value) in options {
        package.set(id, option, value).map_err(refused)?;
    }
    Ok(())
}
