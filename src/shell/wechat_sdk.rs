//! WeChat's own script (`window.wx`): used where the page brought it, and never fetched. All that
//! it does here can be done over the bridge too.

use wasm_bindgen::JsValue;

use crate::object::{method, part};

/// `window.wx`, where it is there.
pub(crate) fn sdk() -> Option<JsValue> {
    part(&web_sys::window()?.into(), "wx")
}

/// Whether the page brought the SDK with its cashier.
pub(crate) fn has_cashier() -> bool {
    sdk().is_some_and(|sdk| method(&sdk, "chooseWXPay").is_some())
}

/// `wx.miniProgram`, where it is there.
pub(crate) fn mini_program() -> Option<JsValue> {
    part(&sdk()?, "miniProgram")
}
