//! The outbox: what the merchant's backend is to be told. A message is written in the transaction
//! of what it tells, so neither exists without the other, and its id is made of what happened, so
//! that the same news told twice is one message.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Ledger, LedgerError, Write, due_work, unsigned};
use crate::due_work::Work;
use crate::order_details::timestamp;
use crate::randomness::hex;

/// How many messages a list shows.
const LIST_MAX: u32 = 200;

/// A message as the ledger has it.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) body: Vec<u8>,
    pub(crate) created_ms: i64,
    /// pending, delivered or failed.
    pub(crate) state: String,
    pub(crate) tries: u64,
    pub(crate) last_outcome: Option<String>,
    /// The targets that have taken it.
    pub(crate) delivered_to: Vec<String>,
}

/// What a try to deliver came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Every target has it.
    Delivered,
    /// Some target does not have it yet.
    Pending,
    /// It is not tried any more.
    Failed,
}

impl Delivery {
    const fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }
}

/// Puts a message into the outbox. `key` is what makes this news different from other news of
/// its type.
pub(super) async fn put(
    write: &mut Write,
    event_type: &'static str,
    key: &str,
    data: &Value,
    now_ms: i64,
) -> Result<(), LedgerError> {
    let hash = digest(&SHA256, format!("{event_type}\n{key}").as_bytes());
    let id = format!("msg_{}", hex(&hash.as_ref()[..16]));
    let body = json!({ "type": event_type, "timestamp": timestamp(now_ms), "data": data });
    let written = sqlx::query(
        "INSERT INTO webhooks (id, event_type, body, created_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(&id)
    .bind(event_type)
    .bind(body.to_string().into_bytes())
    .bind(now_ms)
    .execute(&mut **write)
    .await?;
    if written.rows_affected() > 0 {
        due_work::schedule(write, Work::SendWebhook, &id, now_ms).await?;
    }
    Ok(())
}

impl Ledger {
    /// A message by its id.
    pub(crate) async fn webhook(&self, id: &str) -> Result<Option<Webhook>, LedgerError> {
        let row = sqlx::query("SELECT * FROM webhooks WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let targets = sqlx::query("SELECT target FROM webhook_deliveries WHERE webhook_id = ?")
            .bind(id)
            .fetch_all(&self.pool)
            .await?;
        let targets = targets.iter().map(|row| row.try_get("target"));
        read_webhook(&row, targets.collect::<Result<_, _>>()?).map(Some)
    }

    /// The newest messages.
    pub(crate) async fn webhooks(&self) -> Result<Vec<Webhook>, LedgerError> {
        let rows = sqlx::query("SELECT * FROM webhooks ORDER BY created_ms DESC, id LIMIT ?")
            .bind(LIST_MAX)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| read_webhook(row, Vec::new()))
            .collect()
    }

    /// Notes that a target has taken a message.
    pub(crate) async fn note_delivered(
        &self,
        id: &str,
        target: &str,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO webhook_deliveries (webhook_id, target, delivered_ms) VALUES (?, ?, ?)
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(target)
        .bind(now_ms)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes what a try came to.
    pub(crate) async fn note_try(
        &self,
        id: &str,
        delivery: Delivery,
        outcome: &str,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE webhooks SET state = ?, tries = tries + 1, last_outcome = ? WHERE id = ?",
        )
        .bind(delivery.word())
        .bind(outcome)
        .bind(id)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Has a message sent again, to every target, from its first try on.
    pub(crate) async fn resend(&self, id: &str, now_ms: i64) -> Result<(), LedgerError> {
        let mut write = self.write().await?;
        sqlx::query("UPDATE webhooks SET state = 'pending' WHERE id = ?")
            .bind(id)
            .execute(&mut *write)
            .await?;
        sqlx::query("DELETE FROM webhook_deliveries WHERE webhook_id = ?")
            .bind(id)
            .execute(&mut *write)
            .await?;
        due_work::schedule(&mut write, Work::SendWebhook, id, now_ms).await?;
        write.commit().await?;
        Ok(())
    }
}

fn read_webhook(row: &SqliteRow, delivered_to: Vec<String>) -> Result<Webhook, LedgerError> {
    Ok(Webhook {
        id: row.try_get("id")?,
        event_type: row.try_get("event_type")?,
        body: row.try_get("body")?,
        created_ms: row.try_get("created_ms")?,
        state: row.try_get("state")?,
        tries: unsigned(row, "tries")?,
        last_outcome: row.try_get("last_outcome")?,
        delivered_to,
    })
}
