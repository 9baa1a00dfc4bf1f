//! The OpenAPI description of the control interface, compared with its routes and answers.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::harness::{Harness, send, text};

async fn description(harness: &Harness) -> Value {
    serde_json::from_str(text(&harness.get("/_simulator/openapi.json").await)).unwrap()
}

#[tokio::test]
async fn every_described_route_exists_and_accepts_no_other_method() {
    let harness = Harness::new();
    let description = description(&harness).await;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            let described = methods.get(method.to_lowercase()).is_some();
            let request = Request::builder().method(method).uri(path);
            let response = send(
                harness.simulator.app(),
                request.body(Body::empty()).unwrap(),
            )
            .await;
            let status = response.status().as_u16();
            assert_ne!(status, 404, "{path}");
            assert_eq!(status != 405, described, "{method} {path} {status}");
        }
    }
}

/// The names of a schema's properties, in order.
fn names(schema: &Value) -> Vec<String> {
    schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

#[tokio::test]
async fn answers_have_the_described_fields() {
    let harness = Harness::new();
    harness.pay_native("T00001").await;
    harness.simulator.run_due().await;
    let mchid = harness.merchant().mchid.clone();
    let by_hand = json!({ "mchid": mchid, "out_trade_no": "T00001", "refund": 90, "reason": "x" });
    harness.post_json("/_simulator/refund", &by_hand).await;
    let rules = json!([{ "route": "order", "kind": "latency", "rate": 0.0, "count": 1, "seed": 1, "delay_ms": 1, "seconds": 1 },
        { "route": "order", "kind": "refused", "rate": 0.0, "code": "NO_AUTH" }]);
    let (_, faults) = harness.post_json("/_simulator/faults", &rules).await;
    let schemas = description(&harness).await["components"]["schemas"].clone();
    let get = async |path: &str| -> Value {
        serde_json::from_str(text(&harness.get(path).await)).unwrap()
    };
    let ledger = get("/_simulator/ledger").await;
    let of = |json: &Value| -> Vec<String> { json.as_object().unwrap().keys().cloned().collect() };
    let mut order = names(&schemas["Order"]);
    order.retain(|name| name != "sub_mchid" && name != "combine_out_trade_no");
    assert_eq!(of(&ledger["orders"][0]), order);
    let attempt = &ledger["orders"][0]["attempts"][0];
    assert_eq!(of(attempt), names(&schemas["Attempt"]));
    let notification = &ledger["orders"][0]["notifications"][0];
    assert_eq!(of(notification), names(&schemas["Notification"]));
    assert_eq!(of(&ledger["refunds"][0]), names(&schemas["LedgerRefund"]));
    let settings = get("/_simulator/settings").await;
    assert_eq!(of(&settings), names(&schemas["Settings"]));
    let merchants = get("/_simulator/merchants").await;
    assert_eq!(of(&merchants[0]), names(&schemas["Merchant"]));
    let mut fault = names(&schemas["FaultRule"]);
    fault.push("hits".into());
    fault.sort();
    let mut shown: Vec<String> = [of(&faults[0]), of(&faults[1])].concat();
    shown.sort();
    shown.dedup();
    assert_eq!(shown, fault);
}
