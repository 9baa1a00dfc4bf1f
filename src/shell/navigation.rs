//! The page's address: reading what a backend appended to it, taking it off again, and leaving
//! for another. Where to may only come from the machine, which checks it.

use web_sys::UrlSearchParams;

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
    query()?.get(name)
}

/// The page's own address without fragment and without what was appended to it.
pub(crate) fn own_address() -> Option<String> {
    let location = web_sys::window()?.location();
    let path = location.pathname().ok()?;
    let query = stripped_query(&[
        merchant_api::PAYER_PARAMETER,
        merchant_api::RETURN_PARAMETER,
    ])
    .unwrap_or_default();
    let mut address = location.origin().ok()?;
    address.push_str(&path);
    address.push_str(&query);
    Some(address)
}

/// Takes parameters out of the address that the buyer sees, shares and reloads.
pub(crate) fn strip(names: &[&str]) {
    let replace = || {
        let window = web_sys::window()?;
        let location = window.location();
        let mut address = location.pathname().ok()?;
        address.push_str(&stripped_query(names)?);
        // A browser carries the fragment of WeChat's authorize address along.
        let hash = location.hash().ok()?;
        if hash != "#wechat_redirect" {
            address.push_str(&hash);
        }
        let history = window.history().ok()?;
        let state = history.state().ok()?;
        history
            .replace_state_with_url(&state, "", Some(&address))
            .ok()
    };
    // Where history is not to be had (a sandboxed frame), the address stays as it is.
    let _: Option<()> = replace();
}

/// The query with its question mark, or nothing.
fn stripped_query(names: &[&str]) -> Option<String> {
    let query = query()?;
    for name in names {
        query.delete(name);
    }
    let text = query.to_string().as_string()?;
    Some(if text.is_empty() {
        text
    } else {
        let mut with_mark = String::from("?");
        with_mark.push_str(&text);
        with_mark
    })
}

fn query() -> Option<UrlSearchParams> {
    let search = web_sys::window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()
}
