//! WeChat's own script (`window.wx`): used if the page loaded it, and never fetched. The bridge can
//! do everything that the script does here.

use wasm_bindgen::JsValue;

use crate::object::{method, part};

/// `window.wx`, if it exists.
pub(crate) fn sdk() -> Option<JsValue> {
    part(&web_sys::window()?.into(), "wx")
}

/// Whether the page loaded the SDK with its cashier.
pub(crate) fn has_cashier() -> bool {
    sdk().is_some_and(|sdk| method(&sdk, "chooseWXPay").is_some())
}

/// `wx.miniProgram`, if it exists.
pub(crate) fn mini_program() -> Option<JsValue> {
    part(&sdk()?, "miniProgram")
}
