//! `Device.LEDs.`: the lamps that the kernel knows. What they show is the business of `system.@led`, for which TR-181 has no parameter.

use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::schema::{Notification, Object, Rows, Table, Text, alias, always, constant, count, get, ro};
use crate::model::value::{INT, STRING, UNSIGNED_INT};

const DIRECTORY: &str = "/sys/class/leds";

/// TR-181 2.17 Device.LEDs.
pub static LEDS: Object = Object::single("Device.LEDs.", &[ro("LEDNumberOfEntries", UNSIGNED_INT, count("LED"))]);

/// TR-181 2.17 Device.LEDs.LED.{i}.
pub static LED: Object = Object::table(
    "Device.LEDs.LED.{i}.",
    Table::new(Rows::Keys(|cx, _| Ok(cx.directory(DIRECTORY).to_vec()))).keys(&[always(&["Name"])]),
    &[
        alias(),
        ro("Name", STRING, get(|cx, row| Ok(Text::Owned(cx.key(row)?)))),
        ro("Status", STRING.values(&["Disabled", "InUse", "Controlled", "Error"]), get(status)),
        ro("Reason", STRING, get(reason)).notification(Notification::CanDeny),
        // A lamp without a cycle goes on for ever.
        ro("CyclePeriodRepetitions", INT.ranges(&[(-1, i64::MAX)]), constant("-1")).notification(Notification::CanDeny),
        ro("CycleElementNumberOfEntries", UNSIGNED_INT, constant("0")),
    ],
);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&LEDS, &LED];

/// The trigger that is chosen among all that `trigger` lists, such as `netdev` in `none [netdev] timer`.
fn trigger(cx: &mut Context, row: &Row) -> Result<Option<String>> {
    let key = cx.key(row)?;
    let Ok(list) = cx.file(&format!("{DIRECTORY}/{key}/trigger")) else { return Ok(None) };
    let chosen = list.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(chosen, _)| chosen);
    Ok(chosen.filter(|chosen| *chosen != "none").map(String::from))
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    let key = cx.key(row)?;
    let brightness = cx.file(&format!("{DIRECTORY}/{key}/brightness")).ok().and_then(|text| text.parse::<u32>().ok());
    let used = trigger(cx, row)?.is_some();
    Ok(Text::Borrowed(match brightness {
        None => "Error",
        Some(0) if !used => "Disabled",
        Some(_) => "InUse",
    }))
}

fn reason(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Owned(trigger(cx, row)?.unwrap_or_default()))
}
