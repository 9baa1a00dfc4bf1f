//! Orders: what a merchant or a service provider sends, and what WeChat says about an order.

pub(crate) mod account;
pub(crate) mod code_pay;
pub(crate) mod combined;
pub(crate) mod extras;
pub(crate) mod order;
pub(crate) mod product;
pub(crate) mod transaction;
