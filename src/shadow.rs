//! A shadow root for the component, dressed as `element.js` dresses the element's: neither the
//! page's style sheet reaches the payment, nor the payment's the page.

use js_sys::{Array, Reflect};
use wasm_bindgen::JsValue;
use web_sys::{CssStyleSheet, Element, ShadowRoot, ShadowRootInit, ShadowRootMode};

use crate::view::THEME;

/// Gives a host its shadow root, and in it a container for the view. A host that cannot have one
/// is the container itself.
pub(crate) fn container(host: &Element) -> Element {
    let init = ShadowRootInit::new(ShadowRootMode::Open);
    let Ok(root) = host.attach_shadow(&init) else {
        return host.clone();
    };
    if adopt(&root).is_err() {
        append(&root, "style").set_text_content(Some(THEME));
    }
    append(&root, "div")
}

/// A constructed sheet needs no `style-src` of the page; older browsers have none.
fn adopt(root: &ShadowRoot) -> Result<(), JsValue> {
    let sheet = CssStyleSheet::new()?;
    sheet.replace_sync(THEME)?;
    let sheets = Array::of1(&sheet);
    // The setter that `web_sys` has does not catch.
    Reflect::set(root, &"adoptedStyleSheets".into(), &sheets).map(drop)
}

fn append(root: &ShadowRoot, tag: &str) -> Element {
    let document = leptos::prelude::document();
    let element = document
        .create_element(tag)
        .expect("the tag is a tag of HTML");
    // A fresh element goes into any root.
    let _ = root.append_child(&element);
    element
}
