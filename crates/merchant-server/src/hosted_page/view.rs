//! The checkout page as it stands: from the answer that the element would get, and from where the
//! buyer is. It starts nothing; every step is a form that the buyer sends.

use maud::{Markup, PreEscaped, html};
use merchant_api::{Action, CheckoutAnswer, OrderState, PayParameters, Product, RETURN_PARAMETER};
use qr_code::QrCode;

use super::document::{Frame, document};
use super::offer::{Offer, Place};
use super::words::{self, Words};
use crate::config::Config;
use crate::ledger::Checkout;

/// What the page's address says beside the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The buyer is back from WeChat.
    pub(super) has_returned: bool,
    /// The buyer said "I have paid", and WeChat was asked.
    pub(super) has_checked: bool,
    /// The handle that the hop for the openid brought.
    pub(super) payer: Option<String>,
}

/// The whole page.
pub(super) fn page(
    config: &Config,
    checkout: &Checkout,
    answer: &CheckoutAnswer,
    place: &Place,
    arrival: &Arrival,
) -> Markup {
    let order = &checkout.order;
    let is_over = order.is_closing || answer.remaining_ms == Some(0);
    let waits = answer.state == OrderState::Open && !is_over && answer.action.is_some();
    let step = Step {
        token: &order.token,
        after: order.current_attempt,
        payer: arrival.payer.as_deref(),
    };
    let state = match answer.state {
        OrderState::Paid => paid(answer),
        OrderState::Closed => ended(words::CLOSED),
        OrderState::Open if is_over => html! { (ended(words::EXPIRED)) (step.check()) },
        OrderState::Open if arrival.has_returned => returned(&step),
        OrderState::Open => open(answer, place, &step, waits),
    };
    let content = html! {
        wechat-pay token=(order.token) merchant-api="/v1" {
            // Shown until the element takes over, and again should it not be able to.
            h1 { (order.description) }
            p .total { (yuan(order.total_fen)) }
            @if arrival.has_checked && answer.state == OrderState::Open {
                p .notice role="status" { (words::NOT_PAID_YET) }
            }
            div data-waits[waits] { (state) }
        }
        p .order { "订单号 " span lang="en" { "Order" } " " (order.order_no) }
        (service_contact(config))
        script type="module" src="/dist/wechat-pay.js" {}
    };
    let frame = Frame {
        is_test: !config.gateway.is_live(),
        refreshes: waits,
        has_script: true,
    };
    document("微信支付", frame, &content)
}

/// The page that opens WeChat's cashier: our script reads the parameters from it.
pub(super) fn cashier(
    config: &Config,
    checkout: &Checkout,
    parameters: &PayParameters,
    return_handle: &str,
) -> Markup {
    let order = &checkout.order;
    let back = format!("/c/{}?{RETURN_PARAMETER}={return_handle}", order.token);
    let content = html! {
        h1 { (order.description) }
        p .total { (yuan(order.total_fen)) }
        div #cashier
            data-app-id=(parameters.app_id) data-time-stamp=(parameters.time_stamp)
            data-nonce-str=(parameters.nonce_str) data-package=(parameters.package)
            data-sign-type=(parameters.sign_type) data-pay-sign=(parameters.pay_sign)
            data-back=(back)
        {
            p { (words::OPENING_CASHIER) }
        }
        noscript { p { (words::NEEDS_SCRIPT) } }
        p { a .button href=(back) { (words::I_HAVE_PAID) } }
        p .order { "订单号 " span lang="en" { "Order" } " " (order.order_no) }
        (service_contact(config))
    };
    let frame = Frame {
        is_test: !config.gateway.is_live(),
        refreshes: false,
        has_script: true,
    };
    document("微信支付", frame, &content)
}

/// A step that was refused, with the way back.
pub(super) fn refusal(config: &Config, token: &str, words: Words) -> Markup {
    let content = html! {
        h1 { (words) }
        p { a .button href={ "/c/" (token) } { (words::BACK_TO_ORDER) } }
        (service_contact(config))
    };
    let frame = Frame {
        is_test: !config.gateway.is_live(),
        ..Frame::default()
    };
    document("微信支付", frame, &content)
}

/// What each form of the page carries.
struct Step<'a> {
    token: &'a str,
    /// The attempt that the buyer sees: a form from an older page takes over nothing.
    after: u64,
    payer: Option<&'a str>,
}

impl Step<'_> {
    fn start(&self, product: Product, words: Words, is_first: bool) -> Markup {
        html! {
            form method="post" action={ "/c/" (self.token) "/start" } {
                input type="hidden" name="product" value=(product.as_str());
                input type="hidden" name="after" value=(self.after);
                @if let Some(payer) = self.payer.filter(|_| product == Product::Jsapi) {
                    input type="hidden" name="payer" value=(payer);
                }
                button type="submit" .lesser[!is_first] { (words) }
            }
        }
    }

    fn check(&self) -> Markup {
        html! {
            form method="post" action={ "/c/" (self.token) "/check" } {
                button type="submit" .lesser { (words::I_HAVE_PAID) }
            }
        }
    }
}

fn open(answer: &CheckoutAnswer, place: &Place, step: &Step<'_>, waits: bool) -> Markup {
    let products = answer.products.as_deref().unwrap_or_default();
    let offer = place.offer(products);
    let code = match &answer.action {
        Some(Action::CodeUrl(code_url)) if waits => Some(code_url),
        _ => None,
    };
    let had_code = answer
        .attempt
        .as_ref()
        .is_some_and(|attempt| attempt.product == Some(Product::Native));
    html! {
        @if let Some(code_url) = code {
            (code_to_scan(code_url, place))
        } @else if had_code {
            p { (words::CODE_EXPIRED) }
        }
        @match offer {
            Offer::Products(products) => {
                // The code is in view: only another way is worth a button.
                @let products = products.iter().filter(|product| code.is_none() || **product != Product::Native);
                @for (place, product) in products.enumerate() {
                    (step.start(*product, label(*product, had_code), place == 0 && code.is_none()))
                }
            }
            Offer::Nothing(nothing) => @if code.is_none() { p { (nothing.words()) } },
        }
        @if step.after > 0 { (step.check()) }
    }
}

fn label(product: Product, had_code: bool) -> Words {
    match product {
        Product::Native if had_code => words::NEW_CODE,
        Product::Native => words::SHOW_CODE,
        Product::H5 => words::PAY_BY_H5,
        Product::Jsapi | Product::MiniProgram => words::PAY_IN_WECHAT,
    }
}

fn code_to_scan(code_url: &str, place: &Place) -> Markup {
    let words = if place.is_handheld {
        words::SCAN_ELSEWHERE
    } else {
        words::SCAN
    };
    html! {
        @match QrCode::encode(code_url) {
            Ok(code) => div .code { (PreEscaped(code.svg("微信支付二维码 WeChat Pay QR code"))) },
            // WeChat's codes are short; one that does not fit can only be asked for again.
            Err(_) => p { (words::CODE_EXPIRED) },
        }
        p { (words) }
    }
}

fn returned(step: &Step<'_>) -> Markup {
    html! {
        p { (words::RETURNED) }
        form method="post" action={ "/c/" (step.token) "/check" } {
            button type="submit" { (words::I_HAVE_PAID) }
        }
        p { a .button.lesser href={ "/c/" (step.token) } { (words::I_HAD_A_PROBLEM) } }
    }
}

fn paid(answer: &CheckoutAnswer) -> Markup {
    html! {
        p .outcome.paid role="status" { (words::PAID) }
        @if let Some(url) = &answer.success_url {
            p { a .button href=(url) { (words::BACK_TO_SHOP) } }
        }
    }
}

fn ended(words: Words) -> Markup {
    html! {
        p .outcome role="status" { (words) }
        p { (words::ORDER_AGAIN) }
    }
}

/// Whom a buyer turns to, where the shop says so.
pub(crate) fn service_contact(config: &Config) -> Markup {
    let Some(contact) = &config.service_contact else {
        return html! {};
    };
    html! {
        p .contact {
            (words::CONTACT) " "
            @match &contact.url {
                Some(url) => a href=(url) { (contact.text) },
                None => (contact.text),
            }
        }
    }
}

/// An amount for people.
pub(crate) fn yuan(fen: u64) -> String {
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
