//! `Device.DeviceInfo.VendorConfigFile.{i}.` and `VendorLogFile.{i}.`: what Upload can fetch (TR-069a6 A.4.1.5).

use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, Text, alias, always, constant, get, ro};
use crate::model::value::{BOOLEAN, DATE_TIME, STRING, UNKNOWN_TIME, UNSIGNED_INT};
use crate::time::UtcTime;

/// The configuration that the router runs on, in the two forms in which Upload sends and Download takes it. The order is that of their
/// instance numbers, which the FileType `3 Vendor Configuration File i` names: it never changes.
const FORMS: [(&str, &str, &str); 2] = [
    ("running", "backup.tar.gz", "The configuration that runs, as sysupgrade keeps it"),
    ("text", "uci-export.txt", "The packages of UCI, as uci export writes them"),
];

/// TR-181 2.17 Device.DeviceInfo.VendorConfigFile.{i}.
pub static VENDOR_CONFIG_FILE: Object = Object::table(
    "Device.DeviceInfo.VendorConfigFile.{i}.",
    Table::new(Rows::Keys(|_, _| Ok(FORMS.map(|(key, ..)| String::from(key)).into()))).keys(&[always(&["Name"])]),
    &[
        alias(),
        ro("Name", STRING.lengths(&[(0, 64)]), get(|cx, row| form(cx, row, |(_, name, _)| name))),
        // Nothing in UCI or in an archive of sysupgrade says a version.
        ro("Version", STRING.lengths(&[(0, 16)]), constant("")),
        ro("Date", DATE_TIME, get(config_date)),
        ro("Description", STRING.lengths(&[(0, 256)]), get(|cx, row| form(cx, row, |(_, _, description)| description))),
        ro("UseForBackupRestore", BOOLEAN, constant("true")),
    ],
);

fn form(
    cx: &mut Context,
    row: &Row,
    field: fn((&'static str, &'static str, &'static str)) -> &'static str,
) -> Result<Text> {
    let key = cx.key(row)?;
    Ok(Text::Borrowed(FORMS.into_iter().find(|(known, ..)| *known == key).map_or("", field)))
}

/// Every commit puts a new file into the directory, so that this is when the configuration was last changed.
fn config_date(cx: &mut Context, _: &Row) -> Result<Text> {
    let changed = cx.system().file_info("/etc/config").ok().map(|info| info.modified);
    Ok(changed.map_or(Text::Borrowed(UNKNOWN_TIME), |changed| {
        Text::Owned(UtcTime::from(changed).whole_seconds().to_string())
    }))
}

/// TR-181 2.17 Device.DeviceInfo.VendorLogFile.{i}.: one row, the system log.
pub static VENDOR_LOG_FILE: Object = Object::table(
    "Device.DeviceInfo.VendorLogFile.{i}.",
    Table::new(Rows::Keys(|_, _| Ok(vec![String::from("system")]))).keys(&[always(&["Name"])]),
    &[
        alias(),
        ro(
            "Name",
            STRING.lengths(&[(0, 64)]),
            get(|cx, _| Ok(Text::Owned(log_file(cx)?.unwrap_or_else(|| String::from("logread"))))),
        ),
        ro("MaximumSize", UNSIGNED_INT, get(log_size)),
        ro("Persistent", BOOLEAN, get(persistent)),
    ],
);

/// The file that logd writes; `None` where the log is only in memory.
fn log_file(cx: &mut Context) -> Result<Option<String>> {
    let section = cx.package("system")?.find("@system[0]");
    let file = section.and_then(|system| system.get("log_file")).filter(|file| !file.is_empty());
    Ok(file.map(|file| file.chars().take(64).collect()))
}

/// `log_size` is in KiB, and 128 where it is not set.
fn log_size(cx: &mut Context, _: &Row) -> Result<Text> {
    let section = cx.package("system")?.find("@system[0]");
    let size = section.and_then(|system| system.get("log_size")?.parse::<u32>().ok()).unwrap_or(128);
    Ok(Text::Owned(size.saturating_mul(1024).to_string()))
}

/// Everything beneath `/tmp` and `/var` is in memory.
fn persistent(cx: &mut Context, _: &Row) -> Result<Text> {
    let lost = log_file(cx)?.is_none_or(|file| file.starts_with("/tmp/") || file.starts_with("/var/"));
    Ok(Text::Borrowed(if lost { "false" } else { "true" }))
}
