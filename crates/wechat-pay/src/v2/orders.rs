//! Querying and closing orders of version 2.

use payment_values::{InvalidField, OutTradeNo, TransactionId};

use super::answer::ReadAnswer;
use super::fields::VerifiedFields;
use super::request::Request;
use super::route::Route;
use crate::json::Unreadable;
use crate::orders::account::Orderer;

/// The age that an order must have before WeChat closes it, in seconds. An earlier close is
/// refused, and the order stays payable: a caller without that patience lets it expire.
pub const MIN_AGE_TO_CLOSE_S: i64 = 300;

/// Queries an order by the merchant's number; answered with a [`crate::Transaction`].
pub fn query_by_out_trade_no(
    orderer: &Orderer,
    out_trade_no: &OutTradeNo,
) -> Result<Request, InvalidField> {
    let mut request = Request::of(Route::OrderQuery, orderer)?;
    request.set("out_trade_no", out_trade_no.as_str());
    Ok(request)
}

/// Queries a paid order by WeChat's number; answered with a [`crate::Transaction`].
pub fn query_by_transaction_id(
    orderer: &Orderer,
    transaction_id: &TransactionId,
) -> Result<Request, InvalidField> {
    let mut request = Request::of(Route::OrderQuery, orderer)?;
    request.set("transaction_id", transaction_id.as_str());
    Ok(request)
}

/// Closes an order; answered with [`Closed`]. The order must be [`MIN_AGE_TO_CLOSE_S`] old: see
/// [`seconds_until_closable`].
pub fn close(orderer: &Orderer, out_trade_no: &OutTradeNo) -> Result<Request, InvalidField> {
    let mut request = Request::of(Route::CloseOrder, orderer)?;
    request.set("out_trade_no", out_trade_no.as_str());
    Ok(request)
}

/// How many seconds remain until WeChat closes an order that was placed at `ordered_at_s`; 0 if it
/// does so now. Both are seconds since 1970, by one clock.
#[must_use]
pub fn seconds_until_closable(ordered_at_s: i64, now_s: i64) -> i64 {
    let age_s = now_s.saturating_sub(ordered_at_s);
    // After a clock was set back the age is negative. The wait stays at most five minutes.
    MIN_AGE_TO_CLOSE_S
        .saturating_sub(age_s)
        .clamp(0, MIN_AGE_TO_CLOSE_S)
}

/// The answer to a close. Its signature and its codes say that the order is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl ReadAnswer for Closed {
    fn read_answer(_: &VerifiedFields) -> Result<Self, Unreadable> {
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v2::test_messages::{merchant, provider};

    #[test]
    fn a_request_names_the_account_and_one_number() {
        let number = OutTradeNo::parse("1415659990").unwrap();
        let id = TransactionId::parse("1008450740201411110005820873").unwrap();
        for (request, route, name) in [
            (
                query_by_out_trade_no(&merchant(), &number),
                Route::OrderQuery,
                "out_trade_no",
            ),
            (
                query_by_transaction_id(&merchant(), &id),
                Route::OrderQuery,
                "transaction_id",
            ),
            (
                close(&merchant(), &number),
                Route::CloseOrder,
                "out_trade_no",
            ),
        ] {
            let request = request.unwrap();
            assert_eq!(request.route(), route);
            let names: Vec<_> = request.fields().iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["appid", "mch_id", name]);
        }
        let of_provider = close(&provider(), &number).unwrap();
        assert_eq!(of_provider.fields().get("sub_mch_id"), Some("124"));
    }

    #[test]
    fn an_order_can_be_closed_when_it_is_five_minutes_old() {
        for (ordered_at_s, now_s, expected) in [
            (1_000, 1_000, 300),
            (1_000, 1_299, 1),
            (1_000, 1_300, 0),
            (1_000, 9_000, 0),
            (1_000, 0, 300),
            (i64::MAX, i64::MIN, 300),
            (i64::MIN, i64::MAX, 0),
        ] {
            let left_s = seconds_until_closable(ordered_at_s, now_s);
            assert_eq!(left_s, expected, "{ordered_at_s} {now_s}");
        }
    }
}
