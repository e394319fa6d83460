//! Whatever a file server or a UDP echo client sends, it is read to its end or refused, the same however it is split, and no answer is longer than
//! its question.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use cwmpd::diagnostics::speed::echo::{Counters, EchoPlus, FIELDS, Responder};
use cwmpd::diagnostics::speed::http::Response;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let pieces = usize::from(data.first().copied().unwrap_or(0)) + 1;
    assert_eq!(read(data, data.len().max(1)), read(data, pieces), "a split makes no difference");
    let peer = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 7), 40_000));
    let mut responder = Responder::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), 7000, true, Counters::default());
    let mut packet = data.to_vec();
    assert!(responder.answer(peer, true, &mut packet, Duration::from_secs(1)));
    assert_eq!(packet.len(), data.len());
    assert_eq!(packet.get(FIELDS..), data.get(FIELDS..));
    if let Some(fields) = EchoPlus::parse(data) {
        let mut written = [0; FIELDS];
        fields.write(&mut written);
        assert_eq!(Some(&written[..]), data.get(..FIELDS));
    }
});

/// How much belongs to the response, its status, and whether it is over; `None` where it is refused.
fn read(data: &[u8], piece: usize) -> Option<(usize, Option<u16>, bool)> {
    let mut response = Response::default();
    let mut taken = 0;
    for bytes in data.chunks(piece) {
        taken += response.take(bytes).ok()?;
    }
    Some((taken, response.status(), response.is_over()))
}
