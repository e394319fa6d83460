//! Tests of the network that an ACS or a person asks for.

#[cfg(feature = "speed-tests")]
pub mod speed;
