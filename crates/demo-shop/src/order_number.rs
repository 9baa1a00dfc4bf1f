//! Random order numbers and keys. They are never derived from the time or a counter: after a
//! restart, the shop would issue numbers that WeChat already knows.

/// Digits and letters, without those that look alike: 32 characters, 5 bits each.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The operating system returned no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system returned no random bytes")]
pub(crate) struct NoRandomness;

/// `SHOP-` and 16 characters (80 bits): within WeChat's 6 to 32 characters, and short enough to
/// read aloud.
pub(crate) fn order_no() -> Result<String, NoRandomness> {
    Ok(format!("SHOP-{}", characters::<16>()?))
}

/// 26 characters (130 bits). A visitor with the key may see this one order.
pub(crate) fn order_key() -> Result<String, NoRandomness> {
    characters::<26>()
}

fn characters<const N: usize>() -> Result<String, NoRandomness> {
    let mut bytes = [0_u8; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes
        .iter()
        // 256 is a multiple of 32: every character is equally likely.
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::{order_key, order_no};

    #[test]
    fn an_order_number_is_valid_at_wechat_and_unique() {
        let (first, second) = (order_no().unwrap(), order_no().unwrap());
        assert!(merchant_api::is_order_no(&first), "{first}");
        assert_ne!(first, second);
        assert_ne!(order_key().unwrap(), order_key().unwrap());
    }
}
