//! `Device.DeviceInfo.NetworkProperties.`

use crate::error::Result;
use crate::model::context::{Context, Row};
use crate::model::schema::{Object, Text, get, ro};
use crate::model::value::{STRING, UNSIGNED_INT};

/// TR-181 2.17 Device.DeviceInfo.NetworkProperties.
pub static NETWORK_PROPERTIES: Object = Object::single(
    "Device.DeviceInfo.NetworkProperties.",
    &[
        ro("MaxTCPWindowSize", UNSIGNED_INT, get(window)),
        ro("TCPImplementation", STRING.values(&["Tahoe", "Reno", "New Reno", "Vegas"]).list(), get(implementation)),
    ],
);

/// The greatest receive buffer, the last of least, ordinary and greatest.
fn window(cx: &mut Context, _: &Row) -> Result<Text> {
    let sizes = cx.file("/proc/sys/net/ipv4/tcp_rmem").unwrap_or_else(|_| "".into());
    let greatest = sizes.split_whitespace().next_back().and_then(|size| size.parse::<u32>().ok());
    Ok(greatest.map_or(Text::Borrowed("0"), |size| Text::Owned(size.to_string())))
}

/// The kernel's `reno` is what TR-181 calls New Reno; for `cubic` and `bbr` TR-181 has no word.
fn implementation(cx: &mut Context, _: &Row) -> Result<Text> {
    let control = cx.file("/proc/sys/net/ipv4/tcp_congestion_control").unwrap_or_else(|_| "".into());
    Ok(Text::Borrowed(match &*control {
        "reno" => "New Reno",
        "vegas" => "Vegas",
        _ => "",
    }))
}
