//! A notification of a payment in WeChat's own form (version 2), for the `notify_url` of an order of
//! the payment service (wxpayserver). The receiver answers as it would answer WeChat. Its answer only
//! ends the delivery, and never changes an order.

use bytes::Bytes;
use wechat_pay::Stamp;
use wechat_pay::v2::{ApiV2Key, Fields, SignType, XmlError, success_answer};

/// The signed message. `unsigned` has the fields of WeChat's notification.
pub(super) fn signed(unsigned: &[u8], key: &ApiV2Key, stamp: &Stamp) -> Result<Bytes, XmlError> {
    let mut fields = Fields::read(unsigned)?;
    fields.set("is_subscribe", "N");
    Ok(success_answer(fields, key, SignType::Md5, stamp))
}

/// Whether the answer acknowledges the notification: XML with `return_code` SUCCESS. WeChat sends it
/// again after any other answer.
pub(super) fn is_acknowledged(answer: &[u8]) -> bool {
    Fields::read(answer).is_ok_and(|fields| fields.get("return_code") == Some("SUCCESS"))
}

#[cfg(test)]
mod tests {
    use super::is_acknowledged;

    #[test]
    fn only_wechats_own_acknowledgement_counts() {
        for (answer, is_taken) in [
            (
                "<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>",
                true,
            ),
            (
                "<xml>\n<return_code>SUCCESS</return_code><return_msg>OK</return_msg></xml>",
                true,
            ),
            (
                "<xml><return_code><![CDATA[FAIL]]></return_code></xml>",
                false,
            ),
            ("<xml></xml>", false),
            ("success", false),
            ("", false),
            (
                "<!DOCTYPE x><xml><return_code>SUCCESS</return_code></xml>",
                false,
            ),
        ] {
            assert_eq!(is_acknowledged(answer.as_bytes()), is_taken, "{answer}");
        }
    }
}
