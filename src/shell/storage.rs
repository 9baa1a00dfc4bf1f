//! A mark in the tab's storage that the buyer left for `h5_url`: without it, a return by the back
//! button would look like a first visit. Storage may be missing or forbidden; then the handle in
//! the address is all there is.

use web_sys::Storage;

/// The mark of one order.
pub(crate) struct Departure {
    key: String,
}

impl Departure {
    /// The mark of the order with this token. Only a part of the token is kept.
    pub(crate) fn of(token: &str) -> Self {
        let mut key = String::from("wechat-pay:away:");
        key.push_str(token.get(..8).unwrap_or(token));
        Self { key }
    }

    /// Whether the buyer left and is back.
    pub(crate) fn is_marked(&self) -> bool {
        session_storage()
            .and_then(|storage| storage.get_item(&self.key).ok().flatten())
            .is_some()
    }

    /// Keeps the mark, or drops it.
    pub(crate) fn mark(&self, is_away: bool) {
        if let Some(storage) = session_storage() {
            // A full or forbidden storage costs the panel after a return, and nothing else.
            let _ = if is_away {
                storage.set_item(&self.key, "1")
            } else {
                storage.remove_item(&self.key)
            };
        }
    }
}

fn session_storage() -> Option<Storage> {
    web_sys::window()?.session_storage().ok().flatten()
}
