//! What is wrong with a value before it is sent: the field and the rule, never the value.
//!
//! The value stays out of the message on purpose: it may be a buyer's openid or address.

use std::fmt;

/// A value that WeChat would refuse, found before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct InvalidField {
    /// The field's name as WeChat spells it, dotted where nested: `amount.total`.
    pub field: &'static str,
    /// The rule that it breaks.
    pub rule: Rule,
}

impl InvalidField {
    pub(crate) fn new(field: &'static str, rule: Rule) -> Self {
        Self { field, rule }
    }
}

/// The rules that a value can break. `Display` gives the rule as a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Nothing in it.
    Empty,
    /// More bytes of UTF-8 than WeChat takes. WeChat counts bytes, not characters.
    TooManyBytes {
        /// The most that WeChat takes.
        max: usize,
        /// What was given.
        got: usize,
    },
    /// Fewer bytes than WeChat takes.
    TooFewBytes {
        /// The least that WeChat takes.
        min: usize,
        /// What was given.
        got: usize,
    },
    /// A character outside of the allowed set, which is given as a regular expression's class.
    Characters(&'static str),
    /// A character that needs four bytes of UTF-8 (an emoji): WeChat takes up to three.
    FourByteCharacter,
    /// A number below the least.
    BelowMinimum(i64),
    /// A URL that breaks the given rule.
    Url(&'static str),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("must not be empty"),
            Self::TooManyBytes { max, got } => {
                write!(f, "must be at most {max} bytes of UTF-8, is {got}")
            }
            Self::TooFewBytes { min, got } => write!(f, "must be at least {min} bytes, is {got}"),
            Self::Characters(class) => write!(f, "may only have characters of {class}"),
            Self::FourByteCharacter => {
                f.write_str("must not have characters of four bytes in UTF-8 (such as emoji)")
            }
            Self::BelowMinimum(min) => write!(f, "must be at least {min}"),
            Self::Url(rule) => write!(f, "must be a URL {rule}"),
        }
    }
}

/// Checks length in bytes and, for text that people write, that WeChat can take its characters.
pub(crate) fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), InvalidField> {
    if text.is_empty() {
        return Err(InvalidField::new(field, Rule::Empty));
    }
    if text.len() > max {
        let got = text.len();
        return Err(InvalidField::new(field, Rule::TooManyBytes { max, got }));
    }
    if text.chars().any(|c| c.len_utf8() == 4) {
        return Err(InvalidField::new(field, Rule::FourByteCharacter));
    }
    Ok(())
}
