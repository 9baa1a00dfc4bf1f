//! Hostile requests to every route: WeChat's answer, never a panic, and no 5xx without a fault.

use axum::body::Body;
use http::{Method, Request, header};
use proptest::prelude::*;
use wechat_pay::{Reply, RequestParts, Stamp};

use crate::harness::{Harness, send, start};

/// Paths of routes, and pieces for other paths.
const PATHS: [&str; 38] = [
    "/v3/pay/transactions/jsapi",
    "/v3/pay/transactions/h5",
    "/v3/pay/transactions/native",
    "/v3/pay/transactions/app",
    "/v3/pay/transactions/codepay",
    "/v3/pay/transactions/out-trade-no/T00001",
    "/v3/pay/transactions/out-trade-no/T00001/close",
    "/v3/pay/transactions/out-trade-no/T00001/reverse",
    "/v3/pay/transactions/id/4200000001",
    "/v3/pay/partner/transactions/jsapi",
    "/v3/pay/partner/transactions/codepay",
    "/v3/pay/partner/transactions/out-trade-no/T00001",
    "/v3/pay/partner/transactions/out-trade-no/T00001/reverse",
    "/v3/combine-transactions/native",
    "/v3/combine-transactions/h5",
    "/v3/combine-transactions/out-trade-no/C20261",
    "/v3/combine-transactions/out-trade-no/C20261/close",
    "/v3/refund/domestic/refunds",
    "/v3/refund/domestic/refunds/R1",
    "/v3/refund/domestic/refunds/5000/apply-abnormal-refund",
    "/v3/bill/tradebill",
    "/v3/bill/fundflowbill",
    "/v3/bill/sub-merchant-fundflowbill",
    "/v3/billdownload/file",
    "/v3/certificates",
    "/connect/oauth2/authorize",
    "/sns/oauth2/access_token",
    "/sns/jscode2session",
    "/cgi-bin/mmpayweb-bin/checkmweb",
    "/phone/scan",
    "/phone/pay",
    "/ledger/refund",
    "/control/faults",
    "/control/settings",
    "/_simulator/pay",
    "/_simulator/refund",
    "/_simulator/auth_code",
    "/_simulator/login",
];

fn any_path() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(&PATHS[..]).prop_map(str::to_owned);
    let odd = "[/a-z0-9%._|*@-]{0,40}".prop_map(|rest| format!("/v3/{rest}"));
    let query = prop_oneof![
        Just(String::new()),
        "[a-z_]{0,12}=[ -~]{0,20}(&[a-z_]{0,12}=[%0-9A-F]{0,20}){0,3}",
        Just("mchid=1&bill_date=9999-12-31&token=x&sub_mchid=".to_owned()),
        Just("bill_date=-9999-01-01&tar_type=GZIP&appid=&code=&secret=".to_owned()),
    ];
    (prop_oneof![4 => known, 1 => odd], query).prop_map(|(path, query)| format!("{path}?{query}"))
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let json = proptest::sample::select(
        &[
            r#"{"out_trade_no":"T00001","amount":{"total":9223372036854775807}}"#,
            r#"{"mchid":"1","outcome":"success","out_trade_no":"T00001"}"#,
            r#"{"payer":255}"#,
            r#"{"combine_appid":"wx1","sub_orders":[{},{"mchid":"1","out_trade_no":"C20261-1"}]}"#,
            r#"{"mchid":"1","out_trade_no":"T00001","refund":9223372036854775807}"#,
            r#"{"advance_s":-9223372036854775808}"#,
            r#"[{"route":"*","kind":"refused","rate":1e308}]"#,
            "[[[[[[[[[[[[[[[[[[[[[[",
            r#"{"amount":{"total":1e400}}"#,
            "{\"description\":\"\\ud800\"}",
        ][..],
    );
    prop_oneof![
        json.prop_map(|text| text.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..300),
        "[\\[\\]{}\",:0-9a-z_=&%. ]{0,200}".prop_map(String::into_bytes),
    ]
}

/// A request that is signed, unsigned, or signed for another request.
async fn throw(
    harness: &Harness,
    method: Method,
    path: &str,
    body: Vec<u8>,
    signing: u8,
) -> Option<Reply> {
    let mut request = Request::builder().method(method.clone()).uri(path);
    if signing > 0 {
        let parts = RequestParts {
            method,
            path_and_query: path.to_owned(),
            body: if signing == 2 {
                b"other".to_vec()
            } else {
                body.clone()
            }
            .into(),
        };
        let stamp = Stamp::new(start().as_second(), [7; 16]);
        let signed = parts.sign(&harness.key, &stamp, None).ok()?;
        for (name, value) in &signed.headers {
            request = request.header(name, value);
        }
    }
    let request = request
        .header(header::COOKIE, "simulator_payer=300; x")
        .header(header::REFERER, "http://127.0.0.1/")
        .body(Body::from(body))
        .ok()?;
    let (parts, body) = send(harness.simulator.app(), request).await.into_parts();
    Some(Reply {
        status: parts.status,
        headers: parts.headers,
        body,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_request_makes_a_route_panic_or_close_the_connection(
        path in any_path(),
        body in any_body(),
        method in proptest::sample::select(&[
            Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD,
        ][..]),
        signing in 0..3_u8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let harness = Harness::new();
        let reply = runtime.block_on(throw(&harness, method, &path, body, signing));
        // Requests that no HTTP client can send are skipped.
        if let Some(reply) = reply {
            let status = reply.status.as_u16();
            prop_assert!(status < 500, "{status} {path}");
            let is_gateway = path.starts_with("/v3/") && !reply.body.is_empty();
            if is_gateway && status >= 400 {
                let said: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
                prop_assert!(said["code"].is_string() && said["message"].is_string());
            }
        }
    }
}
