//! SOAP envelopes and CWMP messages: bytes to types and back, a pair for every message; free of IO.
//!
//! * [`rpc`]: the messages as types.
//! * [`mod@decode`]: what a peer sent, read with patience for the ways of real ACSs.
//! * [`mod@encode`]: what is sent, always as the schema wants it.
//! * [`body`]: an HTTP body of known length: a message in memory, or a list of any length that is never in memory as a whole.
//! * [`version`]: which namespace is which version.

pub mod body;
pub mod decode;
pub mod encode;
pub mod rpc;
pub mod version;

pub use body::{Body, Compression, Item, Items, ListKind};
pub use decode::{DecodeError, ErrorKind, decode};
pub use encode::encode;

/// SOAP 1.1 envelopes.
pub(crate) const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
