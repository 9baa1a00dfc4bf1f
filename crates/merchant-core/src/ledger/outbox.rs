//! The outbox: webhook messages to the merchant's backend. A message is written in the same
//! transaction as the change that it reports, so the change and the message are always stored
//! together. Its id is derived from that change, so the same change reported twice is one message.

use ledger_database::{query, query_as, query_scalar, row};
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use const_format::formatcp;
use merchant_api::{WebhookEvent, WebhookMessage};
use wechat_pay::lower_hex;

use super::column::UnknownWord;
use super::{Ledger, LedgerError, Wait, Work, Write, schedule, timestamp};

/// The columns of [`Webhook`]. Its deliveries are in another table.
const COLUMNS: &str = "id, event_type, body, created_ms, state, tries, last_outcome";

/// A webhook message in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) body: Vec<u8>,
    pub(crate) created_ms: i64,
    /// pending, delivered, failed or unaddressed.
    pub(crate) state: String,
    pub(crate) tries: u64,
    pub(crate) last_outcome: Option<String>,
    /// The targets that have accepted the message; empty in a list of messages.
    pub(crate) delivered_to: Vec<String>,
}

row! {
    Webhook {
        id,
        event_type,
        body,
        created_ms,
        state,
        tries,
        last_outcome;
        default delivered_to
    }
}

/// The state of a message's delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Every target has accepted the message.
    Delivered,
    /// Some target has not accepted it yet.
    Pending,
    /// It is not retried any more.
    Failed,
    /// No target is configured.
    Unaddressed,
}

impl Delivery {
    const ALL: [Self; 4] = [
        Self::Delivered,
        Self::Pending,
        Self::Failed,
        Self::Unaddressed,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Unaddressed => "unaddressed",
        }
    }
}

impl FromStr for Delivery {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == word);
        known.ok_or(UnknownWord("delivery state"))
    }
}

/// Which messages to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebhookFilter {
    pub(crate) state: Option<Delivery>,
    pub(crate) event_type: Option<String>,
    /// Only messages that follow this one in the list: the time and id of the last message that the
    /// caller has seen.
    pub(crate) before: Option<(i64, String)>,
}

/// Puts a message into the outbox. `key` identifies the change among those of the same event type.
pub(super) async fn put(
    write: &mut Write,
    event: WebhookEvent,
    key: &str,
    now_ms: i64,
) -> Result<(), LedgerError> {
    let event_type = event.event_type();
    let hash = digest(&SHA256, format!("{event_type}\n{key}").as_bytes());
    let id = format!("msg_{}", lower_hex(&hash.as_ref()[..16]));
    let message = WebhookMessage {
        event,
        timestamp: timestamp(now_ms),
    };
    // The message has only texts and numbers, which JSON can always carry.
    let body = serde_json::to_vec(&message).unwrap_or_default();
    let written = query(
        "INSERT INTO webhooks (id, event_type, body, created_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(&id)
    .bind(event_type)
    .bind(body)
    .bind(now_ms)
    .execute(&mut *write)
    .await?;
    if written > 0 {
        schedule::schedule(write, Work::SendWebhook, &id, Wait::over(now_ms)).await?;
    }
    Ok(())
}

impl Ledger {
    /// A message by its id.
    pub(crate) async fn webhook(&self, id: &str) -> Result<Option<Webhook>, LedgerError> {
        let found: Option<Webhook> =
            query_as(formatcp!("SELECT {COLUMNS} FROM webhooks WHERE id = ?"))
                .bind(id)
                .fetch_optional(&self.readers)
                .await?;
        let Some(mut webhook) = found else {
            return Ok(None);
        };
        webhook.delivered_to =
            query_scalar("SELECT target FROM webhook_deliveries WHERE webhook_id = ?")
                .bind(id)
                .fetch_all(&self.readers)
                .await?;
        Ok(Some(webhook))
    }

    /// The rows that match a filter, newest first.
    pub(crate) async fn webhooks(
        &self,
        filter: &WebhookFilter,
        limit: u32,
    ) -> Result<Vec<Webhook>, LedgerError> {
        let (before_ms, before_id) = filter.before.clone().unzip();
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM webhooks
             WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR event_type = ?2)
               AND (?3 IS NULL OR created_ms < ?3 OR (created_ms = ?3 AND id > ?4))
             ORDER BY created_ms DESC, id LIMIT ?5"
        ))
        .bind(filter.state.map(Delivery::as_str))
        .bind(filter.event_type.clone())
        .bind(before_ms)
        .bind(before_id)
        .bind(limit)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// Records that a target has accepted a message.
    pub(crate) async fn note_delivered(
        &self,
        id: &str,
        target: &str,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let statement = query(
            "INSERT INTO webhook_deliveries (webhook_id, target, delivered_ms) VALUES (?, ?, ?)
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(target)
        .bind(now_ms);
        self.writer.execute(statement).await?;
        Ok(())
    }

    /// Records the result of a try. The try is counted unless no target was called.
    pub(crate) async fn note_try(
        &self,
        id: &str,
        delivery: Delivery,
        outcome: &str,
        counts: bool,
    ) -> Result<(), LedgerError> {
        let statement = query(
            "UPDATE webhooks SET state = ?, tries = tries + ?, last_outcome = ? WHERE id = ?",
        )
        .bind(delivery.as_str())
        .bind(counts)
        .bind(outcome)
        .bind(id);
        self.writer.execute(statement).await?;
        Ok(())
    }

    /// Schedules a message to be sent again to every target. Its tries start from the first one.
    pub(crate) async fn resend(&self, id: &str, now_ms: i64) -> Result<(), LedgerError> {
        let mut write = self.write().await?;
        query("UPDATE webhooks SET state = 'pending' WHERE id = ?")
            .bind(id)
            .execute(&mut write)
            .await?;
        query("DELETE FROM webhook_deliveries WHERE webhook_id = ?")
            .bind(id)
            .execute(&mut write)
            .await?;
        schedule::schedule(&mut write, Work::SendWebhook, id, Wait::over(now_ms)).await?;
        write.commit().await?;
        Ok(())
    }

    /// Schedules all messages of a state and a type to be sent again, to the targets that have not
    /// accepted them. Their tries start from the first one. Returns the number of messages.
    pub(crate) async fn resend_all(
        &self,
        state: Delivery,
        event_type: Option<&str>,
        now_ms: i64,
    ) -> Result<u64, LedgerError> {
        let mut write = self.write().await?;
        query(
            "INSERT INTO due_work (kind, subject, due_ms, set_ms)
             SELECT ?1, id, ?2, ?2 FROM webhooks
             WHERE state = ?3 AND (?4 IS NULL OR event_type = ?4)
             ON CONFLICT DO UPDATE SET due_ms = ?2, set_ms = ?2, tries = 0",
        )
        .bind(Work::SendWebhook.as_str())
        .bind(now_ms)
        .bind(state.as_str())
        .bind(event_type)
        .execute(&mut write)
        .await?;
        let changed = query(
            "UPDATE webhooks SET state = 'pending'
             WHERE state = ?1 AND (?2 IS NULL OR event_type = ?2)",
        )
        .bind(state.as_str())
        .bind(event_type)
        .execute(&mut write)
        .await?;
        write.commit().await?;
        Ok(changed)
    }
}
