//! Files in and out: the queue of transfers, the file client, and what is done with what it brings (TR-069a6 A.3.2.8, A.4.1.5).

pub mod apply;
pub mod archive;
pub mod autonomous;
pub mod code;
pub mod fetch;
mod firmware;
mod logs;
mod part;
pub mod place;
pub mod queue;
mod settings;
mod stored_image;
pub mod units;
pub mod windows;

use std::fmt;

use crate::error::FaultCode;

/// Why a transfer failed, as TransferComplete tells it (CONFORMANCE F-14).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// One of 9001, 9002, 9010 to 9012 and 9014 to 9020.
    pub code: FaultCode,
    /// One line for a person, without secrets.
    pub text: String,
}

impl Trouble {
    /// A failure with its reason.
    #[must_use]
    pub fn new(code: FaultCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// Hears how far a transfer is: bytes done, and all of them where that is known.
pub type Progress<'a> = &'a dyn Fn(u64, Option<u64>);
