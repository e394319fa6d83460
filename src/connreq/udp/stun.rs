//! Messages of STUN: RFC 3489, with the two attributes of TR-111 (TR-069a6 G.2.1.2; CONFORMANCE U-01, U-03).
//!
//! ```text
//!  2 octets  kind of the message         then attributes:  2 octets  kind
//!  2 octets  length of the attributes                      2 octets  length of the value
//! 16 octets  transaction id                                the value, filled up to a multiple of four
//! ```
//!
//! Servers of RFC 5389 answer in the same form, and with XOR-MAPPED-ADDRESS besides or in the place of MAPPED-ADDRESS.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use subtle::ConstantTimeEq;

use crate::auth::mac::hmac_sha1;

/// The port of a STUN server where nothing else is said (RFC 3489 6).
pub const PORT: u16 = 3478;

/// MAPPED-ADDRESS: where the server saw the request come from.
pub const MAPPED_ADDRESS: u16 = 0x0001;
/// RESPONSE-ADDRESS: where the answer is to go.
pub const RESPONSE_ADDRESS: u16 = 0x0002;
/// USERNAME
pub const USERNAME: u16 = 0x0006;
/// MESSAGE-INTEGRITY: the HMAC-SHA1 of all that is before it.
pub const MESSAGE_INTEGRITY: u16 = 0x0008;
/// ERROR-CODE
pub const ERROR_CODE: u16 = 0x0009;
/// XOR-MAPPED-ADDRESS of RFC 5389, and as drafts before it numbered it.
pub const XOR_MAPPED_ADDRESS: [u16; 2] = [0x0020, 0x8020];
/// CONNECTION-REQUEST-BINDING of TR-111: what comes to where this came from are connection requests.
pub const CONNECTION_REQUEST_BINDING: u16 = 0xc001;
/// BINDING-CHANGE of TR-111: the mapped address is not the one of before.
pub const BINDING_CHANGE: u16 = 0xc002;

/// The value of CONNECTION-REQUEST-BINDING.
pub const TR_111: &[u8; 20] = b"dslforum.org/TR-111 ";

const HEADER: usize = 20;

/// HMAC-SHA1 is over the text filled up with zeros to a multiple of this (RFC 3489 11.2.8).
const BLOCK: usize = 64;

/// By which an answer is known to belong to a request.
pub type TransactionId = [u8; 16];

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Binding Request
    Request,
    /// Binding Response
    Response,
    /// Binding Error Response
    Error,
}

impl Kind {
    const ALL: [(Self, u16); 3] = [(Self::Request, 0x0001), (Self::Response, 0x0101), (Self::Error, 0x0111)];

    fn number(self) -> u16 {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, number)| *number)
    }
}

/// Whether a datagram on the port of connection requests is one of STUN: a request begins with a letter, these with two bits of zero.
#[must_use]
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 0x40)
}

/// A message that is being made.
pub struct Builder {
    bytes: Vec<u8>,
}

impl Builder {
    /// A message without attributes.
    #[must_use]
    pub fn new(kind: Kind, id: &TransactionId) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&kind.number().to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(id);
        Self { bytes }
    }

    /// Adds an attribute. A value whose length is no multiple of four is filled up with blanks, which count, as Annex G does with USERNAME; one that is too long is left out.
    #[must_use]
    pub fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = value.len().next_multiple_of(4);
        let Some(number) = u16::try_from(length).ok().filter(|number| *number <= 1024) else { return self };
        self.bytes.extend_from_slice(&kind.to_be_bytes());
        self.bytes.extend_from_slice(&number.to_be_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.extend(std::iter::repeat_n(b' ', length - value.len()));
        self
    }

    /// Adds an attribute whose value is an address.
    #[must_use]
    pub fn address(self, kind: u16, address: SocketAddr) -> Self {
        let mut value = vec![0, if address.is_ipv4() { 1 } else { 2 }];
        value.extend_from_slice(&address.port().to_be_bytes());
        match address.ip() {
            IpAddr::V4(address) => value.extend_from_slice(&address.octets()),
            IpAddr::V6(address) => value.extend_from_slice(&address.octets()),
        }
        self.attribute(kind, &value)
    }

    /// The bytes.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.set_length(self.bytes.len());
        self.bytes
    }

    /// The bytes with MESSAGE-INTEGRITY at their end.
    #[must_use]
    pub fn finish_signed(mut self, password: &str) -> Vec<u8> {
        let length = self.bytes.len();
        self.set_length(length.saturating_add(4 + 20));
        match hmac_sha1(password.as_bytes(), &[&self.bytes, filling(length)]) {
            Some(code) => {
                let length = self.bytes.len();
                let mut signed = self.attribute(MESSAGE_INTEGRITY, &code);
                signed.set_length(length.saturating_add(4 + 20));
                signed.bytes
            }
            None => self.finish(),
        }
    }

    fn set_length(&mut self, total: usize) {
        let length = u16::try_from(total.saturating_sub(HEADER)).unwrap_or(u16::MAX).to_be_bytes();
        if let Some(place) = self.bytes.get_mut(2..4) {
            place.copy_from_slice(&length);
        }
    }
}

fn filling(length: usize) -> &'static [u8] {
    const ZEROS: [u8; BLOCK] = [0; BLOCK];
    ZEROS.get(..length.next_multiple_of(BLOCK).saturating_sub(length)).unwrap_or_default()
}

/// Why a datagram is no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no message of STUN")
    }
}

impl std::error::Error for Malformed {}

/// A message that has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its transaction.
    pub id: TransactionId,
    bytes: &'a [u8],
    /// Where the attributes end that count: behind the code nothing does.
    end: usize,
}

impl<'a> Message<'a> {
    /// Reads a datagram. Attributes that are not known are passed over.
    ///
    /// # Errors
    /// When it is of another kind, or one of its lengths is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let number = number(bytes, 0).ok_or(Malformed)?;
        let (kind, _) = Kind::ALL.into_iter().find(|(_, known)| *known == number).ok_or(Malformed)?;
        let id = bytes.get(4..HEADER).and_then(|id| id.try_into().ok()).ok_or(Malformed)?;
        let length = self::number(bytes, 2).ok_or(Malformed)?;
        if usize::from(length) != bytes.len().saturating_sub(HEADER) || length % 4 != 0 {
            return Err(Malformed);
        }
        let mut message = Self { kind, id, bytes, end: bytes.len() };
        let mut at = HEADER;
        while at < bytes.len() {
            let (kind, value) = message.attribute_at(at).ok_or(Malformed)?;
            let next = after(at, value);
            if next > bytes.len() {
                return Err(Malformed);
            }
            if kind == MESSAGE_INTEGRITY && message.end == bytes.len() {
                message.end = at;
            }
            at = next;
        }
        Ok(message)
    }

    fn attribute_at(&self, at: usize) -> Option<(u16, &'a [u8])> {
        let length = usize::from(number(self.bytes, at.checked_add(2)?)?);
        let start = at.checked_add(4)?;
        Some((number(self.bytes, at)?, self.bytes.get(start..start.checked_add(length)?)?))
    }

    /// The value of an attribute, of the first where there are several. Only what comes before MESSAGE-INTEGRITY counts.
    #[must_use]
    pub fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        let mut at = HEADER;
        while at < self.end {
            let (found, value) = self.attribute_at(at)?;
            if found == kind {
                return Some(value);
            }
            at = after(at, value);
        }
        None
    }

    /// Where the server saw the request come from: what no gateway on the way can have rewritten counts more than what it can.
    #[must_use]
    pub fn mapped_address(&self) -> Option<SocketAddr> {
        let mask = self.bytes.get(4..HEADER)?;
        let hidden = XOR_MAPPED_ADDRESS.iter().find_map(|kind| self.attribute(*kind));
        match hidden {
            Some(value) => address(value, mask),
            None => address(self.attribute(MAPPED_ADDRESS)?, &[0; 16]),
        }
    }

    /// The number of an error, 100 to 799.
    #[must_use]
    pub fn error_code(&self) -> Option<u16> {
        let [_, _, class, number, ..] = self.attribute(ERROR_CODE)? else { return None };
        let class = u16::from(class & 7);
        ((1..=7).contains(&class) && *number < 100).then_some(class * 100 + u16::from(*number))
    }

    /// Whether it has MESSAGE-INTEGRITY.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.end != self.bytes.len()
    }

    /// Whether it has MESSAGE-INTEGRITY, and whoever made it knows the password. RFC 3489 fills the text up with zeros, RFC 5389 does not; both
    /// prove the same.
    #[must_use]
    pub fn is_signed_with(&self, password: &str) -> bool {
        let Some((MESSAGE_INTEGRITY, code)) = self.attribute_at(self.end) else { return false };
        let (Some(text), Some(kind)) = (self.bytes.get(4..self.end), self.bytes.get(..2)) else { return false };
        // The length is the one with which the message ends here.
        let length = u16::try_from(self.end.saturating_add(4 + 20 - HEADER)).unwrap_or(u16::MAX).to_be_bytes();
        [filling(self.end), &[]].into_iter().any(|filling| {
            let own = hmac_sha1(password.as_bytes(), &[kind, &length, text, filling]);
            own.is_some_and(|own| own.ct_eq(code).into())
        })
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// Where the attribute after this one begins.
fn after(at: usize, value: &[u8]) -> usize {
    at.saturating_add(4).saturating_add(value.len().next_multiple_of(4))
}

/// An address behind a mask: its first two octets hide the port, its first ones the address (RFC 5389 15.2).
fn address(value: &[u8], mask: &[u8]) -> Option<SocketAddr> {
    let (head, octets) = value.split_at_checked(4)?;
    let port = number(head, 2)? ^ number(mask, 0)?;
    let plain: Vec<u8> = octets.iter().zip(mask).map(|(octet, mask)| octet ^ mask).collect();
    let ip = match (head.get(1)?, octets.len()) {
        (1, 4) => IpAddr::from(<[u8; 4]>::try_from(plain).ok()?),
        (2, 16) => IpAddr::from(<[u8; 16]>::try_from(plain).ok()?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port)).filter(|address| address.port() != 0 && !address.ip().is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: TransactionId = *b"0123456789abcdef";

    fn request() -> Builder {
        Builder::new(Kind::Request, &ID).attribute(CONNECTION_REQUEST_BINDING, TR_111)
    }

    #[test]
    fn u03_the_bytes_of_a_request() {
        let plain = request().finish();
        assert_eq!(plain, b"\x00\x01\x00\x180123456789abcdef\xc0\x01\x00\x14dslforum.org/TR-111 ");
        let changed = request().attribute(BINDING_CHANGE, &[]).finish();
        assert_eq!(changed, b"\x00\x01\x00\x1c0123456789abcdef\xc0\x01\x00\x14dslforum.org/TR-111 \xc0\x02\x00\x00");
        let elsewhere = Builder::new(Kind::Request, &ID);
        let elsewhere = elsewhere.address(RESPONSE_ADDRESS, "192.0.2.1:32853".parse().unwrap()).finish();
        assert_eq!(elsewhere, b"\x00\x01\x00\x0c0123456789abcdef\x00\x02\x00\x08\x00\x01\x80\x55\xc0\x00\x02\x01");
    }

    /// The code was computed with Python's hmac over the text filled up to 64 octets.
    #[test]
    fn u03_a_signed_request_has_the_user_in_multiples_of_four_and_the_code_at_the_end() {
        let signed = request().attribute(USERNAME, b"router").finish_signed("secret");
        let (text, code) = signed.split_at(signed.len() - 24);
        assert_eq!(
            text,
            b"\x00\x01\x00\x3c0123456789abcdef\xc0\x01\x00\x14dslforum.org/TR-111 \x00\x06\x00\x08router  "
        );
        assert_eq!(
            code,
            b"\x00\x08\x00\x14\xe5\x49\x68\x3f\xa9\xcc\x9a\x40\x2e\xb7\xe0\xfc\x94\xbd\x55\x15\x4b\xaf\x59\xa6"
        );
        let message = Message::parse(&signed).unwrap();
        assert!(message.is_signed() && message.is_signed_with("secret"));
        assert!(!message.is_signed_with("Secret") && !message.is_signed_with(""));
        assert_eq!(message.attribute(USERNAME), Some(&b"router  "[..]));
        let mut forged = signed.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert!(!Message::parse(&forged).unwrap().is_signed_with("secret"));
        forged = signed;
        forged[8] ^= 1;
        assert!(!Message::parse(&forged).unwrap().is_signed_with("secret"));
    }

    #[test]
    fn u02_the_mapped_address_is_read_in_every_form() {
        let parse = |bytes: &[u8]| Message::parse(bytes).unwrap().mapped_address().map(|address| address.to_string());
        let mapped = b"\x01\x01\x00\x0c0123456789abcdef\x00\x01\x00\x08\x00\x01\x80\x55\xc0\x00\x02\x01";
        assert_eq!(parse(mapped).as_deref(), Some("192.0.2.1:32853"));
        // RFC 5769 2.2: the cookie and what it hides.
        let hidden = b"\x01\x01\x00\x0c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
                       \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43";
        assert_eq!(parse(hidden).as_deref(), Some("192.0.2.1:32853"));
        let six = b"\x01\x01\x00\x18\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
                    \x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9";
        assert_eq!(parse(six).as_deref(), Some("[2001:db8:1234:5678:11:2233:4455:6677]:32853"));
        let both = b"\x01\x01\x00\x180123456789abcdef\x00\x01\x00\x08\x00\x01\x80\x55\xc0\x00\x02\x01\
                     \x80\x20\x00\x08\x00\x01\xb0\x64\xf0\x31\x30\x32";
        assert_eq!(parse(both).as_deref(), Some("192.0.2.1:32853"));
        for bad in [
            &b"\x01\x01\x00\x0c0123456789abcdef\x00\x01\x00\x08\x00\x01\x00\x00\xc0\x00\x02\x01"[..],
            b"\x01\x01\x00\x0c0123456789abcdef\x00\x01\x00\x08\x00\x01\x80\x55\x00\x00\x00\x00",
            b"\x01\x01\x00\x0c0123456789abcdef\x00\x01\x00\x08\x00\x02\x80\x55\xc0\x00\x02\x01",
            b"\x01\x01\x00\x080123456789abcdef\x00\x01\x00\x04\x00\x01\x80\x55",
            b"\x01\x01\x00\x000123456789abcdef",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn u01_errors_have_a_number() {
        let error = |code: &[u8]| {
            let bytes = Builder::new(Kind::Error, &ID).attribute(ERROR_CODE, code).finish();
            Message::parse(&bytes).unwrap().error_code()
        };
        assert_eq!(error(b"\0\0\x04\x01Unauthorized"), Some(401));
        assert_eq!(error(b"\0\0\x04\x14"), Some(420));
        assert_eq!(error(b"\0\0\x00\x01"), None);
        assert_eq!(error(b"\0\0\x04\x64"), None);
        assert_eq!(error(b""), None);
    }

    #[test]
    fn s23_wrong_lengths_are_no_message() {
        for bad in [
            &b""[..],
            b"\x01",
            b"\x01\x01\x00\x000123456789abcde",
            b"\x01\x01\x00\x040123456789abcdef",
            b"\x01\x01\x00\x000123456789abcdef\x00",
            b"\x01\x01\x00\x020123456789abcdef\x00\x00",
            b"\x01\x01\x00\x040123456789abcdef\x00\x01\x00\x04",
            b"\x01\x01\x00\x080123456789abcdef\x00\x01\xff\xff\x00\x00\x00\x00",
            b"\x01\x02\x00\x000123456789abcdef",
            b"GET / HTTP/1.1\r\n\r\nmore",
        ] {
            assert_eq!(Message::parse(bad), Err(Malformed), "{bad:?}");
        }
        assert!(is_stun(&[0]) && is_stun(&[1, 1]) && !is_stun(b"GET") && !is_stun(b""));
    }

    #[test]
    fn s23_nothing_counts_behind_the_code() {
        let mut bytes = Builder::new(Kind::Response, &ID).finish_signed("secret");
        bytes.extend_from_slice(b"\x00\x01\x00\x08\x00\x01\x80\x55\xc0\x00\x02\x01");
        bytes[3] = 36;
        let message = Message::parse(&bytes).unwrap();
        assert!(message.is_signed_with("secret"));
        assert_eq!(message.mapped_address(), None);
    }

    proptest! {
        #[test]
        fn s23_whatever_comes_is_read_without_harm(
            kind in prop::sample::select(vec![1_u16, 0x101, 0x111, 2]),
            body in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(8), any::<u8>()], 0..200),
        ) {
            let length = u16::try_from(body.len()).unwrap();
            let whole = [&kind.to_be_bytes()[..], &length.to_be_bytes(), &ID, &body].concat();
            for bytes in [&whole[..], &body] {
                if let Ok(message) = Message::parse(bytes) {
                    let _ = (message.mapped_address(), message.error_code());
                    prop_assert!(!message.is_signed_with("secret"));
                }
            }
        }

        #[test]
        fn what_is_written_is_read_as_the_same(
            attributes in prop::collection::vec((0x10_u16.., prop::collection::vec(any::<u8>(), 0..40)), 0..8),
            signed in any::<bool>(),
        ) {
            let mut builder = Builder::new(Kind::Response, &ID);
            for (kind, value) in &attributes {
                builder = builder.attribute(*kind, value);
            }
            let bytes = if signed { builder.finish_signed("key") } else { builder.finish() };
            let message = Message::parse(&bytes).unwrap();
            prop_assert_eq!((message.kind, message.id), (Kind::Response, ID));
            prop_assert_eq!((message.is_signed(), message.is_signed_with("key")), (signed, signed));
            for (kind, _) in &attributes {
                let (_, value) = attributes.iter().find(|(first, _)| first == kind).unwrap();
                let found = message.attribute(*kind).unwrap();
                prop_assert!(found.starts_with(value) && found.len() == value.len().next_multiple_of(4));
            }
        }
    }
}
