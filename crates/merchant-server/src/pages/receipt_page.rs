//! The receipt page of partner mode (点金计划, 商家小票). After a JSAPI payment for a sub-merchant,
//! WeChat closes the merchant's page and shows one of its own, with this one in a frame at its
//! top. Registered at WeChat as 商家小票链接; see `deploy/README.md`.
//!
//! WeChat's address names an order and a `check_code` that only WeChat and we can make, for it
//! covers WeChat's number of the payment. With a wrong one nothing of the order is shown, and
//! WeChat is told to show its own receipt. So too where the order is not known as paid: the page
//! never says that money came because a browser says so.
//!
//! Plain HTML and a few lines of script; the element is not on it. It is the one page of ours that
//! can be framed, by WeChat alone, and the one that loads a script of WeChat's, which WeChat asks
//! for there.

mod questions;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use maud::{Markup, html};
use merchant_core::Payments;
use merchant_core::checkouts::{ReceiptQuery, of_receipt};
use merchant_core::ledger::Order;
pub(crate) use questions::ReceiptQuestions;
use url::form_urlencoded;

use crate::error::Failure;
use crate::extract::{Caller, Language};
use crate::pages::hosted_page;
use crate::pages::hosted_page::{amount, service_contact};

const SCRIPT: &str = include_str!("receipt_page/receipt.js");
pub(crate) const SCRIPT_PATH: &str = "/receipt.js";
/// The pages around ours: the documented one, and the same under the domain to which WeChat Pay
/// moves its pages one by one.
const WECHATS_PAGES: &str = "https://payapp.weixin.qq.com https://payapp.wechatpay.cn";
/// WeChat wants it on every receipt page: it watches over what is shown there.
const WECHATS_SCRIPT: &str = "https://wx.gtimg.com/pay_h5/goldplan/js/jgoldplan-1.0.0.js";

/// `GET /wechat/receipt?sub_mch_id&out_trade_no&check_code`
pub(crate) async fn page(
    State(payments): State<Payments>,
    State(questions): State<Arc<ReceiptQuestions>>,
    language: Language,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let found = match read_query(&query.unwrap_or_default()) {
        Some(receipt) => {
            let may_query = || questions.may_ask(caller, payments.clock().monotonic_ms());
            of_receipt(&payments, &receipt, may_query).await?
        }
        None => None,
    };
    if found.is_none() {
        tracing::warn!(
            event = "receipt.refused",
            "a receipt page was asked for that does not belong to a payment of ours"
        );
    }
    let markup = document(&payments, found.as_ref(), language);
    Ok(framed(&payments, &markup))
}

/// `GET /receipt.js`
pub(crate) async fn script() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, SCRIPT).into_response()
}

/// What WeChat appends to the page's address.
fn read_query(query: &str) -> Option<ReceiptQuery> {
    let value = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    // What cannot be an MD5 is not worth a question at WeChat.
    let is_code =
        |text: &String| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(ReceiptQuery {
        sub_mchid: value("sub_mch_id")?,
        out_trade_no: value("out_trade_no")?,
        check_code: value("check_code").filter(is_code)?,
    })
}

fn document(payments: &Payments, order: Option<&Order>, language: Language) -> Markup {
    let is_live = payments.config().gateway.is_live();
    let display = if order.is_some() {
        "SHOW_CUSTOM_PAGE"
    } else {
        "SHOW_OFFICIAL_PAGE"
    };
    let head = html! {
        // First ours: WeChat waits for three seconds, and not for another host.
        script src=(SCRIPT_PATH) defer {}
        @if is_live { script src=(WECHATS_SCRIPT) charset="UTF-8" async {} }
    };
    let body = html! {
        main .receipt #receipt data-display=(display) data-parents=(parents(payments)) {
            @match order {
                Some(order) => (receipt(payments, order, language)),
                None => p .quiet { (language.say(buyer_words::SEE_WECHAT)) },
            }
        }
    };
    hosted_page::document(language, &head, &body)
}

fn receipt(payments: &Payments, order: &Order, language: Language) -> Markup {
    let paid_fen = order.payer_total_fen.unwrap_or(order.total_fen);
    html! {
        h1 .title { (language.say(buyer_words::PAID)) }
        p .amount { (amount(paid_fen, language)) }
        p .description dir="auto" { (order.description) }
        p .quiet { (language.say(buyer_words::ORDER_NUMBER)) " " (order.order_no) }
        @if let Some(url) = &order.success_url {
            p { a #leave .button href=(url) { (language.say(buyer_words::BACK_TO_SHOP)) } }
        }
        (service_contact(payments.config(), language))
    }
}

/// The origins that the page around ours may have; with a simulator, the simulator's.
fn parents(payments: &Payments) -> &str {
    if payments.config().gateway.is_live() {
        WECHATS_PAGES
    } else {
        &payments.config().gateway.origin
    }
}

/// Framed by WeChat's page alone. No `X-Frame-Options`: it cannot name an origin.
fn framed(payments: &Payments, markup: &Markup) -> Response {
    let wechats_script = if payments.config().gateway.is_live() {
        " https://wx.gtimg.com"
    } else {
        ""
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'{wechats_script}; style-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors {}",
        parents(payments)
    );
    let mut response = (StatusCode::OK, markup.clone()).into_response();
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "accept-language"),
        // The address names an order: the shop that is led to need not have it.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
