//! Signatures: what is signed, the headers that carry a signature, and their verification.

pub(crate) mod app_payment;
pub(crate) mod authorization;
pub(crate) mod jsapi_payment;
pub(crate) mod message;
pub(crate) mod signature;
pub(crate) mod stamp;
