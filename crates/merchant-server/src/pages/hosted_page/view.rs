//! The checkout page, from the answer that the element would get and from the buyer's browser. The
//! page starts nothing by itself; every step is a form that the buyer sends.
//!
//! The page looks like the element and is its fallback content: it is shown until the element takes
//! over, and again if the element fails. So there is one card at a time, with one TEST ribbon. A card
//! with a code lies over the element until the element shows a code itself, or something else than
//! that it is loading: the page's script then moves the card into the element.

use buyer_words::Words;
use maud::{Markup, html};
use merchant_api::{CheckoutAnswer, OrderState, PayParameters, Product, RETURN_PARAMETER};
use merchant_core::checkouts::{self, payee};
use merchant_core::config::{Bundle, Config};
use merchant_core::ledger::{Checkout, Order};
use payment_values::Fen;

use super::amount::amount;
use super::code::{code_to_scan, shown_code};
use super::document::{Style, card, closing, document_of, opening, own_script};
use super::marks::{brand, in_slots, logo};
use super::offer::{BuyerContext, Offer};
use super::page_request::{Notice, PageRequest};
use super::status;
use super::time_text::time_text;
use crate::extract::Language;

/// The longest amount in large digits.
const AMOUNT_CHARACTERS_MAX: usize = 11;
/// The element's script.
const ELEMENT_PATH: &str = "/dist/wechat-pay.js";

/// The whole page.
pub(super) fn page(
    config: &Config,
    checkout: &Checkout,
    answer: &CheckoutAnswer,
    request: &PageRequest,
) -> Markup {
    html! {
        (head(config, answer.payee.as_deref(), request.language))
        (body(config, checkout, answer, request))
    }
}

/// The page up to the end of its head, which is the same in every state of an order.
pub(super) fn head(config: &Config, payee: Option<&str>, language: Language) -> Markup {
    let links = html! {
        @if config.bundle != Bundle::Absent {
            // The body comes first on a slow network.
            link rel="modulepreload" href=(ELEMENT_PATH) fetchpriority="low";
            @if let Some(name) = config.bundle.wasm() {
                link rel="preload" as="fetch" type="application/wasm" href={ "/dist/" (name) }
                    crossorigin fetchpriority="low";
            }
        }
        (own_script())
    };
    opening(language, Style::Inline, payee, &links)
}

/// The rest of the page.
pub(super) fn body(
    config: &Config,
    checkout: &Checkout,
    answer: &CheckoutAnswer,
    request: &PageRequest,
) -> Markup {
    let PageRequest {
        arrival, language, ..
    } = request;
    let (order, language) = (&checkout.order, *language);
    let buyer = BuyerContext::of(&request.headers);
    let is_open = answer.state == OrderState::Open;
    let is_over = order.is_closing || answer.remaining_ms == Some(0);
    let waits = is_open && !is_over && order.current_attempt > 0;
    let version = answer.version.unwrap_or_default();
    let offer = buyer.offer(answer.products.as_deref().unwrap_or_default());
    let code = shown_code(answer, &offer, arrival).filter(|_| waits && !arrival.has_returned);
    let step = Step {
        token: &order.token,
        after: order.current_attempt,
        payer: arrival.payer.as_deref(),
        language,
    };
    let state = match answer.state {
        OrderState::Paid => html! { (paid(answer, language)) (way_back(answer, language)) },
        OrderState::Closed => ended(buyer_words::CLOSED, language),
        OrderState::Open if is_over => {
            html! { (ended(buyer_words::EXPIRED, language)) (step.check()) }
        }
        OrderState::Open if arrival.has_returned => returned(&step),
        OrderState::Open => open(answer, &offer, &buyer, code, &step),
    };
    let content = html! {
        (about(config, order, language))
        @if let Some(notice) = arrival.notice.filter(|_| is_open) {
            p .notice role="status" { (language.say(words_of(notice))) }
        }
        // With script, the page checks by itself whether the order has a newer version.
        div .body data-waits=[waits.then_some(version)] { (state) }
        @if waits { noscript { (status::frame(&order.token, version, language)) } }
    };
    let card = card(language, !config.gateway.is_live(), &content);
    let awaits_code = is_open && offer.first() == Some(Product::Native);
    let element = |content: &Markup| {
        html! {
            wechat-pay token=(order.token) merchant-api="/v1" .for-code[awaits_code] {
                (in_slots(config, checkouts::logo(config, order), language))
                (content)
            }
        }
    };
    closing(&html! {
        main {
            (heading(language))
            @if code.is_some() && buyer.shows_code() {
                div .stage {
                    div .served { (card) }
                    (element(&html! {}))
                }
            } @else {
                (element(&html! { div slot="fallback" { (card) } }))
            }
            (beneath(config, order, answer.state, language))
        }
        script type="module" src=(ELEMENT_PATH) {}
    })
}

/// The page that opens WeChat's cashier: our script reads the parameters from it.
pub(super) fn cashier(
    config: &Config,
    checkout: &Checkout,
    parameters: &PayParameters,
    language: Language,
) -> Markup {
    let order = &checkout.order;
    let handle = checkout.return_handle();
    let back = format!("/c/{}?{RETURN_PARAMETER}={handle}", order.token);
    let content = html! {
        (about(config, order, language))
        div .body {
            div #cashier
                data-app-id=(parameters.app_id) data-time-stamp=(parameters.time_stamp)
                data-nonce-str=(parameters.nonce_str) data-package=(parameters.package)
                data-sign-type=(parameters.sign_type) data-pay-sign=(parameters.pay_sign)
                data-back=(back)
            {
                p { (language.say(buyer_words::OPENING_CASHIER)) }
            }
            noscript { p .notice { (language.say(buyer_words::NEEDS_SCRIPT)) } }
            // In case the cashier's answer never comes.
            p { a .button.lesser href=(back) { (language.say(buyer_words::I_HAVE_PAID)) } }
            p { a .button.lesser href={ "/c/" (order.token) } { (language.say(buyer_words::I_HAD_A_PROBLEM)) } }
        }
    };
    let body = html! {
        main {
            (heading(language))
            (card(language, !config.gateway.is_live(), &content))
            (beneath(config, order, OrderState::Open, language))
        }
    };
    document_of(language, payee(config, order), &own_script(), &body)
}

/// The page for a refused step, with a link back.
pub(super) fn refusal(config: &Config, token: &str, words: Words, language: Language) -> Markup {
    html! {
        (opening(language, Style::Linked, None, &html! {}))
        (refusal_body(config, token, words, language))
    }
}

/// The same without its head.
pub(super) fn refusal_body(
    config: &Config,
    token: &str,
    words: Words,
    language: Language,
) -> Markup {
    let content = html! {
        h1 .title { (language.say(words)) }
        div .body { p { a .button href={ "/c/" (token) } { (language.say(buyer_words::BACK_TO_ORDER)) } } }
    };
    closing(&html! {
        main {
            (card(language, !config.gateway.is_live(), &content))
            div .beneath { (service_contact(config, language)) }
        }
    })
}

/// The page's heading for screen readers. It stays when the element takes over.
fn heading(language: Language) -> Markup {
    html! { h1 .spoken { (language.say(buyer_words::HEADING)) } }
}

/// Who is paid, what the buyer buys, and for how much.
fn about(config: &Config, order: &Order, language: Language) -> Markup {
    let amount = amount(order.total_fen, language);
    // As in the element: a number that would not fit on one line of the smallest screen is smaller.
    let is_long = amount.chars().count() > AMOUNT_CHARACTERS_MAX;
    html! {
        (logo(checkouts::logo(config, order)))
        (brand(config, language))
        p .payee dir="auto" { (payee(config, order).unwrap_or_default()) }
        p .description dir="auto" { (order.description) }
        p .amount .long[is_long] { (amount) }
    }
}

/// The part below the card, which stays when the element takes over: the way to the shop, help, and the
/// order number, which a receipt has itself.
fn beneath(config: &Config, order: &Order, state: OrderState, language: Language) -> Markup {
    html! {
        div .beneath {
            @if state != OrderState::Paid {
                p { (language.say(buyer_words::ORDER_NUMBER)) " " (order.order_no) }
            }
            @if let Some(shop) = config.only_shop() {
                p { a href=(shop) { (language.say(buyer_words::BACK_TO_SHOP)) } }
            }
            (service_contact(config, language))
        }
    }
}

/// The fields of each form of the page.
struct Step<'a> {
    token: &'a str,
    /// The attempt that the buyer sees. With it, the form of an outdated page cannot take over a
    /// newer attempt.
    after: u64,
    payer: Option<&'a str>,
    language: Language,
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
                button type="submit" .lesser[!is_first] { (self.language.say(words)) }
            }
        }
    }

    fn check(&self) -> Markup {
        html! {
            form method="post" action={ "/c/" (self.token) "/check" } {
                button type="submit" .lesser { (self.language.say(buyer_words::I_HAVE_PAID)) }
            }
        }
    }
}

fn open(
    answer: &CheckoutAnswer,
    offer: &Offer,
    place: &BuyerContext,
    code: Option<&str>,
    step: &Step<'_>,
) -> Markup {
    let language = step.language;
    // An attempt without a link has shown no code.
    let had_code = !offer.has_other_way()
        && answer.attempt.as_ref().is_some_and(|attempt| {
            attempt.product == Some(Product::Native) && attempt.remaining_ms.is_some()
        });
    html! {
        @if let Some(code_url) = code {
            (code_to_scan(code_url, answer, place, language))
        } @else if had_code {
            p { (language.say(buyer_words::CODE_EXPIRED)) }
        } @else if let Some(first) = offer.first() {
            p { (language.say(lead(first))) }
        }
        @match offer {
            Offer::Products(products) => {
                // The code is shown: only other products get a button.
                @let products = products.iter().filter(|product| code.is_none() || **product != Product::Native);
                @for (place, product) in products.enumerate() {
                    @let is_first = place == 0 && code.is_none();
                    (step.start(*product, label(*product, is_first, had_code), is_first))
                }
            }
            Offer::Unavailable(nothing) => @if code.is_none() {
                (dead_end(buyer_words::NOT_POSSIBLE, nothing.words(), language))
            },
        }
        @if step.after > 0 { (step.check()) }
    }
}

/// What the first button leads to.
const fn lead(product: Product) -> Words {
    match product {
        Product::Native => buyer_words::SCAN,
        Product::H5 => buyer_words::OFFER_H5,
        Product::Jsapi | Product::MiniProgram => buyer_words::OFFER_JSAPI,
    }
}

const fn label(product: Product, is_first: bool, had_code: bool) -> Words {
    match product {
        Product::Native if had_code => buyer_words::NEW_CODE,
        Product::Native if is_first => buyer_words::SHOW_CODE,
        Product::Native => buyer_words::SCAN_INSTEAD,
        Product::H5 => buyer_words::PAY_IN_WECHAT,
        Product::Jsapi | Product::MiniProgram => buyer_words::PAY,
    }
}

fn returned(step: &Step<'_>) -> Markup {
    html! {
        p { (step.language.say(buyer_words::RETURNED)) }
        form method="post" action={ "/c/" (step.token) "/check" } {
            button type="submit" { (step.language.say(buyer_words::I_HAVE_PAID)) }
        }
        p { a .button.lesser href={ "/c/" (step.token) } { (step.language.say(buyer_words::I_HAD_A_PROBLEM)) } }
    }
}

/// The receipt: the same rows as in the element's `receipt.rs`.
fn paid(answer: &CheckoutAnswer, language: Language) -> Markup {
    let amount_text = |fen| amount(Fen::saturating(fen), language);
    // WeChat's coupons pay the rest.
    let paid_fen = answer
        .payer_total_fen
        .filter(|fen| *fen != answer.total_fen);
    let refunded_fen = answer.refunded_fen.filter(|fen| *fen > 0);
    let time = answer.success_time.as_deref();
    let rows = [
        (buyer_words::ORDER_NUMBER, Some(answer.order_no.clone())),
        (
            buyer_words::PAID_AT,
            time.and_then(|time| time_text(time, language)),
        ),
        (buyer_words::YOU_PAID, paid_fen.map(amount_text)),
        (buyer_words::REFUNDED, refunded_fen.map(amount_text)),
    ];
    let title = if refunded_fen >= Some(answer.total_fen) {
        buyer_words::REFUNDED_IN_FULL
    } else {
        buyer_words::PAID
    };
    html! {
        p .mark.good aria-hidden="true" { "✓" }
        p .title role="status" { (language.say(title)) }
        dl {
            @for (label, value) in rows {
                @if let Some(value) = value {
                    div { dt { (language.say(label)) } dd dir="auto" { (value) } }
                }
            }
        }
    }
}

/// Where the shop continues after a payment. A shop may thank whoever comes there, so nobody does without
/// a payment: the way back below the card is another one.
fn way_back(answer: &CheckoutAnswer, language: Language) -> Markup {
    html! {
        @if let Some(url) = &answer.success_url {
            p { a .button href=(url) { (language.say(buyer_words::BACK_TO_SHOP)) } }
        }
    }
}

fn ended(words: Words, language: Language) -> Markup {
    dead_end(words, buyer_words::ORDER_AGAIN, language)
}

/// Why the order cannot be paid in this browser, and what to do instead.
fn dead_end(title: Words, advice: Words, language: Language) -> Markup {
    html! {
        p .mark aria-hidden="true" { "!" }
        p .title role="status" { (language.say(title)) }
        p .quiet { (language.say(advice)) }
    }
}

const fn words_of(notice: Notice) -> Words {
    match notice {
        Notice::Checked => buyer_words::NOT_PAID_YET,
        Notice::Superseded => buyer_words::CONTINUED_ELSEWHERE,
        Notice::NoCode(why) => why,
    }
}

/// The shop's service contact, if it is configured.
pub(crate) fn service_contact(config: &Config, language: Language) -> Markup {
    let Some(contact) = &config.service_contact else {
        return html! {};
    };
    html! {
        p .contact {
            (language.say(buyer_words::CUSTOMER_SERVICE)) " "
            @match &contact.url {
                Some(url) => a href=(url) { (contact.text) },
                None => (contact.text),
            }
        }
    }
}
