//! Marks in the tab's storage: that the buyer left for WeChat, without which a return by the back
//! button would look like a first visit; and that the page was loaded anew, which helps once.
//! Storage may be missing or forbidden; then the handle in the address is all there is.

use wasm_bindgen::prelude::*;

/// A mark of one order.
pub(crate) struct Mark {
    key: String,
}

impl Mark {
    /// The buyer left.
    pub(crate) const AWAY: &str = "away:";
    /// The page was loaded anew because WeChat would not let it pay.
    pub(crate) const RELOADED: &str = "reloaded:";

    /// The mark of the order with this token. Only a part of the token is kept.
    pub(crate) fn of(what: &str, token: &str) -> Self {
        let mut key = String::from("wechat-pay:");
        key.push_str(what);
        key.push_str(token.get(..8).unwrap_or(token));
        Self { key }
    }

    /// Whether it was set in this tab.
    pub(crate) fn is_set(&self) -> bool {
        is_marked(&self.key)
    }

    /// Keeps the mark, or drops it. A full or forbidden storage costs the panel after a return, and
    /// nothing else.
    pub(crate) fn set(&self, is_set: bool) {
        mark(&self.key, is_set);
    }
}

#[wasm_bindgen(module = "/src/shell/navigation.js")]
extern "C" {
    #[wasm_bindgen(js_name = isMarked)]
    fn is_marked(key: &str) -> bool;

    fn mark(key: &str, is_set: bool);
}
