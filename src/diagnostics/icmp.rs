//! Echo requests and replies of ICMP (RFC 792) and ICMPv6 (RFC 4443 4.1, 4.2); free of IO.

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// ICMP over IPv4.
    V4,
    /// ICMPv6.
    V6,
}

/// The length of the header of an echo message.
const HEADER: usize = 8;

impl Family {
    fn request(self) -> u8 {
        match self {
            Self::V4 => 8,
            Self::V6 => 128,
        }
    }

    fn reply(self) -> u8 {
        match self {
            Self::V4 => 0,
            Self::V6 => 129,
        }
    }
}

/// What tells one echo message from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Echo {
    /// The sender's own number.
    pub identifier: u16,
    /// Counted by the sender.
    pub sequence: u16,
}

/// An echo request with a data block of `size` bytes. The kernel fills in the checksum of ICMPv6, which covers addresses as well.
#[must_use]
pub fn request(family: Family, echo: Echo, size: usize) -> Vec<u8> {
    let mut message = vec![family.request(), 0, 0, 0];
    message.extend(echo.identifier.to_be_bytes());
    message.extend(echo.sequence.to_be_bytes());
    message.extend((0..=u8::MAX).cycle().take(size));
    if family == Family::V4 {
        let sum = checksum(&message).to_be_bytes();
        if let Some(place) = message.get_mut(2..4) {
            place.copy_from_slice(&sum);
        }
    }
    message
}

/// Reads an echo reply; `None` for anything else. A raw socket of IPv4 gives the IP header too (`with_header`).
#[must_use]
pub fn reply(family: Family, with_header: bool, packet: &[u8]) -> Option<Echo> {
    let message = if with_header { after_header(packet)? } else { packet };
    let head: &[u8; HEADER] = message.first_chunk()?;
    let [kind, code, _, _, i0, i1, s0, s1] = *head;
    if kind != family.reply() || code != 0 {
        return None;
    }
    Some(Echo { identifier: u16::from_be_bytes([i0, i1]), sequence: u16::from_be_bytes([s0, s1]) })
}

fn after_header(packet: &[u8]) -> Option<&[u8]> {
    let first = packet.first()?;
    let length = usize::from(first & 0x0f).checked_mul(4)?;
    (first >> 4 == 4 && length >= 20).then(|| packet.get(length..))?
}

/// The checksum of the internet (RFC 1071).
fn checksum(message: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in message.chunks(2) {
        let high = pair.first().copied().unwrap_or(0);
        let low = pair.get(1).copied().unwrap_or(0);
        sum = sum.wrapping_add(u32::from(u16::from_be_bytes([high, low])));
        sum = (sum & 0xffff).wrapping_add(sum >> 16);
    }
    let folded = (sum & 0xffff).wrapping_add(sum >> 16);
    !u16::try_from(folded & 0xffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ECHO: Echo = Echo { identifier: 0x1234, sequence: 7 };

    #[test]
    fn a_request_as_it_goes_over_the_wire() {
        assert_eq!(request(Family::V4, ECHO, 3), [8, 0, 0xe3, 0xc3, 0x12, 0x34, 0, 7, 0, 1, 2]);
        assert_eq!(request(Family::V6, ECHO, 0), [128, 0, 0, 0, 0x12, 0x34, 0, 7]);
        // A message with its checksum sums up to nothing.
        assert_eq!(checksum(&request(Family::V4, ECHO, 1000)), 0);
    }

    #[test]
    fn a_reply_is_told_from_all_else() {
        let bytes = [0, 0, 0, 0, 0x12, 0x34, 0, 7, 9];
        assert_eq!(reply(Family::V4, false, &bytes), Some(ECHO));
        assert_eq!(reply(Family::V6, false, &bytes), None);
        let mut packet = vec![0x45; 1];
        packet.resize(20, 0);
        packet.extend(bytes);
        assert_eq!(reply(Family::V4, true, &packet), Some(ECHO));
        assert_eq!(reply(Family::V4, true, &packet[..27]), None);
        packet[0] = 0x44;
        assert_eq!(reply(Family::V4, true, &packet), None, "a header that is too short");
        packet[0] = 0x4f;
        assert_eq!(reply(Family::V4, true, &packet), None, "a header that is longer than the packet");
        assert_eq!(reply(Family::V6, false, &[129, 0, 0, 0, 0x12, 0x34, 0, 7]), Some(ECHO));
        assert_eq!(reply(Family::V4, false, &[8, 0, 0, 0, 0x12, 0x34, 0, 7]), None, "our own request");
    }

    proptest! {
        #[test]
        fn never_panics(packet in proptest::collection::vec(any::<u8>(), 0..100), header: bool) {
            let _ = reply(Family::V4, header, &packet);
            let _ = reply(Family::V6, header, &packet);
            let _ = checksum(&packet);
        }
    }
}
