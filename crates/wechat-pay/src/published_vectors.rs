//! WeChat's published examples, value for value. A signer and a verifier of one
//! author can agree although both are wrong; these examples are independent.
//!
//! Sources: documentation pages 4012365334, -36, -37, -39, -40, 4012365342, 4013053420, and the
//! tests of WeChat's own wechatpay-java, wechatpay-go and wechatpay-php (`published/`, by name).
//! The keys are their public test keys, and protect nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::{
    ApiV3Key, AppPayment, Authorization, CertificateFacts, Description, Fen, JsapiPayment,
    KeyError, NativeOrdered, NotifyUrl, OpenId, Order, Orderer, OutTradeNo, ProductFields,
    PublicKey, Reply, RequestParts, SealedCertificates, SealedResource, SignatureError, SigningKey,
    Stamp, TrustedKeys, bill, lower_hex, open, seal, test_keys, verify_signed,
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
        Orderer::merchant("wxd678efh567hg6787", "1900007291"),
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

const JAVA_API_V3_KEY: &[u8] = b"a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb";
const GO_CERTIFICATE: &[u8] = include_bytes!("published/go_platform_certificate.pem");

#[test]
fn the_certificates_of_javas_tests_open_and_have_the_announced_serial() {
    let key = ApiV3Key::new(JAVA_API_V3_KEY).unwrap();
    let listed: SealedCertificates =
        serde_json::from_slice(include_bytes!("published/java_certificates.json")).unwrap();
    let sealed = &listed.data[0];
    let pem = open(&key, &sealed.encrypt_certificate).unwrap();
    let facts = CertificateFacts::read(&pem).unwrap();
    assert_eq!(facts.serial_no, "5DEA10EF55877E3CF6C33255C2E7DEFFF7E427EC");
    assert_eq!(facts.serial_no, sealed.serial_no);
    for (said, second) in [
        (&sealed.effective_time, facts.not_before_s),
        (&sealed.expire_time, facts.not_after_s),
    ] {
        let said: jiff::Timestamp = said.as_deref().unwrap().parse().unwrap();
        assert_eq!(said.as_second(), second);
    }
}

#[test]
fn the_signature_of_javas_tests_verifies_with_its_certificate_and_its_key_signs_it() {
    const SIGNATURE: &str = "Rq+5ZpWV6IHTWE1+9gCrYJKguNgbItpMdlIA+PVCPCdUAKNlohZz7CL7Y8xWDIFJjdGnErMj6Z+Q/h9CF5MV+nAVkqDmBR0uP5ppsUEzco4ijvKHsvI2ro4boSW6vSfQs3W8I4QSI9a0/NFIgvj83Fv27LIYZf7deaFWmEwd1fpAeJRCyoKyBeJPdsjVx0//Lqe6Wze2zVdliLcBvaHCfpd8+rAVGS+FQDeWgHqJ7n/Zy09LmV1/ghs7pO1mdjdD16SHKlysAD3K5hNGUJX/SHrEXEcu1yO1AOb/YvOVkjNh8243rcfXNE5L4ph2XS11vS+2aToKYSOcKUagf0LLaw==";
    let certificate = include_bytes!("published/java_merchant_certificate.pem");
    let (serial, key) = PublicKey::from_certificate_pem(certificate).unwrap();
    assert_eq!(serial, "5F1C72E2A8931B72A2E13AF8DEE92471EB397115");
    assert!(key.verifies(b"message", SIGNATURE));
    assert!(!key.verifies(b"massage", SIGNATURE));
    assert_eq!(java_key().sign(b"message").unwrap(), SIGNATURE);
}

#[test]
fn the_encrypted_field_of_javas_tests_opens() {
    const SEALED: &str = "Qqsluo7R1IZyAqdkm/jBzwXDP5VndCwwFbRA+yILFTYciZzrRChQIQ7SKuI2k3YSR5auB3ZspdjR1WPB3PTCKe6BCFx3NnaPWhSwonYTmW8ZseXjkbcYSbKL5O/6dr6Zftg3t2A2FUd97acjM1fr2EIvIvRieQ3Hl8qVkDBY9520wm1rzvePUnxQWN70RZiBcqr7O7Gb0gU3l7FkvoUFSbY44HgDJetmVow3yGIV3Tcd45o2MNQ+5F1qvjIjb3/6dkGKce4/kNTYraUMO6o6kfFXlfg+bFRIiz8hiUpbToWdu7g0R5Hq0/YIE5vw/5Ms4gbk2HIQIfOLkY8sEPjYHA==";
    assert_eq!(SEALED.len(), 344);
    assert_eq!(java_key().open_field(SEALED).unwrap(), "plaintext");
}

fn java_key() -> SigningKey {
    SigningKey::from_pem(include_bytes!("published/java_merchant_private_key.pem")).unwrap()
}

#[test]
fn the_signature_of_gos_tests_verifies_with_its_certificate() {
    const SIGNATURE: &str = "BKyAfU4iMCuvXMXS0Wzam3V/cnxZ+JaqigPM5OhljS2iOT95OO6Fsuml2JkFANJU9K6q9bLlDhPXuoVz+pp4hAm6pHU4ld815U4jsKu1RkyaII+1CYBUYC8TK0XtJ8FwUXXz8vZHh58rrAVN1XwNyvD1vfpxrMT4SL536GLwvpUHlCqIMzoZUguLli/K8V29QiOhuH6IEqLNJn8e9b3nwNcQ7be3CzYGpDAKBfDGPCqCv8Rw5zndhlffk2FEA70G4hvMwe51qMN/RAJbknXG23bSlObuTCN7Ndj1aJGH6/L+hdwfLpUtJm4QYVazzW7DFD27EpSQEqA8bX9+8m1rLg==";
    let (serial, key) = PublicKey::from_certificate_pem(GO_CERTIFICATE).unwrap();
    assert_eq!(serial, "D7CE59D1F522D701");
    assert!(key.verifies(b"source", SIGNATURE));
}

#[test]
fn the_whole_notification_of_gos_tests_verifies_in_its_time_and_not_a_byte_changed() {
    const SIGNATURE: &str = "tJHIiIS9eB2hAYstmAmbbD3ZE5LiIm/Ug5tuL4fC0YOFRWIHV39UFIZXC0e9Wl6lBu6sKvkqDkzpqzBsVHyXFlbYZTOQrVdG4b6LfTnK4mikv9++ixJMd3vTf2yCqvBkh98zs3Ds5zsYQakzbcwhmw4fMJs4nPLws28H0UW9FjDR//rxELLwXvV1VEA1IBLX70xptjL8hrfUjEE8kkry6yNJTHZRU8CAc7qHli2Ng1V1qb9ARbK8A3ThmFmPQvRGrapI/jS2laKKgYUmfdEdkNO6B2Cke5e8VTxY406ArAmQ90GAihDwIcb16TQMnzCMBoutnwZKNiKRACrFmtxw2Q==";
    const SIGNED_S: i64 = 1_624_523_846;
    let body = include_bytes!("published/go_notification.json");
    let mut keys = TrustedKeys::new();
    keys.add_certificate_pem(GO_CERTIFICATE).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("wechatpay-nonce", "EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz"),
        ("wechatpay-timestamp", "1624523846"),
        ("wechatpay-serial", "D7CE59D1F522D701"),
        ("wechatpay-signature", SIGNATURE),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let verify = |body: &[u8], now_s| verify_signed(&headers, body, &keys, now_s);
    assert_eq!(verify(body, SIGNED_S), Ok(()));
    assert_eq!(verify(body, SIGNED_S + 300), Ok(()));
    let difference_s = 301;
    assert_eq!(
        verify(body, SIGNED_S + difference_s),
        Err(SignatureError::Stale { difference_s })
    );
    let mut changed = body.to_vec();
    changed[10] ^= 1;
    assert_eq!(verify(&changed, SIGNED_S), Err(SignatureError::Mismatch));
}

#[test]
fn keys_of_16_bytes_as_gos_tests_have_them_are_no_apiv3_keys() {
    for key in ["testAPIv3Key0000", "testMchAPIv3Key0", "mockAPIv3Key1234"] {
        let refused = ApiV3Key::new(key.as_bytes());
        assert_eq!(refused, Err(KeyError::ApiV3KeyLength { got: 16 }));
    }
}

#[test]
fn the_bill_of_phps_tests_is_read() {
    // The file has only some rows of the bill, and no hash of it is published.
    let file = include_bytes!("published/php_bill_all.csv");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, file);
    let ticket = bill::BillTicket {
        hash_type: "SHA1".into(),
        hash_value: lower_hex(hash.as_ref()),
        download_url: "https://api.mch.weixin.qq.com/v3/billdownload/file?token=x".into(),
    };
    let read = bill::read_bill(file, bill::Packing::Plain, &ticket).unwrap();
    assert_eq!(read.rows.len(), 4);
    for row in &read.rows {
        let row = bill::TradeBillRow::read(row).unwrap();
        assert!(row.transaction_id.starts_with("4200"), "{row:?}");
    }
    let sums = bill::TradeBillSummary::read(&read.summary).unwrap();
    assert_eq!(sums.settlement_total, Fen::new(47).unwrap());
}
