//! SOAP envelopes and CWMP messages: bytes to types and back, a pair for every message; free of IO.

pub mod rpc;
