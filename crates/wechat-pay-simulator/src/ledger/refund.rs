//! One refund at WeChat. Plain data; the caller decides its result.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wechat_pay::{Fen, beijing_time};

use super::order::{Order, OrderKey, Protocol};
use crate::settings::RefundOutcome;

/// Merchant number and the merchant's number of the refund: together they are unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RefundKey {
    pub(crate) mchid: String,
    pub(crate) sub_mchid: Option<String>,
    pub(crate) out_refund_no: String,
}

/// A checked request.
#[derive(Clone, Debug)]
pub(crate) struct RefundRequest {
    pub(crate) key: RefundKey,
    pub(crate) payment: RefundedPayment,
    pub(crate) refund: Fen,
    /// The amount of the order in the request; WeChat compares it.
    pub(crate) total: Fen,
    pub(crate) notify_url: Option<String>,
    pub(crate) reason: Option<String>,
    /// Made in WeChat's portal.
    pub(crate) from_portal: bool,
    pub(crate) protocol: Protocol,
    /// The whole body: a repeated request must have the same values.
    pub(crate) body: Value,
}

/// The payment to refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RefundedPayment {
    OutTradeNo(String),
    TransactionId(String),
}

/// The state of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RefundStatus {
    Processing,
    Success,
    Closed,
    Abnormal,
}

impl RefundStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success => "SUCCESS",
            Self::Closed => "CLOSED",
            Self::Abnormal => "ABNORMAL",
        }
    }
}

/// A refund.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "refund and refund_id are WeChat's own names"
)]
pub(crate) struct Refund {
    pub(crate) out_refund_no: String,
    pub(crate) refund_id: String,
    pub(crate) refund: Fen,
    pub(crate) status: RefundStatus,
    pub(crate) created_at: Timestamp,
    pub(crate) success_at: Option<Timestamp>,
    /// When the result is due, and the result.
    pub(crate) result_at: Timestamp,
    pub(crate) outcome: RefundOutcome,
    pub(crate) notify_url: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) from_portal: bool,
    #[serde(default)]
    pub(crate) protocol: Protocol,
    pub(crate) channel: String,
    pub(crate) received_account: String,
    pub(crate) body: Value,
}

impl Refund {
    pub(crate) fn key(&self, order: &OrderKey) -> RefundKey {
        RefundKey {
            mchid: order.mchid.clone(),
            sub_mchid: order.sub_mchid.clone(),
            out_refund_no: self.out_refund_no.clone(),
        }
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.status == RefundStatus::Processing
    }

    /// The refund in the form of WeChat's answers.
    pub(crate) fn json(&self, order: &Order) -> Value {
        let mut json = json!({
            "refund_id": self.refund_id,
            "out_refund_no": self.out_refund_no,
            "transaction_id": order.payment.as_ref().map(|payment| &payment.transaction_id),
            "out_trade_no": order.request.key.out_trade_no,
            "channel": self.channel,
            "user_received_account": self.received_account,
            "create_time": beijing_time(self.created_at),
            "status": self.status.as_str(),
            "funds_account": "UNSETTLED",
            "amount": {
                "total": order.request.total,
                "refund": self.refund,
                "from": [],
                "payer_total": order.request.total,
                "payer_refund": self.refund,
                "settlement_refund": self.refund,
                "settlement_total": order.request.total,
                "discount_refund": 0,
                "currency": "CNY",
                "refund_fee": 0,
            },
            "promotion_detail": [],
        });
        if let Some(success_at) = self.success_at {
            json["success_time"] = beijing_time(success_at).into();
        }
        json
    }

    /// The refund as a notification carries it: `refund_status`, and no channel.
    pub(crate) fn notified_json(&self, order: &Order) -> Value {
        let key = &order.request.key;
        let mut json = json!({
            "out_trade_no": key.out_trade_no,
            "transaction_id": order.payment.as_ref().map(|payment| &payment.transaction_id),
            "out_refund_no": self.out_refund_no,
            "refund_id": self.refund_id,
            "refund_status": self.status.as_str(),
            "user_received_account": self.received_account,
            "amount": {
                "total": order.request.total,
                "refund": self.refund,
                "payer_total": order.request.total,
                "payer_refund": self.refund,
            },
        });
        match &key.sub_mchid {
            None => json["mchid"] = key.mchid.clone().into(),
            Some(sub_mchid) => {
                json["sp_mchid"] = key.mchid.clone().into();
                json["sub_mchid"] = sub_mchid.clone().into();
            }
        }
        if let Some(success_at) = self.success_at {
            json["success_time"] = beijing_time(success_at).into();
        }
        json
    }

    /// The content of the notification of version 2, before it is sealed. The spelling of
    /// `refund_recv_accout` is WeChat's.
    pub(crate) fn notified_xml(&self, order: &Order) -> String {
        let source = if self.from_portal {
            "VENDOR_PLATFORM"
        } else {
            "API"
        };
        let success_time = self.success_at.map(beijing_time).unwrap_or_default();
        let success_time = success_time.get(..19).unwrap_or_default().replace('T', " ");
        let status = match self.status {
            RefundStatus::Closed => "REFUNDCLOSE",
            RefundStatus::Abnormal => "CHANGE",
            _ => "SUCCESS",
        };
        let transaction_id = order
            .payment
            .as_ref()
            .map_or("", |payment| payment.transaction_id.as_str());
        let total = order.request.total.get().to_string();
        let refund = self.refund.get().to_string();
        let fields = [
            ("out_refund_no", self.out_refund_no.as_str()),
            ("out_trade_no", order.request.key.out_trade_no.as_str()),
            ("refund_account", "REFUND_SOURCE_UNSETTLED_FUNDS"),
            ("refund_fee", refund.as_str()),
            ("refund_id", self.refund_id.as_str()),
            ("refund_recv_accout", self.received_account.as_str()),
            ("refund_request_source", source),
            ("refund_status", status),
            ("settlement_refund_fee", refund.as_str()),
            ("settlement_total_fee", total.as_str()),
            ("success_time", success_time.as_str()),
            ("total_fee", total.as_str()),
            ("transaction_id", transaction_id),
        ];
        let mut xml = String::from("<root>\n");
        for (name, value) in fields {
            for part in ["<", name, "><![CDATA[", value, "]]></", name, ">\n"] {
                xml.push_str(part);
            }
        }
        xml.push_str("</root>");
        xml
    }
}
