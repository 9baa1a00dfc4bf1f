//! Hostile requests: random bytes, and pieces of valid requests.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

/// Pieces of valid requests.
const PIECES: [&str; 44] = [
    "product=native",
    "product=h5",
    "product=jsapi",
    "product=mini_program",
    "&",
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
    "limit=1",
    "limit=99999999999",
    "before=",
    "created_from=2026-11-21T00:00:00+08:00",
    "state=failed",
    "type=payment.succeeded",
    "sub_mchid=1900000001",
    "sub_mch_id=1900000001",
    "out_trade_no=bought-0001",
    "check_code=00000000000000000000000000000000",
    "%00",
    "%",
    "=",
    "\u{0}",
    r#"{"id":"x","resource":{"algorithm":"AEAD_AES_256_GCM","ciphertext":""#,
    r#""nonce":""#,
    r#""event_type":"TRANSACTION.SUCCESS","#,
    r#"{"order_no":"hostile-0001","total_fen":1,"description":"茶"}"#,
    r#"{"refund_no":"H-1","amount_fen":"#,
    "<xml>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    "<req_info>AAAA</req_info>",
    "</xml>",
    "[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "9e999999",
    "订单",
];

/// Headers that some route reads.
pub(super) const HEADERS: [&str; 11] = [
    "content-type",
    "content-length",
    "x-forwarded-for",
    "origin",
    "cookie",
    "user-agent",
    "accept-language",
    "wechatpay-serial",
    "wechatpay-signature",
    "wechatpay-timestamp",
    "x-request-id",
];

/// One hostile request. The [`super::Target`] chooses its route and order.
#[derive(Clone, Debug)]
pub(super) struct HostileRequest {
    pub(super) route: Index,
    /// A method in place of the route's own.
    pub(super) method: Option<&'static str>,
    /// An existing value for the variable part of the address.
    pub(super) known: Index,
    /// An unknown value in place of the existing value.
    pub(super) unknown: Option<String>,
    pub(super) query: Vec<u8>,
    pub(super) key: Key,
    pub(super) headers: Vec<(usize, Vec<u8>)>,
    pub(super) body: Payload,
    pub(super) is_signed: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Right,
    Wrong,
    None,
}

#[derive(Clone, Debug)]
pub(super) enum Payload {
    Bytes(Vec<u8>),
    /// A valid body of the route with wrong values at some places; bytes where the route takes no
    /// JSON.
    Spoiled(Vec<WrongValue>),
}

/// A place in a body and its wrong value; `None`: the field is missing.
#[derive(Clone, Debug)]
pub(super) struct WrongValue {
    place: Index,
    with: Option<Value>,
}

pub(super) fn requests() -> impl Strategy<Value = HostileRequest> {
    let key = prop_oneof![8 => Just(Key::Right), 1 => Just(Key::Wrong), 1 => Just(Key::None)];
    let methods = prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "OPTIONS"]);
    (
        any::<Index>(),
        prop::option::weighted(0.1, methods),
        any::<Index>(),
        prop::option::weighted(0.2, "[ -~]{0,40}"),
        prop_oneof![
            Just(Vec::new()),
            prop::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
            bytes(200),
        ],
        key,
        prop::collection::vec((0..HEADERS.len(), bytes(80)), 0..4),
        payload(),
        any::<bool>(),
    )
        .prop_map(
            |(route, method, known, unknown, query, key, headers, body, is_signed)| {
                HostileRequest {
                    route,
                    method,
                    known,
                    unknown,
                    query,
                    key,
                    headers,
                    body,
                    is_signed,
                }
            },
        )
}

fn payload() -> impl Strategy<Value = Payload> {
    let wrong = (any::<Index>(), prop::option::weighted(0.9, wrong_value()))
        .prop_map(|(place, with)| WrongValue { place, with });
    prop_oneof![
        bytes(2_000).prop_map(Payload::Bytes),
        prop::collection::vec(wrong, 0..4).prop_map(Payload::Spoiled),
    ]
}

/// Random bytes and pieces of valid requests, one after the other.
fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => prop::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..12).prop_map(move |pieces| {
        let mut bytes = pieces.concat();
        bytes.truncate(most);
        bytes
    })
}

/// Values that hardly any field accepts.
fn wrong_value() -> impl Strategy<Value = Value> {
    let fixed = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("a\r\nb"),
        json!("\u{202e}订单\u{1f375}"),
        json!("1".repeat(20)),
        json!("茶".repeat(3_000)),
        json!("http://127.0.0.1:8000/?a=1#b"),
        json!("javascript:alert(1)"),
        json!("native"),
        json!("code_pay"),
        json!("mini_program"),
        json!([]),
        json!({}),
        json!([[["a"]]]),
        json!({"a": {"b": null}}),
        json!(vec!["x"; 300]),
    ];
    prop_oneof![
        3 => prop::sample::select(fixed.to_vec()),
        1 => ".{0,40}".prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
    ]
}

/// Puts the wrong values into a body, each at one of its places.
pub(super) fn spoil(body: &mut Value, wrong_values: &[WrongValue]) {
    for wrong in wrong_values {
        let mut places = Vec::new();
        list_places(body, "", &mut places);
        if places.is_empty() {
            return;
        }
        let place = wrong.place.get(&places);
        match &wrong.with {
            Some(value) => *body.pointer_mut(place).unwrap() = value.clone(),
            None => {
                let (parent, name) = place.rsplit_once('/').unwrap();
                if let Some(Value::Object(fields)) = body.pointer_mut(parent) {
                    fields.remove(name);
                }
            }
        }
    }
}

/// Pointers to all values inside.
fn list_places(value: &Value, path: &str, places: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            // A name with a slash belongs to a wrong value, which is not changed inside.
            .filter(|(name, _)| !name.contains(['/', '~']))
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .map(|(place, value)| (place.to_string(), value))
            .collect(),
        _ => return,
    };
    for (name, value) in inner {
        let path = format!("{path}/{name}");
        places.push(path.clone());
        list_places(value, &path, places);
    }
}
