//! Links to bills: each has a token, expires after minutes, and works only for its merchant.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::after;

/// The bills that can be downloaded.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct BillLinks(BTreeMap<String, BillLink>);

/// One bill.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BillLink {
    pub(crate) mchid: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) csv: String,
    pub(crate) gzip: bool,
    /// The encryption, if any.
    #[serde(default)]
    pub(crate) sealing: Option<Sealing>,
}

/// A bill's own key, 32 bytes of text, and its nonce.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Sealing {
    pub(crate) key: String,
    pub(crate) nonce: String,
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing(redacted)")
    }
}

/// Why a link gives no bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BillLinkRefusal {
    Unknown,
    Expired,
    /// The bill belongs to another merchant.
    OtherMerchant,
}

impl BillLinks {
    pub(crate) fn issue(&mut self, token: String, link: BillLink) {
        let now = link.issued_at;
        self.0.retain(|_, link| now < after(link.issued_at, 3600));
        self.0.insert(token, link);
    }

    pub(crate) fn find(
        &self,
        token: &str,
        mchid: &str,
        lifetime_s: u32,
        now: Timestamp,
    ) -> Result<&BillLink, BillLinkRefusal> {
        let link = self.0.get(token).ok_or(BillLinkRefusal::Unknown)?;
        if link.mchid != mchid {
            return Err(BillLinkRefusal::OtherMerchant);
        }
        if now >= after(link.issued_at, i64::from(lifetime_s)) {
            return Err(BillLinkRefusal::Expired);
        }
        Ok(link)
    }
}
