//! What all programs on one database have used of the limits that they share. Each counts by itself and
//! tells the others, several times a second; so together they stay near a limit, and no call waits for
//! another program. A message may be lost: then a limit is a little wider for a while.
//!
//! With a file of SQLite there is one program, which tells nobody.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// How many keys are kept that nobody has asked for; above it, all are forgotten.
const KEYS_MAX: usize = 65_536;
/// How many keys a word has at most: it has less than 8,000 bytes.
const KEYS_OF_A_WORD: usize = 150;
/// The beginning of a word.
const SPENT: &str = "spent";

/// A limit that programs on one database share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Attempts of an order that its pages start, by the order's id.
    Attempts,
    /// Calls to WeChat, by the merchant and the source of the calls.
    WechatCalls,
    /// Calls of pages, by a digest of the token.
    PageTokens,
    /// Calls of pages, by a digest of the address.
    PageAddresses,
}

impl Limit {
    const ALL: [Self; 4] = [
        Self::Attempts,
        Self::WechatCalls,
        Self::PageTokens,
        Self::PageAddresses,
    ];
}

/// What this program has used, for the others, and what they have used, for this one. Clones are the
/// same.
#[derive(Clone, Debug, Default)]
pub struct Spending(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    /// This program among the others.
    program: u64,
    told: Mutex<Counts>,
    heard: Mutex<Counts>,
    is_there_more: Notify,
}

type Counts = BTreeMap<(Limit, i64), u32>;

impl Spending {
    /// For a program among others.
    pub(crate) fn among_others() -> Self {
        Self(Some(Arc::new(Shared {
            // A random number: each of these states has random keys.
            program: RandomState::new().hash_one(SPENT),
            told: Mutex::default(),
            heard: Mutex::default(),
            is_there_more: Notify::new(),
        })))
    }

    /// This program has used so many of a limit's calls for a key.
    pub fn tell(&self, limit: Limit, key: i64, count: u32) {
        if let Some(shared) = &self.0 {
            add(&shared.told, (limit, key), count);
            shared.is_there_more.notify_one();
        }
    }

    /// Takes what other programs have used of a limit since the last call, for these keys.
    pub fn take_heard(&self, limit: Limit, is_wanted: impl Fn(i64) -> bool) -> Vec<(i64, u32)> {
        let Some(shared) = &self.0 else {
            return Vec::new();
        };
        let mut heard = shared.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<_> = { heard.range((limit, i64::MIN)..=(limit, i64::MAX)) }
            .filter(|((_, key), _)| is_wanted(*key))
            .map(|(key, _)| *key)
            .collect();
        let taken = keys.into_iter().filter_map(|key| heard.remove_entry(&key));
        taken.map(|((_, key), count)| (key, count)).collect()
    }

    /// Waits for something to tell, and takes it, in words.
    pub(super) async fn next_words(&self) -> Vec<String> {
        let Some(shared) = &self.0 else {
            return std::future::pending().await;
        };
        loop {
            let words = self.words();
            if !words.is_empty() {
                return words;
            }
            shared.is_there_more.notified().await;
        }
    }

    /// Takes what there is to tell, in words.
    pub(crate) fn words(&self) -> Vec<String> {
        let Some(shared) = &self.0 else {
            return Vec::new();
        };
        let mut told = shared.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told: Vec<_> = std::mem::take(&mut *told).into_iter().collect();
        let words = told.chunks(KEYS_OF_A_WORD);
        words.map(|told| word(shared.program, told)).collect()
    }

    /// Notes what a word says. Returns whether it is a word about limits. What cannot be read, such as
    /// the word of another version, is passed over.
    pub(crate) fn hear(&self, word: &str) -> bool {
        let mut parts = word.split(' ');
        if parts.next() != Some(SPENT) {
            return false;
        }
        let program = parts.next().and_then(|text| text.parse().ok());
        if let Some(shared) = &self.0
            && program != Some(shared.program)
        {
            for (limit, key, count) in parts.filter_map(read) {
                add(&shared.heard, (limit, key), count);
            }
        }
        true
    }
}

fn add(counts: &Mutex<Counts>, key: (Limit, i64), count: u32) {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    if counts.len() >= KEYS_MAX && !counts.contains_key(&key) {
        counts.clear();
    }
    let sum = counts.entry(key).or_default();
    *sum = sum.saturating_add(count);
}

fn word(program: u64, told: &[((Limit, i64), u32)]) -> String {
    let mut word = format!("{SPENT} {program}");
    for ((limit, key), count) in told {
        let place = Limit::ALL.iter().position(|known| known == limit);
        let _ = write!(word, " {}:{key}:{count}", place.unwrap_or_default());
    }
    word
}

fn read(part: &str) -> Option<(Limit, i64, u32)> {
    let mut numbers = part.split(':');
    let place: usize = numbers.next()?.parse().ok()?;
    let limit = Limit::ALL.get(place)?;
    let key = numbers.next()?.parse().ok()?;
    Some((*limit, key, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_hears_what_the_others_used_and_not_what_it_used_itself() {
        let (one, other) = (Spending::among_others(), Spending::among_others());
        for key in 0..400 {
            one.tell(Limit::PageTokens, key - 200, 1);
        }
        one.tell(Limit::Attempts, 7, 1);
        one.tell(Limit::Attempts, 7, 2);
        let words = one.next_words().await;
        assert_eq!(words.len(), 3);
        for word in words {
            assert!(word.len() < 8_000, "{}", word.len());
            assert!(one.hear(&word));
            assert!(other.hear(&word));
        }
        assert_eq!(other.take_heard(Limit::Attempts, |_| true), [(7, 3)]);
        assert_eq!(other.take_heard(Limit::Attempts, |_| true), []);
        assert_eq!(other.take_heard(Limit::PageTokens, |_| true).len(), 400);
        assert_eq!(one.take_heard(Limit::Attempts, |_| true), []);
    }

    #[test]
    fn other_words_are_not_about_limits_and_unreadable_parts_are_passed_over() {
        let spending = Spending::among_others();
        for word in ["1,2,3", "", "spend 1 0:1:1"] {
            assert!(!spending.hear(word), "{word}");
        }
        assert!(spending.hear("spent 1 0:1:2 9:1:1 0:x:1 0:1 0:2:-1 0"));
        assert_eq!(spending.take_heard(Limit::Attempts, |_| true), [(1, 2)]);
    }

    #[test]
    fn what_nobody_asks_for_needs_a_bounded_memory() {
        let spending = Spending::among_others();
        for key in 0..200_000 {
            spending.hear(&format!("spent 1 2:{key}:1"));
        }
        assert!(spending.take_heard(Limit::PageTokens, |_| true).len() <= KEYS_MAX);
    }
}
