//! What UDPEchoConfig says to the UDP echo server, and what the server says in it (TR-181 2.17 Device.IP.Diagnostics.UDPEchoConfig.).

use std::time::Duration;

use super::Agent;
use crate::device::ip::diagnostics::udp_echo::{EchoWish, UDP_ECHO_CONFIG};
use crate::diagnostics::speed::echo::Counters;
use crate::diagnostics::speed::server::Settings;
use crate::diagnostics::speed::stamp::moment;
use crate::platform::net::interface_state;

const FIRST: &str = "TimeFirstPacketReceived";

impl Agent {
    /// Takes over the parameters. An interface that is down has no device to listen on; when it comes up, this is called again.
    pub(super) fn configure_udp_echo(&mut self) {
        let wish = EchoWish::read(&mut self.model.context());
        self.udp_echo = wish.and_then(|wish| {
            let device = match wish.interface.as_str() {
                "" => None,
                name => Some(interface_state(self.live.as_ref(), name).device?),
            };
            Some(Settings { device, source: wish.source, port: wish.port, plus: wish.plus })
        });
    }

    /// How the server is to listen; `None`: not at all.
    #[must_use]
    pub fn udp_echo(&self) -> Option<&Settings> {
        self.udp_echo.as_ref()
    }

    /// The server was switched on: it counts from the beginning.
    pub fn forget_udp_echo(&mut self) {
        self.model.fleeting().clear(UDP_ECHO_CONFIG);
    }

    /// The server has counted.
    pub fn count_udp_echo(&mut self, counters: &Counters) {
        let now = self.now();
        let text = |at: Option<Duration>| moment(now, at.unwrap_or_default());
        let (first, last) = (text(counters.first), text(counters.last));
        let fleeting = self.model.fleeting();
        let mut set = |name: &str, value: String| fleeting.set(format!("{UDP_ECHO_CONFIG}{name}"), value);
        set("PacketsReceived", counters.packets_received.to_string());
        set("PacketsResponded", counters.packets_responded.to_string());
        set("BytesReceived", counters.bytes_received.to_string());
        set("BytesResponded", counters.bytes_responded.to_string());
        set("TimeLastPacketReceived", last);
        // It stays what it was, whatever happens to the clock.
        let name = format!("{UDP_ECHO_CONFIG}{FIRST}");
        if fleeting.get(&name).is_none() {
            fleeting.set(name, first);
        }
    }
}
