//! A small seeded generator, so that training needs no source of chance but its seed.

/// `SplitMix64` (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Fisher–Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let bound = last as u64 + 1;
            let pick = usize::try_from(self.next() % bound).unwrap_or(last);
            items.swap(last, pick);
        }
    }
}

/// A strong 64-bit mixer: every input bit reaches every output bit.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A stable 64-bit hash of a text: the same on every machine and in every release.
pub(crate) fn hash_text(text: &str) -> u64 {
    text.as_bytes().chunks(8).fold(mix(text.len() as u64), |hash, chunk| {
        let word = chunk.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
        mix(hash ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_the_order() {
        let shuffled = |seed| {
            let mut items: Vec<u32> = (0..50).collect();
            Rng::new(seed).shuffle(&mut items);
            items
        };
        assert_eq!(shuffled(7), shuffled(7));
        assert_ne!(shuffled(7), shuffled(8));
    }

    #[test]
    fn texts_that_differ_hash_apart() {
        assert_ne!(hash_text("ab"), hash_text("ba"));
        assert_ne!(hash_text(""), hash_text("\0"));
    }
}
