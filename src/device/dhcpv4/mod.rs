//! `Device.DHCPv4.` (TR-181 2.17): the clients of netifd, and the pools, static addresses, options and clients of dnsmasq.

mod client;
mod network;
mod option;
mod pool;
mod static_address;
mod uplink;
mod uplink_option;

pub use client::{Lease, leases};
pub use network::{Subnet, subnet};
pub(in crate::device) use uplink::DHCP as CLIENT;

use crate::error::{Fault, Result};
use crate::model::access::truth;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, count, get_set, ro, rw};
use crate::model::value::{BOOLEAN, UNSIGNED_INT};

/// The UCI package.
const PACKAGE: &str = "dhcp";
/// The table of logical interfaces.
const INTERFACE: &str = "Device.IP.Interface.";
/// The table of pools.
const POOL: &str = "Device.DHCPv4.Server.Pool.";

static DHCPV4: Object = Object::single("Device.DHCPv4.", &[ro("ClientNumberOfEntries", UNSIGNED_INT, count("Client"))]);

static SERVER: Object = Object::single(
    "Device.DHCPv4.Server.",
    &[
        rw("Enable", BOOLEAN, get_set(|cx, _| Ok(truth(!is_off(cx))), set_enable)),
        ro("PoolNumberOfEntries", UNSIGNED_INT, count("Pool")),
    ],
);

/// The objects of DHCPv4, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[
    &DHCPV4,
    &uplink::CLIENT,
    &uplink_option::SENT_OPTION,
    &uplink_option::REQ_OPTION,
    &SERVER,
    &pool::POOL,
    &static_address::STATIC_ADDRESS,
    &option::OPTION,
    &client::CLIENT,
    &client::ADDRESS,
    &client::OPTION,
];

/// The mark that the whole server is off. dnsmasq has no such switch: all pools are off then, and marks keep those that come back with it.
const OFF: &str = "dhcp.server_off";

fn is_off(cx: &Context) -> bool {
    cx.own(OFF).is_some()
}

fn set_enable(cx: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    let off = value == "false";
    if is_off(cx) == off {
        return Ok(());
    }
    let Some(node) = cx.schema().find(POOL) else { return Ok(()) };
    let root = cx.root();
    let rows = cx.rows(node, &root)?;
    for entry in rows.iter() {
        let row = Row::new(node, &root, entry);
        let enabled = pool::enabled(cx, &row)?;
        cx.set_own(OFF, off.then_some("1"));
        pool::settle(cx, &row, enabled)?;
        cx.set_own(OFF, (!off).then_some("1"));
    }
    cx.set_own(OFF, off.then_some("1"));
    Ok(())
}
