//! `Device.BulkData.Profile.{i}.`: what is reported, when, how it is written, and where it goes.

use super::{ENCODINGS, LEAST_INTERVAL, PROTOCOLS};
use crate::device::management_server::HTTP_URL;
use crate::error::Fault;
use crate::model::access::full_name;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Rows, Table, alias, constant, count, own, ro, rw};
use crate::model::value::{BOOLEAN, DATE_TIME, Format, INT, STRING, Type, UNKNOWN_TIME, UNSIGNED_INT};

const COMPRESSIONS: &[&str] = &["None", "GZIP", "Deflate"];
const METHODS: &[&str] = &["POST", "PUT"];
const TIMESTAMPS: Type = STRING.values(&["Unix-Epoch", "ISO-8601", "None"]);
const SECRET: Type = STRING.lengths(&[(0, 256)]);

/// A parameter, or everything below a path; `*` stands for every row.
const REFERENCE: Type = STRING
    .lengths(&[(0, 256)])
    .format(Format { name: "name of a parameter or partial path", check: |text| text.starts_with("Device.") });

/// TR-181 2.17 Device.BulkData.Profile.{i}.
pub(super) static PROFILE: Object = Object::table(
    "Device.BulkData.Profile.{i}.",
    Table::new(Rows::Own).writable(&[]).enabled_by("Enable").at_most(8),
    &[
        rw("Enable", BOOLEAN, own("false")).default("false"),
        alias(),
        rw("Name", STRING.lengths(&[(0, 255)]), own("")),
        rw("NumberOfRetainedFailedReports", INT.ranges(&[(-1, i64::MAX)]), own("0")).default("0"),
        rw("Protocol", STRING.values(PROTOCOLS), own("HTTP")),
        rw("EncodingType", STRING.values(ENCODINGS), own("JSON")),
        rw("ReportingInterval", UNSIGNED_INT.ranges(&[(1, i64::MAX)]), own("86400")).default("86400"),
        rw("TimeReference", DATE_TIME, own(UNKNOWN_TIME)).default(UNKNOWN_TIME),
        ro("ParameterNumberOfEntries", UNSIGNED_INT, count("Parameter")),
    ],
)
.check(check);

/// TR-181 2.17 Device.BulkData.Profile.{i}.Parameter.{i}.
pub(super) static PARAMETER: Object = Object::table(
    "Device.BulkData.Profile.{i}.Parameter.{i}.",
    Table::new(Rows::Own).writable(&[]).at_most(64),
    &[
        rw("Name", STRING.lengths(&[(0, 64)]), own("")),
        rw("Reference", REFERENCE, own("")).default(""),
        rw("Exclude", BOOLEAN, own("false")).default("false"),
    ],
);

/// TR-181 2.17 Device.BulkData.Profile.{i}.CSVEncoding.
pub(super) static CSV: Object = Object::single(
    "Device.BulkData.Profile.{i}.CSVEncoding.",
    &[
        rw("FieldSeparator", STRING, own(",")).default(","),
        rw("RowSeparator", STRING, own("\r\n")).default("\r\n"),
        rw("EscapeCharacter", STRING, own("\"")).default("\""),
        rw("ReportFormat", STRING.values(&["ParameterPerRow", "ParameterPerColumn"]), own("ParameterPerColumn"))
            .default("ParameterPerColumn"),
        rw("RowTimestamp", TIMESTAMPS, own("Unix-Epoch")).default("Unix-Epoch"),
    ],
);

/// TR-181 2.17 Device.BulkData.Profile.{i}.JSONEncoding.
pub(super) static JSON: Object = Object::single(
    "Device.BulkData.Profile.{i}.JSONEncoding.",
    &[
        rw("ReportFormat", STRING.values(&["ObjectHierarchy", "NameValuePair"]), own("ObjectHierarchy"))
            .default("ObjectHierarchy"),
        rw("ReportTimestamp", TIMESTAMPS, own("Unix-Epoch")).default("Unix-Epoch"),
    ],
);

/// TR-181 2.17 Device.BulkData.Profile.{i}.HTTP.
pub(super) static HTTP: Object = Object::single(
    "Device.BulkData.Profile.{i}.HTTP.",
    &[
        rw("URL", STRING.lengths(&[(0, 2048)]).format(HTTP_URL), own("")),
        rw("Username", SECRET, own("")),
        rw("Password", SECRET, own("")).hidden(),
        ro("CompressionsSupported", STRING.values(&["GZIP", "Compress", "Deflate"]).list(), constant("GZIP,Deflate")),
        rw("Compression", STRING.values(COMPRESSIONS), own("None")).default("None"),
        ro("MethodsSupported", STRING.values(METHODS).list(), constant("POST,PUT")),
        rw("Method", STRING.values(METHODS), own("POST")).default("POST"),
        rw("UseDateHeader", BOOLEAN, own("true")).default("true"),
        rw("RetryEnable", BOOLEAN, own("false")).default("false"),
        rw("RetryMinimumWaitInterval", UNSIGNED_INT.ranges(&[(1, 65535)]), own("5")).default("5"),
        rw("RetryIntervalMultiplier", UNSIGNED_INT.ranges(&[(1000, 65535)]), own("2000")).default("2000"),
        rw("PersistAcrossReboot", BOOLEAN, own("false")).default("false"),
        ro("RequestURIParameterNumberOfEntries", UNSIGNED_INT, count("RequestURIParameter")),
    ],
);

/// TR-181 2.17 Device.BulkData.Profile.{i}.HTTP.RequestURIParameter.{i}.
pub(super) static REQUEST_URI_PARAMETER: Object = Object::table(
    "Device.BulkData.Profile.{i}.HTTP.RequestURIParameter.{i}.",
    Table::new(Rows::Own).writable(&[]).at_most(16),
    &[rw("Name", STRING.lengths(&[(0, 64)]), own("")), rw("Reference", REFERENCE, own("")).default("")],
);

/// MinReportingInterval counts.
fn check(cx: &mut Context, row: &Row) -> Result<(), (&'static str, Fault)> {
    let interval = cx.own(&full_name(cx, row.node(), row, "ReportingInterval")).and_then(|text| text.parse().ok());
    match interval {
        Some(0..LEAST_INTERVAL) => {
            Err(("ReportingInterval", Fault::value(format!("MinReportingInterval is {LEAST_INTERVAL}"))))
        }
        _ => Ok(()),
    }
}
