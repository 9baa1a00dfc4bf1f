//! From a mini-program's web-view to a page of the mini-program, which alone can open the cashier.
//!
//! By the SDK (`wx.miniProgram.navigateTo`) where the page brought it; else by the call that the
//! SDK itself makes (jweixin 1.6.0), over the bridge. So no script of WeChat's has to be fetched,
//! which a page's policy or Trusted Types might forbid.

use super::bridge::{self, Waiting};
use super::wechat_sdk;
use crate::object::object;
use checkout::{BridgeReply, BridgeResult};
use std::rc::Rc;

/// Opens a page, at once or as soon as the bridge is there: that lasts as long as what is given
/// back. `failed` is called, with WeChat's words, if it cannot be opened; nothing is said when it
/// is.
pub(crate) fn open(path: String, failed: impl Fn(String) + 'static) -> Option<Waiting> {
    let failed = Rc::new(failed);
    let open = move || navigate_to(&path, &failed);
    if wechat_sdk::mini_program().is_none() && !bridge::is_present() {
        return Some(Waiting::new(open));
    }
    open();
    None
}

fn navigate_to(path: &str, failed: &Rc<impl Fn(String) + 'static>) {
    let failed = Rc::clone(failed);
    let replied = move |reply: BridgeReply| {
        if reply.result() != BridgeResult::Ok {
            failed(reply.err_msg);
        }
    };
    bridge::call(replied, |callback| {
        let target = object(&[("url", path.into()), ("complete", callback.clone())]);
        match wechat_sdk::mini_program() {
            Some(sdk) => bridge::method(&sdk, "navigateTo")?
                .call1(&sdk, &target)
                .ok(),
            None => {
                let call = object(&[("name", "navigateTo".into()), ("arg", target)]);
                bridge::invoke_by_name("invokeMiniProgramAPI", &call, callback)
            }
        }
    });
}
