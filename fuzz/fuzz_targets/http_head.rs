//! Whatever bytes come in on the connection request port, they are answered and start no session.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cwmpd::connreq::gate::{Access, Answer, Gate};
use cwmpd::connreq::request::{Head, MAX_HEAD, Scan, Scanner};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut gate = Gate::new([1; 32]);
    let access = Access { path: "/cr", username: "acs", password: "secret" };
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut rest = data;
    while let Some((answer, length)) = next(&mut gate, access, peer, rest) {
        assert!(answer.refused.is_some());
        assert!(answer.response.starts_with(b"HTTP/1.1 4") && answer.response.ends_with(b"\r\n\r\n"));
        let Some(body) = answer.next else { return };
        rest = rest.get(length.saturating_add(body)..).unwrap_or_default();
    }
});

/// The answer to the first request of `bytes` and the length of its head; `None` where there is no whole request.
fn next(gate: &mut Gate, access: Access<'_>, peer: IpAddr, bytes: &[u8]) -> Option<(Answer, usize)> {
    let whole = Scanner::default().scan(bytes);
    let mut scanner = Scanner::default();
    let split = bytes.len() / 2;
    let halves = match scanner.scan(bytes.get(..split)?) {
        Scan::Partial => scanner.scan(bytes),
        early => early,
    };
    assert_eq!(whole, halves, "a split makes no difference");
    match whole {
        Scan::Partial => None,
        Scan::Broken(_) => Some((Answer::malformed(), bytes.len())),
        Scan::Complete(length) => {
            assert!(length <= MAX_HEAD);
            let head = bytes.get(..length)?;
            if let Ok(head) = Head::parse(head) {
                assert!(head.is_named_by(head.target));
            }
            Some((gate.answer(head, peer, access, Duration::from_secs(1), true), length))
        }
    }
}
