//! `Device.IP.Diagnostics.IPPing.`

use crate::device::probe::{
    ADDRESS_USED, BLOCK, DSCP, HOST, INTERFACE, PROTOCOL_VERSION, REPETITIONS, TIMEOUT, busy_number, number, state,
};
use crate::model::schema::{Object, own, rw};

/// TR-181 2.17 Device.IP.Diagnostics.IPPing.
pub static PING: Object = Object::single(
    "Device.IP.Diagnostics.IPPing.",
    &[
        state(&[
            "Requested",
            "Canceled",
            "None",
            "Complete",
            "Error",
            "Error_CannotResolveHostName",
            "Error_NoRouteToHost",
            "Error_Internal",
            "Error_Other",
        ]),
        INTERFACE,
        PROTOCOL_VERSION,
        rw("Host", HOST, own("")),
        rw("NumberOfRepetitions", REPETITIONS, own("3")),
        rw("Timeout", TIMEOUT, own("1000")),
        rw("DataBlockSize", BLOCK, own("56")),
        DSCP,
        ADDRESS_USED,
        busy_number("SuccessCount"),
        busy_number("FailureCount"),
        busy_number("AverageResponseTime"),
        busy_number("MinimumResponseTime"),
        number("MaximumResponseTime"),
        busy_number("AverageResponseTimeDetailed"),
        busy_number("MinimumResponseTimeDetailed"),
        number("MaximumResponseTimeDetailed"),
    ],
);
