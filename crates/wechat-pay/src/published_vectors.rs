//! WeChat's published examples, value for value. They guard against the mirror trap: a signer
//! and a verifier of one hand agree with each other even where both are wrong.
//!
//! Sources: documentation pages 4012365334, -36, -37, -39, -40, 4012365342, 4013053420, and for
//! AES-256-GCM the tests of WeChat's own wechatpay-java.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::{
    ApiV3Key, AppPayment, Authorization, Description, Fen, JsapiPayment, NativeOrdered, NotifyUrl,
    OpenId, Order, OutTradeNo, ProductFields, PublicKey, Reply, RequestParts, SealedResource,
    Stamp, TrustedKeys, open, seal, test_keys,
};

const NONCE: &str = "593BEC0C930BF1AFEB40B4A08C8FB242";

fn stamp() -> Stamp {
    Stamp::with_nonce(1_554_208_460, NONCE).unwrap()
}

fn signature_of(request: RequestParts) -> String {
    let signed = request
        .sign(&test_keys::merchant_key(), &stamp(), None)
        .unwrap();
    let text = signed.headers["authorization"].to_str().unwrap();
    Authorization::parse(text).unwrap().signature
}

fn request(method: Method, path_and_query: &str, body: &'static str) -> RequestParts {
    RequestParts {
        method,
        path_and_query: path_and_query.into(),
        body: Bytes::from_static(body.as_bytes()),
    }
}

#[test]
fn b_an_order_built_by_this_crate_has_the_published_body_and_signature() {
    let order = Order::new(
        "wxd678efh567hg6787",
        "1900007291",
        OutTradeNo::parse("1217752501201407033233368018").unwrap(),
        Description::parse("Image形象店-深圳腾大-QQ公仔").unwrap(),
        Fen::new(100).unwrap(),
        NotifyUrl::parse("https://www.weixin.qq.com/wxpay/pay.php").unwrap(),
        ProductFields::Jsapi {
            openid: OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").unwrap(),
        },
    );
    let request = order.request().unwrap();
    assert_eq!(
        std::str::from_utf8(&request.body).unwrap(),
        r#"{"appid":"wxd678efh567hg6787","mchid":"1900007291","description":"Image形象店-深圳腾大-QQ公仔","out_trade_no":"1217752501201407033233368018","notify_url":"https://www.weixin.qq.com/wxpay/pay.php","amount":{"total":100,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}"#
    );
    assert_eq!(
        signature_of(request),
        "jnks4dlrPw3ZX+ozVvSK39oa0t7OMBsg83BHAwd8BRdUFiVaQNTLTvci+wURgP1OQBbKYhFGvt7iqYpDSTQkp7Uq1sltaQKyncCyrA1g88m5bsKERQfPyT0ahSwKTYJ1CAn9QiJuSJRq1QsQs07eehbU/k9BCS51jTyc1Jpsi2H77HF9f/BnjXAOP3/sPObg6V5Ee4EzwLox684hhuMuIwHo7D8KFk3LIHOKDcNI4It1aCXydFWNpNK+SG86VUDe5kwoDpw4Ulqfu9z8OFDGbDs9TCxEv8iqQzbpxOlEVoOe2kalSYM5kApQb3nZcxdUtoE0liJGW3RGUNE0t4v01A=="
    );
}

#[test]
fn g_a_get_signs_an_empty_body_line() {
    let request = request(Method::GET, "/v3/refund/domestic/refunds/123123123123", "");
    assert_eq!(
        signature_of(request),
        "Lc9VXxmeonkdV8Xk9tmigQFLhl0vRWTerdmoRu01aAnYwIrD/5nsSwE1WlmZGLRlAFTNQ3QsMa0+VRDlJp1Wp5p0nO8EK68b5sJBbjouxaFciIfq1zfDWWz+jqhcMoKXI1A6dPm1AW7D4d30WsMTNzp6g23OXakIsh9LO3lUmwvTuE0BY8ncf6tNGk4wKmvXwERd/ZpoQY3MAVKz+Nakwc+2XBmzT66KcUehU5kr4IvGa/lEU5RZb/q00zP9VLdBhC/jQSX3X1UcJLCtEc4gTmib4tnmAT+bHF/e17ZAuxDNcx6rqT8gNEXqaJGG+1OflMSTU2tpyG65G4dMKdFcoA=="
    );
}

#[test]
fn q_a_query_is_signed_as_it_is_sent() {
    let request = request(
        Method::GET,
        "/v3/marketing/partnerships?limit=5&offset=10&authorized_data%3D%7B%22business_type%22%3A%22FAVOR_STOCK%22%2C%20%22stock_id%22%3A%222433405%22%7D&partner%3D%7B%22type%22%3A%22APPID%22%2C%22appid%22%3A%22wx4e1916a585d1f4e9%22%2C%22merchant_id%22%3A%222480029552%22%7D",
        "",
    );
    assert_eq!(
        signature_of(request),
        "C9PrZx8RTw7NF+e6SLmZxKgUBdXjH6EmUiu1i85Y6MApfWn4ueNpS4ED5no6uGObU0cfzTdaWyl6gAWDmyO2nG3MjHursadpzpNT8d+HaZapKis+boTHwJLgZXHXtacjX4zx2lOk/AONrKCLkjXRnh/DDp/kNsmDNYEiu+d/SeVvr+cL0XkL0CibAphyQSLYkv7Fh9uel89ax3ZGgVnBx+/MaBLCrYc1UqyYBDqfWPhS9fZf2OSghWMFp9c5dm+ORc97XbgzSOwAl8dcfLSrL/Sb4+L57+JZiq0iURjMXWzAD8FTUFYsJtJOYszRXJKLZNh4WGST39oplhhSdtxcoQ=="
    );
}

#[test]
fn u_an_upload_signs_its_meta_json() {
    let request = request(
        Method::POST,
        "/v3/marketing/favor/media/image-upload",
        r#"{ "filename": "wechatpay_logo.png", "sha256": "d2973a45b1d528c21ebb77792ef3fcea40fa9a4e04a17e35369102ba9c84c8b1"}"#,
    );
    assert_eq!(
        signature_of(request),
        "oykQTJijZbHL+0QjYjOcwvovGxlU9LMcfVheUUdvr94DIzN02MBwwAwnBMsDqGTnXe0fr7kxFbXz3cd53e7Fx2VU8S9Lt3u1dCMQV+b5Ut6wpReTMBcfSVVXl4AbmLHxvyi1KhVg+O3KGL2BT4dEbuR93voru/p/9CS7gyMSviZiupf1cuaipyTdZ/1Nn4ESeuPX8H7p2nwaxNLbS/rdLltvQGU1ecK0m4u5p4uXh1mdM1Kh8fymJHvkurOzVORoB3Y23g2RUFT0WwNBVxpp19bdAWsqIoouPjyY6tFGD9cnQIVmIbm9oRDrOWmQMHubWlmjYL5UfP39pq1T+/hNpw=="
    );
}

#[test]
fn j_the_cashiers_parameters_have_the_published_signature() {
    let payment = JsapiPayment::sign(
        &test_keys::merchant_key(),
        "wx2421b1c4370ec43b",
        "wx201410272009395522657a690389285100",
        &stamp(),
    )
    .unwrap();
    assert_eq!(
        payment.pay_sign,
        "mI35pfNEQV6777ke/1T+LJLQDNTm7yeoUJH+j/adPGhmCCi0PbgkvYQTRcXH0uibcLVtvFLdGLpmoYO9FV6lBBsTAjuhh5YOvQi0e2g3e0yytitiNET9FEuqM0pjnKfRW4K6LIZDdbWJv9KhZUx3DrJa5TL7OJ7VdADVivxVySIlPVKjGwuCXzuXSJes0UcILgWQUMyha5/3nYofuHtS7r+KYyMuxD+oJ9VM1Qdxk4UIG59CP5Y3wtYIFybyF3bdu1caHTRRX+DLyMXyYA/IrTmiW01c4RPjpHBX5Dk1sZyY1zVsWNsvMHr2e1NTWtBxKJ+qk5N61J7caYoepHFaxw=="
    );
    assert!(payment.verifies(&test_keys::doc_public_key()));
}

#[test]
fn a_the_apps_parameters_have_the_published_signature() {
    let payment = AppPayment::sign(
        &test_keys::merchant_key(),
        "wx2421b1c4370ec43b",
        "wx201410272009395522657a690389285100",
        &stamp(),
    )
    .unwrap();
    assert!(payment.verifies(&test_keys::doc_public_key()));
    assert_eq!(
        payment.sign,
        "gXx9KhTP6IooKV1SuG3OCGlBIgZbKtubCZvnau6khw1iffvNT28IzLbKmztq2xA/RCNbZa1XOsoiuVmAEeTZQicWfhv4P+O4oBRIrx0X9f3cnWFkMBU9alTWs0nyQ1N9fcILOTe0f4kxOhVh+/Xhn5hOiUK7Sz3XA1mcpa3R2NCWf/e+0ow/RDf15iTymOHgDrEkT/gedg/3E0iXfDX3mFicSZhrHESZDOTXcl9RzELREBUFznd/o2NQM99WcL86m23HY0cTy+QGWU4QDmNrbQ9ihmLW71qPb0Cx/d7EQvw/Kyx0A6s64ZQp3hHdcmiRcLnjVXrKCk7LShaCK+lS3Q=="
    );
}

#[test]
fn r_the_published_reply_verifies_with_the_published_key_and_no_changed_one_does() {
    const SERIAL: &str = "PUB_KEY_ID_0000000000000024101100397200000006";
    const PUBLIC_KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwXNI6sdlknHBnK8Fu2U6Cwor9qY747jP8KAfeBMeveEt1TqaHkLfaSD07trZLhGpfs8/AHqjhgSMO1O10YQWOrrJ4hjIWPKqxbgrYMkBQc+mwdiWp4W3ByCqxBRagCveCXRWCmuJYovl9H/bsDI0iGbpVtEOghJtfciisYSgxcLufUDTRkvwxjIBK1pCRjk33jJ5YTBWTHMRtMAOcFLNF6hdEYdX8SPsgHHeLZ5Lv2T/686w1xtgCHef/sd4uSfWmyzsalQdHG/e4IyYmrhx+O3VBoNDzE3nx23bFeV/RVNCG7cV6VhmYokJNHa/erIPkEmEFID6A5wQOXuxUkmJWwIDAQAB";
    const SIGNATURE: &str = "mfI1CPqvBrgcXfgXMFjdNIhBf27ACE2YyeWsWV9ZI7T7RU0vHvbQpu9Z32ogzc+k8ZC5n3kz7h70eWKjgqNdKQF0eRp8mVKlmfzMLBVHbssB9jEZEDXThOX1XFqX7s7ymia1hoHQxQagPGzkdWxtlZPZ4ZPvr1RiqkgAu6Is8MZgXXrRoBKqjmSdrP1N7uxzJ/cjfSiis9FiLjuADoqmQ1P7p2N876YPAol7Rn0+GswwAwxldbdLrmVSjfytfSBJFqTMHn4itojgxSWWN1byuckQt8hSTEv/Lg97QoeGniYP17T80pJeQyL3b+295FPHSO2AtvCgyIbKMZ0BALilAA==";
    let key = PublicKey::from_der(&STANDARD.decode(PUBLIC_KEY).unwrap()).unwrap();
    let mut keys = TrustedKeys::new();
    keys.add(SERIAL, key).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("wechatpay-timestamp", "1722850421".parse().unwrap());
    headers.insert(
        "wechatpay-nonce",
        "d824f2e086d3c1df967785d13fcd22ef".parse().unwrap(),
    );
    headers.insert("wechatpay-serial", SERIAL.parse().unwrap());
    headers.insert("wechatpay-signature", SIGNATURE.parse().unwrap());
    let reply = Reply {
        status: StatusCode::OK,
        headers,
        body: Bytes::from_static(br#"{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}"#),
    };
    let ordered: NativeOrdered = reply
        .clone()
        .verify(&keys, 1_722_850_421)
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(ordered.code_url, "weixin://wxpay/bizpayurl?pr=JyC91EIz1");

    let mut changed = reply;
    changed.body = Bytes::from_static(br#"{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz2"}"#);
    assert!(changed.verify(&keys, 1_722_850_421).is_err());
}

#[test]
fn aes_256_gcm_opens_and_seals_the_published_text() {
    let key = ApiV3Key::new(b"a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb").unwrap();
    let sealed = SealedResource {
        original_type: None,
        algorithm: "AEAD_AES_256_GCM".into(),
        ciphertext: "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI=".into(),
        associated_data: "associatedData".into(),
        nonce: "uluk4a9R25RW".into(),
    };
    assert_eq!(open(&key, &sealed).unwrap(), b"message");
    let ours = seal(&key, None, b"message", "associatedData", "uluk4a9R25RW").unwrap();
    assert_eq!(ours, sealed);
}
