//! A refusal of version 2, as it came: in `return_code` (the protocol's layer) or in `result_code`
//! (the business's layer). What a caller may conclude from it: [`super::retry`].

use super::fields::Fields;
use crate::error::without_openids;

/// The layer of a message that says FAIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// `return_code`: the message itself was refused. WeChat does not sign it.
    Protocol,
    /// `result_code`: the message was accepted, and what it requests was refused.
    Business,
}

/// A refusal. `code` decides, `message` is for people and logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("WeChat refused with {code:?}: {message}")]
pub struct Refusal {
    /// The layer.
    pub layer: Layer,
    /// WeChat's `err_code`, such as `ORDERPAID` (for bills `error_code`); empty where the answer
    /// had none.
    pub code: String,
    /// WeChat's `err_code_des` or `return_msg`; empty where the answer had none. Openids are cut to
    /// their first characters: the message goes into logs.
    pub message: String,
    /// Only for a reversal: WeChat asks for the same call again (`recall`).
    pub recall: bool,
    /// Whether the answer was signed and the signature is valid. An unsigned refusal proves
    /// nothing.
    pub trusted: bool,
}

impl Refusal {
    pub(super) fn protocol(fields: &Fields, trusted: bool) -> Self {
        Self::read(Layer::Protocol, fields, "return_msg", trusted)
    }

    pub(super) fn business(fields: &Fields, trusted: bool) -> Self {
        Self::read(Layer::Business, fields, "err_code_des", trusted)
    }

    fn read(layer: Layer, fields: &Fields, message: &str, trusted: bool) -> Self {
        let code = fields.get("err_code").or(fields.get("error_code"));
        Self {
            layer,
            code: code.unwrap_or_default().to_owned(),
            message: without_openids(fields.get(message).unwrap_or_default()),
            recall: fields.get("recall") == Some("Y"),
            trusted,
        }
    }
}
