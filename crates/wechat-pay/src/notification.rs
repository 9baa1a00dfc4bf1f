//! Notifications: verify the raw bytes, read the envelope, open the resource; and, for WeChat's
//! side, seal and sign them.
//!
//! The body must be the bytes as they came. A body that was read as JSON and written anew does
//! not verify, and that is the commonest fault in the field.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    aead::{self, AeadError, ApiV3Key, SealedResource},
    beijing::beijing_time,
    partner::PartnerTransaction,
    refund_answer::RefundNotice,
    signature::{SignatureError, verify_signed},
    transaction::Transaction,
    trust::TrustedKeys,
};

/// The event of a payment that was made.
pub const TRANSACTION_SUCCESS: &str = "TRANSACTION.SUCCESS";

/// A notification that WeChat signed, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// WeChat's id of the notification; the same on every try.
    pub id: String,
    /// When it was made, RFC 3339.
    pub create_time: String,
    /// [`TRANSACTION_SUCCESS`], or another word, which is kept.
    pub event_type: String,
    /// For people, in Chinese.
    pub summary: String,
    /// What it is about.
    pub resource: NotifiedResource,
}

/// What a notification is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotifiedResource {
    /// A payment.
    Transaction(Box<Transaction>),
    /// A payment for a sub-merchant (partner mode).
    PartnerTransaction(Box<PartnerTransaction>),
    /// A refund's end: it arrived, it cannot arrive, or it was given up.
    Refund(Box<RefundNotice>),
    /// Something that this crate does not read; its plaintext is given as it was sealed.
    Other {
        /// WeChat's word for it.
        original_type: String,
        /// The opened bytes.
        plaintext: Vec<u8>,
    },
}

/// Why a notification is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// WeChat did not sign this, or not now. Nothing in it was looked at.
    #[error("the notification is not believed: {0}")]
    Signature(#[from] SignatureError),
    /// Signed, and yet not the documented JSON.
    #[error("the notification is not in the documented form")]
    Envelope,
    /// Signed, and does not open: most likely the APIv3 key in the configuration is another.
    #[error("the notification's resource cannot be opened: {0}")]
    Opening(#[from] AeadError),
    /// Opened, and what is inside is not in the documented form.
    #[error("the notification's resource is not in the documented form")]
    Resource,
    /// It says that a payment was made or a refund ended, and what is inside says otherwise.
    #[error("the notification's event and its resource contradict each other")]
    Contradiction,
}

impl NotificationError {
    /// Whether this is WeChat's own probe: answer with [`NotificationError::status`] and raise
    /// no alarm.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        matches!(self, Self::Signature(SignatureError::Probe))
    }

    /// The status to answer with. Anything but 200 and 204 makes WeChat try again later.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Signature(_) => StatusCode::UNAUTHORIZED,
            Self::Envelope | Self::Resource | Self::Contradiction => StatusCode::BAD_REQUEST,
            // The sender did all right: the key is ours.
            Self::Opening(_) => StatusCode::INTERNAL_SERVER_ERROR,
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

/// Verifies, then reads, then opens. `body` must be the raw bytes; `now_s` is the reader's clock.
pub fn open_notification(
    headers: &HeaderMap,
    body: &[u8],
    keys: &TrustedKeys,
    api_v3_key: &ApiV3Key,
    now_s: i64,
) -> Result<Notification, NotificationError> {
    verify_signed(headers, body, keys, now_s)?;
    let envelope: Envelope =
        serde_json::from_slice(body).map_err(|_| NotificationError::Envelope)?;
    let plaintext = aead::open(api_v3_key, &envelope.resource)?;
    let resource = match envelope.resource.original_type.as_deref() {
        Some("transaction") => read_transaction(&envelope.event_type, &plaintext)?,
        Some("refund") => read_refund(&envelope.event_type, &plaintext)?,
        other => NotifiedResource::Other {
            original_type: other.unwrap_or_default().to_owned(),
            plaintext,
        },
    };
    Ok(Notification {
        id: envelope.id,
        create_time: envelope.create_time,
        event_type: envelope.event_type,
        summary: envelope.summary,
        resource,
    })
}

/// A notification that is to be sent: what only a stand-in for WeChat Pay does. The sealed body
/// is signed with [`crate::PlatformKey::sign_headers`], anew for each try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationDraft {
    /// The id; the same on every try.
    pub id: String,
    /// When it is made.
    pub create_time: Timestamp,
    /// [`TRANSACTION_SUCCESS`] and the like.
    pub event_type: String,
    /// For people, in Chinese.
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
            id: self.id.clone(),
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
    id: String,
    #[serde(default)]
    create_time: String,
    #[serde(default)]
    resource_type: String,
    event_type: String,
    #[serde(default)]
    summary: String,
    resource: SealedResource,
}

fn read_transaction(
    event_type: &str,
    plaintext: &[u8],
) -> Result<NotifiedResource, NotificationError> {
    let mode: Mode = read(plaintext)?;
    let (state, resource) = if mode.sp_mchid.is_some() {
        let transaction: PartnerTransaction = read(plaintext)?;
        (
            transaction.trade_state.clone(),
            NotifiedResource::PartnerTransaction(Box::new(transaction)),
        )
    } else {
        let transaction: Transaction = read(plaintext)?;
        (
            transaction.trade_state.clone(),
            NotifiedResource::Transaction(Box::new(transaction)),
        )
    };
    if event_type == TRANSACTION_SUCCESS && !state.is_paid() {
        return Err(NotificationError::Contradiction);
    }
    Ok(resource)
}

fn read_refund(event_type: &str, plaintext: &[u8]) -> Result<NotifiedResource, NotificationError> {
    let notice: RefundNotice = read(plaintext)?;
    if !notice.agrees_with(event_type) {
        return Err(NotificationError::Contradiction);
    }
    Ok(NotifiedResource::Refund(Box::new(notice)))
}

/// Only a service provider's notifications name an `sp_mchid`.
#[derive(Deserialize)]
struct Mode {
    #[serde(default)]
    sp_mchid: Option<serde::de::IgnoredAny>,
}

fn read<T: DeserializeOwned>(plaintext: &[u8]) -> Result<T, NotificationError> {
    serde_json::from_slice(plaintext).map_err(|_| NotificationError::Resource)
}

#[cfg(test)]
mod tests;
