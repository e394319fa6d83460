//! `Device.QoS.` (TR-181 2.17): sqm, where it is installed.
//!
//! sqm shapes what goes out through a network device, which is a `Shaper`; its queues, and what goes into them, are its own affair, so that the other
//! tables have no rows.

use crate::device::ip::interface;
use crate::device::own_keys;
use crate::error::{Fault, FaultCode, Result};
use crate::model::access::{full_name, uci_truth};
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Object, Table, Text, alias, change, constant, count, functional, get, ro, rw, sections, uci_bool,
};
use crate::model::value::{BOOLEAN, INT, STRING, UNSIGNED_INT};

const PACKAGE: &str = "sqm";
const INTERFACE: &str = "Device.IP.Interface.";
/// Bits per second in the unit of sqm.
const KBIT: u64 = 1_000;

static QOS: Object = Object::single(
    "Device.QoS.",
    &[
        ro("MaxClassificationEntries", UNSIGNED_INT, constant("0")),
        ro("ClassificationNumberOfEntries", UNSIGNED_INT, constant("0")),
        ro("MaxAppEntries", UNSIGNED_INT, constant("0")),
        ro("AppNumberOfEntries", UNSIGNED_INT, constant("0")),
        ro("MaxFlowEntries", UNSIGNED_INT, constant("0")),
        ro("FlowNumberOfEntries", UNSIGNED_INT, constant("0")),
        ro("MaxPolicerEntries", UNSIGNED_INT, constant("0")),
        ro("PolicerNumberOfEntries", UNSIGNED_INT, constant("0")),
        ro("MaxQueueEntries", UNSIGNED_INT, constant("0")),
        ro("QueueNumberOfEntries", UNSIGNED_INT, constant("0")),
        ro("MaxShaperEntries", UNSIGNED_INT, constant("16")),
        ro("ShaperNumberOfEntries", UNSIGNED_INT, count("Shaper")),
        ro("AvailableAppList", STRING.list_within((0, u32::MAX), 1024), constant("")),
    ],
);

static SHAPER: Object = Object::table(
    "Device.QoS.Shaper.{i}.",
    Table::new(sections(PACKAGE, "queue"))
        .writable(&[])
        .added_by(add)
        .keys(&[functional(&["Interface"])])
        .enabled_by("Enable")
        .at_most(16),
    &[
        rw("Enable", BOOLEAN, uci_bool("enabled", "false")).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error_Misconfigured", "Error"]), get(status)),
        alias(),
        rw("Interface", STRING.strong(&[]).lengths(&[(0, 256)]), change(interface_path, set_interface)).default(""),
        rw("ShapingRate", INT.ranges(&[(-1, i64::MAX)]), change(rate, set_rate)).default("-1"),
    ],
);

/// The objects of this file, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&QOS, &SHAPER];

fn add(cx: &mut Context, _: &Row) -> Result<String, Fault> {
    if !super::is_installed(cx, PACKAGE, "sqm") {
        return Err(Fault::new(FaultCode::REQUEST_DENIED, "sqm is not installed"));
    }
    let options =
        [("enabled", "0"), ("download", "0"), ("upload", "0"), ("qdisc", "cake"), ("script", "piece_of_cake.qos")];
    Ok(cx.add_section(PACKAGE, "queue", &options)?.1)
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let section = cx.section(row)?;
    let enabled = section.get("enabled").and_then(uci_truth).unwrap_or(false);
    let device = section.get("interface").is_some();
    Ok(Text::Borrowed(match (enabled, device) {
        (false, _) => "Disabled",
        (true, true) => "Enabled",
        (true, false) => "Error_Misconfigured",
    }))
}

/// The interface that goes out through the device of a queue: the one that was asked for, if it still does.
fn interface_path(cx: &mut Context, row: &Row) -> Result<Text> {
    let Some(device) = cx.option(row, "interface")? else { return Ok(Text::Borrowed("")) };
    let asked = cx.own(&full_name(cx, row.node(), row, "Interface"));
    let schema = cx.schema().clone();
    let root = cx.root();
    let Some(node) = schema.find(INTERFACE) else { return Ok(Text::Borrowed("")) };
    let mut found = None;
    for entry in cx.rows(node, &root)?.iter() {
        let candidate = Row::new(node, &root, entry);
        if interface::device(cx, &candidate).as_deref() == Some(&device) {
            let is_asked = asked.as_deref() == Some(cx.key(&candidate)?.as_str());
            if is_asked || found.is_none() {
                found = Some(format!("{INTERFACE}{}", entry.number));
            }
            if is_asked {
                break;
            }
        }
    }
    Ok(found.map_or(Text::Borrowed(""), Text::Owned))
}

fn set_interface(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let asked = full_name(cx, row.node(), row, "Interface");
    if value.is_empty() {
        own_keys::set_own(cx, &asked, None);
        return cx.set_option(row, "interface", None);
    }
    let target = cx.row_of_path(INTERFACE, value).ok_or_else(|| Fault::value("sqm shapes IP interfaces"))?;
    let device = interface::device(cx, &target).ok_or_else(|| Fault::value("the interface has no device"))?;
    let name = cx.key(&target)?;
    own_keys::set_own(cx, &asked, Some(&name));
    cx.set_option(row, "interface", Some(&device))
}

fn kilobits(cx: &mut Context, row: &Row) -> Result<u64> {
    Ok(cx.option(row, "upload")?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// In bits per second. sqm counts thousands of them, so that the number that was asked for is the agent's own.
fn rate(cx: &mut Context, row: &Row) -> Result<Text> {
    let kilobits = kilobits(cx, row)?;
    if kilobits == 0 {
        return Ok(Text::Borrowed("-1"));
    }
    let asked = cx.own(&full_name(cx, row.node(), row, "ShapingRate"));
    let asked = asked.and_then(|asked| asked.parse::<u64>().ok()).filter(|asked| asked.div_ceil(KBIT) == kilobits);
    let most = u64::from(i32::MAX.unsigned_abs());
    Ok(Text::Owned(asked.unwrap_or_else(|| kilobits.saturating_mul(KBIT)).min(most).to_string()))
}

fn set_rate(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    let asked = full_name(cx, row.node(), row, "ShapingRate");
    let Ok(bits) = value.parse::<u64>() else {
        own_keys::set_own(cx, &asked, None);
        return cx.set_option(row, "upload", Some("0"));
    };
    if bits <= 100 {
        return Err(Fault::value("sqm knows no shares of the rate of a device, but bits per second only"));
    }
    own_keys::set_own(cx, &asked, Some(value));
    cx.set_option(row, "upload", Some(&bits.div_ceil(KBIT).to_string()))
}
