//! The merchant's own keys, each with its certificate. While a certificate is replaced there are
//! two, and WeChat accepts both for some time.

use wechat_pay::{CertificateFacts, ClientIdentity, MerchantKey, TrustedKeys};

use super::file::MerchantKeyFile;
use super::named_files::{key_error, read, read_private, required};
use super::{Config, ConfigError, Merchant, MerchantCertificate, forms};

impl MerchantCertificate {
    /// The start of its validity in seconds since 1970. An unknown one counts as the oldest.
    fn since_s(&self) -> i64 {
        self.facts
            .as_ref()
            .map_or(i64::MIN, |facts| facts.not_before_s)
    }

    fn is_valid(&self, now_s: i64) -> bool {
        self.facts
            .as_ref()
            .is_none_or(|facts| (facts.not_before_s..=facts.not_after_s).contains(&now_s))
    }
}

impl Merchant {
    /// All keys of the merchant, in the order of the configuration.
    pub fn certificates(&self) -> impl Iterator<Item = &MerchantCertificate> {
        std::iter::once(&self.certificate).chain(&self.other_certificates)
    }
}

/// How long before its end a certificate is warned about.
const WARNING_DAYS: i64 = 30;
const DAY_S: i64 = 24 * 3_600;

impl Config {
    /// Warnings for people: merchant certificates that end within thirty days or have ended.
    /// `now_s` is in seconds since 1970.
    pub fn certificate_warnings(&self, now_s: i64) -> Vec<String> {
        let merchant = &self.merchant;
        let is_replaced = |ends_s: i64| {
            merchant.certificates().any(|other| {
                let facts = other.facts.as_ref();
                facts.is_some_and(|facts| facts.not_after_s > ends_s && other.is_valid(now_s))
            })
        };
        let expiring = merchant
            .certificates()
            .filter_map(|certificate| certificate.facts.as_ref())
            .filter(|facts| facts.not_after_s < now_s + WARNING_DAYS * DAY_S)
            .map(|facts| {
                let CertificateFacts {
                    serial_no,
                    not_after_s,
                    ..
                } = facts;
                let days = (not_after_s - now_s).div_euclid(DAY_S);
                let when = if days < 0 {
                    "has ended".to_owned()
                } else {
                    format!("ends in {days} days")
                };
                let advice = if is_replaced(*not_after_s) {
                    "another one takes over"
                } else {
                    "apply for a new one (账户中心 → API 安全) and name it in merchant.other_keys"
                };
                format!("the merchant certificate {serial_no} {when}: {advice}")
            });
        let unwatched = merchant
            .certificate
            .facts
            .is_none()
            .then(|| {
                "merchant.certificate_file is not configured: the expiry of the merchant certificate is not monitored"
                    .to_owned()
            });
        expiring.chain(unwatched).collect()
    }
}

/// The key to sign with: the newest valid key that WeChat has not refused. If there is none, the
/// newest key: WeChat decides.
pub(crate) fn signer(
    merchant: &Merchant,
    now_s: i64,
    is_refused: impl Fn(&str) -> bool,
) -> &MerchantCertificate {
    let rank = |certificate: &MerchantCertificate| {
        let is_good = certificate.is_valid(now_s) && !is_refused(certificate.key.serial_no());
        (is_good, certificate.since_s())
    };
    merchant
        .other_certificates
        .iter()
        .fold(&merchant.certificate, |best, other| {
            if rank(other) > rank(best) {
                other
            } else {
                best
            }
        })
}

/// Reads all keys of the merchant.
pub(super) fn check_keys(
    mchid: &str,
    first: MerchantKeyFile,
    others: Vec<MerchantKeyFile>,
    wechats: &TrustedKeys,
) -> Result<(MerchantCertificate, Vec<MerchantCertificate>), ConfigError> {
    let first = check_key(mchid, first, &FIRST, wechats)?;
    let others = others
        .into_iter()
        .map(|file| check_key(mchid, file, &OTHER, wechats))
        .collect::<Result<Vec<_>, _>>()?;
    if !others.is_empty() && (first.facts.is_none() || others.iter().any(|key| key.facts.is_none()))
    {
        return Err(ConfigError::refused(
            FIRST.certificate_file,
            "is missing: with merchant.other_keys each key needs its certificate, for the newest one signs",
        ));
    }
    let mut serials: Vec<_> = std::iter::once(&first)
        .chain(&others)
        .map(|certificate| certificate.key.serial_no())
        .collect();
    serials.sort_unstable();
    if serials.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(ConfigError::refused(
            OTHER.serial_no,
            "must be another one than those of the other keys",
        ));
    }
    Ok((first, others))
}

/// The names of a key's fields.
struct Fields {
    serial_no: &'static str,
    private_key_file: &'static str,
    certificate_file: &'static str,
}

const FIRST: Fields = Fields {
    serial_no: "merchant.serial_no",
    private_key_file: "merchant.private_key_file",
    certificate_file: "merchant.certificate_file",
};
const OTHER: Fields = Fields {
    serial_no: "merchant.other_keys.serial_no",
    private_key_file: "merchant.other_keys.private_key_file",
    certificate_file: "merchant.other_keys.certificate_file",
};

const WECHATS: &str = "is a certificate of WeChat Pay's: yours is apiclient_cert.pem, and WeChat's belong into platform_certificate_files";

fn check_key(
    mchid: &str,
    file: MerchantKeyFile,
    fields: &Fields,
    wechats: &TrustedKeys,
) -> Result<MerchantCertificate, ConfigError> {
    let certificate = file
        .certificate_file
        .map(|path| read(fields.certificate_file, &path))
        .transpose()?;
    let facts = certificate
        .as_deref()
        .map(CertificateFacts::read)
        .transpose()
        .map_err(key_error(fields.certificate_file))?;
    if let Some(facts) = &facts {
        check_is_ours(mchid, facts, fields)?;
    }
    let serial_no = file
        .serial_no
        .map(|serial_no| forms::serial_no(fields.serial_no, &serial_no))
        .transpose()?;
    let serial_no = match (serial_no, &facts) {
        (Some(serial_no), Some(facts)) if serial_no != facts.serial_no => {
            return Err(ConfigError::refused(
                fields.serial_no,
                format!(
                    "is not that of the certificate, {}: leave it out, or name the right file",
                    facts.serial_no
                ),
            ));
        }
        (Some(serial_no), _) => serial_no,
        (None, Some(facts)) => facts.serial_no.clone(),
        (None, None) => required(fields.serial_no, None)?,
    };
    let private_key = match (file.private_key, file.private_key_file) {
        (Some(_), Some(_)) => {
            return Err(ConfigError::refused(
                fields.private_key_file,
                "must not come together with the value itself",
            ));
        }
        (Some(text), None) => text.reveal().as_bytes().to_vec(),
        (None, path) => {
            let path = required(fields.private_key_file, path)?;
            read_private(fields.private_key_file, &path)?
        }
    };
    let key = MerchantKey::from_pem(mchid, serial_no, &private_key)
        .map_err(key_error(fields.private_key_file))?;
    if let Some(certificate) = &certificate {
        let is_its = key
            .is_certified_by(certificate)
            .map_err(key_error(fields.certificate_file))?;
        let is_wechats = facts
            .as_ref()
            .is_some_and(|facts| wechats.get(&facts.serial_no).is_some());
        if !is_its && is_wechats {
            return Err(ConfigError::refused(fields.certificate_file, WECHATS));
        }
        if !is_its {
            return Err(ConfigError::refused(
                fields.private_key_file,
                "is not the key of the certificate: name the apiclient_key.pem that came with it",
            ));
        }
    }
    let identity = certificate
        .map(|certificate| ClientIdentity::read(&certificate, &private_key))
        .transpose()
        .map_err(key_error(fields.certificate_file))?;
    Ok(MerchantCertificate {
        key,
        facts,
        identity,
    })
}

/// Checks that a certificate is this merchant's, and not a certificate of WeChat.
fn check_is_ours(
    mchid: &str,
    facts: &CertificateFacts,
    fields: &Fields,
) -> Result<(), ConfigError> {
    let name = facts.common_name.as_deref().unwrap_or_default();
    // The name in WeChat's platform certificates.
    if name.starts_with("Tenpay.com") {
        return Err(ConfigError::refused(fields.certificate_file, WECHATS));
    }
    // In a merchant's certificate WeChat writes the merchant number as the name.
    let is_number = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    if is_number && name != mchid {
        return Err(ConfigError::refused(
            "merchant.mchid",
            format!(
                "is not {name}, the merchant number in the certificate: one of the two is another merchant's"
            ),
        ));
    }
    Ok(())
}
