//! `WeixinJSBridge`: waiting for it, and calling WeChat's cashier once.
//!
//! WeChat injects the bridge late, the bridge's ready event may never come (iOS), and a bare
//! reference to the bridge throws. So the shell looks it up as a property of the window, after the
//! event and at intervals. In a frame, the bridge belongs to the top window.

use std::cell::Cell;
use std::rc::Rc;

use checkout::{BridgeReply, Injected};
use gloo_events::EventListener;
use gloo_timers::callback::Interval;
use js_sys::Reflect;
use merchant_api::{PayParameters, decimal};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::clock::whole;
use super::wechat_sdk;
use crate::environment;
use crate::object::{field, method, part, text, to_js};

/// How often to look for the bridge, in milliseconds.
const LOOK_EVERY_MS: u32 = 150;

/// The largest number of looks: some seconds more than a cashier waits. Without WeChat, a page must
/// not look forever.
const LOOKS: u32 = 100;

/// A wait for the bridge; the wait ends when dropped.
pub(crate) struct Waiting {
    _listener: Option<EventListener>,
    _interval: Interval,
}

impl Waiting {
    /// Calls back once: when the bridge exists, or when the last look found none.
    pub(crate) fn new(ended: impl Fn(bool) + 'static) -> Self {
        let left = Cell::new(LOOKS);
        let look = Rc::new(move || {
            let is_there = is_present();
            // No look left: the wait has ended.
            let looks = left.get();
            if looks > 0 {
                left.set(if is_there { 0 } else { looks - 1 });
                if left.get() == 0 {
                    ended(is_there);
                }
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

/// Whether the bridge exists.
pub(crate) fn is_present() -> bool {
    bridge().is_some()
}

/// What WeChat and the page have put into the window by now.
pub(crate) fn injected() -> Injected {
    Injected {
        bridge: is_present(),
        sdk: wechat_sdk::has_cashier(),
        mini_program: environment::is_in_mini_program(),
    }
}

/// Opens the cashier. `replied` is called for each callback. There may be none, one, or two (WeChat
/// 7.0.8).
pub(crate) fn invoke(parameters: &PayParameters, replied: impl Fn(BridgeReply) + 'static) {
    call(replied, |callback| {
        let values = to_js(&CashierParameters {
            time_stamp: Some(&parameters.time_stamp),
            ..CashierParameters::from(parameters)
        });
        invoke_by_name("getBrandWCPayRequest", &values, callback)
    });
}

/// Opens the cashier through the SDK that the page loaded. The SDK spells one field differently and
/// takes the callback among the parameters.
pub(crate) fn invoke_sdk(parameters: &PayParameters, replied: impl Fn(BridgeReply) + 'static) {
    call(replied, |callback| {
        let sdk = wechat_sdk::sdk()?;
        let values = to_js(&CashierParameters {
            timestamp: Some(&parameters.time_stamp),
            ..CashierParameters::from(parameters)
        });
        // Called after `success`, `fail` and `cancel` alike.
        Reflect::set(&values, &"complete".into(), callback).ok()?;
        method(&sdk, "chooseWXPay")?.call1(&sdk, &values).ok()
    });
}

/// Calls a function of the bridge.
pub(super) fn invoke_by_name(name: &str, values: &JsValue, callback: &JsValue) -> Option<JsValue> {
    let bridge = bridge()?;
    method(&bridge, "invoke")?
        .call3(&bridge, &name.into(), values, callback)
        .ok()
}

/// Calls with a callback that lives as long as the page: WeChat may call back at any time, and more
/// than once. After its end, the shell drops the reply.
pub(super) fn call(
    replied: impl Fn(BridgeReply) + 'static,
    call: impl FnOnce(&JsValue) -> Option<JsValue>,
) {
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

fn bridge() -> Option<JsValue> {
    let window = web_sys::window()?;
    let of = |window: &JsValue| part(window, "WeixinJSBridge");
    // The top window of another origin throws when it is read, so it has no bridge.
    of(&window).or_else(|| of(&window.top().ok()??.into()))
}

/// WeChat's own spelling; every value is a text.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct CashierParameters<'a> {
    app_id: &'a str,
    /// The spelling of the bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_stamp: Option<&'a str>,
    /// The spelling of the SDK.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    nonce_str: &'a str,
    package: &'a str,
    sign_type: &'a str,
    pay_sign: &'a str,
}

impl<'a> From<&'a PayParameters> for CashierParameters<'a> {
    fn from(parameters: &'a PayParameters) -> Self {
        Self {
            app_id: &parameters.app_id,
            nonce_str: &parameters.nonce_str,
            package: &parameters.package,
            sign_type: &parameters.sign_type,
            pay_sign: &parameters.pay_sign,
            ..Self::default()
        }
    }
}

/// Any field may be absent or of another type. The code (a text on Android, a number on iOS) is
/// added to the sentence, which is for the merchant's log only.
fn read(reply: &JsValue) -> BridgeReply {
    let err_code = field(reply, "err_code");
    let number = || {
        let number = err_code.as_f64()?;
        let mut text = String::from(if number < 0.0 { "-" } else { "" });
        text.push_str(&decimal(whole(number.abs())));
        Some(text)
    };
    let mut err_desc = text(reply, "err_desc");
    if let Some(code) = err_code.as_string().or_else(number) {
        let mut words = String::from("err_code ");
        words.push_str(&code);
        if let Some(err_desc) = err_desc {
            words.push(' ');
            words.push_str(&err_desc);
        }
        err_desc = Some(words);
    }
    BridgeReply {
        err_msg: text(reply, "errMsg")
            .or_else(|| text(reply, "err_msg"))
            .unwrap_or_default(),
        err_desc,
    }
}
