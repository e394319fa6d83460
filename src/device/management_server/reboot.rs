//! The parameters of `Device.ManagementServer.` for reboots that the ACS has set a time for (CONFORMANCE S-11).

use crate::model::schema::{Object, own, rw};
use crate::model::value::{DATE_TIME, INT, UNKNOWN_TIME};

/// When to reboot, in UTC; a time that is past means nothing.
pub const SCHEDULE: &str = "Device.ManagementServer.ScheduleReboot";

/// How many seconds after the session to reboot; -1 for never, and after every reboot.
pub const DELAY: &str = "Device.ManagementServer.DelayReboot";

/// TR-181 2.17 Device.ManagementServer., what scheduled reboots add to it.
pub static REBOOT: Object = Object::single(
    "Device.ManagementServer.",
    &[rw("ScheduleReboot", DATE_TIME, own(UNKNOWN_TIME)), rw("DelayReboot", INT.ranges(&[(-1, i64::MAX)]), own("-1"))],
);
