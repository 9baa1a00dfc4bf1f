//! The limit on orders that the pages of payment links make. Each is a row in the ledger that nobody may
//! ever pay. Many buyers can share an address, so the limit is wide. Each process counts for itself.

use std::net::IpAddr;

use merchant_core::payments::{Allowance, Allowances};

use crate::extract::{Caller, network_of};

/// Thirty orders, and one more every two seconds.
const BY_ADDRESS: Allowance = Allowance {
    burst: 30,
    interval_ms: 2_000,
};

/// The orders of payment links, by address.
#[derive(Debug)]
pub(crate) struct LinkOrders(Allowances<IpAddr>);

impl Default for LinkOrders {
    fn default() -> Self {
        Self(Allowances::new(BY_ADDRESS))
    }
}

impl LinkOrders {
    /// Counts an order; the error is the wait in milliseconds.
    pub(super) fn take(&self, caller: Caller, now_ms: i64) -> Result<(), u64> {
        match caller.counted {
            Some(address) => self.0.take(network_of(address), now_ms),
            None => Ok(()),
        }
    }
}
