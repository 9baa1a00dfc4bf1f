//! WeChat's browser around a shop's page: a reverse proxy, one listener for each shop's origin.
//!
//! It speaks to the shop with WeChat's User-Agent, leaves bodies as they are, and adds one thing:
//! a script at the beginning of `<head>` that gives pages `WeixinJSBridge` and the cashier. The
//! shop must be on this machine; nothing else is ever fetched.

mod cashier;
mod inject;
mod proxy;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router, middleware};
use http::header;
use serde_json::json;
use url::Url;

use self::cashier::Caller;
use crate::outgoing::{Outgoing, is_loopback_host};
use crate::simulator::{Simulator, keep};

/// What the shop's server and the page's script see: a current WeChat on Android.
pub const USER_AGENT: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A.250205.002; wv) \
    AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.7204.180 Mobile Safari/537.36 \
    XWEB/1380215 MMWEBSDK/20250503 MMWEBID/4010 MicroMessenger/8.0.61.2880(0x28003D5B) \
    WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64";

/// Where the script comes from; the shop's own paths cannot begin like this.
pub(crate) const BRIDGE_PATH: &str = "/_wechat/bridge.js";

/// Where pages find what stands in for `https://res.wx.qq.com/open/js/jweixin-1.6.0.js`.
const SDK_PATH: &str = "/_wechat/jweixin.js";

/// An origin on this machine: scheme, host and port, no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopbackOrigin(String);

/// Why a text is no [`LoopbackOrigin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// Not `http://host:port`.
    #[error("must be an origin such as http://127.0.0.1:8000, without a path")]
    NotAnOrigin,
    /// Another machine.
    #[error("must be on this machine (127.0.0.1, [::1] or localhost)")]
    NotLoopback,
}

impl FromStr for LoopbackOrigin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| OriginError::NotAnOrigin)?;
        let bare = url.scheme() == "http"
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let host = url.host_str().filter(|_| bare);
        match host {
            None => Err(OriginError::NotAnOrigin),
            Some(host) if !is_loopback_host(host) => Err(OriginError::NotLoopback),
            Some(_) => Ok(Self(url.origin().ascii_serialization())),
        }
    }
}

impl LoopbackOrigin {
    /// `http://127.0.0.1:8000`, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `127.0.0.1:8000`.
    pub(crate) fn authority(&self) -> &str {
        self.0.strip_prefix("http://").unwrap_or(&self.0)
    }
}

impl fmt::Display for LoopbackOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) simulator: Simulator,
    pub(crate) own: Arc<LoopbackOrigin>,
    pub(crate) shop: Arc<LoopbackOrigin>,
    pub(crate) outgoing: Outgoing,
}

/// The WeChat browser on a shop. `own` is the address that it is reached by, `shop` the origin
/// that it shows, `outgoing` the way there.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_of_this_machine_are_shown() {
        for (text, expected) in [
            ("http://127.0.0.1:8000", Ok("http://127.0.0.1:8000")),
            ("http://localhost:8000/", Ok("http://localhost:8000")),
            ("http://[::1]:8000", Ok("http://[::1]:8000")),
            ("http://127.0.0.1:80", Ok("http://127.0.0.1")),
            ("http://shop.example:8000", Err(OriginError::NotLoopback)),
            ("http://127.0.0.1.example", Err(OriginError::NotLoopback)),
            ("http://0.0.0.0:8000", Err(OriginError::NotLoopback)),
            ("https://127.0.0.1:8000", Err(OriginError::NotAnOrigin)),
            ("http://127.0.0.1:8000/path", Err(OriginError::NotAnOrigin)),
            ("http://u@127.0.0.1:8000", Err(OriginError::NotAnOrigin)),
            ("http://127.0.0.1:8000?a", Err(OriginError::NotAnOrigin)),
            ("127.0.0.1:8000", Err(OriginError::NotAnOrigin)),
            ("", Err(OriginError::NotAnOrigin)),
        ] {
            let origin = text.parse::<LoopbackOrigin>();
            assert_eq!(
                origin.as_ref().map(LoopbackOrigin::as_str),
                expected.as_ref().copied(),
                "{text}"
            );
        }
    }

    #[test]
    fn the_user_agent_is_one_line_of_a_wechat_on_android() {
        assert!(USER_AGENT.is_ascii() && !USER_AGENT.contains("  "));
        assert!(USER_AGENT.contains("MicroMessenger/8.") && USER_AGENT.contains("Android"));
    }
}
