//! Native mode 1: the link, the callback, its answer, and the short link.

use http::StatusCode;

use super::*;
use crate::v2::answer::Answer;
use crate::v2::test_messages::{key, merchant, other_key, signed, stamp};

fn link() -> NativeLink {
    NativeLink {
        appid: "wx2421b1c4370ec43b".into(),
        mch_id: "10000100".into(),
        product_id: "tea-pot_1".into(),
    }
}

fn callback() -> NativeCallback {
    NativeCallback {
        appid: "wx2421b1c4370ec43b".into(),
        mch_id: "10000100".into(),
        openid: OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").unwrap(),
        is_subscribe: Some(true),
        product_id: "tea-pot_1".into(),
    }
}

#[test]
fn a_link_is_signed_and_read_by_wechats_side() {
    let url = link().url(&key(), &stamp()).unwrap();
    let rest = url.strip_prefix("weixin://wxpay/bizpayurl?sign=").unwrap();
    assert_eq!(
        &rest[32..],
        "&appid=wx2421b1c4370ec43b&mch_id=10000100&product_id=tea-pot_1\
         &time_stamp=1414561699&nonce_str=5K8264ILTKCH16CQ2502SI8ZNMTM67VS"
    );
    let read = read_native_link(&url).unwrap();
    assert_eq!(read.claimed("mch_id"), Some("10000100"));
    let verified = read.clone().verify(&key()).unwrap();
    assert_eq!(
        verified.fields.fields().get("product_id"),
        Some("tea-pot_1")
    );
    assert_eq!(read.verify(&other_key()), Err(SignatureError::Mismatch));
    let other = url.replace("tea-pot_1", "tea-pot_2");
    let refused = read_native_link(&other).unwrap().verify(&key());
    assert_eq!(refused, Err(SignatureError::Mismatch));
}

#[test]
fn only_a_whole_link_with_its_six_fields_is_read() {
    let url = link().url(&key(), &stamp()).unwrap();
    for odd in [
        "",
        "weixin://wxpay/bizpayurl?",
        "weixin://wxpay/bizpayurl?pr=abc",
        "https://wxpay/bizpayurl?sign=1",
        &url.replace("&time_stamp=1414561699", ""),
        &url.replace("1414561699", ""),
        &format!("{url}&appid=wx2421b1c4370ec43b"),
        &format!("{url}&later=1"),
        &url.replace("tea-pot_1", "tea%20pot"),
        &format!("{url}\n"),
    ] {
        assert_eq!(read_native_link(odd), None, "{odd}");
    }
    for (product_id, appid) in [("", "wx1"), ("a b", "wx1"), ("茶", "wx1"), ("a", "wx 1")] {
        let odd = NativeLink {
            product_id: product_id.into(),
            appid: appid.into(),
            ..link()
        };
        assert!(odd.url(&key(), &stamp()).is_err(), "{product_id} {appid}");
    }
}

#[test]
fn a_callback_is_verified_before_it_is_read() {
    for kind in [SignType::Md5, SignType::HmacSha256] {
        let body = callback().message(&key(), kind, &stamp());
        assert_eq!(NativeCallback::open(&body, &key(), kind), Ok(callback()));
        assert_eq!(
            NativeCallback::open(&body, &other_key(), kind),
            Err(NativeError::Signature(SignatureError::Mismatch))
        );
    }
    let by_md5 = callback().message(&key(), SignType::Md5, &stamp());
    assert_eq!(
        NativeCallback::open(&by_md5, &key(), SignType::HmacSha256),
        Err(NativeError::Signature(SignatureError::SignType))
    );
    let whole = [
        ("appid", "wx1"),
        ("mch_id", "1"),
        ("openid", "oA"),
        ("product_id", "P"),
    ];
    for (name, value, expected) in [
        ("openid", "", Unreadable::missing("openid")),
        ("openid", "o A", Unreadable::undocumented_form("openid")),
        ("product_id", "", Unreadable::missing("product_id")),
        ("mch_id", "", Unreadable::missing("mch_id")),
    ] {
        let changed = whole.map(|(known, old)| (known, if known == name { value } else { old }));
        let body = signed(&changed, SignType::Md5);
        let opened = NativeCallback::open(&body, &key(), SignType::Md5);
        assert_eq!(opened, Err(NativeError::Malformed(expected)));
    }
    let doctype = NativeCallback::open(b"<!DOCTYPE xml><xml/>", &key(), SignType::Md5);
    assert_eq!(doctype, Err(NativeError::Xml(XmlError::DocType)));
}

#[test]
fn the_answer_carries_the_prepay_id_or_a_text_for_the_buyer() {
    for answer in [
        NativeAnswer::Prepared {
            prepay_id: "wx201411101639507cbf6ffd8b0779950874".into(),
        },
        NativeAnswer::Refused {
            message: "已售完".into(),
        },
    ] {
        let body = callback().answer(&answer, &key(), SignType::Md5, &stamp());
        let read = NativeAnswer::open(&body, &key(), SignType::Md5);
        assert_eq!(read, Ok(answer));
    }
    let failure = crate::v2::failure_body("签名失败");
    assert_eq!(
        NativeAnswer::open(&failure, &key(), SignType::Md5),
        Err(NativeError::Signature(SignatureError::Unsigned))
    );
}

#[test]
fn a_short_link_is_requested_with_the_plain_link_signed_and_the_encoded_one_sent() {
    let url = link().url(&key(), &stamp()).unwrap();
    let request = short_url(&merchant(), &url).unwrap();
    let sent = request.sign(&key(), SignType::HmacSha256, &stamp());
    let text = std::str::from_utf8(&sent.body).unwrap();
    assert!(text.contains("<![CDATA[weixin%3A%2F%2Fwxpay%2Fbizpayurl%3Fsign%3D"));
    let received = UnverifiedRequest::read(&sent.body).unwrap();
    let verified = received.verify(&key()).unwrap();
    assert_eq!(verified.fields.fields().get("long_url"), Some(&*url));
    let plain = signed(&[("long_url", &url)], SignType::Md5);
    let received = UnverifiedRequest::read(&plain).unwrap();
    assert!(received.verify(&key()).is_ok());
    assert_eq!(
        short_url(&merchant(), "https://shop.example")
            .unwrap_err()
            .field,
        "long_url"
    );
    let codes = [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("short_url", "weixin://wxpay/s/XXXXXX"),
    ];
    let answer = Answer {
        status: StatusCode::OK,
        body: signed(&codes, SignType::Md5),
    };
    let read: ShortUrl = answer.parse(&key(), SignType::Md5).unwrap();
    assert_eq!(read.short_url, "weixin://wxpay/s/XXXXXX");
}
