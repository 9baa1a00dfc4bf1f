//! The parameters with which a page or an app opens WeChat's cashier, signed with the APIv2 key.
//! They are the same strings as in version 3; only the signature is another.

use super::key::ApiV2Key;
use super::signature::{SignType, is_equal, sign};
use crate::signing::app_payment::AppPayment;
use crate::signing::jsapi_payment::JsapiPayment;
use crate::signing::stamp::Stamp;

/// The six strings of `getBrandWCPayRequest` and of a mini-program, for a `prepay_id`. `kind` is
/// that of the order's signature.
#[must_use]
pub fn jsapi_payment(
    appid: &str,
    prepay_id: &str,
    key: &ApiV2Key,
    kind: SignType,
    stamp: &Stamp,
) -> JsapiPayment {
    let mut payment = JsapiPayment {
        app_id: appid.to_owned(),
        time_stamp: stamp.timestamp_s().to_string(),
        nonce_str: stamp.nonce().to_owned(),
        package: format!("prepay_id={prepay_id}"),
        sign_type: kind.as_str().to_owned(),
        pay_sign: String::new(),
    };
    payment.pay_sign = sign(jsapi_fields(&payment), key, kind);
    payment
}

/// The seven strings of an app's `PayReq`, for a `prepay_id`.
#[must_use]
pub fn app_payment(
    appid: &str,
    mch_id: &str,
    prepay_id: &str,
    key: &ApiV2Key,
    kind: SignType,
    stamp: &Stamp,
) -> AppPayment {
    let mut payment = AppPayment {
        appid: appid.to_owned(),
        partnerid: mch_id.to_owned(),
        prepayid: prepay_id.to_owned(),
        package: "Sign=WXPay".to_owned(),
        noncestr: stamp.nonce().to_owned(),
        timestamp: stamp.timestamp_s().to_string(),
        sign: String::new(),
    };
    payment.sign = sign(app_fields(&payment), key, kind);
    payment
}

/// Whether this key signed the parameters, in the kind that they name: the check of WeChat's
/// cashier.
#[must_use]
pub fn jsapi_payment_verifies(payment: &JsapiPayment, key: &ApiV2Key) -> bool {
    SignType::parse(&payment.sign_type).is_some_and(|kind| {
        let expected = sign(jsapi_fields(payment), key, kind);
        is_equal(&expected, &payment.pay_sign)
    })
}

/// The same for an app, whose parameters do not name the kind.
#[must_use]
pub fn app_payment_verifies(payment: &AppPayment, key: &ApiV2Key) -> bool {
    let kind = SignType::of(&payment.sign);
    payment.package == "Sign=WXPay"
        && kind.is_some_and(|kind| is_equal(&sign(app_fields(payment), key, kind), &payment.sign))
}

fn jsapi_fields(payment: &JsapiPayment) -> [(&str, &str); 5] {
    [
        ("appId", &payment.app_id),
        ("timeStamp", &payment.time_stamp),
        ("nonceStr", &payment.nonce_str),
        ("package", &payment.package),
        ("signType", &payment.sign_type),
    ]
}

fn app_fields(payment: &AppPayment) -> [(&str, &str); 6] {
    [
        ("appid", &payment.appid),
        ("partnerid", &payment.partnerid),
        ("prepayid", &payment.prepayid),
        ("package", &payment.package),
        ("noncestr", &payment.noncestr),
        ("timestamp", &payment.timestamp),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v2::test_messages::{key, other_key, stamp};

    type Change = fn(&mut JsapiPayment);

    #[test]
    fn a_pages_parameters_are_signed_over_five_of_the_six_strings() {
        for (kind, named) in [
            (SignType::Md5, "MD5"),
            (SignType::HmacSha256, "HMAC-SHA256"),
        ] {
            let payment = jsapi_payment("wx2421b1c4370ec43b", "wx1", &key(), kind, &stamp());
            assert_eq!(payment.sign_type, named);
            assert_eq!(payment.prepay_id(), Some("wx1"));
            assert!(jsapi_payment_verifies(&payment, &key()));
            assert!(!jsapi_payment_verifies(&payment, &other_key()));
            let changes: [Change; 6] = [
                |p| p.app_id.push('x'),
                |p| p.time_stamp.push('0'),
                |p| p.nonce_str.push('x'),
                |p| p.package.push('x'),
                |p| p.sign_type = "RSA".into(),
                |p| p.pay_sign.clear(),
            ];
            for change in changes {
                let mut tampered = payment.clone();
                change(&mut tampered);
                assert!(!jsapi_payment_verifies(&tampered, &key()), "{tampered:?}");
            }
        }
    }

    /// Computed with `md5sum` over the sorted text.
    #[test]
    fn a_pages_signature_is_the_digest_of_the_documented_text() {
        let payment = jsapi_payment(
            "wx2421b1c4370ec43b",
            "u802345jgfjsdfgsdg888",
            &key(),
            SignType::Md5,
            &stamp(),
        );
        assert_eq!(payment.pay_sign, "A85F83AF54560C7AE96DC6C782B7E4DD");
    }

    #[test]
    fn an_apps_parameters_are_signed_over_six_of_the_seven_strings() {
        for kind in [SignType::Md5, SignType::HmacSha256] {
            let payment = app_payment("wx1", "10000100", "wx2014", &key(), kind, &stamp());
            assert_eq!(payment.partnerid, "10000100");
            assert!(app_payment_verifies(&payment, &key()));
            assert!(!app_payment_verifies(&payment, &other_key()));
            for changed in [
                AppPayment {
                    prepayid: "prepay_id=wx2014".into(),
                    ..payment.clone()
                },
                AppPayment {
                    package: "Sign=WX".into(),
                    ..payment.clone()
                },
                AppPayment {
                    sign: String::new(),
                    ..payment.clone()
                },
            ] {
                assert!(!app_payment_verifies(&changed, &key()), "{changed:?}");
            }
        }
    }
}
