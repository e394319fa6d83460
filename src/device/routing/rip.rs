//! `Device.Routing.RIP.`: OpenWrt has no RIP of its own, so that it is off and has no interfaces; the profiles of routing want it there.

use super::INTERFACE;
use crate::error::{Fault, FaultCode};
use crate::model::schema::{Object, Rows, Table, Text, alias, constant, count, functional, get_set, ro, rw};
use crate::model::value::{BOOLEAN, STRING, UNSIGNED_INT};

/// TR-181 2.17 Device.Routing.RIP.
pub(super) static RIP: Object = Object::single(
    "Device.Routing.RIP.",
    &[
        rw("Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), |_, _, value| off(value))),
        ro("SupportedModes", STRING.values(&["Send", "Receive", "Both"]), constant("")),
        ro("InterfaceSettingNumberOfEntries", UNSIGNED_INT, count("InterfaceSetting")),
    ],
);

/// TR-181 2.17 Device.Routing.RIP.InterfaceSetting.{i}.
pub(super) static INTERFACE_SETTING: Object = Object::table(
    "Device.Routing.RIP.InterfaceSetting.{i}.",
    Table::new(Rows::Keys(|_, _| Ok(Vec::new())))
        .added_by(|_, _| Err(Fault::new(FaultCode::REQUEST_DENIED, NONE)))
        .deleted_by(|_, _| Err(Fault::new(FaultCode::REQUEST_DENIED, NONE)))
        .keys(&[functional(&["Interface"])])
        .enabled_by("Enable"),
    &[
        rw("Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), |_, _, value| off(value))).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]), constant("Disabled")),
        alias(),
        rw(
            "Interface",
            STRING.strong(&[INTERFACE]).lengths(&[(0, 256)]),
            get_set(|_, _| Ok(Text::Borrowed("")), |_, _, value| empty(value)),
        )
        .default(""),
        rw("AcceptRA", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), |_, _, value| off(value))),
        rw("SendRA", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("false")), |_, _, value| off(value))),
    ],
);

const NONE: &str = "no routing daemon with RIP is installed";

fn off(value: &str) -> Result<(), Fault> {
    if value == "false" { Ok(()) } else { Err(Fault::value(NONE)) }
}

fn empty(value: &str) -> Result<(), Fault> {
    if value.is_empty() { Ok(()) } else { Err(Fault::value(NONE)) }
}
