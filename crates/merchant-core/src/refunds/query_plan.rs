//! When WeChat is queried about a refund.

use merchant_api::RefundState;

/// The plan of queries for a refund that WeChat accepted, as the time between two queries. The last
/// one repeats until the end: banks take days.
pub(super) const QUERY_PLAN_MS: [i64; 7] = [
    10_000, 30_000, 60_000, 300_000, 1_800_000, 3_600_000, 21_600_000,
];

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
