//! What a server says a file adds up to: `Repr-Digest` (RFC 9530), and its forerunners `Digest` and `Content-MD5`.

use super::talk::texts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use ureq::http::HeaderMap;

/// A checksum of a whole file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checksum(Kind);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    Sha256([u8; 32]),
    Md5([u8; 16]),
}

impl Checksum {
    /// The best one in a head; `None` also for one that cannot be read. With a part of the file not all of them speak of the whole.
    pub(super) fn of(head: &HeaderMap, is_part: bool) -> Option<Self> {
        let whole: &[&'static str] =
            if is_part { &["repr-digest", "digest"] } else { &["repr-digest", "digest", "content-digest"] };
        let items = || whole.iter().flat_map(|name| texts(head, name)).flat_map(|text| text.split(','));
        let named = |wanted: &str| {
            let mut items = items().filter_map(|item| item.trim().split_once('='));
            items.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
        };
        let sha256 = named("sha-256").and_then(decode).map(Kind::Sha256);
        let plain = texts(head, "content-md5").next().filter(|_| !is_part);
        sha256.or_else(|| named("md5").or(plain).and_then(decode).map(Kind::Md5)).map(Self)
    }

    /// Whether this is the file; reads it to its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn fits(&self, file: &mut dyn Read) -> io::Result<bool> {
        match &self.0 {
            Kind::Sha256(wanted) => Ok(hash::<Sha256>(file)?.as_slice() == wanted),
            Kind::Md5(wanted) => Ok(hash::<Md5>(file)?.as_slice() == wanted),
        }
    }
}

/// In colons, as RFC 9530 has it, or without.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text.trim().trim_matches(':')).ok()?.try_into().ok()
}

fn hash<H: Digest>(file: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut hash = H::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().to_vec()),
            amount => hash.update(buffer.get(..amount).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    const MD5: &str = "kAFQmDzST7DWlj99KOF/cg==";

    fn found(headers: &[(&'static str, String)], is_part: bool) -> Option<Checksum> {
        let mut head = HeaderMap::new();
        for (name, value) in headers {
            head.insert(*name, value.parse().unwrap());
        }
        Checksum::of(&head, is_part)
    }

    #[test]
    fn f14_a_checksum_comes_in_several_headers() {
        for (name, value) in [
            ("repr-digest", format!("sha-512=:AA==:, sha-256=:{SHA}:")),
            ("digest", format!("md5={MD5}, SHA-256={SHA}")),
            ("digest", format!("MD5={MD5}")),
            ("content-digest", format!("sha-256=:{SHA}:")),
            ("content-md5", MD5.to_owned()),
        ] {
            let whole = found(&[(name, value.clone())], false).unwrap_or_else(|| panic!("{value}"));
            assert!(whole.fits(&mut &b"abc"[..]).unwrap(), "{name}: {value}");
            assert!(!whole.fits(&mut &b"abd"[..]).unwrap());
            let of_whole = matches!(name, "repr-digest" | "digest");
            assert_eq!(found(&[(name, value)], true).is_some(), of_whole, "{name}");
        }
        for bad in ["", "sha-256", "sha-256=", "sha-256=:AAAA:", "md5=%%", "crc32c=AAAA"] {
            assert_eq!(found(&[("repr-digest", bad.to_owned())], false), None, "{bad}");
        }
    }
}
