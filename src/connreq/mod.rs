//! The ways in: connection requests.
