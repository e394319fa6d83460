//! Rows whose time is over go: leases of port mappings, pinholes and the DMZ, and rules of the firewall with an ExpiryDate.
//!
//! OpenWrt has no such thing, so the end is the agent's own state, under the name of the parameter, and the daemon deletes the row when it has come.
//!
//! Routers begin each boot with a clock that may be wrong by days. So within the boot in which it was set a lease is measured from the boot on, and its
//! time of day, which carries it over a reboot, follows the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Fault, Result};
use crate::model::access::full_name;
use crate::model::context::{Context, Row};
use crate::model::schema::Text;

/// The parameter under which the end is kept.
const LEASE: &str = "LeaseDuration";
/// How long a lease was asked for, in seconds; only where the table shows that apart from what is left.
const ASKED: &str = "LeaseAsked";

/// Tables whose rows have a lease.
const LEASED: [&str; 3] = ["Device.NAT.PortMapping.", "Device.Firewall.DMZ.", "Device.Firewall.Pinhole."];

/// The time of day may be off by so many seconds before it is taken for another one.
const STEP: u64 = 2;

/// Seconds since 1970; 0 before.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}

/// The boot, and when it was by the clock that the router has now.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Boot {
    /// Empty where it is not known.
    id: String,
    /// Seconds since 1970.
    at: i64,
}

impl Boot {
    fn now(cx: &mut Context) -> Self {
        let id = cx.file("/proc/sys/kernel/random/boot_id").map(|id| String::from(&*id)).unwrap_or_default();
        let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        let (wall, monotonic) = (cx.system().wall_clock(), cx.system().monotonic());
        Self { id, at: seconds(self::seconds(wall)).saturating_sub(seconds(monotonic.as_secs())) }
    }
}

/// When a lease ends, in seconds since 1970 by the clock that the router had in a boot.
#[derive(Clone, PartialEq, Eq, Debug)]
struct End {
    at: u64,
    boot: Option<Boot>,
}

impl End {
    /// `END`, or `END WHEN BOOT`.
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let at = words.next()?.parse().ok()?;
        let boot = words.next().and_then(|at| at.parse().ok()).zip(words.next());
        Some(Self { at, boot: boot.map(|(at, id)| Boot { id: String::from(id), at }) })
    }

    fn to_text(&self) -> String {
        match self.boot.as_ref().filter(|boot| !boot.id.is_empty()) {
            Some(boot) => format!("{} {} {}", self.at, boot.at, boot.id),
            None => self.at.to_string(),
        }
    }

    /// The same end by the clock that the router has now.
    fn by(self, now: &Boot) -> Self {
        match &self.boot {
            Some(boot) if boot.id == now.id && boot.at.abs_diff(now.at) > STEP => {
                let at = self.at.saturating_add_signed(now.at.saturating_sub(boot.at));
                Self { at, boot: Some(now.clone()) }
            }
            _ => self,
        }
    }
}

/// The end as it is kept, and as it is by the clock that the router has now.
fn ends(cx: &mut Context, row: &Row) -> Option<(End, End)> {
    let kept = End::parse(&cx.own(&full_name(cx, row.node(), row, LEASE))?)?;
    let now = kept.clone().by(&Boot::now(cx));
    Some((kept, now))
}

fn end(cx: &mut Context, row: &Row) -> Option<u64> {
    ends(cx, row).map(|(_, now)| now.at)
}

/// What is left of the lease of a row in seconds; 0 for one that has no end.
pub(super) fn remaining(cx: &mut Context, row: &Row) -> Result<Text> {
    let Some(end) = end(cx, row) else { return Ok(Text::Borrowed("0")) };
    let left = end.saturating_sub(seconds(cx.system().wall_clock()));
    // A lease that is over stays one until its row goes.
    Ok(Text::Owned(left.clamp(1, u64::from(u32::MAX)).to_string()))
}

/// Begins the lease of a row now; 0 seconds for one that has no end.
pub(super) fn begin(cx: &mut Context, row: &Row, duration: &str) -> Result<(), Fault> {
    let duration: u64 = duration.parse().map_err(|_| Fault::value("not a number"))?;
    let at = seconds(cx.system().wall_clock()).saturating_add(duration);
    let end = End { at, boot: Some(Boot::now(cx)) };
    let name = full_name(cx, row.node(), row, LEASE);
    if duration > 0 {
        cx.set_own(&name, Some(&end.to_text()));
    } else if cx.own(&name).is_some() {
        cx.set_own(&name, None);
    }
    Ok(())
}

/// How long the lease of a row was asked for, in seconds; 0 for one that has no end.
pub(super) fn asked(cx: &mut Context, row: &Row) -> Result<Text> {
    let asked = cx.own(&full_name(cx, row.node(), row, ASKED));
    let ends = end(cx, row).is_some();
    Ok(asked.filter(|_| ends).map_or(Text::Borrowed("0"), Text::Owned))
}

/// As [`begin`], where the table shows apart how long was asked for. The same value again begins the lease anew, for that is how it is renewed.
pub(super) fn ask(cx: &mut Context, row: &Row, duration: &str) -> Result<(), Fault> {
    begin(cx, row, duration)?;
    let name = full_name(cx, row.node(), row, ASKED);
    super::own_keys::set_own(cx, &name, (duration != "0").then_some(duration));
    Ok(())
}

/// The paths of the rows whose time is over, such as `Device.NAT.PortMapping.3.`, and when the next one will be over.
///
/// # Errors
/// When the configuration behind them cannot be read.
pub(super) fn expired(cx: &mut Context, now: SystemTime) -> Result<(Vec<String>, Option<SystemTime>)> {
    let schema = cx.schema().clone();
    let root = cx.root();
    let (mut over, mut next) = (Vec::new(), None::<u64>);
    let mut judge = |end: Option<u64>, path: String| match end {
        Some(end) if end <= seconds(now) => over.push(path),
        Some(end) => next = Some(next.map_or(end, |next| next.min(end))),
        None => {}
    };
    for table in LEASED {
        let Some(node) = schema.find(table) else { continue };
        for entry in cx.rows(node, &root)?.iter() {
            let row = Row::new(node, &root, entry);
            judge(end(cx, &row), schema.path(node, &row));
        }
    }
    for (path, end) in super::firewall::expiring(cx)? {
        judge(u64::try_from(end.seconds()).ok(), path);
    }
    Ok((over, next.and_then(|end| UNIX_EPOCH.checked_add(Duration::from_secs(end)))))
}

/// Gives the leases of this boot the time of day of their ends by a clock that has been set since; whether one had another.
///
/// # Errors
/// When the configuration behind them cannot be read.
pub(super) fn follow_clock(cx: &mut Context) -> Result<bool> {
    let schema = cx.schema().clone();
    let root = cx.root();
    let mut moved = false;
    for table in LEASED {
        let Some(node) = schema.find(table) else { continue };
        for entry in cx.rows(node, &root)?.iter() {
            let row = Row::new(node, &root, entry);
            if let Some((_, now)) = ends(cx, &row).filter(|(kept, now)| kept != now) {
                let name = full_name(cx, node, &row, LEASE);
                cx.set_own(&name, Some(&now.to_text()));
                moved = true;
            }
        }
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(id: &str, at: i64) -> Boot {
        Boot { id: id.into(), at }
    }

    /// A lease of an hour, a minute after a boot with the time of an old file, or without any.
    #[test]
    fn a_clock_that_is_set_ends_no_lease() {
        for (wrong, right) in [(1_000_000, 1_172_800), (-60, 1_790_000_000), (1_790_000_000, 1_000_000)] {
            let end = End { at: u64::try_from(wrong + 3_660).unwrap(), boot: Some(boot("a", wrong)) };
            let end = End::parse(&end.to_text()).unwrap();
            let now = end.clone().by(&boot("a", right));
            assert_eq!(now, End { at: u64::try_from(right + 3_660).unwrap(), boot: Some(boot("a", right)) });
            // Over a reboot the time of day is all there is.
            assert_eq!(now.clone().by(&boot("b", right + 600)), now);
            assert_eq!(end.clone().by(&boot("a", wrong + 1)), end);
        }
        let old = End::parse("1790000000").unwrap();
        assert_eq!(old.clone().by(&boot("", 5)), old);
        assert_eq!(End { at: 7, boot: Some(boot("", 5)) }.to_text(), "7");
    }
}
