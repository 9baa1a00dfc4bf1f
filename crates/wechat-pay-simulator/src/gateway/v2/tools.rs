//! The short link of Native mode 1.

use wechat_pay::v2::read_native_link;

use super::answer::Answer;
use super::caller::Caller;
use super::fields::check;
use super::refusal::Refusal;
use crate::simulator::Simulator;

/// Shortens a link that this merchant signed.
pub(super) fn short_url(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    check(caller, &["long_url"])?;
    let link = caller.field("long_url").and_then(read_native_link);
    let is_own = link
        .filter(|link| link.claimed("mch_id") == Some(caller.mchid.as_str()))
        .is_some_and(|link| link.verify(&caller.key).is_ok());
    if !is_own {
        return Err(Refusal::business("URLFORMATERROR", "URL格式错误"));
    }
    let mut fields = caller.parties();
    let short = format!("weixin://wxpay/s/{}", simulator.random().alphanumeric(7));
    fields.set("short_url", short);
    Ok(Answer::Fields(fields))
}
