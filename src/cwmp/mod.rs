//! The protocol, free of IO.
