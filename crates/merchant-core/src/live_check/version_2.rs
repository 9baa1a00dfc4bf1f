//! The gateway of version 2: the APIv2 key. WeChat is queried about an order that cannot exist. It
//! signs its answer only if the call's own signature is valid, so a signed "no such order" proves
//! the key on both sides.

use super::answer::PORTAL;
use super::{Check, LiveCheckError, Proof, Verdict};
use crate::wechat::{CallError, TradeStatus};

const SUBJECT: &str = "merchant.api_v2_key";

/// The proofs, and whether WeChat signed its answer.
pub(super) async fn prove(check: &Check<'_>) -> Result<(Vec<Proof>, bool), LiveCheckError> {
    let number = check.random_number()?;
    let merchant = &check.config.merchant;
    let sub = merchant.sub_merchants.first();
    let client = check.client(check.config);
    let answer = client
        .query_other(&number, sub.map(|sub| &*sub.sub_mchid))
        .await;
    let is_signed = match &answer {
        Ok(_) => true,
        Err(error) => error.is_signed(),
    };
    let (verdict, text) = judge(&answer);
    let certificate = Proof::new(
        "merchant.certificate_file",
        Verdict::NotProved,
        "only a refund presents it to WeChat",
    );
    let key = Proof::new(SUBJECT, verdict, text);
    Ok((vec![key, certificate], is_signed))
}

fn judge(answer: &Result<TradeStatus, CallError>) -> (Verdict, String) {
    let Err(error) = answer else {
        let text = "WeChat signed its answer with it, and took ours for mchid and appid";
        return (Verdict::Proved, text.to_owned());
    };
    let says = |words| {
        error
            .wechat_message()
            .is_some_and(|said| said.contains(words))
    };
    if says("签名错误") {
        let text = format!("WeChat signs with another one: {PORTAL}, APIv2 密钥. {error}");
        (Verdict::Wrong, text)
    } else if error.is_signed() {
        let text = format!("WeChat signed with it and refused something else: {error}");
        (Verdict::Proved, text)
    } else {
        (Verdict::NotProved, error.to_string())
    }
}
