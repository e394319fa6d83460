//! Reports of bulk data. The agent keeps it itself.

use super::{Group, Write, write};

pub const GROUP: Group = Group {
    prepare: |_| {},
    add: &[
        "Device.BulkData.Profile.",
        "Device.BulkData.Profile.1.Parameter.",
        "Device.BulkData.Profile.1.HTTP.RequestURIParameter.",
    ],
    writes: WRITES,
};

const WRITES: &[Write] = &[
    write("Device.BulkData.Enable", "true", &[]),
    write("Device.BulkData.Profile.1.Name", "Traffic", &[]),
    write("Device.BulkData.Profile.1.NumberOfRetainedFailedReports", "-1", &[]),
    write("Device.BulkData.Profile.1.Protocol", "HTTP", &[]),
    write("Device.BulkData.Profile.1.EncodingType", "CSV", &[]),
    write("Device.BulkData.Profile.1.ReportingInterval", "300", &[]),
    write("Device.BulkData.Profile.1.TimeReference", "2030-01-02T03:04:05Z", &[]),
    write("Device.BulkData.Profile.1.Parameter.1.Name", "Sent", &[]),
    write("Device.BulkData.Profile.1.Parameter.1.Reference", "Device.IP.Interface.*.Stats.", &[]),
    write("Device.BulkData.Profile.1.Parameter.1.Exclude", "true", &[]),
    write("Device.BulkData.Profile.1.CSVEncoding.FieldSeparator", ";", &[]),
    write("Device.BulkData.Profile.1.CSVEncoding.RowSeparator", "\n", &[]),
    write("Device.BulkData.Profile.1.CSVEncoding.EscapeCharacter", "'", &[]),
    write("Device.BulkData.Profile.1.CSVEncoding.ReportFormat", "ParameterPerRow", &[]),
    write("Device.BulkData.Profile.1.CSVEncoding.RowTimestamp", "ISO-8601", &[]),
    write("Device.BulkData.Profile.1.JSONEncoding.ReportFormat", "NameValuePair", &[]),
    write("Device.BulkData.Profile.1.JSONEncoding.ReportTimestamp", "None", &[]),
    write("Device.BulkData.Profile.1.HTTP.URL", "https://collector.example/reports", &[]),
    write("Device.BulkData.Profile.1.HTTP.Username", "router", &[]),
    write("Device.BulkData.Profile.1.HTTP.Password", "of the collector", &[]).reads(""),
    write("Device.BulkData.Profile.1.HTTP.Compression", "Deflate", &[]),
    write("Device.BulkData.Profile.1.HTTP.Method", "PUT", &[]),
    write("Device.BulkData.Profile.1.HTTP.UseDateHeader", "false", &[]),
    write("Device.BulkData.Profile.1.HTTP.RetryEnable", "true", &[]),
    write("Device.BulkData.Profile.1.HTTP.RetryMinimumWaitInterval", "60", &[]),
    write("Device.BulkData.Profile.1.HTTP.RetryIntervalMultiplier", "1500", &[]),
    write("Device.BulkData.Profile.1.HTTP.PersistAcrossReboot", "true", &[]),
    write("Device.BulkData.Profile.1.HTTP.RequestURIParameter.1.Name", "up", &[]),
    write("Device.BulkData.Profile.1.HTTP.RequestURIParameter.1.Reference", "Device.DeviceInfo.UpTime", &[]),
    write("Device.BulkData.Profile.1.Enable", "true", &[]),
];
