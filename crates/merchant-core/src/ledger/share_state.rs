//! Which state of a share may follow which, whatever reports it and in whatever order.

use merchant_api::ShareState;

/// Whether what WeChat reports moves a share, a release or a return out of its state. WeChat says that
/// it works on it, or that it is done with it; either means that it accepted it.
pub(crate) fn moves(state: ShareState, reported: ShareState) -> bool {
    use ShareState::{Finished, Processing, Refused, Requested};
    match (state, reported) {
        (Requested | Refused, Processing | Finished) | (Processing, Finished) => true,
        // It is known, or the report is an older one.
        (Processing | Finished, Processing) | (Finished, Finished) => false,
        // WeChat reports neither.
        (_, Requested | Refused) => false,
    }
}

#[cfg(test)]
mod tests {
    use ShareState::{Finished, Processing, Refused, Requested};

    use super::*;

    #[test]
    fn a_report_only_moves_a_share_on() {
        for state in ShareState::ALL.iter().copied() {
            let moved = [Processing, Finished].map(|reported| moves(state, reported));
            let expected = match state {
                Requested | Refused => [true, true],
                Processing => [false, true],
                Finished => [false, false],
            };
            assert_eq!(moved, expected, "{state:?}");
            assert!(
                !moves(state, Requested) && !moves(state, Refused),
                "{state:?}"
            );
        }
    }
}
