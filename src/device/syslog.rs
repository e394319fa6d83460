//! `Device.Syslog.` (TR-181 2.17): logd, which keeps the log in memory, and sends it elsewhere when it is told to.
//!
//! There is one action, the options `log_*` of the section `system`: a file, and a server. What the ACS has switched off waits in the agent's own state.

use crate::device::own_keys;
use crate::error::{Error, Fault, Result};
use crate::model::access::{truth, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::format::HOST;
use crate::model::schema::{
    Object, Rows, Table, Text, alias, change, constant, count, get_set, ro, rw, uci_or, uci_words,
};
use crate::model::value::{BOOLEAN, Format, STRING, UNSIGNED_INT};
use crate::platform::uci::SectionId;

static SYSLOG: Object = Object::single(
    "Device.Syslog.",
    &[
        rw("Enable", BOOLEAN, get_set(|_, _| Ok(Text::Borrowed("true")), only_true)),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error"]), constant("Enabled")),
        // logd takes everything from everybody, and neither filters nor formats it.
        ro("FilterNumberOfEntries", UNSIGNED_INT, constant("0")),
        ro("SourceNumberOfEntries", UNSIGNED_INT, constant("0")),
        ro("TemplateNumberOfEntries", UNSIGNED_INT, constant("0")),
        ro("ActionNumberOfEntries", UNSIGNED_INT, count("Action")),
    ],
);

static ACTION: Object =
    Object::table("Device.Syslog.Action.{i}.", Table::new(Rows::SomeSections { package: PACKAGE, list }), &[alias()]);

static LOG_FILE: Object = Object::single(
    "Device.Syslog.Action.{i}.LogFile.",
    &[
        rw("Enable", BOOLEAN, change(file_enable, set_file_enable)),
        rw("FilePath", STRING.format(PATH), get_set(|cx, row| Ok(Text::Owned(file_path(cx, row)?)), set_file_path)),
    ],
);

static LOG_REMOTE: Object = Object::single(
    "Device.Syslog.Action.{i}.LogRemote.",
    &[
        rw("Enable", BOOLEAN, change(remote_enable, set_remote_enable)),
        rw("Address", STRING.format(HOST), uci_or("log_ip", "")).default(""),
        ro("Protocol", STRING.values(&["TCP", "UDP", "TLS"]), uci_words("log_proto", &[("tcp", "TCP")], "UDP")),
        rw("Port", UNSIGNED_INT.ranges(&[(1, 65_535)]), uci_or("log_port", "514")).default("514"),
    ],
);

/// The objects of this file, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&SYSLOG, &ACTION, &LOG_FILE, &LOG_REMOTE];

const PACKAGE: &str = "system";

/// Whatever is written there grows; what the router lives from must not be overwritten.
const PATH: Format = Format {
    name: "path of a file below /tmp, /var, /mnt, /media or /overlay/log",
    check: |text| {
        let below = ["/tmp/", "/var/", "/mnt/", "/media/", "/overlay/log/"];
        let is_plain = text.split('/').skip(1).all(|part| !part.is_empty() && part != "." && part != "..");
        below.iter().any(|directory| text.starts_with(directory)) && is_plain && !text.chars().any(char::is_control)
    },
};

/// The file that is wanted when it is switched on.
const FILE: &str = "syslog.file";
/// Says that the log is written to the file or server all the same when a place for it is known.
const FILE_WISH: &str = "syslog.file_wanted";

fn list(cx: &mut Context, _: &Row) -> Result<Vec<SectionId>> {
    Ok(cx.package(PACKAGE)?.find("@system[0]").map(|section| section.id()).into_iter().collect())
}

fn only_true(_: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if value == "true" { Ok(()) } else { Err(Fault::value("the router cannot do without its log")) }
}

/// The row around the objects below an action.
fn log_file(cx: &mut Context, row: &Row) -> Result<Option<String>> {
    cx.option(row, "log_file").map_err(|_| Error::other("the section of the system is gone"))
}

fn file_enable(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(truth(log_file(cx, row)?.is_some() || cx.own(FILE_WISH).is_some()))
}

fn set_file_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if value == "false" {
        let path = file_path(cx, row)?;
        own_keys::set_own(cx, FILE, (!path.is_empty()).then_some(path.as_str()));
        own_keys::set_own(cx, FILE_WISH, None);
        return cx.set_option(row, "log_file", None);
    }
    match cx.own(FILE) {
        Some(path) => {
            cx.set_own(FILE, None);
            cx.set_option(row, "log_file", Some(&path))
        }
        None => {
            cx.set_own(FILE_WISH, Some("1"));
            Ok(())
        }
    }
}

fn file_path(cx: &mut Context, row: &Row) -> Result<String> {
    Ok(match log_file(cx, row)? {
        Some(path) => path,
        None => cx.own(FILE).unwrap_or_default(),
    })
}

fn set_file_path(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if file_path(cx, row)? == value {
        return Ok(());
    }
    let enabled = file_enable(cx, row)? == "true";
    let on = enabled && !value.is_empty();
    own_keys::set_own(cx, FILE, (!on && !value.is_empty()).then_some(value));
    own_keys::set_own(cx, FILE_WISH, (enabled && value.is_empty()).then_some("1"));
    cx.set_option(row, "log_file", on.then_some(value))
}

/// logd sends nothing without an address.
fn remote_enable(cx: &mut Context, row: &Row) -> Result<Text> {
    let section = cx.section(row)?;
    let wanted = section.get("log_remote").and_then(uci_truth);
    Ok(truth(wanted.unwrap_or_else(|| section.get("log_ip").is_some())))
}

fn set_remote_enable(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    cx.set_option(row, "log_remote", Some(if value == "true" { "1" } else { "0" }))
}
