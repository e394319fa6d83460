//! `Device.DeviceInfo.TemperatureStatus.`: thermal zones and the sensors of hwmon. Nothing is polled, so there are no extremes and no alarms.

use std::rc::Rc;

use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::schema::{Notification, Object, Rows, Table, Text, alias, always, count, get, own, ro, rw};
use crate::model::value::{BOOLEAN, DATE_TIME, INT, STRING, UNKNOWN_TIME, UNSIGNED_INT};
use crate::time::UtcTime;

/// What a sensor reads that is not there (TR-181: below absolute zero).
const NO_VALUE: &str = "-274";

/// TR-181 2.17 Device.DeviceInfo.TemperatureStatus.
pub static TEMPERATURE_STATUS: Object = Object::single(
    "Device.DeviceInfo.TemperatureStatus.",
    &[ro("TemperatureSensorNumberOfEntries", UNSIGNED_INT, count("TemperatureSensor"))],
);

/// TR-181 2.17 Device.DeviceInfo.TemperatureStatus.TemperatureSensor.{i}.; a row is known by its file beneath `/sys/class`.
pub static TEMPERATURE_SENSOR: Object = Object::table(
    "Device.DeviceInfo.TemperatureStatus.TemperatureSensor.{i}.",
    Table::new(Rows::Keys(sensors)).keys(&[always(&["Name"])]),
    &[
        alias(),
        rw("Enable", BOOLEAN, own("true")),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Error"]), get(status)),
        ro("Name", STRING.lengths(&[(0, 256)]), get(name)),
        ro("Value", INT.ranges(&[(-274, i64::MAX)]), get(value)).notification(Notification::CanDeny),
        ro("LastUpdate", DATE_TIME, get(last_update)).notification(Notification::CanDeny),
    ],
);

/// `thermal/thermal_zone0/temp`, `hwmon/hwmon1/temp1_input`.
fn sensors(cx: &mut Context, _: &Row) -> Result<Vec<String>> {
    let zones = cx.directory("/sys/class/thermal");
    let mut found: Vec<String> = zones
        .iter()
        .filter(|name| name.starts_with("thermal_zone"))
        .map(|name| format!("thermal/{name}/temp"))
        .collect();
    for chip in cx.directory("/sys/class/hwmon").iter() {
        let files = cx.directory(&format!("/sys/class/hwmon/{chip}"));
        let inputs = files.iter().filter(|file| file.starts_with("temp") && file.ends_with("_input"));
        found.extend(inputs.map(|file| format!("hwmon/{chip}/{file}")));
    }
    Ok(found)
}

/// Whole degrees Celsius; the files have thousandths.
fn degrees(cx: &mut Context, row: &Row) -> Result<Option<i32>> {
    let key = cx.key(row)?;
    let text = cx.file(&format!("/sys/class/{key}")).ok();
    Ok(text.and_then(|text| text.parse::<i32>().ok()).map(|thousandths| thousandths.div_euclid(1000)))
}

fn enabled(cx: &mut Context, row: &Row) -> bool {
    let name = format!("{}Enable", cx.schema().path(row.node(), row));
    cx.own(&name).is_none_or(|value| value == "true")
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(match (enabled(cx, row), degrees(cx, row)?) {
        (false, _) => "Disabled",
        (true, Some(_)) => "Enabled",
        (true, None) => "Error",
    }))
}

/// What the kernel calls it: the type of a zone; the label of an input, or else the name of its chip. The file makes it unique.
fn name(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let mut parts = key.splitn(3, '/');
    let (class, chip, file) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let read = |cx: &mut Context, file: &str| cx.file(&format!("/sys/class/{class}/{chip}/{file}")).ok();
    let called: Option<Rc<str>> = match class {
        "thermal" => read(cx, "type"),
        _ => read(cx, &file.replace("_input", "_label")).or_else(|| read(cx, "name")),
    };
    let called = called.filter(|name| !name.is_empty()).map_or_else(String::new, |name| format!("{name} "));
    Ok(Text::Owned(format!("{called}{chip}/{file}").chars().take(256).collect()))
}

fn value(cx: &mut Context, row: &Row) -> Result<Text> {
    let degrees = if enabled(cx, row) { degrees(cx, row)? } else { None };
    Ok(degrees.map_or(Text::Borrowed(NO_VALUE), |degrees| Text::Owned(degrees.max(-274).to_string())))
}

/// A value is read when it is asked for.
fn last_update(cx: &mut Context, row: &Row) -> Result<Text> {
    if !cx.facts().clock_known || !enabled(cx, row) || degrees(cx, row)?.is_none() {
        return Ok(Text::Borrowed(UNKNOWN_TIME));
    }
    Ok(Text::Owned(UtcTime::from(cx.system().wall_clock()).whole_seconds().to_string()))
}
