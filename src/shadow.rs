//! A shadow root for the component, with a style sheet as `element.js` gives the element. The
//! page's style sheet does not reach the payment, and the payment's does not reach the page.

use js_sys::{Array, Reflect};
use wasm_bindgen::JsValue;
use web_sys::{CssStyleSheet, Element, ShadowRoot, ShadowRootInit, ShadowRootMode};

use crate::view::THEME;

/// Gives a host its shadow root, and in it a container for the view. If a host cannot have a shadow
/// root, the host itself is the container.
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

/// Names a container for screen readers, as `element.js` does for the element.
pub(crate) fn name(container: &Element, label: &str) {
    // Both names are names of attributes.
    let _ = container.set_attribute("role", "group");
    let _ = container.set_attribute("aria-label", label);
}

/// A constructed sheet needs no `style-src` of the page; older browsers have none.
fn adopt(root: &ShadowRoot) -> Result<(), JsValue> {
    let sheet = CssStyleSheet::new()?;
    sheet.replace_sync(THEME)?;
    let sheets = Array::of1(&sheet);
    // The setter of `web_sys` does not catch exceptions.
    Reflect::set(root, &"adoptedStyleSheets".into(), &sheets).map(drop)
}

fn append(root: &ShadowRoot, tag: &str) -> Element {
    let document = leptos::prelude::document();
    let element = document
        .create_element(tag)
        .expect("the tag is a tag of HTML");
    // Any root accepts a new element.
    let _ = root.append_child(&element);
    element
}
