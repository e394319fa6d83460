//! Whatever is taken from a peer can be written, and is read again as the same.
#![no_main]

use cwmpd::soap::{decode, encode};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1024 * 1024;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(envelope) = decode(bytes, LIMIT) {
        // Writing settles what reading leaves open, such as the type of a value that had none.
        let once = encode(&envelope);
        let settled = decode(&once, 16 * LIMIT).expect("what was written is read");
        assert_eq!(encode(&settled), once);
        assert_eq!(decode(&encode(&settled), 16 * LIMIT).as_ref(), Ok(&settled));
    }
});
