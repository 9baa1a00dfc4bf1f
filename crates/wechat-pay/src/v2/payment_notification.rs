//! The notification of a payment: a signed message that WeChat posts to the order's `notify_url`.
//! The same notification may come many times, and before the answer to the order.

use bytes::Bytes;

use super::answer::says_success;
use super::fields::Fields;
use super::gateway::success_answer;
use super::key::ApiV2Key;
use super::refusal::Refusal;
use super::signature::{SignType, SignatureError, verify};
use super::transaction::{read, transaction_fields};
use super::xml::XmlError;
use crate::json::Unreadable;
use crate::orders::transaction::{TradeState, Transaction};
use crate::signing::stamp::Stamp;

/// Why the notification of a payment is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaymentNotificationError {
    /// The body is not a message of version 2.
    #[error("the notification is not a message of version 2: {0}")]
    Xml(#[from] XmlError),
    /// The signature is missing or not valid. No field was read.
    #[error("the notification has no valid signature: {0}")]
    Signature(#[from] SignatureError),
    /// Signed, and it reports a failure and no payment. Nothing is to settle; acknowledge it.
    #[error("the notification reports no payment: {0}")]
    NoPayment(Box<Refusal>),
    /// The signature is valid, but a field that money or identity depends on cannot be read. Keep
    /// it whole, and query the order.
    #[error("the notification cannot be read: {0}")]
    Malformed(#[from] Unreadable),
}

/// Checks the signature over all fields and reads the payment. `expected` is the kind of the
/// order's signature: a notification leaves `sign_type` out, and must not choose a weaker one.
pub fn open_payment_notification(
    body: &[u8],
    key: &ApiV2Key,
    expected: SignType,
) -> Result<Transaction, PaymentNotificationError> {
    let fields = Fields::read(body)?;
    verify(&fields, key, expected)?;
    let no_payment = |refusal| Err(PaymentNotificationError::NoPayment(Box::new(refusal)));
    if !says_success(&fields, "return_code")? {
        return no_payment(Refusal::protocol(&fields, true));
    }
    if !says_success(&fields, "result_code")? {
        return no_payment(Refusal::business(&fields, true));
    }
    // A notification has no state of its own: the two codes say that the order is paid.
    if fields
        .get("trade_state")
        .is_some_and(|state| state != "SUCCESS")
    {
        return Err(Unreadable::contradiction("trade_state").into());
    }
    Ok(read(&fields, TradeState::Success)?)
}

/// The notification of a paid order, for an implementation of WeChat's side.
#[must_use]
pub fn payment_notification(
    transaction: &Transaction,
    key: &ApiV2Key,
    kind: SignType,
    stamp: &Stamp,
) -> Bytes {
    let mut fields = transaction_fields(transaction, false);
    fields.set("is_subscribe", "N");
    success_answer(fields, key, kind, stamp)
}

#[cfg(test)]
mod tests {
    use payment_values::Fen;

    use super::*;
    use crate::v2::test_messages::{key, other_key, signed, stamp};

    const PAID: [(&str, &str); 8] = [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("mch_id", "10000100"),
        ("appid", "wx2421b1c4370ec43b"),
        ("out_trade_no", "1409811653"),
        ("transaction_id", "1004400740201409030005092168"),
        ("total_fee", "6910"),
        ("time_end", "20140903131540"),
    ];

    fn open(fields: &[(&str, &str)]) -> Result<Transaction, PaymentNotificationError> {
        let body = signed(fields, SignType::Md5);
        open_payment_notification(&body, &key(), SignType::Md5)
    }

    fn changed(name: &str, value: &'static str) -> Vec<(&'static str, &'static str)> {
        PAID.into_iter()
            .map(|(known, old)| (known, if known == name { value } else { old }))
            .collect()
    }

    #[test]
    fn a_signed_payment_is_read_with_unknown_fields_in_any_number() {
        let more = [&PAID[..], &[("later", "x"), ("empty", "")]].concat();
        let paid = open(&more).unwrap();
        assert_eq!(paid.total().map(Fen::get), Some(6910));
        assert_eq!(paid.trade_state, TradeState::Success);
    }

    #[test]
    fn nothing_is_read_without_the_signature_of_the_expected_kind() {
        use SignatureError::{Mismatch, SignType as OtherKind, Unsigned};
        let body = signed(&PAID, SignType::Md5);
        let refused = |error| Err(PaymentNotificationError::Signature(error));
        for (key, kind, error) in [
            (other_key(), SignType::Md5, Mismatch),
            (key(), SignType::HmacSha256, OtherKind),
        ] {
            assert_eq!(open_payment_notification(&body, &key, kind), refused(error));
        }
        let text = String::from_utf8(body.to_vec()).unwrap();
        let dearer = text.replace("6910", "1");
        let opened = open_payment_notification(dearer.as_bytes(), &key(), SignType::Md5);
        assert_eq!(opened, refused(Mismatch));
        let unsigned = text.replace("sign>", "signature>");
        let opened = open_payment_notification(unsigned.as_bytes(), &key(), SignType::Md5);
        assert_eq!(opened, refused(Unsigned));
    }

    #[test]
    fn what_is_signed_and_no_payment_settles_nothing() {
        for (name, value) in [("return_code", "FAIL"), ("result_code", "FAIL")] {
            let error = open(&changed(name, value)).unwrap_err();
            assert!(
                matches!(error, PaymentNotificationError::NoPayment(_)),
                "{name}"
            );
        }
        for (name, value, expected) in [
            ("return_code", "", Unreadable::missing("return_code")),
            ("result_code", "OK", Unreadable::unknown_word("result_code")),
            (
                "total_fee",
                "69.10",
                Unreadable::undocumented_form("total_fee"),
            ),
            ("total_fee", "", Unreadable::missing("total_fee")),
            ("transaction_id", "", Unreadable::missing("transaction_id")),
            ("out_trade_no", "", Unreadable::missing("out_trade_no")),
            ("mch_id", "", Unreadable::missing("mch_id")),
        ] {
            let error = open(&changed(name, value)).unwrap_err();
            assert_eq!(
                error,
                PaymentNotificationError::Malformed(expected),
                "{name}"
            );
        }
        let closed = [&PAID[..], &[("trade_state", "CLOSED")]].concat();
        let expected =
            PaymentNotificationError::Malformed(Unreadable::contradiction("trade_state"));
        assert_eq!(open(&closed), Err(expected));
    }

    #[test]
    fn hostile_xml_is_refused_with_its_cause() {
        let bomb =
            "<!DOCTYPE xml [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><xml><c>&b;</c></xml>";
        for (body, expected) in [
            (bomb, XmlError::DocType),
            ("", XmlError::Syntax),
            ("<xml><a>1</a><a>2</a></xml>", XmlError::Duplicate),
            ("<xml><a><![CDATA[1]]><b/></a></xml>", XmlError::Root),
            ("<xml><a>&xxe;</a></xml>", XmlError::Entity),
        ] {
            let opened = open_payment_notification(body.as_bytes(), &key(), SignType::Md5);
            assert_eq!(
                opened,
                Err(PaymentNotificationError::Xml(expected)),
                "{body}"
            );
        }
    }

    #[test]
    fn what_the_gateway_notifies_is_read_alike() {
        let paid = open(&PAID).unwrap();
        for kind in [SignType::Md5, SignType::HmacSha256] {
            let body = payment_notification(&paid, &key(), kind, &stamp());
            assert_eq!(
                open_payment_notification(&body, &key(), kind),
                Ok(paid.clone())
            );
        }
    }
}
