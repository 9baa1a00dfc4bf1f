//! The decision about an attempt request, given the current attempt: a table without I/O.

use crate::ledger::Attempt;

/// What to do with an attempt request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Return the same attempt with its link (JSAPI parameters are signed again).
    Again,
    /// Send the same attempt's number and bytes again, for a new link.
    Renew,
    /// End the current attempt first: query, close.
    TakeOver,
    /// Start a new attempt under a new number.
    New,
    /// Another device has taken over since the caller read the order.
    Superseded,
}

/// Decides about a request. `after` is the attempt number that the caller has seen. `current` is
/// the order's newest attempt number, and `attempt` is the attempt with that number. `is_same` says
/// whether the request would send the same bytes. `is_fresh` says whether the attempt's link may be
/// returned again.
pub(super) fn decide(
    after: u64,
    current: u64,
    attempt: Option<&Attempt>,
    is_same: bool,
    is_fresh: bool,
) -> Decision {
    let is_alive = attempt.is_some_and(|attempt| attempt.state.is_alive());
    match (is_alive, is_same) {
        // The caller names an attempt that never existed.
        _ if after > current => Decision::Superseded,
        (false, _) => Decision::New,
        (true, true) if is_fresh => Decision::Again,
        (true, true) => Decision::Renew,
        (true, false) if after == current => Decision::TakeOver,
        (true, false) => Decision::Superseded,
    }
}

#[cfg(test)]
mod tests {
    use merchant_api::AttemptProduct;
    use payment_values::OutTradeNo;

    use super::*;
    use crate::ledger::{AttemptState, PaidBy, Parties};

    fn attempt(state: AttemptState) -> Attempt {
        Attempt {
            order_id: 1,
            number: 2,
            product: AttemptProduct::Native,
            api: crate::config::Api::V3,
            out_trade_no: OutTradeNo::parse("order-1").unwrap(),
            is_combined: false,
            parties: Parties {
                appid: "wx1".into(),
                payer_appid: "wx1".into(),
                sub_mchid: None,
                sub_appid: None,
            },
            body: Vec::new(),
            state,
            created_ms: 0,
            link: None,
            return_handle: String::new(),
            transaction_id: None,
            bank_type: None,
            refund_seen_ms: None,
            payer_total_fen: None,
            success_time: None,
            promotion_detail: None,
            paid_by: PaidBy::default(),
        }
    }

    #[test]
    fn each_request_has_one_answer() {
        use AttemptState::{Closed, Open, Prepared, Refused};
        use Decision::{Again, New, Renew, Superseded, TakeOver};
        // after, state of attempt 2, same bytes, fresh link, decision
        let cases = [
            (2, Open, true, true, Again),
            // A second tab, or a repeated request, gets the same attempt, whatever `after` is.
            (0, Open, true, true, Again),
            (2, Open, true, false, Renew),
            (0, Open, true, false, Renew),
            // Recorded, answer unknown: send the same bytes again.
            (2, Prepared, true, false, Renew),
            (2, Open, false, true, TakeOver),
            (2, Prepared, false, false, TakeOver),
            // No silent take-over.
            (1, Open, false, true, Superseded),
            (0, Prepared, false, false, Superseded),
            // An ended attempt does not block a new one.
            (2, Closed, true, true, New),
            (1, Closed, false, false, New),
            (2, Refused, true, true, New),
            // A number that never existed.
            (3, Open, true, true, Superseded),
            (3, Closed, false, false, Superseded),
        ];
        for (after, state, is_same, is_fresh, expected) in cases {
            let found = decide(after, 2, Some(&attempt(state)), is_same, is_fresh);
            assert_eq!(found, expected, "{after} {state:?} {is_same} {is_fresh}");
        }
        assert_eq!(decide(0, 0, None, false, false), New);
        assert_eq!(decide(1, 0, None, false, false), Superseded);
    }
}
