//! Whatever is taken from a peer can be written, and is read again as the same.
#![no_main]

use cwmpd::soap::rpc::Message;
use cwmpd::soap::{decode, encode};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1024 * 1024;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(envelope) = decode(bytes, LIMIT) {
        // Only its name is kept, and in another namespace that may be the name of a message with arguments.
        if matches!(envelope.body, Some(Message::Unknown(_))) {
            return;
        }
        // Writing settles what reading leaves open, such as the type of a value that had none.
        let once = encode(&envelope);
        let settled = decode(&once, 16 * LIMIT).expect("what was written is read");
        assert_eq!(encode(&settled), once);
        assert_eq!(decode(&encode(&settled), 16 * LIMIT).as_ref(), Ok(&settled));
    }
});
