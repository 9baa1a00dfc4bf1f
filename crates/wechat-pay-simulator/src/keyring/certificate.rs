//! Fresh RSA keys, and certificates for them in the form of WeChat's: 40 hex digits of serial
//! number, five years. They are self-signed, because no SDK builds a chain.
//!
//! The caller gives the date; nothing here reads a clock.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize,
    SerialNumber, date_time_ymd,
};

use crate::random::Random;

pub(crate) fn rsa_key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
}

/// The validity of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

/// A key and its certificate as PEM, valid from this second for five years.
pub(crate) fn certified(
    name: &str,
    not_before: Timestamp,
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
    let begins = Offset::UTC.to_datetime(not_before);
    let month = u8::try_from(begins.month()).unwrap_or(1);
    let day = u8::try_from(begins.day()).unwrap_or(1);
    let year = i32::from(begins.year()).clamp(1951, 9000);
    let seconds = u32::try_from(begins.hour()).unwrap_or(0) * 3600
        + u32::try_from(begins.minute()).unwrap_or(0) * 60
        + u32::try_from(begins.second()).unwrap_or(0);
    params.not_before = date_time_ymd(year, month, day) + Duration::from_secs(seconds.into());
    // The 28th exists in every month of every year.
    params.not_after = date_time_ymd(year + 5, month, day.min(28));
    let certificate = params.self_signed(&key)?;
    Ok((key.serialize_pem(), certificate.pem()))
}

/// The validity of a certificate; the epoch if it cannot be read.
pub(crate) fn validity(pem: &str) -> Validity {
    let read = |pem: &str| {
        let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok()?;
        let certificate = block.parse_x509().ok()?;
        let validity = certificate.validity();
        Some(Validity {
            not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            not_after: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
        })
    };
    read(pem).unwrap_or(Validity {
        not_before: Timestamp::UNIX_EPOCH,
        not_after: Timestamp::UNIX_EPOCH,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_valid_from_the_requested_second_for_five_years() {
        for (moment, not_before, not_after) in [
            (
                "2026-11-29T06:43:43.9Z",
                "2026-11-29T06:43:43Z",
                "2031-11-28T00:00:00Z",
            ),
            (
                "2028-02-29T23:59:59Z",
                "2028-02-29T23:59:59Z",
                "2033-02-28T00:00:00Z",
            ),
        ] {
            let (_, pem) = certified("Test", moment.parse().unwrap(), &Random::system()).unwrap();
            let expected = Validity {
                not_before: not_before.parse().unwrap(),
                not_after: not_after.parse().unwrap(),
            };
            assert_eq!(validity(&pem), expected, "{moment}");
        }
    }
}
