//! `Device.DeviceInfo.ProcessStatus.`

use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::schema::{Notification, Object, Rows, Table, Text, always, count, get, ro};
use crate::model::value::{STRING, UNSIGNED_INT};

/// `/proc` counts processor time in ticks of this many milliseconds (`USER_HZ`, part of the kernel's interface).
const TICK: u64 = 10;

/// TR-181 2.17 Device.DeviceInfo.ProcessStatus.
pub static PROCESS_STATUS: Object = Object::single(
    "Device.DeviceInfo.ProcessStatus.",
    &[
        ro("CPUUsage", UNSIGNED_INT.ranges(&[(i64::MIN, 100)]), get(cpu_usage)).notification(Notification::CanDeny),
        ro("ProcessNumberOfEntries", UNSIGNED_INT, count("Process")),
    ],
);

/// TR-181 2.17 Device.DeviceInfo.ProcessStatus.Process.{i}.; the instance number is the PID, so that nothing has to be remembered of
/// processes that come and go.
pub static PROCESS: Object = Object::table(
    "Device.DeviceInfo.ProcessStatus.Process.{i}.",
    Table::new(Rows::Numbered(pids)).keys(&[always(&["PID"])]),
    &[
        ro("PID", UNSIGNED_INT, get(|_, row| Ok(Text::Owned(row.number().to_string())))),
        ro("Command", STRING.lengths(&[(0, 256)]), get(command)),
        ro("Size", UNSIGNED_INT, get(|cx, row| Ok(number(cx, row, |stat| stat.size / 1024))))
            .notification(Notification::CanDeny),
        // The kernel has 0 to 39 for ordinary processes, and negative numbers for those in real time.
        ro(
            "Priority",
            UNSIGNED_INT.ranges(&[(i64::MIN, 99)]),
            get(|cx, row| Ok(number(cx, row, |stat| stat.priority))),
        ),
        ro("CPUTime", UNSIGNED_INT, get(|cx, row| Ok(number(cx, row, |stat| stat.ticks.saturating_mul(TICK)))))
            .notification(Notification::CanDeny),
        ro(
            "State",
            STRING.values(&["Running", "Sleeping", "Stopped", "Idle", "Uninterruptible", "Zombie"]),
            get(|cx, row| Ok(Text::Borrowed(stat(cx, row).state))),
        )
        .notification(Notification::CanDeny),
    ],
);

fn pids(cx: &mut Context, _: &Row) -> Result<Vec<u32>> {
    Ok(cx.directory("/proc").iter().filter_map(|name| name.parse().ok()).collect())
}

/// What `/proc/PID/stat` says.
struct Stat {
    state: &'static str,
    ticks: u64,
    priority: u64,
    size: u64,
}

/// A process that has ended since the list was made is a zombie without any size.
fn stat(cx: &mut Context, row: &Row) -> Stat {
    let text = cx.file(&format!("/proc/{}/stat", row.number())).unwrap_or_default();
    // The name in parentheses may hold anything, blanks and parentheses too.
    let fields: Vec<&str> = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace().collect();
    let field = |index: usize| fields.get(index).copied().unwrap_or_default();
    let number = |index: usize| field(index).parse::<u64>().unwrap_or(0);
    Stat {
        state: match field(0) {
            "R" => "Running",
            "S" => "Sleeping",
            "T" | "t" => "Stopped",
            "I" => "Idle",
            "D" => "Uninterruptible",
            _ => "Zombie",
        },
        ticks: number(11).saturating_add(number(12)),
        priority: number(15).min(99),
        size: number(20),
    }
}

fn number(cx: &mut Context, row: &Row, field: fn(&Stat) -> u64) -> Text {
    let value = field(&stat(cx, row)).min(u64::from(u32::MAX));
    Text::Owned(value.to_string())
}

/// The command line, or the name in brackets for a thread of the kernel, as `ps` shows them.
fn command(cx: &mut Context, row: &Row) -> Result<Text> {
    let pid = row.number();
    let line = cx.file(&format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut shown: String =
        line.trim_end_matches('\0').chars().map(|c| if c.is_control() { ' ' } else { c }).take(256).collect();
    if shown.is_empty() {
        let stat = cx.file(&format!("/proc/{pid}/stat")).unwrap_or_default();
        let name = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(name, _)| name);
        if !name.is_empty() {
            shown = format!("[{}]", name.chars().filter(|c| !c.is_control()).take(254).collect::<String>());
        }
    }
    Ok(Text::Owned(shown))
}

/// Processor time since the boot, in ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Sample {
    busy: u64,
    all: u64,
}

/// The sample of the last request that asked, so that no request has to wait for a second one.
static BEFORE: Mutex<Option<Sample>> = Mutex::new(None);

/// A shorter time than this says nothing: 1 s.
const LEAST: u64 = 1000 / TICK;

/// The load between this request and the one before; the first one gets the load since the boot. 0 where the kernel says nothing: what
/// GetParameterNames lists can always be read (INTEROP 25).
fn cpu_usage(cx: &mut Context, _: &Row) -> Result<Text> {
    let usage: Rc<String> = cx.memo("cpu_usage", |cx| {
        let Some(now) = cx.file("/proc/stat").ok().and_then(|stat| sample(&stat)) else { return Ok(String::from("0")) };
        let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
        let usage = usage(*before, now);
        if before.is_none_or(|before| now.all < before.all || now.all - before.all >= LEAST) {
            *before = Some(now);
        }
        Ok(usage.to_string())
    })?;
    Ok(Text::Owned(String::from(usage.as_str())))
}

fn sample(stat: &str) -> Option<Sample> {
    let numbers = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let numbers: Vec<u64> = numbers.split_ascii_whitespace().take(8).map_while(|text| text.parse().ok()).collect();
    let all = numbers.iter().fold(0_u64, |sum, number| sum.saturating_add(*number));
    // The fourth and fifth are idle and waiting for a disk.
    let idle = numbers.get(3)?.saturating_add(numbers.get(4).copied().unwrap_or(0));
    Some(Sample { busy: all.saturating_sub(idle), all })
}

/// Per cent between two samples, or from the boot to the second where the first is too near or from another boot.
fn usage(before: Option<Sample>, now: Sample) -> u64 {
    let before = before
        .filter(|before| now.busy >= before.busy && now.all >= before.all.saturating_add(LEAST))
        .unwrap_or(Sample { busy: 0, all: 0 });
    let (busy, all) = (now.busy.saturating_sub(before.busy), now.all.saturating_sub(before.all));
    busy.saturating_mul(100).checked_div(all).unwrap_or(0).min(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_that_between_two_samples_at_least_a_second_apart() {
        let first = sample("cpu  100 0 100 700 50 0 50 0 0 0\ncpu0 1 1 1 1\n").unwrap();
        assert_eq!(first, Sample { busy: 250, all: 1000 });
        assert_eq!(usage(None, first), 25);
        assert_eq!(usage(Some(first), Sample { busy: 350, all: 1200 }), 50);
        assert_eq!(usage(Some(first), Sample { busy: 300, all: 1050 }), 28, "too near: since the boot");
        assert_eq!(usage(Some(first), Sample { busy: 10, all: 100 }), 10, "another boot");
        assert_eq!(usage(None, Sample { busy: 0, all: 0 }), 0);
        assert_eq!(sample("cpu  1 2\n"), None);
    }
}
