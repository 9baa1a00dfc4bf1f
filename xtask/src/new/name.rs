//! Names of what is added: their rules, and their form in code.

use crate::failure::Failure;

/// A name for a variant: `COUPON_USED` and `coupon.used` are `CouponUsed`.
pub(super) fn variant(name: &str) -> String {
    let words = name.split(['_', '.', '-']);
    words
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
        })
        .collect()
}

/// Refuses a name that breaks its rule.
pub(super) fn ensure(is_kept: bool, name: &str, rule: &str) -> Result<(), Failure> {
    if is_kept {
        Ok(())
    } else {
        Err(Failure::Findings(vec![format!("`{name}` {rule}")]))
    }
}

#[cfg(test)]
mod tests {
    use super::variant;

    #[test]
    fn a_variant_has_the_words_of_its_name() {
        for name in ["COUPON_USED", "coupon.used"] {
            assert_eq!(variant(name), "CouponUsed");
        }
    }
}
