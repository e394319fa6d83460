//! HMAC-SHA1 (RFC 2104), by which connection requests over UDP, STUN and lightweight notifications are signed.

use hmac::{Hmac, Mac};
use sha1::Sha1;

/// The code of the parts, one after the other, under this key.
///
/// `None` never comes in practice: a key may have any length.
#[must_use]
pub fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 20]> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second test case of RFC 2202.
    #[test]
    fn the_code_is_that_of_rfc_2202_however_the_text_is_split() {
        let expected = *b"\xef\xfc\xdf\x6a\xe5\xeb\x2f\xa2\xd2\x74\x16\xd5\xf1\x84\xdf\x9c\x25\x9a\x7c\x79";
        assert_eq!(hmac_sha1(b"Jefe", &[b"what do ya want for nothing?"]), Some(expected));
        assert_eq!(hmac_sha1(b"Jefe", &[b"what do ya ", b"", b"want for nothing?"]), Some(expected));
    }
}
