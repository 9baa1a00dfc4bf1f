//! The limits of the contract: WeChat's limit for the field of its order form if there is one,
//! otherwise the smallest limit that leaves enough room.

/// Longest `description`, in bytes of UTF-8: WeChat's own validator counts bytes.
pub const DESCRIPTION_MAX_BYTES: usize = 127;
/// Shortest `order_no`, in characters.
pub const ORDER_NO_MIN: usize = 6;
/// Longest `order_no`, in characters.
pub const ORDER_NO_MAX: usize = 32;
/// Longest `attach`, in bytes of UTF-8: WeChat takes 128, and `order_no` with a blank goes first.
pub const ATTACH_MAX_BYTES: usize = 128 - ORDER_NO_MAX - 1;
/// Longest `sub_order_no`, in characters.
pub const SUB_ORDER_NO_MAX: usize = 32;
/// Longest `attach` of a sub-order, in bytes of UTF-8: its number with a blank goes first too.
pub const SUB_ATTACH_MAX_BYTES: usize = ATTACH_MAX_BYTES - SUB_ORDER_NO_MAX - 1;
/// Longest URL that either side takes, in bytes.
pub const URL_MAX_BYTES: usize = 2048;
/// Longest text of any other field in an answer, in bytes.
pub const TEXT_MAX_BYTES: usize = 1024;
/// Largest form body a backend needs to accept, in bytes.
pub const FORM_MAX_BYTES: usize = 8 * 1024;

/// Whether a text can be an `order_no`, and so WeChat's `out_trade_no`: 6 to 32 characters of
/// `[0-9a-zA-Z_\-|*]`.
pub fn is_order_no(text: &str) -> bool {
    (ORDER_NO_MIN..=ORDER_NO_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::is_order_no;

    #[test]
    fn an_order_no_has_six_to_thirty_two_of_wechats_characters() {
        let cases = [
            ("A-2026", true),
            ("a_b|c*", true),
            ("12345", false),
            ("12345678901234567890123456789012", true),
            ("123456789012345678901234567890123", false),
            ("order 7", false),
            ("订单号一二三", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_order_no(text), expected, "{text:?}");
        }
    }
}
