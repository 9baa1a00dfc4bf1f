//! Profit sharing (分账) on the private side: a part of a payment goes to receivers. Names and rules are
//! WeChat's, as far as it has them.

use payment_values::{Fen, OrderNo};
use serde::{Deserialize, Serialize};

use crate::refund::words;

words! {
    /// What a receiver's account is.
    #[derive(Deserialize)]
    ReceiverType {
        /// A merchant, by its number.
        Merchant = "MERCHANT_ID",
        /// A person, by the openid under the merchant's application, in partner mode the provider's.
        Openid = "PERSONAL_OPENID",
        /// Partner mode: a person, by the openid under the sub-merchant's application.
        SubOpenid = "PERSONAL_SUB_OPENID",
    }
}

words! {
    /// What a receiver is to the merchant.
    #[derive(Deserialize)]
    ReceiverRelation {
        /// A service provider.
        ServiceProvider = "SERVICE_PROVIDER",
        /// A store.
        Store = "STORE",
        /// An employee.
        Staff = "STAFF",
        /// A store's owner.
        StoreOwner = "STORE_OWNER",
        /// A partner.
        Partner = "PARTNER",
        /// The head office.
        Headquarter = "HEADQUARTER",
        /// A brand.
        Brand = "BRAND",
        /// A distributor.
        Distributor = "DISTRIBUTOR",
        /// A user.
        User = "USER",
        /// A supplier.
        Supplier = "SUPPLIER",
        /// Something else: `custom_relation` says what.
        Custom = "CUSTOM",
    }
}

/// `POST {base}/receivers`: allows WeChat to share money with a receiver. Once is enough.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddReceiver {
    /// What the account is.
    #[serde(rename = "type")]
    pub kind: ReceiverType,
    /// The merchant's number or the openid, at most 64 bytes.
    pub account: String,
    /// `MERCHANT_ID`: the merchant's whole name, required. A person's name is optional; WeChat compares
    /// it. At most 128 bytes. It is encrypted for WeChat and not stored.
    #[serde(default)]
    pub name: Option<String>,
    /// What the receiver is to the merchant.
    pub relation_type: ReceiverRelation,
    /// `CUSTOM`: the relation in own words, at most 10 characters.
    #[serde(default)]
    pub custom_relation: Option<String>,
    /// Partner mode: the sub-merchant that shares.
    #[serde(default)]
    pub sub_mchid: Option<String>,
}

/// `POST {base}/receivers/delete`: nothing can be shared with the receiver after that.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeleteReceiver {
    /// What the account is.
    #[serde(rename = "type")]
    pub kind: ReceiverType,
    /// The merchant's number or the openid.
    pub account: String,
    /// Partner mode: the sub-merchant that shares.
    #[serde(default)]
    pub sub_mchid: Option<String>,
}

/// A receiver that WeChat added or deleted. The server keeps no list of them.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiverDetails {
    /// What the account is.
    #[serde(rename = "type")]
    pub kind: ReceiverType,
    /// The merchant's number or the openid.
    pub account: String,
    /// Partner mode: the sub-merchant that shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
}

macro_rules! without_accounts {
    ($($name:ident)+) => {$(
        impl std::fmt::Debug for $name {
            /// Without the account and the name, which may be a person's.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("kind", &self.kind)
                    .finish_non_exhaustive()
            }
        }
    )+};
}

without_accounts! { AddReceiver DeleteReceiver ReceiverDetails ShareReceiver SharedWith }

/// `POST {base}/orders/{order_no}/shares`: shares a part of the order's payment. The order must have been
/// created with `settle_info.profit_sharing`. The same number with the same values is the same share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateShare {
    /// The merchant's own number of the share, 1 to 64 of `[0-9a-zA-Z_\-|*@]`. Shares, releases and
    /// returns have their numbers in one row.
    pub share_no: String,
    /// Who gets how much: 1 to 50 receivers, each added before.
    pub receivers: Vec<ShareReceiver>,
    /// Whether what is left of the payment is released to the merchant; if absent, false. Nothing can be
    /// shared after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfreeze_rest: Option<bool>,
}

/// One receiver of a share.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareReceiver {
    /// What the account is.
    #[serde(rename = "type")]
    pub kind: ReceiverType,
    /// The merchant's number or the openid, at most 64 bytes.
    pub account: String,
    /// What the receiver gets, in fen, at least 1.
    pub amount_fen: u64,
    /// The reason, as the receiver reads it: at most 80 bytes of UTF-8.
    pub reason: String,
}

/// `POST {base}/orders/{order_no}/unfreeze`: releases what is left of the payment to the merchant, whether
/// some of it was shared or not. Nothing can be shared after that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnfreezeOrder {
    /// The merchant's own number of the release, 1 to 64 of `[0-9a-zA-Z_\-|*@]`.
    pub share_no: String,
    /// The reason, for WeChat's bills: at most 80 bytes of UTF-8.
    pub reason: String,
}

/// `POST {base}/shares/{share_no}/returns`: a merchant that got a part of the payment
/// gives some of it back. It goes to the balance of the merchant that shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateShareReturn {
    /// The merchant's own number of the return, 1 to 64 of `[0-9a-zA-Z_\-*@]`.
    pub return_no: String,
    /// The number of the merchant that gives the money back: a receiver of the share.
    pub account: String,
    /// The amount, in fen, at least 1.
    pub amount_fen: u64,
    /// The reason, for WeChat's bills: at most 80 bytes of UTF-8.
    pub reason: String,
}

words! {
    /// What a row of profit sharing does.
    #[derive(Deserialize)]
    ShareKind {
        /// It shares a part of the payment.
        Share = "share",
        /// It shares a part of the payment, and releases what is left.
        ShareAndUnfreeze = "share_and_unfreeze",
        /// It releases what is left of the payment.
        Unfreeze = "unfreeze",
        /// It returns shared money.
        Return = "return",
    }
}

words! {
    /// The state of a share, a release or a return.
    #[derive(Deserialize)]
    ShareState {
        /// Recorded; WeChat has not confirmed yet that it accepted it. The server continues without
        /// another call.
        Requested = "requested",
        /// WeChat refused it, and nothing moved; `wechat_code` says why. The same call again tries once
        /// more, with the same number.
        Refused = "refused",
        /// WeChat accepted it and carries it out.
        Processing = "processing",
        /// WeChat is done with it: `receivers` says who got what.
        Finished = "finished",
    }
}

words! {
    /// Whether a receiver got its part, or a return its money.
    #[derive(Deserialize)]
    ShareResult {
        /// Not yet.
        Pending = "pending",
        /// The money arrived.
        Succeeded = "succeeded",
        /// It did not: `fail_reason` says why. The receiver's part went to the merchant that shares.
        Closed = "closed",
    }
}

/// A share, a release or a return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareDetails {
    /// The number of the share or the release; of a return, the number of the share that it takes from.
    pub share_no: String,
    /// The number of the return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_no: Option<String>,
    /// The order that was paid.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub order_no: OrderNo,
    /// What it does.
    pub kind: ShareKind,
    /// The state.
    pub state: ShareState,
    /// What the receivers get together, or what is returned, in fen; 0 for a release.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub amount_fen: Fen,
    /// The receivers in the order of the call; of a return the merchant that gives the money back. A
    /// release has them once WeChat is done with it.
    pub receivers: Vec<SharedWith>,
    /// When it was recorded, RFC 3339.
    pub created_at: String,
    /// When the state last changed, RFC 3339.
    pub state_since: String,
    /// WeChat's number of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_number: Option<String>,
    /// WeChat's code of the refusal at the last try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_code: Option<String>,
    /// WeChat's message with that code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_message: Option<String>,
}

/// One receiver with its result.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SharedWith {
    /// What the account is.
    #[serde(rename = "type")]
    pub kind: ReceiverType,
    /// The merchant's number or the openid.
    pub account: String,
    /// The amount, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub amount_fen: Fen,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The result.
    pub result: ShareResult,
    /// Why the money did not arrive, in WeChat's word: `ACCOUNT_ABNORMAL`, `NO_RELATION`,
    /// `RECEIVER_HIGH_RISK`, `RECEIVER_REAL_NAME_NOT_VERIFIED`, `NO_AUTH`, `BALANCE_NOT_ENOUGH`,
    /// `TIME_OUT_CLOSED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_reason: Option<String>,
    /// WeChat's number of this part, as its bills name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail_id: Option<String>,
    /// When it ended, RFC 3339, as WeChat reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_time: Option<String>,
}

/// The shares, releases and returns of an order, oldest first: `GET {base}/orders/{order_no}/shares`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareList {
    /// All of them.
    pub shares: Vec<ShareDetails>,
    /// Whether money of the payment is held for sharing: the order was made for it, is paid, and nothing
    /// released the rest yet.
    pub frozen: bool,
    /// What was shared, in fen: all shares that WeChat did not refuse.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub shared_fen: Fen,
    /// What can still be shared, in fen: the payment less its refunds and its shares, those under way
    /// included. WeChat also subtracts its fee: see `GET {base}/orders/{order_no}/frozen`.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub shareable_fen: Fen,
}

/// What WeChat still holds of a payment: `GET {base}/orders/{order_no}/frozen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FrozenMoney {
    /// WeChat's `unsplit_amount`: what can still be shared after its fee, in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub unsplit_fen: Fen,
}

#[cfg(test)]
mod tests {
    use super::{AddReceiver, ReceiverRelation, ReceiverType};

    #[test]
    fn an_account_and_a_name_are_left_out_of_debug_output() {
        let receiver = AddReceiver {
            kind: ReceiverType::Openid,
            account: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".into(),
            name: Some("张三".into()),
            relation_type: ReceiverRelation::Staff,
            custom_relation: None,
            sub_mchid: None,
        };
        assert_eq!(format!("{receiver:?}"), "AddReceiver { kind: Openid, .. }");
    }
}
