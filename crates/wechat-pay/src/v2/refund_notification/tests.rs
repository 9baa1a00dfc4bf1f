//! XML notifications of refunds: a published one, sealed ones, and hostile ones.

use proptest::prelude::*;

use super::*;

/// A real notification that was published with its key, by the author of an article on it; the
/// tests of several libraries carry it.
const PUBLISHED_KEY: &str = "ziR0QKsTUfMOuochC9RfCdmfHECorQAP";
const PUBLISHED_REQ_INFO: &str = "YYwp8C48th0wnQzTqeI+41pflB26v+smFj9z6h9RPBgxTyZyxc+4YNEz7QEgZNWj/6rIb2MfyWMZmCc41CfjKSssoSZPXxOhUayb6KvNSZ1p6frOX1PDWzhyruXK7ouNND+gDsG4yZ0XXzsL4/pYNwLLba/71QrnkJ/BHcByk4EXnglju5DLup9pJQSnTxjomI9Rxu57m9jg5lLQFxMWXyeASZJNvof0ulnHlWJswS4OxKOkmW7VEyKyLGV6npoOm03Qsx2wkRxLsSa9gPpg4hdaReeUqh1FMbm7aWjyrVYT/MEZWg98p4GomEIYvz34XfDncTezX4bf/ZiSLXt79aE1/YTZrYfymXeCrGjlbe0rg/T2ezJHAC870u2vsVbY1/KcE2A443N+DEnAziXlBQ1AeWq3Rqk/O6/TMM0lomzgctAOiAMg+bh5+Gu1ubA9O3E+vehULydD5qx2o6i3+qA9ORbH415NyRrQdeFq5vmCiRikp5xYptWiGZA0tkoaLKMPQ4ndE5gWHqiBbGPfULZWokI+QjjhhBmwgbd6J0VqpRorwOuzC/BHdkP72DCdNcm7IDUpggnzBIy0+seWIkcHEryKjge3YDHpJeQCqrAH0CgxXHDt1xtbQbST1VqFyuhPhUjDXMXrknrGPN/oE1t0rLRq+78cI+k8xe5E6seeUXQsEe8r3358mpcDYSmXWSXVZxK6er9EF98APqHwcndyEJD2YyCh/mMVhERuX+7kjlRXSiNUWa/Cv/XAKFQuvUYA5ea2eYWtPRHa4DpyuF1SNsaqVKfgqKXZrJHfAgslVpSVqUpX4zkKszHF4kwMZO3M7J1P94Mxa7Tm9mTOJePOoHPXeEB+m9rX6pSfoi3mJDQ5inJ+Vc4gOkg/Wd/lqiy6TTyP/dHDN6/v+AuJx5AXBo/2NDD3fWhHjkqEKIuARr2ClZt9ZRQO4HkXdZo7CN06sGCHk48Tg8PmxnxKcMZm7Aoquv5yMIM2gWSWIRJhwJ8cUpafIHc+GesDlbF6Zbt+/KXkafJAQq2RklEN+WvZ/zFz113EPgWPjp16TwBoziq96MMekvWKY/vdhjol8VFtGH9F61Oy1Xwf6DJtPw==";

fn published_key() -> ApiV2Key {
    ApiV2Key::parse(PUBLISHED_KEY).unwrap()
}

fn refund() -> RefundNotification {
    RefundNotification {
        appid: Some("wx1".into()),
        mch_id: Some("1900007291".into()),
        transaction_id: Some("4200000001".into()),
        out_trade_no: Some("T20260101".into()),
        refund_id: Some("50000000382019052709732678859".into()),
        out_refund_no: "R1".into(),
        total_fee: Fen::new(100).ok(),
        refund_fee: Fen::new(40).ok(),
        settlement_refund_fee: Fen::new(40).ok(),
        refund_status: Some(RefundStatus::Success),
        success_time: Some("2017-12-15 09:46:01".into()),
        user_received_account: Some("招商银行信用卡0403".into()),
    }
}

fn sealed(refund: RefundNotification) -> Vec<u8> {
    let draft = RefundNotificationDraft {
        refund,
        nonce_str: "n".into(),
        refund_request_source: "VENDOR_PLATFORM".into(),
    };
    draft.seal(&published_key()).unwrap()
}

fn outer(req_info: &str) -> String {
    format!(
        "<xml><return_code>SUCCESS</return_code><appid><![CDATA[wx1]]></appid>\
         <mch_id><![CDATA[19]]></mch_id><nonce_str>n</nonce_str>\
         <req_info><![CDATA[{req_info}]]></req_info></xml>"
    )
}

fn with_inner(inner: &str) -> Vec<u8> {
    let req_info = encrypt(&published_key(), inner.as_bytes().to_vec()).unwrap();
    outer(&req_info).into_bytes()
}

#[test]
fn the_published_notification_opens_with_its_published_key() {
    let body = outer(PUBLISHED_REQ_INFO);
    let read = open_refund_notification(body.as_bytes(), &published_key()).unwrap();
    assert_eq!(read.out_refund_no, "50fd012ed1b311e7af7800163e32c503");
    assert_eq!(read.refund_fee.map(Fen::get), Some(6));
    assert!(read.success_time().is_some(), "{:?}", read.success_time);
}

#[test]
fn the_published_block_of_aes_256_ecb_is_made_and_opened() {
    let key = || UnboundCipherKey::new(&AES_256, b"0123456789abcdef0123456789abcdef").unwrap();
    let sealed = encrypt_ecb(key(), b"hello".to_vec()).unwrap();
    assert_eq!(STANDARD.encode(&sealed), "pZwJZBLuy3mDACEQT4YTBw==");
    assert_eq!(decrypt_ecb(key(), &mut sealed.clone()).unwrap(), b"hello");
}

#[test]
fn a_sealed_value_is_opened() {
    let opened = open_refund_notification(&sealed(refund()), &published_key()).unwrap();
    assert_eq!(opened, refund());
    assert_eq!(
        opened.success_time().unwrap().to_string(),
        "2017-12-15T01:46:01Z"
    );
    let without = RefundNotification {
        settlement_refund_fee: None,
        success_time: None,
        refund_status: Some(RefundStatus::Change),
        ..refund()
    };
    let opened = open_refund_notification(&sealed(without.clone()), &published_key()).unwrap();
    assert_eq!(opened, without);
}

#[test]
fn a_refusal_names_its_cause() {
    use RefundNotificationError as Error;
    let inner = "<root><transaction_id>1</transaction_id><out_trade_no>2</out_trade_no>\
                 <refund_id>3</refund_id><out_refund_no>4</out_refund_no><total_fee>5</total_fee>\
                 <refund_fee>5</refund_fee><refund_status>SUCCESS</refund_status></root>";
    assert!(open_refund_notification(&with_inner(inner), &published_key()).is_ok());
    let table: Vec<(Vec<u8>, Error)> = vec![
        (b"{}".to_vec(), Error::Envelope(XmlError::NotFlat)),
        (
            b"<!DOCTYPE xml><xml></xml>".to_vec(),
            Error::Envelope(XmlError::DocType),
        ),
        (
            b"<xml><a>1</a><a>1</a></xml>".to_vec(),
            Error::Envelope(XmlError::Duplicate),
        ),
        (b"<xml></xml>".to_vec(), Error::Missing("req_info")),
        (
            b"<xml><return_code>FAIL</return_code></xml>".to_vec(),
            Error::ReturnCode,
        ),
        (outer("").into_bytes(), Error::Missing("req_info")),
        (outer("***").into_bytes(), Error::Base64),
        (outer("AAAA").into_bytes(), Error::Opening),
        (outer(&"AAAA".repeat(16)).into_bytes(), Error::Opening),
        (
            with_inner("<!DOCTYPE root><root></root>"),
            Error::Sealed(XmlError::DocType),
        ),
        (with_inner("<xml></xml>"), Error::Sealed(XmlError::Root)),
        (with_inner("<root></root>"), Error::Missing("out_refund_no")),
        (
            with_inner(&inner.replace("out_refund_no>", "refund_no>")),
            Error::Missing("out_refund_no"),
        ),
    ];
    for (body, expected) in table {
        assert_eq!(
            open_refund_notification(&body, &published_key()),
            Err(expected)
        );
    }
    let other = ApiV2Key::parse("0123456789abcdef0123456789abcdef").unwrap();
    assert_eq!(
        open_refund_notification(&sealed(refund()), &other),
        Err(Error::Opening)
    );
}

#[test]
fn only_the_number_for_a_query_is_required() {
    let read = |inner: &str| {
        let inner = format!("<root><out_refund_no>R</out_refund_no>{inner}</root>");
        open_refund_notification(&with_inner(&inner), &published_key()).unwrap()
    };
    let bare = read("");
    assert_eq!(bare.out_refund_no, "R");
    assert_eq!((&bare.refund_status, &bare.out_trade_no), (&None, &None));
    for odd in ["-5", "5.0", "99999999999999999999", "x", ""] {
        let read = read(&format!("<total_fee>{odd}</total_fee>"));
        assert_eq!(read.total_fee, None, "{odd}");
    }
    let later = read("<refund_status>LATER</refund_status>");
    assert_eq!(
        later.refund_status,
        Some(RefundStatus::Unknown("LATER".into()))
    );
}

proptest! {
    #[test]
    fn hostile_blocks_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..130)) {
        let body = outer(&STANDARD.encode(&bytes));
        prop_assert!(open_refund_notification(body.as_bytes(), &published_key()).is_err());
        let body = with_inner(&String::from_utf8_lossy(&bytes));
        prop_assert!(open_refund_notification(&body, &published_key()).is_err());
    }
}
