//! Fresh RSA keys, and certificates for them in the form of WeChat's: 40 hex digits of serial
//! number, five years. They are signed by themselves, because no SDK builds a chain.

use jiff::{Timestamp, tz::Offset};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize,
    SerialNumber, date_time_ymd,
};

use crate::random::Random;

pub(crate) fn rsa_key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
}

/// A key and a certificate of its own, good for five years, as WeChat's are.
pub(crate) fn certified(
    name: &str,
    now: Timestamp,
    random: &Random,
) -> Result<(String, String), rcgen::Error> {
    let key = rsa_key()?;
    let mut params = CertificateParams::new(Vec::new())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    let mut serial = random.bytes::<20>();
    // The first byte from 0x10 to 0x7F: always 40 hex digits, never a sign byte.
    serial[0] = (serial[0] & 0x7f) | 0x10;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    let today = Offset::UTC.to_datetime(now).date();
    let month = u8::try_from(today.month()).unwrap_or(1);
    // The 28th exists in every month of every year.
    let day = u8::try_from(today.day()).unwrap_or(1).min(28);
    let year = i32::from(today.year()).clamp(1951, 9000);
    params.not_before = date_time_ymd(year, month, day);
    params.not_after = date_time_ymd(year + 5, month, day);
    let certificate = params.self_signed(&key)?;
    Ok((key.serialize_pem(), certificate.pem()))
}

/// When a certificate begins to hold; the epoch where it cannot be read.
pub(crate) fn not_before(pem: &str) -> Timestamp {
    x509_parser::pem::parse_x509_pem(pem.as_bytes())
        .ok()
        .and_then(|(_, block)| {
            let certificate = block.parse_x509().ok()?;
            Timestamp::from_second(certificate.validity().not_before.timestamp()).ok()
        })
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
