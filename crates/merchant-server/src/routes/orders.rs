//! `/v1/orders`: the merchant's backend.

pub(super) mod attempts;
pub(super) mod list;
