//! Navigation from a mini-program's web-view to a page of the mini-program, which alone can open
//! the cashier.
//!
//! Uses the SDK (`wx.miniProgram.navigateTo`) if the page loaded it; otherwise the call over the
//! bridge that the SDK itself makes (jweixin 1.6.0). So no script of WeChat's has to be fetched,
//! which a page's policy or Trusted Types might forbid.

use checkout::{BridgeReply, BridgeResult};

use super::{bridge, wechat_sdk};
use crate::object::{method, object};

/// Whether a page can be opened now. If not, it can be opened once the bridge exists.
pub(crate) fn is_ready() -> bool {
    wechat_sdk::mini_program().is_some() || bridge::is_present()
}

/// Opens a page. `failed` is called with WeChat's error message if the page cannot be opened;
/// success is not reported.
pub(crate) fn open(path: &str, failed: impl Fn(String) + 'static) {
    let replied = move |reply: BridgeReply| {
        if reply.result() != BridgeResult::Ok {
            failed(reply.err_msg);
        }
    };
    bridge::call(replied, |callback| {
        let target = object(&[("url", path.into()), ("complete", callback.clone())]);
        match wechat_sdk::mini_program() {
            Some(sdk) => method(&sdk, "navigateTo")?.call1(&sdk, &target).ok(),
            None => {
                let call = object(&[("name", "navigateTo".into()), ("arg", target)]);
                bridge::invoke_by_name("invokeMiniProgramAPI", &call, callback)
            }
        }
    });
}
