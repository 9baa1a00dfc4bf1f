//! The private side, looking at what fits nothing: real money that WeChat vouches for and that no
//! order explains. Nothing here moves money; a person does, and then marks it done.

mod payer_mask;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use merchant_api::{ErrorCode, FinishMismatch, MismatchDetails, MismatchList};

use crate::config::Scope;
use crate::error::Failure;
use crate::extract::{Backend, PathText, json_body, query, read_body};
use crate::ledger::{KeptMismatch, Ledger, LedgerError, MismatchFilter, timestamp};
use crate::mismatches::payer_mask::{mask_openids, mask_openids_in_text};
use crate::payments::MerchantServer;
use crate::plain_text;

/// Longest note, in bytes.
const NOTE_MAX_BYTES: usize = 500;

/// `GET /v1/mismatches?state&limit&before`
pub(crate) async fn list_mismatches(
    State(server): State<MerchantServer>,
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Json<MismatchList>, Failure> {
    backend.may(Scope::OrdersRead)?;
    let mut filter = MismatchFilter::default();
    let mut limit = query::LIMIT_DEFAULT;
    for (name, value) in query::parameters(&query.unwrap_or_default())? {
        match &*name {
            "state" => {
                filter.is_done = match &*value {
                    "open" => Some(false),
                    "done" => Some(true),
                    _ => return Err(Failure::invalid("state", "must be open or done")),
                }
            }
            "limit" => limit = query::limit(&value)?,
            "before" => {
                let no = number(&value);
                filter.before_no =
                    Some(no.ok_or_else(|| Failure::invalid("before", "must be a number"))?);
            }
            _ => return Err(Failure::invalid(&name, "is not a parameter of this list")),
        }
    }
    let mut mismatches = server.ledger.mismatches(filter, limit + 1).await?;
    Ok(Json(MismatchList {
        next_before: query::cut(&mut mismatches, limit).map(|mismatch| mismatch.no),
        mismatches: mismatches.into_iter().map(details).collect(),
    }))
}

/// `POST /v1/mismatches/{no}/done`
pub(crate) async fn finish_mismatch(
    State(server): State<MerchantServer>,
    backend: Backend,
    PathText(no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<MismatchDetails>, Failure> {
    backend.may(Scope::OrdersWrite)?;
    let body = read_body(body)?;
    // Nothing to note is nothing to send.
    let FinishMismatch { note } = if body.is_empty() {
        FinishMismatch::default()
    } else {
        json_body::read(&body, "a mismatch that is done")?
    };
    if let Some(rule) = note.as_deref().and_then(broken_rule) {
        return Err(Failure::invalid("note", rule));
    }
    let done = match number(&no) {
        Some(no) => finish(&server.ledger, no, note.as_deref(), server.clock.now_ms()).await?,
        None => None,
    };
    done.map(Json)
        .ok_or_else(|| Failure::new(ErrorCode::MismatchUnknown, "no mismatch has this number"))
}

/// Marks one as seen to; `None` where there is none of this number.
pub(crate) async fn finish(
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

/// What a note must be and is not.
pub(crate) fn broken_rule(note: &str) -> Option<&'static str> {
    if !(1..=NOTE_MAX_BYTES).contains(&note.len()) {
        return Some("must be 1 to 500 bytes of UTF-8");
    }
    plain_text::broken_rule(note)
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|no| *no > 0)
}

/// One as the private API shows it.
pub(crate) fn details(kept: KeptMismatch) -> MismatchDetails {
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
