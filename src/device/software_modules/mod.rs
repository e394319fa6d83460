//! `Device.SoftwareModules.`: packages are deployment units, init scripts are execution units, OpenWrt is the one place where they run.

mod deployment;
mod execution;
mod installed;

use crate::device::device_info::memory::kibibytes;
use crate::error::{Fault, Result};
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Notification, Object, Rows, Table, Text, alias, always, constant, count, get, get_set, ro, rw,
};
use crate::model::value::{BOOLEAN, INT, STRING, UNSIGNED_INT};

const EXEC_ENV: &str = "Device.SoftwareModules.ExecEnv.";
const DEPLOYMENT_UNIT: &str = "Device.SoftwareModules.DeploymentUnit.";
const EXECUTION_UNIT: &str = "Device.SoftwareModules.ExecutionUnit.";
/// What the row of the one execution environment is known by.
const OPENWRT: &str = "openwrt";

/// TR-181 2.17 Device.SoftwareModules.
pub static SOFTWARE_MODULES: Object = Object::single(
    "Device.SoftwareModules.",
    &[
        ro("ExecEnvNumberOfEntries", UNSIGNED_INT, count("ExecEnv")),
        ro("DeploymentUnitNumberOfEntries", UNSIGNED_INT, count("DeploymentUnit")),
        ro("ExecutionUnitNumberOfEntries", UNSIGNED_INT, count("ExecutionUnit")),
    ],
);

/// TR-181 2.17 Device.SoftwareModules.ExecEnv.{i}.
pub static ENVIRONMENT: Object = Object::table(
    "Device.SoftwareModules.ExecEnv.{i}.",
    Table::new(Rows::Keys(|_, _| Ok(vec![String::from(OPENWRT)]))).keys(&[always(&["Name"])]),
    &[
        rw("Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), set_enable)),
        ro("Status", STRING.values(&["Up", "Error", "Disabled"]), constant("Up")),
        alias(),
        ro("Name", STRING.lengths(&[(0, 256)]), constant("OpenWrt")),
        ro("Type", STRING.lengths(&[(0, 64)]), constant("OpenWrt")),
        ro("Vendor", STRING.lengths(&[(0, 128)]), constant("OpenWrt")),
        ro("Version", STRING.lengths(&[(0, 32)]), get(version)),
        ro("AllocatedDiskSpace", INT.ranges(&[(-1, i64::MAX)]), constant("-1")),
        ro("AllocatedMemory", INT.ranges(&[(-1, i64::MAX)]), constant("-1")),
        ro("AvailableDiskSpace", INT.ranges(&[(-1, i64::MAX)]), constant("-1")).notification(Notification::CanDeny),
        ro("AvailableMemory", INT.ranges(&[(-1, i64::MAX)]), get(memory)).notification(Notification::CanDeny),
        ro("ActiveExecutionUnits", STRING.strong(&[EXECUTION_UNIT]).list(), get(execution::active))
            .notification(Notification::CanDeny),
    ],
);

/// The objects of this directory.
pub static OBJECTS: &[&Object] = &[
    &SOFTWARE_MODULES,
    &ENVIRONMENT,
    &deployment::DEPLOYMENT_UNIT,
    &execution::EXECUTION_UNIT,
    &execution::EXTENSIONS,
];

fn set_enable(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    match value {
        "true" => Ok(()),
        _ => Err(Fault::value("the agent itself runs in it: it cannot be switched off")),
    }
}

/// `DISTRIB_RELEASE` of `/etc/openwrt_release`.
fn version(cx: &mut Context, _: &Row) -> Result<Text> {
    let release = cx.file("/etc/openwrt_release").unwrap_or_else(|_| "".into());
    let version = release.lines().find_map(|line| line.strip_prefix("DISTRIB_RELEASE="));
    Ok(Text::Owned(version.unwrap_or_default().trim_matches(['\'', '"']).chars().take(32).collect()))
}

fn memory(cx: &mut Context, _: &Row) -> Result<Text> {
    let available = kibibytes(cx, &["MemAvailable"]).ok().flatten().and_then(|size| i32::try_from(size).ok());
    Ok(available.map_or(Text::Borrowed("-1"), |size| Text::Owned(size.to_string())))
}

/// The path of the one execution environment.
fn environment(cx: &mut Context, _: &Row) -> Result<Text> {
    Ok(cx.path_of_key(EXEC_ENV, OPENWRT).map_or(Text::Borrowed(""), Text::Owned))
}
