//! `Device.NAT.` (TR-181 2.17): masquerading and port mappings of the firewall.

mod interface_setting;
mod port_mapping;
mod upnp;
pub(super) mod zone;

pub(super) use port_mapping::{settle_all as settle_port_mappings, settle_one as settle_port_mapping, zone_of_address};

use crate::model::schema::{Object, constant, count, ro};
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
        ro("MaxNumberOfPortMappings", UNSIGNED_INT, constant("256")),
        // Ports that open when something goes out are more than fw4 can do.
        ro("PortTriggerNumberOfEntries", UNSIGNED_INT, constant("0")),
        ro("MaxNumberOfPortTriggers", UNSIGNED_INT, constant("0")),
    ],
);

/// The objects of NAT, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&NAT, &interface_setting::INTERFACE_SETTING, &port_mapping::PORT_MAPPING];
