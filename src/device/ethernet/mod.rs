//! `Device.Ethernet.`: the ports of the board, the devices that interfaces stand on, and the VLANs between them.

mod interface;
mod link;
mod vlan;

pub use interface::{switch, switched_off};
pub(super) use link::has_link;
pub(super) use vlan::detach_from as detach_vlans;

use super::{layers, net};
use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::format::is_mac;
use crate::model::schema::{Object, Text, count, ro};
use crate::model::value::UNSIGNED_INT;
use crate::platform::uci::SectionId;

/// The table of ports.
pub const INTERFACES: &str = "Device.Ethernet.Interface.";
/// The table of links.
pub const LINKS: &str = "Device.Ethernet.Link.";
/// The table of VLANs.
pub const VLANS: &str = "Device.Ethernet.VLANTermination.";

/// TR-181 2.17 Device.Ethernet.
pub static ETHERNET: Object = Object::single(
    "Device.Ethernet.",
    &[
        ro("InterfaceNumberOfEntries", UNSIGNED_INT, count("Interface")),
        ro("LinkNumberOfEntries", UNSIGNED_INT, count("Link")),
        ro("VLANTerminationNumberOfEntries", UNSIGNED_INT, count("VLANTermination")),
    ],
);

/// The objects of this directory.
pub static OBJECTS: &[&Object] = &[
    &ETHERNET,
    &interface::INTERFACE,
    &interface::INTERFACE_STATS,
    &link::LINK,
    &link::LINK_STATS,
    &vlan::VLAN_TERMINATION,
    &vlan::VLAN_TERMINATION_STATS,
];

/// What a row is known by is the name of its device.
fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Owned(cx.key(row)?))
}

fn mac_address(cx: &mut Context, row: &Row) -> Result<Text> {
    let device = cx.key(row)?;
    // What is staged or not yet applied counts already (CONFORMANCE P-06).
    let set = device_option(cx, &device, "macaddr")?.filter(|mac| is_mac(mac));
    Ok(Text::Owned(set.unwrap_or_else(|| net::mac(cx, &device))))
}

/// The status of what stands on other devices: it is down because they are.
fn upper_status(cx: &mut Context, device: &str) -> &'static str {
    match net::device_status(cx, device) {
        "Down" => "LowerLayerDown",
        status => status,
    }
}

/// The `config device` of a network device, if it has one.
fn device_section(cx: &mut Context, device: &str) -> Result<Option<SectionId>> {
    Ok(layers::network(cx)?.device(device).map(|device| device.id))
}

/// Whether a network device has a `config device`; for one that has, netifd ignores what an interface on it says of the device.
///
/// # Errors
/// When `/etc/config/network` cannot be read.
pub fn has_settings(cx: &mut Context, device: &str) -> Result<bool> {
    Ok(device_section(cx, device)?.is_some())
}

/// An option of the `config device` of a network device.
///
/// # Errors
/// When `/etc/config/network` cannot be read.
pub fn device_option(cx: &mut Context, device: &str, option: &str) -> Result<Option<String>> {
    let Some(id) = device_section(cx, device)? else { return Ok(None) };
    let section = cx.package("network")?.section(id);
    Ok(section.and_then(|section| section.get(option)).filter(|value| !value.is_empty()).map(String::from))
}

/// Sets an option of the `config device` of a network device, which is made if need be, or takes it away.
///
/// # Errors
/// When `/etc/config/network` cannot be read, or UCI cannot hold the value.
pub fn set_device_option(cx: &mut Context, device: &str, option: &str, value: Option<&str>) -> Result<(), Fault> {
    if device_option(cx, device, option)?.as_deref() == value {
        return Ok(());
    }
    let id = match device_section(cx, device)? {
        Some(id) => id,
        None => cx.add_section("network", "device", &[("name", device)])?.0,
    };
    layers::set(cx, id, option, value)
}

/// Takes what is there already.
fn same(value: &str, now: &str) -> Result<(), Fault> {
    if value == now { Ok(()) } else { Err(Fault::value("the router cannot change this")) }
}
