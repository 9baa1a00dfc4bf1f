//! Reading certificates. Whether one is trusted is decided by the caller, who adds it to
//! [`crate::TrustedKeys`], and never here.

use x509_parser::oid_registry::OID_PKCS1_SHA256WITHRSA;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::hex::upper_hex;
use crate::keys::error::KeyError;
use crate::keys::file;
use crate::keys::file_kind::ExpectedFile;

/// The serial number of a PEM certificate as WeChat prints it: upper-case hex, two digits a
/// byte, without the sign byte that DER puts before a number whose highest bit is set.
pub fn certificate_serial(pem: &[u8]) -> Result<String, KeyError> {
    Ok(read_certificate(pem)?.serial_no)
}

/// The fields of a certificate, times in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The serial number as WeChat prints it; see [`certificate_serial`].
    pub serial_no: String,
    /// Start of the validity.
    pub not_before_s: i64,
    /// End of the validity.
    pub not_after_s: i64,
    /// The subject's common name (CN). WeChat writes the merchant number here in a merchant's certificate.
    pub common_name: Option<String>,
}

impl CertificateFacts {
    /// Reads a PEM certificate. This says nothing about trust.
    pub fn read(pem: &[u8]) -> Result<Self, KeyError> {
        let certificate = read_certificate(pem)?;
        Ok(Self {
            serial_no: certificate.serial_no,
            not_before_s: certificate.not_before_s,
            not_after_s: certificate.not_after_s,
            common_name: certificate.common_name,
        })
    }
}

pub(crate) struct Certificate {
    pub(crate) serial_no: String,
    pub(crate) public_key_der: Vec<u8>,
    pub(crate) not_before_s: i64,
    pub(crate) not_after_s: i64,
    pub(crate) common_name: Option<String>,
    pub(crate) issuance: Issuance,
}

/// The fields that show who issued a certificate and whether it can issue others. Names as DER.
#[derive(Clone, Debug)]
pub(crate) struct Issuance {
    pub(crate) der: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) is_authority: bool,
    /// What the issuer signed, how, and the signature.
    pub(crate) signed: Vec<u8>,
    pub(crate) is_sha256_rsa: bool,
    pub(crate) signature: Vec<u8>,
}

pub(crate) fn read_certificate(pem: &[u8]) -> Result<Certificate, KeyError> {
    certificate_from_der(&file::read(pem, ExpectedFile::Certificate)?)
}

pub(crate) fn certificate_from_der(der: &[u8]) -> Result<Certificate, KeyError> {
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| KeyError::Certificate)?;
    if !rest.is_empty() {
        return Err(KeyError::Certificate);
    }
    Ok(Certificate {
        serial_no: serial_text(certificate.raw_serial()),
        public_key_der: certificate.public_key().raw.to_vec(),
        not_before_s: certificate.validity().not_before.timestamp(),
        not_after_s: certificate.validity().not_after.timestamp(),
        common_name: certificate
            .subject()
            .iter_common_name()
            .next()
            .and_then(|name| name.as_str().ok())
            .map(str::to_owned),
        issuance: Issuance {
            der: der.to_vec(),
            subject: certificate.subject().as_raw().to_vec(),
            issuer: certificate.issuer().as_raw().to_vec(),
            is_authority: certificate.is_ca(),
            signed: certificate.tbs_certificate.as_ref().to_vec(),
            is_sha256_rsa: certificate.signature_algorithm.algorithm == OID_PKCS1_SHA256WITHRSA,
            signature: certificate.signature_value.data.to_vec(),
        },
    })
}

fn serial_text(raw: &[u8]) -> String {
    match raw {
        [0, rest @ ..] if !rest.is_empty() => upper_hex(rest),
        _ => upper_hex(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_is_upper_case_hex_without_the_sign_byte() {
        for (raw, text) in [
            (&[0x0a, 0xff][..], "0AFF"),
            (&[0x00, 0xff, 0x01][..], "FF01"),
            (&[0x00][..], "00"),
            (&[0x7f][..], "7F"),
        ] {
            assert_eq!(serial_text(raw), text);
        }
    }
}
