//! Abnormal refunds (异常退款): the buyer's account did not accept the money, so it is sent to
//! another bank account. The account and the name are encrypted with a key of WeChat, and the request names
//! that key; this API does not allow one without the other.

use payment_values::{InvalidField, OutRefundNo, RefundId, Rule, check_text, check_word};
use serde::Serialize;

use crate::keys::rsa::PublicKey;
use crate::request::{RequestParts, encode};
use crate::sealing::sealed_request::{SealedRequest, SealedRequestError, seal_field};

/// A request to send a refund to another account, after it became `ABNORMAL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbnormalRefund {
    /// WeChat's number of the refund.
    pub refund_id: RefundId,
    /// The merchant's number of the refund.
    pub out_refund_no: OutRefundNo,
    /// The new destination of the money.
    pub to: AbnormalRefundTo,
    /// Partner mode: the sub-merchant whose payment it is.
    pub sub_mchid: Option<String>,
}

/// Where the money of an abnormal refund goes.
#[derive(Clone, PartialEq, Eq)]
pub enum AbnormalRefundTo {
    /// To a bank card of the buyer.
    UserBankCard {
        /// The bank, such as `ICBC_DEBIT`: 1 to 16 of `[0-9A-Z_]`.
        bank_type: String,
        /// The card's number, in plain text; it is sealed before it is sent.
        bank_account: String,
        /// The buyer's name, in plain text; it is sealed before it is sent.
        real_name: String,
    },
    /// To the merchant's own bank account, and from there to the buyer by the merchant.
    MerchantBankCard,
}

impl std::fmt::Debug for AbnormalRefundTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UserBankCard { .. } => "UserBankCard(redacted)",
            Self::MerchantBankCard => "MerchantBankCard",
        })
    }
}

impl AbnormalRefund {
    /// Seals the sensitive fields to WeChat's key of this serial: the `PUB_KEY_ID_…`, or the
    /// platform certificate that took effect last ([`crate::TrustedKeys::sealing_key`]).
    pub fn seal(&self, serial: &str, key: &PublicKey) -> Result<SealedRequest, SealedRequestError> {
        if let Some(sub_mchid) = &self.sub_mchid {
            check_word("sub_mchid", sub_mchid)?;
        }
        let mut body = Body {
            sub_mchid: self.sub_mchid.as_deref(),
            out_refund_no: self.out_refund_no.as_str(),
            kind: "MERCHANT_BANK_CARD",
            bank_type: None,
            bank_account: None,
            real_name: None,
        };
        if let AbnormalRefundTo::UserBankCard {
            bank_type,
            bank_account,
            real_name,
        } = &self.to
        {
            check_bank_type(bank_type)?;
            body.kind = "USER_BANK_CARD";
            body.bank_type = Some(bank_type);
            body.bank_account = Some(seal_field("bank_account", key, bank_account)?);
            body.real_name = Some(seal_field("real_name", key, real_name)?);
        }
        let parts = RequestParts::post(
            format!(
                "/v3/refund/domestic/refunds/{}/apply-abnormal-refund",
                encode(self.refund_id.as_str())
            ),
            &body,
        );
        SealedRequest::new(parts, serial)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    out_refund_no: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    real_name: Option<String>,
}

fn check_bank_type(bank_type: &str) -> Result<(), InvalidField> {
    check_text("bank_type", bank_type, 16)?;
    if bank_type
        .bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    {
        return Ok(());
    }
    Err(InvalidField::new(
        "bank_type",
        Rule::Characters("[0-9A-Z_]"),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::{SigningKey, Stamp, test_keys};

    fn refund(to: AbnormalRefundTo) -> AbnormalRefund {
        AbnormalRefund {
            refund_id: RefundId::parse("50000000382019052709732678859").unwrap(),
            out_refund_no: OutRefundNo::parse("R1").unwrap(),
            to,
            sub_mchid: None,
        }
    }

    fn card(bank_account: &str, real_name: &str) -> AbnormalRefundTo {
        AbnormalRefundTo::UserBankCard {
            bank_type: "ICBC_DEBIT".into(),
            bank_account: bank_account.into(),
            real_name: real_name.into(),
        }
    }

    #[test]
    fn account_and_name_are_sent_encrypted_and_the_request_names_the_key() {
        let key = test_keys::doc_public_key();
        let sealed = refund(card("6225760009", "张三"))
            .seal("PUB_KEY_ID_01", &key)
            .unwrap();
        let body: Value = serde_json::from_slice(&sealed.parts().body).unwrap();
        assert_eq!(body["type"], "USER_BANK_CARD");
        assert_eq!(body["bank_type"], "ICBC_DEBIT");
        let private = SigningKey::from_pem(test_keys::DOC_KEY_PKCS1_PEM.as_bytes()).unwrap();
        for (field, text) in [("bank_account", "6225760009"), ("real_name", "张三")] {
            let opened = private.open_field(body[field].as_str().unwrap());
            assert_eq!(opened.unwrap(), text);
        }
        let signed = sealed
            .sign(&test_keys::merchant_key(), &Stamp::new(1, [0; 16]))
            .unwrap();
        assert_eq!(signed.headers["wechatpay-serial"], "PUB_KEY_ID_01");
        assert_eq!(
            signed.path_and_query,
            "/v3/refund/domestic/refunds/50000000382019052709732678859/apply-abnormal-refund"
        );
    }

    #[test]
    fn the_merchants_own_account_needs_no_fields() {
        let sealed = refund(AbnormalRefundTo::MerchantBankCard)
            .seal("AB12", &test_keys::doc_public_key())
            .unwrap();
        assert_eq!(
            &sealed.parts().body[..],
            br#"{"out_refund_no":"R1","type":"MERCHANT_BANK_CARD"}"#
        );
    }

    #[test]
    fn an_invalid_account_is_refused_and_never_shown() {
        let key = test_keys::doc_public_key();
        let long = "9".repeat(215);
        for (to, serial, message) in [
            (
                card("", "n"),
                "A",
                "bank_account: a sensitive field must not be empty",
            ),
            (
                card("1", &long),
                "A",
                "real_name: a sensitive field must be at most 214 bytes of UTF-8, is 215",
            ),
            (
                card("1", "n"),
                "a b",
                "Wechatpay-Serial: may only have characters of [0-9a-zA-Z_-]",
            ),
        ] {
            assert!(!format!("{to:?}").contains("ICBC"));
            let error = refund(to).seal(serial, &key).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
