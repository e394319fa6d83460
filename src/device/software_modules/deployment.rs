//! `Device.SoftwareModules.DeploymentUnit.{i}.`: the installed packages.

use md5::{Digest, Md5};

use super::{DEPLOYMENT_UNIT as TABLE, EXEC_ENV, EXECUTION_UNIT, environment, installed};
use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::format::{UUID, is_uuid};
use crate::model::schema::{Notification, Object, Rows, Table, Text, alias, always, constant, get, own, ro};
use crate::model::value::{BOOLEAN, DATE_TIME, STRING, UNKNOWN_TIME};
use crate::platform::packages::Package;

/// The namespace of the names that our UUIDs are made of (RFC 4122 appendix C: names that are URLs).
const NAMESPACE: [u8; 16] =
    [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

/// TR-181 2.17 Device.SoftwareModules.DeploymentUnit.{i}.; a package is known by its name. What its installation by the ACS leaves behind (UUID,
/// URL, dates) is kept by the agent under the names of the parameters.
pub(super) static DEPLOYMENT_UNIT: Object = Object::table(
    "Device.SoftwareModules.DeploymentUnit.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(installed::packages(cx)?.keys().to_vec()))).keys(&[always(&[
        "UUID",
        "Version",
        "ExecutionEnvRef",
    ])]),
    &[
        ro("UUID", STRING.lengths(&[(36, 36)]).format(UUID), get(uuid)),
        ro("DUID", STRING.lengths(&[(0, 64)]), get(|cx, row| Ok(Text::Owned(cx.key(row)?.chars().take(64).collect())))),
        alias(),
        ro("Name", STRING.lengths(&[(0, 256)]), get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro(
            "Status",
            STRING.values(&["Installing", "Installed", "Updating", "Uninstalling", "Uninstalled"]),
            constant("Installed"),
        )
        .notification(Notification::CanDeny),
        ro("Resolved", BOOLEAN, constant("true")),
        ro("URL", STRING.lengths(&[(0, 2048)]), own("")),
        ro(
            "Description",
            STRING.lengths(&[(0, 256)]),
            get(|cx, row| said(cx, row, |package| &package.description, 256)),
        ),
        ro("Vendor", STRING.lengths(&[(0, 128)]), get(|cx, row| said(cx, row, |package| &package.maintainer, 128))),
        ro("Version", STRING.lengths(&[(0, 32)]), get(version)),
        ro("VendorLogList", STRING.strong(&["Device.DeviceInfo.VendorLogFile."]).list(), constant("")),
        ro("VendorConfigList", STRING.strong(&["Device.DeviceInfo.VendorConfigFile."]).list(), constant("")),
        ro("ExecutionUnitList", STRING.strong(&[EXECUTION_UNIT]).list(), get(execution_units)),
        ro("ExecutionEnvRef", STRING.strong(&[EXEC_ENV]), get(environment)),
        ro("Installed", DATE_TIME, own(UNKNOWN_TIME)),
        ro("LastUpdate", DATE_TIME, own(UNKNOWN_TIME)),
    ],
);

/// The one that the ACS gave, or one made of the name (version 3, TR-181 2.17 DeploymentUnit.{i}.UUID).
fn uuid(cx: &mut Context, row: &Row) -> Result<Text> {
    let given = cx.own(&format!("{TABLE}{}.UUID", row.number()));
    Ok(Text::Owned(match given {
        Some(given) if is_uuid(&given) => given,
        _ => uuid_of(&cx.key(row)?),
    }))
}

/// RFC 4122 4.3, with MD5.
fn uuid_of(name: &str) -> String {
    let mut hasher = Md5::new();
    hasher.update(NAMESPACE);
    hasher.update(b"https://openwrt.org/packages/");
    hasher.update(name.as_bytes());
    let mut number = u128::from_be_bytes(hasher.finalize().into());
    number = number & !(0xf << 76) | 3 << 76;
    number = number & !(0b11 << 62) | 0b10 << 62;
    let part = |shift: u32, digits: u32| (number >> shift) & ((1 << (4 * digits)) - 1);
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", part(96, 8), part(80, 4), part(64, 4), part(48, 4), part(0, 12))
}

fn said(cx: &mut Context, row: &Row, field: fn(&Package) -> &String, longest: usize) -> Result<Text> {
    let name = cx.key(row)?;
    Ok(installed::text(installed::package(cx, &name)?, field, longest))
}

fn version(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = cx.key(row)?;
    Ok(installed::text(installed::packages(cx)?.get(&name).cloned(), |package| &package.version, 32))
}

/// The init scripts of the package, in the order of their names.
fn execution_units(cx: &mut Context, row: &Row) -> Result<Text> {
    let name = cx.key(row)?;
    let owners = installed::owners(cx)?;
    let scripts = owners.iter().filter(|(_, owner)| **owner == name);
    let paths: Vec<String> = scripts.filter_map(|(script, _)| cx.path_of_key(EXECUTION_UNIT, script)).collect();
    Ok(Text::Owned(paths.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python's `uuid.uuid3(uuid.NAMESPACE_URL, ...)` makes of it.
    #[test]
    fn uuids_are_made_of_names() {
        assert_eq!(uuid_of("sqm-scripts"), "0f513170-0791-329c-b281-8f633200c89a");
        assert!(is_uuid(&uuid_of("")));
    }
}
