//! The settings of a demo: a data folder, the merchant server's configuration, an API key.
//!
//! The key is made here, kept in a file that only this user can read, and never printed.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::ports::{Ports, address};
use crate::failure::Failure;

/// One demo's settings.
pub(crate) struct Settings {
    pub(super) ports: Ports,
    pub(super) data_dir: PathBuf,
    pub(super) api_key: String,
    bundle_dir: Option<PathBuf>,
}

impl Settings {
    /// Creates the folder, and a key if there is none yet.
    pub(super) fn in_folder(
        data_dir: &Path,
        ports: Ports,
        bundle_dir: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(data_dir).map_err(Failure::file(data_dir))?;
        // Servers are started with this path from any folder.
        let data_dir = fs::canonicalize(data_dir).map_err(Failure::file(data_dir))?;
        let api_key = api_key(&data_dir.join(API_KEY_FILE))?;
        Ok(Self {
            ports,
            data_dir,
            api_key,
            bundle_dir,
        })
    }

    /// The simulator's own folder; it writes `merchant.json` there.
    pub(super) fn simulator_dir(&self) -> PathBuf {
        self.data_dir.join("simulator")
    }

    /// The file with the key of the merchant server's private side.
    pub(super) fn api_key_file(&self) -> PathBuf {
        self.data_dir.join(API_KEY_FILE)
    }

    /// Writes the merchant server's configuration again, and returns its path.
    pub(super) fn write_merchant_config(&self) -> Result<PathBuf, Failure> {
        let file = self.data_dir.join("merchant-server.toml");
        write_private(&file, &self.merchant_config()).map_err(Failure::file(&file))?;
        Ok(file)
    }

    fn merchant_config(&self) -> String {
        let shop_origins = format!(
            "[{}, {}]",
            text(&self.ports.shop_origin()),
            text(&self.ports.wechat_origin())
        );
        let bundle_dir = self.bundle_dir.as_ref().map_or_else(String::new, |folder| {
            format!("bundle_dir = {}\n", text(&folder.to_string_lossy()))
        });
        format!(
            "# Written by `cargo xtask demo` at each start.\n\
             listen = {listen}\n\
             public_base_url = {public_base_url}\n\
             database = \"merchant-server.sqlite3\"\n\
             {bundle_dir}\
             allowed_origins = {shop_origins}\n\
             return_origins = {shop_origins}\n\
             \n\
             [[api_keys]]\n\
             name = \"demo-shop\"\n\
             sha256 = \"{sha256}\"\n\
             \n\
             [gateway]\n\
             environment = \"simulator\"\n\
             base_url = {base_url}\n\
             \n\
             [merchant]\n\
             from_file = \"simulator/merchant.json\"\n",
            listen = text(&address(self.ports.merchant)),
            public_base_url = text(&self.ports.merchant_origin()),
            sha256 = hex(&Sha256::digest(self.api_key.as_bytes())),
            base_url = text(&self.ports.simulator_origin()),
        )
    }
}

/// A folder that is deleted when this value is dropped.
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    pub(super) fn new() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("wechat-pay-demo-{}", random_hex(8)?));
        fs::create_dir(&folder).map_err(Failure::file(&folder))?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // If a file cannot be removed, it is left to the system's own clean-up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `bytes` random bytes as hex digits.
fn random_hex(bytes: usize) -> Result<String, Failure> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer)
        .map_err(|error| Failure::Server(format!("no random numbers: {error}")))?;
    Ok(hex(&buffer))
}

const API_KEY_FILE: &str = "api-key";

fn api_key(file: &Path) -> Result<String, Failure> {
    if let Ok(key) = fs::read_to_string(file)
        && !key.trim().is_empty()
    {
        return Ok(key.trim().to_owned());
    }
    let key = format!("demo_{}", random_hex(24)?);
    write_private(file, &format!("{key}\n")).map_err(Failure::file(file))?;
    Ok(key)
}

/// Writes a file that only its owner can read, also if the file existed before.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(file)?;
    #[cfg(unix)]
    open.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    write!(open, "{text}")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A TOML string. For paths and addresses, TOML quotes a string as JSON does.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Settings, TemporaryFolder};
    use crate::demo::ports::Ports;

    #[test]
    fn the_configuration_holds_the_hash_of_the_key_and_never_the_key() {
        let folder = TemporaryFolder::new().unwrap();
        let ports = Ports::wanted(9410, 8080, 8000).unwrap();
        let settings = Settings::in_folder(folder.path(), ports, None).unwrap();
        let config = settings.merchant_config();
        assert!(!config.contains(&settings.api_key));
        assert!(config.contains("sha256 = \""), "{config}");
        assert!(
            config.contains(
                "return_origins = [\"http://127.0.0.1:8000\", \"http://127.0.0.1:9411\"]"
            ),
            "{config}"
        );
    }

    #[test]
    fn a_second_start_in_the_same_folder_keeps_the_key() {
        let folder = TemporaryFolder::new().unwrap();
        let ports = Ports::wanted(9410, 8080, 8000).unwrap();
        let key = || {
            Settings::in_folder(folder.path(), ports, None)
                .unwrap()
                .api_key
        };
        let first = key();
        assert_eq!(key(), first);
        assert!(first.len() >= 48, "{}", first.len());
    }
}
