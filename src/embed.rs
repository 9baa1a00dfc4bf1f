//! The boundary to JavaScript. No logic: it turns what comes in into types and hands it on.

use crate::options::WidgetOptions;
use crate::shell::Shell;
use crate::view::{THEME, mount_view};
use checkout::Intent;
use leptos::prelude::Owner;
use std::any::Any;
use wasm_bindgen::prelude::*;

/// One element that is in a page. [`unmount`](Embedded::unmount) ends it.
#[wasm_bindgen]
pub struct Embedded {
    shell: Shell,
    owner: Owner,
    view: Box<dyn Any>,
}

/// Puts a payment into `container` and begins it. `emit(name, detail)` is called for each event.
///
/// Fails with the code of the option that is wrong.
#[wasm_bindgen]
pub fn mount(
    container: web_sys::HtmlElement,
    options: &JsValue,
    emit: js_sys::Function,
) -> Result<Embedded, JsValue> {
    let options =
        WidgetOptions::from_js(options).map_err(|error| JsValue::from_str(error.code()))?;
    let (view, owner, shell) = mount_view(container, &options, emit.into());
    shell.connect();
    Ok(Embedded { shell, owner, view })
}

/// The style sheet of the view, for the element's shadow root.
#[wasm_bindgen]
pub fn theme() -> String {
    THEME.to_owned()
}

#[wasm_bindgen]
impl Embedded {
    /// The page wants something in the buyer's name: `start`, `refresh`, `cancel`. `false`: no
    /// such word.
    pub fn want(&self, intent: &str) -> bool {
        let intent = match intent {
            "start" => Intent::Start,
            "refresh" => Intent::Refresh,
            "cancel" => Intent::Cancel,
            _ => return false,
        };
        self.shell.want(intent);
        true
    }

    /// Takes the view out and ends everything that runs: no timer, listener, request or signal
    /// access is left.
    pub fn unmount(self) {
        self.shell.end();
        drop(self.view);
        // Dropping the view does not end tasks of the root owner; its cleanup does.
        self.owner.cleanup();
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
