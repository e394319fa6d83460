//! Speed tests and UDP echo (TR-143) on real networks: a router and the internet are namespaces with a cable between them, and what a test says is
//! compared with what the server, and other tools on the same path, have counted.
#![cfg(feature = "speed-tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "../common/mod.rs"]
mod common;

mod daemon;
mod echo;
mod file_server;
mod files;
mod world;
