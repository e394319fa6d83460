//! What the tests of the whole program share: a router, the program on it, and an ACS.

// Each test file uses a part of it.
#![allow(dead_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

pub mod acs;
pub mod agent;
pub mod http_server;
pub mod images;
pub mod netns;
pub mod openwrt;
pub mod peers;
pub mod root;
pub mod schema;
#[cfg(feature = "ring")]
pub mod tls;
pub mod transfers;
pub mod ubusd;
pub mod uci_tool;
