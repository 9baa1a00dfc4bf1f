//! An abnormal refund is sent another way: to a bank card of the buyer, or to the merchant's own account.
//! The card and the name go to WeChat, encrypted, and are kept nowhere. WeChat takes this once each time
//! that a refund becomes abnormal, so a repetition has no effect.

use axum::response::{IntoResponse as _, Response};
use maud::html;
use merchant_api::{AbnormalRefundType, ApplyAbnormalRefund, RefundState};
use merchant_core::config::Scope;
use merchant_core::orders::desk::Action;
use merchant_core::{Refusal, refunds};

use super::address::{TASKS, order_path, settle_path};
use super::figure::{money, state};
use super::form::{Form, Posted};
use super::frame::{Frame, facts, page as framed, token};
use super::said::lead_to;
use super::session::Desk;
use super::words;
use crate::extract::PathText;

/// `GET /desk/refunds/{refund_no}/settle`
pub(super) async fn form(desk: Desk, PathText(refund_no): PathText) -> Result<Response, Response> {
    if let Some(refused) = desk.forbidden(Scope::DeskRefund) {
        return Err(refused);
    }
    let refund = refunds::show(desk.payments(), &refund_no).await;
    let refund = refund.map_err(|refusal| desk.refused(refusal))?;
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    let is_abnormal = refund.state == RefundState::Abnormal;
    let path = settle_path(&refund_no);
    let content = html! {
        div .card .narrow {
            h1 { (say(words::SETTLE)) }
            (facts(&[
                (say(words::ORDER), html! { a href=(order_path(refund.order_no.as_str())) { (refund.order_no) } }),
                (say(words::REFUND_NO), html! { code { (refund.refund_no) } }),
                (say(words::AMOUNT), money(refund.amount_fen, language)),
                (say(words::STATE), state(refund.state.as_str(), language)),
            ]))
            @if is_abnormal {
                p { (say(words::SETTLE_HELP)) }
                h2 { (say(words::SETTLE_BUYER)) }
                form method="post" action=(path) autocomplete="off" {
                    (token(&desk))
                    input type="hidden" name="type" value="USER_BANK_CARD";
                    label for="bank_type" { (say(words::BANK_TYPE)) }
                    input #bank_type name="bank_type" required maxlength="16" spellcheck="false";
                    label for="bank_account" { (say(words::BANK_ACCOUNT)) }
                    input #bank_account name="bank_account" required inputmode="numeric" maxlength="64";
                    label for="real_name" { (say(words::REAL_NAME)) }
                    input #real_name name="real_name" required maxlength="64";
                    label .check { input type="checkbox" name="sure" value="yes" required; " " (say(words::SURE)) }
                    button .grave type="submit" { (say(words::SETTLE_SEND)) }
                }
                h2 { (say(words::SETTLE_MERCHANT)) }
                form method="post" action=(path) {
                    (token(&desk))
                    input type="hidden" name="type" value="MERCHANT_BANK_CARD";
                    p .help { (say(words::SETTLE_MERCHANT_HELP)) }
                    label .check { input type="checkbox" name="sure" value="yes" required; " " (say(words::SURE)) }
                    button .grave type="submit" { (say(words::SETTLE_SEND)) }
                }
            } @else {
                p { (say(words::SETTLE_NOT_ABNORMAL)) }
            }
            p { a .button .lesser href=(TASKS) { (say(words::BACK)) } }
        }
    };
    let frame = Frame::new(say(words::SETTLE), TASKS);
    Ok(framed(&desk, &frame, &content).into_response())
}

/// `POST /desk/refunds/{refund_no}/settle`
pub(super) async fn settle(
    PathText(refund_no): PathText,
    Posted { desk, form }: Posted,
) -> Result<Response, Response> {
    if let Some(refused) = desk.forbidden(Scope::DeskRefund) {
        return Err(refused);
    }
    let request = read(&form).map_err(|refusal| desk.refused(refusal))?;
    let refund = refunds::show(desk.payments(), &refund_no).await;
    let refund = refund.map_err(|refusal| desk.refused(refusal))?;
    let payments = desk.payments().clone();
    let sent = async {
        // A repetition finds the refund on its way.
        let is_abnormal = refund.state == RefundState::Abnormal;
        if is_abnormal {
            Box::pin(refunds::apply_abnormal(&payments, &refund_no, request)).await?;
        }
        Ok(((), is_abnormal))
    };
    let order_no = refund.order_no.as_str();
    let ((), is_new) = desk
        .act(Action::Settle, Some(order_no), &refund_no, sent)
        .await?;
    Ok(lead_to(&order_path(order_no), "settled", is_new))
}

fn read(form: &Form) -> Result<ApplyAbnormalRefund, Refusal> {
    if form.get("sure") != "yes" {
        return Err(Refusal::invalid("sure", "must be checked: money moves"));
    }
    let to = match form.get("type") {
        "USER_BANK_CARD" => AbnormalRefundType::UserBankCard,
        "MERCHANT_BANK_CARD" => AbnormalRefundType::MerchantBankCard,
        _ => {
            let rule = "must be USER_BANK_CARD or MERCHANT_BANK_CARD";
            return Err(Refusal::invalid("type", rule));
        }
    };
    let given = |name| form.given(name).map(str::to_owned);
    Ok(ApplyAbnormalRefund {
        to,
        bank_type: given("bank_type"),
        bank_account: given("bank_account"),
        real_name: given("real_name"),
    })
}
