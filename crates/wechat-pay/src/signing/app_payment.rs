//! The seven strings that a native app passes to WeChat's SDK.

use serde::{Deserialize, Serialize};

use crate::keys::error::KeyError;
use crate::keys::rsa::{MerchantKey, PublicKey};
use crate::signing::stamp::Stamp;

/// Parameters of the SDK's `PayReq`. Every value is text; the names are lower-case, as WeChat's
/// documentation of App pay spells them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPayment {
    /// The app's number at WeChat's open platform.
    pub appid: String,
    /// The merchant number (in partner mode the sub-merchant's).
    pub partnerid: String,
    /// The `prepay_id` without a prefix, unlike in [`crate::JsapiPayment`].
    pub prepayid: String,
    /// `Sign=WXPay`; not signed.
    pub package: String,
    /// Random text.
    pub noncestr: String,
    /// Seconds since 1970.
    pub timestamp: String,
    /// SHA256withRSA in base64, by the merchant's key.
    pub sign: String,
}

impl AppPayment {
    /// Signs the parameters for a `prepay_id`. The merchant number is the key's.
    pub fn sign(
        key: &MerchantKey,
        appid: &str,
        prepay_id: &str,
        stamp: &Stamp,
    ) -> Result<Self, KeyError> {
        Self::sign_for(key, key.mchid(), appid, prepay_id, stamp)
    }

    /// As [`AppPayment::sign`], for a sub-merchant whose number goes into `partnerid`.
    pub fn sign_for(
        key: &MerchantKey,
        partnerid: &str,
        appid: &str,
        prepay_id: &str,
        stamp: &Stamp,
    ) -> Result<Self, KeyError> {
        let mut payment = Self {
            appid: appid.to_owned(),
            partnerid: partnerid.to_owned(),
            prepayid: prepay_id.to_owned(),
            package: "Sign=WXPay".to_owned(),
            noncestr: stamp.nonce().to_owned(),
            timestamp: stamp.timestamp_s().to_string(),
            sign: String::new(),
        };
        payment.sign = key.sign(&payment.message())?;
        Ok(payment)
    }

    /// Whether this merchant's key signed the parameters: the check of WeChat's cashier.
    #[must_use]
    pub fn verifies(&self, key: &PublicKey) -> bool {
        self.package == "Sign=WXPay" && key.verifies(&self.message(), &self.sign)
    }

    fn message(&self) -> Vec<u8> {
        format!(
            "{}\n{}\n{}\n{}\n",
            self.appid, self.timestamp, self.noncestr, self.prepayid
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys;

    #[test]
    fn the_seven_names_are_lower_case_and_a_change_breaks_the_signature() {
        let stamp = Stamp::new(1_700_000_000, [5; 16]);
        let payment =
            AppPayment::sign(&test_keys::merchant_key(), "wx1", "wx2014", &stamp).unwrap();
        let json = serde_json::to_value(&payment).unwrap();
        let mut names: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "appid",
                "noncestr",
                "package",
                "partnerid",
                "prepayid",
                "sign",
                "timestamp"
            ]
        );
        assert_eq!(json["partnerid"], "1900007291");
        let key = test_keys::doc_public_key();
        assert!(payment.verifies(&key));
        let changed = AppPayment {
            prepayid: "prepay_id=wx2014".into(),
            ..payment
        };
        assert!(!changed.verifies(&key));
    }
}
