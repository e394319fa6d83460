//! Digest and Basic authentication, for both sides.
