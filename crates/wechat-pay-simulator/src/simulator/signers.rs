//! The private keys of platform certificates that were issued after the start, parsed once each.
//!
//! Which of them signs is decided in [`super::trust`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use wechat_pay::{KeyError, PlatformKey, SigningKey};

use crate::ledger::platform::LaterCertificate;

/// Parsed keys by the serial of their certificate.
#[derive(Debug, Default)]
pub(super) struct Signers(Mutex<BTreeMap<String, Arc<PlatformKey>>>);

impl Signers {
    /// The key of a certificate, from memory or parsed now.
    pub(super) fn key_of(
        &self,
        certificate: &LaterCertificate,
    ) -> Result<Arc<PlatformKey>, KeyError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.get(&certificate.serial_no) {
            return Ok(key.clone());
        }
        let key = SigningKey::from_pem(certificate.private_key_pem.as_bytes())
            .and_then(|key| PlatformKey::new(&certificate.serial_no, key))?;
        let key = Arc::new(key);
        known.insert(certificate.serial_no.clone(), key.clone());
        Ok(key)
    }
}
