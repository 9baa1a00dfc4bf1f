//! `/c/{token}`: the hosted checkout page. It shows the order and holds the element; it starts
//! nothing by itself, so a bot that follows the link orders nothing.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, html};
use merchant_api::ErrorCode;

use crate::checkout;
use crate::error::Failure;
use crate::ledger::Order;
use crate::server::MerchantServer;

/// The page's few rules, served by us: the policy allows no inline style.
const STYLE: &str = include_str!("hosted_page.css");
pub(crate) const STYLE_PATH: &str = "/c.css";

/// `GET /c/{token}`
pub(crate) async fn page(
    State(server): State<MerchantServer>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    let order = match checkout::find(&server, &token).await {
        Ok(checkout) => checkout.order,
        Err(Failure::Refused(error)) if error.code == Some(ErrorCode::CheckoutUnknown) => {
            let words = html! {
                h1 { "找不到这个订单，请返回商家页面。" }
                p lang="en" { "There is no such checkout. Go back to the shop's page." }
            };
            return Ok(plain(StatusCode::NOT_FOUND, "微信支付", &words));
        }
        Err(failure) => return Err(failure),
    };
    let markup = checkout_page(&server, &order);
    Ok(secured(StatusCode::OK, &markup, &checkout_policy(&server)))
}

/// `GET /c.css`
pub(crate) async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, STYLE).into_response()
}

/// A page of words alone.
pub(crate) fn plain(status: StatusCode, title: &str, words: &Markup) -> Response {
    let markup = document(title, false, words);
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    secured(status, &markup, policy)
}

fn checkout_page(server: &MerchantServer, order: &Order) -> Markup {
    let words = html! {
        wechat-pay token=(order.token) merchant-api="/v1" {
            // Shown until the element takes over, and again should it not be able to.
            h1 { (order.description) }
            p .total { (yuan(order.total_fen)) }
            noscript {
                p { "请开启浏览器的 JavaScript，或在微信中打开本页完成支付。" }
                p lang="en" { "Turn on JavaScript, or open this page in WeChat, to pay." }
            }
        }
        p .order { "订单号 " span lang="en" { "Order" } " " (order.order_no) }
        script type="module" src="/dist/wechat-pay.js" {}
    };
    document("微信支付", !server.config.gateway.is_live(), &words)
}

fn document(title: &str, is_test: bool, words: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                // No picture, and no request for one.
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(STYLE_PATH);
            }
            body {
                @if is_test {
                    p .test { "TEST 测试环境，不会产生真实付款 " span lang="en" { "No real money moves here." } }
                }
                main { (words) }
            }
        }
    }
}

/// What the page may load and where it may go. `form-action` names WeChat's H5 host, because
/// some browsers count the redirect that follows a form.
fn checkout_policy(server: &MerchantServer) -> String {
    let gateway = &server.config.gateway;
    let simulator = if gateway.is_live() {
        ""
    } else {
        &gateway.origin
    };
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
         form-action 'self' https://wx.tenpay.com {simulator}; frame-ancestors 'none'"
    )
}

fn secured(status: StatusCode, markup: &Markup, policy: &str) -> Response {
    let mut response = (status, markup.clone()).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        // WeChat compares the Referer of an H5 payment; no-referrer breaks it.
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// An amount for people.
fn yuan(fen: u64) -> String {
    format!("¥{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::yuan;

    #[test]
    fn an_amount_is_written_in_yuan_to_the_fen() {
        let cases = [(1, "¥0.01"), (1990, "¥19.90"), (100_000, "¥1000.00")];
        for (fen, expected) in cases {
            assert_eq!(yuan(fen), expected);
        }
    }
}
