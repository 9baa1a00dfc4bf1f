//! `apiclient_cert.p12`: a merchant's key and certificate in one file with a password, as WeChat
//! issues it and as many SDKs require it.
//!
//! PKCS#12 (RFC 7292) with PBES2, AES-256-CBC and HMAC-SHA256: what OpenSSL 3 writes, and what
//! OpenSSL, Java since 8u301 and PHP read. WeChat's own files use RC2 and triple DES, which OpenSSL 3
//! refuses to read without its legacy provider. This module never reads such a file.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{digest, hmac, pbkdf2};
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, Tag, construct_der};

use crate::random::Random;

/// The name of the entry, which Java programs use.
const FRIENDLY_NAME: &str = "Tenpay Certificate";
/// OpenSSL's default.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(2048).expect("it is not zero");

const DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 1];
const ENCRYPTED_DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 6];
const KEY_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 2];
const CERTIFICATE_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 3];
const X509_CERTIFICATE: &[u64] = &[1, 2, 840, 113_549, 1, 9, 22, 1];
const FRIENDLY_NAME_ATTRIBUTE: &[u64] = &[1, 2, 840, 113_549, 1, 9, 20];
const LOCAL_KEY_ID_ATTRIBUTE: &[u64] = &[1, 2, 840, 113_549, 1, 9, 21];
const PBES2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 13];
const PBKDF2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 12];
const HMAC_SHA256: &[u64] = &[1, 2, 840, 113_549, 2, 9];
const AES_256_CBC: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 42];
const SHA256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];

/// A PEM block cannot be read, or the cipher refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Pkcs12Error {
    /// The text of the key or of the certificate is no PEM.
    #[error("the key or the certificate is no PEM")]
    Pem,
    /// Encryption failed.
    #[error("the key and the certificate cannot be encrypted")]
    Cipher,
}

/// The bytes of the file. `private_key_pem` is PKCS#8.
pub(crate) fn pkcs12(
    private_key_pem: &str,
    certificate_pem: &str,
    password: &str,
    random: &Random,
) -> Result<Vec<u8>, Pkcs12Error> {
    let key = der(private_key_pem)?;
    let certificate = der(certificate_pem)?;
    let key_id = digest::digest(&digest::SHA256, &certificate);
    let certificates = construct_der(|writer| {
        writer.write_sequence(|writer| {
            bag(writer.next(), CERTIFICATE_BAG, key_id.as_ref(), |writer| {
                write_certificate(writer, &certificate);
            });
        });
    });
    let certificates = Sealed::new(certificates, password, random)?;
    let key = Sealed::new(key, password, random)?;
    let keys = construct_der(|writer| {
        writer.write_sequence(|writer| {
            bag(writer.next(), KEY_BAG, key_id.as_ref(), |writer| {
                writer.write_sequence(|writer| {
                    key.write_algorithm(writer.next());
                    writer.next().write_bytes(&key.bytes);
                });
            });
        });
    });
    let safe = construct_der(|writer| {
        writer.write_sequence(|writer| {
            write_encrypted_data(writer.next(), &certificates);
            write_data(writer.next(), &keys);
        });
    });
    Ok(with_mac(&safe, password, random))
}

fn der(pem: &str) -> Result<Vec<u8>, Pkcs12Error> {
    let (_, block) =
        x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(|_| Pkcs12Error::Pem)?;
    Ok(block.contents)
}

/// Bytes encrypted with the password.
struct Sealed {
    bytes: Vec<u8>,
    salt: [u8; 16],
    iv: [u8; 16],
}

impl Sealed {
    fn new(mut bytes: Vec<u8>, password: &str, random: &Random) -> Result<Self, Pkcs12Error> {
        let (salt, iv) = (random.bytes::<16>(), random.bytes::<16>());
        let mut key = [0; 32];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, ITERATIONS, &salt, password.as_bytes(), &mut key);
        UnboundCipherKey::new(&AES_256, &key)
            .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
            .and_then(|key| {
                let context = EncryptionContext::Iv128(FixedLength::from(iv));
                key.less_safe_encrypt(&mut bytes, context)
            })
            .map_err(|_| Pkcs12Error::Cipher)?;
        Ok(Self { bytes, salt, iv })
    }

    fn write_algorithm(&self, writer: DERWriter<'_>) {
        writer.write_sequence(|writer| {
            write_oid(writer.next(), PBES2);
            writer.next().write_sequence(|writer| {
                writer.next().write_sequence(|writer| {
                    write_oid(writer.next(), PBKDF2);
                    writer.next().write_sequence(|writer| {
                        writer.next().write_bytes(&self.salt);
                        writer.next().write_u32(ITERATIONS.get());
                        write_plain_algorithm(writer.next(), HMAC_SHA256);
                    });
                });
                writer.next().write_sequence(|writer| {
                    write_oid(writer.next(), AES_256_CBC);
                    writer.next().write_bytes(&self.iv);
                });
            });
        });
    }
}

fn bag(writer: DERWriter<'_>, kind: &[u64], key_id: &[u8], value: impl FnOnce(DERWriter<'_>)) {
    writer.write_sequence(|writer| {
        write_oid(writer.next(), kind);
        writer.next().write_tagged(Tag::context(0), value);
        writer.next().write_set_of(|writer| {
            write_attribute(writer.next(), FRIENDLY_NAME_ATTRIBUTE, |writer| {
                writer.write_bmp_string(FRIENDLY_NAME);
            });
            write_attribute(writer.next(), LOCAL_KEY_ID_ATTRIBUTE, |writer| {
                writer.write_bytes(key_id);
            });
        });
    });
}

fn write_attribute(writer: DERWriter<'_>, kind: &[u64], value: impl FnOnce(DERWriter<'_>)) {
    writer.write_sequence(|writer| {
        write_oid(writer.next(), kind);
        writer.next().write_set_of(|writer| value(writer.next()));
    });
}

fn write_certificate(writer: DERWriter<'_>, certificate: &[u8]) {
    writer.write_sequence(|writer| {
        write_oid(writer.next(), X509_CERTIFICATE);
        writer
            .next()
            .write_tagged(Tag::context(0), |writer| writer.write_bytes(certificate));
    });
}

fn write_data(writer: DERWriter<'_>, content: &[u8]) {
    writer.write_sequence(|writer| {
        write_oid(writer.next(), DATA);
        writer
            .next()
            .write_tagged(Tag::context(0), |writer| writer.write_bytes(content));
    });
}

fn write_encrypted_data(writer: DERWriter<'_>, sealed: &Sealed) {
    writer.write_sequence(|writer| {
        write_oid(writer.next(), ENCRYPTED_DATA);
        writer.next().write_tagged(Tag::context(0), |writer| {
            writer.write_sequence(|writer| {
                writer.next().write_u8(0);
                writer.next().write_sequence(|writer| {
                    write_oid(writer.next(), DATA);
                    sealed.write_algorithm(writer.next());
                    writer
                        .next()
                        .write_tagged_implicit(Tag::context(0), |writer| {
                            writer.write_bytes(&sealed.bytes);
                        });
                });
            });
        });
    });
}

fn with_mac(safe: &[u8], password: &str, random: &Random) -> Vec<u8> {
    let salt = random.bytes::<16>();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &mac_key(password, &salt));
    let mac = hmac::sign(&key, safe);
    construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_u8(3);
            write_data(writer.next(), safe);
            writer.next().write_sequence(|writer| {
                writer.next().write_sequence(|writer| {
                    write_plain_algorithm(writer.next(), SHA256);
                    writer.next().write_bytes(mac.as_ref());
                });
                writer.next().write_bytes(&salt);
                writer.next().write_u32(ITERATIONS.get());
            });
        });
    })
}

/// The derivation of RFC 7292, appendix B.2, for a MAC key (ID 3) of one digest's length.
fn mac_key(password: &str, salt: &[u8]) -> Vec<u8> {
    const BLOCK_BYTES: usize = 64;
    let filled = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().next_multiple_of(BLOCK_BYTES);
        bytes.iter().copied().cycle().take(length).collect()
    };
    let password: Vec<u8> = password
        .encode_utf16()
        .chain([0])
        .flat_map(u16::to_be_bytes)
        .collect();
    let start = [vec![3; BLOCK_BYTES], filled(salt), filled(&password)].concat();
    let mut key = digest::digest(&digest::SHA256, &start);
    for _ in 1..ITERATIONS.get() {
        key = digest::digest(&digest::SHA256, key.as_ref());
    }
    key.as_ref().to_vec()
}

fn write_plain_algorithm(writer: DERWriter<'_>, kind: &[u64]) {
    writer.write_sequence(|writer| {
        write_oid(writer.next(), kind);
        writer.next().write_null();
    });
}

fn write_oid(writer: DERWriter<'_>, id: &[u64]) {
    writer.write_oid(&ObjectIdentifier::from_slice(id));
}
