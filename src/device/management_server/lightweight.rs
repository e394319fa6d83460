//! The parameters of `Device.ManagementServer.` for lightweight notifications (TR-069a6 Annex M; CONFORMANCE N-10, N-11).

use crate::model::schema::{Object, constant, own, ro, rw};
use crate::model::value::{DATE_TIME, STRING, Type, UNKNOWN_TIME, UNSIGNED_INT};

const PROTOCOLS: Type = STRING.values(&["UDP"]).list();

/// TR-181 2.17 Device.ManagementServer., what lightweight notifications add to it.
pub static LIGHTWEIGHT: Object = Object::single(
    "Device.ManagementServer.",
    &[
        ro("LightweightNotificationProtocolsSupported", PROTOCOLS, constant("UDP")),
        // Nothing is sent as long as this is empty.
        rw("LightweightNotificationProtocolsUsed", PROTOCOLS, own("")),
        rw("LightweightNotificationTriggerInterval", UNSIGNED_INT.ranges(&[(0, i64::MAX)]), own("0")),
        rw("LightweightNotificationTriggerTime", DATE_TIME, own(UNKNOWN_TIME)),
        // The host of the ACS as long as this is empty.
        rw("UDPLightweightNotificationHost", STRING.lengths(&[(0, 256)]), own("")),
        rw("UDPLightweightNotificationPort", UNSIGNED_INT.ranges(&[(1, 65535)]), own("7547")),
    ],
);
