//! `Device.Bridging.`: the bridges of netifd, their ports, and the VLANs of those that filter by them.

mod bridge;
mod port;
mod vlan;
mod vlan_port;

pub(super) use port::device as device_of_port;

use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, constant, count, ro};
use crate::model::value::UNSIGNED_INT;

/// The table of bridges.
pub const BRIDGES: &str = "Device.Bridging.Bridge.";
/// The tables of ports. A management port is known by the name of its bridge, any other by its device, or by `wifi` and the section of its SSID.
pub const PORTS: &str = "Device.Bridging.Bridge.{i}.Port.";

/// The most bridges that there can be.
const MOST_BRIDGES: usize = 32;

/// TR-181 2.17 Device.Bridging.
pub static BRIDGING: Object = Object::single(
    "Device.Bridging.",
    &[
        ro("MaxBridgeEntries", UNSIGNED_INT, constant("32")),
        ro("MaxDBridgeEntries", UNSIGNED_INT, constant("32")),
        ro("MaxQBridgeEntries", UNSIGNED_INT, constant("32")),
        ro("MaxVLANEntries", UNSIGNED_INT, constant("4094")),
        ro("BridgeNumberOfEntries", UNSIGNED_INT, count("Bridge")),
    ],
);

/// The objects of this directory.
pub static OBJECTS: &[&Object] =
    &[&BRIDGING, &bridge::BRIDGE, &bridge::STP, &port::PORT, &port::PORT_STATS, &vlan::VLAN, &vlan_port::VLAN_PORT];

/// The name of the device of a bridge.
fn bridge_name(cx: &mut Context, bridge: &Row) -> Result<String> {
    Ok(cx.option(bridge, "name")?.unwrap_or_default())
}

/// The bridge around a row.
fn bridge_of(cx: &Context, row: &Row) -> std::rc::Rc<Row> {
    row.parent().cloned().unwrap_or_else(|| cx.root())
}

/// Takes what is there already.
fn same(value: &str, now: &str, reason: &str) -> Result<(), Fault> {
    if value == now { Ok(()) } else { Err(Fault::value(reason)) }
}
