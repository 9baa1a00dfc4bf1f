//! What waits for a person, and what soon will: abnormal refunds, messages that were not delivered,
//! keys that end.

use merchant_api::RefundDetails;

use crate::checkouts::{refund_details, reread};
use crate::payments::Payments;
use crate::refusal::Refusal;

/// How many abnormal refunds are shown.
const ABNORMAL_MAX: u32 = 100;

/// A refund that WeChat could not complete.
#[derive(Clone, Debug)]
pub struct AbnormalRefund {
    /// The refund, which names its order.
    pub details: RefundDetails,
}

/// A certificate or a key in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInUse {
    /// Whether it is the merchant's own; else it is WeChat's.
    pub is_ours: bool,
    /// The serial, or the id of a public key.
    pub serial: String,
    /// When it ends, in milliseconds since 1970; `None`: it does not, or that is not known.
    pub ends_ms: Option<i64>,
}

/// The refunds that WeChat could not complete, newest first.
pub async fn abnormal_refunds(payments: &Payments) -> Result<Vec<AbnormalRefund>, Refusal> {
    let mut found = Vec::new();
    for refund in payments.ledger.abnormal_refunds(ABNORMAL_MAX).await? {
        let order = reread(payments, refund.order_id).await?.order;
        found.push(AbnormalRefund {
            details: refund_details(&order.order_no, refund),
        });
    }
    Ok(found)
}

/// How many mismatches and abnormal refunds are open.
pub async fn open_tasks(payments: &Payments) -> Result<u64, Refusal> {
    Ok(payments.ledger.open_tasks().await?)
}

/// The messages to the merchant's backend by state.
pub async fn webhook_counts(payments: &Payments) -> Result<Vec<(String, u64)>, Refusal> {
    Ok(payments.ledger.webhook_counts().await?)
}

/// The merchant's certificates, and WeChat's keys that this server trusts now.
pub fn keys_in_use(payments: &Payments) -> Vec<KeyInUse> {
    let ours = payments.config.merchant.certificates();
    let ours = ours.map(|certificate| KeyInUse {
        is_ours: true,
        serial: certificate.key.serial_no().to_owned(),
        ends_ms: certificate
            .facts
            .as_ref()
            .map(|facts| facts.not_after_s.saturating_mul(1000)),
    });
    let trusted = payments.trusted_keys();
    let theirs = trusted.serials().map(|serial| KeyInUse {
        is_ours: false,
        serial: serial.to_owned(),
        ends_ms: trusted
            .expires_s(serial)
            .map(|ends_s| ends_s.saturating_mul(1000)),
    });
    ours.chain(theirs).collect()
}
