//! Bodies of known length: whole, streamed, compressed, sent again, and changed underway.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/schema.rs"]
mod schema;

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use cwmpd::soap::rpc::*;
use cwmpd::soap::{Body, Compression, Item, Items, ListKind, decode, encode};

/// Entries made up as they are asked for; `change` says what becomes of one of them in the passes after the first.
struct Made {
    count: usize,
    at: usize,
    passes: usize,
    change: Change,
    longest: usize,
    asked: Rc<Cell<usize>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Change {
    None,
    Longer,
    Shorter,
    More,
    Fewer,
    /// One entry fewer and others longer, so that the bytes are the same.
    SameBytes,
}

fn made(count: usize, change: Change) -> Box<Made> {
    Box::new(Made { count, at: 0, passes: 0, change, longest: 0, asked: Rc::default() })
}

impl Items for Made {
    fn rewind(&mut self) {
        self.passes += 1;
        self.at = 0;
    }

    fn next(&mut self, sink: &mut dyn FnMut(Item<'_>)) -> bool {
        let changed = self.passes > 1;
        let count = match self.change {
            Change::More if changed => self.count + 1,
            Change::Fewer | Change::SameBytes if changed => self.count - 1,
            _ => self.count,
        };
        if self.at >= count {
            return false;
        }
        self.asked.set(self.asked.get() + 1);
        let name = format!("Device.Table.{}.Name", self.at);
        let mut value = format!("v&{}", self.at % 7);
        if self.at == self.count / 2 && changed {
            match self.change {
                Change::Longer => value.push('x'),
                Change::Shorter => drop(value.pop()),
                Change::SameBytes => {
                    let entry = |name: &str| {
                        format!("<ParameterValueStruct><Name>{name}</Name><Value xsi:type=\"xsd:string\">v&amp;0</Value></ParameterValueStruct>").len()
                    };
                    value.push_str(&"x".repeat(entry(&format!("Device.Table.{}.Name", self.count - 1))));
                }
                _ => {}
            }
        }
        value.push_str(&"y".repeat(self.longest));
        sink(Item::Value { name: &name, kind: "", value: &value });
        self.at += 1;
        true
    }
}

fn header() -> Header {
    Header { id: Some("1".into()), ..Header::default() }
}

fn list(items: Box<dyn Items>) -> Body {
    Body::list(ListKind::Values, Namespace::Cwmp12, &header(), items)
}

fn all(body: &mut Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes).unwrap();
    assert_eq!(body.len(), bytes.len() as u64);
    bytes
}

/// a streamed list is byte for byte what the message in memory is.
#[test]
fn x05_a_stream_is_the_same_as_the_message() {
    for count in [0, 1, 10, 1000] {
        let bytes = all(&mut list(made(count, Change::None)));
        let envelope = decode(&bytes, 1 << 20).unwrap();
        assert!(matches!(&envelope.body, Some(Message::GetParameterValuesResponse(all)) if all.len() == count));
        assert_eq!(bytes, encode(&envelope));
        schema::validate(&[("stream", &bytes)]);
    }
}

#[test]
fn names_and_attributes() {
    struct Both(u8);
    impl Items for Both {
        fn rewind(&mut self) {
            self.0 = 0;
        }
        fn next(&mut self, sink: &mut dyn FnMut(Item<'_>)) -> bool {
            if self.0 == 2 {
                return false;
            }
            self.0 += 1;
            sink(Item::Name { name: "Device.A.", writable: self.0 == 1 });
            sink(Item::Attribute { name: "Device.A.B", notification: self.0, access_list: &["Subscriber".into()] });
            true
        }
    }
    for (kind, expected) in
        [(ListKind::Names, "GetParameterNamesResponse"), (ListKind::Attributes, "GetParameterAttributesResponse")]
    {
        let bytes = all(&mut Body::list(kind, Namespace::Cwmp10, &header(), Box::new(Both(0))));
        let envelope = decode(&bytes, 1 << 20).unwrap();
        assert_eq!(envelope.body.as_ref().unwrap().name(), expected);
        assert_eq!(encode(&envelope), bytes);
        schema::validate(&[(expected, &bytes)]);
    }
}

#[test]
fn a_body_can_be_sent_again_from_anywhere() {
    for compression in [None, Some(Compression::Gzip), Some(Compression::Deflate)] {
        for mut body in [list(made(500, Change::None)), Body::bytes(b"abc".repeat(5000)), Body::bytes(Vec::new())] {
            if let Some(compression) = compression {
                body = body.compressed(compression);
            }
            let whole = all(&mut body);
            for part in [0, 1, 100, whole.len()] {
                body.rewind();
                body.by_ref().take(part as u64).read_to_end(&mut Vec::new()).unwrap();
                body.rewind();
                assert_eq!(all(&mut body), whole);
            }
            // The size of the reads makes no difference.
            body.rewind();
            let mut slowly = Vec::new();
            let mut buffer = [0; 7];
            while let count @ 1.. = body.read(&mut buffer).unwrap() {
                slowly.extend_from_slice(&buffer[..count]);
            }
            assert_eq!(slowly, whole);
        }
    }
}

#[test]
fn compressed_bodies_unpack_to_the_same() {
    let plain = all(&mut list(made(2000, Change::None)));
    let gzip = all(&mut list(made(2000, Change::None)).compressed(Compression::Gzip));
    let zlib = all(&mut list(made(2000, Change::None)).compressed(Compression::Deflate));
    assert!(gzip.len() < plain.len() / 5);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(gzip.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
    unpacked.clear();
    flate2::read::ZlibDecoder::new(zlib.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
}

#[test]
fn what_changes_between_the_passes_is_an_error_and_never_a_whole_body() {
    for change in [Change::Longer, Change::Shorter, Change::More, Change::Fewer, Change::SameBytes] {
        for count in [10, 1000] {
            for compression in [None, Some(Compression::Gzip), Some(Compression::Deflate)] {
                let mut body = list(made(count, change));
                if let Some(compression) = compression {
                    body = body.compressed(compression);
                }
                let length = body.len();
                let mut bytes = Vec::new();
                assert!(body.read_to_end(&mut bytes).is_err());
                assert!(compression.is_some() || (bytes.len() as u64) < length);
                assert!(body.read(&mut [0; 10]).is_err(), "an error stays");
            }
        }
    }
}

/// no limit for our own answers, and no entry is asked for before its turn.
#[test]
fn x04_a_list_is_made_as_it_is_read() {
    let mut items = made(100_000, Change::None);
    items.longest = 10;
    let asked = Rc::clone(&items.asked);
    let mut body = list(items);
    assert!(body.len() > 10_000_000);
    assert_eq!(asked.replace(0), 100_000);
    let mut buffer = [0; 512];
    body.read_exact(&mut buffer).unwrap();
    assert!(asked.get() < 100, "{}", asked.get());
    std::io::copy(&mut body, &mut std::io::sink()).unwrap();
    assert_eq!(asked.get(), 100_000);
}

/// An entry longer than any buffer.
#[test]
fn an_entry_of_any_length() {
    let mut items = made(3, Change::None);
    items.longest = 100_000;
    let bytes = all(&mut list(items));
    assert!(
        matches!(decode(&bytes, 1 << 20).unwrap().body, Some(Message::GetParameterValuesResponse(all)) if all.len() == 3)
    );
}
