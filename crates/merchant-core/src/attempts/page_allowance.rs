//! How often the pages of one order may make the server work at WeChat: a take-over is a query, a
//! close and an order, and whoever has the token can ask for one after the other. Looking, and
//! getting the same attempt again, costs WeChat nothing and is not counted. Neither is the backend.

use merchant_api::{ApiError, ErrorCode};

use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::wechat::CallSource;

/// What one request of a page costs: it is counted once, however many calls it takes.
pub(super) struct Effort<'a> {
    payments: &'a Payments,
    order_id: i64,
    is_counted: bool,
}

impl<'a> Effort<'a> {
    pub(super) fn of(payments: &'a Payments, order_id: i64) -> Self {
        Self {
            payments,
            order_id,
            is_counted: CallSource::current() != CallSource::Buyer,
        }
    }

    /// Before anything is asked of WeChat. Refused, nothing has changed.
    pub(super) fn count(&mut self) -> Result<(), Refusal> {
        if self.is_counted {
            return Ok(());
        }
        let now_ms = self.payments.clock.monotonic_ms();
        match self.payments.attempt_allowances.take(self.order_id, now_ms) {
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
