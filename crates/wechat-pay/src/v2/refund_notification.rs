//! The refund notification of version 2: XML around `req_info`, which is AES-256-ECB in base64
//! under a key made of the APIv2 key.

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use md5::{Digest, Md5};
use payment_values::Fen;
use zeroize::Zeroizing;

use super::fields::Fields;
use super::key::ApiV2Key;
use super::refunds::RefundStatus;
use super::xml::{XmlError, write_flat};
use crate::hex::lower_hex;

/// A refund in a notification of version 2. It is not signed: query the refund before acting on
/// it. Only the number for this query is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundNotification {
    /// The application, from the unencrypted part.
    pub appid: Option<String>,
    /// The merchant number, from the unencrypted part.
    pub mch_id: Option<String>,
    /// WeChat's number of the payment.
    pub transaction_id: Option<String>,
    /// The merchant's number of the payment.
    pub out_trade_no: Option<String>,
    /// WeChat's number of the refund.
    pub refund_id: Option<String>,
    /// The merchant's number of the refund.
    pub out_refund_no: String,
    /// The amount of the order; absent also if it is not a number of fen.
    pub total_fee: Option<Fen>,
    /// The amount of the refund; absent also if it is not a number of fen.
    pub refund_fee: Option<Fen>,
    /// The amount of the refund without coupons; absent also if it is not a number of fen.
    pub settlement_refund_fee: Option<Fen>,
    /// The state of the refund.
    pub refund_status: Option<RefundStatus>,
    /// When it arrived, `2017-12-15 09:46:01` in Beijing; absent until then.
    pub success_time: Option<String>,
    /// The receiving account, for people. WeChat spells the field `refund_recv_accout`.
    pub user_received_account: Option<String>,
}

impl RefundNotification {
    /// When it arrived, if the text has the documented form.
    pub fn success_time(&self) -> Option<Timestamp> {
        let wall: DateTime = self.success_time.as_deref()?.parse().ok()?;
        Offset::constant(8).to_timestamp(wall).ok()
    }
}

/// Why a refund notification of version 2 is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefundNotificationError {
    /// The outer XML is not in the documented form.
    #[error("the notification is not in the documented form: {0}")]
    Envelope(XmlError),
    /// The notification says that something failed.
    #[error("the notification's return_code is not SUCCESS")]
    ReturnCode,
    /// A field is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// `req_info` is no base64.
    #[error("req_info is not base64")]
    Base64,
    /// Another key, or changed content. The most common cause is a wrong APIv2 key in the
    /// configuration.
    #[error("req_info does not open with this APIv2 key")]
    Opening,
    /// Decrypted, and the content is not in the documented form.
    #[error("the content of req_info is not in the documented form: {0}")]
    Sealed(XmlError),
}

/// Reads and decrypts. The content proves nothing; see the module.
pub fn open_refund_notification(
    body: &[u8],
    key: &ApiV2Key,
) -> Result<RefundNotification, RefundNotificationError> {
    let outer = Fields::read(body).map_err(RefundNotificationError::Envelope)?;
    if outer
        .get("return_code")
        .is_some_and(|code| code != "SUCCESS")
    {
        return Err(RefundNotificationError::ReturnCode);
    }
    let sealed = required(&outer, "req_info")?;
    let opened = decrypt(key, &sealed)?;
    let inner = Fields::read_root(&opened, "root").map_err(RefundNotificationError::Sealed)?;
    Ok(RefundNotification {
        appid: outer.optional("appid"),
        mch_id: outer.optional("mch_id"),
        transaction_id: inner.optional("transaction_id"),
        out_trade_no: inner.optional("out_trade_no"),
        refund_id: inner.optional("refund_id"),
        out_refund_no: required(&inner, "out_refund_no")?,
        total_fee: inner.optional_fen("total_fee"),
        refund_fee: inner.optional_fen("refund_fee"),
        settlement_refund_fee: inner.optional_fen("settlement_refund_fee"),
        refund_status: inner.optional("refund_status").map(RefundStatus::from),
        success_time: inner.optional("success_time"),
        user_received_account: inner.optional("refund_recv_accout"),
    })
}

/// A refund notification to send, for an implementation of WeChat's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundNotificationDraft {
    /// The refund.
    pub refund: RefundNotification,
    /// Random text, outside of the sealed part.
    pub nonce_str: String,
    /// `API` or `VENDOR_PLATFORM` (the merchant portal).
    pub refund_request_source: String,
}

impl RefundNotificationDraft {
    /// The XML body.
    pub fn seal(&self, key: &ApiV2Key) -> Result<Vec<u8>, RefundNotificationError> {
        let refund = &self.refund;
        let fen = |amount: Fen| amount.get().to_string();
        let (total_fee, refund_fee) = (refund.total_fee.map(fen), refund.refund_fee.map(fen));
        let settlement = refund.settlement_refund_fee.map(fen);
        let status = refund.refund_status.as_ref().map(RefundStatus::as_str);
        let account = refund.user_received_account.as_deref().unwrap_or_default();
        let inner = [
            ("out_refund_no", Some(refund.out_refund_no.as_str())),
            ("out_trade_no", refund.out_trade_no.as_deref()),
            ("refund_fee", refund_fee.as_deref()),
            ("refund_id", refund.refund_id.as_deref()),
            ("refund_recv_accout", Some(account)),
            ("refund_request_source", Some(&*self.refund_request_source)),
            ("refund_status", status),
            ("total_fee", total_fee.as_deref()),
            ("transaction_id", refund.transaction_id.as_deref()),
            ("settlement_refund_fee", settlement.as_deref()),
            ("success_time", refund.success_time.as_deref()),
        ];
        let req_info = encrypt(key, write_flat("root", &present(&inner)).into_bytes())?;
        let outer = present(&[
            ("return_code", Some("SUCCESS")),
            ("appid", refund.appid.as_deref()),
            ("mch_id", refund.mch_id.as_deref()),
            ("nonce_str", Some(&self.nonce_str)),
            ("req_info", Some(&req_info)),
        ]);
        Ok(write_flat("xml", &outer).into_bytes())
    }
}

/// The fields that are present.
fn present<'a>(fields: &[(&'a str, Option<&'a str>)]) -> Vec<(&'a str, &'a str)> {
    fields
        .iter()
        .filter_map(|(name, value)| Some((*name, (*value)?)))
        .collect()
}

fn required(fields: &Fields, name: &'static str) -> Result<String, RefundNotificationError> {
    fields
        .optional(name)
        .ok_or(RefundNotificationError::Missing(name))
}

/// The cipher's key: 32 lower-case hex digits, taken as bytes.
fn cipher_key(key: &ApiV2Key) -> Result<UnboundCipherKey, RefundNotificationError> {
    let key = Zeroizing::new(lower_hex(&Md5::digest(key.as_bytes())));
    UnboundCipherKey::new(&AES_256, key.as_bytes()).map_err(|_| RefundNotificationError::Opening)
}

fn decrypt(key: &ApiV2Key, sealed: &str) -> Result<Vec<u8>, RefundNotificationError> {
    let mut bytes = STANDARD
        .decode(sealed)
        .map_err(|_| RefundNotificationError::Base64)?;
    decrypt_ecb(cipher_key(key)?, &mut bytes)
}

fn decrypt_ecb(
    key: UnboundCipherKey,
    bytes: &mut [u8],
) -> Result<Vec<u8>, RefundNotificationError> {
    let opening = |_| RefundNotificationError::Opening;
    // The library's unpadding requires whole blocks.
    if bytes.is_empty() || !bytes.len().is_multiple_of(16) {
        return Err(RefundNotificationError::Opening);
    }
    let key = PaddedBlockDecryptingKey::ecb_pkcs7(key).map_err(opening)?;
    let opened = key
        .decrypt(bytes, DecryptionContext::None)
        .map_err(opening)?;
    Ok(opened.to_vec())
}

fn encrypt(key: &ApiV2Key, bytes: Vec<u8>) -> Result<String, RefundNotificationError> {
    encrypt_ecb(cipher_key(key)?, bytes).map(|bytes| STANDARD.encode(bytes))
}

fn encrypt_ecb(
    key: UnboundCipherKey,
    mut bytes: Vec<u8>,
) -> Result<Vec<u8>, RefundNotificationError> {
    let opening = |_| RefundNotificationError::Opening;
    let key = PaddedBlockEncryptingKey::ecb_pkcs7(key).map_err(opening)?;
    key.encrypt(&mut bytes).map_err(opening)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
