//! The page's address: reads what a backend appended to it, removes that again, and navigates to
//! another address. The other address comes only from the machine, which checks it.

use checkout::ReturnUrl;
use wasm_bindgen::prelude::*;

/// The parameters that a backend appends for the element (`PAYER_PARAMETER`, `RETURN_PARAMETER`).
const APPENDED: &str = "wechat_pay_payer wechat_pay_return";

#[wasm_bindgen(module = "/src/shell/navigation.js")]
extern "C" {
    /// Navigates the whole page: WeChat's pages do not work in a frame.
    ///
    /// Uses a link and not `location`, because a link can request that the origin is sent. Without
    /// the origin WeChat refuses `h5_url`, and a page whose policy is `no-referrer` would send
    /// nothing. If the browser refuses the navigation, the page stays, and the machine notices that
    /// the page is stuck.
    ///
    /// With `is_replacing`, the navigation uses `location.replace`. Back then leads to the page
    /// before this page, and not to a page that navigates there again.
    #[wasm_bindgen(js_name = follow)]
    pub(crate) fn go(address: &str, is_replacing: bool);

    /// A parameter of the page's own address.
    pub(crate) fn parameter(name: &str) -> Option<String>;

    fn stripped(names: &str, is_to_be_shown: bool) -> Option<String>;
}

/// Reloads the page at its present address.
pub(crate) fn reload() {
    if let Some(window) = web_sys::window() {
        // If the browser refuses, the machine notices that the page is stuck.
        let _ = window.location().reload();
    }
}

/// The page's own address without the appended parameters, if a buyer can return to that
/// address. The rest stays byte for byte: the rest of the query may be signed, and the fragment may
/// be the route of a single-page shop.
pub(crate) fn own_address() -> Option<ReturnUrl> {
    ReturnUrl::parse(&stripped(APPENDED, false)?)
}

/// Removes the appended parameters from the address that the buyer sees, shares and reloads.
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
    fn the_parameters_of_the_contract_are_removed() {
        assert_eq!(
            super::APPENDED,
            [PAYER_PARAMETER, RETURN_PARAMETER].join(" ")
        );
    }
}
