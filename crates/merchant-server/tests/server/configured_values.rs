//! Every value of the configuration must fit its purpose. This module has the good configuration
//! and ways to change one value; the modules below have the changes.

mod addresses;
mod each_field;
mod keys;
mod secrets;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use merchant_server::Config;
use tempfile::TempDir;

use crate::test_server::configuration;

const FROM_FILE: &str = "from_file =";
/// A secret of 32 characters that fits every field for a secret.
const HEX: &str = "0123456789abcdef0123456789abcdef";

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new(".")).map_err(|error| error.to_string())
}

/// The good configuration with more lines in `[merchant]`.
fn with_merchant(lines: &str) -> Result<Config, String> {
    parse(&configuration("").replace(FROM_FILE, &format!("{lines}\n{FROM_FILE}")))
}

/// The good configuration with one text replaced.
fn with(from: &str, to: &str) -> Result<Config, String> {
    let good = configuration("");
    assert!(good.contains(from), "{from}");
    parse(&good.replacen(from, to, 1))
}

/// A file that only its owner can read.
fn private_file(folder: &TempDir, name: &str, content: &[u8]) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}
