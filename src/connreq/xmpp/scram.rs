//! Proves a password without telling it, and that the server knows it too: SCRAM (RFC 5802, RFC 7677), the side of the client without channel
//! binding. Free of IO.
//!
//! Names and passwords are taken as they are (RFC 7613 leaves ASCII alone).

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Fewer rounds make passwords easy to guess for who listens (RFC 7677 4); more would keep a small router busy for seconds.
const ROUNDS: std::ops::RangeInclusive<u32> = 4096..=200_000;

/// The header of GS2: no channel binding, no other identity.
const GS2: &str = "n,,";

/// The hash function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
    /// SCRAM-SHA-1
    Sha1,
    /// SCRAM-SHA-256
    Sha256,
}

impl Hash {
    fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha1 => mac(<Hmac<Sha1> as Mac>::new_from_slice(key).ok(), parts),
            Self::Sha256 => mac(<Hmac<Sha256> as Mac>::new_from_slice(key).ok(), parts),
        }
    }

    fn hash(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    /// `Hi` of RFC 5802 2.2, which is PBKDF2 with one block.
    fn salted(self, password: &str, salt: &[u8], rounds: u32) -> Vec<u8> {
        match self {
            Self::Sha1 => hi(<Hmac<Sha1> as Mac>::new_from_slice(password.as_bytes()).ok(), salt, rounds),
            Self::Sha256 => hi(<Hmac<Sha256> as Mac>::new_from_slice(password.as_bytes()).ok(), salt, rounds),
        }
    }
}

/// A key of any length is good for HMAC, so that there always is one.
fn mac<M: Mac>(keyed: Option<M>, parts: &[&[u8]]) -> Vec<u8> {
    let Some(mut keyed) = keyed else { return Vec::new() };
    for part in parts {
        keyed.update(part);
    }
    keyed.finalize().into_bytes().to_vec()
}

fn hi<M: Mac + Clone>(keyed: Option<M>, salt: &[u8], rounds: u32) -> Vec<u8> {
    let mut last = mac(keyed.clone(), &[salt, &[0, 0, 0, 1]]);
    let mut sum = last.clone();
    for _ in 1..rounds {
        last = mac(keyed.clone(), &[&last]);
        xor(&mut sum, &last);
    }
    sum
}

fn xor(sum: &mut [u8], other: &[u8]) {
    for (byte, other) in sum.iter_mut().zip(other) {
        *byte ^= other;
    }
}

/// One exchange.
pub struct Scram {
    hash: Hash,
    first: String,
    nonce: String,
    /// What the server has to show in the end.
    signature: Option<Vec<u8>>,
}

impl Scram {
    /// An exchange for a user, with a random text of printable characters without commas.
    #[must_use]
    pub fn new(hash: Hash, username: &str, nonce: &str) -> Self {
        let username = username.replace('=', "=3D").replace(',', "=2C");
        Self { hash, first: format!("n={username},r={nonce}"), nonce: nonce.into(), signature: None }
    }

    /// The first message of the client.
    #[must_use]
    pub fn first(&self) -> String {
        format!("{GS2}{}", self.first)
    }

    /// The answer to the first message of the server.
    ///
    /// # Errors
    /// The message is not what it has to be.
    pub fn answer(&mut self, challenge: &str, password: &str) -> Result<String, &'static str> {
        let mut parts = challenge.split(',');
        let mut next = |name: &str| parts.next().and_then(|part| part.strip_prefix(name));
        // A mandatory extension (`m=`) would come first, and none is known.
        let (Some(nonce), Some(salt), Some(rounds)) = (next("r="), next("s="), next("i=")) else {
            return Err("its challenge is not one of SCRAM");
        };
        if nonce.len() <= self.nonce.len() || !nonce.starts_with(&self.nonce) {
            return Err("its nonce is not made from ours");
        }
        let salt = STANDARD.decode(salt).map_err(|_| "its salt is not Base64")?;
        let rounds = rounds.parse().ok().filter(|rounds| ROUNDS.contains(rounds));
        let rounds = rounds.ok_or("its number of rounds is too small or too large")?;
        let salted = self.hash.salted(password, &salt, rounds);
        let client = self.hash.hmac(&salted, &[b"Client Key"]);
        let mut last = format!("c={},r={nonce}", STANDARD.encode(GS2));
        let said = format!("{},{challenge},{last}", self.first);
        let mut proof = self.hash.hmac(&self.hash.hash(&client), &[said.as_bytes()]);
        xor(&mut proof, &client);
        self.signature = Some(self.hash.hmac(&self.hash.hmac(&salted, &[b"Server Key"]), &[said.as_bytes()]));
        // Writing to a text does not fail.
        let _ = write!(last, ",p={}", STANDARD.encode(proof));
        Ok(last)
    }

    /// Whether the last message of the server shows that it knows the password.
    #[must_use]
    pub fn proves(&self, last: &str) -> bool {
        let shown = last.split(',').next().and_then(|part| part.strip_prefix("v="));
        let shown = shown.and_then(|shown| STANDARD.decode(shown).ok());
        match (shown, &self.signature) {
            (Some(shown), Some(signature)) => shown.ct_eq(signature).into(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";
    const CHALLENGE: &str = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";

    fn answered() -> Scram {
        let mut scram = Scram::new(Hash::Sha1, "user", NONCE);
        scram.answer(CHALLENGE, "pencil").unwrap();
        scram
    }

    #[test]
    fn k05_the_example_of_rfc_5802() {
        let mut scram = Scram::new(Hash::Sha1, "user", NONCE);
        assert_eq!(scram.first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        assert_eq!(
            scram.answer(CHALLENGE, "pencil").unwrap(),
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
        );
        assert!(scram.proves("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
    }

    #[test]
    fn k05_the_example_of_rfc_7677() {
        let mut scram = Scram::new(Hash::Sha256, "user", "rOprNGfwEbeRWgbNEkqO");
        let challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(
            scram.answer(challenge, "pencil").unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(scram.proves("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    #[test]
    fn k05_a_server_that_does_not_know_the_password_is_found_out() {
        let scram = answered();
        for last in ["", "v=", "v=rmF9pqV8S7suAoZWja4dJRkFsKR=", "e=other-error", "x=1,v=rmF9pqV8S7suAoZWja4dJRkFsKQ="]
        {
            assert!(!scram.proves(last), "{last}");
        }
        assert!(!Scram::new(Hash::Sha1, "user", NONCE).proves("v="), "before there was a challenge");
    }

    #[test]
    fn k05_bad_challenges_are_refused() {
        for challenge in [
            "",
            "r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096",
            "r=other,s=QSXCR+Q6sek8bf92,i=4096",
            "m=1,r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4096",
            "r=fyko+d2lbbFgONRv9qkxdawLx,s=?,i=4096",
            "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=1",
            "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4294967295",
            "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92",
        ] {
            assert!(Scram::new(Hash::Sha1, "user", NONCE).answer(challenge, "pencil").is_err(), "{challenge}");
        }
    }

    #[test]
    fn k05_a_name_is_escaped() {
        assert_eq!(Scram::new(Hash::Sha1, "a=b,c", "x").first(), "n,,n=a=3Db=2Cc,r=x");
    }

    proptest! {
        #[test]
        fn any_challenge_is_taken_without_harm(challenge in ".{0,60}", last in ".{0,40}") {
            let signature = Some(vec![1; 20]);
            let mut scram = Scram { signature, ..Scram::new(Hash::Sha1, "user", NONCE) };
            prop_assert!(scram.answer(&challenge, "pencil").is_err());
            prop_assert!(!scram.proves(&last));
        }
    }
}
