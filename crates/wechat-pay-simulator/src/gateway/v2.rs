//! The gateway of version 2: XML in, XML out, on the ledger of APIv3. An order of one protocol can
//! be queried, closed and refunded by the other.
//!
//! The order of checks is WeChat's: method, body, form of the XML, merchant, signature, fields,
//! rules of business. Every answer has the status 200. What is refused before the rules of
//! business is not signed (`return_code` FAIL); all else is.
//!
//! WeChat asks for the merchant's certificate on `/secapi/…`, and so does the simulator over HTTPS
//! ([`crate::tls`]). Plain HTTP, which WeChat does not have, cannot ask for it.

mod answer;
mod bills;
mod caller;
mod code_pay;
mod fields;
mod orders;
mod refunds;
mod refusal;
mod sandbox;
mod tools;

use answer::Answer;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use caller::Caller;
use http::StatusCode;
use refusal::Refusal;
use wechat_pay::v2::Route;

use super::delay::{DEFAULT_LATENCY_MS, DEFAULT_TIMEOUT_MS, wait};
use crate::faults::{CallFaults, FaultKind};
use crate::simulator::Simulator;
use crate::tls::ClientCertificate;

pub(super) fn routes() -> Router<Simulator> {
    let paths = Route::ALL.into_iter().map(|route| route.path().to_owned());
    paths
        .chain(sandbox::paths())
        .fold(Router::new(), |router, path| {
            router.route(&path, any(handle))
        })
        .merge(sandbox::key_routes())
}

async fn handle(State(simulator): State<Simulator>, request: Request) -> Response {
    let path = request.uri().path();
    let Some(route) = Route::of(path).or_else(|| sandbox::route_of(path)) else {
        return super::empty(StatusCode::NOT_FOUND);
    };
    let needs_certificate = Route::of(path).is_some_and(Route::needs_certificate);
    let presented = needs_certificate
        .then(|| request.extensions().get::<ClientCertificate>().cloned())
        .flatten();
    if presented
        .as_ref()
        .is_some_and(|presented| presented.der().is_none())
    {
        return answer::no_certificate();
    }
    let caller = match caller::read(&simulator, request).await {
        Ok(caller) => caller,
        Err(refusal) => return answer::unsigned(route.path(), &refusal),
    };
    let is_others = |presented: ClientCertificate| !caller.has_certificate(&presented);
    if presented.is_some_and(is_others) {
        let hits = CallFaults::default();
        let refusal = Refusal::business("CERT_ERROR", "证书校验错误");
        return answer::of(&simulator, route, &caller, &hits, Err(refusal));
    }
    let hits = simulator.faults().draw(fault_route(route));
    wait(hits.delay_ms(FaultKind::Latency, DEFAULT_LATENCY_MS)).await;
    let answered = execute_with_faults(&simulator, route, &caller, &hits);
    if hits.has(FaultKind::TimeoutAfter) {
        // Save before the merchant waits.
        if let Err(error) = simulator.persist().await {
            tracing::error!(%error, "the state could not be saved");
        }
        wait(hits.delay_ms(FaultKind::TimeoutAfter, DEFAULT_TIMEOUT_MS)).await;
        return super::empty(StatusCode::GATEWAY_TIMEOUT);
    }
    answer::of(&simulator, route, &caller, &hits, answered)
}

fn execute_with_faults(
    simulator: &Simulator,
    route: Route,
    caller: &Caller,
    hits: &CallFaults,
) -> Result<Answer, Refusal> {
    if let Some(refused) = hits.refused(fault_route(route)) {
        return Err(Refusal::documented(&refused));
    }
    if hits.has(FaultKind::TooManyRequests) {
        return Err(Refusal::business(
            "FREQUENCY_LIMITED",
            "频率超限，请降低请求频率",
        ));
    }
    if hits.has(FaultKind::ErrorBefore) {
        return Err(refusal::system_error());
    }
    if hits.has(FaultKind::CloseLies) {
        return Ok(Answer::Fields(caller.parties()));
    }
    let answered = execute(simulator, route, caller);
    if hits.has(FaultKind::ErrorAfter) {
        return Err(refusal::system_error());
    }
    answered
}

fn execute(simulator: &Simulator, route: Route, caller: &Caller) -> Result<Answer, Refusal> {
    match route {
        Route::UnifiedOrder => orders::order(simulator, caller),
        Route::OrderQuery => orders::query(simulator, caller),
        Route::CloseOrder => orders::close(simulator, caller),
        Route::MicroPay => code_pay::pay(simulator, caller),
        Route::Reverse => code_pay::reverse(simulator, caller),
        Route::AuthCodeToOpenId => code_pay::owner(simulator, caller),
        Route::Refund => refunds::refund(simulator, caller),
        Route::RefundQuery => refunds::query(simulator, caller),
        Route::DownloadBill => bills::trade(simulator, caller),
        Route::ShortUrl => tools::short_url(simulator, caller),
    }
}

/// The route's name in the faults: that of the same route of APIv3.
fn fault_route(route: Route) -> &'static str {
    match route {
        Route::UnifiedOrder | Route::MicroPay => "order",
        Route::OrderQuery | Route::AuthCodeToOpenId | Route::ShortUrl => "query",
        Route::CloseOrder => "close",
        Route::Reverse => "reverse",
        Route::Refund => "refund",
        Route::RefundQuery => "refund_query",
        Route::DownloadBill => "bill",
    }
}
