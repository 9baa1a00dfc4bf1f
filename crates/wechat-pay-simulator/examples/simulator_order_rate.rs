//! Orders per second of the simulator on one thread: each is verified, checked, recorded and answered
//! with a signature. First in memory, then with the state on disk.
//!
//! The requests are signed before the clock runs. Run it with `--release`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program to be looked at: a panic is its error, its output is what it is for"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{Request, StatusCode};
use jiff::Timestamp;
use tower::ServiceExt;
use wechat_pay::{
    Description, Fen, MerchantKey, NotifyUrl, Order, Orderer, OutTradeNo, ProductFields, Stamp,
};
use wechat_pay_simulator::{
    Keyring, Outgoing, Random, Simulator, SimulatorOptions, SimulatorParts,
};

const ORDERS: u32 = 5000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let now = Timestamp::now();
    let keyring = Keyring::generate("http://127.0.0.1:9410", now, &Random::system()).unwrap();
    let requests = signed(&keyring, now);
    let in_memory = Simulator::new(parts(&keyring));
    print("in memory", rate(&in_memory, &requests).await);
    let path = folder.path().join(Path::new("simulator.sqlite3"));
    let on_disk = Simulator::open(parts(&keyring), SimulatorOptions::default(), &path)
        .await
        .unwrap();
    print("on disk", rate(&on_disk, &requests).await);
}

fn parts(keyring: &Keyring) -> SimulatorParts {
    let notifications = Outgoing::over_http(Duration::from_secs(1), false).unwrap();
    SimulatorParts::new(keyring.clone(), notifications)
}

/// A merchant's request.
struct Wire {
    path: String,
    authorization: String,
    body: bytes::Bytes,
}

fn signed(keyring: &Keyring, now: Timestamp) -> Vec<Wire> {
    let key = keyring.merchant_key().unwrap();
    (0..ORDERS)
        .map(|number| {
            let mut random = [0; 16];
            random[..4].copy_from_slice(&number.to_le_bytes());
            wire(keyring, &key, number, &Stamp::new(now.as_second(), random))
        })
        .collect()
}

fn wire(keyring: &Keyring, key: &MerchantKey, number: u32, stamp: &Stamp) -> Wire {
    let order = Order::new(
        Orderer::merchant(&keyring.merchant().appid, &keyring.merchant().mchid),
        OutTradeNo::parse(format!("BENCH{number:08}")).unwrap(),
        Description::parse("一壶茶").unwrap(),
        Fen::new(1990).unwrap(),
        NotifyUrl::parse("http://127.0.0.1:8080/notify").unwrap(),
        ProductFields::Native,
    );
    let signed = order.request().unwrap().sign(key, stamp, None).unwrap();
    let request = signed.into_http("").unwrap();
    let authorization = request.headers()["authorization"].to_str().unwrap();
    Wire {
        path: request.uri().to_string(),
        authorization: authorization.to_owned(),
        body: request.body().clone(),
    }
}

/// Orders per second.
async fn rate(simulator: &Simulator, requests: &[Wire]) -> f64 {
    let app = simulator.app();
    let start = Instant::now();
    for wire in requests {
        let request = Request::post(&wire.path)
            .header("authorization", &wire.authorization)
            .body(Body::from(wire.body.clone()))
            .unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    f64::from(ORDERS) / start.elapsed().as_secs_f64()
}

fn print(what: &str, orders_per_second: f64) {
    println!("{orders_per_second:8.0} orders/s {what}");
}
