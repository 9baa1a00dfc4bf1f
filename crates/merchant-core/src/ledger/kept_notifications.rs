//! Notifications that WeChat signed but that this version does not understand or does not handle.
//! They are stored whole, numbered in one sequence with the mismatches, and WeChat is queried about
//! the numbers in them. Their content changes no payment and no refund.

use super::mismatches::next_no;
use super::notifications::{KEPT, Numbers, keep_notification};
use super::refund_mismatches::learn_subject;
use super::{Evidence, Ledger, LedgerError, Wait, Work, Write, schedule};
use ledger_database::query;

/// A notification to store for a person. Its numbers are evidence and plain texts: they may break
/// every rule.
#[derive(Clone, Debug)]
pub(crate) struct NotificationToKeep {
    /// WeChat's id, the same on every try.
    pub(crate) id: String,
    /// WeChat's `event_type`; empty if it is not known.
    pub(crate) event_type: String,
    /// Why it is stored, in one word.
    pub(crate) reason: &'static str,
    /// The path of the field that was not understood, if it is one field.
    pub(crate) field: Option<String>,
    pub(crate) out_trade_no: Option<String>,
    pub(crate) transaction_id: Option<String>,
    pub(crate) out_refund_no: Option<String>,
    pub(crate) refund_id: Option<String>,
    pub(crate) sub_mchid: Option<String>,
    /// The whole notification as WeChat sent it.
    pub(crate) resource: String,
}

impl Ledger {
    /// Stores a notification and schedules queries about the numbers in it. With `is_acknowledged`,
    /// WeChat will not send it again. Returns whether it is new.
    pub(crate) async fn keep_whole_notification(
        &self,
        kept: &NotificationToKeep,
        is_acknowledged: bool,
        now_ms: i64,
    ) -> Result<bool, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let is_new = insert(&mut write, kept, now_ms).await?;
            if is_new {
                schedule_query(&mut write, kept, now_ms).await?;
            }
            if is_acknowledged {
                let evidence = Evidence::Notification {
                    id: kept.id.clone(),
                    event_type: kept.event_type.clone(),
                };
                let numbers = Numbers {
                    out_trade_no: kept.out_trade_no.as_deref(),
                    transaction_id: kept.transaction_id.as_deref(),
                    out_refund_no: kept.out_refund_no.as_deref(),
                };
                keep_notification(&mut write, &evidence, numbers, KEPT, now_ms).await?;
            }
            write.commit().await?;
            Ok(is_new)
        })
        .await
    }
}

async fn insert(
    write: &mut Write,
    kept: &NotificationToKeep,
    now_ms: i64,
) -> Result<bool, LedgerError> {
    let no = next_no(write).await?;
    let inserted = query(
        "INSERT INTO kept_notifications (merchant, id, event_type, reason, field, out_trade_no,
                                         transaction_id, out_refund_no, refund_id, sub_mchid,
                                         resource, received_ms, no)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(write.merchant())
    .bind(&kept.id)
    .bind(&kept.event_type)
    .bind(kept.reason)
    .bind(&kept.field)
    .bind(&kept.out_trade_no)
    .bind(&kept.transaction_id)
    .bind(&kept.out_refund_no)
    .bind(&kept.refund_id)
    .bind(&kept.sub_mchid)
    .bind(&kept.resource)
    .bind(now_ms)
    .bind(no)
    .execute(&mut *write)
    .await?;
    Ok(inserted > 0)
}

/// Schedules a query: its answer settles the payment or the refund, if it matches one of ours.
async fn schedule_query(
    write: &mut Write,
    kept: &NotificationToKeep,
    now_ms: i64,
) -> Result<(), LedgerError> {
    match (&kept.out_refund_no, &kept.out_trade_no) {
        (Some(refund), payment) => {
            let payment = payment.as_deref().unwrap_or_default();
            let subject = learn_subject(refund, payment);
            schedule::schedule(write, Work::LearnRefund, &subject, Wait::over(now_ms)).await
        }
        (None, Some(payment)) => {
            schedule::schedule(write, Work::QueryMismatch, payment, Wait::over(now_ms)).await
        }
        (None, None) => Ok(()),
    }
}
