//! The codes that buyers show at a desk (付款码): 18 digits, usable once, for a minute.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::after;

pub(crate) const AUTH_CODE_LIFETIME_S: i64 = 60;
/// How long a used or expired code is remembered; after that it counts as unknown. All codes are one
/// document, which is written with every code: it must stay small.
const REMEMBERED_S: i64 = 10 * AUTH_CODE_LIFETIME_S;

/// The payment codes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct AuthCodes(BTreeMap<String, Shown>);

#[derive(Debug, Serialize, Deserialize)]
struct Shown {
    payer: u8,
    at: Timestamp,
    used: bool,
}

/// Why a code does not name a buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthCodeRefusal {
    /// The code is unknown.
    Unknown,
    /// The code has expired or was used.
    Expired,
}

impl AuthCodes {
    pub(crate) fn show(&mut self, code: String, payer: u8, now: Timestamp) {
        self.0
            .retain(|_, shown| now < after(shown.at, REMEMBERED_S));
        let shown = Shown {
            payer,
            at: now,
            used: false,
        };
        self.0.insert(code, shown);
    }

    /// The buyer of the code, which stays usable.
    pub(crate) fn owner(&self, code: &str, now: Timestamp) -> Result<u8, AuthCodeRefusal> {
        let shown = self.0.get(code).ok_or(AuthCodeRefusal::Unknown)?;
        if shown.used || now >= after(shown.at, AUTH_CODE_LIFETIME_S) {
            return Err(AuthCodeRefusal::Expired);
        }
        Ok(shown.payer)
    }

    /// The buyer of the code, which is then used.
    pub(crate) fn use_up(&mut self, code: &str, now: Timestamp) -> Result<u8, AuthCodeRefusal> {
        let payer = self.owner(code, now)?;
        if let Some(shown) = self.0.get_mut(code) {
            shown.used = true;
        }
        Ok(payer)
    }
}
