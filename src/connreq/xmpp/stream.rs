//! Cuts what an XMPP server sends into stanzas (RFC 6120 4), each of which is then read as a document of its own.
//!
//! Only as much XML is understood here as it takes to see where an element ends; the reader of [`crate::xml`] judges it. What RFC 6120 11.1 forbids
//! (comments, document types, processing instructions) ends the stream, and so does anything that is too large.

use std::fmt;

use crate::xml::reader::{Element, Event, Reader};

/// The longest stanza that is taken, in bytes; RFC 6120 13.12 wants 10,000 at least.
pub const MAX_STANZA: usize = 16 * 1024;

/// The longest start of a stream, in bytes.
const MAX_HEADER: usize = 2048;

/// The two markups besides tags that may be there.
const CDATA: &[u8] = b"<![CDATA[";
const DECLARATION: &[u8] = b"<?xml ";

/// The most elements in a stanza.
const MAX_ELEMENTS: usize = 256;

/// Why a stream cannot be read on; it never quotes content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Broken {
    fn new(reason: &str) -> Self {
        Self(reason.into())
    }
}

/// An element with what is in it.
#[derive(Debug)]
pub struct Node {
    element: Element,
    /// The elements in it.
    pub children: Vec<Node>,
    /// The characters in it, without those of its children.
    pub text: String,
}

impl Node {
    /// Whether it is the element with this name in this namespace.
    #[must_use]
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.element.local() == local && self.element.namespace() == Some(namespace)
    }

    /// The name without its prefix.
    #[must_use]
    pub fn local(&self) -> &str {
        self.element.local()
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.element.namespace().unwrap_or_default()
    }

    /// The value of the attribute with this name and without a prefix; an empty text where it is missing.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &str {
        self.element.plain_attribute(name).unwrap_or_default()
    }

    /// The first child with this name in this namespace.
    #[must_use]
    pub fn child(&self, namespace: &str, local: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(namespace, local))
    }

    /// The characters of a child; an empty text where it is missing.
    #[must_use]
    pub fn text_of(&self, namespace: &str, local: &str) -> &str {
        self.child(namespace, local).map(|child| child.text.as_str()).unwrap_or_default()
    }
}

/// A piece of a stream.
#[derive(Debug)]
pub enum Piece {
    /// The server has opened its stream; an element without content.
    Opened(Node),
    /// A whole stanza, or another element of the first level.
    Stanza(Node),
    /// The server has closed its stream.
    Closed,
}

/// Where in the markup the scanner is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Between tags.
    Text,
    /// In a tag that began at this byte; with the quote that an attribute's value began with.
    Tag(usize, Option<u8>),
    /// In a CDATA section.
    Data,
}

/// What a tag has ended.
enum Ended {
    Header,
    Stanza,
    Stream,
}

/// A stream of a server, from its first byte. Memory is bounded by [`MAX_STANZA`] and the size of one push.
#[derive(Debug)]
pub struct Pieces {
    buffer: Vec<u8>,
    /// What of the buffer has been looked at.
    scanned: usize,
    place: Place,
    depth: u32,
    /// The start tag of the stream, in which its prefixes are declared, and its end tag.
    header: Vec<u8>,
    footer: Vec<u8>,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { buffer: Vec::new(), scanned: 0, place: Place::Text, depth: 0, header: Vec::new(), footer: Vec::new() }
    }
}

impl Pieces {
    /// Adds what has come. [`Pieces::take`] is to be called until it gives nothing.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether all that has come was given by [`Pieces::take`], white space aside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.iter().all(u8::is_ascii_whitespace)
    }

    /// The next whole piece, if it has come.
    ///
    /// # Errors
    /// The stream breaks the rules of XML or of XMPP, or a limit; it is of no use afterwards.
    pub fn take(&mut self) -> Result<Option<Piece>, Broken> {
        loop {
            if self.depth <= 1 && self.place == Place::Text {
                // White space between stanzas keeps the connection alive and means nothing (RFC 6120 4.6.1).
                let blank = self.buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                self.buffer.drain(..blank);
                self.scanned = 0;
            }
            let at = self.scanned;
            let Some(byte) = self.buffer.get(at).copied() else { return Ok(None) };
            self.scanned = at.saturating_add(1);
            if let Some(ended) = self.step(at, byte)? {
                let rest = self.buffer.split_off(self.scanned);
                let bytes = std::mem::replace(&mut self.buffer, rest);
                self.scanned = 0;
                return self.piece(&ended, bytes).map(Some);
            }
            if self.depth == 0 && self.place == Place::Text {
                // The XML declaration.
                self.buffer.drain(..self.scanned);
                self.scanned = 0;
            }
            let limit = if self.depth == 0 { MAX_HEADER } else { MAX_STANZA };
            if self.scanned > limit {
                return Err(Broken::new("the XMPP server sends a stanza that is too long"));
            }
        }
    }

    fn step(&mut self, at: usize, byte: u8) -> Result<Option<Ended>, Broken> {
        match self.place {
            Place::Text if byte == b'<' => self.place = Place::Tag(at, None),
            Place::Text => {
                if self.depth <= 1 {
                    return Err(Broken::new("the XMPP server sends text between stanzas"));
                }
            }
            Place::Data => {
                if self.buffer.get(..self.scanned).is_some_and(|so_far| so_far.ends_with(b"]]>")) {
                    self.place = Place::Text;
                }
            }
            Place::Tag(start, quote @ Some(mark)) => {
                self.place = Place::Tag(start, quote.filter(|_| byte != mark));
            }
            Place::Tag(start, None) if self.is_forbidden(start) => {
                return Err(Broken::new("the XMPP server sends XML that is not allowed in a stream"));
            }
            Place::Tag(start, None) => match byte {
                b'"' | b'\'' => self.place = Place::Tag(start, Some(byte)),
                b'<' => return Err(Broken::new("the XMPP server sends what is not XML")),
                b'[' if self.buffer.get(start..self.scanned) == Some(CDATA) => self.place = Place::Data,
                b'>' => {
                    self.place = Place::Text;
                    return self.tag(start);
                }
                _ => {}
            },
        }
        Ok(None)
    }

    /// Whether what began at this byte is no tag, and neither the XML declaration nor a CDATA section (RFC 6120 11.1).
    fn is_forbidden(&self, start: usize) -> bool {
        match self.buffer.get(start..self.scanned).unwrap_or_default() {
            so_far @ [b'<', b'!', ..] => self.depth < 2 || !CDATA.starts_with(so_far),
            so_far @ [b'<', b'?', ..] => {
                let declaration = DECLARATION.iter().zip(so_far).all(|(wanted, byte)| wanted == byte);
                self.depth > 0 || !self.header.is_empty() || !declaration
            }
            _ => false,
        }
    }

    /// A tag that began at this byte is complete.
    fn tag(&mut self, start: usize) -> Result<Option<Ended>, Broken> {
        let tag = self.buffer.get(start..self.scanned).unwrap_or_default();
        match tag {
            [b'<', b'/', ..] => {
                self.depth =
                    self.depth.checked_sub(1).ok_or(Broken::new("the XMPP server closes what it has not opened"))?;
                return Ok(match self.depth {
                    0 => Some(Ended::Stream),
                    1 => Some(Ended::Stanza),
                    _ => None,
                });
            }
            [b'<', b'?', ..] => return Ok(None),
            [.., b'/', b'>'] => {
                if self.depth == 0 {
                    return Err(Broken::new("the XMPP server opens no stream"));
                }
                return Ok((self.depth == 1).then_some(Ended::Stanza));
            }
            _ => {}
        }
        self.depth = self.depth.saturating_add(1);
        if self.depth > 1 {
            return Ok(None);
        }
        let name: Vec<u8> =
            tag.iter().skip(1).take_while(|byte| !byte.is_ascii_whitespace() && **byte != b'>').copied().collect();
        self.header = tag.to_vec();
        self.footer = [b"</".as_slice(), &name, b">"].concat();
        Ok(Some(Ended::Header))
    }

    fn piece(&self, ended: &Ended, bytes: Vec<u8>) -> Result<Piece, Broken> {
        let document = match ended {
            Ended::Stream => return Ok(Piece::Closed),
            Ended::Header => [self.header.as_slice(), &self.footer].concat(),
            Ended::Stanza => [self.header.as_slice(), &bytes, &self.footer].concat(),
        };
        let mut stream = read(&document)?;
        Ok(match ended {
            Ended::Stanza => Piece::Stanza(stream.children.pop().ok_or(Broken::new("an empty stanza"))?),
            _ => Piece::Opened(stream),
        })
    }
}

/// Reads a document.
fn read(document: &[u8]) -> Result<Node, Broken> {
    let broken =
        |error: crate::xml::reader::Error| Broken(format!("the XMPP server sends what is not good XML: {error}"));
    let mut reader = Reader::new(document, MAX_HEADER + MAX_STANZA + MAX_HEADER).map_err(broken)?;
    let mut open: Vec<Node> = Vec::new();
    let mut elements = 0_usize;
    let mut whole = None;
    loop {
        match reader.next().map_err(broken)? {
            Event::Start(element) => {
                elements = elements.saturating_add(1);
                if elements > MAX_ELEMENTS {
                    return Err(Broken::new("the XMPP server sends a stanza with too many elements"));
                }
                open.push(Node { element, children: Vec::new(), text: String::new() });
            }
            Event::Text(text) => {
                if let Some(node) = open.last_mut() {
                    node.text.push_str(&text);
                }
            }
            Event::End => {
                if let Some(node) = open.pop() {
                    match open.last_mut() {
                        Some(around) => around.children.push(node),
                        None => whole = Some(node),
                    }
                }
            }
            Event::Done => return whole.ok_or(Broken::new("an empty document")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
        xmlns:stream='http://etherx.jabber.org/streams' id='a>b' version=\"1.0\">";

    /// Everything that comes out of these bytes, a line each, however they are split.
    fn pieces(bytes: &[u8], size: usize) -> Result<Vec<String>, Broken> {
        let mut stream = Pieces::default();
        let mut found = Vec::new();
        for part in bytes.chunks(size) {
            stream.push(part);
            while let Some(piece) = stream.take()? {
                found.push(match piece {
                    Piece::Opened(node) => format!("opened {} {}", node.local(), node.attribute("id")),
                    Piece::Stanza(node) => {
                        let children: Vec<&str> = node.children.iter().map(Node::local).collect();
                        format!("{} {} {:?} {}", node.local(), node.attribute("id"), children, node.text)
                    }
                    Piece::Closed => "closed".into(),
                });
            }
        }
        Ok(found)
    }

    fn after_header(text: &str) -> Result<Vec<String>, Broken> {
        let mut found = pieces(format!("{HEADER}{text}").as_bytes(), 7)?;
        assert_eq!(found.remove(0), "opened stream a>b");
        Ok(found)
    }

    #[test]
    fn k01_stanzas_come_out_whole_however_they_are_split() {
        let text = format!(
            "{HEADER} \n<iq id='1'><a><b/></a>x<c d='>' e=\"'/>\"/></iq>\n\n<presence/><message id='2'>\
             <body><![CDATA[</message>]]></body>&lt;</message></stream:stream>"
        );
        let whole = ["opened stream a>b", "iq 1 [\"a\", \"c\"] x", "presence  [] ", "message 2 [\"body\"] <", "closed"];
        for size in 1..text.len() {
            assert_eq!(pieces(text.as_bytes(), size).unwrap(), whole, "in parts of {size}");
        }
    }

    #[test]
    fn k01_prefixes_of_the_stream_hold_in_stanzas() {
        let mut stream = Pieces::default();
        stream.push(format!("{HEADER}<stream:features/>").as_bytes());
        assert!(matches!(stream.take(), Ok(Some(Piece::Opened(_)))));
        let Ok(Some(Piece::Stanza(features))) = stream.take() else { panic!() };
        assert!(features.is("http://etherx.jabber.org/streams", "features"));
    }

    #[test]
    fn k02_an_attribute_with_a_prefix_is_another_one() {
        let mut stream = Pieces::default();
        stream.push(format!("{HEADER}<iq xmlns:e='urn:e' e:from='acs@a' from='evil@b'/>").as_bytes());
        stream.take().unwrap();
        let Ok(Some(Piece::Stanza(iq))) = stream.take() else { panic!() };
        assert_eq!(iq.attribute("from"), "evil@b");
    }

    #[test]
    fn k05_what_is_no_stream_is_refused() {
        for text in ["HTTP/1.1 400 Bad Request\r\n\r\n", "</a>", "<a/>", "<!DOCTYPE a><a>", "<?php ?>", "<<"] {
            assert!(pieces(text.as_bytes(), 3).is_err(), "{text}");
        }
        for text in [
            "text",
            "<iq><<",
            "<!-- a -->",
            "<iq><!-- a --></iq>",
            "<iq><?p a?></iq>",
            "<iq></presence>",
            "<iq>&nbsp;</iq>",
            "<iq a=b/>",
            "<p:iq/>",
            "<![CDATA[ ]]>",
            "<iq>\u{1}</iq>",
        ] {
            assert!(after_header(text).is_err(), "{text}");
        }
    }

    #[test]
    fn k05_a_stanza_has_limits() {
        let long = |length: usize| format!("<iq>{}</iq>", "x".repeat(length));
        assert!(after_header(&long(MAX_STANZA - 100)).is_ok());
        assert!(after_header(&long(MAX_STANZA)).is_err());
        assert!(after_header(&format!("<iq a='{}", "x".repeat(MAX_STANZA))).is_err(), "before it is complete");
        let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(after_header(&deep(20)).is_ok());
        assert!(after_header(&deep(40)).is_err());
        assert!(after_header(&format!("<iq>{}</iq>", "<a/>".repeat(MAX_ELEMENTS))).is_err());
        assert!(pieces(format!("<a b='{}'>", "x".repeat(MAX_HEADER)).as_bytes(), 9).is_err());
        // White space takes no room.
        assert_eq!(after_header(&" ".repeat(10 * MAX_STANZA)).unwrap(), Vec::<String>::new());
        assert_eq!(pieces(" ".repeat(10 * MAX_STANZA).as_bytes(), 100).unwrap(), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_the_same_however_they_are_split(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b"<".to_vec()), Just(b">".to_vec()), Just(b"/>".to_vec()), Just(b"</".to_vec()),
                Just(b"<![CDATA[".to_vec()), Just(b"]]>".to_vec()), Just(b"<iq>".to_vec()), Just(b"</iq>".to_vec()),
                Just(b"'".to_vec()), proptest::collection::vec(any::<u8>(), 1..4),
            ], 0..40),
            size in 1_usize..20,
            headed in any::<bool>(),
        ) {
            let header = if headed { HEADER.as_bytes() } else { &[] };
            let bytes = [header, &bytes.concat()].concat();
            prop_assert_eq!(pieces(&bytes, size), pieces(&bytes, bytes.len().max(1)));
        }
    }
}
