//! Measures the merchant server: orders a second through the private API, JSAPI attempts a second,
//! and how long a held poll waits for a notification that has arrived. Server and simulator share
//! this process, so an attempt's time includes WeChat's part. Every answer is durable before it is
//! sent.
//!
//! Run it with `--release`: `cargo run --release -p merchant-server --example merchant_order_rate`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program to be looked at: a panic is its error, its output is what it is for"
)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use merchant_server::{
    Config, HttpTransport, MerchantServer, ServiceTransport, Surroundings, SystemClock,
    SystemRandomness,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wechat_pay_simulator::{Clock, Keyring, Outgoing, Random, Simulator, SimulatorParts};

const ORDERS: u32 = 2_000;
const POLLS: usize = 300;
const API_KEY: &str = "tests-key";
const API_KEY_SHA256: &str = "9041b924878743c7e88e8fd663d4c547a510c659d3427ef38c84ff95f4b6575b";
/// Long enough for a poll to be held before its notification comes.
const HELD: Duration = Duration::from_millis(5);

/// Notifications that the simulator sent; this program delivers them.
type Post = Arc<Mutex<Vec<Request<Bytes>>>>;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let post = Post::default();
    let now = Timestamp::now();
    let keyring = Keyring::load_or_create(
        folder.path(),
        "http://127.0.0.1:9410",
        now,
        &Random::system(),
    );
    let simulator = simulator(keyring.unwrap(), &post);
    let config = Config::parse(&configuration(), folder.path()).unwrap();
    let surroundings = Surroundings {
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SystemRandomness),
        wechat: Arc::new(ServiceTransport::new(simulator.app())),
        webhooks: Arc::new(HttpTransport::new(true).unwrap()),
    };
    let app = merchant_server::app(MerchantServer::open(config, surroundings).await.unwrap());

    let start = Instant::now();
    let mut tokens = Vec::new();
    for number in 0..ORDERS {
        tokens.push(order(&app, &format!("bench-{number:06}")).await);
    }
    print("orders/s, one after the other", start);

    let start = Instant::now();
    for token in &tokens {
        let answer = attempt(&app, token, "jsapi").await;
        assert!(answer["jsapi"]["paySign"].is_string(), "{answer}");
    }
    print("JSAPI attempts/s, one after the other", start);

    let mut waits = Vec::new();
    for number in 0..POLLS {
        waits.push(notification_to_poll(&app, &simulator, &post, number).await);
    }
    waits.sort_unstable();
    println!(
        "{:8.2} ms p50, {:.2} ms p99 from notification received to held poll answered",
        waits[POLLS / 2].as_secs_f64() * 1000.0,
        waits[POLLS * 99 / 100].as_secs_f64() * 1000.0,
    );
}

async fn notification_to_poll(
    app: &Router,
    simulator: &Simulator,
    post: &Post,
    number: usize,
) -> Duration {
    let token = order(app, &format!("poll-{number:06}")).await;
    let answer = attempt(app, &token, "native").await;
    let visit = json!({ "code_url": answer["code_url"], "outcome": "success" });
    let request = Request::post("/_simulator/pay").body(Body::from(visit.to_string()));
    call(&simulator.app(), request.unwrap()).await;
    simulator.run_due().await;
    let path = format!("/v1/checkouts/{token}?wait=25&seen={}", answer["version"]);
    let poll = {
        let app = app.clone();
        tokio::spawn(async move {
            let answer = call(&app, Request::get(path).body(Body::empty()).unwrap()).await;
            (answer, Instant::now())
        })
    };
    tokio::time::sleep(HELD).await;
    let (parts, body) = post.lock().unwrap().pop().unwrap().into_parts();
    let start = Instant::now();
    let path = parts.uri.path().to_owned();
    let mut request = Request::post(path).body(Body::from(body)).unwrap();
    *request.headers_mut() = parts.headers;
    call(app, request).await;
    let (answer, answered) = poll.await.unwrap();
    assert_eq!(answer["state"], "paid", "{answer}");
    answered.duration_since(start)
}

async fn order(app: &Router, order_no: &str) -> String {
    let order = json!({
        "order_no": order_no, "total_fen": 1990, "description": "一壶茶",
        "payer": { "openid": "oBenchmarkOpenId" },
    });
    let request = Request::post("/v1/orders")
        .header("authorization", format!("Bearer {API_KEY}"))
        .header("content-type", "application/json")
        .body(Body::from(order.to_string()));
    let created = call(app, request.unwrap()).await;
    created["token"].as_str().unwrap().to_owned()
}

async fn attempt(app: &Router, token: &str, product: &str) -> Value {
    let request = Request::post(format!("/v1/checkouts/{token}/attempts"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("product={product}")));
    call(app, request.unwrap()).await
}

async fn call(app: &Router, request: Request<Body>) -> Value {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{status} {body:?}");
    serde_json::from_slice(&body).unwrap_or(Value::Null)
}

fn print(what: &str, start: Instant) {
    let rate = f64::from(ORDERS) / start.elapsed().as_secs_f64();
    println!("{rate:8.0} {what}");
}

fn simulator(keyring: Keyring, post: &Post) -> Simulator {
    let post = post.clone();
    let notifications = Outgoing::from_fn(move |request: Request<Bytes>| {
        post.lock().unwrap().push(request);
        async { Ok(Response::builder().status(204).body(Body::empty()).unwrap()) }
    });
    Simulator::new(SimulatorParts {
        clock: Clock::system(),
        random: Random::system(),
        keyring,
        domains: BTreeSet::new(),
        notifications,
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
