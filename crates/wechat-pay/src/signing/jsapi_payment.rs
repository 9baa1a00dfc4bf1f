//! The six strings that WeChat's cashier requires from a page (JSAPI and mini-program).

use serde::{Deserialize, Serialize};

use crate::keys::error::KeyError;
use crate::keys::rsa::{MerchantKey, PublicKey};
use crate::signing::stamp::Stamp;

/// Parameters of `getBrandWCPayRequest`, and of a mini-program's `wx.requestPayment` (there the
/// mini-program's appid signs, and `appId` itself is not passed). Every value is text: a number instead
/// of text works on Android and fails on iOS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JsapiPayment {
    /// The ordering application.
    pub app_id: String,
    /// Seconds since 1970.
    pub time_stamp: String,
    /// Random text.
    pub nonce_str: String,
    /// `prepay_id=…`.
    pub package: String,
    /// `RSA`; not signed.
    pub sign_type: String,
    /// SHA256withRSA in base64, by the merchant's key.
    pub pay_sign: String,
}

impl JsapiPayment {
    /// Signs the parameters for a `prepay_id`.
    pub fn sign(
        key: &MerchantKey,
        appid: &str,
        prepay_id: &str,
        stamp: &Stamp,
    ) -> Result<Self, KeyError> {
        let mut payment = Self {
            app_id: appid.to_owned(),
            time_stamp: stamp.timestamp_s().to_string(),
            nonce_str: stamp.nonce().to_owned(),
            package: format!("prepay_id={prepay_id}"),
            sign_type: "RSA".to_owned(),
            pay_sign: String::new(),
        };
        payment.pay_sign = key.sign(&payment.message())?;
        Ok(payment)
    }

    /// Whether this merchant's key signed the parameters: the check of WeChat's cashier.
    #[must_use]
    pub fn verifies(&self, key: &PublicKey) -> bool {
        self.sign_type == "RSA" && key.verifies(&self.message(), &self.pay_sign)
    }

    /// The `prepay_id`, if `package` has the documented form.
    pub fn prepay_id(&self) -> Option<&str> {
        self.package
            .strip_prefix("prepay_id=")
            .filter(|id| !id.is_empty())
    }

    fn message(&self) -> Vec<u8> {
        format!(
            "{}\n{}\n{}\n{}\n",
            self.app_id, self.time_stamp, self.nonce_str, self.package
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys;

    fn payment() -> JsapiPayment {
        let stamp = Stamp::new(1_700_000_000, [5; 16]);
        JsapiPayment::sign(&test_keys::merchant_key(), "wx1", "wx2014", &stamp).unwrap()
    }

    #[test]
    fn the_six_keys_have_the_cashiers_spelling_and_all_values_are_strings() {
        let json = serde_json::to_value(payment()).unwrap();
        let object = json.as_object().unwrap();
        let mut keys: Vec<_> = object.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            [
                "appId",
                "nonceStr",
                "package",
                "paySign",
                "signType",
                "timeStamp"
            ]
        );
        assert!(object.values().all(serde_json::Value::is_string));
        assert_eq!(json["package"], "prepay_id=wx2014");
        assert_eq!(json["signType"], "RSA");
    }

    type Change = fn(&mut JsapiPayment);

    #[test]
    fn a_change_of_any_string_breaks_the_signature() {
        let key = test_keys::doc_public_key();
        assert!(payment().verifies(&key));
        let changes: [Change; 6] = [
            |p| p.app_id.push('x'),
            |p| p.time_stamp.push('0'),
            |p| p.nonce_str.push('x'),
            |p| p.package.push('x'),
            |p| p.sign_type = "MD5".into(),
            |p| p.pay_sign.clear(),
        ];
        for change in changes {
            let mut tampered = payment();
            change(&mut tampered);
            assert!(!tampered.verifies(&key), "{tampered:?}");
        }
    }

    #[test]
    fn a_package_without_its_prefix_names_no_order() {
        for (package, expected) in [
            ("prepay_id=wx1", Some("wx1")),
            ("prepay_id=", None),
            ("wx1", None),
            ("", None),
        ] {
            let payment = JsapiPayment {
                package: package.into(),
                ..payment()
            };
            assert_eq!(payment.prepay_id(), expected);
        }
    }
}
