//! Reads the browser into plain data. What follows from it is decided in `checkout::scene`.

use crate::locale::Locale;
use checkout::Facts;
use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// The facts about this page's browser; what WeChat put into it is looked up by the shell.
pub(crate) fn facts(bridge_present: bool, has_wechat_sdk: bool) -> Facts {
    let Some(window) = web_sys::window() else {
        return Facts::default();
    };
    let navigator = window.navigator();
    let hostname = window.location().hostname().unwrap_or_default();
    let global = |name: &str| {
        Reflect::get(&window, &JsValue::from_str(name))
            .ok()
            .filter(|value| !value.is_undefined())
    };
    Facts {
        user_agent: navigator.user_agent().unwrap_or_default(),
        touch_points: u32::try_from(navigator.max_touch_points()).unwrap_or_default(),
        bridge_present,
        has_wechat_sdk,
        mini_program: global("__wxjs_environment")
            .and_then(|value| value.as_string())
            .as_deref()
            == Some("miniprogram"),
        framed: window
            .parent()
            .ok()
            .flatten()
            .is_some_and(|parent| parent != window),
        page_is_loopback: matches!(hostname.as_str(), "127.0.0.1" | "localhost" | "[::1]"),
    }
}

/// The language that the page speaks, or else the browser.
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
