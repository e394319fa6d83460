//! How fast the network is, and what it loses on the way: the tests of TR-143.
//!
//! ```text
//!   file (DownloadDiagnostics, UploadDiagnostics)              packets (UDPEchoDiagnostics)      server (UDPEchoConfig)
//!     `-> transfer (sockets) -> http (bytes of a response)                  `--> echo (fields of a packet) <--'
//!               `-------------> meter (times and counts)
//! ```
//!
//! [`http`], [`meter`] and [`echo`] do no IO.
//!
//! Files go over HTTP without TLS, as DownloadTransports and UploadTransports say: what a test is to measure is the network, not the router's
//! arithmetic. There is no FTP.

mod device;
pub mod echo;
mod file;
pub mod http;
pub mod meter;
mod packets;
pub mod server;
pub mod stamp;
mod transfer;

pub use file::{DOWNLOAD, UPLOAD};
pub use packets::UDP_ECHO;
