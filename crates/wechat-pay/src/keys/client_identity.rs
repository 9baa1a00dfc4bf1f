//! The merchant's certificate as a TLS client. Version 2 asks for it where money goes back to a
//! buyer. Nothing here opens a connection.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rsa::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::KeyError;
use super::file;
use super::file_kind::ExpectedFile;

/// A certificate and its private key. Cheap to clone; the memory is overwritten when the last clone
/// is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity(Arc<Zeroizing<String>>);

impl ClientIdentity {
    /// Reads both files, in each form that [`crate::SigningKey::from_pem`] takes. Whether they
    /// belong together: see [`crate::MerchantKey::is_certified_by`].
    pub fn read(certificate: &[u8], private_key: &[u8]) -> Result<Self, KeyError> {
        let certificate = file::read(certificate, ExpectedFile::Certificate)?;
        let key = Zeroizing::new(file::read(private_key, ExpectedFile::PrivateKey)?);
        // The label has to say which of the two forms the key has.
        let label = match (KeyPair::from_pkcs8(&key), KeyPair::from_der(&key)) {
            (Ok(_), _) => "PRIVATE KEY",
            (Err(_), Ok(_)) => "RSA PRIVATE KEY",
            (Err(_), Err(_)) => return Err(KeyError::PrivateKey),
        };
        let mut pem = Zeroizing::new(String::with_capacity(
            2 * (certificate.len() + key.len()) + 256,
        ));
        write(&mut pem, "CERTIFICATE", &certificate);
        write(&mut pem, label, &key);
        Ok(Self(Arc::new(pem)))
    }

    /// The certificate and then the private key, in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(redacted)")
    }
}

/// Appends one block. Nothing is reallocated, so no copy of the key stays in memory.
fn write(pem: &mut String, label: &str, der: &[u8]) {
    let text = Zeroizing::new(STANDARD.encode(der));
    pem.extend(["-----BEGIN ", label, "-----\n"]);
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem.extend(["-----END ", label, "-----\n"]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys::{DOC_KEY_PKCS1_PEM, doc_key_pkcs8_pem};

    const CERTIFICATE: &[u8] = include_bytes!("../published/java_merchant_certificate.pem");

    #[test]
    fn files_in_any_accepted_form_become_plain_pem() {
        let read = |key: &str| ClientIdentity::read(CERTIFICATE, key.as_bytes()).unwrap();
        let plain = read(&doc_key_pkcs8_pem());
        assert!(plain.pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
        assert!(plain.pem().contains("-----BEGIN PRIVATE KEY-----\n"));
        assert_eq!(read(&doc_key_pkcs8_pem().replace('\n', "\\n")), plain);
        // What it wrote it reads again.
        let written = plain.pem().as_bytes();
        assert_eq!(ClientIdentity::read(written, written).unwrap(), plain);
        let older = read(DOC_KEY_PKCS1_PEM);
        assert!(older.pem().contains("-----BEGIN RSA PRIVATE KEY-----\n"));
        assert_eq!(format!("{plain:?}"), "ClientIdentity(redacted)");
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let key = doc_key_pkcs8_pem();
        for (certificate, key) in [(CERTIFICATE, CERTIFICATE), (key.as_bytes(), key.as_bytes())] {
            assert!(ClientIdentity::read(certificate, key).is_err());
        }
    }
}
