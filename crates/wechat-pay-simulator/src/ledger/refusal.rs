//! Why an order, a close or a reversal is refused. Nothing changes then. The gateway has WeChat's
//! codes and messages.

/// Why an order is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderRefusal {
    /// The number is paid.
    Paid,
    /// The number was closed.
    Closed,
    /// The number was used with other parameters.
    Changed,
    /// The number was used with another product, or is that of a sub-order.
    Used,
    /// The number's deadline has passed.
    Expired,
}

/// Why a close is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseRefusal {
    /// The number is paid.
    Paid,
    /// Code pay can only be reversed.
    CodePay,
    /// A sub-order can only be closed with its whole order.
    SubOrder,
}

/// Why closing a combined order is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CombinedCloseRefusal {
    /// The order does not exist.
    Unknown,
    /// The sub-orders are not those that were ordered.
    OtherSubOrders,
    /// The order is paid.
    Paid,
}

/// Why a reversal is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReverseRefusal {
    /// The order does not exist.
    Unknown,
    /// All other products are closed or refunded.
    NotCodePay,
    /// More than seven days have passed.
    TooLate,
    /// A part was refunded already.
    Refunded,
}
