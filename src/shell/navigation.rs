//! The page's address: reading what a backend appended to it, taking it off again, and leaving
//! for another. Where to may only come from the machine, which checks it.

use checkout::ReturnUrl;
use merchant_api::{PAYER_PARAMETER, RETURN_PARAMETER};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, Url};

/// Leaves, with the whole page: in a frame, WeChat's pages do not work.
///
/// By a link and not by `location`, for a link can say that the origin goes along. Without it
/// WeChat refuses `h5_url`, and a page whose policy is `no-referrer` would send nothing.
pub(crate) fn go(address: &str) {
    let click = || {
        let document = web_sys::window()?.document()?;
        let link: HtmlElement = document.create_element("a").ok()?.unchecked_into();
        for (name, value) in [
            ("href", address),
            ("target", "_top"),
            ("referrerpolicy", "strict-origin-when-cross-origin"),
        ] {
            link.set_attribute(name, value).ok()?;
        }
        // A sandboxed frame may refuse; then the page stays, and the machine sees that it is stuck.
        link.click();
        Some(())
    };
    let _: Option<()> = click();
}

/// Loads the page anew at the address that it shows now.
pub(crate) fn reload() {
    if let Some(window) = web_sys::window() {
        // Where it is refused, the machine sees that the page is stuck.
        let _ = window.location().reload();
    }
}

/// A parameter of the page's own address.
pub(crate) fn parameter(name: &str) -> Option<String> {
    address()?.search_params().get(name)
}

/// The page's own address without what was appended to it, if a buyer can come back to it. Its
/// fragment stays: it may be where a single-page shop is.
pub(crate) fn own_address() -> Option<ReturnUrl> {
    ReturnUrl::parse(&stripped_address()?.href())
}

/// Takes what was appended out of the address that the buyer sees, shares and reloads.
pub(crate) fn strip() {
    let replace = || {
        let address = stripped_address()?;
        let history = web_sys::window()?.history().ok()?;
        let state = history.state().ok()?;
        history
            .replace_state_with_url(&state, "", Some(&address.href()))
            .ok()
    };
    // Where history is not to be had (a sandboxed frame), the address stays as it is.
    let _: Option<()> = replace();
}

fn stripped_address() -> Option<Url> {
    let address = address()?;
    let parameters = address.search_params();
    parameters.delete(PAYER_PARAMETER);
    parameters.delete(RETURN_PARAMETER);
    // A browser carries the fragment of WeChat's authorize address along.
    if address.hash() == "#wechat_redirect" {
        address.set_hash("");
    }
    Some(address)
}

fn address() -> Option<Url> {
    let href = web_sys::window()?.location().href().ok()?;
    Url::new(&href).ok()
}
