//! Counts of the ledger's rows, for `/metrics`.

use super::{Ledger, LedgerError};
use ledger_database::{query_as, query_scalar, row};

/// The counts of the ledger's rows.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// Orders by state.
    pub orders: Vec<(String, u64)>,
    /// Attempts by state.
    pub attempts: Vec<(String, u64)>,
    /// Refunds by state.
    pub refunds: Vec<(String, u64)>,
    /// Messages to the backend by state.
    pub webhooks: Vec<(String, u64)>,
    /// Unmatched payments that are not resolved.
    pub mismatches: u64,
    /// Unmatched refund updates that are not resolved.
    pub refund_mismatches: u64,
    /// Notifications that were not understood and are not resolved.
    pub kept_notifications: u64,
    /// Scheduled work by kind.
    pub due_work: Vec<(String, u64)>,
    /// How long the oldest due piece of work has waited, in milliseconds.
    pub late_ms: u64,
}

/// The unresolved mismatches and the delay of due work, as one row.
struct OpenCounts {
    mismatches: u64,
    refund_mismatches: u64,
    kept_notifications: u64,
    oldest_due_ms: Option<i64>,
}

row! {
    OpenCounts {
        mismatches,
        refund_mismatches,
        kept_notifications,
        oldest_due_ms,
    }
}

impl Ledger {
    /// When the newest notification that the APIv3 key decrypted was recorded, in milliseconds
    /// since 1970. Notifications of version 2 are decrypted with another key.
    pub(crate) async fn last_opened_notification_ms(&self) -> Result<Option<i64>, LedgerError> {
        let newest = query_scalar(
            "SELECT MAX(received_ms) FROM notifications
             WHERE +merchant = ? AND id NOT LIKE 'v2-%'",
        );
        let newest = newest.bind(self.merchant);
        Ok(newest.fetch_one(self.readers.scan()).await?)
    }

    /// Counts everything of this merchant.
    pub(crate) async fn census(&self, now_ms: i64) -> Result<Census, LedgerError> {
        let by_state = async |query: &'static str| -> Result<Vec<(String, u64)>, LedgerError> {
            let counts = query_as(query).bind(self.merchant);
            Ok(counts.fetch_all(self.readers.scan()).await?)
        };
        let open: OpenCounts = query_as(
            "SELECT (SELECT COUNT(*) FROM mismatches WHERE merchant = ?1 AND done_ms IS NULL)
                        AS mismatches,
                    (SELECT COUNT(*) FROM refund_mismatches
                     WHERE merchant = ?1 AND done_ms IS NULL) AS refund_mismatches,
                    (SELECT COUNT(*) FROM kept_notifications
                     WHERE merchant = ?1 AND done_ms IS NULL) AS kept_notifications,
                    (SELECT MIN(due_ms) FROM due_work WHERE merchant = ?1) AS oldest_due_ms",
        )
        .bind(self.merchant)
        .fetch_one(self.readers.scan())
        .await?;
        Ok(Census {
            orders: by_state(
                "SELECT state, COUNT(*) AS count FROM orders WHERE merchant = ? GROUP BY state",
            )
            .await?,
            attempts: by_state(
                "SELECT state, COUNT(*) AS count FROM attempts WHERE +merchant = ? GROUP BY state",
            )
            .await?,
            refunds: by_state(
                "SELECT state, COUNT(*) AS count FROM refunds WHERE +merchant = ? GROUP BY state",
            )
            .await?,
            webhooks: by_state(
                "SELECT state, COUNT(*) AS count FROM webhooks WHERE merchant = ? GROUP BY state",
            )
            .await?,
            mismatches: open.mismatches,
            refund_mismatches: open.refund_mismatches,
            kept_notifications: open.kept_notifications,
            due_work: by_state(
                "SELECT kind AS state, COUNT(*) AS count FROM due_work WHERE merchant = ?
                 GROUP BY kind",
            )
            .await?,
            late_ms: open.oldest_due_ms.map_or(0, |due_ms| {
                u64::try_from(now_ms - due_ms).unwrap_or_default()
            }),
        })
    }
}
