//! The answer about a checkout, from the ledger. It has durations, never dates, because the
//! browser's clock is not trusted.

use merchant_api::{Action, AttemptProduct, CheckoutAnswer, CurrentAttempt, OrderState};
use payment_values::Fen;

use crate::config::{Config, Picture};
use crate::ledger::{Attempt, AttemptState, Checkout, Order};
use crate::payments::Payments;

/// After this time, a page without a long poll may poll again.
pub(crate) const POLL_AFTER_MS: u64 = 2_000;

/// WeChat's `code_url` and `prepay_id` are valid for two hours.
const LINK_MS: i64 = 2 * 3_600_000;
/// An `h5_url` is valid for five minutes.
const H5_LINK_MS: i64 = 5 * 60_000;
/// A link is renewed this long before its end, so that no buyer starts to pay with an expiring
/// link.
const LINK_MARGIN_MS: i64 = 5 * 60_000;
/// An `h5_url` belongs to the first WeChat account that opens it, so it is handed out again only
/// to a double click or a repeated request.
const H5_LINK_AGAIN_MS: i64 = 60_000;

/// The answer. `action` is this caller's next step. Without one, a valid `code_url` is repeated,
/// because it may be shown to anyone.
pub(crate) fn answer(
    payments: &Payments,
    checkout: &Checkout,
    action: Option<Action>,
) -> CheckoutAnswer {
    let now_ms = payments.clock.now_ms();
    let Checkout { order, attempt } = checkout;
    let is_open = order.state == OrderState::Open;
    let products = order.products.iter().copied();
    CheckoutAnswer {
        state: order.state,
        version: Some(order.version),
        order_no: order.order_no.to_string(),
        description: Some(order.description.clone()),
        payee: payee(&payments.config, order).map(str::to_owned),
        total_fen: order.total_fen.count(),
        currency: Some("CNY".to_owned()),
        payer_total_fen: order.payer_total_fen.map(Fen::count),
        success_time: order.success_time.clone(),
        refunded_fen: Some(order.refunded_fen.count()).filter(|refunded| *refunded > 0),
        remaining_ms: is_open.then(|| span_ms(now_ms, order.expires_ms)),
        checked_ms_ago: order
            .checked_ms
            .map(|checked_ms| span_ms(checked_ms, now_ms)),
        poll_after_ms: Some(POLL_AFTER_MS),
        products: Some(
            products
                .filter(|product| payments.config.products.contains(product))
                .filter_map(AttemptProduct::of_a_page)
                .collect(),
        ),
        live: payments.config.gateway.is_live(),
        attempt: attempt.as_ref().map(|attempt| CurrentAttempt {
            number: attempt.number,
            product: attempt.product.of_a_page(),
            out_trade_no: Some(attempt.out_trade_no.to_string()),
            remaining_ms: attempt_remaining_ms(order, attempt, now_ms),
        }),
        action: action.or_else(|| code_to_show(order, attempt.as_ref()?, now_ms)),
        success_url: order.success_url.clone(),
    }
}

/// Who is paid: the name in the order, or the configured one.
pub fn payee<'a>(config: &'a Config, order: &'a Order) -> Option<&'a str> {
    let configured = || config.payee(order.sub_mchid.as_deref());
    order.payee.as_deref().or_else(configured)
}

/// The logo of who is paid by an order, where one is configured.
pub fn logo<'a>(config: &'a Config, order: &Order) -> Option<&'a Picture> {
    config.logo(order.sub_mchid.as_deref())
}

/// Whether the attempt can be returned again unchanged. A code payment that WeChat accepted can, so
/// that a repeated request does not charge again.
pub(crate) fn is_fresh(attempt: &Attempt, now_ms: i64) -> bool {
    let good_for_ms = match attempt.product {
        AttemptProduct::CodePay => return attempt.state == AttemptState::Open,
        AttemptProduct::H5 => H5_LINK_AGAIN_MS,
        _ => LINK_MS - LINK_MARGIN_MS,
    };
    attempt
        .link
        .as_ref()
        // A `given_ms` in the future means that the clock was set back: the link's age is unknown.
        .is_some_and(|link| (0..good_for_ms).contains(&(now_ms - link.given_ms)))
}

/// How long the attempt's link can be used; zero for an ended attempt.
fn attempt_remaining_ms(order: &Order, attempt: &Attempt, now_ms: i64) -> Option<u64> {
    if order.state != OrderState::Open {
        return None;
    }
    if !attempt.state.is_alive() {
        return Some(0);
    }
    let good_for_ms = match attempt.product {
        AttemptProduct::H5 => H5_LINK_MS,
        _ => LINK_MS,
    };
    let link = attempt.link.as_ref()?;
    let until_ms = order.expires_ms.min(link.given_ms + good_for_ms);
    Some(span_ms(now_ms, until_ms))
}

fn code_to_show(order: &Order, attempt: &Attempt, now_ms: i64) -> Option<Action> {
    let holds = order.state == OrderState::Open
        && attempt.product == AttemptProduct::Native
        && attempt.state == AttemptState::Open
        && attempt_remaining_ms(order, attempt, now_ms).is_some_and(|left| left > 0);
    let link = attempt.link.as_ref().filter(|_| holds)?;
    Some(Action::CodeUrl(link.text.clone()))
}

/// The time from one moment to another; zero if the second moment is earlier.
pub(crate) fn span_ms(from_ms: i64, to_ms: i64) -> u64 {
    u64::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(0)
}
