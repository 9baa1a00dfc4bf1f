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

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, html};
use merchant_api::OrderState;
use url::form_urlencoded;
use wechat_pay::receipt_is_wechats;

use crate::checkout;
use crate::error::Failure;
use crate::hosted_page::{STYLE_PATH, service_contact, yuan};
use crate::ledger::{Attempt, AttemptState, Order};
use crate::server::MerchantServer;

const SCRIPT: &str = include_str!("receipt.js");
pub(crate) const SCRIPT_PATH: &str = "/receipt.js";
/// The page around ours.
const WECHATS_PAGE: &str = "https://payapp.weixin.qq.com";
/// WeChat wants it on every receipt page: it watches over what is shown there.
const WECHATS_SCRIPT: &str = "https://wx.gtimg.com/pay_h5/goldplan/js/jgoldplan-1.0.0.js";

/// `GET /wechat/receipt?sub_mch_id&out_trade_no&check_code`
pub(crate) async fn page(
    State(server): State<MerchantServer>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let asked = Asked::read(&query.unwrap_or_default());
    let found = match asked {
        Some(asked) => find(&server, &asked).await?,
        None => None,
    };
    if found.is_none() {
        tracing::warn!(
            event = "receipt.refused",
            "a receipt page was asked for that does not belong to a payment of ours"
        );
    }
    Ok(framed(&server, &document(&server, found.as_ref())))
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
struct Asked {
    sub_mchid: String,
    out_trade_no: String,
    check_code: String,
}

impl Asked {
    fn read(query: &str) -> Option<Self> {
        let value = |wanted: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        Some(Self {
            sub_mchid: value("sub_mch_id")?,
            out_trade_no: value("out_trade_no")?,
            check_code: value("check_code")?,
        })
    }
}

/// The paid order that is meant, if WeChat is who asks. It may ask before its notification comes,
/// so an order that is still open is asked about once.
async fn find(server: &MerchantServer, asked: &Asked) -> Result<Option<Order>, Failure> {
    let attempt = async || -> Result<Option<Attempt>, Failure> {
        let attempt = server
            .ledger
            .attempt_by_out_trade_no(&asked.out_trade_no)
            .await?;
        Ok(attempt.filter(|attempt| attempt.parties.sub_mchid.as_ref() == Some(&asked.sub_mchid)))
    };
    let Some(mut known) = attempt().await? else {
        return Ok(None);
    };
    if known.state.is_alive() {
        checkout::ask(server, known.order_id).await?;
        known = match attempt().await? {
            Some(known) => known,
            None => return Ok(None),
        };
    }
    let is_wechats = known
        .transaction_id
        .as_deref()
        .is_some_and(|transaction_id| {
            receipt_is_wechats(
                &server.config.merchant.receipt_url,
                &asked.sub_mchid,
                &asked.out_trade_no,
                transaction_id,
                &asked.check_code,
            )
        });
    if known.state != AttemptState::Paid || !is_wechats {
        return Ok(None);
    }
    let checkout = server.ledger.checkout(known.order_id).await?;
    Ok(checkout
        .map(|checkout| checkout.order)
        .filter(|order| order.state == OrderState::Paid))
}

fn document(server: &MerchantServer, order: Option<&Order>) -> Markup {
    let is_live = server.config.gateway.is_live();
    let display = if order.is_some() {
        "SHOW_CUSTOM_PAGE"
    } else {
        "SHOW_OFFICIAL_PAGE"
    };
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { "支付结果" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(STYLE_PATH);
                // First ours: WeChat waits for three seconds, and not for another host.
                script src=(SCRIPT_PATH) defer {}
                @if is_live { script src=(WECHATS_SCRIPT) charset="UTF-8" async {} }
            }
            body .receipt {
                main #receipt data-display=(display) data-parent=(parent(server)) {
                    @match order {
                        Some(order) => (receipt(server, order)),
                        None => p { "付款结果请以微信支付账单为准。 " span lang="en" { "Please look at your payment in WeChat." } },
                    }
                }
            }
        }
    }
}

fn receipt(server: &MerchantServer, order: &Order) -> Markup {
    html! {
        p .outcome.paid { "支付成功 " span lang="en" { "Payment received" } }
        p .total { (yuan(order.payer_total_fen.unwrap_or(order.total_fen))) }
        h1 { (order.description) }
        p .order { "订单号 " span lang="en" { "Order" } " " (order.order_no) }
        @if let Some(url) = &order.success_url {
            p { a #leave .button href=(url) { "返回商家 " span lang="en" { "Back to the shop" } } }
        }
        (service_contact(&server.config))
    }
}

/// The origin of the page around ours; with a simulator, the simulator's.
fn parent(server: &MerchantServer) -> &str {
    if server.config.gateway.is_live() {
        WECHATS_PAGE
    } else {
        &server.config.gateway.origin
    }
}

/// Framed by WeChat's page alone. No `X-Frame-Options`: it cannot name an origin.
fn framed(server: &MerchantServer, markup: &Markup) -> Response {
    let wechats_script = if server.config.gateway.is_live() {
        " https://wx.gtimg.com"
    } else {
        ""
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'{wechats_script}; style-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors {}",
        parent(server)
    );
    let mut response = (StatusCode::OK, markup.clone()).into_response();
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
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
