//! A pull parser for messages of a peer that is not trusted (SECURITY S7, S9, S10).
//!
//! It takes plain XML 1.0 with namespaces and nothing else: no document type, no processing instruction, no entity but the five
//! predefined ones and numeric references. Size, depth, number of elements, attributes and namespaces are limited, so memory and
//! time stay proportional to the size of the message. White space in content is kept as sent.
//!
//! The text is UTF-8, with or without a byte order mark. ISO-8859-1 is read where it is declared, and any declared encoding is
//! taken when the message is plain ASCII. A declaration of UTF-16 over UTF-8 bytes, as some string builders make it, does no harm.
//!
//! A prefix that is not declared is an error where it stands before the name of an element or attribute; in values, such as that
//! of `xsi:type`, prefixes mean nothing here.

use std::borrow::Cow;
use std::fmt;
use std::io::Cursor;

use xml::common::XmlVersion;
use xml::reader::{EventReader, ParserConfig, XmlEvent};

/// The size of a message that is taken when nothing else is configured, in bytes (CONFORMANCE X-04).
pub const DEFAULT_LIMIT: usize = 1024 * 1024;
/// The deepest nesting of elements; a CWMP message needs eight.
pub const MAX_DEPTH: u32 = 32;
/// The most attributes of one element, and the most namespace declarations in scope at one place.
pub const MAX_ATTRIBUTES: usize = 64;
/// The longest name of an element or attribute in bytes.
const MAX_NAME: usize = 256;
/// The longest value of an attribute in bytes.
const MAX_ATTRIBUTE: usize = 4096;
/// One element is allowed for this many bytes of the limit: 131,072 elements in 1 MiB.
const BYTES_PER_ELEMENT: usize = 8;

/// Why a message could not be read, in one line; it never quotes content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(String);

impl Error {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// A piece of a document, in the order of the document.
#[derive(Debug)]
pub enum Event {
    /// A start tag; an empty element gives a start and an end.
    Start(Element),
    /// The end tag of the innermost open element.
    End,
    /// Character data, references and CDATA sections resolved.
    Text(String),
    /// The end of the document; comes again however often it is asked for.
    Done,
}

/// The start tag of an element.
#[derive(Debug)]
pub struct Element {
    name: xml::name::OwnedName,
    attributes: Vec<xml::attribute::OwnedAttribute>,
    namespaces: xml::namespace::Namespace,
}

impl Element {
    /// The name without its prefix.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.name.local_name
    }

    /// The URI of the namespace that the element is in.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.name.namespace.as_deref()
    }

    /// The value of the attribute with this local name in the given namespace.
    #[must_use]
    pub fn attribute(&self, namespace: &str, local: &str) -> Option<&str> {
        let wanted =
            |name: &xml::name::OwnedName| name.local_name == local && name.namespace.as_deref() == Some(namespace);
        self.attributes.iter().find(|attribute| wanted(&attribute.name)).map(|attribute| attribute.value.as_str())
    }

    /// The value of the attribute with this name that has no prefix.
    #[must_use]
    pub fn plain_attribute(&self, name: &str) -> Option<&str> {
        let wanted = |known: &xml::name::OwnedName| known.local_name == name && known.namespace.is_none();
        self.attributes.iter().find(|attribute| wanted(&attribute.name)).map(|attribute| attribute.value.as_str())
    }

    /// The value of the first attribute with this local name, in whichever namespace or none.
    #[must_use]
    pub fn any_attribute(&self, local: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name.local_name == local)
            .map(|attribute| attribute.value.as_str())
    }

    /// Whether some prefix stands for this namespace at this place.
    #[must_use]
    pub fn declares(&self, uri: &str) -> bool {
        self.namespaces.0.values().any(|declared| declared == uri)
    }
}

/// Reads one document from a text that lies in memory.
pub struct Reader<'a> {
    events: EventReader<Cursor<Cow<'a, [u8]>>>,
    depth: u32,
    elements_left: usize,
}

impl<'a> Reader<'a> {
    /// Starts to read. `limit` is the greatest size in bytes that is taken.
    ///
    /// # Errors
    /// The text is larger than `limit` or in an encoding that is not understood.
    pub fn new(bytes: &'a [u8], limit: usize) -> Result<Self, Error> {
        if bytes.len() > limit {
            return Err(Error::new(format!("{} bytes are more than the limit of {limit}", bytes.len())));
        }
        let text = to_utf8(bytes)?;
        // No entity can be declared, so expansion has nothing to do but is closed as well. The encoding is settled above.
        let config = ParserConfig::new()
            .cdata_to_characters(true)
            .whitespace_to_characters(true)
            .allow_multiple_root_elements(false)
            .override_encoding(Some(xml::Encoding::Utf8))
            .ignore_invalid_encoding_declarations(true)
            .max_entity_expansion_length(0)
            .max_entity_expansion_depth(0)
            .max_attributes(MAX_ATTRIBUTES)
            .max_name_length(MAX_NAME)
            .max_attribute_length(MAX_ATTRIBUTE);
        let events = EventReader::new_with_config(Cursor::new(text), config);
        Ok(Self { events, depth: 0, elements_left: limit / BYTES_PER_ELEMENT })
    }

    /// The next event. Comments are passed over.
    ///
    /// # Errors
    /// The document is not well-formed, holds what is not allowed, or exceeds a limit. The reader is of no use afterwards.
    #[expect(clippy::should_implement_trait, reason = "an error ends it, and `Done` is an event of its own")]
    pub fn next(&mut self) -> Result<Event, Error> {
        loop {
            match self.events.next().map_err(|error| Error::new(error.to_string()))? {
                XmlEvent::StartDocument { version: XmlVersion::Version10, .. } | XmlEvent::Comment(_) => {}
                XmlEvent::StartDocument { .. } => return Err(Error::new("XML 1.1 is not taken")),
                XmlEvent::StartElement { name, attributes, namespace } => {
                    self.count(namespace.0.len())?;
                    return Ok(Event::Start(Element { name, attributes, namespaces: namespace }));
                }
                XmlEvent::EndElement { .. } => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Event::End);
                }
                XmlEvent::Characters(text) | XmlEvent::CData(text) | XmlEvent::Whitespace(text) => {
                    return Ok(Event::Text(text));
                }
                XmlEvent::EndDocument => return Ok(Event::Done),
                XmlEvent::Doctype { .. } => return Err(Error::new("a document type is not allowed")),
                XmlEvent::ProcessingInstruction { .. } => {
                    return Err(Error::new("a processing instruction is not allowed"));
                }
            }
        }
    }

    fn count(&mut self, namespaces: usize) -> Result<(), Error> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(Error::new(format!("more than {MAX_DEPTH} elements inside each other")));
        }
        // The parser copies what is in scope for each element, so this bounds its work.
        if namespaces > MAX_ATTRIBUTES {
            return Err(Error::new(format!("more than {MAX_ATTRIBUTES} namespaces")));
        }
        self.elements_left = self.elements_left.checked_sub(1).ok_or_else(|| Error::new("too many elements"))?;
        Ok(())
    }
}

/// The text in UTF-8 without a byte order mark.
fn to_utf8(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.is_ascii() {
        return Ok(Cow::Borrowed(bytes));
    }
    let declared = declared_encoding(bytes).unwrap_or("UTF-8");
    let is = |name: &str| declared.eq_ignore_ascii_case(name);
    if is("ISO-8859-1") || is("latin1") {
        let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        return Ok(Cow::Owned(text.into_bytes()));
    }
    if !(is("UTF-8") || is("UTF8") || is("UTF-16")) {
        return Err(Error::new("the declared encoding is neither UTF-8 nor ISO-8859-1"));
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(Cow::Borrowed(bytes)),
        Err(error) => Err(Error::new(format!("not UTF-8 after {} bytes", error.valid_up_to()))),
    }
}

/// What the XML declaration says of the encoding, if there is one and it says so.
fn declared_encoding(bytes: &[u8]) -> Option<&str> {
    let rest = bytes.strip_prefix(b"<?xml")?;
    let end = rest.windows(2).take(256).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(rest.get(..end)?).ok()?;
    let (_, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads to the end and gives the text of all elements.
    fn read(bytes: &[u8], limit: usize) -> Result<String, Error> {
        let mut reader = Reader::new(bytes, limit)?;
        let mut all = String::new();
        loop {
            match reader.next()? {
                Event::Text(text) => all.push_str(&text),
                Event::Done => return Ok(all),
                Event::Start(_) | Event::End => {}
            }
        }
    }

    fn text(bytes: &[u8]) -> String {
        read(bytes, DEFAULT_LIMIT).unwrap()
    }

    fn refusal(bytes: &[u8]) -> String {
        read(bytes, DEFAULT_LIMIT).unwrap_err().to_string()
    }

    #[test]
    fn names_are_resolved_by_uri() {
        let mut reader = Reader::new(b"<a xmlns='urn:1' xmlns:p='urn:2'><p:b p:c='d' c='e'/></a>", 100).unwrap();
        let Event::Start(outer) = reader.next().unwrap() else { panic!() };
        assert_eq!((outer.namespace(), outer.local()), (Some("urn:1"), "a"));
        assert!(outer.declares("urn:2") && !outer.declares("urn:3"));
        let Event::Start(inner) = reader.next().unwrap() else { panic!() };
        assert_eq!((inner.namespace(), inner.local()), (Some("urn:2"), "b"));
        assert_eq!((inner.attribute("urn:2", "c"), inner.attribute("urn:1", "c")), (Some("d"), None));
    }

    #[test]
    fn white_space_references_and_cdata_are_content() {
        assert_eq!(text(b"<a> x\n\t<![CDATA[<&]]>&lt;&#65;&#x42;<!-- not this -->&amp; </a>"), " x\n\t<&<AB& ");
        assert_eq!(text(b"<a>1\r\n2\r3&#13;</a>"), "1\n2\n3\r");
    }

    #[test]
    fn encodings_of_the_field() {
        assert_eq!(text("\u{feff}<a>é</a>".as_bytes()), "é");
        assert_eq!(text(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>"), "é");
        assert_eq!(text("<?xml version=\"1.0\" encoding = \"utf-16\"?><a>é</a>".as_bytes()), "é");
        assert_eq!(text(b"<?xml version='1.0' encoding='GB2312'?><a>e</a>"), "e");
        assert!(refusal("<?xml version='1.0' encoding='GB2312'?><a>é</a>".as_bytes()).contains("declared encoding"));
        assert_eq!(refusal(b"<a>\xE9</a>"), "not UTF-8 after 3 bytes");
        refusal(b"\xFF\xFE<\0a\0/\0>\0");
        refusal(b"<?xml version='1.1'?><a>&#1;</a>");
    }

    #[test]
    fn s9_no_document_type_no_instruction_no_entity() {
        assert!(refusal(b"<!DOCTYPE a><a/>").contains("document type"));
        refusal(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>");
        refusal(b"<!DOCTYPE a [<!ENTITY % p 'x'><!ENTITY % q '%p;%p;%p;'>%q;]><a/>");
        assert!(refusal(b"<?php x?><a/>").contains("instruction"));
        refusal(b"<a>&nbsp;</a>");
        refusal(b"<a>&#0;</a>");
        refusal(b"<a>\x02</a>");
        refusal(b"<a/><b/>");
        refusal(b"");
    }

    #[test]
    fn s9_limits() {
        let nested = |n: usize| [b"<a>".repeat(n), b"</a>".repeat(n)].concat();
        assert!(read(&nested(32), DEFAULT_LIMIT).is_ok());
        assert!(refusal(&nested(33)).contains("inside each other"));
        let attributes = |n: usize| format!("<a {}/>", (0..n).map(|i| format!("b{i}='' ")).collect::<String>());
        assert!(read(attributes(64).as_bytes(), DEFAULT_LIMIT).is_ok());
        refusal(attributes(65).as_bytes());
        let namespaces = |n: usize| format!("<a {}/>", (0..n).map(|i| format!("xmlns:b{i}='u' ")).collect::<String>());
        assert!(read(namespaces(32).as_bytes(), DEFAULT_LIMIT).is_ok());
        assert!(refusal(namespaces(65).as_bytes()).contains("namespaces"));
        let many = |n: usize| format!("<a>{}</a>", "<b/>".repeat(n));
        assert!(read(many(1000).as_bytes(), 8008).is_ok());
        assert_eq!(read(many(1001).as_bytes(), 8008).unwrap_err().to_string(), "too many elements");
        assert!(read(&[b' '; 101], 100).unwrap_err().to_string().contains("limit"));
    }

    #[test]
    fn an_undeclared_prefix_is_an_error_but_not_in_values() {
        refusal(b"<p:a/>");
        refusal(b"<a p:b=''/>");
        assert_eq!(text(b"<a type='p:b'>p:c</a>"), "p:c");
    }
}
