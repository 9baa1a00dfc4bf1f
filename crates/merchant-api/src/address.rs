//! What a backend appends to `return_url`, and the element removes again.
//!
//! It is appended as text, before the fragment: as `?name=value` if the address has no query,
//! otherwise as `&name=value`, even if the query is empty. The rest stays byte for byte, because it
//! belongs to the page: the query may be signed, and `/?#/pay` is not `/#/pay`.

/// Query parameter with the one-use payer handle that the OAuth redirect brought back.
pub const PAYER_PARAMETER: &str = "wechat_pay_payer";
/// The handle's value if WeChat gave no openid: the element must not redirect a second time.
pub const PAYER_UNAVAILABLE_HANDLE: &str = "unavailable";
/// Query parameter with the opaque handle by which the element recognises a return from `h5_url`.
/// iOS may return the buyer to another browser, whose storage does not have the mark of the
/// departure.
pub const RETURN_PARAMETER: &str = "wechat_pay_return";
