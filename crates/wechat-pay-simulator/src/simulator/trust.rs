//! The keys of WeChat's side: which one signs for a merchant, and which certificates are listed.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use wechat_pay::{
    KeyError, OaepHash, PROBE_PREFIX, PlatformKey, SigningKey, Stamp, certificate_serial,
};

use super::Simulator;
use crate::clock::after;
use crate::faults::{CallFaults, FaultKind};
use crate::keyring::certificate::{Validity, certified, validity};
use crate::keyring::{Keyring, KeyringError, is_same_serial};
use crate::ledger::order::ReplyKey;
use crate::ledger::platform::LaterCertificate;
use crate::settings::Oaep;

/// A certificate as `/v3/certificates` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedCertificate {
    pub(crate) serial_no: String,
    pub(crate) pem: String,
    /// The certificate's own dates, which a client compares with its own clock.
    pub(crate) validity: Validity,
}

/// The key and the faults of a signature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signing<'a> {
    pub(crate) keyring: &'a Keyring,
    pub(crate) key: ReplyKey,
    pub(crate) faults: &'a CallFaults,
}

impl Signing<'_> {
    /// The headers of WeChat's signature, changed by faults.
    pub(crate) fn headers(
        &self,
        simulator: &Simulator,
        body: &[u8],
    ) -> Result<HeaderMap, KeyError> {
        let wall = simulator.clock().wall();
        let skew_s = self.faults.seconds(FaultKind::ClockSkew, -400);
        let stamp: Stamp = simulator
            .random()
            .stamp(after(wall, skew_s.unwrap_or_default()));
        let mut headers = match self.key {
            ReplyKey::PublicKey => self.keyring.public_key.sign_headers(&stamp, body)?,
            ReplyKey::PlatformCertificate => {
                let key = simulator.certificate_key(self.keyring)?;
                key.sign_headers(&stamp, body)?
            }
        };
        let wrong = STANDARD.encode(simulator.random().bytes::<256>());
        let replaced = if self.faults.has(FaultKind::Signtest) {
            Some(format!("{PROBE_PREFIX}{wrong}"))
        } else if self.faults.has(FaultKind::WrongSignature) {
            Some(wrong)
        } else {
            None
        };
        if let Some(text) = replaced.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert("wechatpay-signature", text);
        }
        Ok(headers)
    }
}

impl Simulator {
    /// The key that signs a notification to this merchant. During the seven days of the
    /// migration both keys sign, the public key more and more often.
    pub(crate) fn notification_key(&self, keyring: &Keyring, asked: ReplyKey) -> ReplyKey {
        let only = self.settings().trust == crate::settings::Trust::PublicKey;
        let platform = self.ledger().platform(&keyring.merchant().mchid);
        let share = platform.public_key_share_per_mille(self.clock().now());
        let drawn = u32::from_le_bytes(self.random().bytes()) % 1000;
        if only || asked == ReplyKey::PublicKey || drawn < u32::from(share) {
            ReplyKey::PublicKey
        } else {
            ReplyKey::PlatformCertificate
        }
    }

    /// Makes a new platform certificate for a merchant, listed from now on. Returns its serial.
    ///
    /// WeChat's time decides when it is listed and signs. Its dates are the system's time, as in
    /// signatures: a merchant compares both with its own clock. They are later than those of
    /// every other certificate, because clients use the latest one.
    pub(crate) fn rotate_certificate(&self, keyring: &Keyring) -> Result<String, KeyringError> {
        let now = self.clock().now();
        let latest = self
            .listed_certificates(keyring)
            .into_iter()
            .map(|listed| after(listed.validity.not_before, 1))
            .max();
        let not_before = latest.map_or(self.clock().wall(), |latest| {
            latest.max(self.clock().wall())
        });
        let (private_key_pem, certificate_pem) =
            certified("WeChat Pay Simulator Platform", not_before, self.random())?;
        let serial_no =
            certificate_serial(certificate_pem.as_bytes()).map_err(|source| KeyringError::Key {
                file: "a new certificate",
                source,
            })?;
        let certificate = LaterCertificate {
            serial_no: serial_no.clone(),
            certificate_pem,
            private_key_pem,
            effective_at: now,
        };
        self.ledger()
            .change_platform(&keyring.merchant().mchid, |platform| {
                platform.later.push(certificate);
            });
        Ok(serial_no)
    }

    /// Starts the migration of a merchant's notifications to the public key; a repeated start changes
    /// nothing.
    pub(crate) fn start_migration(&self, keyring: &Keyring) {
        let now = self.clock().now();
        self.ledger()
            .change_platform(&keyring.merchant().mchid, |platform| {
                platform.migration_started_at.get_or_insert(now);
            });
    }

    /// The certificates that a merchant can download now.
    pub(crate) fn listed_certificates(&self, keyring: &Keyring) -> Vec<ListedCertificate> {
        let platform = self.ledger().platform(&keyring.merchant().mchid);
        let now = self.clock().now();
        let certificate = |serial_no: &str, pem: &str| ListedCertificate {
            serial_no: serial_no.to_owned(),
            pem: pem.to_owned(),
            validity: validity(pem),
        };
        let listed = platform.listed(now).into_iter();
        listed
            .map(|place| match place.checked_sub(1) {
                None => certificate(
                    &keyring.merchant().platform_serial_no,
                    keyring.platform_certificate_pem(),
                ),
                Some(index) => {
                    let later = &platform.later[index];
                    certificate(&later.serial_no, &later.certificate_pem)
                }
            })
            .collect()
    }

    /// Whether a merchant may name this serial in `Wechatpay-Serial`.
    pub(crate) fn has_platform_serial(&self, keyring: &Keyring, serial: &str) -> bool {
        let merchant = keyring.merchant();
        let platform = self.ledger().platform(&merchant.mchid);
        is_same_serial(serial, &merchant.public_key_id)
            || is_same_serial(serial, &merchant.platform_serial_no)
            || platform
                .later
                .iter()
                .any(|later| is_same_serial(serial, &later.serial_no))
    }

    /// Decrypts a field that was encrypted for the key of this serial.
    pub(crate) fn decrypt_field(
        &self,
        keyring: &Keyring,
        serial: &str,
        sealed: &str,
    ) -> Option<String> {
        let platform = self.ledger().platform(&keyring.merchant().mchid);
        let later = platform
            .later
            .iter()
            .find(|later| is_same_serial(serial, &later.serial_no));
        let pem = match later {
            Some(later) => later.private_key_pem.as_str(),
            None => keyring.platform_private_pem(serial)?,
        };
        let key = SigningKey::from_pem(pem.as_bytes()).ok()?;
        key.open_field_with(self.oaep(), sealed).ok()
    }

    /// The hash of encrypted fields, by the setting.
    pub(crate) fn oaep(&self) -> OaepHash {
        match self.settings().oaep {
            Oaep::Sha1 => OaepHash::Sha1,
            Oaep::Sha256 => OaepHash::Sha256,
        }
    }

    /// The key of a certificate that signs now, one of two during an overlap.
    fn certificate_key(&self, keyring: &Keyring) -> Result<Arc<PlatformKey>, KeyError> {
        let platform = self.ledger().platform(&keyring.merchant().mchid);
        let signing = platform.signing(self.clock().now());
        let [drawn] = self.random().bytes::<1>();
        let place = signing
            .get(usize::from(drawn) % signing.len().max(1))
            .copied()
            .unwrap_or_default();
        let later = place
            .checked_sub(1)
            .and_then(|index| platform.later.get(index));
        let Some(later) = later else {
            return Ok(keyring.platform_key.clone());
        };
        self.0.signers.key_of(later)
    }
}
