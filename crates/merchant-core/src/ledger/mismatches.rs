//! Mismatches: payments, refunds and notifications that match nothing here or are not understood.
//! They are numbered in one sequence, and each is open until a person marks it as resolved.

use const_format::formatcp;
use ledger_database::{query, query_as, query_scalar, row};
use merchant_api::MismatchKind;

use super::column::Word;
use super::{Ledger, LedgerError, Write};

/// The columns that all three tables have.
const SHARED: &str = "reason, resource, received_ms, queried_ms, query_answer, done_ms, note";

/// The columns of [`KeptMismatch`].
const COLUMNS: &str = formatcp!(
    "kind, no, out_trade_no, transaction_id, out_refund_no, refund_id, sub_mchid,
     notification_id, event_type, field, {SHARED}"
);

/// An unmatched payment or refund, or a notification that is not understood. Its numbers are
/// evidence and plain texts: they may break every rule.
#[derive(Clone, Debug)]
pub(crate) struct KeptMismatch {
    pub(crate) no: u64,
    pub(crate) kind: MismatchKind,
    pub(crate) out_trade_no: Option<String>,
    pub(crate) transaction_id: Option<String>,
    pub(crate) out_refund_no: Option<String>,
    pub(crate) refund_id: Option<String>,
    pub(crate) sub_mchid: Option<String>,
    pub(crate) notification_id: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) reason: String,
    /// WeChat's report, as JSON if WeChat sent JSON.
    pub(crate) resource: String,
    pub(crate) received_ms: i64,
    pub(crate) queried_ms: Option<i64>,
    pub(crate) query_answer: Option<String>,
    pub(crate) done_ms: Option<i64>,
    pub(crate) note: Option<String>,
}

row! {
    KeptMismatch {
        no,
        kind as Word<MismatchKind>,
        out_trade_no,
        transaction_id,
        out_refund_no,
        refund_id,
        sub_mchid,
        notification_id,
        event_type,
        field,
        reason,
        resource,
        received_ms,
        queried_ms,
        query_answer,
        done_ms,
        note,
    }
}

/// Which mismatches to list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MismatchFilter {
    pub(crate) is_done: Option<bool>,
    /// Only the mismatch with this number.
    pub(crate) no: Option<i64>,
    /// Only mismatches with a lower number.
    pub(crate) before_no: Option<i64>,
}

impl Ledger {
    /// The rows that match a filter, newest first.
    pub(crate) async fn mismatches(
        &self,
        filter: MismatchFilter,
        limit: u32,
    ) -> Result<Vec<KeptMismatch>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM (
                SELECT 'payment' AS kind, no, out_trade_no, transaction_id,
                       NULL AS out_refund_no, NULL AS refund_id, sub_mchid,
                       NULL AS notification_id, NULL AS event_type, NULL AS field, {SHARED}
                FROM mismatches WHERE merchant = ?5
                UNION ALL
                SELECT 'refund', no, NULL, NULL, out_refund_no, refund_id, NULL,
                       NULL, NULL, NULL, {SHARED}
                FROM refund_mismatches WHERE merchant = ?5
                UNION ALL
                SELECT 'notification', no, out_trade_no, transaction_id, out_refund_no, refund_id,
                       sub_mchid, id, event_type, field, {SHARED}
                FROM kept_notifications WHERE merchant = ?5) AS every
             WHERE (?1 IS NULL OR CASE WHEN done_ms IS NULL THEN 0 ELSE 1 END = ?1) AND (?2 IS NULL OR no = ?2)
               AND (?3 IS NULL OR no < ?3)
             ORDER BY no DESC LIMIT ?4"
        ))
        .bind(filter.is_done)
        .bind(filter.no)
        .bind(filter.before_no)
        .bind(limit)
        .bind(self.merchant)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// Marks a mismatch as resolved. A repeated call keeps the first time. It also keeps the note,
    /// unless a new note is given.
    pub(crate) async fn finish_mismatch(
        &self,
        no: i64,
        note: Option<&str>,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            for statement in [
                "UPDATE mismatches SET done_ms = COALESCE(done_ms, ?2), note = COALESCE(?3, note)
                 WHERE merchant = ?4 AND no = ?1",
                "UPDATE refund_mismatches SET done_ms = COALESCE(done_ms, ?2), note = COALESCE(?3, note)
                 WHERE merchant = ?4 AND no = ?1",
                "UPDATE kept_notifications SET done_ms = COALESCE(done_ms, ?2), note = COALESCE(?3, note)
                 WHERE merchant = ?4 AND no = ?1",
            ] {
                query(statement)
                    .bind(no)
                    .bind(now_ms)
                    .bind(note)
                    .bind(self.merchant)
                    .execute(&mut write)
                    .await?;
            }
            write.commit().await?;
            Ok(())
        })
        .await
    }
}

/// The number of the merchant's next mismatch. No other transaction gets a number of this merchant
/// before this one has ended.
pub(super) async fn next_no(write: &mut Write) -> Result<i64, LedgerError> {
    let merchant = write.merchant();
    write
        .lock(&format!("numbers of mismatches {merchant}"))
        .await?;
    let no = query_scalar(
        "SELECT 1 + MAX(newest) AS no FROM (
            SELECT COALESCE(MAX(no), 0) AS newest FROM mismatches WHERE merchant = ?1
            UNION ALL SELECT COALESCE(MAX(no), 0) FROM refund_mismatches WHERE merchant = ?1
            UNION ALL SELECT COALESCE(MAX(no), 0) FROM kept_notifications WHERE merchant = ?1)
            AS of_each",
    )
    .bind(merchant)
    .fetch_one(&mut *write)
    .await?;
    Ok(no)
}
