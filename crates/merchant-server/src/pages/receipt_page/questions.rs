//! The limit on queries to WeChat that receipt pages cause. Any visitor can open such a page with a
//! guessed order number, and only WeChat's answer shows whether the page's code is right. Above the
//! limit, the buyer sees WeChat's own receipt.

use std::net::IpAddr;

use merchant_core::payments::{Allowance, Allowances};

use crate::extract::{Caller, network_of};

/// The limit of one address. A buyer needs one query, and only if the page is opened before the
/// notification has arrived. Many buyers may share an address.
const BY_ADDRESS: Allowance = Allowance {
    burst: 5,
    interval_ms: 2_000,
};
/// The limit of all addresses together.
const ALL: Allowance = Allowance {
    burst: 20,
    interval_ms: 200,
};

/// The two limits on queries that receipt pages cause.
#[derive(Debug)]
pub(crate) struct ReceiptQuestions {
    by_address: Allowances<IpAddr>,
    all: Allowances<()>,
}

impl Default for ReceiptQuestions {
    fn default() -> Self {
        Self {
            by_address: Allowances::new(BY_ADDRESS),
            all: Allowances::new(ALL),
        }
    }
}

impl ReceiptQuestions {
    /// Whether WeChat may be queried once more for this caller.
    pub(super) fn may_ask(&self, caller: Caller, now_ms: i64) -> bool {
        // The address is checked first, so that an address at its limit uses no query of the
        // common limit.
        caller
            .counted
            .is_none_or(|address| self.by_address.take(network_of(address), now_ms).is_ok())
            && self.all.take((), now_ms).is_ok()
    }
}
