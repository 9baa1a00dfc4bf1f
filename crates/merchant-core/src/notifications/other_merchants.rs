//! Notifications that came to the address of another merchant of the same server. They are refused, and
//! have no effect on either.

use serde_json::Value;
use wechat_pay::read_json;

use crate::payments::Payments;

/// Whether the content of a notification names another merchant of this server. Two merchants may have
/// the same key, so the key alone does not tell them apart; and the same number may be an order of
/// both. WeChat is answered with an error, and repeats it until the addresses are right.
pub(super) fn is_another_merchants(payments: &Payments, content: &[u8]) -> bool {
    let json: Value = read_json(content).map_or(Value::Null, |read| read.value);
    // The second name is a provider's, the third one that of who orders a combined order.
    let fields = ["mchid", "sp_mchid", "combine_mchid"];
    let mut mchids = fields.iter().filter_map(|field| json.get(field)?.as_str());
    let Some(theirs) = mchids.find(|mchid| payments.is_another_merchant(mchid)) else {
        return false;
    };
    report_another_merchants(theirs);
    true
}

/// Whether a notification for this merchant belongs to another merchant of this server.
pub(super) fn is_at_another_address(payments: &Payments, mchid: &str) -> bool {
    let is_anothers = payments.is_another_merchant(mchid);
    if is_anothers {
        report_another_merchants(mchid);
    }
    is_anothers
}

/// Logs a notification at the address of another merchant.
pub(super) fn report_another_merchants(mchid: &str) {
    tracing::error!(
        event = "notification.other_merchant",
        mchid,
        "a notification came to the address of another merchant: it is refused, and WeChat repeats it"
    );
}
