//! Encryption: AES-256-GCM under the APIv3 key for what WeChat sends, RSA-OAEP for single fields.

pub(crate) mod aead;
pub(crate) mod oaep;
pub(crate) mod sealed_request;
