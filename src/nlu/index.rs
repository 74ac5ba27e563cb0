//! From feature hashes to feature numbers.

/// Open addressing, at most half full: one or two cache lines a look-up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    slots: Vec<(u32, u32)>,
    mask: usize,
}

const EMPTY: u32 = u32::MAX;

impl Index {
    /// Numbers the hashes by their position.
    pub(crate) fn new(hashes: &[u32]) -> Self {
        let size = (hashes.len() * 2).next_power_of_two().max(2);
        let mut slots = vec![(0, EMPTY); size];
        for (number, hash) in (0_u32..).zip(hashes) {
            let mut at = *hash as usize & (size - 1);
            while let Some(slot) = slots.get_mut(at) {
                if slot.1 == EMPTY {
                    *slot = (*hash, number);
                    break;
                }
                at = (at + 1) & (size - 1);
            }
        }
        Self { slots, mask: size - 1 }
    }

    pub(crate) fn find(&self, hash: u32) -> Option<u32> {
        let mut at = hash as usize & self.mask;
        loop {
            let (known, number) = *self.slots.get(at)?;
            if number == EMPTY {
                return None;
            }
            if known == hash {
                return Some(number);
            }
            at = (at + 1) & self.mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_is_found_at_its_number_and_no_other_is() {
        let hashes: Vec<u32> = (0..1000).map(|number| number * 64).collect();
        let index = Index::new(&hashes);
        assert!((0_u32..).zip(&hashes).all(|(number, hash)| index.find(*hash) == Some(number)));
        assert_eq!(index.find(7), None);
        assert_eq!(Index::new(&[]).find(7), None);
        assert_eq!(Index::default().find(7), None);
    }
}
