//! `Device.IP.Diagnostics.ServerSelectionDiagnostics.`

use crate::device::ip::interface::INTERFACES;
use crate::device::probe::{ADDRESS_USED, HOST, PROTOCOL_VERSION, REPETITIONS, TIMEOUT, busy_number, number, state};
use crate::model::schema::{Notification, Object, fleeting, own, ro, rw};
use crate::model::value::STRING;

/// TR-181 2.17 Device.IP.Diagnostics.ServerSelectionDiagnostics.
pub static SERVER_SELECTION: Object = Object::single(
    "Device.IP.Diagnostics.ServerSelectionDiagnostics.",
    &[
        state(&[
            "Requested",
            "Canceled",
            "None",
            "Complete",
            "Error_CannotResolveHostName",
            "Error_Internal",
            "Error_Other",
        ])
        .notification(Notification::CanDeny),
        rw("Interface", STRING.strong(&[INTERFACES]).lengths(&[(0, 256)]), own("")),
        PROTOCOL_VERSION,
        rw("Protocol", STRING.values(&["ICMP", "UDP Echo"]), own("ICMP")),
        rw("HostList", HOST.list_within((0, 10), u32::MAX), own("")),
        rw("NumberOfRepetitions", REPETITIONS, own("3")),
        rw("Timeout", TIMEOUT, own("1000")),
        ro("FastestHost", STRING, fleeting("")).notification(Notification::CanDeny),
        busy_number("MinimumResponseTime"),
        busy_number("AverageResponseTime"),
        number("MaximumResponseTime"),
        ADDRESS_USED,
    ],
);
