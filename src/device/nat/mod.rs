//! `Device.NAT.` (TR-181 2.17): masquerading and port mappings of the firewall.

mod interface_setting;
mod port_mapping;
mod zone;

pub use port_mapping::leases;

use crate::model::schema::{Object, count, ro};
use crate::model::value::UNSIGNED_INT;

/// The UCI package.
const PACKAGE: &str = "firewall";
/// The table of logical interfaces.
const INTERFACE: &str = "Device.IP.Interface.";

static NAT: Object = Object::single(
    "Device.NAT.",
    &[
        ro("InterfaceSettingNumberOfEntries", UNSIGNED_INT, count("InterfaceSetting")),
        ro("PortMappingNumberOfEntries", UNSIGNED_INT, count("PortMapping")),
    ],
);

/// The objects of NAT, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&NAT, &interface_setting::INTERFACE_SETTING, &port_mapping::PORT_MAPPING];
