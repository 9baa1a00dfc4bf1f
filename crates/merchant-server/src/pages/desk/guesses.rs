//! The limit on tries to sign in. Each process counts for itself.

use std::net::IpAddr;

use merchant_core::payments::{Allowance, Allowances};
use merchant_core::surroundings::Clock;

use crate::extract::network_of;

/// Ten tries, and one more each half minute.
const TRIES: Allowance = Allowance {
    burst: 10,
    interval_ms: 30_000,
};

/// The tries to sign in, by address.
pub(crate) struct SignIns(Allowances<String>);

impl Default for SignIns {
    fn default() -> Self {
        Self(Allowances::new(TRIES))
    }
}

impl SignIns {
    /// Counts a try; the error is the wait in milliseconds.
    pub(super) fn take(&self, address: Option<IpAddr>, clock: &dyn Clock) -> Result<(), u64> {
        let network = address.map(|address| network_of(address).to_string());
        self.0
            .take(network.unwrap_or_default(), clock.monotonic_ms())
    }
}
