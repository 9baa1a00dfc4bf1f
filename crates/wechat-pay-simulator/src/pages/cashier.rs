//! WeChat's cashier as a page: the order, and the buyer's three choices.

use maud::{Markup, html};

use crate::ledger::PayRefusal;
use crate::ledger::order::Order;

/// The order and the form of the buyer's choice, with the `hidden` fields.
pub(super) fn cashier(order: &Order, action: &str, hidden: &[(&str, &str)]) -> Markup {
    let request = &order.request;
    html! {
        section.card {
            p.quiet { "付款给商户 " (request.key.mchid) " · " span lang="en" { "Pay merchant" } }
            p.amount { "¥" (request.total.to_yuan_text()) }
            dl {
                dt { "商品 · " span lang="en" { "For" } }
                dd #description { (request.description) }
                dt { "订单号 · " span lang="en" { "Order" } }
                dd { (request.key.out_trade_no) }
            }
            (sub_orders(order))
            form method="post" action=(action) {
                @for (name, value) in hidden {
                    input type="hidden" name=(name) value=(value);
                }
                button.confirm name="outcome" value="success" { "确认支付 · " span lang="en" { "Confirm" } }
                button name="outcome" value="cancel" { "取消 · " span lang="en" { "Cancel" } }
                button name="outcome" value="fail" { "支付失败 · " span lang="en" { "Let it fail" } }
            }
        }
    }
}

/// What is paid with a combined order.
fn sub_orders(order: &Order) -> Markup {
    let lines = order.sub_order_lines();
    html! {
        @if !lines.is_empty() {
            h2 { "合单支付 " (lines.len()) " 笔 · " span lang="en" { "Paid together" } }
            ul #sub_orders {
                @for line in lines {
                    li { (line.description) " · ¥" (line.amount.to_yuan_text()) " · " span.quiet { (line.mchid) } }
                }
            }
        }
    }
}

/// Why the cashier does not open, in WeChat's Chinese and in English.
pub(super) fn refusal_text(refusal: PayRefusal) -> (&'static str, &'static str) {
    match refusal {
        PayRefusal::Unknown => ("订单不存在", "There is no such order."),
        PayRefusal::LinkExpired => (
            "支付请求已失效，请重新发起支付",
            "This link is no longer valid. Start the payment again.",
        ),
        PayRefusal::OrderExpired => ("订单已过期", "The time to pay this order has passed."),
        PayRefusal::Closed => ("订单已关闭", "This order is closed."),
        PayRefusal::Paid => ("该订单已支付", "This order is paid already."),
        PayRefusal::OtherPayer => (
            "下单账号与支付账号不一致",
            "Another account placed this order.",
        ),
    }
}
