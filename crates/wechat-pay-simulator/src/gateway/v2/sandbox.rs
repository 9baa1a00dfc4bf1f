//! WeChat's sandbox of version 2: SDKs ask for its key, and then call the same routes under another
//! beginning.
//!
//! The simulator is itself a sandbox. Here both ledgers are the same one, and the sandbox's key is the
//! merchant's own.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use wechat_pay::v2::{Fields, Route};

use super::{answer, caller};
use crate::simulator::Simulator;

/// The beginnings of the sandbox's paths: today's, and that of older SDKs.
const BEGINNINGS: [&str; 2] = ["/xdc/apiv2sandbox", "/sandboxnew"];
const KEY_PATHS: [&str; 2] = [
    "/xdc/apiv2getsignkey/sign/getsignkey",
    "/sandboxnew/pay/getsignkey",
];
/// The sandbox asks for no certificate, and its paths do not have this part.
const CERTIFIED: &str = "/secapi";

pub(super) fn key_routes() -> Router<Simulator> {
    KEY_PATHS.iter().fold(Router::new(), |router, path| {
        router.route(path, any(handle))
    })
}

/// The sandbox's paths of all routes.
pub(super) fn paths() -> impl Iterator<Item = String> {
    BEGINNINGS.iter().flat_map(|beginning| {
        let of = move |route: Route| format!("{beginning}{}", plain(route));
        Route::ALL.into_iter().map(of)
    })
}

/// The route of a path of the sandbox.
pub(super) fn route_of(path: &str) -> Option<Route> {
    let rest = BEGINNINGS
        .iter()
        .find_map(|beginning| path.strip_prefix(beginning))?;
    Route::ALL.into_iter().find(|route| plain(*route) == rest)
}

fn plain(route: Route) -> &'static str {
    let path = route.path();
    path.strip_prefix(CERTIFIED).unwrap_or(path)
}

/// Answers with the key; WeChat does not sign this answer.
async fn handle(State(simulator): State<Simulator>, request: Request) -> Response {
    let caller = match caller::read(&simulator, request).await {
        Ok(caller) => caller,
        Err(refusal) => return answer::unsigned(KEY_PATHS[0], &refusal),
    };
    let fields: Fields = [
        ("return_code", "SUCCESS"),
        ("return_msg", "ok"),
        ("mch_id", &caller.mchid),
        ("sandbox_signkey", &caller.keyring.merchant().api_v2_key),
    ]
    .into_iter()
    .collect();
    answer::text(fields.to_xml())
}
