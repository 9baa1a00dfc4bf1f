//! `GET /v3/certificates`: WeChat's platform certificates, sealed with the APIv3 key.
//!
//! The reply is signed like any other. Where its signer is not known yet (the first download, or
//! a rotation that was missed), the signer must be one of the certificates that the reply itself
//! brings, opened with the APIv3 key, which only WeChat and the merchant have. This is the one
//! place where something is parsed before its signature was checked; nothing of it is used, or
//! even given out, until then. No chain to a root is built.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    aead::{self, AeadError, ApiV3Key, SealedResource},
    beijing::beijing_time,
    error::WechatError,
    key::{KeyError, PublicKey},
    pem::read_certificate,
    reply::{Reply, ReplyError},
    request::RequestParts,
    signature::SignatureError,
    trust::TrustedKeys,
};

/// Asks for the platform certificates; answered with [`SealedCertificates`], to be read by
/// [`TrustedKeys::refreshed`].
pub fn certificates() -> RequestParts {
    RequestParts::get("/v3/certificates".to_owned())
}

/// The answer's body, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedCertificates {
    /// One entry for each certificate; two and more while WeChat changes them.
    pub data: Vec<SealedCertificate>,
}

/// One certificate, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedCertificate {
    /// The certificate's serial number.
    pub serial_no: String,
    /// From when on it is used, RFC 3339. One of WeChat's samples has a blank in the name.
    #[serde(alias = "effective_time ")]
    pub effective_time: String,
    /// Until when it is used, RFC 3339.
    pub expire_time: String,
    /// The PEM file, sealed.
    pub encrypt_certificate: SealedResource,
}

impl SealedCertificate {
    /// Seals a PEM certificate: what only a stand-in for WeChat Pay does. `nonce` is 12 bytes of
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
            effective_time: beijing_time(effective_time),
            expire_time: beijing_time(expire_time),
        })
    }
}

/// Why no certificate of a reply was taken. The keys that were trusted before still are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificatesError {
    /// The reply is no success, or is not believed.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// Not in the documented form, or without a certificate.
    #[error("the certificates are not in the documented form")]
    Form,
    /// A certificate does not open: most likely the APIv3 key in the configuration is another.
    #[error("the certificate {serial_no} cannot be opened: {error}")]
    Opening {
        /// Which.
        serial_no: String,
        /// Why.
        error: AeadError,
    },
    /// What was opened is no certificate that can be used.
    #[error(transparent)]
    Certificate(#[from] KeyError),
    /// What was opened is another certificate than was announced.
    #[error("the certificate {serial_no} has another serial number inside")]
    OtherSerial {
        /// The announced serial number.
        serial_no: String,
    },
}

impl CertificatesError {
    /// Whether WeChat says that this merchant has no certificates, but a public key alone. It is
    /// no fault: there is nothing to download.
    #[must_use]
    pub fn is_public_key_only(&self) -> bool {
        matches!(self, Self::Reply(error) if error.wechat().is_some_and(is_resource_missing))
    }
}

fn is_resource_missing(error: &WechatError) -> bool {
    // Another SDK waits for NOT_FOUND here, which the gateway never says.
    error.status == 404 && error.code == "RESOURCE_NOT_EXISTS"
}

impl TrustedKeys {
    /// The keys after a download: a new set, for the caller to put in the place of the old one
    /// in one step. All of a reply's certificates are taken, or none. What was trusted before
    /// stays trusted, but for certificates whose time is over.
    ///
    /// `now_s` is the reader's clock, in seconds.
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
                let candidates = open_all(&reply.body, api_v3_key)?;
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
            None => open_all(&body, api_v3_key)?,
        };
        let mut keys = self.clone();
        for certificate in &certificates {
            keys.add_certificate(certificate)?;
        }
        keys.drop_expired(now_s);
        Ok(keys)
    }
}

/// A certificate that was opened.
pub(crate) struct OpenedCertificate {
    pub(crate) serial_no: String,
    pub(crate) key: PublicKey,
    pub(crate) effective_s: i64,
    pub(crate) expires_s: i64,
}

fn open_all(
    body: &[u8],
    api_v3_key: &ApiV3Key,
) -> Result<Vec<OpenedCertificate>, CertificatesError> {
    let sealed: SealedCertificates =
        serde_json::from_slice(body).map_err(|_| CertificatesError::Form)?;
    if sealed.data.is_empty() {
        return Err(CertificatesError::Form);
    }
    sealed
        .data
        .iter()
        .map(|sealed| open(sealed, api_v3_key))
        .collect()
}

fn open(
    sealed: &SealedCertificate,
    api_v3_key: &ApiV3Key,
) -> Result<OpenedCertificate, CertificatesError> {
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
    let second = |text: &str| -> Result<i64, CertificatesError> {
        let moment: Timestamp = text.parse().map_err(|_| CertificatesError::Form)?;
        Ok(moment.as_second())
    };
    Ok(OpenedCertificate {
        key: PublicKey::from_der(&certificate.public_key_der)?,
        serial_no: certificate.serial_no,
        effective_s: second(&sealed.effective_time)?,
        // Whichever ends first: WeChat's word, or the certificate's own.
        expires_s: second(&sealed.expire_time)?.min(certificate.not_after_s),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PlatformKey, SigningKey, stamp::Stamp, test_keys};
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    const NOW_S: i64 = 1_700_000_000;

    /// A platform key with its certificate.
    struct Platform {
        key: PlatformKey,
        pem: String,
    }

    fn made() -> Platform {
        let (pem, private) = test_keys::new_platform();
        let (serial, _) = PublicKey::from_certificate_pem(pem.as_bytes()).unwrap();
        let key = SigningKey::from_pem(private.as_bytes()).unwrap();
        Platform {
            key: PlatformKey::new(serial, key).unwrap(),
            pem,
        }
    }

    fn api_v3_key() -> ApiV3Key {
        ApiV3Key::new(&[7; 32]).unwrap()
    }

    fn sealed(platform: &Platform, effective_s: i64, expires_s: i64) -> SealedCertificate {
        let moment = |s| Timestamp::from_second(s).unwrap();
        SealedCertificate::seal(
            &api_v3_key(),
            platform.pem.as_bytes(),
            moment(effective_s),
            moment(expires_s),
            "abcdefghijkl",
        )
        .unwrap()
    }

    fn fresh(platform: &Platform) -> SealedCertificate {
        sealed(platform, NOW_S - 100, NOW_S + 1_000)
    }

    fn reply(data: Vec<SealedCertificate>, signer: &PlatformKey) -> Reply {
        let body = serde_json::to_vec(&SealedCertificates { data }).unwrap();
        Reply {
            status: StatusCode::OK,
            headers: signer
                .sign_headers(&Stamp::new(NOW_S, [1; 16]), &body)
                .unwrap(),
            body: body.into(),
        }
    }

    fn refresh(keys: &TrustedKeys, reply: Reply) -> Result<TrustedKeys, CertificatesError> {
        keys.refreshed(reply, &api_v3_key(), NOW_S)
    }

    #[test]
    fn a_first_download_is_verified_with_a_certificate_that_it_brings() {
        let (a, b) = (made(), made());
        let keys = refresh(
            &TrustedKeys::new(),
            reply(vec![fresh(&a), fresh(&b)], &b.key),
        )
        .unwrap();
        assert!(keys.get(a.key.serial()).is_some() && keys.get(b.key.serial()).is_some());

        // The signer is not among those that it brings.
        let error = refresh(&TrustedKeys::new(), reply(vec![fresh(&a)], &b.key)).unwrap_err();
        assert!(matches!(
            error,
            CertificatesError::Reply(ReplyError::Signature(SignatureError::UnknownSerial(_)))
        ));
        // The serial is right and the signature is another's.
        let forger = PlatformKey::new(
            a.key.serial(),
            SigningKey::from_pem(test_keys::DOC_KEY_PKCS1_PEM.as_bytes()).unwrap(),
        )
        .unwrap();
        let error = refresh(&TrustedKeys::new(), reply(vec![fresh(&a)], &forger)).unwrap_err();
        assert_eq!(
            error,
            CertificatesError::Reply(ReplyError::Signature(SignatureError::Mismatch))
        );
    }

    #[test]
    fn a_rotation_adds_the_new_and_keeps_the_old_and_the_public_key() {
        let (old, new) = (made(), made());
        let first = refresh(&TrustedKeys::new(), reply(vec![fresh(&old)], &old.key)).unwrap();
        let mut first = first;
        first
            .add("PUB_KEY_ID_01", test_keys::doc_public_key())
            .unwrap();
        // The old one signs the news of the new one; then the new one signs alone.
        let second = refresh(&first, reply(vec![fresh(&new)], &old.key)).unwrap();
        let third = refresh(&second, reply(vec![fresh(&new)], &new.key)).unwrap();
        for keys in [&second, &third] {
            for serial in [old.key.serial(), new.key.serial(), "PUB_KEY_ID_01"] {
                assert!(keys.get(serial).is_some(), "{serial}");
            }
        }
        // The set that was there before did not change under its readers.
        assert!(first.get(new.key.serial()).is_none());
    }

    #[test]
    fn one_bad_certificate_and_none_is_taken() {
        let (good, bad) = (made(), made());
        let broken = |change: fn(&mut SealedCertificate)| {
            let mut certificate = fresh(&bad);
            change(&mut certificate);
            certificate
        };
        let table: Vec<(SealedCertificate, &str)> = vec![
            (
                broken(|c| c.serial_no = "AB".into()),
                "the certificate AB has another serial number inside",
            ),
            (
                broken(|c| c.encrypt_certificate.ciphertext = "AAAA".into()),
                "cannot be opened: the ciphertext does not open with this APIv3 key",
            ),
            (
                broken(|c| c.expire_time = "soon".into()),
                "the certificates are not in the documented form",
            ),
            (
                broken(|c| {
                    c.encrypt_certificate =
                        aead::seal(&api_v3_key(), None, b"junk", "certificate", "abcdefghijkl")
                            .unwrap();
                }),
                "the file is not PEM",
            ),
        ];
        let keys = refresh(&TrustedKeys::new(), reply(vec![fresh(&good)], &good.key)).unwrap();
        for (certificate, message) in table {
            for keys in [&keys, &TrustedKeys::new()] {
                let error = refresh(
                    keys,
                    reply(vec![fresh(&good), certificate.clone()], &good.key),
                )
                .unwrap_err();
                assert!(error.to_string().ends_with(message), "{error}");
            }
        }
        let error = refresh(&keys, reply(Vec::new(), &good.key)).unwrap_err();
        assert_eq!(error, CertificatesError::Form);
    }

    #[test]
    fn what_is_over_goes_and_the_latest_in_effect_seals() {
        let (old, now, next) = (made(), made(), made());
        let keys = refresh(
            &TrustedKeys::new(),
            reply(
                vec![
                    sealed(&old, NOW_S - 900, NOW_S - 1),
                    sealed(&now, NOW_S - 100, NOW_S + 1_000),
                    sealed(&next, NOW_S + 100, NOW_S + 1_000),
                ],
                &now.key,
            ),
        )
        .unwrap();
        assert!(keys.get(old.key.serial()).is_none());
        let serial = |keys: &TrustedKeys, now_s| {
            keys.sealing_key(now_s).map(|(serial, _)| serial.to_owned())
        };
        assert_eq!(serial(&keys, NOW_S).as_deref(), Some(now.key.serial()));
        assert_eq!(
            serial(&keys, NOW_S + 100).as_deref(),
            Some(next.key.serial())
        );
        assert_eq!(serial(&keys, NOW_S + 2_000), None);
        let mut both = keys;
        both.add("PUB_KEY_ID_01", test_keys::doc_public_key())
            .unwrap();
        assert_eq!(serial(&both, NOW_S).as_deref(), Some("PUB_KEY_ID_01"));
    }

    #[test]
    fn an_unsigned_or_an_old_or_a_probing_reply_changes_nothing() {
        let platform = made();
        let good = reply(vec![fresh(&platform)], &platform.key);
        let mut unsigned = good.clone();
        unsigned.headers = HeaderMap::new();
        let mut probe = good.clone();
        probe.headers.insert(
            "wechatpay-signature",
            "WECHATPAY/SIGNTEST/x".parse().unwrap(),
        );
        for bad in [unsigned, probe] {
            let error = refresh(&TrustedKeys::new(), bad).unwrap_err();
            assert!(matches!(
                error,
                CertificatesError::Reply(ReplyError::Signature(_))
            ));
        }
        let error = TrustedKeys::new()
            .refreshed(good, &api_v3_key(), NOW_S + 301)
            .unwrap_err();
        assert!(matches!(
            error,
            CertificatesError::Reply(ReplyError::Signature(SignatureError::Stale { .. }))
        ));
    }

    #[test]
    fn a_merchant_with_a_public_key_alone_has_nothing_to_download() {
        for (status, code, expected) in [
            (404, "RESOURCE_NOT_EXISTS", true),
            (404, "NOT_FOUND", false),
            (500, "SYSTEM_ERROR", false),
        ] {
            let reply = Reply {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: Bytes::from(format!("{{\"code\":\"{code}\",\"message\":\"m\"}}")),
            };
            let error = refresh(&TrustedKeys::new(), reply).unwrap_err();
            assert_eq!(error.is_public_key_only(), expected, "{code}");
        }
    }

    #[test]
    fn the_name_with_a_blank_of_wechats_sample_is_read() {
        let json = serde_json::to_string(&fresh(&made())).unwrap();
        let with_blank = json.replace("\"effective_time\"", "\"effective_time \"");
        assert!(serde_json::from_str::<SealedCertificate>(&with_blank).is_ok());
        assert!(!json.contains("original_type"));
    }
}
