//! `Device.IP.Diagnostics.TraceRoute.`

use crate::device::probe::{ADDRESS_USED, BLOCK, DSCP, HOST, INTERFACE, PROTOCOL_VERSION, TIMEOUT, busy_number, state};
use crate::model::schema::{Notification, Object, Rows, Table, count, fleeting, own, ro, rw};
use crate::model::value::{STRING, UNSIGNED_INT};

/// TR-181 2.17 Device.IP.Diagnostics.TraceRoute.
pub static TRACE_ROUTE: Object = Object::single(
    "Device.IP.Diagnostics.TraceRoute.",
    &[
        state(&[
            "Requested",
            "Canceled",
            "None",
            "Complete",
            "Error",
            "Error_CannotResolveHostName",
            "Error_NoRouteToHost",
            "Error_MaxHopCountExceeded",
            "Error_Internal",
            "Error_Other",
        ]),
        INTERFACE,
        PROTOCOL_VERSION,
        rw("Host", HOST, own("")),
        rw("NumberOfTries", UNSIGNED_INT.ranges(&[(1, 3)]), own("3")),
        rw("Timeout", TIMEOUT, own("2000")),
        rw("DataBlockSize", BLOCK, own("38")),
        DSCP,
        rw("MaxHopCount", UNSIGNED_INT.ranges(&[(1, 64)]), own("30")),
        ro("RouteHopsNumberOfEntries", UNSIGNED_INT, count("RouteHops")).notification(Notification::CanDeny),
        ADDRESS_USED,
        busy_number("ResponseTime"),
    ],
);

/// TR-181 2.17 Device.IP.Diagnostics.TraceRoute.RouteHops.{i}.
pub static HOPS: Object = Object::table(
    "Device.IP.Diagnostics.TraceRoute.RouteHops.{i}.",
    Table::new(Rows::Fleeting),
    &[
        ro("Host", HOST, fleeting("")).notification(Notification::CanDeny),
        ro("HostAddress", STRING, fleeting("")).notification(Notification::CanDeny),
        busy_number("ErrorCode"),
        ro("RTTimes", UNSIGNED_INT.list_within((1, 3), u32::MAX), fleeting("0")),
    ],
);
