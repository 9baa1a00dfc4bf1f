//! `WeixinJSBridge`: waiting for it, and calling WeChat's cashier once.
//!
//! It is injected late, its ready event may never come (iOS), and a bare reference to it throws;
//! so it is looked up as a property of the window, after the event and by looking now and then.

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

/// Opens the cashier. `replied` is called for each callback: none, one, or (WeChat 7.0.8) two.
pub(crate) fn invoke(parameters: &PayParameters, replied: impl Fn(BridgeReply) + 'static) {
    let replied = Rc::new(replied);
    let on_reply = Rc::clone(&replied);
    let callback = Closure::<dyn Fn(JsValue)>::new(move |reply| on_reply(read(&reply)));
    let called = bridge().and_then(|bridge| {
        let function: Function = Reflect::get(&bridge, &"invoke".into())
            .ok()?
            .dyn_into()
            .ok()?;
        let name = JsValue::from_str("getBrandWCPayRequest");
        let values = as_object(parameters);
        function
            .call3(&bridge, &name, &values, callback.as_ref())
            .ok()
    });
    if called.is_some() {
        // WeChat may call back at any time for as long as the page lives, and more than once;
        // the shell drops what comes after its end.
        callback.forget();
    } else {
        replied(BridgeReply {
            err_msg: "system:function_not_exist".to_owned(),
            err_desc: None,
        });
    }
}

fn bridge() -> Option<JsValue> {
    let window = web_sys::window()?;
    Reflect::get(&window, &"WeixinJSBridge".into())
        .ok()
        .filter(JsValue::is_object)
}

/// WeChat's own spelling; every value is a text.
fn as_object(parameters: &PayParameters) -> JsValue {
    let object = Object::new();
    let fields = [
        ("appId", &parameters.app_id),
        ("timeStamp", &parameters.time_stamp),
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
fn read(reply: &JsValue) -> BridgeReply {
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
