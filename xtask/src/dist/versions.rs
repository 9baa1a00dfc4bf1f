//! Names of files that say which content the files have: `wechat-pay-0.1.0-1a2b3c4d.wasm`. A browser,
//! a cache or a service worker can keep such a file for ever, and a page never gets two files that do
//! not belong together. Only the loader has a name that stays.

use std::fs;
use std::path::Path;

use super::bundler;
use crate::failure::Failure;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Copies a file into a folder under such a name, and returns the name.
pub(super) fn copy(file: &Path, folder: &Path) -> Result<String, Failure> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = versioned(&name, &bundler::fingerprint(file)?);
    fs::copy(file, folder.join(&name)).map_err(Failure::file(file))?;
    Ok(name)
}

/// Writes these names into a source in place of the plain ones.
pub(super) fn name_in(source: &Path, names: &[(&str, String)]) -> Result<(), Failure> {
    let mut text = fs::read_to_string(source).map_err(Failure::file(source))?;
    for (plain, name) in names {
        let (plain, name) = (format!("\"./{plain}\""), format!("\"./{name}\""));
        if text.matches(&plain).count() != 1 {
            return Err(Failure::File {
                path: source.into(),
                why: format!("it does not name {plain} once"),
            });
        }
        text = text.replace(&plain, &name);
    }
    fs::write(source, text).map_err(Failure::file(source))
}

fn versioned(name: &str, fingerprint: &str) -> String {
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    format!("{stem}-{VERSION}-{fingerprint}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::{VERSION, versioned};

    #[test]
    fn the_version_and_the_content_are_in_the_name_before_its_ending() {
        let name = versioned("wechat-pay.nowasm.js", "1a2b3c4d");
        assert_eq!(name, format!("wechat-pay-{VERSION}-1a2b3c4d.nowasm.js"));
    }
}
