//! The phone: scans a code (pick it or paste it), shows the cashier, and answers.

use axum::{
    Router,
    extract::{RawForm, RawQuery, State},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use http::StatusCode;
use maud::{Markup, html};
use url::form_urlencoded;

use super::{
    cashier::{cashier, refusal_text},
    layout, with_page_headers, yuan,
};
use crate::{
    ledger::{Outcome, PayRefusal, Target},
    simulator::Simulator,
};

pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/phone", get(home))
        .route("/phone/codes", get(codes))
        .route("/phone/scan", get(scan))
        .route("/phone/pay", post(pay))
}

async fn home(State(simulator): State<Simulator>) -> Response {
    let page = layout(
        "手机 · Phone",
        &html! {
            h1 { "扫一扫 · " span lang="en" { "Scan" } }
            div.card #codes { (open_codes(&simulator)) }
            h2 { "或粘贴二维码内容 · " span lang="en" { "or paste a code" } }
            form.card method="get" action="/phone/scan" {
                label for="code_url" { "code_url" }
                input #code_url type="text" name="code_url" required autocomplete="off" placeholder="weixin://wxpay/bizpayurl?pr=…";
                button.confirm { "扫码 · " span lang="en" { "Scan" } }
            }
            script src="/assets/phone.js" defer {}
        },
    );
    with_page_headers(StatusCode::OK, page)
}

async fn codes(State(simulator): State<Simulator>) -> Response {
    Html(open_codes(&simulator).into_string()).into_response()
}

async fn scan(State(simulator): State<Simulator>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let code_url = value_of(query.as_bytes(), "code_url").unwrap_or_default();
    let code_url = code_url.trim();
    let target = Target::CodeUrl(code_url.to_owned());
    let now = simulator.clock().now();
    let ledger = simulator.ledger();
    match ledger.open_cashier(&target, now) {
        Ok(order) => {
            let form = cashier(order, "/phone/pay", &[("code_url", code_url)]);
            with_page_headers(StatusCode::OK, layout("确认付款 · Confirm", &form))
        }
        Err(refusal) => refused(refusal),
    }
}

async fn pay(State(simulator): State<Simulator>, RawForm(form): RawForm) -> Response {
    let code_url = value_of(&form, "code_url").unwrap_or_default();
    let Some(outcome) = outcome_of(&form) else {
        return done(
            "请选择一种结果",
            "Choose an outcome.",
            StatusCode::BAD_REQUEST,
        );
    };
    match simulator.visit_cashier(&Target::CodeUrl(code_url), outcome, None) {
        Ok(_) => {
            let (text, english) = outcome_text(outcome);
            done(text, english, StatusCode::OK)
        }
        Err(refusal) => refused(refusal),
    }
}

/// The outcome that a cashier's form carries.
pub(super) fn outcome_of(form: &[u8]) -> Option<Outcome> {
    match value_of(form, "outcome")?.as_str() {
        "success" => Some(Outcome::Success),
        "cancel" => Some(Outcome::Cancel),
        "fail" => Some(Outcome::Fail),
        _ => None,
    }
}

/// What the buyer reads afterwards.
pub(super) fn outcome_text(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Success => ("支付成功", "Paid."),
        Outcome::Cancel => ("已取消支付", "Cancelled. Nothing was paid."),
        Outcome::Fail => ("支付失败", "The payment failed. Nothing was paid."),
    }
}

/// One value of a form or a query.
pub(super) fn value_of(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn open_codes(simulator: &Simulator) -> Markup {
    let now = simulator.clock().now();
    let ledger = simulator.ledger();
    let codes = ledger.open_codes(now);
    html! {
        @if codes.is_empty() {
            p.quiet { "暂无待付款的二维码 · " span lang="en" { "No codes are waiting" } }
        }
        @for (code_url, order) in codes {
            a.order href={ "/phone/scan?code_url=" (encode(code_url)) } {
                span { (order.request.description) br; span.quiet { (order.request.key.out_trade_no) } }
                strong { "¥" (yuan(order.request.total)) }
            }
        }
    }
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn refused(refusal: PayRefusal) -> Response {
    let (text, english) = refusal_text(refusal);
    let status = match refusal {
        PayRefusal::Unknown => StatusCode::NOT_FOUND,
        _ => StatusCode::CONFLICT,
    };
    done(text, english, status)
}

fn done(text: &str, english: &str, status: StatusCode) -> Response {
    let page = layout(
        text,
        &html! {
            section.card role="status" {
                h1 { (text) }
                p lang="en" { (english) }
                a.button href="/phone" { "返回 · " span lang="en" { "Back" } }
            }
        },
    );
    with_page_headers(status, page)
}
