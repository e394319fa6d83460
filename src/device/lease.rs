//! Rows whose time is over go: leases of port mappings, pinholes and the DMZ, and rules of the firewall with an ExpiryDate.
//!
//! OpenWrt has no such thing, so the end is the agent's own state, under the name of the parameter, and the daemon deletes the row when it has come.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Fault, Result};
use crate::model::access::full_name;
use crate::model::context::{Context, Row};
use crate::model::schema::Text;

/// The parameter under which the end is kept, in seconds since 1970.
const LEASE: &str = "LeaseDuration";
/// How long a lease was asked for, in seconds; only where the table shows that apart from what is left.
const ASKED: &str = "LeaseAsked";

/// Tables whose rows have a lease.
const LEASED: [&str; 3] = ["Device.NAT.PortMapping.", "Device.Firewall.DMZ.", "Device.Firewall.Pinhole."];

/// Seconds since 1970; 0 before.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}

fn end(cx: &Context, row: &Row) -> Option<u64> {
    cx.own(&full_name(cx, row.node(), row, LEASE)).and_then(|end| end.parse().ok())
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
    let end = seconds(cx.system().wall_clock()).saturating_add(duration).to_string();
    let name = full_name(cx, row.node(), row, LEASE);
    if duration > 0 {
        cx.set_own(&name, Some(&end));
    } else if cx.own(&name).is_some() {
        cx.set_own(&name, None);
    }
    Ok(())
}

/// How long the lease of a row was asked for, in seconds; 0 for one that has no end.
pub(super) fn asked(cx: &mut Context, row: &Row) -> Result<Text> {
    let asked = cx.own(&full_name(cx, row.node(), row, ASKED));
    Ok(asked.filter(|_| end(cx, row).is_some()).map_or(Text::Borrowed("0"), Text::Owned))
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
