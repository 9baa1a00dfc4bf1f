//! The public keys that a merchant trusts as WeChat's: an opaque serial to a key.
//!
//! Platform certificates and `PUB_KEY_ID_…` keys live side by side, because during WeChat's
//! seven-day migration both kinds sign. The shape of a serial decides nothing here.
//! Certificates are trusted because the caller adds them; no chain is built.

use std::collections::BTreeMap;

use crate::key::{KeyError, PublicKey, check_token};

/// Serial to public key.
#[derive(Debug, Clone, Default)]
pub struct TrustedKeys {
    keys: BTreeMap<String, PublicKey>,
}

impl TrustedKeys {
    /// Trusts nobody yet: everything signed is refused.
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

    /// Adds a platform certificate; gives the serial it is known by.
    pub fn add_certificate_pem(&mut self, pem: &[u8]) -> Result<String, KeyError> {
        let (serial, key) = PublicKey::from_certificate_pem(pem)?;
        self.add(serial.clone(), key)?;
        Ok(serial)
    }

    /// Adds a key under a serial. A serial that is known already gets the new key.
    pub fn add(&mut self, serial: impl Into<String>, key: PublicKey) -> Result<(), KeyError> {
        let serial = serial.into();
        check_token("serial", &serial)?;
        self.keys.insert(serial, key);
        Ok(())
    }

    /// The key of a serial.
    pub fn get(&self, serial: &str) -> Option<&PublicKey> {
        self.keys.get(serial)
    }

    /// The serials that are trusted, in order.
    pub fn serials(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// Whether nothing is trusted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys;

    #[test]
    fn a_certificate_and_a_public_key_live_side_by_side() {
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
    fn a_known_serial_gets_the_new_key_and_loses_none() {
        let mut keys = TrustedKeys::new();
        keys.add_public_key_pem("A", test_keys::doc_public_key_pem().as_bytes())
            .unwrap();
        keys.add_public_key_pem("A", test_keys::doc_public_key_pem().as_bytes())
            .unwrap();
        assert!(keys.add_public_key_pem("A", b"junk").is_err());
        assert!(keys.get("A").is_some());
    }
}
