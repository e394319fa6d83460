#![no_main]

use cwmpd::platform::ubus::blob::{BlobError, Writer, decode_table};
use cwmpd::platform::ubus::message::{Incoming, attribute, encode};

// The first byte says how the rest is split as it comes from the socket.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((size, data)) = data.split_first() else { return };
    let mut incoming = Incoming::default();
    'all: for part in data.chunks(usize::from(*size) + 1) {
        incoming.push(part);
        loop {
            match incoming.next_message() {
                Ok(Some(message)) => {
                    let _ = (message.text(attribute::PATH), message.number(attribute::OBJECT), message.no_reply());
                    let Ok(Some(found)) = message.data() else { continue };
                    // What was read can be written, is a message, and is read as the same.
                    let mut writer = Writer::default();
                    let written = writer.put_members(attribute::DATA, &found);
                    let written = written.and_then(|()| encode(message.kind, message.sequence, message.peer, writer));
                    let bytes = match written {
                        Ok(bytes) => bytes,
                        // What is not UTF-8 becomes longer.
                        Err(BlobError::Size) => continue,
                        Err(error) => panic!("{}", error.text()),
                    };
                    let mut again = Incoming::default();
                    again.push(&bytes);
                    let again = again.next_message().expect("a message").expect("all of it");
                    assert_eq!(again.data().expect("data"), Some(found));
                }
                Ok(None) => break,
                Err(_) => break 'all,
            }
        }
    }
    let _ = decode_table(data);
});
