//! The servers of a journey: merchant server and simulator in this process, with no socket between
//! them, and one clock. Notifications go from the simulator to the merchant server as in
//! production, unless the journey loses or keeps them.

use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use merchant_server::{Clock as _, Config, MerchantServer, SeededRandomness, ServiceTransport};
use payment_tests::in_process::{InProcessServers, MERCHANT, Outside, SHOP, WECHAT, order_at};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wechat_pay::{Account, Product, Stamp, replay_order};
use wechat_pay_simulator::{Outgoing, OutgoingError, Simulator};

use crate::calls::{Calls, Party};
use crate::clock::JourneyClock;

/// What happens to a notification on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Delivered,
    Lost,
}

/// A notification that the simulator sent, as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Notification {
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct JourneyServers {
    pub(crate) clock: JourneyClock,
    pub(crate) server: MerchantServer,
    pub(crate) simulator: Simulator,
    both: InProcessServers,
    route: Arc<NotificationRoute>,
    /// The messages between all of them.
    pub(crate) calls: Calls,
}

struct NotificationRoute {
    delivery: Mutex<Delivery>,
    sent: Mutex<Vec<Notification>>,
    merchant: OnceLock<Router>,
}

impl JourneyServers {
    pub(crate) async fn new() -> Self {
        let clock = JourneyClock::new();
        let calls = Calls::default();
        let route = Arc::new(NotificationRoute {
            delivery: Mutex::new(Delivery::Delivered),
            sent: Mutex::default(),
            merchant: OnceLock::new(),
        });
        let outside = Outside {
            clock: Arc::new(clock.clone()),
            randomness: Arc::new(SeededRandomness::new(7)),
            notifications: notifications(&route),
            has_rate_limits: true,
            backend: Some(calls.between(Party::Server, Party::Shop, backend())),
        };
        let both = InProcessServers::open(outside, |wechat| {
            let wechat = calls.between(Party::Server, Party::Wechat, wechat);
            Arc::new(ServiceTransport::new(wechat))
        })
        .await;
        let notified = calls.between(Party::Wechat, Party::Server, both.merchant.clone());
        route.merchant.set(notified).unwrap();
        // What the server asks as it starts belongs to no payment.
        calls.forget();
        Self {
            clock,
            server: both.server.clone(),
            simulator: both.simulator.clone(),
            both,
            route,
            calls,
        }
    }

    /// The merchant's backend creates the order. Returns the page's token.
    pub(crate) async fn order(&self, order: Value) -> String {
        let merchant = self.both.merchant.clone();
        let merchant = self.calls.between(Party::Shop, Party::Server, merchant);
        order_at(merchant, &order).await
    }

    /// Another program with the merchant's keys orders at WeChat without the server. Returns the
    /// code.
    pub(crate) async fn order_past_the_server(&self, out_trade_no: &str, total_fen: u64) -> String {
        let keyring = self.simulator.keyring();
        let merchant = keyring.merchant();
        let body = json!({
            "appid": merchant.appid,
            "mchid": merchant.mchid,
            "description": "another shop's",
            "out_trade_no": out_trade_no,
            "notify_url": format!("{MERCHANT}/wechat/notify/payment"),
            "amount": { "total": total_fen, "currency": "CNY" },
        });
        let stamp = Stamp::new(self.clock.now_ms() / 1_000, [7; 16]);
        let account = Account::new(&merchant.mchid, None);
        let request = replay_order(&account, Product::Native, body.to_string())
            .sign(&keyring.merchant_key().unwrap(), &stamp, None)
            .unwrap();
        let request = request.into_http(WECHAT).unwrap().map(Body::from);
        let (status, reply) = self.send_json(request).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        reply["code_url"].as_str().unwrap().to_owned()
    }

    /// The configuration, for commands beside the server.
    pub(crate) fn config(&self) -> &Config {
        &self.both.config
    }

    /// What happens at WeChat, by the simulator's control interface.
    pub(crate) async fn at_wechat(&self, what: &str, body: &Value) -> (StatusCode, Value) {
        self.both.at_wechat(what, body).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.both.send(request).await
    }

    pub(crate) async fn send_json(&self, request: Request<Body>) -> (StatusCode, Value) {
        self.both.send_json(request).await
    }

    /// The merchant server, as the page calls it.
    pub(crate) fn merchant(&self) -> Router {
        let merchant = self.both.merchant.clone();
        self.calls.between(Party::Page, Party::Server, merchant)
    }

    /// The buyer is in WeChat's cashier: `code_url`, `prepay_id` or `h5_url` names the payment, and
    /// `outcome` is what the buyer does. Returns the trade state.
    pub(crate) async fn in_the_cashier(&self, what: &str, link: &str, outcome: &str) -> String {
        let (status, answer) = self.at_the_cashier(what, link, outcome).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["trade_state"].as_str().unwrap().to_owned()
    }

    /// The same if the cashier does not open. Returns the reason.
    pub(crate) async fn refused_by_the_cashier(&self, what: &str, link: &str) -> String {
        let (status, answer) = self.at_the_cashier(what, link, "success").await;
        assert!(status.is_client_error(), "{status}: {answer}");
        answer["error"]["code"].as_str().unwrap().to_owned()
    }

    async fn at_the_cashier(&self, what: &str, link: &str, outcome: &str) -> (StatusCode, Value) {
        let visit = json!({ what: link, "outcome": outcome });
        self.both.at_wechat("pay", &visit).await
    }

    /// WeChat's own state of a number, which is the truth.
    pub(crate) fn trade_state(&self, out_trade_no: &str) -> Option<String> {
        let ledger = serde_json::to_value(self.simulator.ledger_view(None)).unwrap();
        let orders = ledger["orders"].as_array().unwrap().clone();
        let order = orders
            .iter()
            .find(|order| order["out_trade_no"] == out_trade_no)?;
        Some(order["trade_state"].as_str().unwrap().to_owned())
    }

    /// The result of each visit to a cashier, over all orders of WeChat's.
    pub(crate) fn visits_of_the_cashier(&self) -> Vec<&'static str> {
        let orders = self.simulator.ledger_view(None).orders;
        let visits = orders.iter().flat_map(|order| &order.attempts);
        visits.map(|visit| visit.result).collect()
    }

    /// Runs all work that is due by now: notifications, and the server's own queries.
    pub(crate) async fn run_due(&self) {
        self.simulator.run_due().await;
        self.server.run_due().await.unwrap();
    }

    /// The next moment at which any work is due.
    pub(crate) async fn next_due_ms(&self) -> Option<i64> {
        let notice = self
            .simulator
            .next_due()
            .map(jiff::Timestamp::as_millisecond);
        let work = self.server.next_due_ms().await.unwrap();
        [notice, work].into_iter().flatten().min()
    }

    pub(crate) fn set_delivery(&self, delivery: Delivery) {
        *self.route.delivery.lock().unwrap() = delivery;
    }

    pub(crate) fn notifications(&self) -> Vec<Notification> {
        self.route.sent.lock().unwrap().clone()
    }

    /// Sends a notification to the server, as WeChat or an attacker might.
    pub(crate) async fn send_notification(&self, notification: &Notification) -> StatusCode {
        let mut request = Request::post(format!("{MERCHANT}/wechat/notify/payment"))
            .body(Body::from(notification.body.clone()))
            .unwrap();
        *request.headers_mut() = notification.headers.clone();
        self.send(request).await.status()
    }

    /// The clock moves, but no page and no due work reacts yet.
    pub(crate) fn clock_passes_ms(&self, by_ms: i64) {
        self.clock.move_to(self.clock.now_ms() + by_ms);
    }

    /// A browser follows redirects from an address until it is back on the shop's page.
    pub(crate) async fn follow_to_the_shop(&self, from: &str) -> String {
        let mut at = from.to_owned();
        for _ in 0..10 {
            if at.starts_with(SHOP) {
                return at;
            }
            let request = Request::get(&at)
                .header("referer", SHOP)
                .body(Body::empty())
                .unwrap();
            let router = if at.starts_with(WECHAT) {
                let wechat = self.both.wechat.clone();
                self.calls.between(Party::Page, Party::Wechat, wechat)
            } else {
                self.merchant()
            };
            let response = router.oneshot(request).await.unwrap();
            assert!(
                response.status().is_redirection(),
                "{at}: {}",
                response.status()
            );
            let location = response.headers()["location"].to_str().unwrap();
            location.clone_into(&mut at);
        }
        panic!("redirects go round in circles from {from}")
    }
}

/// The shop's backend takes each webhook.
fn backend() -> Router {
    Router::new().fallback(|| async { StatusCode::NO_CONTENT })
}

/// The way of the simulator's notifications to the merchant server.
fn notifications(route: &Arc<NotificationRoute>) -> Outgoing {
    let route = route.clone();
    Outgoing::from_fn(move |request: Request<Bytes>| {
        let route = route.clone();
        async move { deliver(&route, request).await }
    })
}

async fn deliver(
    route: &NotificationRoute,
    request: Request<Bytes>,
) -> Result<Response<Body>, OutgoingError> {
    route.sent.lock().unwrap().push(Notification {
        headers: request.headers().clone(),
        body: request.body().to_vec(),
    });
    if *route.delivery.lock().unwrap() == Delivery::Lost {
        return Err(OutgoingError::TimedOut);
    }
    let merchant = route.merchant.get().unwrap().clone();
    Ok(merchant.oneshot(request.map(Body::from)).await.unwrap())
}
