//! Which state of a refund may follow which: one table, for all sources and any order of reports.

use merchant_api::RefundState;
use wechat_pay::RefundStatus;

/// The effect of WeChat's status on a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It moves into this state.
    To(RefundState),
    /// The status was known, or is older than the known state.
    Stays,
    /// The status contradicts the known state.
    Contradicts,
}

/// WeChat's status as a state; `None` for a status that this version does not know, which has no
/// effect.
pub(crate) fn refund_state_of(status: &RefundStatus) -> Option<RefundState> {
    match status {
        RefundStatus::Processing => Some(RefundState::Processing),
        RefundStatus::Success => Some(RefundState::Succeeded),
        RefundStatus::Closed => Some(RefundState::Closed),
        RefundStatus::Abnormal => Some(RefundState::Abnormal),
        _ => None,
    }
}

/// The effect of WeChat's status `reported` on a refund. `is_newer`: the query was sent after the
/// refund came into its state, so the answer cannot be a late one.
pub(crate) fn step(state: RefundState, reported: RefundState, is_newer: bool) -> Step {
    use RefundState::{Abnormal, Closed, Processing, Refused, Requested, Succeeded};
    match (state, reported) {
        // WeChat knows it, so WeChat accepted it.
        (Requested | Refused, _) => Step::To(reported),
        (Succeeded, Closed) | (Closed, Succeeded) => Step::Contradicts,
        (Succeeded | Closed, _) => Step::Stays,
        // It was sent another way, or this answers an older query.
        (Abnormal, Processing) if !is_newer => Step::Stays,
        (Processing, Processing) | (Abnormal, Abnormal) => Step::Stays,
        (Processing | Abnormal, _) => Step::To(reported),
    }
}

/// Whether the state is final.
pub(crate) const fn is_final(state: RefundState) -> bool {
    matches!(state, RefundState::Succeeded | RefundState::Closed)
}

/// Whether its amount reduces what can be refunded: the money was returned, or still may be.
pub(crate) const fn counts(state: RefundState) -> bool {
    !matches!(state, RefundState::Refused | RefundState::Closed)
}

#[cfg(test)]
mod tests {
    use RefundState::{Abnormal, Closed, Processing, Refused, Requested, Succeeded};

    use super::Step::{Contradicts, Stays, To};
    use super::*;

    #[test]
    fn each_state_has_a_result_for_each_word_of_wechat() {
        let table = [
            // state, reported => in time, late
            (Requested, Processing, To(Processing), To(Processing)),
            (Requested, Succeeded, To(Succeeded), To(Succeeded)),
            (Requested, Closed, To(Closed), To(Closed)),
            (Requested, Abnormal, To(Abnormal), To(Abnormal)),
            (Refused, Processing, To(Processing), To(Processing)),
            (Refused, Succeeded, To(Succeeded), To(Succeeded)),
            (Refused, Closed, To(Closed), To(Closed)),
            (Refused, Abnormal, To(Abnormal), To(Abnormal)),
            (Processing, Processing, Stays, Stays),
            (Processing, Succeeded, To(Succeeded), To(Succeeded)),
            (Processing, Closed, To(Closed), To(Closed)),
            (Processing, Abnormal, To(Abnormal), To(Abnormal)),
            (Abnormal, Processing, To(Processing), Stays),
            (Abnormal, Succeeded, To(Succeeded), To(Succeeded)),
            (Abnormal, Closed, To(Closed), To(Closed)),
            (Abnormal, Abnormal, Stays, Stays),
            (Succeeded, Processing, Stays, Stays),
            (Succeeded, Succeeded, Stays, Stays),
            (Succeeded, Closed, Contradicts, Contradicts),
            (Succeeded, Abnormal, Stays, Stays),
            (Closed, Processing, Stays, Stays),
            (Closed, Succeeded, Contradicts, Contradicts),
            (Closed, Closed, Stays, Stays),
            (Closed, Abnormal, Stays, Stays),
        ];
        for (state, reported, in_time, late) in table {
            assert_eq!(
                step(state, reported, true),
                in_time,
                "{state:?} {reported:?}"
            );
            assert_eq!(
                step(state, reported, false),
                late,
                "{state:?} {reported:?} late"
            );
        }
        let reported = 4;
        assert_eq!(table.len(), RefundState::ALL.len() * reported);
    }

    #[test]
    fn a_final_state_stays_in_any_order_of_updates() {
        for end in [Succeeded, Closed] {
            assert!(is_final(end));
            for reported in [Processing, Succeeded, Closed, Abnormal] {
                for is_newer in [true, false] {
                    let next = step(end, reported, is_newer);
                    assert!(matches!(next, Stays | Contradicts), "{end:?} {reported:?}");
                }
            }
        }
    }

    #[test]
    fn only_refunds_that_succeeded_or_still_may_count() {
        let counted = RefundState::ALL.iter().filter(|state| counts(**state));
        let counted: Vec<_> = counted.copied().collect();
        assert_eq!(counted, [Requested, Processing, Succeeded, Abnormal]);
    }

    #[test]
    fn an_unknown_refund_status_gives_no_state() {
        assert_eq!(refund_state_of(&RefundStatus::from("success")), None);
        assert_eq!(refund_state_of(&RefundStatus::from("")), None);
    }
}
