//! The page of an `h5_url`: opens WeChat, and returns to the shop.
//!
//! WeChat's rules apply: it requires a Referer of a registered domain, expires after five minutes,
//! and redirects to `redirect_url` only on a registered domain. On a phone WeChat opens as an app
//! and the page returns after five seconds; here the cashier is on the page, so it returns after
//! the buyer's choice.

use axum::Router;
use axum::extract::{RawForm, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode, header};
use maud::html;
use url::Url;

use super::cashier::{cashier, refusal_text};
use super::form::{outcome_of, outcome_text, value_of};
use super::layout::{layout, with_page_headers};
use super::payer;
use crate::ledger::Target;
use crate::simulator::{H5_PATH, Simulator};

const OUTCOME_PATH: &str = "/cgi-bin/mmpayweb-bin/outcome";

pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route(H5_PATH, get(open))
        .route(OUTCOME_PATH, post(answer))
}

async fn open(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let value = |name| value_of(query.as_bytes(), name);
    let referer = headers
        .get(header::REFERER)
        .and_then(|referer| referer.to_str().ok())
        .unwrap_or_default();
    let (Some(prepay_id), Some(package)) = (value("prepay_id"), value("package")) else {
        return problem(MALFORMED);
    };
    if referer.is_empty() {
        return problem(MALFORMED);
    }
    let redirect_url = value("redirect_url");
    if !is_registered(&simulator, referer)
        || redirect_url
            .as_deref()
            .is_some_and(|url| !is_registered(&simulator, url))
    {
        return problem(UNREGISTERED);
    }
    let target = Target::H5 {
        prepay_id: prepay_id.clone(),
        package: package.clone(),
    };
    // The first buyer who opens it is the only one who can use it.
    let order = match simulator.open_cashier(&target, &payer::buyer(&simulator, &headers)) {
        Ok(order) => order,
        Err(refusal) => return problem(refusal_text(refusal)),
    };
    let mut hidden = vec![("prepay_id", prepay_id.as_str()), ("package", &package)];
    if let Some(redirect_url) = &redirect_url {
        hidden.push(("redirect_url", redirect_url));
    }
    let page = layout(
        "微信支付 · WeChat Pay",
        &html! {
            p.opening role="status" { "正在打开微信… · " span lang="en" { "Opening WeChat…" } }
            div.after-opening { (cashier(&order, OUTCOME_PATH, &hidden)) }
        },
    );
    with_page_headers(StatusCode::OK, page)
}

async fn answer(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let value = |name| value_of(&form, name);
    let (Some(prepay_id), Some(package), Some(outcome)) =
        (value("prepay_id"), value("package"), outcome_of(&form))
    else {
        return problem(MALFORMED);
    };
    let target = Target::H5 { prepay_id, package };
    let buyer = payer::buyer(&simulator, &headers);
    if let Err(refusal) = simulator.visit_cashier(&target, outcome, &buyer) {
        return problem(refusal_text(refusal));
    }
    // Checked again: a form is as untrusted as an address.
    match value("redirect_url") {
        Some(url) if is_registered(&simulator, &url) => Redirect::to(&url).into_response(),
        Some(_) => problem(UNREGISTERED),
        None => {
            let (text, english) = outcome_text(outcome);
            let page = layout(
                text,
                &html! {
                    section.card role="status" {
                        h1 { (text) }
                        p lang="en" { (english) }
                        p { "请返回商户页面查看结果 · " span lang="en" { "Go back to the shop's page." } }
                    }
                },
            );
            with_page_headers(StatusCode::OK, page)
        }
    }
}

type Texts = (&'static str, &'static str);

const MALFORMED: Texts = (
    "商家参数格式有误，请联系商家解决",
    "The shop's link is malformed, or the browser did not say which page it came from (Referer).",
);
const UNREGISTERED: Texts = (
    "商家存在未配置的参数，请联系商家解决",
    "The domain of the shop's page, or of redirect_url, is not registered for H5.",
);

fn is_registered(simulator: &Simulator, url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url
                .host_str()
                .is_some_and(|host| simulator.is_registered_host(host))
    })
}

// WeChat answers errors with a page and 200.
fn problem((text, english): Texts) -> Response {
    let page = layout(
        text,
        &html! {
            section.card role="alert" {
                h1 { (text) }
                p lang="en" { (english) }
            }
        },
    );
    with_page_headers(StatusCode::OK, page)
}
