//! `Device.ManagementServer.HeartbeatPolicy.` and `StandbyPolicy.` (CONFORMANCE H-01, W-01).

use crate::model::schema::{Object, constant, own, ro, rw};
use crate::model::value::{BOOLEAN, DATE_TIME, INT, Type, UNKNOWN_TIME, UNSIGNED_INT};

/// A number, or -1 for none.
const AT_MOST: Type = INT.ranges(&[(-1, i64::MAX)]);

/// TR-181 2.17 Device.ManagementServer.HeartbeatPolicy.
pub static HEARTBEAT: Object = Object::single(
    "Device.ManagementServer.HeartbeatPolicy.",
    &[
        rw("Enable", BOOLEAN, own("false")),
        rw("ReportingInterval", UNSIGNED_INT.ranges(&[(30, i64::MAX)]), own("3600")),
        rw("InitiationTime", DATE_TIME, own(UNKNOWN_TIME)),
    ],
);

/// TR-181 2.17 Device.ManagementServer.StandbyPolicy.
pub static STANDBY: Object = Object::single(
    "Device.ManagementServer.StandbyPolicy.",
    &[
        rw("CRUnawarenessMaxDuration", AT_MOST, own("-1")),
        rw("MaxMissedPeriodic", AT_MOST, own("-1")),
        rw("NotifyMissedScheduled", BOOLEAN, own("false")),
        // A router that is suspended hears nothing and sets no alarm; what is asked of its standby is kept, and there is none to follow it.
        ro("NetworkAwarenessCapable", BOOLEAN, constant("false")),
        ro("SelfTimerCapable", BOOLEAN, constant("false")),
        rw("CRAwarenessRequested", BOOLEAN, own("false")),
        rw("PeriodicAwarenessRequested", BOOLEAN, own("false")),
        rw("ScheduledAwarenessRequested", BOOLEAN, own("false")),
    ],
);
