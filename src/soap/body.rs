//! The body of an HTTP request with its exact length known beforehand.
//!
//! A message is bytes. A long list is never bytes as a whole: its entries are asked for twice, once to count and measure them, and
//! once more each time the body is sent. So `arrayType` and Content-Length are exact, the body can be sent again after a challenge
//! or a redirect, and memory holds an entry at a time. The same goes for a compressed body: the compressor runs once to count.
//!
//! When the entries are not the same the second time, reading ends with an error before the last byte that was promised; a peer
//! that gets a shorter body than announced takes none of it.

use std::io::{self, BufReader, Read};

use flate2::bufread::{GzEncoder, ZlibEncoder};

use super::encode::{
    attribute, close_envelope, close_message, encode, info, open_array, open_envelope, open_message, value,
};
use super::rpc::{Envelope, Header, Namespace};
use crate::xml::writer::Writer;

/// How many bytes of a list are made at least before they are handed on.
const CHUNK: usize = 4096;
/// A buffer that one long entry has made larger than this is given back.
const KEPT: usize = 4 * CHUNK;

/// One entry of a list.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A `ParameterValueStruct`.
    Value {
        /// The full name.
        name: &'a str,
        /// The local name of `xsi:type`; empty for a string.
        kind: &'a str,
        /// The lexical form.
        value: &'a str,
    },
    /// A `ParameterInfoStruct`.
    Name {
        /// The full name, or an object's path.
        name: &'a str,
        /// What P-44 of CONFORMANCE says of it.
        writable: bool,
    },
    /// A `ParameterAttributeStruct`.
    Attribute {
        /// The full name.
        name: &'a str,
        /// 0 to 6.
        notification: u8,
        /// The entities that may write besides the ACS.
        access_list: &'a [String],
    },
}

/// Where the entries of a list come from.
pub trait Items {
    /// Goes back to the first entry. Called before each pass.
    fn rewind(&mut self);
    /// Gives the next entry to `sink`; false when there was none left. Every pass gives the same entries.
    fn next(&mut self, sink: &mut dyn FnMut(Item<'_>)) -> bool;
}

/// Which answer a list is. Entries of another kind are left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListKind {
    /// `GetParameterValuesResponse`
    Values,
    /// `GetParameterNamesResponse`
    Names,
    /// `GetParameterAttributesResponse`
    Attributes,
}

impl ListKind {
    fn message(self) -> &'static str {
        match self {
            Self::Values => "GetParameterValuesResponse",
            Self::Names => "GetParameterNamesResponse",
            Self::Attributes => "GetParameterAttributesResponse",
        }
    }

    fn member(self) -> &'static str {
        match self {
            Self::Values => "cwmp:ParameterValueStruct",
            Self::Names => "cwmp:ParameterInfoStruct",
            Self::Attributes => "cwmp:ParameterAttributeStruct",
        }
    }

    /// Appends an entry; false when it is of another kind.
    fn write(self, out: &mut Vec<u8>, item: Item<'_>) -> bool {
        let w = &mut Writer::new(out);
        match (self, item) {
            (Self::Values, Item::Value { name, kind, value: text }) => value(w, name, kind, text),
            (Self::Names, Item::Name { name, writable }) => info(w, name, writable),
            (Self::Attributes, Item::Attribute { name, notification, access_list }) => {
                attribute(w, name, notification, access_list);
            }
            _ => return false,
        }
        true
    }
}

/// The content codings of HTTP that a body can have; `deflate` is the zlib format (RFC 9110 8.4.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// `gzip`
    Gzip,
    /// `deflate`
    Deflate,
}

/// A body that says how long it is, can be read, and can be read again after [`Body::rewind`].
pub struct Body {
    source: Source,
    length: u64,
    sent: u64,
    failed: bool,
}

enum Source {
    Bytes(Vec<u8>, usize),
    List(Box<List>),
    Compressed(Box<Compressed>),
}

impl Body {
    /// A body that is in memory.
    #[must_use]
    pub fn bytes(bytes: Vec<u8>) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { source: Source::Bytes(bytes, 0), length, sent: 0, failed: false }
    }

    /// A message.
    #[must_use]
    pub fn message(envelope: &Envelope) -> Self {
        Self::bytes(encode(envelope))
    }

    /// An answer that is a list. Goes through the entries once to count and measure them.
    #[must_use]
    pub fn list(kind: ListKind, namespace: Namespace, header: &Header, items: Box<dyn Items>) -> Self {
        let (list, length) = List::measured(kind, namespace, header, items);
        Self { source: Source::List(Box::new(list)), length, sent: 0, failed: false }
    }

    /// The same body compressed. Runs the compressor once to learn the length.
    ///
    /// When the entries of a list change already now, the error comes when the body is read.
    #[must_use]
    pub fn compressed(mut self, compression: Compression) -> Self {
        self.rewind();
        let mut compressed = Compressed { compression, idle: Some(Box::new(self)), running: None };
        let (mut length, mut failed) = (0u64, false);
        let mut scratch = [0; 1024];
        loop {
            match compressed.read(&mut scratch) {
                Ok(0) => break,
                Ok(count) => length = length.saturating_add(u64::try_from(count).unwrap_or(u64::MAX)),
                Err(_) => {
                    failed = true;
                    break;
                }
            }
        }
        if !failed {
            compressed.rewind();
        }
        Self { source: Source::Compressed(Box::new(compressed)), length, sent: 0, failed }
    }

    /// The exact number of bytes that reading gives.
    #[expect(clippy::len_without_is_empty, reason = "a length in bytes for Content-Length; a body is no collection")]
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Goes back to the first byte, to send the body again.
    pub fn rewind(&mut self) {
        self.sent = 0;
        self.failed = false;
        match &mut self.source {
            Source::Bytes(_, at) => *at = 0,
            Source::List(list) => list.rewind(),
            Source::Compressed(compressed) => compressed.rewind(),
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Err(changed());
        }
        let result = self.read_checked(buffer);
        self.failed = matches!(&result, Err(error) if error.kind() != io::ErrorKind::Interrupted);
        result
    }
}

impl Body {
    fn read_checked(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.source.read(buffer)?;
        self.sent = self.sent.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        // The last byte is only handed on when the source has really come to its end with it.
        let complete = count == 0 || self.sent == self.length;
        if self.sent > self.length || (complete && self.sent != self.length) {
            return Err(changed());
        }
        if complete && count > 0 && self.source.read(&mut [0])? > 0 {
            return Err(changed());
        }
        Ok(count)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Bytes(bytes, at) => {
                let count = bytes.get(*at..).unwrap_or_default().read(buffer)?;
                *at = at.saturating_add(count);
                Ok(count)
            }
            Self::List(list) => list.read(buffer),
            Self::Compressed(compressed) => compressed.read(buffer),
        }
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer changed between measuring and sending it")
}

/// Which part of a list is made next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Items,
    Done,
}

struct List {
    kind: ListKind,
    items: Box<dyn Items>,
    head: Vec<u8>,
    /// How many entries there were when they were measured, and their bytes.
    expected: Measure,
    /// The same of this pass, so far.
    seen: Measure,
    part: Part,
    buffer: Vec<u8>,
    /// How much of the buffer has been handed on.
    taken: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Measure {
    count: usize,
    bytes: u64,
}

impl Measure {
    fn add(&mut self, bytes: usize) {
        self.count = self.count.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    fn within(self, limit: Self) -> bool {
        self.count <= limit.count && self.bytes <= limit.bytes
    }
}

impl List {
    fn measured(kind: ListKind, namespace: Namespace, header: &Header, items: Box<dyn Items>) -> (Self, u64) {
        let seen = Measure::default();
        let (head, buffer) = (Vec::new(), Vec::new());
        let mut list = Self { kind, items, head, expected: seen, seen, part: Part::Items, buffer, taken: 0 };
        list.items.rewind();
        while list.make_item() {
            list.empty_buffer();
        }
        list.empty_buffer();
        list.expected = list.seen;
        let w = &mut Writer::new(&mut list.head);
        open_envelope(w, namespace, header);
        open_message(w, kind.message());
        open_array(w, "ParameterList", kind.member(), list.expected.count);
        list.make_tail();
        let frame = list.head.len().saturating_add(list.buffer.len());
        let length = list.expected.bytes.saturating_add(u64::try_from(frame).unwrap_or(u64::MAX));
        list.rewind();
        (list, length)
    }

    fn rewind(&mut self) {
        self.part = Part::Head;
        self.seen = Measure::default();
        self.empty_buffer();
    }

    fn empty_buffer(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT);
        self.taken = 0;
    }

    /// Appends the next entry to the buffer; false when there is none.
    fn make_item(&mut self) -> bool {
        let Self { kind, items, seen, buffer, .. } = self;
        items.next(&mut |item| {
            let before = buffer.len();
            if kind.write(buffer, item) {
                seen.add(buffer.len().saturating_sub(before));
            }
        })
    }

    fn make_tail(&mut self) {
        let w = &mut Writer::new(&mut self.buffer);
        w.close("ParameterList");
        close_message(w, self.kind.message());
        close_envelope(w);
    }

    /// Fills the empty buffer with what comes next; leaves it empty at the end.
    fn fill(&mut self) -> io::Result<()> {
        self.empty_buffer();
        if self.part == Part::Head {
            self.items.rewind();
            self.buffer.extend_from_slice(&self.head);
            self.part = Part::Items;
        }
        while self.part == Part::Items && self.buffer.len() < CHUNK {
            if self.make_item() {
                // A longer list has to fail before its tail makes it look whole.
                if !self.seen.within(self.expected) {
                    return Err(changed());
                }
            } else if self.seen == self.expected {
                self.make_tail();
                self.part = Part::Done;
            } else {
                return Err(changed());
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken >= self.buffer.len() {
            self.fill()?;
        }
        let count = self.buffer.get(self.taken..).unwrap_or_default().read(buffer)?;
        self.taken = self.taken.saturating_add(count);
        Ok(count)
    }
}

/// A body that goes through a compressor, which only exists while the body is read.
struct Compressed {
    compression: Compression,
    idle: Option<Box<Body>>,
    running: Option<Encoder>,
}

enum Encoder {
    Gzip(GzEncoder<BufReader<Box<Body>>>),
    Deflate(ZlibEncoder<BufReader<Box<Body>>>),
}

impl Compressed {
    fn rewind(&mut self) {
        if let Some(encoder) = self.running.take() {
            self.idle = Some(match encoder {
                Encoder::Gzip(encoder) => encoder.into_inner().into_inner(),
                Encoder::Deflate(encoder) => encoder.into_inner().into_inner(),
            });
        }
        if let Some(body) = &mut self.idle {
            body.rewind();
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(body) = self.idle.take() {
            let source = BufReader::with_capacity(CHUNK, body);
            let level = flate2::Compression::default();
            self.running = Some(match self.compression {
                Compression::Gzip => Encoder::Gzip(GzEncoder::new(source, level)),
                Compression::Deflate => Encoder::Deflate(ZlibEncoder::new(source, level)),
            });
        }
        match &mut self.running {
            Some(Encoder::Gzip(encoder)) => encoder.read(buffer),
            Some(Encoder::Deflate(encoder)) => encoder.read(buffer),
            None => Ok(0),
        }
    }
}
