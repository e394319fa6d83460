//! `Device.Schedules.` (TR-181 2.18, which came after the version that is announced): hours and days at which port mappings and pinholes count.
//!
//! fw4 has them in each rule, as `weekdays`, `start_time` and `stop_time` in local time. So a schedule is the agent's own state, and is written into every
//! row that refers to it. Without a schedule that is enabled such a row does not count at all.

use super::{firewall, nat, own_keys, time};
use crate::error::{Error, Fault, Result};
use crate::model::access::{full_name, truth};
use crate::model::context::{Context, Row};
use crate::model::schema::{
    Notification, Object, Parameter, Rows, Table, Text, Values, alias, change, count, get, get_set, own, ro, rw,
    together,
};
use crate::model::value::{BOOLEAN, Format, STRING, UNSIGNED_INT};

/// The table of schedules.
const SCHEDULE: &str = "Device.Schedules.Schedule.";

static SCHEDULES: Object = Object::single(
    "Device.Schedules.",
    &[
        rw("Enable", BOOLEAN, get_set(|cx, _| Ok(truth(is_on(cx))), set_on)),
        ro("ScheduleNumberOfEntries", UNSIGNED_INT, count("Schedule")),
    ],
);

static SCHEDULE_TABLE: Object = Object::table(
    "Device.Schedules.Schedule.{i}.",
    Table::new(Rows::Own).writable(&[]).deleted_by(delete).enabled_by("Enable").at_most(32),
    &[
        alias(),
        rw("Enable", BOOLEAN, together(|cx, row| Ok(truth(Schedule::read(cx, row).enabled)))).default("false"),
        ro("Status", STRING.values(&["Active", "Inactive", "StackDisabled", "Error"]), get(status)),
        rw("Description", STRING.lengths(&[(0, 256)]), own("")),
        rw("Day", STRING.values(&DAYS).list(), together(|cx, row| Ok(Text::Owned(Schedule::read(cx, row).days)))),
        rw(
            "StartTime",
            STRING.lengths(&[(0, 5)]).format(HOUR),
            together(|cx, row| Ok(Text::Owned(Schedule::read(cx, row).start))),
        ),
        rw(
            "Duration",
            UNSIGNED_INT.ranges(&[(1, i64::MAX)]),
            together(|cx, row| Ok(Text::Owned(Schedule::read(cx, row).duration.to_string()))),
        ),
        ro("TimeLeft", UNSIGNED_INT, get(time_left)).notification(Notification::CanDeny),
    ],
)
.set_together(set);

/// The objects of this file, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&SCHEDULES, &SCHEDULE_TABLE];

/// The parameter of rows that a schedule can be for.
pub(super) const SCHEDULE_REF: Parameter =
    rw("ScheduleRef", STRING.strong(&[SCHEDULE]).list(), change(reference, set_reference)).default("");

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const SECONDS_PER_DAY: u32 = 86_400;

const HOUR: Format = Format {
    name: "time of day such as 07:30",
    check: |text| text.len() == 5 && seconds_of_day(text).is_some_and(|seconds| seconds < SECONDS_PER_DAY),
};

const OFF: &str = "schedules.off";

fn seconds_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, most: u32| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u32>().ok().filter(|number| digits && *number <= most)
    };
    Some(number(hours, 23)? * 3_600 + number(minutes, 59)? * 60)
}

/// A schedule as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Schedule {
    enabled: bool,
    /// Names of days by commas; none for every day.
    days: String,
    /// Empty for midnight.
    start: String,
    /// Seconds.
    duration: u32,
}

/// When a row counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Limits {
    /// Nothing refers to a schedule.
    None,
    Never,
    /// The words of fw4; `None` for every day, and for the whole day.
    Times {
        days: Option<String>,
        hours: Option<(String, String)>,
    },
}

impl Schedule {
    fn read(cx: &Context, row: &Row) -> Self {
        let own = |what: &str| cx.own(&full_name(cx, row.node(), row, what));
        Self {
            enabled: own("Enable").is_some_and(|value| value == "true"),
            days: own("Day").unwrap_or_default(),
            start: own("StartTime").unwrap_or_default(),
            duration: own("Duration").and_then(|text| text.parse().ok()).unwrap_or(SECONDS_PER_DAY),
        }
    }

    fn begins(&self) -> u32 {
        seconds_of_day(&self.start).unwrap_or(0)
    }

    fn is_daily(&self) -> bool {
        self.days.is_empty() || DAYS.iter().all(|day| self.days.split(',').any(|known| known == *day))
    }

    /// Whether it goes on past midnight.
    fn wraps(&self) -> bool {
        self.begins().saturating_add(self.duration) > SECONDS_PER_DAY
    }

    fn limits(&self) -> Limits {
        let days = (!self.is_daily()).then(|| {
            let short = self.days.split(',').filter_map(|day| day.get(..3));
            short.collect::<Vec<_>>().join(" ")
        });
        let hours = (self.duration < SECONDS_PER_DAY).then(|| {
            let end = self.begins().saturating_add(self.duration);
            let clock = |seconds: u32| {
                // The last second of a day is as far as fw4 goes.
                let seconds = if seconds == SECONDS_PER_DAY { SECONDS_PER_DAY - 1 } else { seconds % SECONDS_PER_DAY };
                format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
            };
            (clock(self.begins()), clock(end))
        });
        Limits::Times { days, hours }
    }

    /// How many seconds are left of it at a time of a day of the week, counted from Monday; `None` while it is not on.
    fn left(&self, day: usize, second: u32) -> Option<u32> {
        let is_day =
            self.is_daily() || DAYS.get(day).is_some_and(|day| self.days.split(',').any(|known| known == *day));
        let end = self.begins().saturating_add(self.duration);
        if !is_day {
            return None;
        }
        if (self.begins()..end).contains(&second) {
            return Some(end - second);
        }
        // What began yesterday.
        end.checked_sub(SECONDS_PER_DAY)?.checked_sub(second).filter(|left| *left > 0)
    }
}

fn is_on(cx: &Context) -> bool {
    cx.own(OFF).is_none()
}

fn set_on(cx: &mut Context, _: &Row, value: &str) -> Result<(), Fault> {
    if truth(is_on(cx)) == value {
        return Ok(());
    }
    own_keys::set_own(cx, OFF, (value == "false").then_some("1"));
    apply(cx)
}

/// What is left of a schedule now.
fn left(cx: &mut Context, row: &Row) -> Result<Option<u32>> {
    let schedule = Schedule::read(cx, row);
    if !schedule.enabled || !is_on(cx) || !cx.facts().clock_known {
        return Ok(None);
    }
    let (day, second) = time::local_day_and_second(cx)?;
    Ok(schedule.left(day, second))
}

fn status(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if !is_on(cx) {
        "StackDisabled"
    } else if left(cx, row)?.is_some() {
        "Active"
    } else {
        "Inactive"
    }))
}

fn time_left(cx: &mut Context, row: &Row) -> Result<Text> {
    Ok(Text::Owned(left(cx, row)?.unwrap_or(0).to_string()))
}

fn set(cx: &mut Context, row: &Row, values: &Values<'_>) -> Result<(), (&'static str, Fault)> {
    let mut schedule = Schedule::read(cx, row);
    for (name, value) in values.0 {
        match *name {
            "Enable" => schedule.enabled = value == "true",
            "Day" => schedule.days.clone_from(value),
            "StartTime" => schedule.start.clone_from(value),
            _ => schedule.duration = value.parse().unwrap_or(SECONDS_PER_DAY),
        }
    }
    if schedule.wraps() && !schedule.is_daily() {
        let name = ["Duration", "StartTime", "Day"].into_iter().find(|name| values.get(name).is_some());
        let fault = Fault::value("fw4 goes on past midnight only if it does so every day");
        return Err((name.unwrap_or("Duration"), fault));
    }
    for (name, value) in values.0 {
        let name = full_name(cx, row.node(), row, name);
        own_keys::set_own(cx, &name, Some(value));
    }
    apply(cx).map_err(|fault| ("Enable", fault))
}

/// Rows that refer to it count at all times then (CONFORMANCE P-67: their reference is empty).
fn delete(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let path = cx.schema().path(row.node(), row);
    let path = path.trim_end_matches('.');
    for scheduled in referring(cx)? {
        if reference(cx, &scheduled)? == path {
            clear(cx, &scheduled)?;
        }
    }
    Ok(())
}

fn reference(cx: &mut Context, row: &Row) -> Result<Text> {
    let path = cx.own(&full_name(cx, row.node(), row, "ScheduleRef")).unwrap_or_default();
    Ok(if cx.row_of_path(SCHEDULE, &path).is_some() { Text::Owned(path) } else { Text::Borrowed("") })
}

fn set_reference(cx: &mut Context, row: &Row, value: &str) -> Result<(), Fault> {
    if value.contains(',') {
        return Err(Fault::value("fw4 takes one schedule for a rule"));
    }
    if value.is_empty() {
        return clear(cx, row);
    }
    let name = full_name(cx, row.node(), row, "ScheduleRef");
    cx.set_own(&name, Some(value));
    settle(cx, row)
}

fn clear(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    let name = full_name(cx, row.node(), row, "ScheduleRef");
    own_keys::set_own(cx, &name, None);
    for option in ["weekdays", "start_time", "stop_time"] {
        cx.set_option(row, option, None)?;
    }
    settle(cx, row)
}

/// When a row counts by the schedule that it refers to.
///
/// # Errors
/// When the tables cannot be read.
pub(super) fn limits(cx: &mut Context, row: &Row) -> Result<Limits> {
    let path = reference(cx, row)?;
    let Some(target) = cx.row_of_path(SCHEDULE, &path) else { return Ok(Limits::None) };
    let schedule = Schedule::read(cx, &target);
    Ok(if schedule.enabled && is_on(cx) { schedule.limits() } else { Limits::Never })
}

/// Writes the times of a row, and switches it on or off.
fn settle(cx: &mut Context, row: &Row) -> Result<(), Fault> {
    if let Limits::Times { days, hours } = limits(cx, row)? {
        cx.set_option(row, "weekdays", days.as_deref())?;
        cx.set_option(row, "start_time", hours.as_ref().map(|(start, _)| start.as_str()))?;
        cx.set_option(row, "stop_time", hours.as_ref().map(|(_, stop)| stop.as_str()))?;
    }
    let schema = cx.schema().clone();
    match schema.node(row.node()).object.map(|object| object.path) {
        Some("Device.NAT.PortMapping.{i}.") => nat::settle_port_mapping(cx, row),
        Some(_) => firewall::settle_pinhole(cx, row),
        None => Err(Error::other("no row that has a schedule").into()),
    }
}

/// The rows that refer to a schedule.
fn referring(cx: &mut Context) -> Result<Vec<std::rc::Rc<Row>>> {
    let schema = cx.schema().clone();
    let root = cx.root();
    let mut found = Vec::new();
    for table in ["Device.NAT.PortMapping.", "Device.Firewall.Pinhole."] {
        let Some(node) = schema.find(table) else { continue };
        for entry in cx.rows(node, &root)?.iter() {
            let row = Row::new(node, &root, entry);
            if cx.own(&full_name(cx, node, &row, "ScheduleRef")).is_some() {
                found.push(row);
            }
        }
    }
    Ok(found)
}

/// Brings all rows with a schedule into line.
fn apply(cx: &mut Context) -> Result<(), Fault> {
    for row in referring(cx)? {
        settle(cx, &row)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(days: &str, start: &str, duration: u32) -> Schedule {
        Schedule { enabled: true, days: days.into(), start: start.into(), duration }
    }

    #[test]
    fn times_are_those_of_fw4() {
        let times = |days: Option<&str>, hours: Option<(&str, &str)>| Limits::Times {
            days: days.map(String::from),
            hours: hours.map(|(start, stop)| (start.into(), stop.into())),
        };
        assert_eq!(schedule("", "", SECONDS_PER_DAY).limits(), times(None, None));
        assert_eq!(
            schedule("Monday,Sunday", "07:30", 5_400).limits(),
            times(Some("Mon Sun"), Some(("07:30:00", "09:00:00")))
        );
        assert_eq!(schedule("", "22:00", 7_200).limits(), times(None, Some(("22:00:00", "23:59:59"))));
        assert_eq!(schedule("", "22:00", 36_000).limits(), times(None, Some(("22:00:00", "08:00:00"))));
    }

    #[test]
    fn what_is_left_is_counted_to_the_end() {
        let evening = schedule("Monday", "18:00", 7_200);
        assert_eq!((evening.left(0, 64_800), evening.left(0, 71_999)), (Some(7_200), Some(1)));
        assert_eq!((evening.left(0, 72_000), evening.left(0, 64_799), evening.left(1, 65_000)), (None, None, None));
        let night = schedule("", "22:00", 36_000);
        assert_eq!(
            (night.left(3, 79_200), night.left(3, 3_600), night.left(3, 28_800)),
            (Some(36_000), Some(25_200), None)
        );
        assert!(night.wraps() && !evening.wraps());
    }

    #[test]
    fn hours_have_two_digits_each() {
        for text in ["00:00", "23:59"] {
            assert!((HOUR.check)(text), "{text}");
        }
        for text in ["24:00", "7:30", "12:60", "12-30", "+1:00"] {
            assert!(!(HOUR.check)(text), "{text}");
        }
    }
}
