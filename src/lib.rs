//! A TR-069 (CWMP) agent for OpenWrt routers.
//!
//! The layers, from the bottom up; imports only run upwards in this list:
//!
//! * [`error`], [`time`], [`json`], [`sorted`], [`xml`], [`platform`]: what everything stands on. Only `platform` touches the system.
//! * [`soap`], [`model`], [`auth`]: messages, the data model engine, digest authentication; free of IO.
//! * [`device`]: TR-181 itself, one table an object, on top of `model` and `platform`.
//! * `dns`: questions to name servers and their answers, for the features that ask past the resolver of the system; free of IO.
//! * [`cwmp`], [`acs`], [`connreq`]: the protocol (free of IO), the way to the ACS, the ways in.
//! * `bulk_data`, `statistics`: what is reported to collectors, and samples of parameters; free of IO.
//! * [`transfer`]: files in and out.
//! * `diagnostics`: tests of the network, with the feature of that name.
//! * [`daemon`], [`cli`]: the process around it.

#![forbid(unsafe_code)]

pub mod acs;
pub mod auth;
#[cfg(feature = "bulk-data")]
pub mod bulk_data;
pub mod cli;
pub mod config;
pub mod connreq;
pub mod cwmp;
pub mod daemon;
pub mod device;
#[cfg(feature = "diagnostics")]
pub mod diagnostics;
#[cfg(any(feature = "diagnostics", feature = "xmpp"))]
pub mod dns;
pub mod error;
pub mod json;
pub mod model;
pub mod platform;
pub mod soap;
pub mod sorted;
pub mod state;
#[cfg(feature = "periodic-statistics")]
pub mod statistics;
pub mod time;
pub mod transfer;
pub mod url;
pub mod xml;
