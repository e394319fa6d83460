//! UCI: reader and writer of the configuration files of OpenWrt.
//!
//! [`Package`] is a file in memory: every value, and every byte between them, so that an edit leaves alone what it does not touch.

/// A package in memory.
#[derive(Clone, Debug)]
pub struct Package {}

/// Why packages could not be written.
#[derive(Debug)]
pub enum CommitError {
    /// Somebody else has changed this package since it was read. Nothing was written; read it again and repeat the edit.
    Changed(String),
    /// It could not be written; everything is as it was.
    Failed(crate::error::Error),
}
