//! A set of places in the ledger: a bit for each, in blocks. A day's places are close together, so
//! a million of them need some 125 KB.

use std::collections::BTreeMap;

/// The places of a block: a bit each.
const BLOCK: usize = 64;

/// Places of entries in the ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    blocks: BTreeMap<i64, [u64; BLOCK]>,
}

impl Places {
    /// Adds a place; `false` if the set has it already.
    pub(super) fn insert(&mut self, place: i64) -> bool {
        let (block, word, bit) = address(place);
        let words = self.blocks.entry(block).or_insert([0; BLOCK]);
        let was_there = words[word] & bit != 0;
        words[word] |= bit;
        !was_there
    }

    /// Whether the set has a place.
    pub(super) fn contains(&self, place: i64) -> bool {
        let (block, word, bit) = address(place);
        let words = self.blocks.get(&block);
        words.is_some_and(|words| words[word] & bit != 0)
    }
}

/// The block, the word in it, and the bit in that.
fn address(place: i64) -> (i64, usize, u64) {
    let in_block = place.rem_euclid(64 * 64);
    let (word, bit) = (in_block / 64, in_block % 64);
    let word = usize::try_from(word).unwrap_or_default();
    (place.div_euclid(64 * 64), word, 1 << bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_in_the_set_from_its_first_insertion_on() {
        let mut places = Places::default();
        let some = [i64::MIN, -1, 0, 1, 63, 64, 4_095, 4_096, 4_097, i64::MAX];
        for (count, place) in some.into_iter().enumerate() {
            assert!(!places.contains(place), "{place}");
            assert!(places.insert(place), "{place}");
            assert!(!places.insert(place), "{place}");
            let held = some.iter().filter(|place| places.contains(**place));
            assert_eq!(held.count(), count + 1);
        }
    }

    #[test]
    fn a_million_places_in_a_row_need_245_blocks() {
        let mut places = Places::default();
        assert!((1..=1_000_000).all(|place| places.insert(place)));
        assert_eq!(places.blocks.len(), 245);
    }
}
