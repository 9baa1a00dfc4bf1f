//! A text that never shows: not in `Debug`, not in an error, not in a log.

use std::fmt;

use serde::Deserialize;

/// A secret of the configuration.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a text as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The first characters of a token, enough to find it again and too few to use it.
pub(crate) fn masked(token: &str) -> String {
    let mut shown: String = token.chars().take(6).collect();
    shown.push('…');
    shown
}
