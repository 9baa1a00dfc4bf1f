//! Marks in the tab's storage: that the buyer left for WeChat (without this mark, a return by the
//! back button would look like a first visit), that the page was reloaded, which helps only once,
//! and what was reported to the page. The storage never holds a token. Storage may be missing or
//! forbidden; then a mark lasts as long as the page.

use merchant_api::decimal;
use wasm_bindgen::prelude::*;

/// A mark of one order.
pub(crate) struct Mark {
    key: String,
}

impl Mark {
    /// The buyer left for WeChat.
    pub(crate) const AWAY: &str = "away:";
    /// The page was reloaded because WeChat would not let it pay.
    pub(crate) const RELOADED: &str = "reloaded:";

    /// `paid` was reported to the page.
    pub(crate) const PAID: &str = "paid:";
    /// `closed` was reported to the page.
    pub(crate) const CLOSED: &str = "closed:";

    /// The mark of the order with this token. The key contains a digest of the token. A part of the
    /// token would not do, because all tokens of a backend may begin alike.
    pub(crate) fn of(what: &str, token: &str) -> Self {
        let mut key = String::from("wechat-pay:");
        key.push_str(what);
        key.push_str(&decimal(digest(token)));
        Self { key }
    }

    /// Whether the mark was set in this tab.
    pub(crate) fn is_set(&self) -> bool {
        is_marked(&self.key)
    }

    /// Sets or removes the mark. If the storage is full or forbidden, only the panel after a return
    /// is missing.
    pub(crate) fn set(&self, is_set: bool) {
        mark(&self.key, is_set);
    }
}

/// FNV-1a of 64 bits. It protects nothing; it distinguishes the orders of one tab.
fn digest(text: &str) -> u64 {
    let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

#[wasm_bindgen(module = "/src/shell/navigation.js")]
extern "C" {
    #[wasm_bindgen(js_name = isMarked)]
    fn is_marked(key: &str) -> bool;

    fn mark(key: &str, is_set: bool);
}

#[cfg(test)]
mod tests {
    use super::{Mark, digest};

    #[test]
    fn the_digest_is_fnv_1a() {
        // The test vectors of draft-eastlake-fnv.
        for (text, expected) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(digest(text), expected, "{text}");
        }
    }

    #[test]
    fn orders_with_similar_tokens_have_different_keys_without_the_token() {
        let tokens = ["order-2026-0001", "order-2026-0002", "order-2026-0010"];
        let keys = tokens.map(|token| Mark::of(Mark::PAID, token).key);
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
        for (key, token) in keys.iter().zip(tokens) {
            assert!(key.starts_with("wechat-pay:paid:"), "{key}");
            assert!(!key.contains(&token[..5]), "{key}");
        }
        assert_ne!(Mark::of(Mark::CLOSED, tokens[0]).key, keys[0]);
    }
}
