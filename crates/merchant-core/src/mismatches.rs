//! The private side of mismatches: payments, refunds and notifications that WeChat signed and that
//! match no order. Nothing here moves money: a person does, and then marks the mismatch as
//! resolved.

mod payer_mask;

use merchant_api::{ErrorCode, MismatchDetails, MismatchList};
pub(crate) use payer_mask::{mask_openids, mask_openids_in_text};

use crate::config::Config;
use crate::input::plain_text;
use crate::ledger::{KeptMismatch, Ledger, LedgerError, MismatchFilter, cut, timestamp};
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::surroundings::{Clock as _, SystemClock};

/// Longest note, in bytes.
const NOTE_MAX_BYTES: usize = 500;

/// The mismatches, newest first. `is_done` selects the resolved ones or the open ones. `before` is
/// the number of the last mismatch that the caller has seen.
pub async fn list(
    payments: &Payments,
    is_done: Option<bool>,
    before: Option<i64>,
    limit: u32,
) -> Result<MismatchList, Refusal> {
    let filter = MismatchFilter {
        is_done,
        before_no: before,
        ..MismatchFilter::default()
    };
    let mut mismatches = payments.ledger.mismatches(filter, limit + 1).await?;
    Ok(MismatchList {
        next_before: cut(&mut mismatches, limit).map(|mismatch| mismatch.no),
        mismatches: mismatches.into_iter().map(details).collect(),
    })
}

/// Marks a mismatch as resolved, so that it stops alerting. `no` is `None` if the given text is no
/// number: then no mismatch has it.
pub async fn finish(
    payments: &Payments,
    no: Option<i64>,
    note: Option<&str>,
) -> Result<MismatchDetails, Refusal> {
    if let Some(rule) = note.and_then(broken_rule) {
        return Err(Refusal::invalid("note", rule));
    }
    let done = match no {
        Some(no) => mark_done(&payments.ledger, no, note, payments.clock.now_ms()).await?,
        None => None,
    };
    done.ok_or_else(|| Refusal::new(ErrorCode::MismatchUnknown, "no mismatch has this number"))
}

/// Whether a mismatch is there and not resolved.
pub async fn is_open(payments: &Payments, no: Option<i64>) -> Result<bool, Refusal> {
    let Some(no) = no else {
        return Ok(false);
    };
    let filter = MismatchFilter {
        is_done: Some(false),
        no: Some(no),
        ..MismatchFilter::default()
    };
    Ok(!payments.ledger.mismatches(filter, 1).await?.is_empty())
}

/// The open mismatches, newest first; with `all` also the resolved ones.
pub async fn list_mismatches(
    config: &Config,
    all: bool,
) -> Result<Vec<MismatchDetails>, LedgerError> {
    let ledger = Ledger::open_as_it_is(config).await?;
    let filter = MismatchFilter {
        is_done: (!all).then_some(false),
        ..MismatchFilter::default()
    };
    let found = ledger.mismatches(filter, u32::MAX).await?;
    Ok(found.into_iter().map(details).collect())
}

/// Why a mismatch could not be marked as resolved.
#[derive(Debug, thiserror::Error)]
pub enum NotFinished {
    /// There is no mismatch with this number.
    #[error("there is no mismatch {0}")]
    Unknown(u32),
    /// The note breaks a rule.
    #[error("the note {0}")]
    Note(&'static str),
    /// The database failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Marks a mismatch as resolved, so that it stops alerting. It can be repeated.
pub async fn finish_mismatch(
    config: &Config,
    no: u32,
    note: Option<&str>,
) -> Result<MismatchDetails, NotFinished> {
    if let Some(rule) = note.and_then(broken_rule) {
        return Err(NotFinished::Note(rule));
    }
    let ledger = Ledger::open_as_it_is(config).await?;
    let now_ms = SystemClock.now_ms();
    mark_done(&ledger, i64::from(no), note, now_ms)
        .await?
        .ok_or(NotFinished::Unknown(no))
}

/// Marks a mismatch as resolved; `None` if there is none with this number.
async fn mark_done(
    ledger: &Ledger,
    no: i64,
    note: Option<&str>,
    now_ms: i64,
) -> Result<Option<MismatchDetails>, LedgerError> {
    ledger.finish_mismatch(no, note, now_ms).await?;
    let only = MismatchFilter {
        no: Some(no),
        ..MismatchFilter::default()
    };
    Ok(ledger.mismatches(only, 1).await?.pop().map(details))
}

/// The rule that a note breaks.
fn broken_rule(note: &str) -> Option<&'static str> {
    if !(1..=NOTE_MAX_BYTES).contains(&note.len()) {
        return Some("must be 1 to 500 bytes of UTF-8");
    }
    plain_text::broken_rule(note)
}

/// A mismatch in the private API's form.
fn details(kept: KeptMismatch) -> MismatchDetails {
    MismatchDetails {
        no: kept.no,
        kind: kept.kind,
        out_trade_no: kept.out_trade_no,
        transaction_id: kept.transaction_id,
        refund_no: kept.out_refund_no,
        refund_id: kept.refund_id,
        sub_mchid: kept.sub_mchid,
        notification_id: kept.notification_id,
        event_type: kept.event_type.filter(|word| !word.is_empty()),
        field: kept.field,
        reason: kept.reason,
        received_at: timestamp(kept.received_ms),
        // A notification that cannot be read need not be JSON: then it is shown as text.
        told: match serde_json::from_str(&kept.resource) {
            Ok(json) => mask_openids(json),
            Err(_) => serde_json::Value::String(mask_openids_in_text(&kept.resource)),
        },
        asked_at: kept.queried_ms.map(timestamp),
        answer: kept.query_answer.as_deref().map(mask_openids_in_text),
        done_at: kept.done_ms.map(timestamp),
        note: kept.note,
    }
}
