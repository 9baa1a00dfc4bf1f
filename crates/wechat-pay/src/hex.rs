//! Bytes as hex digits, two for each byte. WeChat writes some texts in capitals and some in small
//! letters.

/// `AB01` for `[0xab, 0x01]`.
#[must_use]
pub fn upper_hex(bytes: &[u8]) -> String {
    hex(bytes, b"0123456789ABCDEF")
}

/// `ab01` for `[0xab, 0x01]`.
#[must_use]
pub fn lower_hex(bytes: &[u8]) -> String {
    hex(bytes, b"0123456789abcdef")
}

fn hex(bytes: &[u8], digits: &[u8; 16]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(digits[usize::from(byte >> 4)]));
        text.push(char::from(digits[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{lower_hex, upper_hex};

    #[test]
    fn each_byte_gives_two_digits_in_the_requested_case() {
        assert_eq!(upper_hex(&[0x00, 0x0f, 0xab]), "000FAB");
        assert_eq!(lower_hex(&[0x00, 0x0f, 0xab]), "000fab");
        assert_eq!(upper_hex(&[]), "");
    }
}
