//! `Device.DNS.Diagnostics.`: questions to a name server, asked by `crate::diagnostics`.

use crate::device::probe::{ADDRESS, HOST, INTERFACE, busy_number, state};
use crate::model::schema::{Notification, Object, Rows, Table, count, fleeting, own, ro, rw};
use crate::model::value::{STRING, UNSIGNED_INT};

/// TR-181 2.17 Device.DNS.Diagnostics.NSLookupDiagnostics.
///
/// Its numbers are limited as those of the other tests are (SECURITY S21).
static NAME_LOOKUP: Object = Object::single(
    "Device.DNS.Diagnostics.NSLookupDiagnostics.",
    &[
        state(&[
            "Requested",
            "Canceled",
            "None",
            "Complete",
            "Error_DNSServerNotResolved",
            "Error_Internal",
            "Error_Other",
        ])
        .notification(Notification::CanDeny),
        INTERFACE,
        rw("HostName", HOST, own("")),
        rw("DNSServer", HOST, own("")),
        rw("Timeout", UNSIGNED_INT.ranges(&[(0, 60_000)]), own("5000")),
        rw("NumberOfRepetitions", UNSIGNED_INT.ranges(&[(0, 100)]), own("1")),
        ro("ResultNumberOfEntries", UNSIGNED_INT, count("Result")).notification(Notification::CanDeny),
        busy_number("SuccessCount"),
    ],
);

/// TR-181 2.17 Device.DNS.Diagnostics.NSLookupDiagnostics.Result.{i}.
static RESULT: Object = Object::table(
    "Device.DNS.Diagnostics.NSLookupDiagnostics.Result.{i}.",
    Table::new(Rows::Fleeting),
    &[
        ro(
            "Status",
            STRING.values(&[
                "Success",
                "Error_DNSServerNotAvailable",
                "Error_HostNameNotResolved",
                "Error_Timeout",
                "Error_Other",
            ]),
            fleeting("Error_Other"),
        )
        .notification(Notification::CanDeny),
        ro("AnswerType", STRING.values(&["None", "Authoritative", "NonAuthoritative"]), fleeting("None"))
            .notification(Notification::CanDeny),
        ro("HostNameReturned", HOST, fleeting("")),
        ro("IPAddresses", ADDRESS.list_within((0, 10), u32::MAX), fleeting("")).notification(Notification::CanDeny),
        ro("DNSServerIP", ADDRESS, fleeting("")).notification(Notification::CanDeny),
        busy_number("ResponseTime"),
    ],
);

/// The objects of this file.
pub static OBJECTS: &[&Object] = &[&NAME_LOOKUP, &RESULT];
