//! Sessions of the desk. The ledger has only a hash of a session's token, so that a copy of the
//! database opens no desk. When a session ends is decided in [`crate::orders::desk`].

use ledger_database::{query, query_as, row};

use super::desk_actions::{NewDeskAction, insert};
use super::{Ledger, LedgerError};

/// A session, with the merchant whose desk it opens.
#[derive(Clone, Debug)]
pub(crate) struct DeskSession {
    pub(crate) mchid: String,
    pub(crate) key_mark: String,
    pub(crate) begun_ms: i64,
    pub(crate) seen_ms: i64,
}

row! {
    DeskSession { mchid, key_mark, begun_ms, seen_ms }
}

impl Ledger {
    /// Records a session of this merchant's desk with its sign-in, and forgets those of all merchants
    /// that began before `forget_before_ms`.
    pub(crate) async fn begin_desk_session(
        &self,
        token_sha256: &str,
        key_mark: &str,
        sign_in: &NewDeskAction<'_>,
        forget_before_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            query("DELETE FROM desk_sessions WHERE begun_ms < ?")
                .bind(forget_before_ms)
                .execute(&mut write)
                .await?;
            query(
                "INSERT INTO desk_sessions (token_sha256, merchant, key_mark, begun_ms, seen_ms)
                 VALUES (?1, ?2, ?3, ?4, ?4)",
            )
            .bind(token_sha256)
            .bind(self.merchant)
            .bind(key_mark)
            .bind(sign_in.at_ms)
            .execute(&mut write)
            .await?;
            insert(&mut write, sign_in).await?;
            write.commit().await
        })
        .await
    }

    /// The session of a token, of any merchant in the database.
    pub(crate) async fn desk_session(
        &self,
        token_sha256: &str,
    ) -> Result<Option<DeskSession>, LedgerError> {
        let found = query_as(
            "SELECT owner.mchid, desk_sessions.key_mark, desk_sessions.begun_ms,
                    desk_sessions.seen_ms
             FROM desk_sessions JOIN owner ON owner.no = desk_sessions.merchant
             WHERE desk_sessions.token_sha256 = ?",
        )
        .bind(token_sha256)
        .fetch_optional(&self.readers)
        .await?;
        Ok(found)
    }

    /// Records that a session was used.
    pub(crate) async fn note_desk_session(
        &self,
        token_sha256: &str,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let statement = query("UPDATE desk_sessions SET seen_ms = ? WHERE token_sha256 = ?")
            .bind(now_ms)
            .bind(token_sha256);
        self.execute(statement).await?;
        Ok(())
    }

    /// Ends a session, with its sign-out. A session that has ended already stays ended, and no second
    /// sign-out is recorded.
    pub(crate) async fn end_desk_session(
        &self,
        token_sha256: &str,
        sign_out: &NewDeskAction<'_>,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let ended = query("DELETE FROM desk_sessions WHERE token_sha256 = ? AND merchant = ?")
                .bind(token_sha256)
                .bind(self.merchant)
                .execute(&mut write)
                .await?;
            if ended > 0 {
                insert(&mut write, sign_out).await?;
            }
            write.commit().await
        })
        .await
    }
}
