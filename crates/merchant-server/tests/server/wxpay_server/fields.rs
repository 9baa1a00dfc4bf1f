//! Each field of the payment service with values that break its rule.

use serde_json::json;

use super::{
    CLOSE, NUMBER, ORDER, PARAMS, QUERY, UNIFIED, refused, service, unified, with, without,
};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn each_invalid_field_is_refused_with_its_name_and_its_rule() {
    let server = service().await;
    let long = "x".repeat(128);
    let mut cases = vec![
        (
            PARAMS,
            with("body", &long),
            "body must be at most 127 bytes",
        ),
        (
            PARAMS,
            with("body", "a\nb"),
            "body must not have control characters",
        ),
        (PARAMS, with("body", "\u{200b}"), "body must not be blank"),
        (
            PARAMS,
            with("out_trade_no", "tea 1"),
            "out_trade_no must be 6 to 32 characters",
        ),
        (
            PARAMS,
            with("out_trade_no", "tea"),
            "out_trade_no must be 6 to 32 characters",
        ),
        (
            PARAMS,
            with("spbill_create_ip", "localhost"),
            "spbill_create_ip must be an IPv4 or IPv6 address",
        ),
        (
            PARAMS,
            with("spbill_create_ip", "203.0.113.256"),
            "spbill_create_ip must be an IPv4 or IPv6 address",
        ),
        (
            PARAMS,
            with("openid", "not an openid"),
            "openid may only have characters",
        ),
        (
            PARAMS,
            with("trade_type", "JSAPI"),
            "trade_type is not a field of this call",
        ),
        (
            PARAMS,
            with("sign", "x"),
            "sign is not a field of this call",
        ),
        (
            PARAMS,
            [with("body", "tea"), vec![("body", "tea")]].concat(),
            "body must not come twice",
        ),
        (
            UNIFIED,
            unified("MICROPAY"),
            "trade_type must be JSAPI, NATIVE, APP or MWEB",
        ),
        (
            UNIFIED,
            unified("native"),
            "trade_type must be JSAPI, NATIVE, APP or MWEB",
        ),
        (UNIFIED, ORDER.to_vec(), "trade_type is missing"),
        (QUERY, vec![], "out_trade_no is missing"),
        (
            QUERY,
            vec![NUMBER[0], ("transaction_id", "4 2")],
            "transaction_id may only have characters",
        ),
        (
            QUERY,
            vec![NUMBER[0], ("mch_id", "1")],
            "mch_id is not a field of this call",
        ),
        (CLOSE, vec![("out_trade_no", "")], "out_trade_no is missing"),
    ];
    for amount in [
        "0",
        "-1",
        "+1",
        "1.00",
        "1e2",
        "1000000001",
        "99999999999999999999",
        "一",
        " 1",
    ] {
        let rule = "total_fee must be a whole number of fen from 1 to 1000000000";
        cases.push((PARAMS, with("total_fee", amount), rule));
    }
    for url in [
        "https://www.shop.example/other",
        "https://www.shop.example/notify?a=1",
        "https://www.shop.example.evil.example/notify",
        "http://www.shop.example/notify",
        "https://user@www.shop.example/notify",
        "not an address",
    ] {
        let rule = "notify_url must be one of the addresses";
        cases.push((PARAMS, with("notify_url", url), rule));
    }
    let missing: Vec<_> = ORDER
        .iter()
        .map(|(name, _)| format!("{name} is missing"))
        .collect();
    for ((name, _), rule) in ORDER.iter().zip(&missing) {
        cases.push((PARAMS, without(name), rule));
        cases.push((PARAMS, with(name, ""), rule));
    }
    for (path, fields, rule) in cases {
        let (code, message) = refused(&server, path, &fields).await;
        assert_eq!(code, "wxPayError.params", "{fields:?}: {message}");
        assert!(message.starts_with(rule), "{message}; expected {rule}");
    }
    assert!(server.wechat.take_kinds().is_empty());
    let none = server.read_private("/v1/orders").await.json;
    assert_eq!(none["orders"], json!([]));
}
