//! What the machine is told about the browser and by the page that embeds it. Plain data: the
//! shell reads it, only [`crate::scene`] judges it.

use merchant_api::Product;

use crate::destination::{ReturnUrl, SuccessUrl};

/// Facts about the browser, read when the element is connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `navigator.userAgent`, as it is.
    pub user_agent: String,
    /// `navigator.maxTouchPoints`: an iPad that says it is a Mac has more than one.
    pub touch_points: u32,
    /// What was in the window by then; `Event::Injected` brings what comes later.
    pub injected: Injected,
    /// The page is in a frame: the bridge is the top window's, and out of reach in one of another
    /// origin; `h5_url` has to leave with the whole page, which a sandbox may forbid.
    pub framed: bool,
    /// The page came from this machine (127.0.0.1, localhost): only then may an address be
    /// plain http, and only if it is loopback too.
    pub page_is_loopback: bool,
}

/// What comes into the window late: from WeChat, and with the page's own scripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Injected {
    /// `window.WeixinJSBridge` is there.
    pub bridge: bool,
    /// `window.wx.chooseWXPay` is there: the page brought WeChat's SDK and configured it.
    pub sdk: bool,
    /// `window.__wxjs_environment` says `miniprogram`, which it does once the bridge is there; old
    /// iOS web-views say it nowhere else (research: client-realities §1.1).
    pub mini_program: bool,
}

/// What the page asks of the element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The product the page insists on; `None` lets the scene decide.
    pub product: Option<Product>,
    /// Open WeChat's cashier (JSAPI) without a click. Never heeded for H5, which needs the
    /// buyer's gesture, and never on a return.
    pub auto_start: bool,
    /// Where the buyer comes back to: the page's own address, without what was appended to it.
    pub return_url: Option<ReturnUrl>,
    /// Where the buyer goes after a payment; the backend's word is used when absent.
    pub success_url: Option<SuccessUrl>,
    /// The payer handle found in the address: the buyer is back from the hop for the openid.
    pub payer: Option<String>,
    /// The buyer is back from `h5_url`, as the address or the storage tells.
    pub returned: bool,
    /// The page was loaded anew already because WeChat would not let it pay.
    pub reloaded: bool,
}
