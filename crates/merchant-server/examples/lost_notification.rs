//! Measures how long a payment stays unknown after its notification was lost. The time is real
//! time. Many open orders have their queries due at the same moment, and WeChat answers slowly. The
//! paid order is the last in the queue, which is the slowest case.
//!
//! `cargo run -p merchant-server --example lost_notification -- 2000 500`: the numbers are the open
//! orders, and the milliseconds that WeChat takes for each answer.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program to be looked at: a panic is its error, its output is what it is for"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use merchant_server::{
    Call, Clock, Config, HttpTransport, MerchantServer, ServiceTransport, Sleep, Surroundings,
    SystemClock, SystemRandomness, WechatTransport,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wechat_pay_simulator::{Keyring, Outgoing, Random, Simulator, SimulatorParts};

const API_KEY: &str = "tests-key";
const API_KEY_SHA256: &str = "9041b924878743c7e88e8fd663d4c547a510c659d3427ef38c84ff95f4b6575b";

/// A clock that stands still while the orders are created, so that all their queries are due
/// together.
#[derive(Clone, Default)]
struct HeldBack(Arc<AtomicI64>);

impl Clock for HeldBack {
    fn now_ms(&self) -> i64 {
        match self.0.load(Ordering::Relaxed) {
            0 => SystemClock.now_ms(),
            held_ms => held_ms,
        }
    }

    fn monotonic_ms(&self) -> i64 {
        SystemClock.monotonic_ms()
    }

    fn sleep_until(&self, moment_ms: i64) -> Sleep {
        let wait_ms = moment_ms - self.now_ms();
        SystemClock.sleep_until(SystemClock.now_ms() + wait_ms)
    }
}

/// A WeChat that answers slowly once `takes_ms` is set.
struct Slow {
    wechat: ServiceTransport<Router>,
    takes_ms: AtomicU64,
    calls: AtomicU64,
}

impl WechatTransport for Slow {
    fn call(&self, request: Request<Bytes>) -> Call<'_> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let takes_ms = self.takes_ms.load(Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(takes_ms)).await;
            self.wechat.call(request).await
        })
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().unwrap());
    let orders: u64 = arguments.next().unwrap_or(2_000);
    let takes_ms: u64 = arguments.next().unwrap_or(500);
    let folder = tempfile::tempdir().unwrap();
    let simulator = simulator(folder.path());
    let slow = Arc::new(Slow {
        wechat: ServiceTransport::new(simulator.app()),
        takes_ms: AtomicU64::new(0),
        calls: AtomicU64::new(0),
    });
    let clock = HeldBack::default();
    let config = Config::parse(&configuration(), folder.path()).unwrap();
    let surroundings = Surroundings {
        clock: Arc::new(clock.clone()),
        randomness: Arc::new(SystemRandomness),
        wechat: slow.clone(),
        webhooks: Arc::new(HttpTransport::new(true).unwrap()),
    };
    let server = MerchantServer::open(config, surroundings).await.unwrap();
    let app = merchant_server::app(server.clone());

    clock.0.store(SystemClock.now_ms(), Ordering::Relaxed);
    let mut last = (String::new(), Value::Null);
    for number in 0..orders {
        // The last order is due a millisecond after the others, so it is the last in the queue.
        if number + 1 == orders {
            clock.0.fetch_add(1, Ordering::Relaxed);
        }
        let token = order(&app, &format!("open-{number:06}")).await;
        last = (token.clone(), attempt(&app, &token).await);
    }
    let (token, answer) = last;
    let visit = json!({ "code_url": answer["code_url"], "outcome": "success" });
    let pay = Request::post("/_simulator/pay").body(Body::from(visit.to_string()));
    call(&simulator.app(), pay.unwrap()).await;

    let due_ms = clock.0.load(Ordering::Relaxed) + 5_000;
    clock
        .0
        .store(due_ms.max(SystemClock.now_ms()), Ordering::Relaxed);
    slow.takes_ms.store(takes_ms, Ordering::Relaxed);
    slow.calls.store(0, Ordering::Relaxed);
    let began = Instant::now();
    let work = tokio::spawn(async move { server.run_due().await });
    loop {
        let path = format!("/v1/checkouts/{token}");
        let shown = call(&app, Request::get(path).body(Body::empty()).unwrap()).await;
        if shown["state"] == "paid" {
            break;
        }
        assert!(!work.is_finished(), "done, and the order is not paid");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    let calls = slow.calls.load(Ordering::Relaxed);
    println!(
        "{seconds:8.1} s until the last of {orders} open orders is known to be paid; WeChat takes {takes_ms} ms; {calls} calls"
    );
    work.abort();
}

async fn order(app: &Router, order_no: &str) -> String {
    let order = json!({ "order_no": order_no, "total_fen": 1990, "description": "一壶茶" });
    let request = Request::post("/v1/orders")
        .header("authorization", format!("Bearer {API_KEY}"))
        .header("content-type", "application/json")
        .body(Body::from(order.to_string()));
    let created = call(app, request.unwrap()).await;
    created["token"].as_str().unwrap().to_owned()
}

async fn attempt(app: &Router, token: &str) -> Value {
    let request = Request::post(format!("/v1/checkouts/{token}/attempts"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("product=native"));
    call(app, request.unwrap()).await
}

async fn call(app: &Router, request: Request<Body>) -> Value {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{status} {body:?}");
    serde_json::from_slice(&body).unwrap_or(Value::Null)
}

fn simulator(folder: &std::path::Path) -> Simulator {
    let now = Timestamp::now();
    let keyring = Keyring::load_or_create(folder, "http://127.0.0.1:9410", now, &Random::system());
    Simulator::new(SimulatorParts {
        clock: wechat_pay_simulator::Clock::system(),
        random: Random::system(),
        keyring: keyring.unwrap(),
        domains: BTreeSet::new(),
        // All notifications are lost.
        notifications: Outgoing::from_fn(|_: Request<Bytes>| async {
            Ok(Response::builder().status(500).body(Body::empty()).unwrap())
        }),
    })
}

fn configuration() -> String {
    format!(
        r#"
        public_base_url = "http://127.0.0.1:8080"
        rate_limits = {{ token_per_minute = 1000000, address_per_minute = 1000000 }}
        [[api_keys]]
        name = "bench"
        sha256 = "{API_KEY_SHA256}"
        [gateway]
        environment = "simulator"
        [merchant]
        from_file = "merchant.json"
        "#
    )
}
