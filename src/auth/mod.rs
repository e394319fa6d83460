//! Digest and Basic authentication, for both sides, and the code that signs datagrams; free of IO.
//!
//! The ACS challenges the agent ([`crate::acs`]), the agent challenges whoever sends a connection request ([`crate::connreq`]).
//! Nonces and client nonces are random numbers, and come in as arguments.

pub mod basic;
pub mod digest;
pub mod mac;
pub mod nonces;
mod params;
