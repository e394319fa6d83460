//! `Device.PeriodicStatistics.`: samples of chosen parameters. What to sample is kept by the agent; the samples are in its memory
//! (`daemon/agent/timed/statistics.rs`) and gone with it.

use crate::model::schema::{
    Notification, Object, Rows, Table, alias, constant, count, fleeting, functional, own, ro, rw,
};
use crate::model::value::{BOOLEAN, DATE_TIME, INT, STRING, Type, UNKNOWN_TIME, UNSIGNED_INT};

/// The table of sets.
pub const SAMPLE_SETS: &str = "Device.PeriodicStatistics.SampleSet.";

const NUMBERS: Type = UNSIGNED_INT.list();
const AT_LEAST_ONE: Type = UNSIGNED_INT.ranges(&[(1, i64::MAX)]);

/// TR-181 2.17 Device.PeriodicStatistics.
static PERIODIC_STATISTICS: Object = Object::single(
    "Device.PeriodicStatistics.",
    &[
        ro("MinSampleInterval", UNSIGNED_INT, constant("1")),
        ro("MaxReportSamples", UNSIGNED_INT, constant("96")),
        ro("SampleSetNumberOfEntries", UNSIGNED_INT, count("SampleSet")),
    ],
);

/// TR-181 2.17 Device.PeriodicStatistics.SampleSet.{i}.
static SAMPLE_SET: Object = Object::table(
    "Device.PeriodicStatistics.SampleSet.{i}.",
    Table::new(Rows::Own).writable(&[]).keys(&[functional(&["Name"])]).enabled_by("Enable").at_most(8),
    &[
        alias(),
        rw("Enable", BOOLEAN, own("false")).default("false"),
        ro("Status", STRING.values(&["Disabled", "Enabled", "Trigger"]), fleeting("Disabled")),
        rw("Name", STRING.lengths(&[(0, 128)]), own("")).default(""),
        rw("SampleInterval", AT_LEAST_ONE, own("3600")).default("3600"),
        rw("ReportSamples", AT_LEAST_ONE, own("24")).default("24"),
        ro("ReportStartTime", DATE_TIME, fleeting(UNKNOWN_TIME)),
        ro("ReportEndTime", DATE_TIME, fleeting(UNKNOWN_TIME)),
        ro("SampleSeconds", NUMBERS, fleeting("")).notification(Notification::CanDeny),
        rw("FetchSamples", UNSIGNED_INT, own("0")).default("0"),
        rw("TimeReference", DATE_TIME, own(UNKNOWN_TIME)).default(UNKNOWN_TIME),
        rw("ForceSample", BOOLEAN, own("false")).default("false").command(),
        ro("ParameterNumberOfEntries", UNSIGNED_INT, count("Parameter")),
    ],
);

/// TR-181 2.17 Device.PeriodicStatistics.SampleSet.{i}.Parameter.{i}.
static PARAMETER: Object = Object::table(
    "Device.PeriodicStatistics.SampleSet.{i}.Parameter.{i}.",
    Table::new(Rows::Own).writable(&[]).keys(&[functional(&["Reference"])]).enabled_by("Enable").at_most(16),
    &[
        alias(),
        rw("Enable", BOOLEAN, own("false")).default("false"),
        rw("Reference", STRING.lengths(&[(0, 256)]).weak(&[]), own("")).default(""),
        rw("SampleMode", STRING.values(&["Current", "Change"]), own("Current")).default("Current"),
        rw("CalculationMode", STRING.values(&["Latest", "Minimum", "Maximum", "Average"]), own("Latest"))
            .default("Latest"),
        rw("LowThreshold", INT, own("0")).default("0"),
        rw("HighThreshold", INT, own("0")).default("0"),
        ro("SampleSeconds", NUMBERS, fleeting("")).notification(Notification::CanDeny),
        ro("SuspectData", UNSIGNED_INT.ranges(&[(i64::MIN, 1)]).list(), fleeting(""))
            .notification(Notification::CanDeny),
        ro("Values", STRING.list(), fleeting("")).notification(Notification::CanDeny),
        ro("Failures", UNSIGNED_INT, fleeting("0")),
    ],
);

/// The objects of this file, tables before what lies in them.
pub static OBJECTS: &[&Object] = &[&PERIODIC_STATISTICS, &SAMPLE_SET, &PARAMETER];
