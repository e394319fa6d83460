//! What happens by the clock. The agent keeps it itself.

use super::{Group, Write, write};

pub const GROUP: Group = Group { prepare: |_| {}, add: &["Device.PeriodicStatistics.SampleSet.", "Device.PeriodicStatistics.SampleSet.1.Parameter."], writes: WRITES };

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
    write("Device.PeriodicStatistics.SampleSet.1.Name", "Traffic", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.SampleInterval", "300", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.ReportSamples", "12", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.FetchSamples", "6", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.TimeReference", "2030-01-02T03:04:05Z", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.Parameter.1.Reference", "Device.DeviceInfo.MemoryStatus.Free", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.Parameter.1.SampleMode", "Change", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.Parameter.1.CalculationMode", "Average", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.Parameter.1.LowThreshold", "-5", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.Parameter.1.HighThreshold", "5", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.Parameter.1.Enable", "true", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.Enable", "true", &[]),
    write("Device.PeriodicStatistics.SampleSet.1.ForceSample", "true", &[]).reads("false"),
];
