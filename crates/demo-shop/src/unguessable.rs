//! Numbers and keys nobody can guess. It never derives one from time or a counter: a shop that
//! restarts would hand out numbers again that WeChat already knows.

/// Digits and letters without those that look alike; 32 of them, so 5 bits a character.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The operating system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub(crate) struct NoRandomness;

/// `SHOP-` and 16 characters (80 bits): within WeChat's 6 to 32, and short enough to read out.
pub(crate) fn order_no() -> Result<String, NoRandomness> {
    Ok(format!("SHOP-{}", characters::<16>()?))
}

/// 26 characters (130 bits): who has it may see this one order.
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
    fn an_order_number_is_one_that_wechat_takes_and_none_comes_twice() {
        let (first, second) = (order_no().unwrap(), order_no().unwrap());
        assert!(merchant_api::is_order_no(&first), "{first}");
        assert_ne!(first, second);
        assert_ne!(order_key().unwrap(), order_key().unwrap());
    }
}
