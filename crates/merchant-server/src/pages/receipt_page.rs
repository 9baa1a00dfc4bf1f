//! The receipt page of partner mode (点金计划, 商家小票). After a JSAPI payment for a sub-merchant, WeChat
//! closes the merchant's page and shows a page of its own, with this page in a frame at its top.
//! Registered at WeChat as 商家小票链接; see `docs/en/going-live.md`.
//!
//! WeChat's address names an order and a `check_code`. Only WeChat and this server can compute it,
//! because it covers the `transaction_id`. With a wrong code, or for an order that is not known as
//! paid, the page shows no data of the order and tells WeChat to show its own receipt. The server
//! never trusts a browser's report of a payment.
//!
//! The page is plain HTML with a few lines of script, without the element. It is the only page that
//! can be framed, and only WeChat can frame it. It is also the only page that loads a script of
//! WeChat's, as WeChat requires.

mod questions;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use maud::{Markup, html};
use merchant_core::checkouts::{ReceiptQuery, of_receipt, payee};
use merchant_core::ledger::Order;
use merchant_core::{Merchants, Payments, Refusal};
pub(crate) use questions::ReceiptQuestions;
use url::form_urlencoded;

use crate::error::Failure;
use crate::extract::{Caller, Language, note_merchant};
use crate::pages::hosted_page;
use crate::pages::hosted_page::{amount, service_contact};

const SCRIPT: &str = include_str!("receipt_page/receipt.js");
pub(crate) const SCRIPT_PATH: &str = "/receipt.js";
/// The origins of WeChat's surrounding page: the documented one, and the domain to which WeChat Pay
/// moves its pages.
const WECHATS_PAGES: &str = "https://payapp.weixin.qq.com https://payapp.wechatpay.cn";
/// WeChat requires this script on every receipt page: it monitors what is shown.
const WECHATS_SCRIPT: &str = "https://wx.gtimg.com/pay_h5/goldplan/js/jgoldplan-1.0.0.js";

/// `GET /wechat/receipt?sub_mch_id&out_trade_no&check_code`
pub(crate) async fn page(
    State(merchants): State<Merchants>,
    State(questions): State<Arc<ReceiptQuestions>>,
    language: Language,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let found = match read_query(&query.unwrap_or_default()) {
        Some(receipt) => find(&merchants, &receipt, &questions, caller).await?,
        None => None,
    };
    let (payments, order) = match &found {
        Some((payments, order)) => (*payments, Some(order)),
        None => (merchants.first(), None),
    };
    if order.is_none() {
        tracing::warn!(
            event = "receipt.refused",
            "a receipt page was asked for that does not belong to a payment of ours"
        );
    }
    let markup = document(payments, order, language);
    Ok(framed(payments, &markup))
}

/// The paid order that the address names, and the provider whose it is. Two providers may sell for one
/// sub-merchant under the same number; the address proves which of them it is about.
async fn find<'a>(
    merchants: &'a Merchants,
    receipt: &ReceiptQuery,
    questions: &ReceiptQuestions,
    caller: Caller,
) -> Result<Option<(&'a Payments, Order)>, Refusal> {
    for payments in merchants.each() {
        let may_query = || questions.may_ask(caller, payments.clock().monotonic_ms());
        if let Some(order) = of_receipt(payments, receipt, may_query).await? {
            note_merchant(payments);
            return Ok(Some((payments, order)));
        }
    }
    Ok(None)
}

/// `GET /receipt.js`
pub(crate) async fn script() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, SCRIPT).into_response()
}

/// The parameters that WeChat appends to the page's address.
fn read_query(query: &str) -> Option<ReceiptQuery> {
    let value = |parameter: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == parameter)
            .map(|(_, value)| value.into_owned())
    };
    // A `check_code` that cannot be an MD5 needs no query.
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
        // Our script first: WeChat waits three seconds for it.
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
    let payee = order.and_then(|order| payee(payments.config(), order));
    hosted_page::document_of(language, payee, &head, &body)
}

fn receipt(payments: &Payments, order: &Order, language: Language) -> Markup {
    let paid_fen = order.payer_total_fen.unwrap_or(order.total_fen);
    html! {
        h1 .title { (language.say(buyer_words::PAID)) }
        p .amount { (amount(paid_fen, language)) }
        p .payee dir="auto" { (payee(payments.config(), order).unwrap_or_default()) }
        p .description dir="auto" { (order.description) }
        p .quiet { (language.say(buyer_words::ORDER_NUMBER)) " " (order.order_no) }
        @if let Some(url) = &order.success_url {
            p { a #leave .button href=(url) { (language.say(buyer_words::BACK_TO_SHOP)) } }
        }
        (service_contact(payments.config(), language))
    }
}

/// The allowed origins of the surrounding page; with a simulator, the simulator's.
fn parents(payments: &Payments) -> &str {
    if payments.config().gateway.is_live() {
        WECHATS_PAGES
    } else {
        &payments.config().gateway.origin
    }
}

/// Only WeChat's page can frame this page. `X-Frame-Options` is not sent: it cannot name an origin.
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
        // The address names an order, which the linked shop does not need.
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
