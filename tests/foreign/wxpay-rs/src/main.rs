//! A foreign client against the simulator: wxpay-rs from crates.io, with only its address changed.
//! Its argument is the folder of merchant.json. It prints a line for each thing that holds, and
//! fails at the first thing that does not hold.
//!
//! The client has no calls for bills. Its transport and its signer are public, and this test
//! fetches a bill with them: see `bill.rs`.

mod bill;
mod inbox;
mod local;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use inbox::inbox;
use local::Local;
use serde_json::{Value, json};
use wxpay_rs::services::payments::jsapi::Amount;
use wxpay_rs::services::payments::native::NativeRequest;
use wxpay_rs::services::refund::{RefundAmount, RefundRequest};
use wxpay_rs::{WxPayClient, WxPayConfig, WxPayResult};

async fn control(base_url: &str, path: &str, body: Value) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{base_url}/_simulator/{path}");
    let reply = client
        .post(url)
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let text = reply.text().await.unwrap();
    serde_json::from_str(&text).expect(&text)
}

pub(crate) fn holds(what: &str) {
    println!("holds: {what}");
}

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .expect("the folder of merchant.json"),
    );
    let merchant: Value =
        serde_json::from_slice(&fs::read(folder.join("merchant.json")).unwrap()).unwrap();
    let text = |name: &str| merchant[name].as_str().unwrap().to_owned();
    let file = |name: &str| fs::read(folder.join(text(name))).unwrap();
    let base_url = text("base_url");

    let config = |private_key: Vec<u8>, public_key: Vec<u8>| {
        WxPayConfig::builder()
            .app_id(text("appid"))
            .merchant_id(text("mchid"))
            .api_v3_key(text("api_v3_key"))
            .private_key(private_key)
            .cert_serial_number(text("serial_no"))
            .platform_public_key(text("public_key_id"), public_key)
            .build()
    };
    let client = async |private_key: Vec<u8>, public_key: Vec<u8>| -> WxPayResult<WxPayClient> {
        let config = config(private_key, public_key)?;
        WxPayClient::builder()
            .config(config)
            .http_client(Local::new(&base_url)?)
            .build()
            .await
    };
    let wechat = client(file("private_key_file"), file("public_key_file"))
        .await
        .unwrap();

    let (notify_url, notifications) = inbox();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let number = format!("RS{}", now.as_millis());
    let order = |number: &str| NativeRequest {
        appid: text("appid"),
        mchid: text("mchid"),
        description: "一壶茶".to_owned(),
        out_trade_no: number.to_owned(),
        amount: Some(Amount {
            total: 1990,
            currency: Some("CNY".to_owned()),
        }),
        notify_url: Some(notify_url.clone()),
    };
    let ordered = wechat.native().create_order(&order(&number)).await.unwrap();
    assert!(ordered.code_url.starts_with("weixin://"));
    holds("order");
    let unpaid = wechat.query_order_by_out_trade_no(&number).await.unwrap();
    assert_eq!(unpaid.trade_state, "NOTPAY");
    holds("query");

    let paying = json!({ "code_url": ordered.code_url, "outcome": "success" });
    control(&base_url, "pay", paying).await;
    let notification = notifications.recv_timeout(Duration::from_secs(10)).unwrap();
    let handler = wechat.notify_handler().unwrap();
    let verified = handler
        .verify_and_parse(notification.signature(), &notification.body)
        .await
        .unwrap();
    let paid = handler
        .handle_verified_payment_notify(&verified)
        .await
        .unwrap();
    assert_eq!(paid.out_trade_no, number);
    holds("notification received and opened");
    let mut changed = notification.body.clone();
    changed[20] ^= 1;
    assert!(
        handler
            .verify_and_parse(notification.signature(), &changed)
            .await
            .is_err()
    );
    holds("a changed notification is refused");

    let out_refund_no = format!("R{number}");
    let refund = RefundRequest {
        transaction_id: None,
        out_trade_no: Some(number.clone()),
        out_refund_no: out_refund_no.clone(),
        reason: Some("cold tea".to_owned()),
        amount: RefundAmount {
            refund: 990,
            total: 1990,
            currency: "CNY".to_owned(),
        },
        notify_url: Some(notify_url.clone()),
    };
    let accepted = wechat.refund().create_refund(&refund).await.unwrap();
    assert_eq!(accepted.status, "PROCESSING");
    holds("refund");
    let decision = json!({
        "mchid": text("mchid"), "out_refund_no": out_refund_no, "outcome": "success",
    });
    control(&base_url, "refund/outcome", decision).await;
    let notification = notifications.recv_timeout(Duration::from_secs(10)).unwrap();
    let verified = handler
        .verify_and_parse(notification.signature(), &notification.body)
        .await
        .unwrap();
    let back = handler
        .handle_verified_refund_notify(&verified)
        .await
        .unwrap();
    assert_eq!(back.refund_status, "SUCCESS");
    holds("notification of the refund");
    let refunded = wechat.refund().query_refund(&out_refund_no).await.unwrap();
    assert_eq!(refunded.status, "SUCCESS");
    holds("refund query");

    let closing = format!("C{number}");
    wechat
        .native()
        .create_order(&order(&closing))
        .await
        .unwrap();
    wechat.query().close(&closing).await.unwrap();
    assert_eq!(
        wechat
            .query_order_by_out_trade_no(&closing)
            .await
            .unwrap()
            .trade_state,
        "CLOSED"
    );
    holds("close");
    let certificates = wechat.certificates().get_certificates().await.unwrap();
    assert_eq!(certificates.len(), 1);
    holds("certificates");

    let keys = config(file("private_key_file"), file("public_key_file")).unwrap();
    bill::fetch(keys, &file("private_key_file"), &base_url, &number).await;

    // The private half of WeChat's public key is a valid key, but not the merchant's.
    let other = fs::read(folder.join("wechat_private/pub_key_private.pem")).unwrap();
    let stranger = client(other, file("public_key_file")).await.unwrap();
    let refused = stranger
        .native()
        .create_order(&order(&format!("W{number}")))
        .await;
    let error = refused.unwrap_err();
    assert!(error.to_string().contains("SIGN_ERROR"), "{error}");
    holds("a wrong merchant key is refused");
    // The key of the platform certificate under the public key's id.
    let doubting = client(file("private_key_file"), file("platform_certificate_file")).await;
    let believed = match doubting {
        Ok(doubting) => doubting
            .native()
            .create_order(&order(&format!("D{number}")))
            .await
            .is_ok(),
        Err(_) => false,
    };
    assert!(!believed);
    holds("a reply that the client's key does not fit is not believed");
    println!("all holds");
}
