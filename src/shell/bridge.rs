//! `WeixinJSBridge`: waiting for it, and calling WeChat's cashier once.
//!
//! It is injected late, its ready event may never come (iOS), and a bare reference to it throws;
//! so it is looked up as a property of the window, after the event and by looking now and then.
//! In a frame it lives in the top window.

use super::wechat_sdk;
use checkout::BridgeReply;
use gloo_events::EventListener;
use gloo_timers::callback::Interval;
use js_sys::{Function, Object, Reflect};
use merchant_api::PayParameters;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// How often to look for the bridge, in milliseconds.
const LOOK_EVERY_MS: u32 = 150;

/// Waiting for the bridge; ends when dropped.
pub(crate) struct Waiting {
    _listener: Option<EventListener>,
    _interval: Interval,
}

impl Waiting {
    /// Calls back once, when the bridge is there.
    pub(crate) fn new(ready: impl Fn() + 'static) -> Self {
        let is_done = Cell::new(false);
        let look = Rc::new(move || {
            if bridge().is_some() && !is_done.replace(true) {
                ready();
            }
        });
        let document = web_sys::window().and_then(|window| window.document());
        let on_event = Rc::clone(&look);
        Self {
            _listener: document.map(|document| {
                EventListener::new(&document, "WeixinJSBridgeReady", move |_| on_event())
            }),
            _interval: Interval::new(LOOK_EVERY_MS, move || look()),
        }
    }
}

/// Whether the bridge is there.
pub(crate) fn is_present() -> bool {
    bridge().is_some()
}

/// Opens the cashier. `replied` is called for each callback: none, one, or (WeChat 7.0.8) two.
pub(crate) fn invoke(parameters: &PayParameters, replied: impl Fn(BridgeReply) + 'static) {
    call(replied, |callback| {
        let bridge = bridge()?;
        let name = JsValue::from_str("getBrandWCPayRequest");
        let values = as_object(parameters, "timeStamp");
        method(&bridge, "invoke")?
            .call3(&bridge, &name, &values, callback)
            .ok()
    });
}

/// Opens the cashier through the SDK that the page brought, which spells one field its own way
/// and takes the callback among the parameters.
pub(crate) fn invoke_sdk(parameters: &PayParameters, replied: impl Fn(BridgeReply) + 'static) {
    call(replied, |callback| {
        let sdk = wechat_sdk::sdk()?;
        let values = as_object(parameters, "timestamp");
        // Called after `success`, `fail` and `cancel` alike.
        Reflect::set(&values, &"complete".into(), callback).ok()?;
        method(&sdk, "chooseWXPay")?.call1(&sdk, &values).ok()
    });
}

/// Calls with a callback that lives as long as the page: WeChat may call back at any time, and
/// more than once. The shell drops what comes after its end.
fn call(replied: impl Fn(BridgeReply) + 'static, call: impl FnOnce(&JsValue) -> Option<JsValue>) {
    let replied = Rc::new(replied);
    let on_reply = Rc::clone(&replied);
    let callback = Closure::<dyn Fn(JsValue)>::new(move |reply| on_reply(read(&reply)));
    if call(callback.as_ref()).is_some() {
        callback.forget();
    } else {
        replied(BridgeReply {
            err_msg: "system:function_not_exist".to_owned(),
            err_desc: None,
        });
    }
}

/// A method of an object.
pub(super) fn method(object: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(object, &name.into()).ok()?.dyn_into().ok()
}

fn bridge() -> Option<JsValue> {
    let window = web_sys::window()?;
    // The top window of another origin throws at the look, which is an error here.
    let of = |window: &JsValue| {
        Reflect::get(window, &"WeixinJSBridge".into())
            .ok()
            .filter(JsValue::is_object)
    };
    of(&window).or_else(|| of(&window.top().ok()??.into()))
}

/// WeChat's own spelling; every value is a text.
fn as_object(parameters: &PayParameters, time_stamp: &str) -> JsValue {
    let object = Object::new();
    let fields = [
        ("appId", &parameters.app_id),
        (time_stamp, &parameters.time_stamp),
        ("nonceStr", &parameters.nonce_str),
        ("package", &parameters.package),
        ("signType", &parameters.sign_type),
        ("paySign", &parameters.pay_sign),
    ];
    for (name, text) in fields {
        // Setting a property of a fresh plain object cannot fail.
        let _ = Reflect::set(&object, &name.into(), &text.into());
    }
    object.into()
}

/// Any field may be absent or of another type.
pub(super) fn read(reply: &JsValue) -> BridgeReply {
    let text = |name: &str| {
        Reflect::get(reply, &name.into())
            .ok()
            .and_then(|value| value.as_string())
    };
    BridgeReply {
        err_msg: text("errMsg")
            .or_else(|| text("err_msg"))
            .unwrap_or_default(),
        err_desc: text("err_desc"),
    }
}
