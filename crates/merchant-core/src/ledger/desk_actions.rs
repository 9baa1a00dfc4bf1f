//! The journal of the desk: who did what, when, and about which order. Rows are added, and get their
//! outcome once; no row is changed after that or removed.

use const_format::formatcp;
use ledger_database::{query, query_as, query_scalar, row};

use super::{Ledger, LedgerError, Write};

const COLUMNS: &str = "id, at_ms, key_name, action, order_no, subject, outcome";

/// An action in the journal.
#[derive(Clone, Debug)]
pub(crate) struct DeskAction {
    pub(crate) id: i64,
    pub(crate) at_ms: i64,
    pub(crate) key_name: String,
    pub(crate) action: String,
    pub(crate) order_no: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) outcome: Option<String>,
}

row! {
    DeskAction { id, at_ms, key_name, action, order_no, subject, outcome }
}

/// An action that begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewDeskAction<'a> {
    pub(crate) at_ms: i64,
    pub(crate) key_name: &'a str,
    pub(crate) action: &'static str,
    pub(crate) order_no: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) outcome: Option<&'a str>,
}

impl Ledger {
    /// Records an action before it begins; returns its id.
    pub(crate) async fn note_desk_action(
        &self,
        new: &NewDeskAction<'_>,
    ) -> Result<i64, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let id = insert(&mut write, new).await?;
            write.commit().await?;
            Ok(id)
        })
        .await
    }

    /// Records how an action ended. The first outcome counts.
    pub(crate) async fn note_desk_outcome(
        &self,
        id: i64,
        outcome: &str,
    ) -> Result<(), LedgerError> {
        let statement = query(
            "UPDATE desk_actions SET outcome = ? WHERE id = ? AND merchant = ? AND outcome IS NULL",
        )
        .bind(outcome)
        .bind(id)
        .bind(self.merchant);
        self.execute(statement).await?;
        Ok(())
    }

    /// The actions at this merchant's desk, newest first, before the one with this id.
    pub(crate) async fn desk_actions(
        &self,
        before_id: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeskAction>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM desk_actions WHERE merchant = ?1 AND (?2 IS NULL OR id < ?2)
             ORDER BY id DESC LIMIT ?3"
        ))
        .bind(self.merchant)
        .bind(before_id)
        .bind(limit)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// The actions about an order, oldest first.
    pub(crate) async fn desk_actions_of(
        &self,
        order_no: &str,
    ) -> Result<Vec<DeskAction>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM desk_actions WHERE merchant = ? AND order_no = ? ORDER BY id"
        ))
        .bind(self.merchant)
        .bind(order_no)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }
}

pub(super) async fn insert(write: &mut Write, new: &NewDeskAction<'_>) -> Result<i64, LedgerError> {
    let id = query_scalar(
        "INSERT INTO desk_actions (merchant, at_ms, key_name, action, order_no, subject, outcome)
         VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(write.merchant())
    .bind(new.at_ms)
    .bind(new.key_name)
    .bind(new.action)
    .bind(new.order_no)
    .bind(new.subject)
    .bind(new.outcome)
    .fetch_one(&mut *write)
    .await?;
    Ok(id)
}
