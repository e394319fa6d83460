//! Whatever datagram comes, it starts no session without the password; with it, it starts one.
#![no_main]

use std::time::Duration;

use cwmpd::auth::mac::hmac_sha1;
use cwmpd::connreq::udp::request::{Access, Requests};
use libfuzzer_sys::fuzz_target;

const ACCESS: Access<'_> = Access { username: "acs", password: "secret" };

fuzz_target!(|data: &[u8]| {
    let mut requests = Requests::new(&[]);
    assert!(requests.judge(data, ACCESS, Duration::ZERO).is_err());
    // The same as arguments of a request.
    let Ok(text) = std::str::from_utf8(data) else { return };
    let wrapped = format!("GET http://cpe:7547?{text} HTTP/1.1\r\n\r\n");
    assert!(requests.judge(wrapped.as_bytes(), ACCESS, Duration::ZERO).is_err());
    // And as the nonce of one that is right, if a URL can carry it.
    if text.len() < 1000 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let code = hmac_sha1(b"secret", &[b"17acs", data]).unwrap_or_default();
        let signature: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
        let right = format!("GET /?ts=1&id=7&un=acs&cn={text}&sig={signature} HTTP/1.1\r\n\r\n");
        assert!(requests.judge(right.as_bytes(), ACCESS, Duration::ZERO).is_ok());
        assert!(requests.judge(right.as_bytes(), ACCESS, Duration::ZERO).is_err());
    }
});
