//! OAuth codes: usable once, for five minutes, by one application.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::after;

pub(crate) const CODE_LIFETIME_S: i64 = 5 * 60;
/// How long a used or expired code is remembered; after that it counts as unknown. All codes are one
/// document, which is written with every code: it must stay small.
const REMEMBERED_S: i64 = 2 * CODE_LIFETIME_S;

/// The issued codes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Grants(BTreeMap<String, Grant>);

#[derive(Debug, Serialize, Deserialize)]
struct Grant {
    appid: String,
    openid: String,
    issued_at: Timestamp,
    used: bool,
}

/// Why a code is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantRefusal {
    /// The code is unknown, or of another application.
    Unknown,
    /// The code was used before.
    Used,
    /// The code is older than five minutes.
    Expired,
}

impl Grants {
    pub(crate) fn issue(&mut self, code: String, appid: &str, openid: String, now: Timestamp) {
        self.0
            .retain(|_, grant| now < after(grant.issued_at, REMEMBERED_S));
        let grant = Grant {
            appid: appid.to_owned(),
            openid,
            issued_at: now,
            used: false,
        };
        self.0.insert(code, grant);
    }

    /// The openid of the code, which is then used.
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        appid: &str,
        now: Timestamp,
    ) -> Result<String, GrantRefusal> {
        let grant = self
            .0
            .get_mut(code)
            .filter(|grant| grant.appid == appid)
            .ok_or(GrantRefusal::Unknown)?;
        if grant.used {
            return Err(GrantRefusal::Used);
        }
        if now >= after(grant.issued_at, CODE_LIFETIME_S) {
            return Err(GrantRefusal::Expired);
        }
        grant.used = true;
        Ok(grant.openid.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_valid_once_for_five_minutes_and_for_its_own_application() {
        let start = Timestamp::UNIX_EPOCH;
        let mut grants = Grants::default();
        grants.issue("c1".into(), "wx1", "o1".into(), start);
        grants.issue("c2".into(), "wx1", "o1".into(), start);
        for (code, appid, seconds, expected) in [
            ("nobody's", "wx1", 0, Err(GrantRefusal::Unknown)),
            ("c1", "wx2", 0, Err(GrantRefusal::Unknown)),
            ("c1", "wx1", 299, Ok("o1".to_owned())),
            ("c1", "wx1", 299, Err(GrantRefusal::Used)),
            ("c2", "wx1", 300, Err(GrantRefusal::Expired)),
        ] {
            let redeemed = grants.redeem(code, appid, after(start, seconds));
            assert_eq!(redeemed, expected, "{code} {appid} {seconds}");
        }
    }
}
