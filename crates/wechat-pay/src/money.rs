//! Money: an integer count of fen. Never a float, never negative, never beyond what WeChat's
//! signed 64-bit field holds.

use serde::{Deserialize, Serialize};

use crate::field::{InvalidField, Rule};

/// An amount in fen (one hundredth of a yuan), from 0 to `i64::MAX`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(into = "i64", try_from = "i64")]
pub struct Fen(i64);

impl Fen {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount of `fen`; negative ones are refused.
    pub fn new(fen: i64) -> Result<Self, InvalidField> {
        if fen < 0 {
            return Err(InvalidField::new("amount", Rule::BelowMinimum(0)));
        }
        Ok(Self(fen))
    }

    /// The count of fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` where it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` where it would be negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0
            .checked_sub(other.0)
            .filter(|fen| *fen >= 0)
            .map(Self)
    }
}

impl TryFrom<i64> for Fen {
    type Error = InvalidField;

    fn try_from(fen: i64) -> Result<Self, Self::Error> {
        Self::new(fen)
    }
}

impl From<Fen> for i64 {
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
    fn sums_and_differences_never_leave_the_range() {
        let one = Fen::new(1).unwrap();
        let most = Fen::new(i64::MAX).unwrap();
        assert_eq!(most.checked_add(one), None);
        assert_eq!(Fen::ZERO.checked_sub(one), None);
        assert_eq!(most.checked_sub(most), Some(Fen::ZERO));
        assert_eq!(one.checked_add(one).map(Fen::get), Some(2));
    }
}
