//! `Device.Routing.` (TR-181 2.17): the main routing table, static routes of netifd and those that the kernel has by itself.

mod information;
mod ipv4;
mod ipv6;
mod rip;
mod route;

use crate::error::{Fault, FaultCode, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, constant, count, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

/// The table of logical interfaces.
const INTERFACE: &str = "Device.IP.Interface.";

static ROUTING: Object =
    Object::single("Device.Routing.", &[ro("RouterNumberOfEntries", UNSIGNED_INT, count("Router"))]);

static ROUTER: Object = Object::table(
    "Device.Routing.Router.{i}.",
    // As many as there are tables that netifd fills by itself.
    Table::new(Rows::Keys(|_, _| Ok(vec![String::from("main")])))
        .added_by(|_, _| Err(FaultCode::RESOURCES_EXCEEDED.into()))
        .deleted_by(|_, _| Err(Fault::new(FaultCode::REQUEST_DENIED, "the router needs its routing table")))
        .enabled_by("Enable")
        .at_most(1),
    &[
        rw("Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), only_true)).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error"]), constant("Enabled")),
        alias(),
        ro("IPv4ForwardingNumberOfEntries", UNSIGNED_INT, count("IPv4Forwarding")),
        ro("IPv6ForwardingNumberOfEntries", UNSIGNED_INT, count("IPv6Forwarding")),
    ],
);

/// The objects of routing, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[
    &ROUTING,
    &ROUTER,
    &ipv4::FORWARDING,
    &ipv6::FORWARDING,
    &information::INFORMATION,
    &information::INTERFACE_SETTING,
    &rip::RIP,
    &rip::INTERFACE_SETTING,
];

fn only_true(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if value == "true" { Ok(()) } else { Err(Fault::value("a router that does not route is none")) }
}
