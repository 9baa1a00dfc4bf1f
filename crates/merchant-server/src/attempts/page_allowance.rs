//! How often the pages of one order may make the server work at WeChat: a take-over is a query, a
//! close and an order, and whoever has the token can ask for one after the other. Looking, and
//! getting the same attempt again, costs WeChat nothing and is not counted. Neither is the backend.

use merchant_api::{ApiError, ErrorCode};

use crate::error::Failure;
use crate::payments::{Allowance, MerchantServer};
use crate::wechat::CallSource;

/// A buyer who changes the device or the product does so a few times and stops.
pub(crate) const ATTEMPT_ALLOWANCE: Allowance = Allowance {
    burst: 12,
    interval_ms: 10_000,
};

/// What one request of a page costs: it is counted once, however many calls it takes.
pub(super) struct Effort<'a> {
    server: &'a MerchantServer,
    order_id: i64,
    is_counted: bool,
}

impl<'a> Effort<'a> {
    pub(super) fn of(server: &'a MerchantServer, order_id: i64) -> Self {
        Self {
            server,
            order_id,
            is_counted: CallSource::current() != CallSource::Buyer,
        }
    }

    /// Before anything is asked of WeChat. Refused, nothing has changed.
    pub(super) fn count(&mut self) -> Result<(), Failure> {
        if self.is_counted {
            return Ok(());
        }
        let now_ms = self.server.clock.monotonic_ms();
        match self.server.attempt_allowances.take(self.order_id, now_ms) {
            Ok(()) => {
                self.is_counted = true;
                Ok(())
            }
            Err(retry_after_ms) => {
                let mut error = ApiError::new(
                    ErrorCode::RateLimited,
                    "too many attempts of this order in a short time",
                );
                error.retry_after_ms = Some(retry_after_ms);
                Err(error.into())
            }
        }
    }
}
