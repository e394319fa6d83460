//! What happens by the clock. The agent keeps it itself.

use super::{Group, Write, write};

pub const GROUP: Group = Group { prepare: |_| {}, add: &[], writes: WRITES };

const WRITES: &[Write] = &[
    write("Device.ManagementServer.ScheduleReboot", "2999-12-31T23:00:00Z", &[]),
    write("Device.ManagementServer.DelayReboot", "86400", &[]),
    write("Device.ManagementServer.HeartbeatPolicy.Enable", "true", &[]),
    write("Device.ManagementServer.HeartbeatPolicy.ReportingInterval", "30", &[]),
    write("Device.ManagementServer.HeartbeatPolicy.InitiationTime", "2030-01-02T03:04:05Z", &[]),
    write("Device.ManagementServer.StandbyPolicy.CRUnawarenessMaxDuration", "0", &[]),
    write("Device.ManagementServer.StandbyPolicy.MaxMissedPeriodic", "3", &[]),
    write("Device.ManagementServer.StandbyPolicy.NotifyMissedScheduled", "true", &[]),
    write("Device.ManagementServer.StandbyPolicy.CRAwarenessRequested", "true", &[]),
    write("Device.ManagementServer.StandbyPolicy.PeriodicAwarenessRequested", "true", &[]),
    write("Device.ManagementServer.StandbyPolicy.ScheduledAwarenessRequested", "true", &[]),
];
