//! Why a merchant's number is not ordered, closed or reversed. Nothing changes then. The gateway has
//! WeChat's words for each.

/// Why an order is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderRefusal {
    /// The number is paid.
    Paid,
    /// The number is closed, or burnt.
    Closed,
    /// The number is known with other parameters.
    Changed,
    /// The number is known with another product.
    OtherProduct,
    /// The number's deadline has passed.
    Expired,
}

/// Why a number is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseRefusal {
    /// The number is paid.
    Paid,
    /// Code pay can only be reversed.
    CodePay,
}

/// Why a code payment is not taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReverseRefusal {
    /// There is no such order.
    Unknown,
    /// All other products are closed or refunded.
    NotCodePay,
    /// More than seven days have passed.
    TooLate,
    /// A part of it went back already.
    Refunded,
}
