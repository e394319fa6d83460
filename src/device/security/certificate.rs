//! What a certificate says of itself, read out of its DER (RFC 5280 4.1, X.690). Nothing is verified here: that is the business of TLS.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::time::UtcTime;

/// The tags of X.680 that are looked for.
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const TELETEX: u8 = 0x14;
const IA5: u8 = 0x16;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// The kinds of GeneralName that are told (RFC 5280 4.2.1.6).
const MAIL_NAME: u8 = 0x81;
const DNS_NAME: u8 = 0x82;
const DIRECTORY_NAME: u8 = 0xa4;
const URI_NAME: u8 = 0x86;
const ADDRESS_NAME: u8 = 0x87;

/// 2.5.29.17, subjectAltName.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// What a certificate says.
#[derive(Default, Debug)]
pub struct Certificate {
    /// Its number, as hexadecimal bytes with colons.
    pub serial: String,
    /// Who signed it, as RFC 4514 writes it.
    pub issuer: String,
    /// Whose it is, as RFC 4514 writes it.
    pub subject: String,
    /// From when on it holds.
    pub not_before: Option<UtcTime>,
    /// Until when it holds.
    pub not_after: Option<UtcTime>,
    /// Its other names and addresses.
    pub names: Vec<String>,
    /// How it was signed: a name that people know, or else the numbers.
    pub algorithm: String,
}

impl Certificate {
    /// Reads a certificate; `None` when it is not one.
    pub fn read(der: &[u8]) -> Option<Self> {
        let mut whole = Der(der);
        let mut outer = Der(whole.take(SEQUENCE)?);
        if !whole.0.is_empty() {
            return None;
        }
        let mut inner = Der(outer.take(SEQUENCE)?);
        let mut found = Self { algorithm: algorithm(&oid(Der(outer.take(SEQUENCE)?).take(OID)?)?), ..Self::default() };
        inner.take(VERSION);
        found.serial = serial(inner.take(INTEGER)?);
        inner.take(SEQUENCE)?;
        found.issuer = name(inner.take(SEQUENCE)?)?;
        let mut validity = Der(inner.take(SEQUENCE)?);
        found.not_before = time(validity.next()?);
        found.not_after = time(validity.next()?);
        found.subject = name(inner.take(SEQUENCE)?)?;
        inner.take(SEQUENCE)?;
        while let Some((tag, content)) = inner.next() {
            if tag == EXTENSIONS {
                found.names = alternative_names(Der(content).take(SEQUENCE)?)?;
            }
        }
        Some(found)
    }
}

/// The rest of a run of DER values.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value, as its tag and its content; `None` at the end, and at what is no DER.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk::<2>()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            let (octets, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if octets.is_empty() || octets.len() > 3 {
                return None;
            }
            length = octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet));
            rest = behind;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next value if it has this tag; otherwise nothing is taken.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut rest = Der(self.0);
        let (found, content) = rest.next()?;
        if found != tag {
            return None;
        }
        self.0 = rest.0;
        Some(content)
    }
}

fn serial(octets: &[u8]) -> String {
    // The first bit is a sign, so that a zero stands before what would look negative.
    let octets = match octets {
        [0, rest @ ..] if !rest.is_empty() => rest,
        octets => octets,
    };
    let mut text = String::new();
    for octet in octets {
        let colon = if text.is_empty() { "" } else { ":" };
        let _ = write!(text, "{colon}{octet:02X}");
    }
    text
}

/// An object identifier with its dots.
fn oid(octets: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut arc: u32 = 0;
    for octet in octets {
        arc = arc.checked_mul(128)?.checked_add(u32::from(octet & 0x7f))?;
        if octet & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let first = (arc / 40).min(2);
            let _ = write!(text, "{first}.{}", arc.saturating_sub(first.saturating_mul(40)));
        } else {
            let _ = write!(text, ".{arc}");
        }
        arc = 0;
    }
    Some(text)
}

/// A distinguished name, the last part first (RFC 4514 2.1).
fn name(content: &[u8]) -> Option<String> {
    let mut parts = Vec::new();
    let mut sets = Der(content);
    while let Some(set) = sets.take(SET) {
        let mut part = String::new();
        let mut pairs = Der(set);
        while let Some(pair) = pairs.take(SEQUENCE) {
            let mut pair = Der(pair);
            let kind = oid(pair.take(OID)?)?;
            let (tag, value) = pair.next()?;
            if !part.is_empty() {
                part.push('+');
            }
            attribute(&mut part, &kind, tag, value);
        }
        parts.push(part);
    }
    parts.reverse();
    Some(parts.join(","))
}

/// Writes one attribute of a name, such as `O=Example\, Inc.` (RFC 4514 2.4).
fn attribute(out: &mut String, kind: &str, tag: u8, value: &[u8]) {
    let text = match tag {
        UTF8 | PRINTABLE | IA5 | TELETEX => std::str::from_utf8(value).ok(),
        _ => None,
    };
    let (Some(kind), Some(text)) = (short_name(kind), text) else {
        let _ = write!(out, "{kind}=#");
        for octet in value {
            let _ = write!(out, "{octet:02x}");
        }
        return;
    };
    out.push_str(kind);
    out.push('=');
    let last = text.chars().count().saturating_sub(1);
    for (number, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.push('\\'),
            '#' if number == 0 => out.push('\\'),
            ' ' if number == 0 || number == last => out.push('\\'),
            _ => {}
        }
        out.push(character);
    }
}

/// The short names of RFC 4514 3, and of what else stands in certificates.
fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "TITLE",
        "2.5.4.42" => "GN",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "EMAILADDRESS",
        _ => return None,
    })
}

/// The name that people know, or else the numbers.
fn algorithm(oid: &str) -> String {
    let name = match oid {
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        other => other,
    };
    String::from(name)
}

/// `YYMMDDhhmmssZ`, or the same with four digits of the year (RFC 5280 4.1.2.5).
fn time((tag, digits): (u8, &[u8])) -> Option<UtcTime> {
    let digits = std::str::from_utf8(digits).ok()?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            (format!("{}{year}", if year < "50" { "20" } else { "19" }), rest)
        }
        GENERALIZED_TIME => digits.split_at_checked(4).map(|(year, rest)| (String::from(year), rest))?,
        _ => return None,
    };
    let rest =
        rest.strip_suffix('Z').filter(|rest| rest.len() == 10 && rest.bytes().all(|byte| byte.is_ascii_digit()))?;
    let two = |at: usize| rest.get(at..at.saturating_add(2)).unwrap_or_default();
    UtcTime::parse(&format!("{year}-{}-{}T{}:{}:{}Z", two(0), two(2), two(4), two(6), two(8)))
}

fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut extensions = Der(extensions);
    while let Some(extension) = extensions.take(SEQUENCE) {
        let mut extension = Der(extension);
        if extension.take(OID)? != ALTERNATIVE_NAMES {
            continue;
        }
        // Whether it is critical is of no concern here.
        extension.take(BOOLEAN);
        let mut all = Der(Der(extension.take(OCTETS)?).take(SEQUENCE)?);
        while let Some((tag, content)) = all.next() {
            names.extend(match tag {
                MAIL_NAME | DNS_NAME | URI_NAME => std::str::from_utf8(content).ok().map(String::from),
                DIRECTORY_NAME => Der(content).take(SEQUENCE).and_then(name),
                ADDRESS_NAME => address(content),
                _ => None,
            });
        }
    }
    Some(names)
}

fn address(octets: &[u8]) -> Option<String> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(Ipv4Addr::from(octets).to_string());
    }
    <[u8; 16]>::try_from(octets).ok().map(|octets| Ipv6Addr::from(octets).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, length[0], length[1]], content.as_slice()].concat()
    }

    fn pair(kind: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        der(SET, &[&der(SEQUENCE, &[&der(OID, &[kind]), &der(tag, &[value])])])
    }

    fn certificate(name: &[u8], dates: [(u8, &[u8]); 2], names: &[u8]) -> Vec<u8> {
        let algorithm = der(SEQUENCE, &[&der(OID, &[&[0x2b, 0x65, 0x70]])]);
        let name = der(SEQUENCE, &[name]);
        let dates = der(SEQUENCE, &dates.map(|(tag, text)| der(tag, &[text])).each_ref().map(Vec::as_slice));
        let names = der(OCTETS, &[&der(SEQUENCE, &[names])]);
        let extension = der(SEQUENCE, &[&der(OID, &[ALTERNATIVE_NAMES]), &der(BOOLEAN, &[&[0xff]]), &names]);
        let extensions = der(EXTENSIONS, &[&der(SEQUENCE, &[&extension])]);
        let version = der(VERSION, &[&der(INTEGER, &[&[2]])]);
        let serial = der(INTEGER, &[&[0, 0x8f, 1]]);
        let key = der(SEQUENCE, &[]);
        let inner = der(SEQUENCE, &[&version, &serial, &algorithm, &name, &dates, &name, &key, &extensions]);
        der(SEQUENCE, &[&inner, &algorithm, &der(0x03, &[&[0]])])
    }

    #[test]
    fn what_it_says_is_read() {
        let name = [
            pair(&[0x55, 4, 6], PRINTABLE, b"DE"),
            pair(&[0x55, 4, 10], UTF8, " Müller, Söhne+ ".as_bytes()),
            pair(&[0x55, 4, 3], 0x1e, &[0, 0x41]),
            pair(&[0x2a, 0x03], UTF8, b"x"),
            pair(&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], IA5, b"#net"),
        ]
        .concat();
        let names = [
            der(DNS_NAME, &[b"a.example"]),
            der(0x88, &[&[1]]),
            der(ADDRESS_NAME, &[&[192, 0, 2, 1]]),
            der(ADDRESS_NAME, &[&[1, 2]]),
            der(DIRECTORY_NAME, &[&der(SEQUENCE, &[&pair(&[0x55, 4, 3], UTF8, b"b")])]),
        ]
        .concat();
        let bytes = certificate(&name, [(UTC_TIME, b"500229000000Z"), (GENERALIZED_TIME, b"20510101123456Z")], &names);
        let found = Certificate::read(&bytes).unwrap();
        assert_eq!(found.serial, "8F:01");
        assert_eq!(found.subject, "DC=\\#net,1.2.3=#78,2.5.4.3=#0041,O=\\ Müller\\, Söhne\\+\\ ,C=DE");
        assert_eq!(found.issuer, found.subject);
        assert_eq!(found.not_before, None, "1950 had no 29th of February");
        assert_eq!(found.not_after.unwrap().to_string(), "2051-01-01T12:34:56Z");
        assert_eq!(found.names, ["a.example", "192.0.2.1", "CN=b"]);
        assert_eq!(found.algorithm, "Ed25519");
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_none() {
        let bytes = certificate(&[], [(UTC_TIME, b"490101000000Z"), (UTC_TIME, b"500101000000Z")], &[]);
        let found = Certificate::read(&bytes).unwrap();
        assert_eq!(found.not_before.unwrap().to_string(), "2049-01-01T00:00:00Z");
        assert_eq!(found.not_after.unwrap().to_string(), "1950-01-01T00:00:00Z");
        for end in 0..bytes.len() {
            assert!(Certificate::read(&bytes[..end]).is_none(), "{end}");
        }
        assert!(Certificate::read(&[bytes.as_slice(), &[0]].concat()).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            Certificate::read(&bytes);
        }

        #[test]
        fn no_change_of_a_byte_breaks_it(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
            let name = pair(&[0x55, 4, 10], UTF8, b"Example");
            let mut bytes = certificate(&name, [(UTC_TIME, b"490101000000Z"), (UTC_TIME, b"490101000000Z")], &[]);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            Certificate::read(&bytes);
        }
    }
}
