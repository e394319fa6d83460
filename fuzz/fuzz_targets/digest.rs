//! Whatever a peer puts into an authentication header is read without a panic, and what is written is read back as it was.

#![no_main]

use cwmpd::auth::{basic, digest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    let _ = basic::is_offered(header);
    let _ = digest::next_nonce(header);
    for challenge in digest::parse_challenges(header) {
        assert_eq!(digest::parse_challenges(&challenge.to_header()), [challenge.clone()]);
        let answer = digest::answer(&challenge, ("user", header), ("POST", "/acs"), 1, "cnonce");
        let read = digest::parse_authorization(&answer.to_header()).expect("our own answer");
        assert_eq!(read, answer);
        assert!(digest::verify(&read, "POST", header));
    }
    if let Ok(authorization) = digest::parse_authorization(header) {
        let _ = digest::verify(&authorization, "GET", "secret");
        assert_eq!(digest::parse_authorization(&authorization.to_header()), Ok(authorization));
    }
});
