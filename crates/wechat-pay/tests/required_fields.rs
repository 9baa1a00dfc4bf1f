//! Every answer of WeChat, field by field: which fields may be absent, `null` or in another form
//! without making the rest unreadable. A field is required only where money or identity depends on it.

#![expect(clippy::unwrap_used, reason = "a panic is the report of a test")]

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wechat_pay::bill::{BillTicket, SealedBillTickets};
use wechat_pay::{
    AppOrdered, CombinedTransaction, H5Ordered, JsapiOrdered, NativeOrdered, Refund, RefundNotice,
    Reversed, SealedCertificates, ShareNotice, ShareOrder, ShareReturn, Transaction, Unreadable,
    UnsplitAmount, read_json,
};

/// Reads an answer and returns the paths of unreadable fields.
type ReadAnswer = fn(&[u8]) -> Result<Vec<String>, Unreadable>;

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<String>, Unreadable> {
    read_json::<T>(body).map(|read| read.left_out)
}

/// An answer with every documented field, and its required fields.
type Sample = (&'static str, ReadAnswer, Value, &'static [&'static str]);

fn answers() -> Vec<Sample> {
    let others = [payments(), combined(), refunds(), shares(), sealed()];
    let mut answers = others.concat();
    answers.extend([
        (
            "JsapiOrdered",
            read::<JsapiOrdered> as ReadAnswer,
            json!({ "prepay_id": "p" }),
            &["prepay_id"][..],
        ),
        (
            "AppOrdered",
            read::<AppOrdered>,
            json!({ "prepay_id": "p" }),
            &["prepay_id"],
        ),
        (
            "H5Ordered",
            read::<H5Ordered>,
            json!({ "h5_url": "u" }),
            &["h5_url"],
        ),
        (
            "NativeOrdered",
            read::<NativeOrdered>,
            json!({ "code_url": "u" }),
            &["code_url"],
        ),
        (
            "Reversed",
            read::<Reversed>,
            json!({ "appid": "wx1", "mchid": "1", "out_trade_no": "T" }),
            &[],
        ),
        (
            "Reversed of a provider",
            read::<Reversed>,
            json!({
                "sp_appid": "wx1", "sp_mchid": "1", "sub_appid": "wx2", "sub_mchid": "2",
                "out_trade_no": "T",
            }),
            &[],
        ),
    ]);
    answers
}

fn payments() -> Vec<Sample> {
    let payment = json!({
        "appid": "wx1", "mchid": "1", "out_trade_no": "T", "transaction_id": "4",
        "trade_type": "NATIVE", "trade_state": "SUCCESS", "trade_state_desc": "支付成功",
        "bank_type": "OTHERS", "attach": "a", "success_time": "2018-06-08T10:34:56+08:00",
        "payer": { "openid": "o" }, "promotion_detail": [], "scene_info": { "device_id": "1" },
        "amount": { "total": 100, "payer_total": 90, "currency": "CNY", "payer_currency": "CNY" },
    });
    let mut partner = without(&without(&payment, "/appid"), "/mchid");
    let fields = partner.as_object_mut().unwrap();
    for (name, value) in [
        ("sp_appid", json!("wx1")),
        ("sp_mchid", json!("1")),
        ("sub_appid", json!("wx2")),
        ("sub_mchid", json!("2")),
        ("payer", json!({ "sp_openid": "o", "sub_openid": "p" })),
    ] {
        fields.insert(name.to_owned(), value);
    }
    vec![
        (
            "Transaction",
            read::<Transaction>,
            payment,
            &["mchid", "out_trade_no", "trade_state", "amount.total"],
        ),
        (
            "Transaction of a provider",
            read::<Transaction>,
            partner,
            &[
                "sp_mchid",
                "sub_mchid",
                "out_trade_no",
                "trade_state",
                "amount.total",
            ],
        ),
    ]
}

fn combined() -> Vec<Sample> {
    let sub_order = json!({
        "mchid": "1", "sub_mchid": "2", "sub_appid": "wx2", "trade_type": "JSAPI",
        "trade_state": "SUCCESS", "bank_type": "CMC", "attach": "a",
        "success_time": "2018-06-08T10:34:56+08:00", "transaction_id": "4", "out_trade_no": "T",
        "promotion_detail": [],
        "amount": {
            "total_amount": 100, "payer_amount": 90, "currency": "CNY", "payer_currency": "CNY",
            "settlement_rate": 100_000_000,
        },
    });
    let combined = json!({
        "combine_appid": "wx1", "combine_mchid": "1", "combine_out_trade_no": "C",
        "combine_payer_info": { "openid": "o", "sub_openid": "p" },
        "scene_info": { "device_id": "1" }, "sub_orders": [sub_order],
    });
    vec![(
        "CombinedTransaction",
        read::<CombinedTransaction>,
        combined,
        &[
            "combine_mchid",
            "combine_out_trade_no",
            "sub_orders",
            "sub_orders[0].mchid",
            "sub_orders[0].out_trade_no",
            "sub_orders[0].trade_state",
            "sub_orders[0].amount.total_amount",
        ],
    )]
}

fn refunds() -> Vec<Sample> {
    let refund = json!({
        "refund_id": "5", "out_refund_no": "R", "transaction_id": "4", "out_trade_no": "T",
        "channel": "ORIGINAL", "user_received_account": "招商银行信用卡0403",
        "success_time": "2018-06-08T10:34:56+08:00", "create_time": "2018-06-08T10:34:56+08:00",
        "status": "SUCCESS", "funds_account": "UNSETTLED",
        "amount": {
            "total": 100, "refund": 40, "from": [], "payer_total": 90, "payer_refund": 30,
            "settlement_refund": 40, "settlement_total": 100, "discount_refund": 10,
            "refund_fee": 0, "currency": "CNY",
        },
        "promotion_detail": [],
    });
    let notice = json!({
        "mchid": "1", "sp_mchid": "1", "sub_mchid": "2", "transaction_id": "4",
        "out_trade_no": "T", "refund_id": "5", "out_refund_no": "R", "refund_status": "SUCCESS",
        "success_time": "2018-06-08T10:34:56+08:00", "user_received_account": "x",
        "amount": { "total": 100, "refund": 40, "payer_total": 90, "payer_refund": 30 },
    });
    vec![
        (
            "Refund",
            read::<Refund>,
            refund,
            &[
                "refund_id",
                "out_refund_no",
                "transaction_id",
                "out_trade_no",
                "status",
                "amount",
                "amount.total",
                "amount.refund",
            ],
        ),
        (
            "RefundNotice",
            read::<RefundNotice>,
            notice,
            &[
                "transaction_id",
                "out_trade_no",
                "refund_id",
                "out_refund_no",
                "refund_status",
                "amount",
                "amount.total",
                "amount.refund",
            ],
        ),
    ]
}

fn shares() -> Vec<Sample> {
    let receiver = json!({
        "type": "MERCHANT_ID", "account": "86693852", "amount": 888, "result": "SUCCESS",
        "description": "分给商户A", "fail_reason": "NO_RELATION", "detail_id": "36011111111111111111111",
        "create_time": "2018-06-08T10:34:56+08:00", "finish_time": "2018-06-08T10:34:56+08:00",
    });
    let share = json!({
        "transaction_id": "4", "out_order_no": "P", "order_id": "3", "state": "FINISHED",
        "receivers": [receiver],
    });
    let returned = json!({
        "out_order_no": "P", "out_return_no": "R", "return_id": "3", "return_mchid": "86693852",
        "amount": 10, "result": "SUCCESS", "fail_reason": "TIME_OUT_CLOSED", "order_id": "3",
        "create_time": "2018-06-08T10:34:56+08:00", "finish_time": "2018-06-08T10:34:56+08:00",
    });
    let notice = json!({
        "mchid": "1", "sp_mchid": "1", "sub_mchid": "2", "transaction_id": "4", "order_id": "3",
        "out_order_no": "P", "success_time": "2018-06-08T10:34:56+08:00",
        "receiver": {
            "type": "MERCHANT_ID", "account": "86693852", "amount": 888, "description": "运费",
        },
    });
    vec![
        (
            "ShareOrder",
            read::<ShareOrder>,
            share,
            &[
                "transaction_id",
                "out_order_no",
                "order_id",
                "state",
                "receivers[0].type",
                "receivers[0].account",
                "receivers[0].amount",
                "receivers[0].result",
            ],
        ),
        (
            "ShareReturn",
            read::<ShareReturn>,
            returned,
            &[
                "out_order_no",
                "out_return_no",
                "return_id",
                "return_mchid",
                "amount",
                "result",
            ],
        ),
        (
            "ShareNotice",
            read::<ShareNotice>,
            notice,
            &[
                "transaction_id",
                "order_id",
                "out_order_no",
                "receiver",
                "receiver.type",
                "receiver.account",
                "receiver.amount",
            ],
        ),
        (
            "UnsplitAmount",
            read::<UnsplitAmount>,
            json!({ "transaction_id": "4", "unsplit_amount": 1000 }),
            &["transaction_id", "unsplit_amount"],
        ),
    ]
}

fn sealed() -> Vec<Sample> {
    let certificates = json!({ "data": [{
        "serial_no": "AB", "effective_time": "2018-06-08T10:34:56+08:00",
        "expire_time": "2023-06-08T10:34:56+08:00",
        "encrypt_certificate": {
            "original_type": "x", "algorithm": "AEAD_AES_256_GCM", "ciphertext": "AA==",
            "associated_data": "x", "nonce": "123456789012",
        },
    }] });
    let ticket = json!({ "hash_type": "SHA1", "hash_value": "aa", "download_url": "https://a/b" });
    let tickets = json!({ "download_bill_count": 1, "download_bill_list": [{
        "bill_sequence": 1, "hash_type": "SHA1", "hash_value": "aa",
        "download_url": "https://a/b", "encrypt_key": "k", "nonce": "n",
    }] });
    vec![
        (
            "SealedCertificates",
            read::<SealedCertificates>,
            certificates,
            &[
                "data",
                "data[0].serial_no",
                "data[0].encrypt_certificate",
                "data[0].encrypt_certificate.ciphertext",
                "data[0].encrypt_certificate.nonce",
            ],
        ),
        (
            "BillTicket",
            read::<BillTicket>,
            ticket,
            &["hash_value", "download_url"],
        ),
        (
            "SealedBillTickets",
            read::<SealedBillTickets>,
            tickets,
            &["download_bill_count"],
        ),
    ]
}

/// Every field of an answer: its path and its JSON pointer.
fn fields(json: &Value, path: &str, pointer: &str, found: &mut Vec<(String, String)>) {
    match json {
        Value::Object(inside) => {
            for (name, value) in inside {
                let dot = if path.is_empty() { "" } else { "." };
                let (path, pointer) = (format!("{path}{dot}{name}"), format!("{pointer}/{name}"));
                found.push((path.clone(), pointer.clone()));
                fields(value, &path, &pointer, found);
            }
        }
        Value::Array(inside) => {
            for (place, value) in inside.iter().enumerate() {
                fields(
                    value,
                    &format!("{path}[{place}]"),
                    &format!("{pointer}/{place}"),
                    found,
                );
            }
        }
        _ => {}
    }
}

fn without(json: &Value, pointer: &str) -> Value {
    let mut json = json.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    json.pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove(name);
    json
}

fn with(json: &Value, pointer: &str, value: Value) -> Value {
    let mut json = json.clone();
    *json.pointer_mut(pointer).unwrap() = value;
    json
}

/// In a list whose entries are flattened a field that is `null` or odd cannot be distinguished from the
/// entry; these answers are read as a whole or not at all.
fn is_flattened(name: &str, path: &str) -> bool {
    name == "SealedBillTickets" && path.contains("].")
}

#[test]
fn only_amounts_and_ids_are_required() {
    for (name, read, answer, required) in answers() {
        let body = |json: &Value| json.to_string().into_bytes();
        assert_eq!(read(&body(&answer)), Ok(Vec::new()), "{name}");
        let mut all = Vec::new();
        fields(&answer, "", "", &mut all);
        for path in required {
            let is_there = all.iter().any(|(known, _)| known == path);
            assert!(is_there, "{name} has no {path}");
        }
        for (path, pointer) in all {
            if is_flattened(name, &path) {
                continue;
            }
            let is_required = required.contains(&&*path);
            for gone in [
                without(&answer, &pointer),
                with(&answer, &pointer, Value::Null),
            ] {
                match read(&body(&gone)) {
                    Ok(left_out) => {
                        assert!(!is_required, "{name} does without {path}");
                        assert_eq!(left_out, Vec::<String>::new(), "{name} {path}");
                    }
                    Err(error) => {
                        assert!(is_required, "{name} needs {path}");
                        assert_eq!((&error.field, error.rule), (&path, "is missing"), "{name}");
                    }
                }
            }
            let odd = with(&answer, &pointer, json!(true));
            match read(&body(&odd)) {
                Ok(left_out) => {
                    assert!(!is_required, "{name} reads an odd {path}");
                    let is_named = left_out.is_empty() || left_out == [path.clone()];
                    assert!(is_named, "{name} {path}: {left_out:?}");
                }
                Err(error) => {
                    assert!(is_required, "{name} needs {path}: {error}");
                    let is_named = error.field.starts_with(&path);
                    assert!(is_named, "{name} {path}: {error}");
                }
            }
        }
    }
}

#[test]
fn an_unknown_word_is_kept() {
    for (name, read, answer, _) in answers() {
        for pointer in [
            "/trade_state",
            "/trade_type",
            "/status",
            "/channel",
            "/funds_account",
        ] {
            if answer.pointer(pointer).is_some() {
                let later = with(&answer, pointer, "LATER".into()).to_string();
                assert_eq!(read(later.as_bytes()), Ok(Vec::new()), "{name} {pointer}");
            }
        }
    }
}

#[test]
fn unknown_fields_and_a_byte_order_mark_change_nothing() {
    for (name, read, answer, _) in answers() {
        let mut more = answer.clone();
        more.as_object_mut()
            .unwrap()
            .insert("later".to_owned(), json!({ "a": [1] }));
        let marked = format!("\u{feff}{more}");
        assert_eq!(read(marked.as_bytes()), Ok(Vec::new()), "{name}");
    }
}
