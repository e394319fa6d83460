//! A connection for what is not HTTP, with TLS from the moment that both ends have agreed on it.

use super::cancel::Cancel;
use super::connector::Stream;
use super::error::{PostError, PostErrorKind};
use super::resolve;
use super::settings::Settings;
use super::tls::TlsSessions;
use super::wire::Wire;
use std::io;
use std::time::Instant;

/// A connection whose every wait has a deadline and ends when it is cancelled.
pub struct Channel {
    stream: Stream,
    settings: Settings,
    peer: &'static str,
}

impl Channel {
    /// Resolves and connects. Of the settings, `timeout`, `resolver`, `bind_device`, and for TLS `ca_file`, `verify` and `clock` count; `peer` names
    /// the other side in errors, such as "the XMPP server".
    ///
    /// # Errors
    /// The name is unknown, nobody answers in time, or it was cancelled.
    pub fn connect(
        settings: Settings,
        server: (&str, u16),
        peer: &'static str,
        cancel: &Cancel,
    ) -> Result<Self, PostError> {
        let connect = || {
            let addresses = resolve::addresses(&settings.resolver, server, settings.timeout, cancel)?;
            Wire::connect(&addresses, settings.timeout, settings.bind_device.as_deref(), cancel)
        };
        let wire = connect().map_err(|error| error.of(peer))?;
        Ok(Self { stream: Stream::Plain(wire), settings, peer })
    }

    /// Shakes hands for TLS with the server of this name.
    ///
    /// # Errors
    /// The certificate is not good, the handshake takes too long, or there is TLS already.
    pub fn start_tls(self, sessions: &TlsSessions, name: &str) -> Result<Self, PostError> {
        let Stream::Plain(wire) = self.stream else {
            return Err(PostError::new(PostErrorKind::Tls, "there is TLS already"));
        };
        let stream = sessions.connect(&self.settings, name, wire).map_err(|error| error.of(self.peer))?;
        Ok(Self { stream: Stream::Tls(Box::new(stream)), ..self })
    }

    /// Waits for bytes until then; 0 is the end of the connection.
    ///
    /// # Errors
    /// Of kind `TimedOut` when nothing came in time.
    pub fn read(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<usize> {
        self.stream.wait_until(Some(until));
        self.stream.read(buffer)
    }

    /// Sends bytes within the timeout of the settings.
    ///
    /// # Errors
    /// Of kind `TimedOut` when they were not taken in time.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.wait_until(Instant::now().checked_add(self.settings.timeout));
        self.stream.write_all(bytes)
    }
}
