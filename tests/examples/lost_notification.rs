//! Measures how long a payment stays unknown after its notification was lost. The time is real
//! time. Many open orders have their queries due at the same moment, and WeChat answers slowly. The
//! paid order is the last in the queue, which is the slowest case.
//!
//! `cargo run -p payment-tests --example lost_notification -- 2000 500`: the numbers are the open
//! orders, and the milliseconds that WeChat takes for each answer.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program to be looked at: a panic is its error, its output is what it is for"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use merchant_server::{
    Call, Clock, ServiceTransport, Sleep, SystemClock, SystemRandomness, WechatTransport,
};
use payment_tests::in_process::{InProcessServers, Outside};
use serde_json::{Value, json};
use wechat_pay_simulator::Outgoing;

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
#[derive(Default)]
struct Slowness {
    takes_ms: AtomicU64,
    calls: AtomicU64,
}

struct Slow(ServiceTransport<Router>, Arc<Slowness>);

impl WechatTransport for Slow {
    fn call(&self, request: Request<Bytes>) -> Call<'_> {
        Box::pin(async move {
            let Self(wechat, slowness) = self;
            slowness.calls.fetch_add(1, Ordering::Relaxed);
            let takes_ms = slowness.takes_ms.load(Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(takes_ms)).await;
            wechat.call(request).await
        })
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().unwrap());
    let orders: u64 = arguments.next().unwrap_or(2_000);
    let takes_ms: u64 = arguments.next().unwrap_or(500);
    let slow = Arc::<Slowness>::default();
    let clock = HeldBack::default();
    let outside = Outside {
        clock: Arc::new(clock.clone()),
        randomness: Arc::new(SystemRandomness),
        // All notifications are lost.
        notifications: Outgoing::from_fn(|_: Request<Bytes>| async {
            Ok(Response::builder().status(500).body(Body::empty()).unwrap())
        }),
        has_rate_limits: false,
        backend: None,
    };
    let transport = |wechat| {
        Arc::new(Slow(ServiceTransport::new(wechat), slow.clone())) as Arc<dyn WechatTransport>
    };
    let servers = InProcessServers::open(outside, transport).await;

    clock.0.store(SystemClock.now_ms(), Ordering::Relaxed);
    let mut last = (String::new(), Value::Null);
    for number in 0..orders {
        // The last order is due a millisecond after the others, so it is the last in the queue.
        if number + 1 == orders {
            clock.0.fetch_add(1, Ordering::Relaxed);
        }
        let order_no = format!("open-{number:06}");
        let order = json!({ "order_no": order_no, "total_fen": 1990, "description": "一壶茶" });
        let token = servers.order(&order).await;
        last = (token.clone(), servers.attempt(&token, "native").await);
    }
    let (token, answer) = last;
    let visit = json!({ "code_url": answer["code_url"], "outcome": "success" });
    servers.at_wechat("pay", &visit).await;

    let due_ms = clock.0.load(Ordering::Relaxed) + 5_000;
    clock
        .0
        .store(due_ms.max(SystemClock.now_ms()), Ordering::Relaxed);
    slow.takes_ms.store(takes_ms, Ordering::Relaxed);
    slow.calls.store(0, Ordering::Relaxed);
    let began = Instant::now();
    let server = servers.server.clone();
    let work = tokio::spawn(async move { server.run_due().await });
    loop {
        if servers.checkout(&token).await["state"] == "paid" {
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
