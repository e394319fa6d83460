//! `Device.IP.Diagnostics.` (TR-181 2.17): tests of the network; they are carried out by `crate::diagnostics`.

mod ping;
mod server_selection;
#[cfg(feature = "speed-tests")]
mod speed;
mod trace_route;
#[cfg(feature = "speed-tests")]
pub mod udp_echo;

use crate::model::schema::{Object, constant, ro};
use crate::model::value::BOOLEAN;

/// Whether the tests of TR-143 are built in.
const SPEED_TESTS: &str = if cfg!(feature = "speed-tests") { "true" } else { "false" };

/// TR-181 2.17 Device.IP.Diagnostics.
static DIAGNOSTICS: Object = Object::single(
    "Device.IP.Diagnostics.",
    &[
        ro("IPv4PingSupported", BOOLEAN, constant("true")),
        ro("IPv6PingSupported", BOOLEAN, constant("true")),
        ro("IPv4TraceRouteSupported", BOOLEAN, constant("true")),
        ro("IPv6TraceRouteSupported", BOOLEAN, constant("true")),
        ro("IPv4DownloadDiagnosticsSupported", BOOLEAN, constant(SPEED_TESTS)),
        ro("IPv6DownloadDiagnosticsSupported", BOOLEAN, constant(SPEED_TESTS)),
        ro("IPv4UploadDiagnosticsSupported", BOOLEAN, constant(SPEED_TESTS)),
        ro("IPv6UploadDiagnosticsSupported", BOOLEAN, constant(SPEED_TESTS)),
        ro("IPv4UDPEchoDiagnosticsSupported", BOOLEAN, constant(SPEED_TESTS)),
        ro("IPv6UDPEchoDiagnosticsSupported", BOOLEAN, constant(SPEED_TESTS)),
        ro("IPLayerCapacitySupported", BOOLEAN, constant("false")),
        ro("IPv4ServerSelectionDiagnosticsSupported", BOOLEAN, constant("true")),
        ro("IPv6ServerSelectionDiagnosticsSupported", BOOLEAN, constant("true")),
    ],
);

/// The objects of this directory.
pub static OBJECTS: &[&Object] =
    &[&DIAGNOSTICS, &ping::PING, &trace_route::TRACE_ROUTE, &trace_route::HOPS, &server_selection::SERVER_SELECTION];

/// Those of the tests of TR-143.
#[cfg(feature = "speed-tests")]
pub static SPEED_OBJECTS: &[&Object] = &[
    &speed::DOWNLOAD,
    &speed::DOWNLOAD_CONNECTION,
    &speed::DOWNLOAD_INTERVAL,
    &speed::UPLOAD,
    &speed::UPLOAD_CONNECTION,
    &speed::UPLOAD_INTERVAL,
    &udp_echo::CONFIG,
    &udp_echo::DIAGNOSTICS,
    &udp_echo::PACKET,
];
