//! Why a configuration is refused. No error repeats a value that can be a secret.

use std::path::PathBuf;

use wechat_pay::KeyError;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that the configuration names cannot be read.
    #[error("{field}: cannot read {path}: {source}")]
    Unreadable {
        /// The field that names the file.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not TOML. The text at that place is not repeated, because it can be a secret.
    #[error(
        "line {line}, column {column}: this is not TOML; mostly a text lacks a quote, or a name comes twice"
    )]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
    },
    /// A field of another type, an unknown or a missing field. The value is not repeated.
    #[error("{field}: {rule}")]
    Form {
        /// The field, dotted.
        field: String,
        /// The rule.
        rule: String,
    },
    /// The simulator's `merchant.json` is not in its form.
    #[error("merchant.from_file: line {line}, column {column}: {reason}")]
    MerchantFile {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong, without the value.
        reason: String,
    },
    /// A value that breaks a rule.
    #[error("{field}: {rule}")]
    Refused {
        /// The field, dotted.
        field: &'static str,
        /// The rule, as a sentence. Holds no secret.
        rule: String,
    },
    /// A key or certificate that cannot be used.
    #[error("{field}: {source}")]
    Key {
        /// The field that gives the key.
        field: &'static str,
        /// The reason.
        source: KeyError,
    },
}

impl ConfigError {
    pub(crate) fn refused(field: &'static str, rule: impl Into<String>) -> Self {
        Self::Refused {
            field,
            rule: rule.into(),
        }
    }
}
