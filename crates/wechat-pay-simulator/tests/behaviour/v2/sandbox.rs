//! The sandbox of version 2: its key, and its paths.

use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode};
use wechat_pay::v2::{Fields, SignType, sign};
use wechat_pay::{NativeOrdered, ProductFields, Stamp};

use super::V2;
use crate::harness::{send, start};

fn signed(v2: &V2, mut fields: Fields) -> Bytes {
    let signature = sign(fields.iter(), &v2.key, SignType::Md5);
    fields.set("sign", signature);
    fields.to_xml()
}

#[tokio::test]
async fn the_key_is_given_to_a_merchant_that_signs() {
    let v2 = V2::new(SignType::Md5);
    let mut fields = Fields::new();
    fields.set("mch_id", v2.harness.merchant().mchid.clone());
    fields.set("nonce_str", "n");
    let right = v2.harness.merchant().api_v2_key.as_str();
    for path in [
        "/xdc/apiv2getsignkey/sign/getsignkey",
        "/sandboxnew/pay/getsignkey",
    ] {
        let answer = v2.post(path, signed(&v2, fields.clone())).await;
        let read = Fields::read(&answer.body).unwrap();
        assert_eq!(read.get("sandbox_signkey"), Some(right));
        let mut forged = fields.clone();
        forged.set("sign", "0".repeat(32));
        let answer = v2.post(path, forged.to_xml()).await;
        let read = Fields::read(&answer.body).unwrap();
        assert_eq!(read.get("sandbox_signkey"), None);
    }
}

#[tokio::test]
async fn its_paths_are_those_of_the_gateway_under_another_beginning() {
    let v2 = V2::new(SignType::Md5);
    let order = v2.order("T00001", ProductFields::Native);
    let stamp = Stamp::new(start().as_second(), [3; 16]);
    let body = order.sign(&v2.key, v2.kind, &stamp).body;
    for beginning in ["/xdc/apiv2sandbox", "/sandboxnew"] {
        let answer = v2
            .post(&format!("{beginning}/pay/unifiedorder"), body.clone())
            .await;
        let ordered: NativeOrdered = answer.parse(&v2.key, v2.kind).unwrap();
        assert!(!ordered.code_url.is_empty());
        for (path, status) in [
            ("/pay/refund", StatusCode::OK),
            ("/pay/reverse", StatusCode::OK),
            ("/secapi/pay/refund", StatusCode::NOT_FOUND),
            ("/pay/unknown", StatusCode::NOT_FOUND),
        ] {
            let request = Request::post(format!("{beginning}{path}"));
            let request = request.body(Body::empty()).unwrap();
            let response = send(v2.harness.simulator.app(), request).await;
            assert_eq!(response.status(), status, "{beginning}{path}");
        }
    }
}
