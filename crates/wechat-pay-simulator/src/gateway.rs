//! The gateway: `/v3/…`, with WeChat's order of checks, and version 2 (module `v2`).
//!
//! Unknown path, wrong method, `Authorization`, time, signature, form of the request, rules of
//! business. Errors before a valid signature are answered unsigned, as WeChat does; all later
//! answers are signed.

mod answer;
mod bills;
mod caller;
mod certificates;
mod code_pay;
mod combined;
mod combined_fields;
mod delay;
mod field;
mod order_fields;
mod orders;
mod refund_fields;
mod refunds;
mod route;
mod schema;
mod sharing;
mod sharing_fields;
mod v2;

pub(crate) use answer::empty;
use answer::{Answer, Refusal, system_error};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use caller::Caller;
use delay::{DEFAULT_LATENCY_MS, DEFAULT_TIMEOUT_MS, wait};
use http::StatusCode;
use http::request::Parts;
use route::Route;

use crate::faults::{CallFaults, FaultKind};
use crate::ledger::order::{Product, ReplyKey};
use crate::settings::UnknownRoute;
use crate::simulator::{Signing, Simulator};

/// The most bytes of a request.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;

pub(crate) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/v3", any(handle))
        .route("/v3/", any(handle))
        .route("/v3/{*rest}", any(handle))
        .merge(v2::routes())
}

async fn handle(State(simulator): State<Simulator>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(route) = Route::find(parts.uri.path()).filter(|route| exists(&simulator, route))
    else {
        return no_such_route(&simulator, &parts);
    };
    if parts.method != route.method() {
        return answer::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT_BYTES).await else {
        return answer::empty(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let caller = match identify(&simulator, &route, &parts, &body) {
        Ok(caller) => caller,
        Err(refusal) => return refuse_unauthenticated(&simulator, &route, &parts, refusal),
    };
    let hits = simulator.faults().draw(route.name());
    wait(hits.delay_ms(FaultKind::Latency, DEFAULT_LATENCY_MS)).await;
    let answered = execute_with_faults(&simulator, &route, &parts, &body, &caller, &hits);
    if let Err(refusal) = &answered {
        tracing::info!(
            path = parts.uri.path(),
            code = refusal.code,
            message = refusal.message,
            "refused"
        );
    }
    if hits.has(FaultKind::TimeoutAfter) {
        // Save before the merchant waits.
        if let Err(error) = simulator.persist().await {
            tracing::error!(%error, "the state could not be saved");
        }
        wait(hits.delay_ms(FaultKind::TimeoutAfter, DEFAULT_TIMEOUT_MS)).await;
        return answer::empty(StatusCode::GATEWAY_TIMEOUT);
    }
    match answered {
        // WeChat does not sign an answer to a request without a valid signature.
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
            refuse_unauthenticated(&simulator, &route, &parts, refusal)
        }
        answered => {
            let signing = Signing {
                keyring: &caller.keyring,
                key: caller.reply_key,
                faults: &hits,
            };
            answer::signed(&simulator, signing, answered)
        }
    }
}

/// A path that WeChat does not have. Its documents promise a code, a message and a `Request-ID`
/// with every refusal. Observed on 2026-09-11: a request without `Authorization` got only the
/// status, also for a wrong method.
fn no_such_route(simulator: &Simulator, parts: &Parts) -> Response {
    if simulator.settings().unknown_route == UnknownRoute::Empty {
        return answer::empty(StatusCode::NOT_FOUND);
    }
    let refusal = Refusal::new(
        StatusCode::NOT_FOUND,
        "RESOURCE_NOT_EXISTS",
        "请求的资源不存在",
        268_512_771,
    );
    tracing::info!(
        path = parts.uri.path(),
        code = refusal.code,
        "no such route"
    );
    answer::unsigned(simulator, &refusal, true)
}

fn identify(
    simulator: &Simulator,
    route: &Route,
    parts: &Parts,
    body: &[u8],
) -> Result<Caller, Refusal> {
    if !route.is_of_orders() {
        caller::check_headers(parts)?;
    }
    caller::identify(simulator, route, parts, body)
}

fn refuse_unauthenticated(
    simulator: &Simulator,
    route: &Route,
    parts: &Parts,
    refusal: Refusal,
) -> Response<Body> {
    tracing::info!(path = parts.uri.path(), code = refusal.code, "refused");
    if !simulator.settings().sign_refusals {
        return answer::unsigned(simulator, &refusal, !route.is_of_orders());
    }
    let signing = Signing {
        keyring: simulator.keyring(),
        key: ReplyKey::PlatformCertificate,
        faults: &CallFaults::default(),
    };
    answer::signed(simulator, signing, Err(refusal))
}

/// Whether the settings keep a path.
fn exists(simulator: &Simulator, route: &Route) -> bool {
    let settings = simulator.settings();
    match route {
        Route::BillFile(path) => *path == settings.bill_path.as_str(),
        route if route.is_of_code_pay() => settings.code_pay,
        _ => true,
    }
}

/// Executes a request, with the faults of this call.
fn execute_with_faults(
    simulator: &Simulator,
    route: &Route,
    parts: &Parts,
    body: &[u8],
    caller: &Caller,
    hits: &CallFaults,
) -> Result<Answer, Refusal> {
    if let Some(refused) = hits.refused(route.name()) {
        return Err(Refusal::documented(refused));
    }
    if hits.has(FaultKind::TooManyRequests) {
        return Err(Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            simulator.settings().rate_code.as_str(),
            "频率超限，请降低请求频率",
            268_447_840,
        ));
    }
    if hits.has(FaultKind::ErrorBefore) {
        return Err(system_error());
    }
    if hits.has(FaultKind::Accepted) {
        return Ok(Answer::Accepted);
    }
    if hits.has(FaultKind::CloseLies) {
        return Ok(Answer::Nothing);
    }
    let answered = execute(simulator, route, parts, body, caller);
    if hits.has(FaultKind::ErrorAfter) {
        return Err(system_error());
    }
    answered
}

fn execute(
    simulator: &Simulator,
    route: &Route,
    parts: &Parts,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    caller::check_asked_key(simulator, caller, parts)?;
    match route {
        Route::Order(Product::CodePay, role) => code_pay::pay(simulator, *role, body, caller),
        Route::Order(product, role) => orders::order(simulator, *product, *role, body, caller),
        Route::QueryByNumber(number, role) => {
            orders::query_by_number(simulator, number, *role, query, caller)
        }
        Route::QueryById(id, role) => orders::query_by_id(simulator, id, *role, query, caller),
        Route::Close(number, role) => orders::close(simulator, number, *role, body, caller),
        Route::Reverse(number, role) => code_pay::reverse(simulator, number, *role, body, caller),
        Route::Combine(product) => combined::order(simulator, *product, body, caller),
        Route::QueryCombined(number) => combined::query(simulator, number, caller),
        Route::CloseCombined(number) => combined::close(simulator, number, body, caller),
        Route::Refund => refunds::refund(simulator, body, caller),
        Route::QueryRefund(number) => refunds::query(simulator, number, query, caller),
        Route::AbnormalRefund(id) => refunds::send_on(simulator, id, body, parts, caller),
        Route::AddReceiver => sharing::add_receiver(simulator, body, parts, caller),
        Route::DeleteReceiver => sharing::delete_receiver(simulator, body, caller),
        Route::Share => sharing::share(simulator, body, caller),
        Route::Unfreeze => sharing::unfreeze(simulator, body, caller),
        Route::QueryShare(number) => sharing::query(simulator, number, query, caller),
        Route::ShareReturn => sharing::give_back(simulator, body, caller),
        Route::QueryShareReturn(number) => sharing::query_return(simulator, number, query, caller),
        Route::Unsplit(id) => sharing::unsplit(simulator, id, caller),
        Route::TradeBill => bills::trade(simulator, query, caller),
        Route::FundFlowBill => bills::fund_flow(simulator, query, caller),
        Route::SubMerchantFundFlowBill => bills::sub_merchant_fund_flow(simulator, query, caller),
        Route::BillFile(_) => bills::file(simulator, query, caller),
        Route::Certificates => certificates::list(simulator, caller),
    }
}
