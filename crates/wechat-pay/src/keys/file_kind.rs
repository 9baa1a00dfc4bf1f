//! Kinds of key files, and the advice if a file is of the wrong kind.
//!
//! [`super::file`] detects a kind from the bytes; this module does not.

use std::fmt;

/// The kind of file that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedFile {
    /// An RSA private key.
    PrivateKey,
    /// An RSA public key.
    PublicKey,
    /// An X.509 certificate.
    Certificate,
}

/// The kind of file that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoundFile {
    /// Nothing, or blanks.
    Nothing,
    /// A BEGIN line without the END line that belongs to it.
    CutOff,
    /// The right frame around something that cannot be decoded.
    Damaged,
    /// A private key under a password.
    EncryptedPrivateKey,
    /// A `.p12` or `.pfx` file: certificate and key together, under a password.
    Pkcs12,
    /// A private key of RSA.
    PrivateKey,
    /// More than one private key.
    PrivateKeys,
    /// A private key of an elliptic curve, SM2 among them.
    EcPrivateKey,
    /// A private key in the form of OpenSSH.
    OpenSshKey,
    /// A private key of another algorithm.
    OtherPrivateKey,
    /// A public key of RSA.
    PublicKey,
    /// A public key of another algorithm.
    OtherPublicKey,
    /// An X.509 certificate.
    Certificate,
    /// A request for a certificate.
    CertificateRequest,
    /// None of these.
    Unknown,
}

impl fmt::Display for ExpectedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrivateKey => "an RSA private key",
            Self::PublicKey => "an RSA public key",
            Self::Certificate => "an X.509 certificate",
        })
    }
}

impl fmt::Display for FoundFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "empty",
            Self::CutOff => "cut off: the END line is missing",
            Self::Damaged => "damaged: the text between BEGIN and END cannot be decoded",
            Self::EncryptedPrivateKey => "a private key under a password",
            Self::Pkcs12 => "a PKCS#12 file (.p12, .pfx)",
            Self::PrivateKey => "an RSA private key",
            Self::PrivateKeys => "a file with more than one private key",
            Self::EcPrivateKey => "a private key of an elliptic curve (EC or SM2)",
            Self::OpenSshKey => "a private key in the form of OpenSSH",
            Self::OtherPrivateKey => "a private key that is not of RSA",
            Self::PublicKey => "a public key",
            Self::OtherPublicKey => "a public key that is not of RSA",
            Self::Certificate => "a certificate",
            Self::CertificateRequest => "a request for a certificate",
            Self::Unknown => "not a known kind of key file",
        })
    }
}

/// What the merchant should do, as an imperative sentence. Files are called by WeChat's names.
pub(crate) fn advice(expected: ExpectedFile, found: FoundFile) -> &'static str {
    match (expected, found) {
        (_, FoundFile::CutOff | FoundFile::Damaged | FoundFile::Nothing) => {
            "copy the file again, as a whole"
        }
        (ExpectedFile::PrivateKey, FoundFile::EncryptedPrivateKey) => {
            "take the password away: openssl pkey -in FILE -out apiclient_key.pem"
        }
        (ExpectedFile::PrivateKey, FoundFile::Pkcs12) => {
            "name the apiclient_key.pem beside it, or take the key out: openssl pkcs12 -in FILE -nocerts -nodes -out apiclient_key.pem (the password is the merchant number)"
        }
        (ExpectedFile::Certificate, FoundFile::Pkcs12) => {
            "name the apiclient_cert.pem beside it, or take the certificate out: openssl pkcs12 -in FILE -clcerts -nokeys -out apiclient_cert.pem (the password is the merchant number)"
        }
        (ExpectedFile::PrivateKey, FoundFile::OpenSshKey) => {
            "name the apiclient_key.pem that WeChat's certificate tool made"
        }
        (ExpectedFile::PrivateKey, FoundFile::EcPrivateKey | FoundFile::OtherPrivateKey) => {
            "use the key of an RSA certificate: WeChat Pay signs with RSA here"
        }
        (ExpectedFile::PrivateKey, FoundFile::PrivateKeys) => {
            "leave only the key of this certificate in it"
        }
        (ExpectedFile::PrivateKey, _) => {
            "name apiclient_key.pem, which belongs to apiclient_cert.pem"
        }
        (ExpectedFile::PublicKey, FoundFile::Certificate) => {
            "a platform certificate has a place of its own; WeChat Pay's public key is pub_key.pem of the merchant portal"
        }
        (ExpectedFile::PublicKey, _) => {
            "name pub_key.pem, which the merchant portal gives out with its PUB_KEY_ID_…"
        }
        (ExpectedFile::Certificate, FoundFile::PublicKey) => {
            "a public key has a place of its own; a certificate begins with BEGIN CERTIFICATE"
        }
        (ExpectedFile::Certificate, FoundFile::CertificateRequest) => {
            "name the certificate that WeChat made out of it"
        }
        (ExpectedFile::Certificate, _) => "name a file that begins with BEGIN CERTIFICATE",
    }
}
