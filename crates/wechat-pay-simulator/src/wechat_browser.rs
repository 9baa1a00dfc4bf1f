//! WeChat's browser around a shop's page: a reverse proxy, one listener for each shop's origin.
//!
//! It sends WeChat's User-Agent to the shop and leaves bodies unchanged, with one addition: a script
//! at the beginning of `<head>` that gives pages `WeixinJSBridge` and the cashier. The shop must be
//! on this machine; nothing else is ever requested.

mod browser;
mod cashier;
mod inject;
mod origin;
mod proxy;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router, middleware};
use http::header;
use serde_json::json;

pub use self::browser::USER_AGENT;
use self::browser::{BRIDGE_PATH, Browser};
use self::cashier::Caller;
pub use self::origin::{LoopbackOrigin, OriginError};
use crate::app::keep;
use crate::outgoing::Outgoing;
use crate::simulator::Simulator;

/// The path of the replacement for `https://res.wx.qq.com/open/js/jweixin-1.6.0.js`.
const SDK_PATH: &str = "/_wechat/jweixin.js";

/// The WeChat browser for a shop. `own` is its own origin, `shop` the shop's, `outgoing` the sender
/// of requests to the shop.
pub fn app(
    simulator: &Simulator,
    own: LoopbackOrigin,
    shop: LoopbackOrigin,
    outgoing: Outgoing,
) -> Router {
    let cashier_of = |caller: Caller| {
        Router::new()
            .route("/cashier", post(cashier::open))
            .route("/outcome", post(cashier::answer))
            .layer(Extension(caller))
    };
    Router::new()
        .route(BRIDGE_PATH, get(bridge))
        .route(SDK_PATH, get(sdk))
        .nest("/_wechat", cashier_of(Caller::Page))
        .nest("/_wechat/mini-program", cashier_of(Caller::MiniProgram))
        .layer(middleware::from_fn_with_state(simulator.clone(), keep))
        .fallback(any(proxy::forward))
        .with_state(Browser {
            simulator: simulator.clone(),
            own: Arc::new(own),
            shop: Arc::new(shop),
            outgoing,
        })
}

async fn bridge() -> Response {
    let agent = json!(USER_AGENT).to_string();
    javascript(include_str!("wechat_browser/bridge.js").replace("\"USER_AGENT\"", &agent))
}

async fn sdk() -> Response {
    javascript(include_str!("wechat_browser/jweixin.js").to_owned())
}

fn javascript(script: String) -> Response {
    (
        [
            (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        script,
    )
        .into_response()
}
