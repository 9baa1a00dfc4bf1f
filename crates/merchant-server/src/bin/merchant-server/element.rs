//! The element's files, as `build.rs` found them: a server that is installed without the repository
//! serves them too. A folder in the configuration takes precedence.

use std::path::Path;

use merchant_server::{Config, ConfigError, EmbeddedFile};

/// All files of the bundle; none if it was not built before the program was.
static FILES: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// Reads the configuration of this program.
pub(crate) fn load_config(file: &Path) -> Result<Config, ConfigError> {
    Ok(Config::load(file)?.with_embedded(FILES))
}
