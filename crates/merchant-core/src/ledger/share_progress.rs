//! What comes of a share, a release or a return: sent, reported by WeChat, refused. Each report is
//! recorded once, whether it comes twice, late or in another order.

use const_format::formatcp;
use ledger_database::{query, query_as};
use merchant_api::{ShareData, ShareKind, ShareResult, ShareState, SharedWith, WebhookEvent};

use super::share_state::moves;
use super::shares::{COLUMNS, find_share, stored_receivers, waits_for_older};
use super::{Ledger, LedgerError, Sending, Share, Wait, Work, Write, orders, outbox, schedule};

/// How long a share waits for an older one of its order.
const AFTER_OLDER_MS: i64 = 5_000;

/// WeChat's report about a share, a release or a return. It was verified, and matches the ledger.
#[derive(Clone, Debug)]
pub(crate) struct ShareUpdate {
    pub(crate) state: ShareState,
    pub(crate) wechat_number: String,
    /// The receivers with their results.
    pub(crate) receivers: Vec<SharedWith>,
    /// When to query again, if it moves into this state.
    pub(crate) next_look_ms: Option<i64>,
}

/// WeChat's refusal.
#[derive(Clone, Debug)]
pub(crate) struct ShareRefusal {
    /// When it was sent.
    pub(crate) sent_ms: i64,
    pub(crate) wechat_code: String,
    pub(crate) wechat_message: String,
}

impl Ledger {
    /// Allows sending a share that waits for it, after the older ones of its order. It is recorded as
    /// sent *before* it is sent: after a crash, WeChat is queried first.
    pub(crate) async fn claim_share(
        &self,
        share: &Share,
        now_ms: i64,
    ) -> Result<Sending, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            orders::lock(&mut write, share.order_id).await?;
            if waits_for_older(&mut write, share).await? {
                return Ok(Sending::NotBefore(now_ms + AFTER_OLDER_MS));
            }
            let claimed =
                query("UPDATE shares SET sent_ms = ? WHERE id = ? AND state = 'requested'")
                    .bind(now_ms)
                    .bind(share.id)
                    .execute(&mut write)
                    .await?;
            write.commit().await?;
            Ok(if claimed > 0 {
                Sending::Granted
            } else {
                Sending::MovedOn
            })
        })
        .await
    }

    /// Records WeChat's report. Returns the share if the report moved it.
    pub(crate) async fn record_share(
        &self,
        share: &Share,
        update: &ShareUpdate,
        now_ms: i64,
    ) -> Result<Option<Share>, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            orders::lock(&mut write, share.order_id).await?;
            let known = find_share(self.merchant, &mut write, &share.number).await?;
            let Some(known) = known.filter(|known| moves(known.state, update.state)) else {
                return Ok(None);
            };
            let moved: Share = query_as(formatcp!(
                "UPDATE shares SET state = ?1, state_ms = ?2, wechat_number = ?3, receivers = ?4,
                                   wechat_code = NULL, wechat_message = NULL,
                                   sent_ms = COALESCE(sent_ms, ?2)
                 WHERE id = ?5 RETURNING {COLUMNS}"
            ))
            .bind(update.state.as_str())
            .bind(now_ms)
            .bind(&update.wechat_number)
            .bind(stored_receivers(&update.receivers)?)
            .bind(known.id)
            .fetch_one(&mut write)
            .await?;
            match update.next_look_ms {
                Some(to_ms) => {
                    let from_ms = now_ms;
                    let wait = Wait { from_ms, to_ms };
                    schedule::schedule(&mut write, Work::Share, &moved.number, wait).await?;
                }
                None => schedule::forget(&mut write, Work::Share, &moved.number).await?,
            }
            put_webhook(&mut write, &moved, now_ms).await?;
            orders::grow_version(&mut write, moved.order_id).await?;
            write.commit().await?;
            self.changes.announce(moved.order_id);
            Ok(Some(moved))
        })
        .await
    }

    /// Records that WeChat refused a share when it was last sent. A report that came meanwhile takes
    /// precedence.
    pub(crate) async fn refuse_share(
        &self,
        share: &Share,
        refusal: &ShareRefusal,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            orders::lock(&mut write, share.order_id).await?;
            let refused: Option<Share> = query_as(formatcp!(
                "UPDATE shares SET state = 'refused', state_ms = ?1, refusals = refusals + 1,
                                   wechat_code = ?2, wechat_message = ?3
                 WHERE id = ?4 AND state = 'requested' AND sent_ms = ?5 RETURNING {COLUMNS}"
            ))
            .bind(now_ms)
            .bind(&refusal.wechat_code)
            .bind(&refusal.wechat_message)
            .bind(share.id)
            .bind(refusal.sent_ms)
            .fetch_optional(&mut write)
            .await?;
            let Some(refused) = refused else {
                return Ok(());
            };
            schedule::forget(&mut write, Work::Share, &refused.number).await?;
            put_webhook(&mut write, &refused, now_ms).await?;
            orders::grow_version(&mut write, refused.order_id).await?;
            write.commit().await?;
            self.changes.announce(refused.order_id);
            Ok(())
        })
        .await
    }

    /// Stores why a share could not be sent yet, for people.
    pub(crate) async fn postpone_share(
        &self,
        share: &Share,
        wechat_code: Option<&str>,
        wechat_message: &str,
    ) -> Result<(), LedgerError> {
        let statement = query(
            "UPDATE shares SET wechat_code = ?, wechat_message = ?
             WHERE id = ? AND state = 'requested'",
        )
        .bind(wechat_code)
        .bind(wechat_message)
        .bind(share.id);
        self.execute(statement).await?;
        Ok(())
    }

    /// Schedules the next step of a share, replacing the scheduled one.
    pub(crate) async fn schedule_share(
        &self,
        number: &str,
        now_ms: i64,
        at_ms: i64,
    ) -> Result<(), LedgerError> {
        let wait = Wait {
            from_ms: now_ms,
            to_ms: at_ms,
        };
        self.schedule(Work::Share, number, wait).await
    }

    /// Has a share queried now that is not final, because WeChat told a receiver of it.
    pub(crate) async fn hurry_share(&self, number: &str, now_ms: i64) -> Result<(), LedgerError> {
        let Some(share) = self.share(number).await? else {
            return Ok(());
        };
        match share.state {
            ShareState::Requested | ShareState::Processing => {
                self.schedule_share(number, now_ms, now_ms).await
            }
            ShareState::Refused | ShareState::Finished => Ok(()),
        }
    }
}

/// Sends the merchant's backend a message about the new state.
async fn put_webhook(write: &mut Write, share: &Share, now_ms: i64) -> Result<(), LedgerError> {
    let is_return = share.kind == ShareKind::Return;
    let came_back = share
        .receivers
        .iter()
        .all(|receiver| receiver.result == ShareResult::Succeeded);
    let event = match share.state {
        ShareState::Finished if !is_return => WebhookEvent::ShareFinished,
        ShareState::Finished if came_back => WebhookEvent::ShareReturned,
        ShareState::Finished => WebhookEvent::ShareReturnFailed,
        ShareState::Refused if is_return => WebhookEvent::ShareReturnFailed,
        ShareState::Refused => WebhookEvent::ShareRefused,
        ShareState::Requested | ShareState::Processing => return Ok(()),
    };
    let Some(order) = orders::find(&mut *write, share.order_id).await? else {
        return Ok(());
    };
    // Refused again after another try: a new message.
    let key = format!("{}\n{}", share.number, share.refusals);
    let data = data(orders::order_data(&order), share);
    outbox::put(write, event(data), &key, now_ms).await
}

fn data(order: merchant_api::OrderData, share: &Share) -> ShareData {
    let number = share.number.clone();
    let (share_no, return_no) = match &share.share_number {
        Some(share_number) => (share_number.clone(), Some(number)),
        None => (number, None),
    };
    let giving = share.receivers.first();
    ShareData {
        order,
        share_no,
        fail_reason: giving
            .filter(|_| return_no.is_some())
            .and_then(|giving| giving.fail_reason.clone()),
        return_no,
        kind: share.kind,
        state: share.state,
        amount_fen: share.amount_fen,
        succeeded_fen: share.succeeded_fen(),
        wechat_code: share.wechat_code.clone(),
    }
}
