//! The parameters of `Device.ManagementServer.` for connection requests over UDP and STUN (TR-069a6 Annex G; CONFORMANCE U-01 to U-08).

use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Text, get, own, ro, rw};
use crate::model::value::{BOOLEAN, Format, INT, STRING, Type, UNSIGNED_INT};

/// Where the agent is reached by datagrams; its changes are told at a limited rate.
pub const UDP_ADDRESS: &str = "Device.ManagementServer.UDPConnectionRequestAddress";

const CREDENTIAL: Type = STRING.lengths(&[(0, 256)]);

/// A name or an address; the resolver is asked for it just as it is.
const HOST: Format = Format { name: "host name or IP address", check: is_host };

/// TR-181 2.17 Device.ManagementServer., what Annex G adds to it. Where it says nothing of an initial value, what works behind most NAT is one.
pub static STUN: Object = Object::single(
    "Device.ManagementServer.",
    &[
        ro("UDPConnectionRequestAddress", CREDENTIAL, get(udp_address)),
        rw("STUNEnable", BOOLEAN, own("false")),
        // The host of the ACS as long as this is empty.
        rw("STUNServerAddress", CREDENTIAL.format(HOST), own("")),
        // 0 is the port of the standard.
        rw("STUNServerPort", UNSIGNED_INT.ranges(&[(0, 65535)]), own("3478")),
        rw("STUNUsername", CREDENTIAL, own("")),
        rw("STUNPassword", CREDENTIAL, own("")).hidden(),
        rw("STUNMaximumKeepAlivePeriod", INT.ranges(&[(-1, i64::MAX)]), own("-1")),
        rw("STUNMinimumKeepAlivePeriod", UNSIGNED_INT, own("20")),
        ro("NATDetected", BOOLEAN, get(nat_detected)),
    ],
);

fn udp_address(cx: &mut Context, _: &Row) -> Result<Text> {
    Ok(Text::Owned(cx.facts().udp_connection_request_address.clone()))
}

fn nat_detected(cx: &mut Context, _: &Row) -> Result<Text> {
    Ok(Text::Borrowed(if cx.facts().nat_detected { "true" } else { "false" }))
}

fn is_host(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]%".contains(&byte))
}
