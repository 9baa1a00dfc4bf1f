//! Money: an integer count of fen. Never a float, never negative, never beyond what WeChat's
//! signed 64-bit field holds.

use crate::field::{InvalidField, Rule};

/// An amount in fen (one hundredth of a yuan), from 0 to `i64::MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "u64", try_from = "u64")
)]
#[repr(transparent)]
pub struct Fen(u64);

impl Fen {
    /// The amount zero.
    pub const ZERO: Self = Self(0);
    /// The smallest amount that can be paid or refunded.
    pub const ONE: Self = Self(1);

    /// The largest amount that WeChat's field holds.
    pub const MAX: Self = Self(i64::MAX.cast_unsigned());

    /// An amount of `fen`; a negative count is refused.
    pub fn new(fen: i64) -> Result<Self, InvalidField> {
        let fen = u64::try_from(fen);
        fen.map(Self)
            .map_err(|_| InvalidField::new("amount", Rule::BelowMinimum(0)))
    }

    /// An amount of `fen`, limited to the largest amount.
    #[must_use]
    pub const fn saturating(fen: u64) -> Self {
        if fen > Self::MAX.0 {
            Self::MAX
        } else {
            Self(fen)
        }
    }

    /// The count of fen, as WeChat's signed field has it.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0.cast_signed()
    }

    /// The count of fen, as the contract's unsigned fields have it.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.0
    }

    /// Reads an amount in yuan exactly, as bills write it: `69.1` is 6910 fen. At most two
    /// digits after the point; no sign, no exponent, no blanks, no separators.
    pub fn from_yuan_text(text: &str) -> Result<Self, YuanTextError> {
        read_decimal(text, 2).map(|fen| Self(fen.unsigned_abs()))
    }

    /// The amount in yuan with two digits after the point, as bills write it.
    #[must_use]
    pub fn to_yuan_text(self) -> String {
        format!("{}.{:02}", self.0 / 100, self.0 % 100)
    }

    /// The sum, or `None` if it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        // The sum of two amounts of at most i64::MAX fits into u64.
        Some(Self(self.0 + other.0)).filter(|sum| *sum <= Self::MAX)
    }

    /// The sum, or the largest amount if it does not fit.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        self.checked_add(other).unwrap_or(Self::MAX)
    }

    /// The difference, or zero if it would be negative.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The difference, or `None` if it would be negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

/// Why a text is not an amount in yuan. Fees in bills have the same errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum YuanTextError {
    /// Empty text.
    #[error("an amount in yuan must not be empty")]
    Empty,
    /// The text begins with a minus.
    #[error("an amount in yuan must not be negative")]
    Negative,
    /// Characters other than digits and one point: signs, blanks, exponents, separators.
    #[error("an amount in yuan may only have digits and one point, has {0:?}")]
    Character(char),
    /// No digit before or after the point.
    #[error("an amount in yuan must have digits on both sides of its point")]
    BarePoint,
    /// More decimals than the unit has.
    #[error("an amount in yuan must have at most {max} digits after the point, has {got}")]
    TooPrecise {
        /// The allowed number of decimals: 2, because a fen is the smallest unit.
        max: usize,
        /// The number of decimals in the text.
        got: usize,
    },
    /// More than WeChat's signed 64-bit field holds.
    #[error("the amount is beyond what a signed 64-bit number of fen holds")]
    TooLarge,
}

/// Reads a decimal as a count of its `decimals`-th places, exactly: `69.1` with 2 is 6910.
pub fn read_decimal(text: &str, decimals: usize) -> Result<i64, YuanTextError> {
    if text.is_empty() {
        return Err(YuanTextError::Empty);
    }
    if text.starts_with('-') {
        return Err(YuanTextError::Negative);
    }
    if let Some(other) = text.chars().find(|c| !c.is_ascii_digit() && *c != '.') {
        return Err(YuanTextError::Character(other));
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((_, fraction)) if fraction.contains('.') => {
            return Err(YuanTextError::Character('.'));
        }
        Some((whole, fraction)) if whole.is_empty() || fraction.is_empty() => {
            return Err(YuanTextError::BarePoint);
        }
        Some(parts) => parts,
        None => (text, ""),
    };
    if fraction.len() > decimals {
        return Err(YuanTextError::TooPrecise {
            max: decimals,
            got: fraction.len(),
        });
    }
    let padding = std::iter::repeat_n(b'0', decimals - fraction.len());
    whole
        .bytes()
        .chain(fraction.bytes())
        .chain(padding)
        .try_fold(0_i64, |count, digit| {
            count.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
        })
        .ok_or(YuanTextError::TooLarge)
}

impl TryFrom<i64> for Fen {
    type Error = InvalidField;

    fn try_from(fen: i64) -> Result<Self, Self::Error> {
        Self::new(fen)
    }
}

impl TryFrom<u64> for Fen {
    type Error = InvalidField;

    fn try_from(fen: u64) -> Result<Self, Self::Error> {
        if fen > Self::MAX.0 {
            return Err(InvalidField::new("amount", Rule::AboveMaximum(i64::MAX)));
        }
        Ok(Self(fen))
    }
}

impl From<Fen> for i64 {
    fn from(fen: Fen) -> Self {
        fen.get()
    }
}

impl From<Fen> for u64 {
    fn from(fen: Fen) -> Self {
        fen.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_whole_number_of_fen_that_is_not_negative() {
        for (json, expected) in [
            ("0", Some(0)),
            ("1", Some(1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-1", None),
            ("1.0", None),
            ("1e2", None),
            ("\"1\"", None),
            ("9223372036854775808", None),
        ] {
            let read = serde_json::from_str::<Fen>(json).ok().map(Fen::get);
            assert_eq!(read, expected, "{json}");
        }
    }

    #[test]
    fn yuan_text_is_read_to_the_fen_or_refused_with_the_reason() {
        use YuanTextError::{BarePoint, Character, Empty, Negative, TooLarge, TooPrecise};
        let table = [
            ("69.1", Ok(6910)),
            ("69.10", Ok(6910)),
            ("69", Ok(6900)),
            ("0", Ok(0)),
            ("0.0", Ok(0)),
            ("0.01", Ok(1)),
            ("0.29", Ok(29)),
            ("007.50", Ok(750)),
            ("92233720368547758.07", Ok(i64::MAX)),
            ("92233720368547758.08", Err(TooLarge)),
            ("1000000000000000000000", Err(TooLarge)),
            ("69.105", Err(TooPrecise { max: 2, got: 3 })),
            ("69.100", Err(TooPrecise { max: 2, got: 3 })),
            ("1e3", Err(Character('e'))),
            ("-1", Err(Negative)),
            ("-0", Err(Negative)),
            ("", Err(Empty)),
            ("+1", Err(Character('+'))),
            (" 1", Err(Character(' '))),
            ("1,000.00", Err(Character(','))),
            ("1.2.3", Err(Character('.'))),
            ("1.", Err(BarePoint)),
            (".5", Err(BarePoint)),
            (".", Err(BarePoint)),
            ("١", Err(Character('١'))),
            ("NaN", Err(Character('N'))),
        ];
        for (text, expected) in table {
            assert_eq!(Fen::from_yuan_text(text).map(Fen::get), expected, "{text}");
        }
        for (text, why) in [
            ("69.105", "at most 2 digits after the point, has 3"),
            ("1e3", "may only have digits and one point, has 'e'"),
            ("-1", "must not be negative"),
            ("", "must not be empty"),
        ] {
            let said = Fen::from_yuan_text(text).unwrap_err().to_string();
            assert!(said.ends_with(why), "{said}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_amount_is_written_and_read_back_unchanged(fen in 0..=i64::MAX) {
            let amount = Fen::new(fen).unwrap();
            proptest::prop_assert_eq!(Fen::from_yuan_text(&amount.to_yuan_text()), Ok(amount));
        }

        #[test]
        fn a_decimal_is_read_as_its_exact_value(whole in 0_i64..1_000_000_000, fraction in "[0-9]{0,2}") {
            let text = if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") };
            let fen: i64 = format!("{fraction:0<2}").parse().unwrap();
            proptest::prop_assert_eq!(Fen::from_yuan_text(&text).map(Fen::get), Ok(whole * 100 + fen));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,40}") {
            let _ = Fen::from_yuan_text(&text);
        }
    }

    #[test]
    fn sums_and_differences_stay_in_the_range() {
        let one = Fen::new(1).unwrap();
        let most = Fen::new(i64::MAX).unwrap();
        assert_eq!(most.checked_add(one), None);
        assert_eq!(Fen::ZERO.checked_sub(one), None);
        assert_eq!(most.checked_sub(most), Some(Fen::ZERO));
        assert_eq!(one.checked_add(one).map(Fen::get), Some(2));
        assert_eq!(most.saturating_add(one), most);
        assert_eq!(Fen::ZERO.saturating_sub(one), Fen::ZERO);
        assert_eq!(one.saturating_add(one).saturating_sub(one), one);
    }
}
