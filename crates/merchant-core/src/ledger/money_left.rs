//! What is left of a payment: to refund, and to share. One sum for both, because each takes from the
//! same money.
//!
//! WeChat's rule (403 `RULE_LIMIT`): while money is held for sharing, a refund is at most what was
//! neither refunded nor shared, because it is paid out of the held money. Once the rest is released, a
//! refund is paid out of the merchant's balance, and shares do not limit it. Returned money goes to that
//! balance too, so it is not held again.

use ledger_database::{Executor, query_as, row};
use merchant_api::{RefundState, ShareKind, ShareState};
use payment_values::{Fen, OutTradeNo};

use super::refund_state;
use super::{LedgerError, MerchantNo, Order};

/// What was taken from a payment, and whether its money is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MoneyLeft {
    total_fen: Fen,
    /// All refunds that succeeded or may still succeed.
    refunded_fen: Fen,
    /// The number of refunds that count at WeChat.
    pub(crate) refunds: u64,
    /// All shares that WeChat did not refuse. What a receiver did not get is not held again.
    pub(crate) shared_fen: Fen,
    /// The number of shares and releases that count at WeChat.
    pub(crate) shares: u64,
    hold: Hold,
}

/// Whether a payment's money is held for sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    /// The order was not made for sharing.
    Never,
    /// It is held.
    Held,
    /// The rest is to be released.
    Releasing,
    /// The rest is released.
    Released,
}

impl MoneyLeft {
    /// What can still be refunded.
    pub(crate) fn refundable_fen(&self) -> Fen {
        self.left_fen().saturating_sub(self.withheld_fen())
    }

    /// The shared money that a refund cannot take, because the rest is still held.
    pub(crate) fn withheld_fen(&self) -> Fen {
        match self.hold {
            Hold::Held | Hold::Releasing => self.shared_fen,
            Hold::Never | Hold::Released => Fen::ZERO,
        }
    }

    /// What can still be shared.
    pub(crate) fn shareable_fen(&self) -> Fen {
        if self.can_be_shared() {
            self.left_fen().saturating_sub(self.shared_fen)
        } else {
            Fen::ZERO
        }
    }

    /// Whether money is held that another share could take.
    pub(crate) fn can_be_shared(&self) -> bool {
        self.hold == Hold::Held
    }

    /// Whether money is held at WeChat.
    pub(crate) fn is_frozen(&self) -> bool {
        matches!(self.hold, Hold::Held | Hold::Releasing)
    }

    /// Whether the order was made for sharing at all.
    pub(crate) fn is_for_sharing(&self) -> bool {
        self.hold != Hold::Never
    }

    fn left_fen(&self) -> Fen {
        self.total_fen.saturating_sub(self.refunded_fen)
    }

    fn of(order: &Order, total_fen: Fen, taken: &[Taken]) -> Result<Self, LedgerError> {
        let mut left = Self {
            total_fen,
            refunded_fen: Fen::ZERO,
            refunds: 0,
            shared_fen: Fen::ZERO,
            shares: 0,
            hold: if order.is_for_sharing() {
                Hold::Held
            } else {
                Hold::Never
            },
        };
        for row in taken {
            match ShareKind::from_word(&row.kind) {
                Some(kind) => left.add_share(kind, row)?,
                None => left.add_refund(row)?,
            }
        }
        Ok(left)
    }

    fn add_refund(&mut self, row: &Taken) -> Result<(), LedgerError> {
        let state = RefundState::from_word(&row.state);
        let state = state.ok_or(LedgerError::Column("refunds.state"))?;
        if refund_state::counts(state) {
            self.refunded_fen = sum(self.refunded_fen, row.amount_fen);
        }
        if state != RefundState::Refused {
            self.refunds += 1;
        }
        Ok(())
    }

    fn add_share(&mut self, kind: ShareKind, row: &Taken) -> Result<(), LedgerError> {
        let state = ShareState::from_word(&row.state);
        let state = state.ok_or(LedgerError::Column("shares.state"))?;
        // Returned money is the merchant's: it changes neither sum.
        if state == ShareState::Refused || kind == ShareKind::Return {
            return Ok(());
        }
        self.shared_fen = sum(self.shared_fen, row.amount_fen);
        self.shares += 1;
        if matches!(kind, ShareKind::ShareAndUnfreeze | ShareKind::Unfreeze) {
            let hold = match state {
                ShareState::Finished => Hold::Released,
                _ => Hold::Releasing,
            };
            self.hold = self.hold.max(hold);
        }
        Ok(())
    }
}

/// A refund or a share, as far as it counts here.
struct Taken {
    /// `refund`, or the kind of a share.
    kind: String,
    state: String,
    amount_fen: Fen,
}

row! {
    Taken { kind, state, amount_fen }
}

/// Reads what was taken from the payment with this number, whose amount is `total_fen`: the order's, or that
/// of one of its sub-orders.
pub(super) async fn money_left(
    merchant: MerchantNo,
    on: impl Executor,
    order: &Order,
    total_fen: Fen,
    out_trade_no: &OutTradeNo,
) -> Result<MoneyLeft, LedgerError> {
    let taken: Vec<Taken> = query_as(
        "SELECT 'refund' AS kind, state, amount_fen FROM refunds
         WHERE merchant = ?1 AND out_trade_no = ?2
         UNION ALL
         SELECT kind, state, amount_fen FROM shares WHERE merchant = ?1 AND out_trade_no = ?2",
    )
    .bind(merchant)
    .bind(out_trade_no)
    .fetch_all(on)
    .await?;
    MoneyLeft::of(order, total_fen, &taken)
}

fn sum(sum: Fen, amount: Fen) -> Fen {
    sum.checked_add(amount).unwrap_or(Fen::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fen(amount: u64) -> Fen {
        Fen::saturating(amount)
    }

    /// Kind, state and amount in fen of each refund and share.
    type Rows = &'static [(&'static str, &'static str, u64)];

    /// What is left of 100 fen: to refund, to share, and whether money is held.
    fn left(hold: Hold, taken: Rows) -> (u64, u64, bool) {
        let mut left = MoneyLeft {
            total_fen: fen(100),
            refunded_fen: Fen::ZERO,
            refunds: 0,
            shared_fen: Fen::ZERO,
            shares: 0,
            hold,
        };
        for (kind, state, amount) in taken {
            let row = Taken {
                kind: (*kind).to_owned(),
                state: (*state).to_owned(),
                amount_fen: fen(*amount),
            };
            match ShareKind::from_word(kind) {
                Some(kind) => left.add_share(kind, &row).unwrap(),
                None => left.add_refund(&row).unwrap(),
            }
        }
        let (refundable, shareable) = (left.refundable_fen(), left.shareable_fen());
        (refundable.count(), shareable.count(), left.is_frozen())
    }

    #[test]
    fn each_row_takes_from_the_payment_what_wechat_lets_it_take() {
        let table: [(Rows, (u64, u64, bool)); 11] = [
            (&[], (100, 100, true)),
            (&[("refund", "succeeded", 30)], (70, 70, true)),
            (&[("refund", "closed", 30)], (100, 100, true)),
            (&[("share", "requested", 40)], (60, 60, true)),
            (&[("share", "finished", 40)], (60, 60, true)),
            (&[("share", "refused", 40)], (100, 100, true)),
            (
                &[("share", "finished", 40), ("return", "finished", 40)],
                (60, 60, true),
            ),
            (
                &[("share", "finished", 40), ("refund", "processing", 60)],
                (0, 0, true),
            ),
            // While the rest is released, nothing can be shared, and a refund is still limited.
            (
                &[("share", "finished", 40), ("unfreeze", "processing", 0)],
                (60, 0, true),
            ),
            (
                &[("share", "finished", 40), ("unfreeze", "finished", 0)],
                (100, 0, false),
            ),
            (
                &[
                    ("share_and_unfreeze", "finished", 40),
                    ("refund", "succeeded", 70),
                ],
                (30, 0, false),
            ),
        ];
        for (taken, expected) in table {
            assert_eq!(left(Hold::Held, taken), expected, "{taken:?}");
        }
        assert_eq!(
            left(Hold::Never, &[("refund", "succeeded", 30)]),
            (70, 0, false)
        );
    }
}
