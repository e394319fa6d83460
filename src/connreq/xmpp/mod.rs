//! Connection requests over XMPP (TR-069a6 Annex K; CONFORMANCE K-01 to K-05). Free of IO.
//!
//! The agent is a client of an XMPP server and stays connected; the ACS sends it an `iq` through that server, and nothing more is ever heard of it
//! than who sends it and whether it knows ConnectionRequestUsername and ConnectionRequestPassword.
//!
//! ```text
//!   bytes --stream::Pieces--> header, stanzas --login::Login--> what to do: send, TLS, a connection request --rules--> the answer
//! ```
//!
//! * [`stream`] cuts a stream into stanzas, with limits; [`stanza`] writes ours.
//! * [`login`] is the client from the first byte to the bound JID and beyond (RFC 6120); [`scram`] proves the password (RFC 5802, RFC 7677).
//! * [`rules`] judges connection requests; [`srv`] finds the servers of a domain (RFC 2782).

pub mod login;
pub mod rules;
pub mod scram;
pub mod srv;
pub mod stanza;
pub mod stream;

/// The port of XMPP servers for clients (RFC 6120 14.7).
pub const PORT: u16 = 5222;

/// The namespace of stanzas between client and server.
const CLIENT: &str = "jabber:client";
const STREAM: &str = "http://etherx.jabber.org/streams";
const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
const PING: &str = "urn:xmpp:ping";
const REQUEST: &str = "urn:broadband-forum-org:cwmp:xmppConnReq-1-0";
