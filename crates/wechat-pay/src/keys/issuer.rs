//! Issuers of platform certificates: an additional check of a download, for merchants who want it.
//!
//! A download is authenticated already. Its certificates open only with the APIv3 key, which is
//! authenticated encryption under a secret of WeChat's and the merchant's; and the reply is signed
//! by a key that was trusted before, or on the first download by one that it brings. This
//! does not protect against a stolen APIv3 key. A merchant that configures issuers (WeChat's portal has
//! their certificates) then still accepts only certificates of these issuers.
//!
//! Every configured certificate is an anchor: the platform certificate must be signed by one of
//! them itself, so a chain with an intermediate is configured by its intermediate. There is no
//! issuer built in: this crate could not fetch one from WeChat.

use crate::keys::certificate::{Certificate, Issuance, certificate_from_der};
use crate::keys::error::KeyError;
use crate::keys::file;
use crate::keys::rsa::PublicKey;

/// A certificate that platform certificates may be issued under.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    issuance: Issuance,
    key: PublicKey,
    not_before_s: i64,
    not_after_s: i64,
}

impl Issuer {
    /// Every certificate of a PEM file, which has at least one.
    pub(crate) fn read_all(pem: &[u8]) -> Result<Vec<Self>, KeyError> {
        let mut issuers = Vec::new();
        for der in file::read_certificates(pem)? {
            let certificate = certificate_from_der(&der)?;
            issuers.push(Self {
                key: PublicKey::from_der(&certificate.public_key_der)?,
                issuance: certificate.issuance,
                not_before_s: certificate.not_before_s,
                not_after_s: certificate.not_after_s,
            });
        }
        Ok(issuers)
    }

    /// Whether this issuer issued the certificate and is valid now. A certificate that is itself
    /// configured counts as its own issuer.
    pub(crate) fn issued(&self, certificate: &Certificate, now_s: i64) -> bool {
        let theirs = &certificate.issuance;
        if self.issuance.der == theirs.der {
            return true;
        }
        self.issuance.is_authority
            && (self.not_before_s..=self.not_after_s).contains(&now_s)
            && self.issuance.subject == theirs.issuer
            && theirs.is_sha256_rsa
            && self.key.verifies_bytes(&theirs.signed, &theirs.signature)
    }
}
