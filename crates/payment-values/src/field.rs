//! Validation before sending: an error names the field and the rule, never the value.
//!
//! The value stays out of the message on purpose: it may be a buyer's openid or address.

use std::fmt;

/// A value that WeChat would refuse, found before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct InvalidField {
    /// The field's name in WeChat's spelling, dotted if nested: `amount.total`.
    pub field: &'static str,
    /// The rule that it breaks.
    pub rule: Rule,
}

impl InvalidField {
    /// The error of a field that breaks a rule.
    pub fn new(field: &'static str, rule: Rule) -> Self {
        Self { field, rule }
    }
}

/// The rules that a value can break. `Display` gives the rule as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Empty text.
    Empty,
    /// More bytes of UTF-8 than WeChat accepts. WeChat counts bytes, not characters.
    TooManyBytes {
        /// The largest number of bytes.
        max: usize,
        /// The number of bytes in the value.
        got: usize,
    },
    /// Fewer bytes than WeChat accepts.
    TooFewBytes {
        /// The smallest number of bytes.
        min: usize,
        /// The number of bytes in the value.
        got: usize,
    },
    /// A character outside of the allowed set, which is given as a regular expression's class.
    Characters(&'static str),
    /// A character that needs four bytes of UTF-8 (an emoji): WeChat accepts up to three.
    FourByteCharacter,
    /// A number below the minimum.
    BelowMinimum(i64),
    /// A number above the maximum.
    AboveMaximum(i64),
    /// A URL that breaks the given rule.
    Url(&'static str),
    /// Not of the form that the text describes.
    Form(&'static str),
    /// A required field that is missing.
    Required,
    /// A name inside of this field that APIv3 does not document: WeChat refuses such names.
    UnknownName,
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
            Self::AboveMaximum(max) => write!(f, "must be at most {max}"),
            Self::Url(rule) => write!(f, "must be a URL {rule}"),
            Self::Form(form) => write!(f, "must be {form}"),
            Self::Required => f.write_str("is required"),
            Self::UnknownName => f.write_str("has a name in it that APIv3 does not document"),
        }
    }
}

/// Declares a text type whose values are checked when they are created: `parse`, `as_str`,
/// `Display`, conversions from and into `String`. Attributes, such as derives, may stand before the
/// name.
#[macro_export]
macro_rules! checked_text {
    ($(#[$about:meta])* $name:ident, $check:path) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks the rules; the error names the field and the rule.
            pub fn parse(text: impl Into<String>) -> Result<Self, $crate::InvalidField> {
                let text = text.into();
                $check(&text)?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        // Equal, ordered and hashed as its text is, so that a map can be asked for a foreign text.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::InvalidField;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

/// Checks an application's or a merchant's number: 1 to 32 letters and digits.
pub fn check_word(field: &'static str, text: &str) -> Result<(), InvalidField> {
    check_text(field, text, 32)?;
    if !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(InvalidField::new(field, Rule::Characters("[0-9a-zA-Z]")));
    }
    Ok(())
}

/// Checks the length in bytes and, for text that people write, that WeChat accepts its characters.
pub fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), InvalidField> {
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
