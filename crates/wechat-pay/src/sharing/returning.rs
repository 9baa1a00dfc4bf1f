//! Returning shared money (分账回退): a merchant that got a part of a payment gives it back to the
//! merchant that shared it. It goes to that merchant's balance, and is not held again.

use bytes::Bytes;
use payment_values::{Fen, InvalidField, OutOrderNo, OutReturnNo, Rule, check_text, check_word};
use serde::Serialize;

use super::request::replay;
use super::{DESCRIPTION_MAX_BYTES, check_sub_mchid};
use crate::request::{RequestParts, encode};

const PATH: &str = "/v3/profitsharing/return-orders";

/// A return of shared money. Only merchants return it, within 180 days, and only if they allowed it in
/// WeChat's merchant portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareReturnRequest {
    /// Partner mode: the sub-merchant that gets the money back.
    pub sub_mchid: Option<String>,
    /// The merchant's number of the share.
    pub out_order_no: OutOrderNo,
    /// The merchant's number of the return. The same number is the same return.
    pub out_return_no: OutReturnNo,
    /// The merchant that gives the money back: a receiver of the share.
    pub return_mchid: String,
    /// The amount: all returns together are at most what the receiver got.
    pub amount: Fen,
    /// The reason: 1 to 80 bytes.
    pub description: String,
}

impl ShareReturnRequest {
    /// The request, checked; answered with a [`crate::ShareReturn`]. A repetition must send the same
    /// body byte for byte ([`replay_share_return`]).
    pub fn request(&self) -> Result<RequestParts, InvalidField> {
        check_sub_mchid(self.sub_mchid.as_deref())?;
        check_word("return_mchid", &self.return_mchid)?;
        if self.amount < Fen::ONE {
            return Err(InvalidField::new("amount", Rule::BelowMinimum(1)));
        }
        check_text("description", &self.description, DESCRIPTION_MAX_BYTES)?;
        let body = Body {
            sub_mchid: self.sub_mchid.as_deref(),
            out_order_no: self.out_order_no.as_str(),
            out_return_no: self.out_return_no.as_str(),
            return_mchid: &self.return_mchid,
            amount: self.amount,
            description: &self.description,
        };
        Ok(RequestParts::post(PATH.to_owned(), &body))
    }
}

/// A return with the bytes of an earlier request, under the same number.
pub fn replay_share_return(body: impl Into<Bytes>) -> RequestParts {
    replay(PATH, body)
}

/// Queries a return; answered with a [`crate::ShareReturn`], or with 404 if WeChat knows none.
/// `sub_mchid` is only for partner mode.
pub fn query_share_return(
    out_return_no: &OutReturnNo,
    out_order_no: &OutOrderNo,
    sub_mchid: Option<&str>,
) -> RequestParts {
    let mut path = format!(
        "{PATH}/{}?out_order_no={}",
        encode(out_return_no.as_str()),
        encode(out_order_no.as_str())
    );
    if let Some(sub_mchid) = sub_mchid {
        path.push_str("&sub_mchid=");
        path.push_str(&encode(sub_mchid));
    }
    RequestParts::get(path)
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    out_order_no: &'a str,
    out_return_no: &'a str,
    return_mchid: &'a str,
    amount: Fen,
    description: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returned() -> ShareReturnRequest {
        ShareReturnRequest {
            sub_mchid: None,
            out_order_no: OutOrderNo::parse("P20150806").unwrap(),
            out_return_no: OutReturnNo::parse("R@1").unwrap(),
            return_mchid: "86693852".into(),
            amount: Fen::new(10).unwrap(),
            description: "用户退款".into(),
        }
    }

    #[test]
    fn a_return_names_the_share_the_merchant_and_the_amount() {
        let request = returned().request().unwrap();
        assert_eq!(request.path_and_query, "/v3/profitsharing/return-orders");
        assert_eq!(
            std::str::from_utf8(&request.body).unwrap(),
            r#"{"out_order_no":"P20150806","out_return_no":"R@1","return_mchid":"86693852","amount":10,"description":"用户退款"}"#
        );
        assert_eq!(replay_share_return(request.body.clone()), request);
    }

    #[test]
    fn a_query_names_both_numbers() {
        let returned = returned();
        let (number, share) = (&returned.out_return_no, &returned.out_order_no);
        assert_eq!(
            query_share_return(number, share, None).path_and_query,
            "/v3/profitsharing/return-orders/R%401?out_order_no=P20150806"
        );
        assert_eq!(
            query_share_return(number, share, Some("19")).path_and_query,
            "/v3/profitsharing/return-orders/R%401?out_order_no=P20150806&sub_mchid=19"
        );
    }

    #[test]
    fn invalid_values_are_refused_before_sending() {
        type Change = fn(&mut ShareReturnRequest);
        let table: [(Change, &str); 3] = [
            (|r| r.amount = Fen::ZERO, "amount: must be at least 1"),
            (
                |r| r.return_mchid = String::new(),
                "return_mchid: must not be empty",
            ),
            (
                |r| r.description = "退".repeat(27),
                "description: must be at most 80 bytes of UTF-8, is 81",
            ),
        ];
        for (change, message) in table {
            let mut changed = returned();
            change(&mut changed);
            assert_eq!(changed.request().unwrap_err().to_string(), message);
        }
    }
}
