//! What the machine knows about the browser, and the options of the page that embeds the element.
//! Plain data: the shell reads it, and only [`crate::scene`] draws conclusions from it.

use merchant_api::Product;

use crate::destination::{ReturnUrl, SuccessUrl};

/// Facts about the browser, read when the element is connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `navigator.userAgent`, unchanged.
    pub user_agent: String,
    /// `navigator.maxTouchPoints`. An iPad that claims to be a Mac has more than one.
    pub touch_points: u32,
    /// What the window contained at that time; `Event::Injected` reports what arrives later.
    pub injected: Injected,
    /// The page is in a frame. The bridge belongs to the top window, and a frame of another origin
    /// cannot reach it; `h5_url` must navigate the whole page, which a sandbox may forbid.
    pub framed: bool,
    /// The page was served from this machine (127.0.0.1, localhost). Only then may an address be
    /// plain http, and only if it is a loopback address too.
    pub page_is_loopback: bool,
}

/// What appears in the window late: injected by WeChat, or added by the page's own scripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Injected {
    /// `window.WeixinJSBridge` exists.
    pub bridge: bool,
    /// `window.wx.chooseWXPay` exists: the page loaded WeChat's SDK and configured it.
    pub sdk: bool,
    /// `window.__wxjs_environment` is `miniprogram`. It is set once the bridge exists; old iOS
    /// web-views give no other sign, since their User-Agent has no `miniProgram` token (field
    /// report: <https://juejin.cn/post/6844904002660876295>).
    pub mini_program: bool,
}

/// What the page configured on the element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The product that the page requires; `None` lets the scene decide.
    pub product: Option<Product>,
    /// Open WeChat's cashier (JSAPI) without a click. Ignored for H5, which needs the buyer's
    /// gesture, and ignored after a return.
    pub auto_start: bool,
    /// The address that the buyer returns to: the page's own address, without the parameters that
    /// were appended to it.
    pub return_url: Option<ReturnUrl>,
    /// The address that the buyer continues to after a payment; if absent, the backend's is used.
    pub success_url: Option<SuccessUrl>,
    /// The payer handle found in the address: the buyer has returned from the OAuth redirect.
    pub payer: Option<String>,
    /// The buyer has returned from `h5_url`, according to the address or the storage.
    pub returned: bool,
    /// The page was already reloaded because WeChat did not let it pay.
    pub reloaded: bool,
}
