//! The APIv3 gateway: `/v3/…`, with WeChat's own order of checks.
//!
//! Unknown path, wrong method, `Authorization`, time, signature, form of the request, rules of
//! business. What fails before the signature holds is answered unsigned, as WeChat does; all
//! that comes after is signed.

mod answer;
mod caller;
mod order_fields;
mod orders;
mod route;
mod schema;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::any,
};
use http::{StatusCode, header, request::Parts};

use crate::simulator::Simulator;
use answer::{Answer, Refusal};
use caller::Caller;
use route::Route;

/// More than any request of APIv3 that is served here.
const BODY_LIMIT_BYTES: usize = 1024 * 1024;

pub(crate) fn routes() -> Router<Simulator> {
    Router::new().route("/v3/{*rest}", any(handle))
}

async fn handle(State(simulator): State<Simulator>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(route) = Route::find(parts.uri.path()) else {
        return answer::empty(StatusCode::NOT_FOUND);
    };
    if parts.method != route.method() {
        return answer::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT_BYTES).await else {
        return answer::empty(StatusCode::PAYLOAD_TOO_LARGE);
    };
    answer_to(&simulator, &route, &parts, &body)
}

fn answer_to(simulator: &Simulator, route: &Route, parts: &Parts, body: &[u8]) -> Response<Body> {
    let caller = match caller::identify(simulator, parts, body) {
        Ok(caller) => caller,
        Err(refusal) => {
            tracing::info!(path = parts.uri.path(), code = refusal.code, "refused");
            return answer::unsigned(&refusal);
        }
    };
    let answered = carry_out(simulator, route, parts, body, &caller);
    if let Err(refusal) = &answered {
        tracing::info!(
            path = parts.uri.path(),
            code = refusal.code,
            message = refusal.message,
            "refused"
        );
    }
    answer::signed(simulator, caller.reply_key, answered)
}

fn carry_out(
    simulator: &Simulator,
    route: &Route,
    parts: &Parts,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    caller::check_asked_key(simulator, parts)?;
    match route {
        Route::Order(product) => orders::order(simulator, *product, body, caller),
        Route::QueryByNumber(number) => orders::query_by_number(simulator, number, query, caller),
        Route::QueryById(id) => orders::query_by_id(simulator, id, query, caller),
        Route::Close(number) => orders::close(simulator, number, body, caller),
    }
}

/// The one value of a header; `None` where it comes not at all or more than once.
fn single<'a>(parts: &'a Parts, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = parts.headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}
