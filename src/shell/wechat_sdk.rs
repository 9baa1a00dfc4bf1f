//! WeChat's own script (`window.wx`): used where the page brought it, and fetched in one place
//! alone, a mini-program's web-view, for there is no other way from it to the mini-program's
//! pages.

use super::bridge::{self, method};
use js_sys::{Object, Reflect};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Where WeChat serves it. The only third-party request that the widget can make.
const SCRIPT: &str = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js";

/// `window.wx`, where it is there.
pub(crate) fn sdk() -> Option<JsValue> {
    let window = web_sys::window()?;
    Reflect::get(&window, &"wx".into())
        .ok()
        .filter(JsValue::is_object)
}

/// Whether the page brought the SDK with its cashier.
pub(crate) fn has_cashier() -> bool {
    sdk().is_some_and(|sdk| method(&sdk, "chooseWXPay").is_some())
}

/// Opens a page of the mini-program around this web-view. `failed` is called, with WeChat's words
/// where there are any, if that cannot be done; nothing is said when it is.
pub(crate) fn open_mini_program(path: String, failed: impl Fn(String) + 'static) {
    let failed: Failed = Rc::new(failed);
    if mini_program().is_some() {
        navigate_to(&path, &failed);
        return;
    }
    // One callback for both ends of the load: what is there after it tells which it was.
    let loaded = lasting(move |_| navigate_to(&path, &failed));
    // Where a page's policy forbids the script, the machine sees that the page is stuck.
    let _ = load(&loaded);
}

type Failed = Rc<dyn Fn(String)>;

/// A callback that is called once or never, and lives as long as the page.
fn lasting(call: impl Fn(JsValue) + 'static) -> JsValue {
    Closure::<dyn Fn(JsValue)>::new(call).into_js_value()
}

fn load(loaded: &JsValue) -> Option<()> {
    let document = web_sys::window()?.document()?;
    let script = document.create_element("script").ok()?;
    let source = JsValue::from_str(SCRIPT);
    for (name, value) in [("onload", loaded), ("onerror", loaded), ("src", &source)] {
        Reflect::set(&script, &name.into(), value).ok()?;
    }
    document.document_element()?.append_child(&script).ok()?;
    Some(())
}

fn mini_program() -> Option<JsValue> {
    let mini_program = Reflect::get(&sdk()?, &"miniProgram".into()).ok()?;
    mini_program.is_object().then_some(mini_program)
}

fn navigate_to(path: &str, failed: &Failed) {
    let mini_program = mini_program().unwrap_or_default();
    let Some(navigate) = method(&mini_program, "navigateTo") else {
        failed(String::new());
        return;
    };
    let tell = Rc::clone(failed);
    let on_failure = lasting(move |error| tell(bridge::read(&error).err_msg));
    let options = Object::new();
    for (name, value) in [("url", &path.into()), ("fail", &on_failure)] {
        // Setting a property of a fresh plain object cannot fail.
        let _ = Reflect::set(&options, &name.into(), value);
    }
    // A throw is WeChat's own trouble, and leaves the page stuck, which the machine sees.
    let _ = navigate.call1(&mini_program, &options);
}
