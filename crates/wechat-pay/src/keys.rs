//! Keys: as files, as RSA keys that sign or verify, and the set of WeChat's keys that is trusted.

pub(crate) mod certificate;
pub(crate) mod client_identity;
pub(crate) mod download;
pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod file_kind;
mod issuer;
pub(crate) mod rsa;
pub(crate) mod trusted;
