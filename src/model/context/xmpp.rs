//! What the daemon knows of the XMPP connection that it keeps (`Device.XMPP.Connection.{i}.`).

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shared by the daemon, which writes it, and the model, which reads it.
#[derive(Debug, Default)]
pub struct XmppFacts(Mutex<XmppState>);

/// A connection as it is now.
#[derive(Clone, Debug, Default)]
pub struct XmppState {
    /// The instance number of its row; 0 while no connection is kept.
    pub row: u32,
    /// Status
    pub status: &'static str,
    /// LastChangeDate; empty while the time is not known.
    pub since: String,
    /// TLSEstablished
    pub tls: bool,
    /// ReceivedMessages, TransmittedMessages, ReceivedErrorMessages, TransmittedErrorMessages
    pub counts: [u32; 4],
}

impl XmppFacts {
    /// The state, for as short as can be.
    pub fn lock(&self) -> MutexGuard<'_, XmppState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
