//! The addresses of version 2. All are called with `POST`.

use crate::retry::Operation;

/// An address of version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Places an order.
    UnifiedOrder,
    /// Takes a payment by the buyer's code.
    MicroPay,
    /// Queries an order.
    OrderQuery,
    /// Closes an order.
    CloseOrder,
    /// Reverses a payment by code.
    Reverse,
    /// Requests a refund.
    Refund,
    /// Queries refunds.
    RefundQuery,
    /// Downloads a trade bill.
    DownloadBill,
    /// Shortens a link of Native mode 1.
    ShortUrl,
    /// Finds the openid behind a buyer's code.
    AuthCodeToOpenId,
}

impl Route {
    /// All routes.
    pub const ALL: [Self; 10] = [
        Self::UnifiedOrder,
        Self::MicroPay,
        Self::OrderQuery,
        Self::CloseOrder,
        Self::Reverse,
        Self::Refund,
        Self::RefundQuery,
        Self::DownloadBill,
        Self::ShortUrl,
        Self::AuthCodeToOpenId,
    ];

    /// The route of a path.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|route| route.path() == path)
    }

    /// Its path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::UnifiedOrder => "/pay/unifiedorder",
            Self::MicroPay => "/pay/micropay",
            Self::OrderQuery => "/pay/orderquery",
            Self::CloseOrder => "/pay/closeorder",
            Self::Reverse => "/secapi/pay/reverse",
            Self::Refund => "/secapi/pay/refund",
            Self::RefundQuery => "/pay/refundquery",
            Self::DownloadBill => "/pay/downloadbill",
            Self::ShortUrl => "/tools/shorturl",
            Self::AuthCodeToOpenId => "/tools/authcodetoopenid",
        }
    }

    /// Whether the connection must present the merchant's API certificate (mTLS). Without it the
    /// gateway refuses the connection or the request.
    #[must_use]
    pub fn needs_certificate(self) -> bool {
        matches!(self, Self::Refund | Self::Reverse)
    }

    /// The kind of request, for the verdicts after a refusal.
    #[must_use]
    pub fn operation(self) -> Operation {
        match self {
            Self::UnifiedOrder => Operation::Order,
            Self::MicroPay => Operation::CodePay,
            Self::OrderQuery => Operation::Query,
            Self::CloseOrder => Operation::Close,
            Self::Reverse => Operation::Reverse,
            Self::Refund => Operation::Refund,
            Self::RefundQuery => Operation::RefundQuery,
            Self::DownloadBill => Operation::Bill,
            Self::ShortUrl => Operation::ShortUrl,
            Self::AuthCodeToOpenId => Operation::CodeOwner,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_found_and_only_money_that_goes_back_needs_the_certificate() {
        for route in Route::ALL {
            let path = route.path();
            assert_eq!(Route::of(path), Some(route));
            assert_eq!(route.needs_certificate(), path.starts_with("/secapi/"));
        }
        for other in [
            "",
            "/pay/unifiedorder/",
            "/pay/refund",
            "/v3/pay/transactions/native",
        ] {
            assert_eq!(Route::of(other), None, "{other}");
        }
    }
}
