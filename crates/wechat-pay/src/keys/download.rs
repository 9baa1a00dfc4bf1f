//! `GET /v3/certificates`: WeChat's platform certificates, sealed with the APIv3 key.
//!
//! The reply is signed like any other. If its signer is not known yet (the first download, or a
//! rotation that was missed), the signer must be one of the certificates in the reply itself,
//! opened with the APIv3 key, which only WeChat and the merchant have. This is the only place where
//! a message is parsed before its signature was checked; no part of it is used or returned before
//! that check. If issuers are configured ([`TrustedKeys::require_issuers_pem`]), one of them must
//! also have issued each certificate.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::beijing::beijing_time;
use crate::error::WechatError;
use crate::json::{Unreadable, read_json};
use crate::keys::certificate::read_certificate;
use crate::keys::error::KeyError;
use crate::keys::rsa::PublicKey;
use crate::keys::trusted::{DatedCertificate, TrustedKeys};
use crate::reply::{Reply, ReplyError};
use crate::request::RequestParts;
use crate::sealing::aead::{self, AeadError, ApiV3Key, SealedResource};
use crate::signing::signature::SignatureError;

/// Requests the platform certificates; answered with [`SealedCertificates`], to be read by
/// [`TrustedKeys::refreshed`].
pub fn certificates() -> RequestParts {
    RequestParts::get("/v3/certificates".to_owned())
}

/// The answer's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedCertificates {
    /// One entry for each certificate; two or more while WeChat replaces them.
    pub data: Vec<SealedCertificate>,
}

/// One sealed certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedCertificate {
    /// The certificate's serial number.
    pub serial_no: String,
    /// Start of use, RFC 3339. One of WeChat's samples has a blank in the name. If it is absent,
    /// the certificate's own time counts.
    #[serde(
        default,
        alias = "effective_time ",
        skip_serializing_if = "Option::is_none"
    )]
    pub effective_time: Option<String>,
    /// End of use, RFC 3339; with the same blank in that sample. If it is absent, the certificate's
    /// own time counts.
    #[serde(
        default,
        alias = "expire_time ",
        skip_serializing_if = "Option::is_none"
    )]
    pub expire_time: Option<String>,
    /// The PEM file, sealed.
    pub encrypt_certificate: SealedResource,
}

impl SealedCertificate {
    /// Seals a PEM certificate: for an implementation of WeChat's side. `nonce` is 12 bytes of
    /// ASCII, random.
    pub fn seal(
        key: &ApiV3Key,
        pem: &[u8],
        effective_time: Timestamp,
        expire_time: Timestamp,
        nonce: &str,
    ) -> Result<Self, CertificatesError> {
        let serial_no = read_certificate(pem)?.serial_no;
        let sealed = aead::seal(key, None, pem, "certificate", nonce);
        Ok(Self {
            encrypt_certificate: sealed.map_err(|error| CertificatesError::Opening {
                serial_no: serial_no.clone(),
                error,
            })?,
            serial_no,
            effective_time: Some(beijing_time(effective_time)),
            expire_time: Some(beijing_time(expire_time)),
        })
    }
}

/// Why no certificate of a reply was accepted. The keys that were trusted before remain trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificatesError {
    /// The reply is not a success, or its signature is not valid.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// The reply has no certificate.
    #[error("WeChat's answer contains no certificate")]
    Empty,
    /// A field that cannot be read.
    #[error("the certificates cannot be read: {0}")]
    Form(Unreadable),
    /// A certificate cannot be decrypted: most likely the configured APIv3 key is wrong.
    #[error("the certificate {serial_no} cannot be opened: {error}")]
    Opening {
        /// The certificate's serial number.
        serial_no: String,
        /// The cause.
        error: AeadError,
    },
    /// The decrypted content is not a usable certificate.
    #[error(transparent)]
    Certificate(#[from] KeyError),
    /// None of the configured issuers issued it.
    #[error("the certificate {serial_no} comes from none of the configured issuers")]
    Issuer {
        /// The certificate's serial number.
        serial_no: String,
    },
    /// The decrypted certificate has another serial than announced.
    #[error("the certificate {serial_no} has another serial number inside")]
    OtherSerial {
        /// The announced serial number.
        serial_no: String,
    },
}

impl CertificatesError {
    /// Whether WeChat says that this merchant has a public key and no certificates. This is not an
    /// error: there is nothing to download.
    #[must_use]
    pub fn is_public_key_only(&self) -> bool {
        matches!(self, Self::Reply(error) if error.wechat().is_some_and(is_resource_missing))
    }
}

fn is_resource_missing(error: &WechatError) -> bool {
    // Another SDK expects NOT_FOUND here, which the gateway never sends.
    error.status == 404 && error.code == "RESOURCE_NOT_EXISTS"
}

impl TrustedKeys {
    /// The keys after a download: a new set, with which the caller replaces the old one in one
    /// step. All of a reply's certificates are accepted, or none. Keys that were trusted before
    /// stay trusted, except expired certificates.
    ///
    /// `now_s` is the caller's clock, in seconds.
    pub fn refreshed(
        &self,
        reply: Reply,
        api_v3_key: &ApiV3Key,
        now_s: i64,
    ) -> Result<Self, CertificatesError> {
        let (body, candidates) = match reply.clone().verify(self, now_s) {
            Ok(verified) => (verified.body().clone(), None),
            Err(ReplyError::Signature(SignatureError::UnknownSerial(_)))
                if reply.status.is_success() =>
            {
                let candidates = open_all(self, &reply.body, api_v3_key, now_s)?;
                let mut signers = Self::new();
                for candidate in &candidates {
                    signers.add_certificate(candidate)?;
                }
                signers.drop_expired(now_s);
                let verified = reply.verify(&signers, now_s)?;
                (verified.body().clone(), Some(candidates))
            }
            Err(error) => return Err(error.into()),
        };
        let certificates = match candidates {
            Some(candidates) => candidates,
            None => open_all(self, &body, api_v3_key, now_s)?,
        };
        let mut keys = self.clone();
        for certificate in &certificates {
            keys.add_certificate(certificate)?;
        }
        keys.drop_expired(now_s);
        Ok(keys)
    }
}

fn open_all(
    keys: &TrustedKeys,
    body: &[u8],
    api_v3_key: &ApiV3Key,
    now_s: i64,
) -> Result<Vec<DatedCertificate>, CertificatesError> {
    let sealed: SealedCertificates = read_json(body).map_err(CertificatesError::Form)?.value;
    if sealed.data.is_empty() {
        return Err(CertificatesError::Empty);
    }
    sealed
        .data
        .iter()
        .map(|sealed| open(keys, sealed, api_v3_key, now_s))
        .collect()
}

fn open(
    keys: &TrustedKeys,
    sealed: &SealedCertificate,
    api_v3_key: &ApiV3Key,
    now_s: i64,
) -> Result<DatedCertificate, CertificatesError> {
    let serial_no: String = sealed.serial_no.chars().take(128).collect();
    let pem = aead::open(api_v3_key, &sealed.encrypt_certificate).map_err(|error| {
        CertificatesError::Opening {
            serial_no: serial_no.clone(),
            error,
        }
    })?;
    let certificate = read_certificate(&pem)?;
    if certificate.serial_no != sealed.serial_no {
        return Err(CertificatesError::OtherSerial { serial_no });
    }
    if !keys.takes_issuer_of(&certificate, now_s) {
        return Err(CertificatesError::Issuer { serial_no });
    }
    // A time that cannot be read counts as absent.
    let second = |text: &Option<String>| -> Option<i64> {
        let moment: Timestamp = text.as_deref()?.parse().ok()?;
        Some(moment.as_second())
    };
    let not_after_s = certificate.not_after_s;
    Ok(DatedCertificate {
        key: PublicKey::from_der(&certificate.public_key_der)?,
        effective_s: second(&sealed.effective_time).unwrap_or(certificate.not_before_s),
        // The earlier end counts: WeChat's time, or the certificate's own.
        expires_s: second(&sealed.expire_time)
            .map_or(not_after_s, |announced_s| announced_s.min(not_after_s)),
        serial_no: certificate.serial_no,
    })
}

#[cfg(test)]
mod tests;
