//! Whatever a STUN server or a stranger sends, it is refused or read without harm, and changes nothing unless it belongs to a request.
#![no_main]

use std::net::SocketAddr;
use std::time::Duration;

use cwmpd::connreq::udp::binding::{Binding, Port, Settings};
use cwmpd::connreq::udp::stun::{Message, USERNAME};
use libfuzzer_sys::fuzz_target;

const NOW: Duration = Duration::from_secs(100);
const ID: [u8; 16] = *b"0123456789abcdef";

fuzz_target!(|data: &[u8]| {
    if let Ok(message) = Message::parse(data) {
        let _ = (message.mapped_address(), message.error_code(), message.attribute(USERNAME));
        assert!(message.is_signed() || !message.is_signed_with("secret"));
    }
    let server = SocketAddr::from(([203, 0, 113, 1], 3478));
    let settings = Settings { username: "router".into(), password: "secret".into(), minimum: NOW, maximum: None };
    let mut binding = Binding::new(settings, SocketAddr::from(([192, 0, 2, 1], 7547)));
    binding.resolved(&[server], NOW);
    let mut number = 0_u8;
    let mut random = || {
        let mut id = ID;
        id[0] = id[0].wrapping_add(number);
        number = number.wrapping_add(1);
        id
    };
    // Datagrams of any length, each with its own before it.
    let (mut rest, mut now) = (data, NOW);
    while let [length, port, more @ ..] = rest {
        assert!(binding.poll(now, &mut random).len() < 16);
        let (datagram, after) = more.split_at(usize::from(*length).min(more.len()));
        let by = if *port == 0 { Port::Primary } else { Port::Secondary };
        let before = binding.mapped();
        binding.received(by, server, datagram, now);
        if binding.mapped() != before {
            assert!(Message::parse(datagram).is_ok_and(|message| message.mapped_address() == binding.mapped()));
        }
        now = binding.next_deadline().map_or(now, |at| at.max(now));
        rest = after;
    }
});
