//! CRC-32 as gzip has it (RFC 1952 8), with as much of the crate of this name as `flate2` uses.
//!
//! The tables of the real one are 16 KB that no packing makes smaller: a thirtieth of the whole agent in the flash of a router. It uses them
//! to check gigabytes a second; the agent packs envelopes and settings, for which one table of 1 KB is far faster than the packing itself.

/// What each byte makes of the lowest eight bits.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { rest >> 1 ^ 0xedb8_8320 } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
};

/// A checksum that is being made.
#[derive(Clone, Debug)]
pub struct Hasher(u32);

impl Hasher {
    /// The checksum of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(!0)
    }

    /// Takes up the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let [low, ..] = self.0.to_le_bytes();
            self.0 = TABLE[usize::from(low ^ byte)] ^ self.0 >> 8;
        }
    }

    /// The checksum of all bytes so far.
    #[must_use]
    pub fn finalize(self) -> u32 {
        !self.0
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// As if `other` had gone on where this one is.
    ///
    /// # Panics
    /// Always: nothing in the agent puts checksums together, and a wrong sum would be worse.
    pub fn combine(&mut self, _other: &Self) {
        unimplemented!("checksums are not put together here")
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Hasher;

    fn sum(bytes: &[u8]) -> u32 {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finalize()
    }

    #[test]
    fn the_check_value_of_the_standard() {
        assert_eq!(sum(b"123456789"), 0xcbf4_3926);
        assert_eq!(sum(b""), 0);
    }

    #[test]
    fn pieces_make_the_same_sum_as_the_whole() {
        let mut hasher = Hasher::new();
        hasher.update(b"spoilt");
        hasher.reset();
        hasher.update(b"1234");
        hasher.update(b"56789");
        assert_eq!(hasher.finalize(), sum(b"123456789"));
    }
}
