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
    /// The same of one merchant of several.
    #[error("{}", of_merchant(*place, &source.to_string()))]
    OfMerchant {
        /// Its place in `merchants`, counted from 0.
        place: usize,
        /// What it would be of `[merchant]`.
        source: Box<Self>,
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

/// A text about fields of `[merchant]`, or of the top level that belong to it, as one about the merchant
/// at this place of `[[merchants]]`. The text begins with a field.
pub(super) fn of_merchant(place: usize, text: &str) -> String {
    const OWN: &str = "merchant.";
    let mut renamed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(OWN) {
        let (before, after) = (&rest[..at], &rest[at + OWN.len()..]);
        let is_word = before
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric);
        let is_field = !is_word && after.starts_with(|c: char| c.is_ascii_lowercase());
        renamed.push_str(before);
        if is_field {
            renamed.push_str(&place_of(place));
            renamed.push('.');
        } else {
            renamed.push_str(OWN);
        }
        rest = after;
    }
    renamed.push_str(rest);
    if renamed.starts_with("merchants[") {
        renamed
    } else {
        format!("{}.{renamed}", place_of(place))
    }
}

fn place_of(place: usize) -> String {
    format!("merchants[{place}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_field_of_its_merchant() {
        let table = [
            ("merchant.appid: is empty", "merchants[1].appid: is empty"),
            (
                "api_keys.name: must be text",
                "merchants[1].api_keys.name: must be text",
            ),
            (
                "wxpay_server: needs merchant.api_v2_key, and a merchant.",
                "merchants[1].wxpay_server: needs merchants[1].api_v2_key, and a merchant.",
            ),
        ];
        for (of_one, of_several) in table {
            assert_eq!(of_merchant(1, of_one), of_several);
        }
    }
}
