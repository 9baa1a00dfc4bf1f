//! Files that the configuration names, and values that must be there.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::forms;
use super::privacy::check_private;
use super::secret::Secret;

/// A secret from the TOML or from a file of its own, trimmed.
pub(super) fn secret(
    field: &'static str,
    text: Option<Secret>,
    file: Option<PathBuf>,
) -> Result<Option<Secret>, ConfigError> {
    match (text, file) {
        (Some(_), Some(_)) => Err(ConfigError::refused(
            field,
            "must not come together with the value itself",
        )),
        (text, None) => Ok(text.as_ref().map(forms::trimmed_secret)),
        (None, Some(path)) => {
            let bytes = read_private(field, &path)?;
            let text = String::from_utf8(bytes).map_err(|_| {
                ConfigError::refused(
                    field,
                    "names a file that is not UTF-8 text (an editor may have saved it as UTF-16)",
                )
            })?;
            Ok(Some(Secret::new(forms::trimmed(&text))))
        }
    }
}

pub(super) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, ConfigError> {
    value.ok_or_else(|| ConfigError::refused(field, "is missing"))
}

pub(super) fn read_private(field: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    if !path.exists() && is_secret_itself(path) {
        return Err(ConfigError::refused(
            field,
            "must be the path of a file, and names none. Where it is the secret itself, it belongs into the field of the same name without _file",
        ));
    }
    check_private(field, path)?;
    read(field, path)
}

/// Whether a path looks like the secret itself. Then it must not be printed.
fn is_secret_itself(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_long_word = name.len() >= 24 && !name.contains('.');
    text.contains("-----BEGIN") || text.contains('\n') || is_long_word || name.starts_with("whsec_")
}

pub(super) fn read(field: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|source| ConfigError::Unreadable {
        field,
        path: path.to_owned(),
        source,
    })
}

pub(super) fn key_error(field: &'static str) -> impl Fn(wechat_pay::KeyError) -> ConfigError {
    move |source| ConfigError::Key { field, source }
}
