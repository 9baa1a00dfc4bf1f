//! A refund in two steps: the amount, and a page that asks once more. The refund's number is made with
//! the first form, so however often the last one is sent, it is one refund.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse as _, Response};
use buyer_words::Words;
use http::StatusCode;
use maud::{Markup, html};
use merchant_api::{CreateRefund, RefundOrigin};
use merchant_core::config::Scope;
use merchant_core::orders::desk::{Action, Story, story};
use merchant_core::{Refusal, refunds};
use payment_values::Fen;
use serde::Deserialize;

use super::address::{self, order_path};
use super::figure::money;
use super::form::{Form, Posted};
use super::frame::{Frame, facts, page as framed, token};
use super::problem::problem;
use super::said::lead_to;
use super::session::Desk;
use super::words;
use crate::extract::PathText;

/// A refund as it was typed, checked.
struct Wanted {
    refund_no: String,
    /// The sub-order of a combined order.
    sub_order_no: Option<String>,
    amount_fen: u64,
    reason: Option<String>,
}

/// What of an order is refunded.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    sub_order_no: Option<String>,
}

/// `GET /desk/orders/{order_no}/refund?sub_order_no`
pub(super) async fn form(
    desk: Desk,
    PathText(order_no): PathText,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Response> {
    if let Some(refused) = desk.forbidden(Scope::DeskRefund) {
        return Err(refused);
    }
    let Query(which) = which.unwrap_or_default();
    let refundable = refundable(&desk, &order_no, which.sub_order_no).await?;
    let refund_no = refunds::new_number(desk.payments());
    let refund_no = refund_no.map_err(|refusal| desk.refused(refusal))?;
    Ok(first_page(&desk, &refundable, &refund_no))
}

/// `POST /desk/orders/{order_no}/refund`: shows what will happen. It changes nothing.
pub(super) async fn confirm(
    PathText(order_no): PathText,
    Posted { desk, form }: Posted,
) -> Result<Response, Response> {
    if let Some(refused) = desk.forbidden(Scope::DeskRefund) {
        return Err(refused);
    }
    let wanted = read(&form, "amount").map_err(|refusal| desk.refused(refusal))?;
    let sub_order_no = wanted.sub_order_no.clone();
    let refundable = refundable(&desk, &order_no, sub_order_no).await?;
    if wanted.amount_fen > refundable.left_fen.count() {
        let status = StatusCode::BAD_REQUEST;
        return Err(problem(&desk.view, status, words::REFUND_TOO_MUCH));
    }
    Ok(second_page(&desk, &refundable, &wanted))
}

/// `POST /desk/orders/{order_no}/refunds`: refunds, as the private API does.
pub(super) async fn create(
    PathText(order_no): PathText,
    Posted { desk, form }: Posted,
) -> Result<Response, Response> {
    if let Some(refused) = desk.forbidden(Scope::DeskRefund) {
        return Err(refused);
    }
    let wanted = read(&form, "amount_fen").map_err(|refusal| desk.refused(refusal))?;
    let request = CreateRefund {
        refund_no: wanted.refund_no.clone(),
        amount_fen: Some(wanted.amount_fen),
        reason: wanted.reason,
        funds_account: None,
        from: None,
        goods_detail: None,
        sub_order_no: wanted.sub_order_no,
    };
    let payments = desk.payments().clone();
    let asked = async {
        let created = Box::pin(refunds::create(&payments, &order_no, &request)).await?;
        Ok(((), created.is_new))
    };
    let ((), is_new) = desk
        .act(Action::Refund, Some(&order_no), &wanted.refund_no, asked)
        .await?;
    Ok(lead_to(&order_path(&order_no), "refunded", is_new))
}

/// The origin of a refund in words.
pub(super) const fn origin(origin: RefundOrigin) -> Words {
    match origin {
        RefundOrigin::Merchant => words::ORIGIN_MERCHANT,
        RefundOrigin::Surplus => words::ORIGIN_SURPLUS,
        RefundOrigin::External => words::ORIGIN_EXTERNAL,
    }
}

/// An order, or one sub-order of a combined order, of which something can be refunded.
struct Refundable {
    story: Story,
    sub_order_no: Option<String>,
    left_fen: Fen,
}

async fn refundable(
    desk: &Desk,
    order_no: &str,
    sub_order_no: Option<String>,
) -> Result<Refundable, Response> {
    let story = story(desk.payments(), order_no).await;
    let story = story.map_err(|refusal| desk.refused(refusal))?;
    let left_fen = match &sub_order_no {
        Some(number) => {
            let mut left = story.sub_orders_left.iter();
            let left = left.find(|left| left.sub_order_no == *number);
            left.map_or(Fen::ZERO, |left| left.refundable_fen)
        }
        // A combined order is refunded sub-order by sub-order.
        None if story.order.sub_orders.is_some() => Fen::ZERO,
        None => story.refundable_fen,
    };
    if left_fen == Fen::ZERO {
        let status = StatusCode::CONFLICT;
        return Err(problem(&desk.view, status, words::NOTHING_REFUNDABLE));
    }
    Ok(Refundable {
        story,
        sub_order_no,
        left_fen,
    })
}

/// `amount` is in yuan, as a person types it; `amount_fen` is in fen, as the second form has it.
fn read(form: &Form, amount_field: &'static str) -> Result<Wanted, Refusal> {
    let text = form.get(amount_field);
    let amount_fen = if amount_field == "amount" {
        Fen::from_yuan_text(text).ok().map(Fen::count)
    } else {
        text.parse().ok()
    };
    let rule = "must be an amount of at least 0.01 yuan, with at most two decimals";
    let amount_fen = amount_fen.filter(|fen| *fen > 0);
    let amount_fen = amount_fen.ok_or_else(|| Refusal::invalid(amount_field, rule))?;
    let refund_no = form.get("refund_no");
    if !refunds::is_desk_number(refund_no) {
        return Err(Refusal::invalid(
            "refund_no",
            "must be the number that the form came with",
        ));
    }
    Ok(Wanted {
        refund_no: refund_no.to_owned(),
        sub_order_no: form.given("sub_order_no").map(str::to_owned),
        amount_fen,
        reason: form.given("reason").map(str::to_owned),
    })
}

fn first_page(desk: &Desk, refundable: &Refundable, refund_no: &str) -> Response {
    let Refundable {
        story, left_fen, ..
    } = refundable;
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    let path = format!("{}/refund", order_path(story.order.order_no.as_str()));
    let form = html! {
        form method="post" action=(path) {
            (token(desk))
            input type="hidden" name="refund_no" value=(refund_no);
            (sub_order_field(refundable))
            label for="amount" { (say(words::REFUND_AMOUNT)) }
            input #amount name="amount" inputmode="decimal" required autocomplete="off"
                value=(left_fen.to_yuan_text()) aria-describedby="amount-help";
            p #amount-help .help { (say(words::REFUNDABLE)) " " (money(*left_fen, language)) }
            label for="reason" { (say(words::REFUND_REASON)) }
            // WeChat takes 80 bytes, and a Chinese character has three.
            input #reason name="reason" maxlength="26" autocomplete="off" aria-describedby="reason-help";
            p #reason-help .help { (say(words::REFUND_REASON_HELP)) }
            button type="submit" { (say(words::CONTINUE)) }
            a .button .lesser href=(order_path(story.order.order_no.as_str())) { (say(words::BACK)) }
        }
    };
    whole(desk, story, say(words::REFUND), &form)
}

fn second_page(desk: &Desk, refundable: &Refundable, wanted: &Wanted) -> Response {
    let story = &refundable.story;
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    let order_no = story.order.order_no.as_str();
    let mut pairs = vec![
        (say(words::ORDER), html! { (order_no) }),
        (say(words::GOODS), html! { (story.order.description) }),
        (
            say(words::REFUND_REASON),
            html! { (wanted.reason.as_deref().unwrap_or("—")) },
        ),
        (say(words::REFUND_NO), html! { code { (wanted.refund_no) } }),
    ];
    if let Some(number) = &wanted.sub_order_no {
        pairs.insert(1, (say(words::SUB_ORDER), html! { (number) }));
    }
    let form = html! {
        (facts(&pairs))
        p .notice { (say(words::REFUND_WARNING)) }
        form method="post" action=(format!("{}/refunds", order_path(order_no))) {
            (token(desk))
            input type="hidden" name="refund_no" value=(wanted.refund_no);
            (sub_order_field(refundable))
            input type="hidden" name="amount_fen" value=(wanted.amount_fen);
            input type="hidden" name="reason" value=(wanted.reason.as_deref().unwrap_or_default());
            button .grave type="submit" { (say(words::REFUND_CONFIRM)) " " (money(Fen::saturating(wanted.amount_fen), language)) }
            a .button .lesser href=(order_path(order_no)) { (say(words::BACK)) }
        }
    };
    whole(desk, story, say(words::REFUND_ASK), &form)
}

/// The field that names the sub-order; none for an ordinary order.
fn sub_order_field(refundable: &Refundable) -> Markup {
    html! {
        @if let Some(number) = &refundable.sub_order_no {
            input type="hidden" name="sub_order_no" value=(number);
        }
    }
}

fn whole(desk: &Desk, story: &Story, title: &str, form: &Markup) -> Response {
    let language = desk.view.language;
    let content = html! {
        div .card .narrow {
            h1 { (title) }
            p .quiet { (story.order.order_no) " · " (money(story.order.total_fen, language)) }
            (form)
        }
    };
    let frame = Frame::new(title, address::ORDERS);
    framed(desk, &frame, &content).into_response()
}
