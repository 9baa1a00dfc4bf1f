//! The page's address: reading what a backend appended to it, taking it off again, and leaving
//! for another. Where to may only come from the machine, which checks it.

use merchant_api::{PAYER_PARAMETER, RETURN_PARAMETER};
use web_sys::Url;

/// Leaves, with the whole page: in a frame, WeChat's pages do not work.
pub(crate) fn go(address: &str) {
    let Some(window) = web_sys::window() else {
        return;
    };
    let top = window.top().ok().flatten().unwrap_or(window);
    // A sandboxed frame may refuse; then the page stays, and the machine sees that it is stuck.
    let _ = top.location().set_href(address);
}

/// A parameter of the page's own address.
pub(crate) fn parameter(name: &str) -> Option<String> {
    address()?.search_params().get(name)
}

/// The page's own address without fragment and without what was appended to it.
pub(crate) fn own_address() -> Option<String> {
    let address = stripped_address()?;
    address.set_hash("");
    Some(address.href())
}

/// Takes what was appended out of the address that the buyer sees, shares and reloads.
pub(crate) fn strip() {
    let replace = || {
        let address = stripped_address()?;
        // A browser carries the fragment of WeChat's authorize address along.
        if address.hash() == "#wechat_redirect" {
            address.set_hash("");
        }
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
    Some(address)
}

fn address() -> Option<Url> {
    let href = web_sys::window()?.location().href().ok()?;
    Url::new(&href).ok()
}
