//! When WeChat is queried about a refund for the first time.

use merchant_api::RefundState;

use crate::query::course::QUERY_PLAN_MS;

/// When to query a refund for the first time after it came into this state at `now_ms`. `None` for
/// a final state.
pub(super) fn first_look_ms(state: RefundState, now_ms: i64) -> Option<i64> {
    match state {
        RefundState::Processing => Some(now_ms + QUERY_PLAN_MS[0]),
        // A person has to act. The query only finds out whether a person has acted.
        RefundState::Abnormal => Some(now_ms + QUERY_PLAN_MS[QUERY_PLAN_MS.len() - 1]),
        RefundState::Requested
        | RefundState::Refused
        | RefundState::Succeeded
        | RefundState::Closed => None,
    }
}
