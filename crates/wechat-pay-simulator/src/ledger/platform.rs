//! The keys of WeChat's side as they change: rotated platform certificates, and the seven days in
//! which notifications move to the public key.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::after;

/// A new certificate is listed at once, and signs after this time: WeChat tells clients to download
/// at least this often.
pub(crate) const SIGNS_AFTER_S: i64 = 12 * 60 * 60;
/// Until this time the certificate before it stays listed and still signs sometimes.
pub(crate) const OVERLAP_S: i64 = 24 * 60 * 60;

/// How many of a thousand notifications the public key signs, by day of the migration.
const SHARES_PER_MILLE: [u16; 7] = [1, 10, 50, 100, 200, 500, 1000];

/// The changes for one merchant, after the keys of its keyring.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Platform {
    /// Certificates that came after the keyring's, the oldest first.
    pub(crate) later: Vec<LaterCertificate>,
    pub(crate) migration_started_at: Option<Timestamp>,
    /// The receivers that shares may name: see [`super::sharing::receiver`].
    #[serde(default)]
    pub(crate) receivers: BTreeSet<String>,
}

/// A certificate with its private key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LaterCertificate {
    pub(crate) serial_no: String,
    pub(crate) certificate_pem: String,
    pub(crate) private_key_pem: String,
    /// WeChat's time when it was first listed. The certificate's own dates are the system's time.
    pub(crate) effective_at: Timestamp,
}

impl fmt::Debug for LaterCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LaterCertificate({})", self.serial_no)
    }
}

impl Platform {
    /// Indices of the certificates that are listed now: 0 is the keyring's, 1 the first later one.
    pub(crate) fn listed(&self, now: Timestamp) -> Vec<usize> {
        (0..=self.later.len())
            .filter(|place| {
                self.later
                    .get(*place)
                    .is_none_or(|next| now < after(next.effective_at, OVERLAP_S))
            })
            .collect()
    }

    /// Indices of the certificates that may sign now: two during the overlap.
    pub(crate) fn signing(&self, now: Timestamp) -> Vec<usize> {
        let mut listed = self.listed(now);
        listed.retain(|place| {
            let own = place.checked_sub(1).and_then(|index| self.later.get(index));
            own.is_none_or(|own| now >= after(own.effective_at, SIGNS_AFTER_S))
        });
        listed
    }

    /// How many of a thousand notifications the public key signs now.
    pub(crate) fn public_key_share_per_mille(&self, now: Timestamp) -> u16 {
        let Some(started_at) = self.migration_started_at else {
            return 0;
        };
        let day = (now.as_second() - started_at.as_second()).max(0) / (24 * 60 * 60);
        let day = usize::try_from(day).unwrap_or(usize::MAX);
        SHARES_PER_MILLE.get(day).copied().unwrap_or(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_certificate_is_first_listed_then_signs_and_is_then_the_only_one() {
        let start = Timestamp::UNIX_EPOCH;
        let mut platform = Platform::default();
        assert_eq!(
            (platform.listed(start), platform.signing(start)),
            (vec![0], vec![0])
        );
        platform.later.push(LaterCertificate {
            serial_no: "A".into(),
            certificate_pem: String::new(),
            private_key_pem: String::new(),
            effective_at: start,
        });
        for (hours, listed, signing) in [
            (0, vec![0, 1], vec![0]),
            (11, vec![0, 1], vec![0]),
            (12, vec![0, 1], vec![0, 1]),
            (24, vec![1], vec![1]),
        ] {
            let now = after(start, hours * 3600);
            assert_eq!(platform.listed(now), listed, "{hours}");
            assert_eq!(platform.signing(now), signing, "{hours}");
        }
    }

    #[test]
    fn the_public_keys_share_grows_over_seven_days() {
        let start = Timestamp::UNIX_EPOCH;
        let mut platform = Platform::default();
        assert_eq!(platform.public_key_share_per_mille(start), 0);
        platform.migration_started_at = Some(start);
        let shares: Vec<u16> = (0..9)
            .map(|day| platform.public_key_share_per_mille(after(start, day * 86_400)))
            .collect();
        assert_eq!(shares, [1, 10, 50, 100, 200, 500, 1000, 1000, 1000]);
    }
}
