//! What a backend appends to `return_url`, and the element takes off again.
//!
//! It is appended as text, before the fragment: as `?name=value` where the address has no query,
//! else as `&name=value`, also to an empty one. All else stays byte for byte, for it is the page's:
//! it may be signed, and `/?#/pay` is not `/#/pay`.

/// Query parameter with the one-use payer handle that the hop for the openid brought back.
pub const PAYER_PARAMETER: &str = "wechat_pay_payer";
/// The handle's value when WeChat gave no openid: the element must not ask a second time.
pub const PAYER_UNAVAILABLE_HANDLE: &str = "unavailable";
/// Query parameter with the opaque handle by which the element recognises a return from
/// `h5_url`; iOS may come back in another browser, where no storage tells.
pub const RETURN_PARAMETER: &str = "wechat_pay_return";
