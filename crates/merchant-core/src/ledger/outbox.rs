//! The outbox: webhook messages to the merchant's backend. A message is written in the same
//! transaction as the change that it reports, so the change and the message are always stored
//! together. Its id is derived from that change, so the same change reported twice is one message.

use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use const_format::formatcp;
use ledger_database::{query, query_as, query_scalar, row};
use merchant_api::{PaymentData, WebhookEvent, WebhookMessage};
use wechat_pay::lower_hex;

use super::business::{NUMBERS, NUMBERS_AT_ONCE, bind_numbers};
use super::column::UnknownWord;
use super::{Ledger, LedgerError, MerchantNo, Wait, Work, Write, schedule, timestamp};

/// The columns of [`Webhook`]. Its deliveries are in another table.
const COLUMNS: &str =
    "id, event_type, body, payer_body, created_ms, state, tries, last_outcome, notify_url";

/// The type of a message in WeChat's own form, for the `notify_url` of an order.
pub const NOTICE_TYPE: &str = "wxpay_server.notification";

/// A webhook message in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) body: Vec<u8>,
    /// The body for targets that get the payer, if the message has one.
    pub(crate) payer_body: Option<Vec<u8>>,
    pub(crate) created_ms: i64,
    /// pending, delivered, failed or unaddressed.
    pub(crate) state: String,
    pub(crate) tries: u64,
    pub(crate) last_outcome: Option<String>,
    /// The one address that the message is for; `None`: every configured target.
    pub(crate) notify_url: Option<String>,
    /// The targets that have accepted the message; empty in a list of messages.
    pub(crate) delivered_to: Vec<String>,
}

row! {
    Webhook {
        id,
        event_type,
        body,
        payer_body,
        created_ms,
        state,
        tries,
        last_outcome,
        notify_url;
        default delivered_to
    }
}

/// The notification of a payment for one address.
#[derive(Clone, Debug)]
pub(crate) struct OrderNotice {
    pub(crate) notify_url: String,
    /// The fields of WeChat's notification as XML. The delivery signs them.
    pub(crate) body: Vec<u8>,
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
pub(super) fn put(
    write: &mut Write,
    event: WebhookEvent,
    key: &str,
    now_ms: i64,
) -> impl Future<Output = Result<(), LedgerError>> {
    put_both(write, event, None, key, now_ms)
}

/// Puts a message about a payment into the outbox. Its payer is in the body for the targets that get
/// it, and in no other.
pub(super) async fn put_payment(
    write: &mut Write,
    event: fn(PaymentData) -> WebhookEvent,
    mut data: PaymentData,
    key: &str,
    now_ms: i64,
) -> Result<(), LedgerError> {
    let with_payer = data.payer.is_some().then(|| event(data.clone()));
    data.payer = None;
    put_both(write, event(data), with_payer, key, now_ms).await
}

/// Puts a message into the outbox, and another form of it for the targets that get payers.
pub(super) async fn put_both(
    write: &mut Write,
    event: WebhookEvent,
    with_payer: Option<WebhookEvent>,
    key: &str,
    now_ms: i64,
) -> Result<(), LedgerError> {
    let event_type = event.event_type();
    let body = Bodies {
        body: bytes(event, now_ms),
        payer_body: with_payer.map(|event| bytes(event, now_ms)),
    };
    insert(write, event_type, key, body, None, now_ms).await
}

/// The exact bytes that are sent, each time.
struct Bodies {
    body: Vec<u8>,
    payer_body: Option<Vec<u8>>,
}

fn bytes(event: WebhookEvent, now_ms: i64) -> Vec<u8> {
    let message = WebhookMessage {
        event,
        timestamp: timestamp(now_ms),
    };
    // The message has only texts and numbers, which JSON can always carry.
    serde_json::to_vec(&message).unwrap_or_default()
}

/// Puts the notification of a payment into the outbox, for its one address. `key` identifies the
/// payment.
pub(super) async fn put_notice(
    write: &mut Write,
    notice: &OrderNotice,
    key: &str,
    now_ms: i64,
) -> Result<(), LedgerError> {
    let notify_url = Some(&*notice.notify_url);
    let body = Bodies {
        body: notice.body.clone(),
        payer_body: None,
    };
    insert(write, NOTICE_TYPE, key, body, notify_url, now_ms).await
}

async fn insert(
    write: &mut Write,
    event_type: &str,
    key: &str,
    body: Bodies,
    notify_url: Option<&str>,
    now_ms: i64,
) -> Result<(), LedgerError> {
    let merchant = write.merchant();
    let id = message_id(merchant, event_type, key);
    let written = query(
        "INSERT INTO webhooks (merchant, id, event_type, body, payer_body, created_ms, notify_url)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(merchant)
    .bind(&id)
    .bind(event_type)
    .bind(body.body)
    .bind(body.payer_body)
    .bind(now_ms)
    .bind(notify_url)
    .execute(&mut *write)
    .await?;
    if written > 0 {
        schedule::schedule(write, Work::SendWebhook, &id, Wait::over(now_ms)).await?;
    }
    Ok(())
}

/// The id of a message. Two merchants use the same numbers, and may have one target, which takes
/// messages of one id for one message.
pub(super) fn message_id(merchant: MerchantNo, event_type: &str, key: &str) -> String {
    let change = if merchant == MerchantNo::FIRST {
        format!("{event_type}\n{key}")
    } else {
        format!("{event_type}\n{key}\nmerchant {merchant}")
    };
    let hash = digest(&SHA256, change.as_bytes());
    format!("msg_{}", lower_hex(&hash.as_ref()[..16]))
}

impl Ledger {
    /// A message by its id.
    pub(crate) async fn webhook(&self, id: &str) -> Result<Option<Webhook>, LedgerError> {
        let found: Option<Webhook> = query_as(formatcp!(
            "SELECT {COLUMNS} FROM webhooks WHERE id = ? AND merchant = ?"
        ))
        .bind(id)
        .bind(self.merchant)
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

    /// The messages that have one of these ids, without their deliveries.
    pub(crate) async fn webhooks_by_id(&self, ids: &[String]) -> Result<Vec<Webhook>, LedgerError> {
        let mut found: Vec<Webhook> = Vec::new();
        for some in ids.chunks(NUMBERS_AT_ONCE) {
            let some: Vec<_> = some.iter().map(String::as_str).collect();
            let select = query_as(formatcp!(
                "SELECT {COLUMNS} FROM webhooks WHERE merchant = ? AND id IN ({NUMBERS})"
            ));
            let rows = bind_numbers(select.bind(self.merchant), &some);
            found.extend(rows.fetch_all(&self.readers).await?);
        }
        Ok(found)
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
             WHERE merchant = ?6
               AND (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR event_type = ?2)
               AND (?3 IS NULL OR created_ms < ?3 OR (created_ms = ?3 AND id > ?4))
             ORDER BY created_ms DESC, id LIMIT ?5"
        ))
        .bind(filter.state.map(Delivery::as_str))
        .bind(filter.event_type.clone())
        .bind(before_ms)
        .bind(before_id)
        .bind(limit)
        .bind(self.merchant)
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
        self.execute(statement).await?;
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
        self.execute(statement).await?;
        Ok(())
    }

    /// Schedules a message to be sent again to every target. Its tries start from the first one.
    pub(crate) async fn resend(&self, id: &str, now_ms: i64) -> Result<(), LedgerError> {
        self.whole(|| async {
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
        })
        .await
    }

    /// Schedules all messages of a state and a type to be sent again, to the targets that have not
    /// accepted them. Their tries start from the first one. Returns the number of messages.
    pub(crate) async fn resend_all(
        &self,
        state: Delivery,
        event_type: Option<&str>,
        now_ms: i64,
    ) -> Result<u64, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            query(
                "INSERT INTO due_work (merchant, kind, subject, due_ms, set_ms)
                 SELECT merchant, ?1, id, ?2, ?2 FROM webhooks
                 WHERE merchant = ?5 AND state = ?3 AND (?4 IS NULL OR event_type = ?4)
                 ON CONFLICT (merchant, kind, subject)
                 DO UPDATE SET due_ms = ?2, set_ms = ?2, tries = 0",
            )
            .bind(Work::SendWebhook.as_str())
            .bind(now_ms)
            .bind(state.as_str())
            .bind(event_type)
            .bind(self.merchant)
            .execute(&mut write)
            .await?;
            let changed = query(
                "UPDATE webhooks SET state = 'pending'
                 WHERE merchant = ?3 AND state = ?1 AND (?2 IS NULL OR event_type = ?2)",
            )
            .bind(state.as_str())
            .bind(event_type)
            .bind(self.merchant)
            .execute(&mut write)
            .await?;
            write.commit().await?;
            Ok(changed)
        })
        .await
    }
}
