//! The OAuth redirect for the openid: states that are sent once and may return twice, and payer
//! handles.

use ledger_database::{query, query_as, row};
use merchant_api::AttemptProduct;
use payment_values::OpenId;

use super::{Ledger, LedgerError, attempts, orders};

/// What the ledger knows about a state that a browser brings back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StateFound {
    /// It is valid and was not answered yet.
    Open {
        /// The order that it was made for.
        order_id: i64,
        /// The address of the page that the buyer came from.
        return_url: String,
        /// Whether another call has begun to query WeChat with the code of this state.
        was_begun: bool,
    },
    /// It is valid, and the same code was answered with this handle.
    Answered { return_url: String, handle: String },
    /// It has expired, or was used with another code: the buyer returns to the page and starts again.
    Over { return_url: String },
    /// This server did not create it, or it was deleted long ago.
    Unknown,
}

/// A payer handle that may be used for the order it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PayerHandle {
    pub(crate) handle: String,
    pub(crate) openid: OpenId,
}

/// How long expired rows are kept, in milliseconds: a clock that is ahead for a moment must not
/// delete the states of buyers who are on their way.
const KEPT_AFTER_MS: i64 = 24 * 3_600_000;

/// A row of `oauth_states`.
struct OauthState {
    order_id: i64,
    return_url: String,
    expires_ms: i64,
    used_ms: Option<i64>,
    code_sha256: Option<String>,
    handle: Option<String>,
}

row! {
    OauthState {
        order_id,
        return_url,
        expires_ms,
        used_ms,
        code_sha256,
        handle,
    }
}

/// A row of `payer_handles`.
struct KeptPayer {
    openid: OpenId,
    expires_ms: i64,
    used_by_attempt: Option<u64>,
}

row! {
    KeptPayer {
        openid,
        expires_ms,
        used_by_attempt,
    }
}

impl Ledger {
    /// Stores a state before the buyer is redirected with it. Deletes states that expired a day
    /// ago.
    pub(crate) async fn keep_oauth_state(
        &self,
        state: &str,
        order_id: i64,
        return_url: &str,
        now_ms: i64,
        expires_ms: i64,
    ) -> Result<(), LedgerError> {
        let over = query("DELETE FROM oauth_states WHERE expires_ms <= ?");
        let over = over.bind(now_ms - KEPT_AFTER_MS);
        self.execute(over).await?;
        let kept = query(
            "INSERT INTO oauth_states (state, order_id, return_url, expires_ms) VALUES (?, ?, ?, ?)",
        )
        .bind(state)
        .bind(order_id)
        .bind(return_url)
        .bind(expires_ms);
        self.execute(kept).await?;
        Ok(())
    }

    /// Looks up a state without changing it. `code_sha256` is the hash of the code that came with
    /// it.
    pub(crate) async fn oauth_state(
        &self,
        state: &str,
        code_sha256: Option<&str>,
        now_ms: i64,
    ) -> Result<StateFound, LedgerError> {
        let found: Option<OauthState> = query_as(
            "SELECT order_id, return_url, expires_ms, used_ms, code_sha256, handle
             FROM oauth_states
             WHERE state = ? AND order_id IN (SELECT id FROM orders WHERE merchant = ?)",
        )
        .bind(state)
        .bind(self.merchant)
        .fetch_optional(&self.readers)
        .await?;
        let Some(found) = found else {
            return Ok(StateFound::Unknown);
        };
        let return_url = found.return_url;
        if found.expires_ms <= now_ms {
            return Ok(StateFound::Over { return_url });
        }
        let Some(handle) = found.handle else {
            return Ok(StateFound::Open {
                order_id: found.order_id,
                return_url,
                was_begun: found.used_ms.is_some(),
            });
        };
        if code_sha256.is_some() && found.code_sha256.as_deref() == code_sha256 {
            return Ok(StateFound::Answered { return_url, handle });
        }
        Ok(StateFound::Over { return_url })
    }

    /// Records that WeChat is about to be queried for the openid of a state's code, unless another
    /// server does so at this moment. Returns whether it was recorded. A time in the future means that
    /// the clock was set back; it is ignored.
    pub(crate) async fn claim_oauth_state(
        &self,
        state: &str,
        now_ms: i64,
        claim_ms: i64,
    ) -> Result<bool, LedgerError> {
        let claimed = query(
            "UPDATE oauth_states SET used_ms = ?1
             WHERE state = ?2 AND handle IS NULL
               AND (used_ms IS NULL OR used_ms <= ?1 - ?3 OR used_ms > ?1)",
        )
        .bind(now_ms)
        .bind(state)
        .bind(claim_ms);
        Ok(self.execute(claimed).await? > 0)
    }

    /// Records that nobody queries WeChat for a state any more, and that its code may still be good.
    pub(crate) async fn release_oauth_state(&self, state: &str) -> Result<(), LedgerError> {
        let released = query("UPDATE oauth_states SET used_ms = 0 WHERE state = ?").bind(state);
        self.execute(released).await?;
        Ok(())
    }

    /// Stores the answer to a state, for a repeated call.
    pub(crate) async fn answer_oauth_state(
        &self,
        state: &str,
        code_sha256: &str,
        handle: &str,
    ) -> Result<(), LedgerError> {
        let answered = query(
            "UPDATE oauth_states SET code_sha256 = ?, handle = ?
             WHERE state = ? AND handle IS NULL",
        )
        .bind(code_sha256)
        .bind(handle)
        .bind(state);
        self.execute(answered).await?;
        Ok(())
    }

    /// Stores an openid under a handle, for one order. Deletes handles that can no longer be used.
    pub(crate) async fn keep_payer(
        &self,
        handle: &str,
        order_id: i64,
        openid: &OpenId,
        now_ms: i64,
        expires_ms: i64,
    ) -> Result<(), LedgerError> {
        let over = query(
            "DELETE FROM payer_handles
             WHERE expires_ms <= ?
               AND (used_by_attempt IS NULL
                    OR order_id IN (SELECT id FROM orders WHERE state <> 'open'))",
        )
        .bind(now_ms - KEPT_AFTER_MS);
        self.execute(over).await?;
        let kept = query(
            "INSERT INTO payer_handles (handle, order_id, openid, expires_ms) VALUES (?, ?, ?, ?)",
        )
        .bind(handle)
        .bind(order_id)
        .bind(openid)
        .bind(expires_ms);
        self.execute(kept).await?;
        Ok(())
    }

    /// The payer behind a handle, if it may be used for this order now.
    ///
    /// A handle is used once: by the attempt that it starts. While that attempt is the order's
    /// current one, the handle stays valid, because an answer can get lost, and a dismissed cashier
    /// can be opened again. After another device takes over, or for another order, the handle is
    /// invalid.
    pub(crate) async fn payer_of_handle(
        &self,
        handle: &str,
        order_id: i64,
        now_ms: i64,
    ) -> Result<Option<PayerHandle>, LedgerError> {
        let mut read = self.readers.snapshot().await?;
        let kept: Option<KeptPayer> = query_as(
            "SELECT openid, expires_ms, used_by_attempt FROM payer_handles
             WHERE handle = ? AND order_id = ?",
        )
        .bind(handle)
        .bind(order_id)
        .fetch_optional(&mut read)
        .await?;
        let Some(kept) = kept else {
            return Ok(None);
        };
        let is_usable = match kept.used_by_attempt {
            None => kept.expires_ms > now_ms,
            Some(number) => {
                let order = orders::find(&mut read, order_id).await?;
                let attempt = attempts::find(&mut read, order_id, number).await?;
                order.is_some_and(|order| order.current_attempt == number)
                    && attempt.is_some_and(|attempt| attempt.product == AttemptProduct::Jsapi)
            }
        };
        if !is_usable {
            return Ok(None);
        }
        Ok(Some(PayerHandle {
            handle: handle.to_owned(),
            openid: kept.openid,
        }))
    }
}
