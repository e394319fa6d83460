//! `Device.DNS.` (TR-181 2.17): the servers of the interfaces, and dnsmasq, which asks them for the LAN.

mod client;
#[cfg(feature = "diagnostics")]
pub mod diagnostics;
mod relay;
mod servers;

use crate::model::schema::{Object, constant, ro};
use crate::model::value::STRING;

/// The table of logical interfaces.
const INTERFACE: &str = "Device.IP.Interface.";

static DNS: Object = Object::single(
    "Device.DNS.",
    &[ro("SupportedRecordTypes", STRING.values(&["A", "AAAA", "SRV", "PTR"]).list(), constant("A,AAAA,PTR"))],
);

/// The objects of DNS, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&DNS, &client::CLIENT, &client::SERVER, &relay::RELAY, &relay::FORWARDING];
