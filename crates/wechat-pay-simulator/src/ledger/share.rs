//! Shares of a payment, and returns, as WeChat's answers have them. Plain data; the caller decides the
//! results.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wechat_pay::{Fen, beijing_time};

use super::order::Order;

/// Who shares, and the merchant's number of a share or a return: together they are unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShareKey {
    pub(crate) mchid: String,
    pub(crate) sub_mchid: Option<String>,
    pub(crate) number: String,
}

/// What is shared of one payment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sharing {
    pub(crate) shares: Vec<Share>,
    pub(crate) returns: Vec<ShareReturn>,
}

/// A receiver as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedPart {
    pub(crate) kind: String,
    pub(crate) account: String,
    pub(crate) amount: Fen,
    pub(crate) description: String,
}

/// The result of a part or a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PartResult {
    Pending,
    Success,
    Closed,
}

/// One receiver of a share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) kind: String,
    pub(crate) account: String,
    pub(crate) amount: Fen,
    pub(crate) description: String,
    pub(crate) detail_id: String,
    pub(crate) result: PartResult,
    pub(crate) fail_reason: Option<String>,
    /// The rest, which goes to the merchant itself: it is released and not shared.
    pub(crate) is_rest: bool,
}

/// A share, or a release without receivers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) out_order_no: String,
    pub(crate) order_id: String,
    pub(crate) unfreezes: bool,
    pub(crate) parts: Vec<Part>,
    pub(crate) created_at: Timestamp,
    /// When the results are due.
    pub(crate) result_at: Timestamp,
    pub(crate) is_finished: bool,
    pub(crate) body: Value,
}

/// A return of shared money.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ShareReturn {
    pub(crate) out_return_no: String,
    pub(crate) return_id: String,
    pub(crate) out_order_no: String,
    pub(crate) order_id: String,
    pub(crate) return_mchid: String,
    pub(crate) amount: Fen,
    pub(crate) description: String,
    pub(crate) created_at: Timestamp,
    pub(crate) result_at: Timestamp,
    pub(crate) result: PartResult,
    pub(crate) fail_reason: Option<String>,
    pub(crate) body: Value,
}

impl Sharing {
    /// What was taken from the held money.
    pub(crate) fn shared(&self) -> Fen {
        let parts = self.shares.iter().flat_map(|share| &share.parts);
        sum(parts.filter(|part| !part.is_rest).map(|part| part.amount))
    }

    /// Whether the rest was released.
    pub(crate) fn is_released(&self) -> bool {
        let mut shares = self.shares.iter();
        shares.any(|share| share.unfreezes && share.is_finished)
    }

    /// Whether the rest is to be released.
    pub(crate) fn is_releasing(&self) -> bool {
        self.shares.iter().any(|share| share.unfreezes)
    }

    /// When the next result is due.
    pub(crate) fn results_due(&self) -> impl Iterator<Item = Timestamp> {
        let shares = self.shares.iter().filter(|share| !share.is_finished);
        let returns = self.returns.iter();
        let returns = returns.filter(|returned| returned.result == PartResult::Pending);
        let shares = shares.map(|share| share.result_at);
        shares.chain(returns.map(|returned| returned.result_at))
    }

    /// What a receiver gave back of a share, or may still give back.
    pub(crate) fn returned(&self, out_order_no: &str, mchid: &str) -> Fen {
        let returns = self.returns.iter().filter(|returned| {
            returned.out_order_no == out_order_no
                && returned.return_mchid == mchid
                && returned.result != PartResult::Closed
        });
        sum(returns.map(|returned| returned.amount))
    }
}

impl Share {
    /// In the form of WeChat's answers.
    pub(crate) fn json(&self, order: &Order) -> Value {
        let state = if self.is_finished {
            "FINISHED"
        } else {
            "PROCESSING"
        };
        let parts = self.parts.iter().map(|part| self.part_json(part));
        let mut json = json!({
            "transaction_id": order.payment.as_ref().map(|payment| &payment.transaction_id),
            "out_order_no": self.out_order_no,
            "order_id": self.order_id,
            "state": state,
            "receivers": parts.collect::<Vec<_>>(),
        });
        name_sub_merchant(&mut json, order);
        json
    }

    fn part_json(&self, part: &Part) -> Value {
        let mut json = json!({
            "amount": part.amount, "description": part.description, "type": part.kind,
            "account": part.account, "result": part.result.as_str(), "detail_id": part.detail_id,
            "create_time": beijing_time(self.created_at),
        });
        if let Some(reason) = &part.fail_reason {
            json["fail_reason"] = reason.clone().into();
        }
        if part.result != PartResult::Pending {
            json["finish_time"] = beijing_time(self.result_at).into();
        }
        json
    }

    /// The notification to a receiver about its part.
    pub(crate) fn notified_json(&self, part: &Part, order: &Order) -> Value {
        notified(
            order,
            [&self.order_id, &self.out_order_no],
            &json!({
                "type": part.kind, "account": part.account, "amount": part.amount,
                "description": part.description,
            }),
            self.result_at,
        )
    }
}

impl PartResult {
    /// WeChat's word for the result of a part.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Success => "SUCCESS",
            Self::Closed => "CLOSED",
        }
    }
}

impl ShareReturn {
    /// WeChat's word for the result of a return.
    pub(super) const fn result_word(&self) -> &'static str {
        match self.result {
            PartResult::Pending => "PROCESSING",
            PartResult::Success => "SUCCESS",
            PartResult::Closed => "FAILED",
        }
    }

    /// In the form of WeChat's answers.
    pub(crate) fn json(&self, order: &Order) -> Value {
        let mut json = json!({
            "order_id": self.order_id, "out_order_no": self.out_order_no,
            "out_return_no": self.out_return_no, "return_id": self.return_id,
            "return_mchid": self.return_mchid, "amount": self.amount,
            "description": self.description, "result": self.result_word(),
            "create_time": beijing_time(self.created_at),
        });
        if let Some(reason) = &self.fail_reason {
            json["fail_reason"] = reason.clone().into();
        }
        if self.result != PartResult::Pending {
            json["finish_time"] = beijing_time(self.result_at).into();
        }
        name_sub_merchant(&mut json, order);
        json
    }

    /// What the receiver is told that gave the money back.
    pub(crate) fn notified_json(&self, order: &Order) -> Value {
        notified(
            order,
            [&self.return_id, &self.out_return_no],
            &json!({
                "type": "MERCHANT_ID", "account": self.return_mchid, "amount": self.amount,
                "description": self.description,
            }),
            self.result_at,
        )
    }
}

fn notified(order: &Order, numbers: [&String; 2], receiver: &Value, at: Timestamp) -> Value {
    let key = &order.request.key;
    let mut json = json!({
        "transaction_id": order.payment.as_ref().map(|payment| &payment.transaction_id),
        "order_id": numbers[0], "out_order_no": numbers[1], "receiver": receiver,
        "success_time": beijing_time(at),
    });
    match &key.sub_mchid {
        None => json["mchid"] = key.mchid.clone().into(),
        Some(sub_mchid) => {
            json["sp_mchid"] = key.mchid.clone().into();
            json["sub_mchid"] = sub_mchid.clone().into();
        }
    }
    json
}

fn name_sub_merchant(json: &mut Value, order: &Order) {
    if let Some(sub_mchid) = &order.request.key.sub_mchid {
        json["sub_mchid"] = sub_mchid.clone().into();
    }
}

pub(super) fn sum(amounts: impl Iterator<Item = Fen>) -> Fen {
    amounts.fold(Fen::ZERO, |sum, amount| {
        sum.checked_add(amount).unwrap_or(Fen::MAX)
    })
}
