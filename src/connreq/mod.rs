//! The ways in: connection requests (TR-069a6 3.2.2).
//!
//! * [`http`]: sockets, deadlines and caps around [`gate`], which decides; [`request`] is what was asked. Both of these are free of IO.
//! * `udp`: the same in datagrams, and the way for them through NAT; only with the feature `stun`.
//! * [`url`]: the address that the ACS is told.
//! * `xmpp`: a connection to an XMPP server, over which requests come (Annex K).
//!
//! Whatever comes in carries no data and starts nothing but a session with the ACS that is configured (SECURITY S2).

pub mod gate;
pub mod http;
pub mod limits;
pub mod request;
#[cfg(feature = "stun")]
pub mod udp;
pub mod url;
#[cfg(feature = "xmpp")]
pub mod xmpp;
