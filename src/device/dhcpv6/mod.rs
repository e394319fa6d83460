//! `Device.DHCPv6.` (TR-181 2.17): the clients of netifd (odhcp6c), and the server, which is odhcpd.

mod client;
mod client_option;
mod lease;
mod pool;

pub(in crate::device) use client::DHCPV6 as CLIENT;
pub use pool::{from_names, to_names};

use crate::model::schema::{Object, count, ro};
use crate::model::value::UNSIGNED_INT;

static DHCPV6: Object = Object::single("Device.DHCPv6.", &[ro("ClientNumberOfEntries", UNSIGNED_INT, count("Client"))]);

/// The objects of DHCPv6, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[
    &DHCPV6,
    &client::CLIENT,
    &client_option::SENT_OPTION,
    &client_option::RECEIVED_OPTION,
    &pool::SERVER,
    &pool::POOL,
    &pool::OPTION,
    &lease::CLIENT,
    &lease::ADDRESS,
    &lease::PREFIX,
    &lease::OPTION,
];
