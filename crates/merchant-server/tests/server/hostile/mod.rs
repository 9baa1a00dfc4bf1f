//! Whatever bytes come from outside, to any route that buyers, browsers and WeChat reach: an
//! answer below 500, no panic, and an order that is as it was.
//!
//! The bytes are random, and pieces of what is rightly sent: forms, queries, envelopes and XML, cut
//! and mixed. Half of the notifications are signed by WeChat's own key, for behind a good
//! signature there may be anything.

use axum::body::Body;
use http::{HeaderValue, Method, Request};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::house::{House, START_MS, sign};

/// Requests to try; each is a call in this process.
const CASES: u32 = 2_000;

/// Routes that the outside reaches; `{}` is a token, most times one that exists.
const ROUTES: [(&str, &str); 14] = [
    ("POST", "/wechat/notify/payment"),
    ("POST", "/wechat/notify/refund"),
    ("GET", "/wechat/oauth/callback"),
    ("GET", "/v1/checkouts/{}"),
    ("POST", "/v1/checkouts/{}/attempts"),
    ("POST", "/v1/checkouts/{}/cancel"),
    ("OPTIONS", "/v1/checkouts/{}/attempts"),
    ("GET", "/c/{}"),
    ("POST", "/c/{}/start"),
    ("POST", "/c/{}/check"),
    ("GET", "/{}"),
    ("POST", "/v1/orders"),
    ("GET", "/v1/orders"),
    ("GET", "/healthz"),
];

/// Pieces of what is rightly sent.
const PIECES: [&str; 30] = [
    "product=native",
    "product=h5",
    "product=jsapi",
    "product=mini_program",
    "&",
    "after=0",
    "after=18446744073709551616",
    "after=-1",
    "return_url=",
    "http%3A%2F%2F127.0.0.1%3A8000%2F",
    "payer=",
    "code=",
    "state=",
    "wait=25",
    "seen=1",
    "ask=1",
    "%00",
    "%",
    "=",
    "\u{0}",
    r#"{"id":"x","resource":{"algorithm":"AEAD_AES_256_GCM","ciphertext":""#,
    r#""nonce":""#,
    r#""event_type":"TRANSACTION.SUCCESS","#,
    "<xml>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    "<req_info>AAAA</req_info>",
    "</xml>",
    "[[[[[[[[",
    "9e999999",
    "订单",
];

#[derive(Clone, Debug)]
struct Shot {
    route: usize,
    token: Option<String>,
    query: Vec<u8>,
    headers: Vec<(usize, Vec<u8>)>,
    body: Vec<u8>,
    is_signed: bool,
}

/// Headers that are read somewhere.
const HEADERS: [&str; 10] = [
    "content-type",
    "x-forwarded-for",
    "origin",
    "cookie",
    "user-agent",
    "wechatpay-serial",
    "wechatpay-signature",
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "x-request-id",
];

#[test]
fn no_bytes_from_outside_break_a_route_or_move_an_order() {
    let runtime = Runtime::new().unwrap();
    let (house, token) = runtime.block_on(async {
        let limits = "rate_limits = { token_per_minute = 1000000, address_per_minute = 1000000 }";
        let house = House::open_with(limits).await;
        let token = house.tea().await;
        (house, token)
    });
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&shots(), |shot| {
            let Some(request) = request(&shot, &token) else {
                return Ok(());
            };
            let answer = runtime.block_on(house.send(request));
            prop_assert!(
                answer.status.as_u16() < 500,
                "{}: {}",
                answer.status,
                answer.text()
            );
            Ok(())
        })
        .unwrap();
    let order = runtime.block_on(house.checkout(&token));
    // Attempts may begin, for some of the forms are good ones; nothing is paid or closed by them.
    assert_eq!(order.word("state"), "open");
    assert_eq!(runtime.block_on(house.mismatches()), []);
}

fn shots() -> impl Strategy<Value = Shot> {
    (
        0..ROUTES.len(),
        proptest::option::weighted(0.2, "[ -~]{0,40}"),
        bytes(200),
        proptest::collection::vec((0..HEADERS.len(), bytes(80)), 0..4),
        bytes(2_000),
        any::<bool>(),
    )
        .prop_map(|(route, token, query, headers, body, is_signed)| Shot {
            route,
            token,
            query,
            headers,
            body,
            is_signed,
        })
}

/// Random bytes and pieces of good ones, one after the other.
fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => proptest::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(move |pieces| {
        let mut bytes = pieces.concat();
        bytes.truncate(most);
        bytes
    })
}

/// The request, where there is such a one: no client can send an address or a header that is none.
fn request(shot: &Shot, token: &str) -> Option<Request<Body>> {
    let (method, route) = ROUTES[shot.route];
    let given = match &shot.token {
        None => token.to_owned(),
        // Bytes that are no text.
        Some(token) if token.len() % 4 == 1 => "%FF%C0".to_owned(),
        Some(token) => url::form_urlencoded::byte_serialize(token.as_bytes()).collect(),
    };
    // Of the query every byte that an address may hold is left as it is.
    let query: String = shot
        .query
        .iter()
        .map(|byte| match byte {
            b'!'..=b'~' if !matches!(byte, b'#' | b'<' | b'>' | b'"') => {
                char::from(*byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let path = route.replace("{}", &given);
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).ok()?)
        .uri(format!("{path}?{query}"));
    if shot.is_signed && route.starts_with("/wechat/notify") {
        for (name, value) in &sign(shot.body.clone(), START_MS).headers {
            request = request.header(name, value);
        }
    }
    for (name, value) in &shot.headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request = request.header(HEADERS[*name], value);
        }
    }
    request.body(Body::from(shot.body.clone())).ok()
}
