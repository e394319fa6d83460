//! Questions to a name server and its answers (RFC 1035 4), as far as addresses, names of addresses and servers of a service
//! (RFC 2782) go; free of IO.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The type of a record: an address of IPv4 (RFC 1035 3.2.2).
pub const A: u16 = 1;
/// The type of a record: a name (RFC 1035 3.2.2).
pub const PTR: u16 = 12;
/// The type of a record: an address of IPv6 (RFC 3596 2.1).
pub const AAAA: u16 = 28;
/// The type of a record: a server of a service (RFC 2782).
pub const SRV: u16 = 33;

/// The class of the internet.
const IN: u16 = 1;

/// The longest name, as it goes over the wire.
const LONGEST_NAME: usize = 255;

/// The longest answer over UDP that has to be expected (RFC 1035 4.2.1); servers send longer ones only to those who ask for it.
pub const LONGEST: usize = 4096;

/// More records than this are not looked at.
const MOST_RECORDS: u16 = 128;

/// There is no such name.
pub const NO_SUCH_NAME: u8 = 3;

/// A server of a service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// The least goes first.
    pub priority: u16,
    /// How often it is the first among those of its priority.
    pub weight: u16,
    /// A name or an address; empty where the service is not there.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// What a name server has said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// That of the question.
    pub id: u16,
    /// Whether the server is responsible for the name.
    pub authoritative: bool,
    /// Whether there is more than a datagram has room for.
    pub cut_off: bool,
    /// 0 when all is well.
    pub code: u8,
    /// The name that was asked for.
    pub name: String,
    /// The type that was asked for.
    pub kind: u16,
    /// The addresses, and the name that has them, which is another one than was asked for behind an alias.
    pub addresses: Vec<IpAddr>,
    /// The name that has the addresses, or that an address has; empty for none.
    pub found: String,
    /// The servers of the service.
    pub servers: Vec<Server>,
}

/// The name servers that a `resolv.conf` names.
#[must_use]
pub fn name_servers(resolv_conf: &str) -> Vec<IpAddr> {
    let address = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let server = words.next() == Some("nameserver");
        words.next().filter(|_| server)?.split('%').next()?.parse().ok()
    };
    resolv_conf.lines().filter_map(address).collect()
}

/// A question; `None` for what cannot be a name (RFC 1035 2.3.4).
#[must_use]
pub fn question(id: u16, name: &str, kind: u16) -> Option<Vec<u8>> {
    // Recursion is desired; there is one question.
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let start = message.len();
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
        if !label.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        message.push(length);
        message.extend(label.bytes());
    }
    message.push(0);
    if message.len().saturating_sub(start) > LONGEST_NAME {
        return None;
    }
    message.extend(kind.to_be_bytes());
    message.extend(IN.to_be_bytes());
    Some(message)
}

/// The name under which the name of an address is found (RFC 1035 3.5, RFC 3596 2.5).
#[must_use]
pub fn reverse_name(address: IpAddr) -> String {
    let mut name = String::new();
    match address {
        IpAddr::V4(address) => {
            for octet in address.octets().iter().rev() {
                // Writing into a String cannot fail.
                let _ = write!(name, "{octet}.");
            }
            name.push_str("in-addr.arpa");
        }
        IpAddr::V6(address) => {
            for octet in address.octets().iter().rev() {
                let _ = write!(name, "{:x}.{:x}.", octet & 15, octet >> 4);
            }
            name.push_str("ip6.arpa");
        }
    }
    name
}

/// Reads an answer; `None` for what is none, or is broken. What is cut off at its end (by the server, who says so) is left out.
#[must_use]
pub fn answer(message: &[u8]) -> Option<Answer> {
    let mut reader = Reader { message, at: 0 };
    let id = reader.number()?;
    let flags = reader.number()?;
    let (questions, answers) = (reader.number()?, reader.number()?);
    reader.skip(4)?;
    // A response to a standard query, with the one question.
    if flags & 0xf800 != 0x8000 || questions != 1 {
        return None;
    }
    let cut_off = flags & 0x0200 != 0;
    let mut found = Answer {
        id,
        authoritative: flags & 0x0400 != 0,
        cut_off,
        code: u8::try_from(flags & 15).ok()?,
        name: reader.name()?,
        kind: reader.number()?,
        ..Answer::default()
    };
    reader.number()?;
    for _ in 0..answers.min(MOST_RECORDS) {
        match reader.record(&mut found) {
            Some(()) => {}
            None if cut_off => break,
            None => return None,
        }
    }
    Some(found)
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.message.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(drop)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    /// A name, whose end may lie before it in the message (RFC 1035 4.1.4). What is not printable, and a dot inside a
    /// label, becomes `?`.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let (mut at, mut before, mut jumped) = (self.at, self.at, false);
        loop {
            let length = usize::from(*self.message.get(at)?);
            if length & 0xc0 == 0xc0 {
                let low = usize::from(*self.message.get(at.checked_add(1)?)?);
                if !jumped {
                    self.at = at.checked_add(2)?;
                    jumped = true;
                }
                at = (length & 0x3f) << 8 | low;
                // Always back, so that it comes to an end.
                if at >= before {
                    return None;
                }
                before = at;
                continue;
            }
            if length & 0xc0 != 0 {
                return None;
            }
            at = at.checked_add(1)?;
            if length == 0 {
                if !jumped {
                    self.at = at;
                }
                return Some(name);
            }
            let end = at.checked_add(length)?;
            if !name.is_empty() {
                name.push('.');
            }
            let printable = |byte: &u8| if byte.is_ascii_graphic() && *byte != b'.' { char::from(*byte) } else { '?' };
            name.extend(self.message.get(at..end)?.iter().map(printable));
            if name.len() > LONGEST_NAME {
                return None;
            }
            at = end;
        }
    }

    fn record(&mut self, found: &mut Answer) -> Option<()> {
        let owner = self.name()?;
        let (kind, class) = (self.number()?, self.number()?);
        self.skip(4)?;
        let length = usize::from(self.number()?);
        let start = self.at;
        let data = self.take(length)?;
        if class != IN {
            return Some(());
        }
        let address = match kind {
            A => Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?))),
            AAAA => Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?))),
            PTR => {
                let mut reader = Reader { message: self.message, at: start };
                found.found = reader.name()?;
                None
            }
            SRV => {
                let mut reader = Reader { message: self.message, at: start };
                let (priority, weight, port) = (reader.number()?, reader.number()?, reader.number()?);
                found.servers.push(Server { priority, weight, host: reader.name()?, port });
                None
            }
            _ => None,
        };
        if let Some(address) = address {
            found.addresses.push(address);
            found.found = owner;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `www.example` is an alias of `host.example`, which has an address of each kind.
    const MESSAGE: &[u8] = b"\x12\x34\x85\x80\x00\x01\x00\x03\x00\x00\x00\x00\
        \x03www\x07example\x00\x00\x01\x00\x01\
        \xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x07\x04host\xc0\x10\
        \xc0\x29\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01\
        \xc0\x29\x00\x1c\x00\x01\x00\x00\x00\x3c\x00\x10\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01";

    #[test]
    fn a_question_as_it_goes_over_the_wire() {
        let expected = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x00\x00\x1c\x00\x01";
        assert_eq!(question(0x1234, "www.example", AAAA).unwrap(), expected);
        assert_eq!(question(0x1234, "www.example.", AAAA).unwrap(), expected);
        let long = vec!["a".repeat(63); 4].join(".");
        for name in ["", ".", "a..b", ".a", &"a".repeat(64), &long, "a b", "m\u{fc}ller.example"] {
            assert_eq!(question(1, name, A), None, "{name}");
        }
        assert!(question(1, long.get(..250).unwrap(), A).is_some());
    }

    #[test]
    fn addresses_behind_an_alias() {
        let answer = answer(MESSAGE).unwrap();
        assert_eq!((answer.id, answer.authoritative, answer.code, answer.kind), (0x1234, true, 0, A));
        assert_eq!((answer.name.as_str(), answer.found.as_str()), ("www.example", "host.example"));
        assert_eq!(answer.addresses, ["192.0.2.1".parse::<IpAddr>().unwrap(), "2001:db8::1".parse().unwrap()]);
    }

    #[test]
    fn the_name_of_an_address() {
        assert_eq!(reverse_name("192.0.2.1".parse().unwrap()), "1.2.0.192.in-addr.arpa");
        assert!(reverse_name("2001:db8::f1".parse().unwrap()).starts_with("1.f.0.0."));
        let mut message = question(7, "1.2.0.192.in-addr.arpa", PTR).unwrap();
        message[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1]);
        message.extend(b"\xc0\x0c\x00\x0c\x00\x01\x00\x00\x00\x00\x00\x08\x01r\x03net\x00\x00");
        // One byte more than the name has.
        let answer = answer(&message).unwrap();
        assert_eq!((answer.found.as_str(), answer.addresses.len()), ("r.net", 0));
    }

    #[test]
    fn broken_messages_are_none() {
        for end in 0..MESSAGE.len() {
            assert_eq!(answer(&MESSAGE[..end]), None, "{end}");
        }
        let with = |at: usize, byte: u8| {
            let mut message = MESSAGE.to_vec();
            message[at] = byte;
            answer(&message)
        };
        assert_eq!(with(2, 0x05), None, "a question");
        assert_eq!(with(5, 0), None, "no question");
        assert_eq!(with(30, 0x1d), None, "a name that is its own end");
        assert_eq!(with(12, 0x83), None, "a label of a kind that there is not");
        let cut: Vec<u8> = MESSAGE[..80].to_vec();
        let mut cut_off = cut.clone();
        cut_off[2] |= 2;
        assert_eq!(answer(&cut), None);
        let cut_off = answer(&cut_off).unwrap();
        assert_eq!((cut_off.addresses.len(), cut_off.cut_off), (1, true), "what fits");
    }

    proptest! {
        #[test]
        fn never_panics(message in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = answer(&message);
        }

        #[test]
        fn never_panics_on_what_is_nearly_right(at in 0..MESSAGE.len(), byte: u8) {
            let mut message = MESSAGE.to_vec();
            message[at] = byte;
            let _ = answer(&message);
        }

        #[test]
        fn a_name_comes_back(name in "[a-z0-9_-]{1,63}(\\.[a-z0-9-]{1,20}){0,5}", id: u16) {
            let mut message = question(id, &name, A).unwrap();
            message[2] = 0x80;
            let answer = answer(&message).unwrap();
            prop_assert_eq!((answer.id, answer.name), (id, name));
        }
    }
}
