//! `Device.IP.Diagnostics.DownloadDiagnostics.` and `UploadDiagnostics.` (TR-143): how fast the network is.

use crate::device::probe::{ADDRESS_USED, DSCP, INTERFACE, PROTOCOL_VERSION, state};
use crate::model::schema::{Notification, Object, Parameter, Rows, Table, constant, count, fleeting, own, ro, rw};
use crate::model::value::{BOOLEAN, DATE_TIME, Format, STRING, Type, UNKNOWN_TIME, UNSIGNED_INT, UNSIGNED_LONG};

/// A test goes over HTTP without TLS; nothing else is asked for, or refused later.
const TEST_URL: Format = Format { name: "http URL", check: is_test_url };
const URL: Type = STRING.lengths(&[(0, 2048)]).format(TEST_URL);
const TRANSPORTS: Type = STRING.values(&["HTTP", "FTP"]).list();
const SECONDS: Type = UNSIGNED_INT.ranges(&[(0, 999)]);
/// As many as the test can have (SECURITY S21).
const CONNECTIONS: Type = UNSIGNED_INT.ranges(&[(1, 8)]);
const AT_LEAST_ONE: Type = UNSIGNED_INT.ranges(&[(1, i64::MAX)]);

const PRIORITY: Parameter = rw("EthernetPriority", UNSIGNED_INT.ranges(&[(0, 7)]), own("0"));
const DURATION: Parameter = rw("TimeBasedTestDuration", SECONDS, own("0"));
const INTERVAL: Parameter = rw("TimeBasedTestMeasurementInterval", SECONDS, own("0"));
const OFFSET: Parameter = rw("TimeBasedTestMeasurementOffset", UNSIGNED_INT.ranges(&[(0, 255)]), own("0"));
const NUMBER_OF_CONNECTIONS: Parameter = rw("NumberOfConnections", CONNECTIONS, own("1"));
const PER_CONNECTION: Parameter =
    rw("EnablePerConnectionResults", BOOLEAN, own("false")).notification(Notification::CanDeny);

/// A moment of the test.
const fn time(name: &'static str) -> Parameter {
    ro(name, DATE_TIME, fleeting(UNKNOWN_TIME)).notification(Notification::CanDeny)
}

const fn bytes(name: &'static str) -> Parameter {
    ro(name, UNSIGNED_LONG, fleeting("0"))
}

/// The same, of which active notification is refused.
const fn busy_bytes(name: &'static str) -> Parameter {
    bytes(name).notification(Notification::CanDeny)
}

/// Rows of a test, as long as its results.
const ROWS: Table = Table::new(Rows::Fleeting);

/// TR-181 2.17 Device.IP.Diagnostics.DownloadDiagnostics.
pub static DOWNLOAD: Object = Object::single(
    "Device.IP.Diagnostics.DownloadDiagnostics.",
    &[
        state(&[
            "Requested",
            "Canceled",
            "None",
            "Complete",
            "Error_CannotResolveHostName",
            "Error_NoRouteToHost",
            "Error_InitConnectionFailed",
            "Error_NoResponse",
            "Error_TransferFailed",
            "Error_PasswordRequestFailed",
            "Error_LoginFailed",
            "Error_NoTransferMode",
            "Error_NoPASV",
            "Error_IncorrectSize",
            "Error_Timeout",
            "Error_Internal",
            "Error_Other",
        ]),
        INTERFACE,
        rw("DownloadURL", URL, own("")),
        ro("DownloadTransports", TRANSPORTS, constant("HTTP")),
        DSCP,
        PRIORITY,
        DURATION,
        INTERVAL,
        OFFSET,
        PROTOCOL_VERSION,
        NUMBER_OF_CONNECTIONS,
        ADDRESS_USED.notification(Notification::CanDeny),
        ro("DownloadDiagnosticMaxConnections", AT_LEAST_ONE, constant("8")),
        ro("DownloadDiagnosticsMaxIncrementalResult", AT_LEAST_ONE, constant("100")),
        time("ROMTime"),
        time("BOMTime"),
        time("EOMTime"),
        bytes("TestBytesReceived"),
        bytes("TotalBytesReceived"),
        bytes("TotalBytesSent"),
        bytes("TestBytesReceivedUnderFullLoading"),
        bytes("TotalBytesReceivedUnderFullLoading"),
        bytes("TotalBytesSentUnderFullLoading"),
        ro("PeriodOfFullLoading", UNSIGNED_INT, fleeting("0")),
        time("TCPOpenRequestTime"),
        time("TCPOpenResponseTime"),
        ro("PerConnectionResultNumberOfEntries", UNSIGNED_INT, count("PerConnectionResult")),
        PER_CONNECTION,
        ro("IncrementalResultNumberOfEntries", UNSIGNED_INT, count("IncrementalResult")),
    ],
);

/// TR-181 2.17 Device.IP.Diagnostics.DownloadDiagnostics.PerConnectionResult.{i}.
pub static DOWNLOAD_CONNECTION: Object = Object::table(
    "Device.IP.Diagnostics.DownloadDiagnostics.PerConnectionResult.{i}.",
    ROWS,
    &[
        time("ROMTime"),
        time("BOMTime"),
        time("EOMTime"),
        busy_bytes("TestBytesReceived"),
        busy_bytes("TotalBytesReceived"),
        busy_bytes("TotalBytesSent"),
        time("TCPOpenRequestTime"),
        time("TCPOpenResponseTime"),
    ],
);

/// TR-181 2.17 Device.IP.Diagnostics.DownloadDiagnostics.IncrementalResult.{i}.
pub static DOWNLOAD_INTERVAL: Object = Object::table(
    "Device.IP.Diagnostics.DownloadDiagnostics.IncrementalResult.{i}.",
    ROWS,
    &[
        busy_bytes("TestBytesReceived"),
        bytes("TotalBytesReceived"),
        bytes("TotalBytesSent"),
        time("StartTime"),
        time("EndTime"),
    ],
);

/// TR-181 2.17 Device.IP.Diagnostics.UploadDiagnostics.
pub static UPLOAD: Object = Object::single(
    "Device.IP.Diagnostics.UploadDiagnostics.",
    &[
        state(&[
            "Requested",
            "Canceled",
            "None",
            "Complete",
            "Error_CannotResolveHostName",
            "Error_NoRouteToHost",
            "Error_InitConnectionFailed",
            "Error_NoResponse",
            "Error_PasswordRequestFailed",
            "Error_LoginFailed",
            "Error_NoTransferMode",
            "Error_NoPASV",
            "Error_NoCWD",
            "Error_NoSTOR",
            "Error_NoTransferComplete",
            "Error_Timeout",
            "Error_Internal",
            "Error_Other",
        ]),
        INTERFACE,
        rw("UploadURL", URL, own("")),
        ro("UploadTransports", TRANSPORTS, constant("HTTP")),
        DSCP,
        PRIORITY,
        // Each connection sends as much.
        rw("TestFileLength", UNSIGNED_LONG, own("0")),
        DURATION,
        INTERVAL,
        OFFSET,
        PROTOCOL_VERSION,
        NUMBER_OF_CONNECTIONS,
        ADDRESS_USED,
        ro("UploadDiagnosticsMaxConnections", AT_LEAST_ONE, constant("8")),
        ro("UploadDiagnosticsMaxIncrementalResult", AT_LEAST_ONE, constant("100")),
        time("ROMTime"),
        time("BOMTime"),
        time("EOMTime"),
        bytes("TestBytesSent"),
        bytes("TotalBytesReceived"),
        bytes("TotalBytesSent"),
        bytes("TestBytesSentUnderFullLoading"),
        bytes("TotalBytesReceivedUnderFullLoading"),
        bytes("TotalBytesSentUnderFullLoading"),
        ro("PeriodOfFullLoading", UNSIGNED_INT, fleeting("0")),
        time("TCPOpenRequestTime"),
        time("TCPOpenResponseTime"),
        ro("PerConnectionResultNumberOfEntries", UNSIGNED_INT, count("PerConnectionResult")),
        PER_CONNECTION,
        ro("IncrementalResultNumberOfEntries", UNSIGNED_INT, count("IncrementalResult")),
    ],
);

/// TR-181 2.17 Device.IP.Diagnostics.UploadDiagnostics.PerConnectionResult.{i}.
pub static UPLOAD_CONNECTION: Object = Object::table(
    "Device.IP.Diagnostics.UploadDiagnostics.PerConnectionResult.{i}.",
    ROWS,
    &[
        time("ROMTime"),
        time("BOMTime"),
        time("EOMTime"),
        bytes("TestBytesSent"),
        busy_bytes("TotalBytesReceived"),
        busy_bytes("TotalBytesSent"),
        time("TCPOpenRequestTime"),
        time("TCPOpenResponseTime"),
    ],
);

/// TR-181 2.17 Device.IP.Diagnostics.UploadDiagnostics.IncrementalResult.{i}.
pub static UPLOAD_INTERVAL: Object = Object::table(
    "Device.IP.Diagnostics.UploadDiagnostics.IncrementalResult.{i}.",
    ROWS,
    &[bytes("TestBytesSent"), bytes("TotalBytesReceived"), bytes("TotalBytesSent"), time("StartTime"), time("EndTime")],
);

/// Whether a test can go there; credentials are no part of it, because there is no authentication (TR-181 2.17 DownloadURL).
fn is_test_url(text: &str) -> bool {
    let rest = text.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http://"));
    let host = rest.and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    let host = host.is_some_and(|host| !host.is_empty() && !host.contains('@'));
    host && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_goes_over_http_without_tls_and_without_a_password() {
        for url in ["http://test.example/big", "HTTP://[2001:db8::1]:8080", "http://a?size=1"] {
            assert!(is_test_url(url), "{url}");
        }
        for url in ["https://a/", "ftp://a/", "http://", "http:///x", "http://u:p@a/", "http://a b/", "a"] {
            assert!(!is_test_url(url), "{url}");
        }
    }
}
