//! The notification about moved shares (分账动账通知). WeChat sends it to a merchant that *receives*, to the
//! address that this merchant set in WeChat's portal, and for a return as well. It has the event of a
//! payment, so its content tells it apart.

use payment_values::Fen;
use serde::{Deserialize, Serialize};

use super::ReceiverType;
use crate::json::read_json;

/// A share that arrived at a receiver, or went back from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareNotice {
    /// The merchant that shares; absent in partner mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mchid: Option<String>,
    /// Partner mode: the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sp_mchid: Option<String>,
    /// Partner mode: the sub-merchant that shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// WeChat's number of the share or the return.
    pub order_id: String,
    /// The sharing merchant's number of the share or the return.
    pub out_order_no: String,
    /// Who receives, and how much.
    pub receiver: NoticedReceiver,
    /// When it happened, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
}

/// The receiver in a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticedReceiver {
    /// What the account is.
    #[serde(rename = "type")]
    pub kind: ReceiverType,
    /// The merchant's number.
    pub account: String,
    /// The amount.
    pub amount: Fen,
    /// The reason that the sharing merchant gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a notice of shares has and a payment has not.
#[derive(Deserialize)]
struct Mark {
    #[serde(default)]
    receiver: Option<serde_json::Value>,
    #[serde(default)]
    out_order_no: Option<serde_json::Value>,
    #[serde(default)]
    out_trade_no: Option<serde_json::Value>,
}

/// Whether the content of a notification is a notice of shares, whatever its event says.
pub(crate) fn is_share_notice(plaintext: &[u8]) -> bool {
    read_json::<Mark>(plaintext).is_ok_and(|read| {
        let mark = read.value;
        mark.receiver.is_some() && mark.out_order_no.is_some() && mark.out_trade_no.is_none()
    })
}
