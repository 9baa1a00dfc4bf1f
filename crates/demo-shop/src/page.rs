//! The shop's pages. They contain no inline script and no inline style, since the content policy
//! forbids both, and no absolute address except the merchant server's.

use maud::{DOCTYPE, Markup, html};

use crate::goods::{GOODS, Item, yuan};
use crate::purchase::Purchase;

const STYLE: &str = include_str!("../../../www/demo-shop/shop.css");
const SCRIPT: &str = include_str!("../../../www/demo-shop/shop.js");
const COFFEE: &str = include_str!("../../../www/demo-shop/coffee.svg");
const TEA: &str = include_str!("../../../www/demo-shop/tea.svg");
const NOTEBOOK: &str = include_str!("../../../www/demo-shop/notebook.svg");

/// The name of the shop: above each page, and above the price in the element.
pub(crate) const SHOP_NAME: &str = "山坡小铺";

/// A sentence for the buyer, in Chinese and in English.
pub(crate) type Words = (&'static str, &'static str);

pub(crate) const NO_SUCH_PAGE: Words = ("没有这个页面", "There is no such page.");
pub(crate) const NO_SUCH_ITEM: Words = ("没有这件商品", "We do not sell this.");
pub(crate) const NO_SUCH_ORDER: Words = (
    "没有找到这笔订单，请从付款页面的完整网址打开",
    "No such order. Please open the full address of the payment page.",
);
pub(crate) const CANNOT_SELL_NOW: Words = (
    "暂时无法下单，没有扣款，请稍后再试",
    "We cannot take orders right now. Nothing was charged; please try again in a moment.",
);

/// A static file of the shop: its content type and text.
pub(crate) fn asset(file: &str) -> Option<(&'static str, &'static str)> {
    Some(match file {
        "shop.css" => ("text/css; charset=utf-8", STYLE),
        "shop.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "coffee.svg" => ("image/svg+xml", COFFEE),
        "tea.svg" => ("image/svg+xml", TEA),
        "notebook.svg" => ("image/svg+xml", NOTEBOOK),
        _ => return None,
    })
}

/// The page with all goods.
pub(crate) fn catalogue() -> Markup {
    layout(
        "山坡小铺",
        "page",
        &html! {},
        &html! {
            header.welcome {
                h1 { "今天，慢慢来。" }
                p { "三样东西，都是我们自己在用的。" small lang="en" { "Three things we use ourselves." } }
            }
            ul.shelf {
                @for item in GOODS {
                    li.item {
                        (picture(item))
                        h2 { (item.name) small lang="en" { (item.english_name) } }
                        p { (item.description) }
                        form method="post" action="/buy" {
                            (price(item.price_fen))
                            button name="item" value=(item.id) {
                                "购买" small lang="en" { "Buy" }
                            }
                        }
                    }
                }
            }
            p.back { a href="/gallery/" { "支付组件的每个状态" small lang="en" { "Every state of the element" } } }
        },
    )
}

/// The data of the payment page.
pub(crate) struct PaymentPage<'a> {
    pub(crate) order: &'a Purchase,
    pub(crate) paid: bool,
    /// The server's address without a slash at the end.
    pub(crate) merchant_server: &'a str,
}

/// The page with an order and the element that takes its payment.
pub(crate) fn payment(page: &PaymentPage<'_>) -> Markup {
    let (order, item) = (page.order, page.order.item);
    let state_path = format!("/pay/{}/state?key={}", order.order_no, order.key);
    let element = format!("{}/dist/wechat-pay.js", page.merchant_server);
    // The browser finds the element's script while it still reads the page.
    let preloads = html! { link rel="modulepreload" href=(element); };
    layout(
        "付款 · 山坡小铺",
        "page payment-page",
        &preloads,
        &html! {
            div.order data-order-state=(if page.paid { "paid" } else { "open" }) data-state-path=(state_path) {
                section.summary aria-label="订单" {
                    h1 { "确认付款" small lang="en" { "Checkout" } }
                    div.line {
                        (picture(item))
                        div {
                            h2 { (item.name) }
                            small lang="en" { (item.english_name) }
                            p { "× 1" }
                        }
                    }
                    dl {
                        div { dt { "商品金额" small lang="en" { "Subtotal" } } dd { (price(item.price_fen)) } }
                        div { dt { "运费" small lang="en" { "Shipping" } } dd { "包邮" } }
                        div.total { dt { "应付" small lang="en" { "Total" } } dd { (price(item.price_fen)) } }
                    }
                    p.order-no { "订单号 " code { (order.order_no) } }
                    @if !order.live {
                        p.test-note { "测试环境，不会真实扣款" small lang="en" { "Test mode. No money moves." } }
                    }
                }
                section.till aria-label="付款" {
                    p.thanks role="status" hidden[!page.paid] {
                        strong { "已支付，谢谢！" }
                        small lang="en" { "Paid. Thank you!" }
                        span { "我们会在今天把包裹交给快递。" }
                    }
                    wechat-pay token=(order.token) merchant-api={ (page.merchant_server) "/v1" } checkout-url=(order.checkout_url) {}
                    p.other-way {
                        a href=(order.checkout_url) {
                            "这里打不开？到收银台页面付款" small lang="en" { "Trouble here? Use the hosted checkout page." }
                        }
                    }
                }
            }
            p.back { a href="/" { "← 返回小铺" small lang="en" { "Back to the shop" } } }
            script type="module" src=(element) {}
            script type="module" src="/assets/shop.js" {}
        },
    )
}

/// A page that explains why the requested page cannot be shown.
pub(crate) fn error_page((chinese, english): Words) -> Markup {
    layout(
        "山坡小铺",
        "page",
        &html! {},
        &html! {
            header.welcome {
                h1 { (chinese) small lang="en" { (english) } }
                p { a href="/" { "返回小铺" small lang="en" { "Back to the shop" } } }
            }
        },
    )
}

fn layout(title: &str, class: &str, preloads: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                title { (title) }
                (preloads)
                link rel="stylesheet" href="/assets/shop.css";
                link rel="icon" href="/assets/coffee.svg" type="image/svg+xml";
            }
            body {
                nav.bar { a href="/" { (SHOP_NAME) small lang="en" { "Hillside Shop" } } }
                main class=(class) { (body) }
            }
        }
    }
}

fn picture(item: &Item) -> Markup {
    html! { img src={ "/assets/" (item.id) ".svg" } alt="" width="160" height="120"; }
}

fn price(fen: u64) -> Markup {
    html! { span.price { span.currency { "¥" } (yuan(fen)) } }
}
