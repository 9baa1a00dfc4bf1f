//! The public keys that a merchant trusts as WeChat's: an opaque serial to a key.
//!
//! Platform certificates and `PUB_KEY_ID_…` keys are in one set, because both kinds sign during
//! WeChat's seven-day migration. The form of a serial decides nothing here. A certificate is
//! trusted because the caller adds it, or because a download from WeChat contains it
//! ([`TrustedKeys::refreshed`]). If issuers are configured ([`TrustedKeys::require_issuers_pem`]),
//! one of them must have issued a downloaded certificate.

use std::collections::BTreeMap;

use crate::keys::certificate::{Certificate, read_certificate};
use crate::keys::error::KeyError;
use crate::keys::issuer::Issuer;
use crate::keys::rsa::{PublicKey, check_token};

/// Serial to public key.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys {
    keys: BTreeMap<String, Trusted>,
    /// The accepted issuers of downloaded certificates; empty: all.
    issuers: Vec<Issuer>,
}

#[derive(Clone, Debug)]
struct Trusted {
    key: PublicKey,
    /// A certificate's validity; a public key has none.
    period: Option<Period>,
}

#[derive(Clone, Copy, Debug)]
struct Period {
    effective_s: i64,
    expires_s: i64,
}

/// A certificate's key with its validity.
pub(crate) struct DatedCertificate {
    pub(crate) serial_no: String,
    pub(crate) key: PublicKey,
    pub(crate) effective_s: i64,
    pub(crate) expires_s: i64,
}

impl TrustedKeys {
    /// An empty set: every signature is refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds WeChat Pay's public key under its id (`PUB_KEY_ID_…`).
    pub fn add_public_key_pem(
        &mut self,
        id: impl Into<String>,
        pem: &[u8],
    ) -> Result<(), KeyError> {
        self.add(id, PublicKey::from_pem(pem)?)
    }

    /// Adds a platform certificate; returns the serial by which it is known.
    pub fn add_certificate_pem(&mut self, pem: &[u8]) -> Result<String, KeyError> {
        let certificate = read_certificate(pem)?;
        let serial = certificate.serial_no.clone();
        self.add_certificate(&DatedCertificate {
            key: PublicKey::from_der(&certificate.public_key_der)?,
            serial_no: certificate.serial_no,
            effective_s: certificate.not_before_s,
            expires_s: certificate.not_after_s,
        })?;
        Ok(serial)
    }

    /// From now on only downloaded certificates of these issuers are accepted. The PEM file holds one
    /// certificate or more, each an anchor: see `issuer.rs` for what this guards against. Keys
    /// that the caller adds are not checked for their issuer.
    pub fn require_issuers_pem(&mut self, pem: &[u8]) -> Result<(), KeyError> {
        self.issuers.extend(Issuer::read_all(pem)?);
        Ok(())
    }

    /// Whether a configured issuer issued a downloaded certificate; true if no issuers are
    /// configured.
    pub(crate) fn takes_issuer_of(&self, certificate: &Certificate, now_s: i64) -> bool {
        let mut issuers = self.issuers.iter();
        self.issuers.is_empty() || issuers.any(|issuer| issuer.issued(certificate, now_s))
    }

    /// Adds a key under a serial. A serial that is known already gets the new key.
    pub fn add(&mut self, serial: impl Into<String>, key: PublicKey) -> Result<(), KeyError> {
        self.insert(serial.into(), Trusted { key, period: None })
    }

    pub(crate) fn add_certificate(
        &mut self,
        certificate: &DatedCertificate,
    ) -> Result<(), KeyError> {
        let trusted = Trusted {
            key: certificate.key.clone(),
            period: Some(Period {
                effective_s: certificate.effective_s,
                expires_s: certificate.expires_s,
            }),
        };
        self.insert(certificate.serial_no.clone(), trusted)
    }

    fn insert(&mut self, serial: String, trusted: Trusted) -> Result<(), KeyError> {
        check_token("serial", &serial)?;
        self.keys.insert(serial, trusted);
        Ok(())
    }

    /// Removes expired certificates; public keys do not expire.
    pub(crate) fn drop_expired(&mut self, now_s: i64) {
        self.keys.retain(|_, trusted| {
            trusted
                .period
                .is_none_or(|period| now_s <= period.expires_s)
        });
    }

    /// The key to which sensitive fields must be sealed now, with its serial: WeChat Pay's public
    /// key if there is one, otherwise the certificate that took effect last.
    pub fn sealing_key(&self, now_s: i64) -> Option<(&str, &PublicKey)> {
        let since = |trusted: &Trusted| match trusted.period {
            None => Some(i64::MAX),
            Some(period) if (period.effective_s..=period.expires_s).contains(&now_s) => {
                Some(period.effective_s)
            }
            Some(_) => None,
        };
        self.keys
            .iter()
            .filter_map(|(serial, trusted)| Some((since(trusted)?, serial, &trusted.key)))
            .max_by_key(|(since, ..)| *since)
            .map(|(_, serial, key)| (serial.as_str(), key))
    }

    /// The key of a serial.
    pub fn get(&self, serial: &str) -> Option<&PublicKey> {
        self.keys.get(serial).map(|trusted| &trusted.key)
    }

    /// The union of two sets: for a client that has read a new configuration and not yet downloaded
    /// certificates again. A serial that both have gets `other`'s key; issuers
    /// of both may issue.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut keys = self.keys.clone();
        keys.extend(
            other
                .keys
                .iter()
                .map(|(serial, trusted)| (serial.clone(), trusted.clone())),
        );
        let issuers = [self.issuers.as_slice(), &other.issuers].concat();
        Self { keys, issuers }
    }

    /// From now on downloaded certificates of any issuer are accepted, until issuers are required
    /// again.
    pub fn forget_issuers(&mut self) {
        self.issuers.clear();
    }

    /// Removes a serial.
    pub fn forget(&mut self, serial: &str) {
        self.keys.remove(serial);
    }

    /// When the certificate of a serial expires, in seconds since 1970; `None` for a public
    /// key, which does not expire, and for a serial that is not trusted.
    pub fn expires_s(&self, serial: &str) -> Option<i64> {
        let period = self.keys.get(serial)?.period?;
        Some(period.expires_s)
    }

    /// The serials that are trusted, in order.
    pub fn serials(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys;

    #[test]
    fn a_certificate_and_a_public_key_are_trusted_together() {
        let mut keys = TrustedKeys::new();
        assert!(keys.is_empty());
        let serial = keys
            .add_certificate_pem(test_keys::platform_certificate_pem().as_bytes())
            .unwrap();
        keys.add_public_key_pem("PUB_KEY_ID_01", test_keys::doc_public_key_pem().as_bytes())
            .unwrap();
        assert_eq!(
            keys.serials().collect::<Vec<_>>(),
            vec![serial.as_str(), "PUB_KEY_ID_01"]
        );
        assert!(keys.get(&serial).is_some());
        assert!(keys.get("PUB_KEY_ID_02").is_none());
    }

    #[test]
    fn two_joined_sets_keep_all_keys_and_a_certificate_has_its_end() {
        let mut certificates = TrustedKeys::new();
        let serial = certificates
            .add_certificate_pem(test_keys::platform_certificate_pem().as_bytes())
            .unwrap();
        let mut public_keys = TrustedKeys::new();
        public_keys
            .add_public_key_pem("PUB_KEY_ID_01", test_keys::doc_public_key_pem().as_bytes())
            .unwrap();
        let mut joined = certificates.joined(&public_keys);
        assert_eq!(joined.serials().count(), 2);
        assert!(joined.expires_s(&serial).is_some());
        assert_eq!(joined.expires_s("PUB_KEY_ID_01"), None);
        assert_eq!(joined.expires_s("PUB_KEY_ID_02"), None);
        joined.forget(&serial);
        assert_eq!(joined.serials().collect::<Vec<_>>(), ["PUB_KEY_ID_01"]);
    }

    #[test]
    fn a_known_serial_gets_the_new_key_and_other_keys_stay() {
        let mut keys = TrustedKeys::new();
        keys.add_public_key_pem("A", test_keys::doc_public_key_pem().as_bytes())
            .unwrap();
        keys.add_public_key_pem("A", test_keys::doc_public_key_pem().as_bytes())
            .unwrap();
        assert!(keys.add_public_key_pem("A", b"junk").is_err());
        assert!(keys.get("A").is_some());
    }
}
