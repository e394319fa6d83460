//! How fast the network is, and what it loses on the way: the tests of TR-143.
//!
//! ```text
//!   transfer (sockets) --> http (bytes of a response)        echo_client (socket) --> echo (packets) <-- echo_server (socket)
//!           `------------> meter (times and counts)
//! ```
//!
//! [`http`], [`meter`] and [`echo`] do no IO.

pub mod echo;
pub mod echo_client;
pub mod echo_server;
pub mod http;
pub mod meter;
pub mod socket;
pub mod stamp;
pub mod transfer;
