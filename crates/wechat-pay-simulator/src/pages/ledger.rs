//! The ledger for people: every order with its payment, its attempts, its refunds, and each try of
//! each notification, the newest first. The forms do what happens at WeChat without the merchant: a
//! late payment, a refund in the portal, a refund's result.

use axum::Router;
use axum::extract::{RawForm, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use maud::{Markup, html};
use wechat_pay::{Fen, TradeState};

use super::cashier::refusal_text;
use super::form::{outcome_of, value_of};
use super::layout::{layout_wide, with_page_headers};
use crate::control::Problem;
use crate::control::refund::{Decision, PortalRefund, decide_refund, refund_by_hand};
use crate::ledger::order::OrderKey;
use crate::ledger::{AttemptView, LedgerView, NotificationView, OrderView, RefundView, Target};
use crate::simulator::{Buyer, Simulator};

/// The most orders on the page; the control interface returns all of them.
const SHOWN: usize = 200;

/// The results of a refund, each with its button text.
const RESULTS: [(&str, &str); 3] = [
    ("success", "成功 · Success"),
    ("abnormal", "异常 · Abnormal"),
    ("closed", "关闭 · Closed"),
];

pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/ledger", get(page))
        .route("/ledger/pay", post(pay))
        .route("/ledger/refund", post(refund))
        .route("/ledger/refund/outcome", post(decide))
}

async fn page(State(simulator): State<Simulator>) -> Response {
    shown(&simulator, StatusCode::OK, None)
}

fn shown(simulator: &Simulator, status: StatusCode, problem: Option<&str>) -> Response {
    let view = simulator.ledger_view(None);
    let content = html! {
        h1 { "账本 · " span lang="en" { "Ledger" } }
        @if let Some(problem) = problem { p.card role="alert" { (problem) } }
        p.quiet {
            (view.orders.len()) " 笔订单 · " span lang="en" { "orders" } ", "
            (view.refunds.len()) " 笔退款 · " span lang="en" { "refunds" } ", "
            a href="/_simulator/ledger" { "JSON" }
        }
        @if view.orders.is_empty() {
            p.card.quiet { "暂无订单 · " span lang="en" { "No orders yet" } }
        }
        @for order in newest_first(&view) { (card(order, &view)) }
    };
    with_page_headers(status, layout_wide("账本 · Ledger", &content))
}

fn newest_first(view: &LedgerView) -> Vec<&OrderView> {
    let mut orders: Vec<&OrderView> = view.orders.iter().collect();
    orders.sort_by(|a, b| b.created_at.cmp(&a.created_at));
    orders.truncate(SHOWN);
    orders
}

fn card(order: &OrderView, view: &LedgerView) -> Markup {
    let refunds = view
        .refunds
        .iter()
        .filter(|refund| refund.mchid == order.mchid && refund.out_trade_no == order.out_trade_no);
    html! {
        section.card {
            h2 { (order.out_trade_no) " · ¥" (order.total.to_yuan_text()) " · " (order.trade_state) }
            dl {
                dt { "商户 · " span lang="en" { "Merchant" } }
                dd { (order.mchid) @if let Some(sub) = &order.sub_mchid { " / " (sub) } }
                dt { "时间 · " span lang="en" { "Ordered" } } dd { (order.created_at) }
                @if let Some(id) = &order.transaction_id {
                    dt { "微信单号 · " span lang="en" { "Paid as" } } dd { (id) }
                    dt { "已退 · " span lang="en" { "Refunded" } } dd { "¥" (order.refunded.to_yuan_text()) }
                }
            }
            @for refund in refunds { (refund_line(refund, order)) }
            @if !order.attempts.is_empty() { (attempts(&order.attempts)) }
            @for notification in &order.notifications { (tries(notification)) }
            (by_hand(order))
        }
    }
}

fn refund_line(refund: &RefundView, order: &OrderView) -> Markup {
    html! {
        p { "退款 · " span lang="en" { "Refund" } " " (refund.out_refund_no) ": ¥" (refund.refund.to_yuan_text()) " " strong { (refund.status) } }
        @if refund.status == "PROCESSING" {
            form method="post" action="/ledger/refund/outcome" {
                (named(order))
                input type="hidden" name="out_refund_no" value=(refund.out_refund_no);
                @for (result, text) in RESULTS {
                    button name="outcome" value=(result) { (text) }
                }
            }
        }
    }
}

fn attempts(attempts: &[AttemptView]) -> Markup {
    html! {
        details {
            summary { "支付尝试 · " span lang="en" { "Attempts" } ": " (attempts.len()) }
            ol {
                @for attempt in attempts {
                    li { (attempt.at) " " (attempt.by) " " (attempt.openid) " → " (attempt.result) }
                }
            }
        }
    }
}

fn tries(notification: &NotificationView) -> Markup {
    html! {
        details {
            summary {
                (notification.event_type) ": " (notification.tries) " 次 · " span lang="en" { "tries" } ", "
                @if notification.acked { "已确认 · " span lang="en" { "acknowledged" } }
                @else { "未确认 · " span lang="en" { "not acknowledged" } }
            }
            ol {
                @for made in &notification.log {
                    li { (made.due_at) " → "
                        @if let Some(status) = made.status { (status) }
                        @if let Some(problem) = &made.problem { (problem) }
                    }
                }
            }
        }
    }
}

/// The forms for an order, which act without its merchant.
fn by_hand(order: &OrderView) -> Markup {
    html! {
        @match order.trade_state {
            TradeState::NotPay | TradeState::Closed => {
                form method="post" action="/ledger/pay" {
                    (named(order))
                    input type="hidden" name="outcome" value="success";
                    button { "款项到账（含已关闭的订单）· " span lang="en" { "Let the money land, late or closed" } }
                }
            }
            TradeState::Success | TradeState::Refund => {
                form method="post" action="/ledger/refund" {
                    (named(order))
                    label { "在商户平台退款（元）· " span lang="en" { "Refund in the portal, yuan" }
                        input type="text" inputmode="decimal" name="yuan" required autocomplete="off";
                    }
                    button { "退款 · " span lang="en" { "Refund" } }
                }
            }
            _ => {}
        }
    }
}

/// The merchant of the order, as hidden fields of a form.
fn named(order: &OrderView) -> Markup {
    html! {
        input type="hidden" name="mchid" value=(order.mchid);
        @if let Some(sub) = &order.sub_mchid { input type="hidden" name="sub_mchid" value=(sub); }
        input type="hidden" name="out_trade_no" value=(order.out_trade_no);
    }
}

async fn pay(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let value = |name| value_of(&form, name).unwrap_or_default();
    let target = Target::Late(OrderKey {
        mchid: value("mchid"),
        sub_mchid: value_of(&form, "sub_mchid"),
        out_trade_no: value("out_trade_no"),
        is_combined: false,
    });
    let Some(outcome) = outcome_of(&form) else {
        let problem = "outcome: must be success, cancel or fail";
        return shown(&simulator, StatusCode::BAD_REQUEST, Some(problem));
    };
    match simulator.visit_cashier(&target, outcome, &Buyer::Anybody) {
        Ok(_) => back(),
        Err(refusal) => {
            let (_, english) = refusal_text(refusal);
            shown(&simulator, StatusCode::CONFLICT, Some(english))
        }
    }
}

async fn refund(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let value = |name| value_of(&form, name).unwrap_or_default();
    let amount = match Fen::from_yuan_text(value("yuan").trim()) {
        Ok(amount) => amount,
        Err(error) => {
            let problem = format!("yuan: {error}");
            return shown(&simulator, StatusCode::BAD_REQUEST, Some(&problem));
        }
    };
    let asked = PortalRefund {
        mchid: value("mchid"),
        sub_mchid: value_of(&form, "sub_mchid"),
        out_trade_no: value("out_trade_no"),
        refund: amount.get(),
        reason: None,
    };
    match refund_by_hand(&simulator, asked) {
        Ok(_) => back(),
        Err(problem) => refused(&simulator, &problem),
    }
}

async fn decide(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let value = |name| value_of(&form, name).unwrap_or_default();
    let Ok(outcome) = serde_json::from_value(value("outcome").into()) else {
        let problem = "outcome: must be success, abnormal or closed";
        return shown(&simulator, StatusCode::BAD_REQUEST, Some(problem));
    };
    let decision = Decision {
        mchid: value("mchid"),
        sub_mchid: value_of(&form, "sub_mchid"),
        out_refund_no: value("out_refund_no"),
        outcome,
    };
    match decide_refund(&simulator, decision) {
        Ok(_) => back(),
        Err(problem) => refused(&simulator, &problem),
    }
}

fn refused(simulator: &Simulator, problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    let text = match problem.field {
        Some(field) => format!("{field}: {}", problem.message),
        None => problem.message.clone(),
    };
    shown(simulator, status, Some(&text))
}

fn back() -> Response {
    Redirect::to("/ledger").into_response()
}
