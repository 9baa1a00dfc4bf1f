//! The ledger for people: every order with its payment, its refunds, and each try of each
//! notification, the newest first.

use axum::{Router, extract::State, response::Response, routing::get};
use http::StatusCode;
use maud::{Markup, html};

use super::{layout_wide, with_page_headers};
use crate::{
    ledger::{LedgerView, NotificationView, OrderView},
    simulator::Simulator,
};

/// So many orders are shown; the control interface gives all of them.
const SHOWN: usize = 200;

pub(super) fn routes() -> Router<Simulator> {
    Router::new().route("/ledger", get(page))
}

async fn page(State(simulator): State<Simulator>) -> Response {
    let view = simulator.ledger_view(None);
    let content = html! {
        h1 { "账本 · " span lang="en" { "Ledger" } }
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
    with_page_headers(StatusCode::OK, layout_wide("账本 · Ledger", &content))
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
            @for refund in refunds {
                p { "退款 · " span lang="en" { "Refund" } " " (refund.out_refund_no) ": ¥" (refund.refund.to_yuan_text()) " " strong { (refund.status) } }
            }
            @for notification in &order.notifications { (tries(notification)) }
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
