//! A bill, requested through the client's own transport (signed, and its reply verified) and
//! downloaded with the client's own signer: the file is the only reply without a signature.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::Value;
use wxpay_rs::WxPayConfig;
use wxpay_rs::auth::{Sha256RsaSigner, Signer};
use wxpay_rs::crypto::hash::build_sign_message;
use wxpay_rs::http::{HttpClient, HttpMethod};
use wxpay_rs::services::transport::ServiceTransport;
use wxpay_rs::utils::nonce::generate_nonce;
use wxpay_rs::utils::timestamp::{get_timestamp, timestamp_to_datetime};

use crate::holds;
use crate::local::{Local, WECHAT};

/// Fetches today's bill, which must have a row for this order.
pub(crate) async fn fetch(config: WxPayConfig, private_key: &[u8], base_url: &str, number: &str) {
    let (mchid, serial_no) = (
        config.merchant_id.clone(),
        config.cert_serial_number.clone(),
    );
    let signer = Arc::new(Sha256RsaSigner::new(&mchid, private_key, &serial_no).unwrap());
    let local = Arc::new(Local::new(base_url).unwrap());
    let transport = ServiceTransport::new(Arc::new(config), local.clone(), signer.clone());

    let in_beijing = timestamp_to_datetime(get_timestamp() + 8 * 3600);
    let day = in_beijing.format("%Y-%m-%d");
    let path = format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL");
    let bill: Value = transport
        .request(HttpMethod::Get, &path, None, "tradebill")
        .await
        .unwrap();
    holds("bill asked for");

    let link = bill["download_url"].as_str().unwrap();
    let path = link.strip_prefix(base_url).unwrap();
    let (timestamp, nonce) = (get_timestamp(), generate_nonce());
    let message = build_sign_message("GET", path, timestamp, &nonce, "");
    let signature = signer.sign(&message).await.unwrap();
    let authorization = format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"{nonce}\",\
         signature=\"{signature}\",timestamp=\"{timestamp}\",serial_no=\"{serial_no}\""
    );
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Accept", "*/*"),
        ("User-Agent", "wxpay-rs"),
    ];
    let headers = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let file = local
        .get(&format!("{WECHAT}{path}"), headers)
        .await
        .unwrap();
    assert_eq!(file.status, 200, "{}", file.body);

    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, file.body.as_bytes());
    let hex: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, bill["hash_value"].as_str().unwrap());
    assert!(file.body.contains(number));
    holds("bill downloaded, with its digest");
}
