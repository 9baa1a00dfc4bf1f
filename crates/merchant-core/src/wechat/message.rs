//! A call before it is signed, in the form of its version: how it is signed for one try, and how
//! its answer is verified. Nothing here sends.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use wechat_pay::bill::BillDownload;
use wechat_pay::v2::{self, ApiV2Key, SignType, VerifiedFields};
use wechat_pay::{Reply, RequestParts, Stamp, TrustedKeys, VerifiedReply};

use super::{BillFile, CallError};
use crate::config::MerchantCertificate;
use crate::surroundings::TransportError;

/// A call as its version has it.
pub(super) enum Message<'a> {
    /// Version 3.
    V3 {
        parts: RequestParts,
        /// The key of WeChat's that the request names.
        reply_key: Option<&'a str>,
    },
    /// Version 2.
    V2 {
        request: v2::Request,
        key: &'a ApiV2Key,
        kind: SignType,
    },
}

/// An answer that can be used.
pub(super) enum Believed {
    /// An answer of version 3 that WeChat signed.
    Signed(VerifiedReply),
    /// An answer of version 2 that WeChat signed.
    Fields(VerifiedFields),
    /// A bill's file. WeChat does not sign it; its hash is checked later. It was written to its
    /// file, or these are its bytes.
    File(Bytes),
}

impl Message<'_> {
    /// The request for one try, signed with the merchant's certificate or the APIv2 key. A request
    /// that needs a TLS certificate has it as an extension.
    pub(super) fn sign(
        &self,
        certificate: &MerchantCertificate,
        stamp: &Stamp,
        origin: &str,
    ) -> Result<http::Request<Bytes>, CallError> {
        match self {
            Self::V3 { parts, reply_key } => {
                let signed = parts.clone().sign(&certificate.key, stamp, *reply_key)?;
                Ok(signed.into_http(origin)?)
            }
            Self::V2 { request, key, kind } => {
                let signed = request.sign(key, *kind, stamp);
                let needs_certificate = signed.needs_certificate();
                let mut request = signed.into_http(origin)?;
                if needs_certificate {
                    let identity = certificate.identity.clone();
                    let identity = identity.ok_or(CallError::NoCertificate)?;
                    request.extensions_mut().insert(identity);
                }
                Ok(request)
            }
        }
    }

    /// Whether an answer may be a bill's file, from its head alone. In version 2 a refusal has the
    /// same head.
    pub(super) fn may_be_file(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        match self {
            Self::V3 { .. } => BillDownload::is_file(status, headers),
            Self::V2 { .. } => status == StatusCode::OK,
        }
    }

    /// The refusal of version 2 that came in the place of a bill's file; empty if it is a bill.
    pub(super) async fn refusal_in(&self, file: &BillFile) -> Result<Bytes, TransportError> {
        if let Self::V3 { .. } = self {
            return Ok(Bytes::new());
        }
        let unread = |error| TransportError::NoAnswer(format!("the bill's file is lost: {error}"));
        let mut piece = Vec::new();
        file.rewind().await.map_err(unread)?;
        file.read_piece(&mut piece).await.map_err(unread)?;
        Ok(if v2::is_xml(&piece) {
            piece.into()
        } else {
            Bytes::new()
        })
    }

    /// Verifies an answer. `is_file` says whether it may be a bill's file.
    pub(super) fn judge(
        &self,
        reply: Reply,
        keys: &TrustedKeys,
        now_s: i64,
        is_file: bool,
    ) -> Result<Believed, CallError> {
        match self {
            Self::V3 { .. } if is_file => {
                Ok(BillDownload::file(reply, keys, now_s).map(Believed::File)?)
            }
            Self::V3 { .. } => Ok(reply.verify(keys, now_s).map(Believed::Signed)?),
            // The file itself is in its place already.
            Self::V2 { .. }
                if is_file && reply.status == StatusCode::OK && reply.body.is_empty() =>
            {
                Ok(Believed::File(Bytes::new()))
            }
            Self::V2 { key, kind, .. } => {
                let answer = v2::Answer {
                    status: reply.status,
                    body: reply.body,
                };
                Ok(answer.verify(key, *kind).map(Believed::Fields)?)
            }
        }
    }
}
