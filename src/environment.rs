//! Reads the browser into plain data. `checkout::scene` decides what follows from the data.

use checkout::{Facts, Injected};
use wasm_bindgen::JsValue;

use crate::locale::Locale;
use crate::object::field;

/// The facts about this page's browser. The shell looks up what appears in the browser late.
pub(crate) fn facts(injected: Injected) -> Facts {
    let Some(window) = web_sys::window() else {
        return Facts::default();
    };
    let navigator = window.navigator();
    let hostname = window.location().hostname().unwrap_or_default();
    Facts {
        user_agent: navigator.user_agent().unwrap_or_default(),
        touch_points: u32::try_from(navigator.max_touch_points()).unwrap_or_default(),
        injected,
        framed: window
            .parent()
            .ok()
            .flatten()
            .is_some_and(|parent| parent != window),
        page_is_loopback: matches!(hostname.as_str(), "127.0.0.1" | "localhost" | "[::1]"),
    }
}

/// Whether WeChat reports that a mini-program shows this page.
pub(crate) fn is_in_mini_program() -> bool {
    let window = web_sys::window().map(JsValue::from).unwrap_or_default();
    field(&window, "__wxjs_environment") == "miniprogram"
}

/// The language of the page, or else of the browser.
pub(crate) fn locale() -> Locale {
    Locale::from_tag(&language_tag().unwrap_or_default())
}

fn language_tag() -> Option<String> {
    let window = web_sys::window()?;
    let of_page = window
        .document()
        .and_then(|document| document.document_element())
        .and_then(|root| root.get_attribute("lang"))
        .filter(|tag| !tag.is_empty());
    of_page.or_else(|| window.navigator().language())
}
