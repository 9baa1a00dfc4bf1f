//! The limit on calls to WeChat that the pages of one order cause. A take-over costs a query, a
//! close and an order, and the holder of the token can request one take-over after the other.
//! Reading the order, or getting the same attempt again, calls nothing at WeChat and is not
//! counted. The backend is not limited.

use merchant_api::{ApiError, ErrorCode};

use crate::ledger::Limit;
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::wechat::CallSource;

/// The cost of one request of a page. It is counted once, however many calls the request needs.
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

    /// Called before WeChat is called. A refusal changes nothing.
    pub(super) fn count(&mut self) -> Result<(), Refusal> {
        if self.is_counted {
            return Ok(());
        }
        let now_ms = self.payments.clock.monotonic_ms();
        let allowances = &self.payments.attempt_allowances;
        let spending = self.payments.ledger.spending();
        for (order_id, count) in spending.take_heard(Limit::Attempts, |_| true) {
            allowances.spend(order_id, count, now_ms);
        }
        match allowances.take(self.order_id, now_ms) {
            Ok(()) => {
                self.is_counted = true;
                spending.tell(Limit::Attempts, self.order_id, 1);
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
