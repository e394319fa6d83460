//! The UDP echo server in the poll loop: there is a socket as long as UDPEchoConfig wants one (TR-143 A.1).

use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::{LISTEN_AGAIN, Shared};
use crate::diagnostics::speed::server::{EchoServer, Settings};
use crate::platform::System;

/// What of it lives as long as the process.
#[derive(Default)]
pub struct UdpEcho {
    /// As they were carried out, or could not be.
    settings: Option<Settings>,
    server: Option<EchoServer>,
    /// A port that cannot be had is tried again at this time.
    again_at: Option<Duration>,
}

impl UdpEcho {
    /// Listens as the parameters say, or does not.
    pub fn listen(&mut self, shared: &Shared) {
        let mut agent = shared.lock();
        let wanted = agent.udp_echo();
        let now = agent.live().monotonic();
        if wanted == self.settings.as_ref() && self.again_at.is_none_or(|at| at > now) {
            return;
        }
        let wanted = wanted.cloned();
        // What was counted is counted on, unless the server was off in between (TR-181 2.17 UDPEchoConfig.Enable).
        let counters = self.server.take().map(|server| server.counters());
        if self.settings.is_none() && wanted.is_some() {
            agent.forget_udp_echo();
        }
        self.again_at = None;
        if let Some(settings) = &wanted {
            match EchoServer::bind(settings, counters.unwrap_or_default()) {
                Ok(server) => self.server = Some(server),
                Err(error) => {
                    log::error!("{error}");
                    self.again_at = Some(now.saturating_add(LISTEN_AGAIN));
                }
            }
        }
        self.settings = wanted;
    }

    /// What is to be polled for reading.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.server.as_ref().map(EchoServer::descriptor)
    }

    /// When [`Self::listen`] is to be called.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.again_at
    }

    /// Answers what has come.
    pub fn serve(&mut self, shared: &Shared) {
        let Some(server) = &mut self.server else { return };
        let before = server.counters();
        server.handle(&crate::platform::clock::since_boot);
        let counters = server.counters();
        if counters != before {
            shared.lock().count_udp_echo(&counters);
        }
    }
}
