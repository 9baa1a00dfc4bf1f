//! `/desk/orders/{order_no}`: an order with its whole story.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use merchant_api::SubOrderDetails;
use merchant_core::config::Scope;
use merchant_core::orders::desk::{Story, story};
use payment_values::Fen;

use super::address::{self, refund_path};
use super::figure::{money, state, time_of};
use super::frame::{Frame, facts, page as framed, table};
use super::orders::order_word;
use super::said::Said;
use super::session::Desk;
use super::{timeline, words};
use crate::extract::PathText;

/// `GET /desk/orders/{order_no}?said`
pub(super) async fn page(
    desk: Desk,
    PathText(order_no): PathText,
    said: Result<Query<Said>, QueryRejection>,
) -> Result<Response, Response> {
    let Query(said) = said.unwrap_or_default();
    let story = story(desk.payments(), &order_no).await;
    let story = story.map_err(|refusal| desk.refused(refusal))?;
    let say = |sentence| desk.view.language.say(sentence);
    let title = format!("{} {}", say(words::ORDER), story.order.order_no);
    let content = html! {
        h1 { (title) }
        (said.notice(&desk))
        (summary(&desk, &story))
        (sub_orders(&desk, &story))
        section .card {
            h2 { (say(words::STORY)) }
            (timeline::timeline(&desk, &story))
        }
    };
    let frame = Frame::new(&title, address::ORDERS);
    Ok(framed(&desk, &frame, &content).into_response())
}

fn summary(desk: &Desk, story: &Story) -> Markup {
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    let order = &story.order;
    let mut pairs = vec![
        (
            say(words::STATE),
            html! {
                (state(order_word(order.state), language))
                @if order.is_closing { " " (state("closing", language)) }
            },
        ),
        (say(words::GOODS), html! { (order.description) }),
        (say(words::CREATED_AT), time_of(&order.created_at)),
        (say(words::EXPIRES_AT), time_of(&order.expires_at)),
    ];
    if let Some(at) = &order.success_time {
        pairs.push((say(words::PAID_AT), time_of(at)));
    }
    if let Some(number) = &order.transaction_id {
        pairs.push((say(words::TRANSACTION), html! { (number) }));
    }
    if order.refunded_fen > Fen::ZERO {
        pairs.push((say(words::REFUNDED), money(order.refunded_fen, language)));
    }
    if story.refundable_fen > Fen::ZERO {
        pairs.push((
            say(words::REFUNDABLE),
            money(story.refundable_fen, language),
        ));
    }
    if let Some(sub_mchid) = &order.sub_mchid {
        pairs.push((say(words::SUB_MERCHANT), html! { (sub_mchid) }));
    }
    if let Some(link_id) = &order.link_id {
        pairs.push((say(words::PAYMENT_LINK), html! { (link_id) }));
    }
    if let Some(note) = &order.note {
        pairs.push((
            say(words::BUYERS_NOTE),
            html! { span dir="auto" { (note) } },
        ));
    }
    if let Some(attach) = &order.attach {
        pairs.push((say(words::ATTACH), html! { (attach) }));
    }
    // A combined order is refunded sub-order by sub-order: see `sub_orders`.
    let can_refund = story.refundable_fen > Fen::ZERO
        && order.sub_orders.is_none()
        && desk.has(Scope::DeskRefund);
    html! {
        section .card {
            p .large { (money(order.total_fen, language)) }
            (facts(&pairs))
            @if can_refund {
                p { a .button href=(refund_path(order.order_no.as_str(), None)) { (say(words::REFUND)) } }
            }
        }
    }
}

/// The sub-orders of a combined order, each with its numbers and its refund.
fn sub_orders(desk: &Desk, story: &Story) -> Markup {
    let Some(sub_orders) = &story.order.sub_orders else {
        return html! {};
    };
    let language = desk.view.language;
    let say = |sentence| language.say(sentence);
    let headings = [
        say(words::SUB_ORDER),
        say(words::AMOUNT),
        say(words::REFUNDED),
        say(words::SELLER),
        say(words::NUMBERS),
        say(words::ACTION),
    ];
    let row = |sub_order: &SubOrderDetails| {
        let number = &*sub_order.sub_order_no;
        let mut left = story.sub_orders_left.iter();
        let can_refund = desk.has(Scope::DeskRefund)
            && left.any(|left| left.sub_order_no == number && left.refundable_fen > Fen::ZERO);
        vec![
            html! { (number) p .quiet { (sub_order.description) } },
            money(sub_order.amount_fen, language),
            money(sub_order.refunded_fen, language),
            html! { (sub_order.sub_mchid.as_ref().unwrap_or(&sub_order.mchid)) },
            html! {
                @if let Some(number) = &sub_order.out_trade_no { p { code { (number) } } }
                @if let Some(number) = &sub_order.transaction_id { p { code { (number) } } }
            },
            html! {
                @if can_refund {
                    a .button .lesser href=(refund_path(story.order.order_no.as_str(), Some(number))) { (say(words::REFUND)) }
                }
            },
        ]
    };
    let rows: Vec<_> = sub_orders.iter().map(row).collect();
    html! {
        section .card {
            h2 { (say(words::SUB_ORDERS)) }
            (table(say(words::SUB_ORDERS), &headings, &rows))
        }
    }
}
