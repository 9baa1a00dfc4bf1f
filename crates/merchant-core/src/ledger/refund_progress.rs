//! The results of our own calls for a refund: WeChat refuses it, cannot answer, or sends an
//! abnormal refund another way. WeChat's reports about refunds are in `refund_updates`.

use const_format::formatcp;
use ledger_database::{query, query_as};
use merchant_api::{RefundOrigin, RefundState};

use super::refund_updates::{SURPLUS_AGAIN_MS, put_refund_webhook};
use super::refunds::COLUMNS;
use super::{Ledger, LedgerError, Refund, Wait, Work, orders, schedule};

/// WeChat's refusal of a refund.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// When it was sent.
    pub(crate) sent_ms: i64,
    pub(crate) wechat_code: String,
    pub(crate) wechat_message: String,
    /// Whether it is retried under the same number.
    pub(crate) is_tried_again: bool,
}

impl Ledger {
    /// Records that WeChat refused a refund when it was last sent. A report that came meanwhile
    /// takes precedence.
    pub(crate) async fn note_refusal(
        &self,
        refund: &Refund,
        refusal: &Refusal,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            orders::lock(&mut write, refund.order_id).await?;
            let state = if refusal.is_tried_again {
                RefundState::Requested
            } else {
                RefundState::Refused
            };
            let refused: Option<Refund> = query_as(formatcp!(
                "UPDATE refunds SET state = ?1, refusals = refusals + 1, wechat_code = ?2,
                                    wechat_message = ?3,
                                    state_ms = CASE WHEN state = ?1 THEN state_ms ELSE ?4 END
                 WHERE id = ?5 AND state = 'requested' AND sent_ms = ?6 RETURNING {COLUMNS}"
            ))
            .bind(state.as_str())
            .bind(&refusal.wechat_code)
            .bind(&refusal.wechat_message)
            .bind(now_ms)
            .bind(refund.id)
            .bind(refusal.sent_ms)
            .fetch_optional(&mut write)
            .await?;
            let Some(refund) = refused else {
                return Ok(());
            };
            if refund.state == RefundState::Refused {
                schedule::forget(&mut write, Work::Refund, refund.out_refund_no.as_str()).await?;
                if refund.origin == RefundOrigin::Surplus {
                    let (payment, again_ms) =
                        (refund.out_trade_no.as_str(), now_ms + SURPLUS_AGAIN_MS);
                    let wait = Wait {
                        from_ms: now_ms,
                        to_ms: again_ms,
                    };
                    schedule::schedule(&mut write, Work::RefundSurplus, payment, wait).await?;
                }
                put_refund_webhook(&mut write, &refund, now_ms).await?;
                orders::grow_version(&mut write, refund.order_id).await?;
            }
            write.commit().await?;
            self.changes.announce(refund.order_id);
            Ok(())
        })
        .await
    }

    /// Stores why a refund could not be sent yet, for people.
    pub(crate) async fn note_postponement(
        &self,
        refund: &Refund,
        wechat_code: &str,
        wechat_message: &str,
    ) -> Result<(), LedgerError> {
        let statement = query(
            "UPDATE refunds SET wechat_code = ?, wechat_message = ?
             WHERE id = ? AND state = 'requested'",
        )
        .bind(wechat_code)
        .bind(wechat_message)
        .bind(refund.id);
        self.execute(statement).await?;
        Ok(())
    }

    /// Records that an abnormal refund was sent another way: it is processing again.
    pub(crate) async fn note_application(
        &self,
        refund: &Refund,
        next_look_ms: i64,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            orders::lock(&mut write, refund.order_id).await?;
            let changed = query(
                "UPDATE refunds SET state = 'processing', state_ms = ?,
                                    applications = applications + 1
                 WHERE id = ? AND state = 'abnormal'",
            )
            .bind(now_ms)
            .bind(refund.id)
            .execute(&mut write)
            .await?;
            if changed == 0 {
                return Ok(());
            }
            let number = refund.out_refund_no.as_str();
            let wait = Wait {
                from_ms: now_ms,
                to_ms: next_look_ms,
            };
            schedule::schedule(&mut write, Work::Refund, number, wait).await?;
            orders::grow_version(&mut write, refund.order_id).await?;
            write.commit().await?;
            self.changes.announce(refund.order_id);
            Ok(())
        })
        .await
    }
}
