//! Sharing a payment, releasing what is left of it, and the queries about both.

use bytes::Bytes;
use http::Method;
use payment_values::{Fen, InvalidField, OutOrderNo, Rule, TransactionId, check_text};
use serde::Serialize;

use super::{
    ACCOUNT_MAX_BYTES, DESCRIPTION_MAX_BYTES, ReceiverType, SHARE_RECEIVERS_MAX, Sharer,
    check_sub_mchid,
};
use crate::request::{RequestParts, encode};

const PATH: &str = "/v3/profitsharing/orders";
const UNFREEZE_PATH: &str = "/v3/profitsharing/orders/unfreeze";

/// A share of a payment. WeChat carries it out later: see [`query_share`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareRequest {
    /// Whose money it is.
    pub sharer: Sharer,
    /// WeChat's number of the payment.
    pub transaction_id: TransactionId,
    /// The merchant's number of the share. The same number is the same share.
    pub out_order_no: OutOrderNo,
    /// Who gets how much: 1 to [`SHARE_RECEIVERS_MAX`].
    pub receivers: Vec<ShareReceiver>,
    /// Whether what is left goes to the merchant. Nothing can be shared after that.
    pub unfreeze_unsplit: bool,
}

/// One receiver of a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareReceiver {
    /// What the account is.
    pub kind: ReceiverType,
    /// The merchant's number or the openid. It was added before: see [`crate::Receiver`].
    pub account: String,
    /// What the receiver gets.
    pub amount: Fen,
    /// The reason, as the receiver reads it: 1 to 80 bytes.
    pub description: String,
}

impl ShareReceiver {
    /// Checks WeChat's rules. The error names the field inside of the receiver.
    pub fn check(&self) -> Result<(), InvalidField> {
        check_account(&self.kind, &self.account)?;
        if self.amount < Fen::ONE {
            return Err(InvalidField::new("amount", Rule::BelowMinimum(1)));
        }
        check_text("description", &self.description, DESCRIPTION_MAX_BYTES)
    }
}

/// Checks the form of a receiver's account.
pub(super) fn check_account(kind: &ReceiverType, account: &str) -> Result<(), InvalidField> {
    check_text("account", account, ACCOUNT_MAX_BYTES)?;
    let (fits, class): (fn(u8) -> bool, _) = match kind {
        ReceiverType::Merchant => (|byte| byte.is_ascii_digit(), "[0-9]"),
        _ => (
            |byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte),
            "[0-9a-zA-Z_-]",
        ),
    };
    if account.bytes().all(fits) {
        return Ok(());
    }
    Err(InvalidField::new("account", Rule::Characters(class)))
}

impl ShareRequest {
    /// The request, checked; answered with a [`crate::ShareOrder`]. A repetition must send the same
    /// body byte for byte ([`replay_share`]).
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        self.sharer.check()?;
        if self.receivers.is_empty() {
            return Err(InvalidField::new("receivers", Rule::Empty));
        }
        if self.receivers.len() > SHARE_RECEIVERS_MAX {
            let rule = Rule::Form("a list of at most 50 receivers");
            return Err(InvalidField::new("receivers", rule));
        }
        self.receivers.iter().try_for_each(ShareReceiver::check)?;
        let names_sub_openid = |receiver: &ShareReceiver| receiver.kind == ReceiverType::SubOpenid;
        let names_sub_openid = self.receivers.iter().any(names_sub_openid);
        if names_sub_openid && self.sharer.sub_appid.is_none() {
            return Err(InvalidField::new("sub_appid", Rule::Required));
        }
        let receivers = self.receivers.iter().map(|receiver| ReceiverBody {
            kind: receiver.kind.as_str(),
            account: &receiver.account,
            amount: receiver.amount,
            description: &receiver.description,
        });
        let body = Body {
            sub_mchid: self.sharer.sub_mchid.as_deref(),
            appid: &self.sharer.appid,
            sub_appid: self
                .sharer
                .sub_appid
                .as_deref()
                .filter(|_| names_sub_openid),
            transaction_id: self.transaction_id.as_str(),
            out_order_no: self.out_order_no.as_str(),
            receivers: receivers.collect(),
            unfreeze_unsplit: self.unfreeze_unsplit,
        };
        Ok(RequestParts::post(PATH.to_owned(), &body))
    }
}

/// Releases what is left of a payment to the merchant, whether some of it was shared or not. Nothing can
/// be shared after that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfreezeRequest {
    /// Partner mode: the sub-merchant whose money it is.
    pub sub_mchid: Option<String>,
    /// WeChat's number of the payment.
    pub transaction_id: TransactionId,
    /// The merchant's number of this release, in one row with the numbers of shares.
    pub out_order_no: OutOrderNo,
    /// The reason: 1 to 80 bytes.
    pub description: String,
}

impl UnfreezeRequest {
    /// The request, checked; answered with a [`crate::ShareOrder`], and queried like a share. A
    /// repetition must send the same body byte for byte ([`replay_unfreeze`]).
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        check_sub_mchid(self.sub_mchid.as_deref())?;
        check_text("description", &self.description, DESCRIPTION_MAX_BYTES)?;
        let body = UnfreezeBody {
            sub_mchid: self.sub_mchid.as_deref(),
            transaction_id: self.transaction_id.as_str(),
            out_order_no: self.out_order_no.as_str(),
            description: &self.description,
        };
        Ok(RequestParts::post(UNFREEZE_PATH.to_owned(), &body))
    }
}

/// A share with the bytes of an earlier request, under the same number.
pub fn replay_share(body: impl Into<Bytes>) -> RequestParts {
    replay(PATH, body)
}

/// A release with the bytes of an earlier request, under the same number.
pub fn replay_unfreeze(body: impl Into<Bytes>) -> RequestParts {
    replay(UNFREEZE_PATH, body)
}

/// Queries a share or a release; answered with a [`crate::ShareOrder`], or with 404 if WeChat knows
/// none. `sub_mchid` is only for partner mode.
pub fn query_share(
    out_order_no: &OutOrderNo,
    transaction_id: &TransactionId,
    sub_mchid: Option<&str>,
) -> RequestParts {
    let mut path = format!(
        "{PATH}/{}?transaction_id={}",
        encode(out_order_no.as_str()),
        encode(transaction_id.as_str())
    );
    if let Some(sub_mchid) = sub_mchid {
        path.push_str("&sub_mchid=");
        path.push_str(&encode(sub_mchid));
    }
    RequestParts::get(path)
}

/// Queries what is left of a payment to share; answered with a [`crate::UnsplitAmount`]. In both modes
/// the payment alone is named.
pub fn query_unsplit(transaction_id: &TransactionId) -> RequestParts {
    RequestParts::get(format!(
        "/v3/profitsharing/transactions/{}/amounts",
        encode(transaction_id.as_str())
    ))
}

pub(super) fn replay(path: &str, body: impl Into<Bytes>) -> RequestParts {
    RequestParts {
        method: Method::POST,
        path_and_query: path.to_owned(),
        body: body.into(),
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    appid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<&'a str>,
    transaction_id: &'a str,
    out_order_no: &'a str,
    receivers: Vec<ReceiverBody<'a>>,
    unfreeze_unsplit: bool,
}

#[derive(Serialize)]
struct ReceiverBody<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    account: &'a str,
    amount: Fen,
    description: &'a str,
}

#[derive(Serialize)]
struct UnfreezeBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    transaction_id: &'a str,
    out_order_no: &'a str,
    description: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(request: &RequestParts) -> &str {
        std::str::from_utf8(&request.body).unwrap()
    }

    fn share() -> ShareRequest {
        ShareRequest {
            sharer: Sharer {
                appid: "wx8888888888888888".into(),
                sub_mchid: None,
                sub_appid: None,
            },
            transaction_id: TransactionId::parse("4208450740201411110007820472").unwrap(),
            out_order_no: OutOrderNo::parse("P|20150806").unwrap(),
            receivers: vec![ShareReceiver {
                kind: ReceiverType::Merchant,
                account: "86693852".into(),
                amount: Fen::new(888).unwrap(),
                description: "分给商户A".into(),
            }],
            unfreeze_unsplit: true,
        }
    }

    #[test]
    fn a_share_names_the_payment_and_each_receiver() {
        let request = share().request().unwrap();
        assert_eq!(request.path_and_query, "/v3/profitsharing/orders");
        assert_eq!(
            text(&request),
            r#"{"appid":"wx8888888888888888","transaction_id":"4208450740201411110007820472","out_order_no":"P|20150806","receivers":[{"type":"MERCHANT_ID","account":"86693852","amount":888,"description":"分给商户A"}],"unfreeze_unsplit":true}"#
        );
        assert_eq!(replay_share(request.body.clone()), request);
    }

    #[test]
    fn a_provider_names_the_sub_merchant_and_its_application_where_an_openid_needs_it() {
        let mut share = share();
        share.sharer.sub_mchid = Some("1900000109".into());
        share.sharer.sub_appid = Some("wx2".into());
        let request = share.request().unwrap();
        assert!(text(&request).starts_with(r#"{"sub_mchid":"1900000109","appid":"wx8"#));
        assert!(!text(&request).contains("sub_appid"));
        share.receivers[0].kind = ReceiverType::SubOpenid;
        share.receivers[0].account = "oUpF8u-MuAJO_M2p".into();
        assert!(text(&share.request().unwrap()).contains(r#""sub_appid":"wx2""#));
        share.sharer.sub_appid = None;
        let error = share.request().unwrap_err();
        assert_eq!(error.to_string(), "sub_appid: is required");
    }

    #[test]
    fn a_release_names_the_payment_and_the_reason() {
        let release = UnfreezeRequest {
            sub_mchid: None,
            transaction_id: TransactionId::parse("42").unwrap(),
            out_order_no: OutOrderNo::parse("P2").unwrap(),
            description: "解冻全部剩余资金".into(),
        };
        let request = release.request().unwrap();
        assert_eq!(request.path_and_query, "/v3/profitsharing/orders/unfreeze");
        assert_eq!(
            text(&request),
            r#"{"transaction_id":"42","out_order_no":"P2","description":"解冻全部剩余资金"}"#
        );
        assert_eq!(replay_unfreeze(request.body.clone()), request);
    }

    #[test]
    fn queries_encode_the_numbers_before_they_are_signed() {
        let number = OutOrderNo::parse("P|1").unwrap();
        let payment = TransactionId::parse("42").unwrap();
        assert_eq!(
            query_share(&number, &payment, None).path_and_query,
            "/v3/profitsharing/orders/P%7C1?transaction_id=42"
        );
        assert_eq!(
            query_share(&number, &payment, Some("19")).path_and_query,
            "/v3/profitsharing/orders/P%7C1?transaction_id=42&sub_mchid=19"
        );
        assert_eq!(
            query_unsplit(&payment).path_and_query,
            "/v3/profitsharing/transactions/42/amounts"
        );
    }

    #[test]
    fn invalid_values_are_refused_before_sending() {
        type Change = fn(&mut ShareRequest);
        let table: [(Change, &str); 8] = [
            (|s| s.receivers.clear(), "receivers: must not be empty"),
            (
                |s| s.receivers = vec![s.receivers[0].clone(); 51],
                "receivers: must be a list of at most 50 receivers",
            ),
            (
                |s| s.receivers[0].amount = Fen::ZERO,
                "amount: must be at least 1",
            ),
            (
                |s| s.receivers[0].account = "wx1".into(),
                "account: may only have characters of [0-9]",
            ),
            (
                |s| {
                    s.receivers[0].kind = ReceiverType::Openid;
                    s.receivers[0].account = "o p".into();
                },
                "account: may only have characters of [0-9a-zA-Z_-]",
            ),
            (
                |s| s.receivers[0].description = String::new(),
                "description: must not be empty",
            ),
            (
                |s| s.receivers[0].description = "分".repeat(27),
                "description: must be at most 80 bytes of UTF-8, is 81",
            ),
            (
                |s| s.sharer.sub_mchid = Some("a b".into()),
                "sub_mchid: may only have characters of [0-9a-zA-Z]",
            ),
        ];
        for (change, message) in table {
            let mut changed = share();
            change(&mut changed);
            assert_eq!(changed.request().unwrap_err().to_string(), message);
        }
    }
}
