//! Measures the merchant server: orders a second through the private API, JSAPI attempts a second,
//! and how long a held poll waits for a notification that has arrived. Server and simulator share
//! this process, so an attempt's time includes WeChat's part. Every answer is durable before it is
//! sent.
//!
//! Run it with `--release`: `cargo run --release -p payment-tests --example merchant_order_rate`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program to be looked at: a panic is its error, its output is what it is for"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use merchant_server::{ServiceTransport, SystemClock, SystemRandomness};
use payment_tests::in_process::{InProcessServers, MERCHANT, Outside};
use serde_json::{Value, json};
use wechat_pay_simulator::Outgoing;

const ORDERS: u32 = 2_000;
const POLLS: usize = 300;
/// Long enough for a poll to be held before its notification comes.
const HELD: Duration = Duration::from_millis(5);

/// Notifications that the simulator sent; this program delivers them.
type Post = Arc<Mutex<Vec<Request<Bytes>>>>;

#[tokio::main]
async fn main() {
    let post = Post::default();
    let outside = Outside {
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SystemRandomness),
        notifications: kept_in(&post),
        has_rate_limits: false,
        backend: None,
    };
    let servers =
        InProcessServers::open(outside, |wechat| Arc::new(ServiceTransport::new(wechat))).await;
    let servers = Arc::new(servers);

    let start = Instant::now();
    let mut tokens = Vec::new();
    for number in 0..ORDERS {
        tokens.push(order(&servers, &format!("bench-{number:06}")).await);
    }
    print("orders/s, one after the other", start);

    let start = Instant::now();
    for token in &tokens {
        let answer = servers.attempt(token, "jsapi").await;
        assert!(answer["jsapi"]["paySign"].is_string(), "{answer}");
    }
    print("JSAPI attempts/s, one after the other", start);

    let mut waits = Vec::new();
    for number in 0..POLLS {
        waits.push(notification_to_poll(&servers, &post, number).await);
    }
    waits.sort_unstable();
    println!(
        "{:8.2} ms p50, {:.2} ms p99 from notification received to held poll answered",
        waits[POLLS / 2].as_secs_f64() * 1000.0,
        waits[POLLS * 99 / 100].as_secs_f64() * 1000.0,
    );
}

async fn notification_to_poll(
    servers: &Arc<InProcessServers>,
    post: &Post,
    number: usize,
) -> Duration {
    let token = order(servers, &format!("poll-{number:06}")).await;
    let answer = servers.attempt(&token, "native").await;
    let visit = json!({ "code_url": answer["code_url"], "outcome": "success" });
    servers.at_wechat("pay", &visit).await;
    servers.simulator.run_due().await;
    let address = format!(
        "{MERCHANT}/v1/checkouts/{token}?wait=25&seen={}",
        answer["version"]
    );
    let poll = {
        let servers = servers.clone();
        tokio::spawn(async move {
            let answer = call(&servers, Request::get(address).body(Body::empty()).unwrap()).await;
            (answer, Instant::now())
        })
    };
    tokio::time::sleep(HELD).await;
    let notification = post.lock().unwrap().pop().unwrap();
    let start = Instant::now();
    call(servers, notification.map(Body::from)).await;
    let (answer, answered) = poll.await.unwrap();
    assert_eq!(answer["state"], "paid", "{answer}");
    answered.duration_since(start)
}

async fn order(servers: &InProcessServers, order_no: &str) -> String {
    let order = json!({
        "order_no": order_no, "total_fen": 1990, "description": "一壶茶",
        "payer": { "openid": "oBenchmarkOpenId" },
    });
    servers.order(&order).await
}

async fn call(servers: &InProcessServers, request: Request<Body>) -> Value {
    let (status, answer) = servers.send_json(request).await;
    assert!(status.is_success(), "{status} {answer}");
    answer
}

fn print(what: &str, start: Instant) {
    let rate = f64::from(ORDERS) / start.elapsed().as_secs_f64();
    println!("{rate:8.0} {what}");
}

fn kept_in(post: &Post) -> Outgoing {
    let post = post.clone();
    Outgoing::from_fn(move |request: Request<Bytes>| {
        post.lock().unwrap().push(request);
        async { Ok(Response::builder().status(204).body(Body::empty()).unwrap()) }
    })
}
