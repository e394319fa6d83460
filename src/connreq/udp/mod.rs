//! Connection requests over UDP, and what it takes to be reached by them through NAT (TR-069a6 Annex G). Free of IO: the daemon has the sockets.
//!
//! * [`request`]: the datagram by which an ACS asks for a session, and who may send it.
//! * [`stun`]: the messages of STUN as RFC 3489 has them, which is the form that Annex G is made for.
//! * [`binding`]: asks a STUN server for the address that the agent has on the other side of NAT, and keeps the way open.
//! * [`lifetime`]: finds out how long NAT keeps a way open that nobody uses.

pub mod binding;
pub mod lifetime;
pub mod request;
pub mod stun;
