//! Merchant server and simulator in this process, with no socket between them: for journeys and for
//! measurements. No loop runs here: due work is run by the caller.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use merchant_server::{
    Clock, Config, MerchantServer, Randomness, ServiceTransport, Surroundings, WechatTransport,
};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;
use wechat_pay_simulator::{Outgoing, Simulator, SimulatorParts};

use crate::merchant_config::{API_KEY, MerchantConfig};
use crate::merchant_keys::keyring_in;
use crate::servers::WEBHOOK_SECRET;

/// The merchant server's address. Nothing listens there.
pub const MERCHANT: &str = "http://127.0.0.1:8080";
/// The simulator's address.
pub const WECHAT: &str = "http://127.0.0.1:9410";
/// The address of the shop's pages.
pub const SHOP: &str = "http://127.0.0.1:8000";

/// What both servers get from their caller.
pub struct Outside {
    /// The time of both.
    pub clock: Arc<dyn Clock>,
    /// The merchant server's randomness.
    pub randomness: Arc<dyn Randomness>,
    /// The way of the simulator's notifications.
    pub notifications: Outgoing,
    /// Whether the merchant server limits the rate of calls, as a merchant's does.
    pub has_rate_limits: bool,
    /// The backend that gets the merchant server's webhooks, if there is one.
    pub backend: Option<Router>,
}

/// Both servers, with their routes.
pub struct InProcessServers {
    /// The merchant server's configuration.
    pub config: Config,
    /// The merchant server.
    pub server: MerchantServer,
    /// The simulator.
    pub simulator: Simulator,
    /// The merchant server's routes.
    pub merchant: Router,
    /// The simulator's routes.
    pub wechat: Router,
    _folder: TempDir,
}

impl InProcessServers {
    /// Opens both. `transport` makes the merchant server's way to the simulator's routes.
    pub async fn open(
        outside: Outside,
        transport: impl FnOnce(Router) -> Arc<dyn WechatTransport>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("simulator");
        let time = outside.clock.clone();
        let now = move || Timestamp::from_millisecond(time.now_ms()).unwrap();
        let simulator = Simulator::new(SimulatorParts {
            clock: wechat_pay_simulator::Clock::from_fn(now),
            ..SimulatorParts::new(keyring_in(&keys, WECHAT), outside.notifications)
        });
        let wechat = simulator.app();
        let mut config = MerchantConfig::new(MERCHANT, &keys.join("merchant.json"));
        config.allow_origins(&[SHOP]);
        if !outside.has_rate_limits {
            config.lift_rate_limits();
        }
        if outside.backend.is_some() {
            config.send_webhooks(&format!("{SHOP}/hooks"), WEBHOOK_SECRET);
        }
        let surroundings = Surroundings {
            clock: outside.clock,
            randomness: outside.randomness,
            wechat: transport(wechat.clone()),
            webhooks: Arc::new(ServiceTransport::new(outside.backend.unwrap_or_default())),
        };
        let config = config.checked(folder.path());
        let server = MerchantServer::open(config.clone(), surroundings)
            .await
            .unwrap();
        Self {
            config,
            merchant: merchant_server::app(server.clone()),
            server,
            simulator,
            wechat,
            _folder: folder,
        }
    }

    /// The merchant's backend creates the order. Returns the page's token.
    pub async fn order(&self, order: &Value) -> String {
        order_at(self.merchant.clone(), order).await
    }

    /// An element starts an attempt.
    pub async fn attempt(&self, token: &str, product: &str) -> Value {
        let request = Request::post(format!("{MERCHANT}/v1/checkouts/{token}/attempts"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(format!("product={product}")));
        let (status, answer) = self.send_json(request.unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// The merchant server's answer about a checkout.
    pub async fn checkout(&self, token: &str) -> Value {
        let request = Request::get(format!("{MERCHANT}/v1/checkouts/{token}"));
        let (status, answer) = self.send_json(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// What happens at WeChat, as the simulator's control interface takes it. Returns its answer.
    pub async fn at_wechat(&self, what: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(format!("{WECHAT}/_simulator/{what}"));
        self.send_json(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// The server that has the request's address answers it.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        let address = request.uri().to_string();
        let router = if address.starts_with(WECHAT) {
            self.wechat.clone()
        } else if address.starts_with(MERCHANT) {
            self.merchant.clone()
        } else {
            panic!("nothing serves {address}")
        };
        router.oneshot(request).await.unwrap()
    }

    /// The same, with the answer read; null where it is not JSON.
    pub async fn send_json(&self, request: Request<Body>) -> (StatusCode, Value) {
        json_of(self.send(request).await).await
    }
}

/// The merchant's backend creates the order at these routes of the merchant server. Returns the page's
/// token.
pub async fn order_at(merchant: Router, order: &Value) -> String {
    let request = Request::post(format!("{MERCHANT}/v1/orders"))
        .header("authorization", format!("Bearer {API_KEY}"))
        .header("content-type", "application/json")
        .body(Body::from(order.to_string()));
    let (status, created) = json_of(merchant.oneshot(request.unwrap()).await.unwrap()).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    created["token"].as_str().unwrap().to_owned()
}

/// The status and the JSON of an answer; null where it is not JSON.
pub async fn json_of(response: Response<Body>) -> (StatusCode, Value) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}
