//! Nonces of the digest challenge to those who send a connection request (RFC 7616 3.3, CONFORMANCE C-04, SECURITY S12).
//!
//! A nonce is the moment of its issue and a keyed hash of it, so that nothing has to be kept for a nonce that nobody uses: a flood of requests
//! cannot push the ACS's own nonce out of a table. Only those that a right response has used up are remembered, until they expire anyway.

use std::fmt::Write as _;
use std::time::Duration;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// How long a nonce can be used after its issue.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// How many used nonces are remembered; with more than this within [`LIFETIME`], all nonces as old as the forgotten ones become stale.
pub const REMEMBERED: usize = 16;

/// Bytes of the keyed hash in a nonce.
const HASH_LENGTH: usize = 16;

/// Issues nonces and knows them again. Each can be used once.
pub struct Nonces {
    key: [u8; 32],
    /// The stamp of the next nonce must be greater, so that no nonce is issued twice.
    last: u64,
    /// Stamps used up, the lowest first.
    used: Vec<u64>,
    /// Nonces up to this stamp are stale whether they were used or not.
    floor: u64,
}

/// What a nonce is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Issued here less than [`LIFETIME`] ago and not used yet. The stamp is for [`Nonces::use_up`].
    Fresh(Stamp),
    /// Issued here, but expired or used up: a right response earns `stale=true`.
    Stale,
    /// Not issued here, or before the last restart.
    Foreign,
}

/// Names a nonce that was issued here: the microsecond of its issue, made unique.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp(u64);

impl Nonces {
    /// A store whose nonces nobody without `key` can make; `key` must be random and of this process only.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, last: 0, used: Vec::with_capacity(REMEMBERED), floor: 0 }
    }

    /// A nonce that was never issued before: 48 hexadecimal digits. `now` is monotonic time.
    pub fn issue(&mut self, now: Duration) -> String {
        self.last = micros(now).max(self.last.saturating_add(1));
        self.text(self.last)
    }

    /// Whether `nonce` can be used at `now`. This alone does not use it up: only a right response does.
    #[must_use]
    pub fn standing(&self, nonce: &str, now: Duration) -> Standing {
        let digits = nonce.get(..16).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(stamp) = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()) else {
            return Standing::Foreign;
        };
        if !bool::from(subtle::ConstantTimeEq::ct_eq(self.text(stamp).as_bytes(), nonce.as_bytes())) {
            return Standing::Foreign;
        }
        let age = micros(now).saturating_sub(stamp);
        if stamp <= self.floor || u128::from(age) >= LIFETIME.as_micros() || self.used.binary_search(&stamp).is_ok() {
            return Standing::Stale;
        }
        Standing::Fresh(Stamp(stamp))
    }

    /// Makes the nonce stale from now on.
    pub fn use_up(&mut self, Stamp(stamp): Stamp) {
        let Err(place) = self.used.binary_search(&stamp) else { return };
        self.used.insert(place, stamp);
        if self.used.len() > REMEMBERED {
            self.floor = self.floor.max(self.used.remove(0));
        }
    }

    fn text(&self, stamp: u64) -> String {
        let mut text = format!("{stamp:016x}");
        // HMAC takes a key of any length; without one there would be no nonce to guess right.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) {
            mac.update(&stamp.to_be_bytes());
            for byte in mac.finalize().into_bytes().iter().take(HASH_LENGTH) {
                let _ = write!(text, "{byte:02x}");
            }
        }
        text
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    fn nonces() -> Nonces {
        Nonces::new([7; 32])
    }

    fn fresh(nonces: &Nonces, nonce: &str, now: Duration) -> Option<Stamp> {
        match nonces.standing(nonce, now) {
            Standing::Fresh(stamp) => Some(stamp),
            _ => None,
        }
    }

    #[test]
    fn c04_a_nonce_can_be_used_once() {
        let mut nonces = nonces();
        let nonce = nonces.issue(NOW);
        let stamp = fresh(&nonces, &nonce, NOW).unwrap();
        nonces.use_up(stamp);
        assert_eq!(nonces.standing(&nonce, NOW), Standing::Stale);
        nonces.use_up(stamp);
        assert_eq!(nonces.used.len(), 1);
    }

    #[test]
    fn c04_a_nonce_expires_after_a_minute() {
        let mut nonces = nonces();
        let nonce = nonces.issue(NOW);
        assert!(fresh(&nonces, &nonce, NOW + LIFETIME - Duration::from_micros(1)).is_some());
        assert_eq!(nonces.standing(&nonce, NOW + LIFETIME), Standing::Stale);
    }

    #[test]
    fn s12_no_two_nonces_are_alike_even_within_one_tick() {
        let mut nonces = nonces();
        let issued: std::collections::BTreeSet<_> = (0..1000).map(|_| nonces.issue(NOW)).collect();
        assert_eq!(issued.len(), 1000);
    }

    #[test]
    fn s12_a_nonce_of_another_key_or_with_a_changed_byte_is_foreign() {
        let mut nonces = nonces();
        let nonce = nonces.issue(NOW);
        assert_eq!(Nonces::new([8; 32]).standing(&nonce, NOW), Standing::Foreign);
        for place in 0..nonce.len() {
            let mut forged = nonce.clone().into_bytes();
            forged[place] = if forged[place] == b'0' { b'1' } else { b'0' };
            assert_eq!(nonces.standing(&String::from_utf8(forged).unwrap(), NOW), Standing::Foreign);
        }
        for other in
            ["", "0", "+00000000000000f", nonce.get(1..).unwrap(), &nonce.to_uppercase(), &format!("{nonce}0"), "ä"]
        {
            assert_eq!(nonces.standing(other, NOW), Standing::Foreign, "{other}");
        }
    }

    #[test]
    fn s12_a_flood_of_challenges_does_not_spoil_a_nonce() {
        let mut nonces = nonces();
        let nonce = nonces.issue(NOW);
        for _ in 0..100_000 {
            nonces.issue(NOW);
        }
        assert!(fresh(&nonces, &nonce, NOW).is_some());
    }

    #[test]
    fn s12_the_table_is_bounded_and_what_falls_out_stays_used() {
        let mut nonces = nonces();
        let issued: Vec<_> = (0..REMEMBERED * 3).map(|_| nonces.issue(NOW)).collect();
        for nonce in &issued {
            let stamp = fresh(&nonces, nonce, NOW).unwrap();
            nonces.use_up(stamp);
            assert!(nonces.used.len() <= REMEMBERED);
        }
        for nonce in &issued {
            assert_eq!(nonces.standing(nonce, NOW), Standing::Stale);
        }
    }
}
