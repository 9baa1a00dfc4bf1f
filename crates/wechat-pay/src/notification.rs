//! Notifications: verify the raw bytes, read the envelope, open the resource; and, for WeChat's
//! side, seal and sign them.
//!
//! The body must be the bytes as they came. A body that was parsed and serialised
//! again does not verify; this is the most common mistake in practice.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::beijing::beijing_time;
use crate::hex::upper_hex;
use crate::json::{ReadJson, Unreadable, read_json};
use crate::keys::trusted::TrustedKeys;
use crate::orders::combined::transaction::{CombinedTransaction, is_combined};
use crate::orders::transaction::Transaction;
use crate::refunds::answer::RefundNotice;
use crate::sealing::aead::{self, AeadError, ApiV3Key, SealedResource};
use crate::sharing::notice::{ShareNotice, is_share_notice};
use crate::signing::signature::{SignatureError, verify_signed};

/// The event of a payment that was made.
pub const TRANSACTION_SUCCESS: &str = "TRANSACTION.SUCCESS";

/// A notification that WeChat signed, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// WeChat's id of the notification; the same on every try. Where WeChat leaves it out, a hash
    /// of the content.
    pub id: String,
    /// When the notification was made, RFC 3339; empty if WeChat leaves it out.
    pub create_time: String,
    /// [`TRANSACTION_SUCCESS`], or another event as WeChat wrote it.
    pub event_type: String,
    /// A summary for people, in Chinese.
    pub summary: String,
    /// The subject.
    pub resource: NotifiedResource,
    /// The decrypted content, as WeChat wrote it. It may name the buyer, so it must not be logged.
    pub plaintext: Vec<u8>,
    /// The paths of optional fields that could not be read, for a log.
    pub left_out: Vec<String>,
}

/// A notification that WeChat signed and whose content cannot be read or contradicts the event. The
/// caller gets all of it, to store it. `Debug` hides the content: it may name the buyer.
#[derive(Clone, PartialEq, Eq)]
pub struct UnreadNotification {
    /// As [`Notification::id`].
    pub id: String,
    /// WeChat's event; empty if WeChat omits it.
    pub event_type: String,
    /// The decrypted content, as WeChat wrote it.
    pub plaintext: Vec<u8>,
    /// The field, and the rule that it breaks.
    pub problem: Unreadable,
}

impl fmt::Debug for UnreadNotification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnreadNotification")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

/// The subject of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotifiedResource {
    /// A payment, in either mode.
    Transaction(Box<Transaction>),
    /// The payment of a combined order, in either mode: every sub-order is paid.
    Combined(Box<CombinedTransaction>),
    /// A refund's result: it arrived, it cannot arrive, or it was closed.
    Refund(Box<RefundNotice>),
    /// A share that arrived at a receiver, or went back from it. WeChat tells receivers alone.
    Share(Box<ShareNotice>),
    /// A kind that this crate does not read; see [`Notification::plaintext`].
    Other {
        /// WeChat's `original_type`; empty if WeChat leaves it out.
        original_type: String,
    },
}

/// Why a notification is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// The signature is not valid, or too old. The body was not read.
    #[error("the notification has no valid signature: {0}")]
    Signature(#[from] SignatureError),
    /// The signature is valid, but the envelope has no sealed resource that can be opened.
    #[error("the notification's envelope cannot be read: {0}")]
    Envelope(Unreadable),
    /// The signature is valid, but the content cannot be decrypted: most likely the configured
    /// APIv3 key is wrong.
    #[error("the notification's resource cannot be opened: {error}")]
    Opening {
        /// WeChat's id of the notification; empty if WeChat omits it.
        id: String,
        /// The cause.
        error: AeadError,
    },
    /// Decrypted, but a field that money or identity depends on cannot be read.
    #[error("the notification's resource cannot be read: {}", .0.problem)]
    Resource(Box<UnreadNotification>),
    /// The event and the content contradict each other.
    #[error("the notification's event and its resource contradict each other: {}", .0.problem)]
    Contradiction(Box<UnreadNotification>),
}

impl NotificationError {
    /// Whether this is WeChat's own probe: answer with [`NotificationError::status`] and raise
    /// no alarm.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        matches!(self, Self::Signature(SignatureError::Probe))
    }

    /// The status to answer with. Any status but 200 and 204 makes WeChat retry.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Signature(_) => StatusCode::UNAUTHORIZED,
            Self::Envelope(_) | Self::Resource(_) | Self::Contradiction(_) => {
                StatusCode::BAD_REQUEST
            }
            // WeChat made no mistake: the key is ours.
            Self::Opening { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// The JSON body of a refusal, `{"code":"FAIL","message":…}`. An acceptance is 204 without body.
#[must_use]
pub fn failure_body(message: &str) -> Bytes {
    serde_json::json!({ "code": "FAIL", "message": message })
        .to_string()
        .into()
}

/// Verifies, then reads, then opens. `body` must be the raw bytes; `now_s` is the caller's clock.
pub fn open_notification(
    headers: &HeaderMap,
    body: &[u8],
    keys: &TrustedKeys,
    api_v3_key: &ApiV3Key,
    now_s: i64,
) -> Result<Notification, NotificationError> {
    verify_signed(headers, body, keys, now_s)?;
    let ReadJson {
        value: envelope,
        mut left_out,
    } = read_json::<Envelope>(body).map_err(NotificationError::Envelope)?;
    let plaintext = match aead::open(api_v3_key, &envelope.resource) {
        Ok(plaintext) => plaintext,
        Err(error) => {
            let id = envelope.id.unwrap_or_default();
            return Err(NotificationError::Opening { id, error });
        }
    };
    let id = envelope.id.unwrap_or_else(|| content_id(&plaintext));
    let event_type = envelope.event_type;
    let original_type = envelope.resource.original_type.unwrap_or_default();
    let read = match Kind::of(&original_type, &event_type, &plaintext) {
        Kind::Transaction => read_transaction(&event_type, &plaintext),
        Kind::Combined => read_combined(&event_type, &plaintext),
        Kind::Refund => read_refund(&event_type, &plaintext),
        Kind::Share => Ok(read_share(&plaintext, original_type)),
        Kind::Other => Ok(other(original_type)),
    };
    match read {
        Ok(read) => {
            left_out.extend(read.left_out);
            Ok(Notification {
                id,
                create_time: envelope.create_time,
                event_type,
                summary: envelope.summary,
                resource: read.value,
                plaintext,
                left_out,
            })
        }
        Err(unread) => {
            let (refusal, problem): (fn(_) -> _, _) = match unread {
                Unread::Field(problem) => (NotificationError::Resource, problem),
                Unread::Contradiction(problem) => (NotificationError::Contradiction, problem),
            };
            Err(refusal(Box::new(UnreadNotification {
                id,
                event_type,
                plaintext,
                problem,
            })))
        }
    }
}

/// A notification to send, for an implementation of WeChat's side. The sealed body
/// is signed with [`crate::PlatformKey::sign_headers`], again for each try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationDraft {
    /// The id; the same on every try.
    pub id: String,
    /// When it is made.
    pub create_time: Timestamp,
    /// The event, such as [`TRANSACTION_SUCCESS`].
    pub event_type: String,
    /// A summary for people, in Chinese.
    pub summary: String,
    /// `transaction`, `refund`.
    pub original_type: String,
    /// The JSON that is sealed.
    pub plaintext: Vec<u8>,
}

impl NotificationDraft {
    /// The body. `nonce` is 12 bytes of ASCII, random.
    pub fn seal(&self, key: &ApiV3Key, nonce: &str) -> Result<Vec<u8>, AeadError> {
        let envelope = Envelope {
            id: Some(self.id.clone()),
            create_time: beijing_time(self.create_time),
            resource_type: "encrypt-resource".to_owned(),
            event_type: self.event_type.clone(),
            summary: self.summary.clone(),
            resource: aead::seal(
                key,
                Some(&self.original_type),
                &self.plaintext,
                &self.original_type,
                nonce,
            )?,
        };
        // Plain structs with text keys: there is nothing in them that JSON cannot carry.
        Ok(serde_json::to_vec(&envelope).unwrap_or_default())
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    id: Option<String>,
    #[serde(default)]
    create_time: String,
    #[serde(default)]
    resource_type: String,
    #[serde(default)]
    event_type: String,
    #[serde(default)]
    summary: String,
    resource: SealedResource,
}

/// The kind of a notification's content.
enum Kind {
    Transaction,
    Combined,
    Refund,
    Share,
    Other,
}

impl Kind {
    /// `original_type` decides if it is given. WeChat uses the event `TRANSACTION.SUCCESS` for
    /// other things than payments, too, so the event decides only if there is no `original_type`. A
    /// notice of shares has come with both words of a payment, and the payment of a combined order has
    /// the words of an ordinary one, so their content decides.
    fn of(original_type: &str, event_type: &str, plaintext: &[u8]) -> Self {
        match original_type {
            "profitsharing" => Self::Share,
            "refund" => Self::Refund,
            _ if event_type.starts_with("PROFITSHARING.") => Self::Share,
            "transaction" | "" if is_share_notice(plaintext) => Self::Share,
            "transaction" if is_combined(plaintext) => Self::Combined,
            "" if event_type.starts_with("TRANSACTION.") && is_combined(plaintext) => {
                Self::Combined
            }
            "transaction" => Self::Transaction,
            "" if event_type.starts_with("TRANSACTION.") => Self::Transaction,
            "" if event_type.starts_with("REFUND.") => Self::Refund,
            _ => Self::Other,
        }
    }
}

/// Why the content is refused.
enum Unread {
    Field(Unreadable),
    Contradiction(Unreadable),
}

impl From<Unreadable> for Unread {
    fn from(problem: Unreadable) -> Self {
        Self::Field(problem)
    }
}

fn read_transaction(
    event_type: &str,
    plaintext: &[u8],
) -> Result<ReadJson<NotifiedResource>, Unread> {
    let ReadJson {
        value: transaction,
        left_out,
    } = read_json::<Transaction>(plaintext)?;
    if event_type == TRANSACTION_SUCCESS && !transaction.trade_state.is_paid() {
        let problem = Unreadable::contradiction("trade_state");
        return Err(Unread::Contradiction(problem));
    }
    Ok(ReadJson {
        value: NotifiedResource::Transaction(Box::new(transaction)),
        left_out,
    })
}

fn read_combined(event_type: &str, plaintext: &[u8]) -> Result<ReadJson<NotifiedResource>, Unread> {
    let ReadJson {
        value: combined,
        left_out,
    } = read_json::<CombinedTransaction>(plaintext)?;
    if event_type == TRANSACTION_SUCCESS && !combined.is_paid() {
        let problem = Unreadable::contradiction("sub_orders");
        return Err(Unread::Contradiction(problem));
    }
    Ok(ReadJson {
        value: NotifiedResource::Combined(Box::new(combined)),
        left_out,
    })
}

fn read_refund(event_type: &str, plaintext: &[u8]) -> Result<ReadJson<NotifiedResource>, Unread> {
    let ReadJson {
        value: notice,
        left_out,
    } = read_json::<RefundNotice>(plaintext)?;
    if !notice.agrees_with(event_type) {
        let problem = Unreadable::contradiction("refund_status");
        return Err(Unread::Contradiction(problem));
    }
    Ok(ReadJson {
        value: NotifiedResource::Refund(Box::new(notice)),
        left_out,
    })
}

/// A notice of shares that cannot be read is one of the other kinds: nothing depends on it.
fn read_share(plaintext: &[u8], original_type: String) -> ReadJson<NotifiedResource> {
    match read_json::<ShareNotice>(plaintext) {
        Ok(ReadJson { value, left_out }) => ReadJson {
            value: NotifiedResource::Share(Box::new(value)),
            left_out,
        },
        Err(_) => other(original_type),
    }
}

fn other(original_type: String) -> ReadJson<NotifiedResource> {
    ReadJson {
        value: NotifiedResource::Other { original_type },
        left_out: Vec::new(),
    }
}

/// The id for a notification without one: the same content gives the same id.
fn content_id(plaintext: &[u8]) -> String {
    let hash = digest(&SHA256, plaintext);
    format!("content-{}", upper_hex(&hash.as_ref()[..16]))
}

#[cfg(test)]
mod tests;
