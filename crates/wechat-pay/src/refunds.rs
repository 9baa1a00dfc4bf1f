//! Refunds: what a merchant sends, and what WeChat says about a refund.

pub(crate) mod abnormal;
pub(crate) mod answer;
pub(crate) mod request;
