//! The page's address: reading what a backend appended to it, taking it off again, and leaving
//! for another. Where to may only come from the machine, which checks it.

use checkout::ReturnUrl;
use wasm_bindgen::prelude::*;

/// What a backend appends for the element (`PAYER_PARAMETER`, `RETURN_PARAMETER`).
const APPENDED: &str = "wechat_pay_payer wechat_pay_return";

#[wasm_bindgen(module = "/src/shell/navigation.js")]
extern "C" {
    /// Leaves, with the whole page: in a frame, WeChat's pages do not work.
    ///
    /// By a link and not by `location`, for a link can say that the origin goes along. Without it
    /// WeChat refuses `h5_url`, and a page whose policy is `no-referrer` would send nothing.
    /// Where it is refused, the page stays, and the machine sees that it is stuck.
    ///
    /// `is_replacing`: by `location.replace`, so that the buyer who goes back from there comes to
    /// what was before this page, and not to a page that leads there again.
    #[wasm_bindgen(js_name = follow)]
    pub(crate) fn go(address: &str, is_replacing: bool);

    /// A parameter of the page's own address.
    pub(crate) fn parameter(name: &str) -> Option<String>;

    fn stripped(names: &str, is_to_be_shown: bool) -> Option<String>;
}

/// Loads the page anew at the address that it shows now.
pub(crate) fn reload() {
    if let Some(window) = web_sys::window() {
        // Where it is refused, the machine sees that the page is stuck.
        let _ = window.location().reload();
    }
}

/// The page's own address without what was appended to it, if a buyer can come back to it. All
/// else stays byte for byte: the rest of the query may be signed, and the fragment may be where a
/// single-page shop is.
pub(crate) fn own_address() -> Option<ReturnUrl> {
    ReturnUrl::parse(&stripped(APPENDED, false)?)
}

/// Takes what was appended out of the address that the buyer sees, shares and reloads.
pub(crate) fn strip() {
    stripped(APPENDED, true);
}

#[cfg(all(test, target_arch = "wasm32"))]
#[path = "navigation/tests.rs"]
mod in_browser;

#[cfg(test)]
mod tests {
    use merchant_api::{PAYER_PARAMETER, RETURN_PARAMETER};

    #[test]
    fn what_the_contract_appends_is_taken_off() {
        assert_eq!(
            super::APPENDED,
            [PAYER_PARAMETER, RETURN_PARAMETER].join(" ")
        );
    }
}
