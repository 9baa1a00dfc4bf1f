//! The control interface, `/_simulator/…`: pay, read the ledger, advance the clock. For tests and
//! tools; WeChat has no such interface.

pub(crate) mod buyers;
mod event;
mod fault_rules;
pub(crate) mod native_link;
mod problem;
pub(crate) mod refund;
mod trust;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::header;
pub(crate) use problem::Problem;
use problem::read;
use serde::Deserialize;
use serde_json::json;
use url::{Url, form_urlencoded};
use wechat_pay::beijing_time;

use crate::ledger::order::OrderKey;
use crate::ledger::{Outcome, PayRefusal, Target};
use crate::simulator::{Buyer, H5_PATH, Simulator};

/// Ten years. No deadline of WeChat's is later.
const ADVANCE_MAX_S: i64 = 10 * 366 * 24 * 3600;

pub(crate) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/_simulator/pay", post(pay))
        .route("/_simulator/ledger", get(ledger))
        .route("/_simulator/clock", get(time).post(clock))
        .route("/_simulator/openapi.json", get(openapi))
        .merge(buyers::routes())
        .merge(event::routes())
        .merge(fault_rules::routes())
        .merge(native_link::routes())
        .merge(refund::routes())
        .merge(trust::routes())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayRequest {
    code_url: Option<String>,
    prepay_id: Option<String>,
    h5_url: Option<String>,
    mchid: Option<String>,
    out_trade_no: Option<String>,
    combine_out_trade_no: Option<String>,
    sub_mchid: Option<String>,
    outcome: Outcome,
    openid: Option<String>,
    payer: Option<u8>,
    /// Together with the number: the payment also works for a closed or expired order.
    #[serde(default)]
    late: bool,
}

async fn pay(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let request: PayRequest = read(&body)?;
    let target = target_of(&request)?;
    let visit = simulator
        .visit_cashier(&target, request.outcome, &buyer_of(&request)?)
        .map_err(refuse)?;
    let mut answer = json!({ "trade_state": visit.trade_state });
    match visit.transaction_ids.as_slice() {
        [] => {}
        [transaction_id] => answer["transaction_id"] = transaction_id.clone().into(),
        transaction_ids => answer["transaction_ids"] = json!(transaction_ids),
    }
    Ok(Json(answer).into_response())
}

async fn ledger(State(simulator): State<Simulator>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let mchid = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "mchid")
        .map(|(_, value)| value.into_owned());
    Json(simulator.ledger_view(mchid.as_deref())).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockRequest {
    advance_s: i64,
}

/// The OpenAPI description; tests compare the routes with it.
async fn openapi() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        include_str!("../goldens/control-openapi.json"),
    )
        .into_response()
}

async fn time(State(simulator): State<Simulator>) -> Response {
    let clock = simulator.clock();
    Json(json!({
        "now": beijing_time(clock.now()),
        "wall": beijing_time(clock.wall()),
        "advanced_s": clock.advanced_s(),
    }))
    .into_response()
}

/// Advances the clock, and answers when all due work is done.
async fn clock(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let request: ClockRequest = read(&body)?;
    let advance_s = u32::try_from(request.advance_s)
        .ok()
        .filter(|_| request.advance_s <= ADVANCE_MAX_S)
        .ok_or_else(|| {
            Problem::invalid(
                Some("advance_s"),
                format!("must be from 0 to {ADVANCE_MAX_S} seconds"),
            )
        })?;
    simulator.clock().advance(advance_s);
    simulator.run_due().await;
    simulator.wake();
    let now = beijing_time(simulator.clock().now());
    Ok(Json(json!({ "now": now })).into_response())
}

fn buyer_of(request: &PayRequest) -> Result<Buyer, Problem> {
    match (&request.openid, request.payer) {
        (Some(_), Some(_)) => Err(Problem::invalid(Some("payer"), "must not come with openid")),
        (Some(openid), None) => Ok(Buyer::OpenId(openid.clone())),
        (None, Some(payer)) => Ok(Buyer::Payer(payer)),
        (None, None) => Ok(Buyer::Anybody),
    }
}

/// The order that a request names by its number.
fn key_of(request: &PayRequest) -> Result<Option<OrderKey>, Problem> {
    let number = match (&request.out_trade_no, &request.combine_out_trade_no) {
        (Some(number), None) => Some((number, false)),
        (None, Some(number)) => Some((number, true)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            return Err(Problem::invalid(
                Some("combine_out_trade_no"),
                "must not come with out_trade_no",
            ));
        }
    };
    match (&request.mchid, number) {
        (Some(mchid), Some((number, is_combined))) => Ok(Some(OrderKey {
            mchid: mchid.clone(),
            sub_mchid: request.sub_mchid.clone(),
            out_trade_no: number.clone(),
            is_combined,
        })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Problem::invalid(
            Some("out_trade_no"),
            "must come with mchid",
        )),
        (None, Some(_)) => Err(Problem::invalid(
            Some("mchid"),
            "must come with out_trade_no",
        )),
    }
}

fn target_of(request: &PayRequest) -> Result<Target, Problem> {
    let by_number = key_of(request)?.map(|key| {
        if request.late {
            Target::Late(key)
        } else {
            Target::Order(key)
        }
    });
    let h5 = request.h5_url.as_deref().map(h5_target).transpose()?;
    let code = request.code_url.clone().map(Target::CodeUrl);
    let prepay_id = request.prepay_id.clone().map(Target::PrepayId);
    let mut named = [code, prepay_id, h5, by_number].into_iter().flatten();
    match (named.next(), named.next()) {
        (Some(target), None) => Ok(target),
        _ => Err(Problem::invalid(
            None,
            "name one of code_url, prepay_id, h5_url, or mchid with out_trade_no",
        )),
    }
}

/// The target of an h5_url; a `redirect_url` that the merchant appended is ignored.
fn h5_target(h5_url: &str) -> Result<Target, Problem> {
    let broken = || Problem::invalid(Some("h5_url"), format!("must be a URL of {H5_PATH}"));
    let url = Url::parse(h5_url)
        .ok()
        .filter(|url| url.path() == H5_PATH)
        .ok_or_else(broken)?;
    let value = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .ok_or_else(broken)
    };
    Ok(Target::H5 {
        prepay_id: value("prepay_id")?,
        package: value("package")?,
    })
}

fn refuse(refusal: PayRefusal) -> Problem {
    let (status, message) = match refusal {
        PayRefusal::Unknown => (404, "there is no such order"),
        PayRefusal::LinkExpired => (409, "the link has expired or was replaced by a newer one"),
        PayRefusal::OrderExpired => (409, "the order's time_expire has passed"),
        PayRefusal::Closed => (409, "the order is closed"),
        PayRefusal::Paid => (409, "the order is paid already"),
        PayRefusal::OtherPayer => (409, "the order belongs to another openid"),
    };
    Problem::refused(status, refusal.code(), message)
}
