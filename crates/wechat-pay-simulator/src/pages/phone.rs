//! The phone: scans a code from the list or from a text field, and shows the cashier.

use axum::Router;
use axum::extract::{RawForm, RawQuery, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};
use url::form_urlencoded;
use wechat_pay::v2::read_native_link;

use super::cashier::{cashier, refusal_text};
use super::form::{outcome_of, outcome_text, value_of};
use super::layout::{layout, with_page_headers};
use super::payer;
use crate::control::Problem;
use crate::control::buyers::{login_code, show_auth_code};
use crate::control::native_link::prepay_id_of;
use crate::ledger::order::OrderKey;
use crate::ledger::{PayRefusal, Target};
use crate::simulator::{Buyer, Simulator};

pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/phone", get(home))
        .route("/phone/codes", get(codes))
        .route("/phone/scan", get(scan))
        .route("/phone/pay", post(pay))
        .route("/phone/code", post(show_code))
        .route("/phone/login", post(log_in))
        .route("/phone/password", post(password))
}

async fn home(State(simulator): State<Simulator>, headers: HeaderMap) -> Response {
    let payer = payer::chosen(&simulator, &headers).unwrap_or(1);
    let page = layout(
        "手机 · Phone",
        &html! {
            (payer::choice(&simulator, payer))
            (password_prompts(&simulator, payer))
            h1 { "扫一扫 · " span lang="en" { "Scan" } }
            div.card #codes { (open_codes(&simulator)) }
            h2 { "或粘贴二维码内容 · " span lang="en" { "or paste a code" } }
            form.card method="get" action="/phone/scan" {
                label for="code_url" { "code_url" }
                input #code_url type="text" name="code_url" required autocomplete="off" placeholder="weixin://wxpay/bizpayurl?pr=…";
                button.confirm { "扫码 · " span lang="en" { "Scan" } }
            }
            h2 { "付款码 · " span lang="en" { "Pay by code" } }
            form.card method="post" action="/phone/code" {
                button { "显示付款码 · " span lang="en" { "Show the code" } }
            }
            h2 { "小程序登录 · " span lang="en" { "Log in to the mini-program" } }
            form.card method="post" action="/phone/login" {
                button { "wx.login" }
            }
            p { a href="/ledger" { "账本 · " span lang="en" { "Ledger" } } " · " a href="/control" { "控制台 · " span lang="en" { "Control" } } }
            script src="/assets/phone.js" defer {}
        },
    );
    with_page_headers(StatusCode::OK, page)
}

/// The code payments that wait for this buyer's password.
fn password_prompts(simulator: &Simulator, payer: u8) -> Markup {
    let now = simulator.clock().now();
    let ledger = simulator.ledger();
    html! {
        @for order in ledger.waiting_for_password(payer, now) {
            h1 { "请输入支付密码 · " span lang="en" { "Your password is asked for" } }
            (cashier(order, "/phone/password", &[
                ("mchid", order.request.key.mchid.as_str()),
                ("out_trade_no", order.request.key.out_trade_no.as_str()),
            ]))
        }
    }
}

async fn show_code(State(simulator): State<Simulator>, headers: HeaderMap) -> Response {
    let payer = payer::chosen(&simulator, &headers).unwrap_or(1);
    let code = show_auth_code(&simulator, payer);
    let page = layout(
        "付款码 · Pay by code",
        &html! {
            section.card {
                h1 { "付款码 · " span lang="en" { "Pay by code" } }
                p.amount #auth_code { (code) }
                p.quiet { "一分钟内有效，仅可使用一次 · " span lang="en" { "Good once, for a minute" } }
                a.button href="/phone" { "返回 · " span lang="en" { "Back" } }
            }
        },
    );
    with_page_headers(StatusCode::OK, page)
}

/// The login codes of `wx.login`, one for each merchant.
async fn log_in(State(simulator): State<Simulator>, headers: HeaderMap) -> Response {
    let payer = payer::chosen(&simulator, &headers).unwrap_or(1);
    let page = layout(
        "小程序登录 · Log in",
        &html! {
            h1 { "wx.login" }
            @for keyring in simulator.keyrings() {
                @let appid = &keyring.merchant().mini_program_appid;
                section.card {
                    p.quiet { (appid) }
                    p { code { (login_code(&simulator, payer, appid)) } }
                }
            }
            p.quiet { "五分钟内有效，仅可使用一次 · " span lang="en" { "Good once, for five minutes" } }
            a.button href="/phone" { "返回 · " span lang="en" { "Back" } }
        },
    );
    with_page_headers(StatusCode::OK, page)
}

async fn password(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let value = |name| value_of(&form, name).unwrap_or_default();
    let Some(outcome) = outcome_of(&form) else {
        return done(
            "请选择一种结果",
            "Choose an outcome.",
            StatusCode::BAD_REQUEST,
        );
    };
    let target = Target::Order(OrderKey {
        mchid: value("mchid"),
        sub_mchid: None,
        out_trade_no: value("out_trade_no"),
        is_combined: false,
    });
    let payer = payer::chosen(&simulator, &headers).unwrap_or(1);
    match simulator.visit_cashier(&target, outcome, &Buyer::Payer(payer)) {
        Ok(_) => {
            let (text, english) = outcome_text(outcome);
            done(text, english, StatusCode::OK)
        }
        Err(refusal) => refused(refusal),
    }
}

async fn codes(State(simulator): State<Simulator>) -> Response {
    Html(open_codes(&simulator).into_string()).into_response()
}

async fn scan(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let code_url = value_of(query.as_bytes(), "code_url").unwrap_or_default();
    let code_url = code_url.trim();
    // A link of mode 1 names goods: the merchant answers with an order.
    let is_of_goods = read_native_link(code_url).is_some();
    let (target, hidden) = if is_of_goods {
        let payer = payer::chosen(&simulator, &headers).unwrap_or(1);
        match prepay_id_of(&simulator, code_url, payer).await {
            Ok(prepay_id) => (
                Target::PrepayId(prepay_id.clone()),
                ("prepay_id", prepay_id),
            ),
            Err(problem) => return refused_by_merchant(&problem),
        }
    } else {
        let code_url = code_url.to_owned();
        (Target::CodeUrl(code_url.clone()), ("code_url", code_url))
    };
    match simulator.open_cashier(&target, &payer::buyer(&simulator, &headers)) {
        Ok(order) => {
            let form = cashier(&order, "/phone/pay", &[(hidden.0, &hidden.1)]);
            with_page_headers(StatusCode::OK, layout("确认付款 · Confirm", &form))
        }
        Err(refusal) => refused(refusal),
    }
}

async fn pay(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let target = match value_of(&form, "prepay_id") {
        Some(prepay_id) => Target::PrepayId(prepay_id),
        None => Target::CodeUrl(value_of(&form, "code_url").unwrap_or_default()),
    };
    let Some(outcome) = outcome_of(&form) else {
        return done(
            "请选择一种结果",
            "Choose an outcome.",
            StatusCode::BAD_REQUEST,
        );
    };
    let buyer = payer::buyer(&simulator, &headers);
    match simulator.visit_cashier(&target, outcome, &buyer) {
        Ok(_) => {
            let (text, english) = outcome_text(outcome);
            done(text, english, StatusCode::OK)
        }
        Err(refusal) => refused(refusal),
    }
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
                strong { "¥" (order.request.total.to_yuan_text()) }
            }
        }
    }
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The merchant's server refused a scan of goods, or did not answer.
fn refused_by_merchant(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_GATEWAY);
    done(
        &problem.message,
        "The merchant's server gave no order.",
        status,
    )
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
