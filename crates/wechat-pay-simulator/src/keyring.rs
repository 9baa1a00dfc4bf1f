//! The keys of both sides: made on the first start and stored in a folder.
//!
//! The merchant's half is `merchant.json`, four PEM files beside it, and `apiclient_cert.p12` with
//! the same key and certificate; its password is the merchant number, as for WeChat's own file.
//! WeChat's private keys are in a sub-folder, because no merchant ever has them. Only their owner
//! can read private files (mode 0600).

pub(crate) mod certificate;
mod merchant_file;
mod pkcs12;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, io};

use certificate::{certified, rsa_key};
use jiff::Timestamp;
pub use merchant_file::MerchantFile;
pub use pkcs12::Pkcs12Error;
use pkcs12::pkcs12;
use wechat_pay::{
    ApiV3Key, KeyError, MerchantKey, PlatformKey, PublicKey, SigningKey, TrustedKeys,
    certificate_serial,
};

use crate::random::Random;
use crate::settings::Trust;

const MERCHANT_FILE: &str = "merchant.json";
const PRIVATE_KEY: &str = "apiclient_key.pem";
const CERTIFICATE: &str = "apiclient_cert.pem";
const KEY_AND_CERTIFICATE: &str = "apiclient_cert.p12";
const PUBLIC_KEY: &str = "pub_key.pem";
const PLATFORM_CERTIFICATE: &str = "wechatpay_cert.pem";
const PLATFORM_KEY: &str = "wechat_private/wechatpay_key.pem";
const PUBLIC_KEY_PRIVATE: &str = "wechat_private/pub_key_private.pem";
/// The setting `trust` at the first start; older folders do not have this file.
const TRUST_AT_FIRST: &str = "wechat_private/trust";

/// Why keys cannot be made, read or stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// `merchant.json` cannot be read.
    #[error("{path}: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// The file `trust` has an unknown content.
    #[error("{path}: must be public_key or certificates")]
    Trust {
        /// The file.
        path: PathBuf,
    },
    /// A PEM file or a key of `merchant.json` cannot be used.
    #[error("{file}: {source}")]
    Key {
        /// The file.
        file: &'static str,
        /// The cause.
        source: KeyError,
    },
    /// Keys or certificates cannot be made.
    #[error("making keys: {0}")]
    Making(#[from] rcgen::Error),
    /// The file of key and certificate cannot be made.
    #[error("making apiclient_cert.p12: {0}")]
    Pkcs12(#[from] Pkcs12Error),
}

/// The keys of one merchant and of WeChat's side.
#[derive(Clone)]
pub struct Keyring {
    merchant: MerchantFile,
    pem: PemFiles,
    default_trust: Trust,
    pub(crate) merchant_public_key: PublicKey,
    pub(crate) platform_key: Arc<PlatformKey>,
    pub(crate) public_key: PlatformKey,
    pub(crate) api_v3_key: ApiV3Key,
}

#[derive(Clone)]
struct PemFiles {
    private_key: String,
    certificate: String,
    public_key: String,
    platform_certificate: String,
    platform_key: String,
    public_key_private: String,
}

impl Keyring {
    /// Makes keys in memory only: for tests in one process.
    pub fn generate(base_url: &str, now: Timestamp, random: &Random) -> Result<Self, KeyringError> {
        let (private_key, certificate) = certified("WeChat Pay Simulator Merchant", now, random)?;
        let (platform_key, platform_certificate) =
            certified("WeChat Pay Simulator Platform", now, random)?;
        let public = rsa_key()?;
        let mchid = format!("19{}", random.digits(8));
        let merchant = MerchantFile {
            base_url: base_url.to_owned(),
            appid: format!("wx{}", random.lower_hex(16)),
            app_secret: random.lower_hex(32),
            mini_program_appid: format!("wx{}", random.lower_hex(16)),
            mini_program_secret: random.lower_hex(32),
            serial_no: serial(CERTIFICATE, &certificate)?,
            private_key_file: PRIVATE_KEY.to_owned(),
            certificate_file: CERTIFICATE.to_owned(),
            api_v3_key: random.alphanumeric(32),
            api_v2_key: random.alphanumeric(32),
            public_key_id: format!("PUB_KEY_ID_0{mchid}{}", random.digits(23)),
            public_key_file: PUBLIC_KEY.to_owned(),
            platform_serial_no: serial(PLATFORM_CERTIFICATE, &platform_certificate)?,
            platform_certificate_file: PLATFORM_CERTIFICATE.to_owned(),
            mchid,
        };
        let pem = PemFiles {
            private_key,
            certificate,
            public_key: public.public_key_pem(),
            platform_certificate,
            platform_key,
            public_key_private: public.serialize_pem(),
        };
        Self::assemble(merchant, pem, Trust::PublicKey)
    }

    /// Reads the folder, or makes keys and writes them. If only the address changed, `merchant.json`
    /// is rewritten.
    pub fn load_or_create(
        folder: &Path,
        base_url: &str,
        now: Timestamp,
        random: &Random,
    ) -> Result<Self, KeyringError> {
        let mut keyring = if folder.join(MERCHANT_FILE).exists() {
            Self::load(folder)?
        } else {
            let keyring = Self::generate(base_url, now, random)?;
            keyring.write(folder, random)?;
            keyring
        };
        if !folder.join(KEY_AND_CERTIFICATE).exists() {
            keyring.write_key_and_certificate(folder, random)?;
        }
        if keyring.merchant.base_url != base_url {
            base_url.clone_into(&mut keyring.merchant.base_url);
            keyring.write_merchant(folder)?;
        }
        Ok(keyring)
    }

    /// The content of `merchant.json`.
    #[must_use]
    pub fn merchant(&self) -> &MerchantFile {
        &self.merchant
    }

    /// The default of the setting `trust`: the public key, or certificates for a folder that was made
    /// when they were the default.
    #[must_use]
    pub fn default_trust(&self) -> Trust {
        self.default_trust
    }

    /// The merchant's signing key.
    pub fn merchant_key(&self) -> Result<MerchantKey, KeyError> {
        MerchantKey::from_pem(
            &self.merchant.mchid,
            &self.merchant.serial_no,
            self.pem.private_key.as_bytes(),
        )
    }

    /// The keys that a merchant trusts as WeChat's: platform certificate and public key.
    pub fn trusted_keys(&self) -> Result<TrustedKeys, KeyError> {
        let mut keys = TrustedKeys::new();
        keys.add_certificate_pem(self.pem.platform_certificate.as_bytes())?;
        keys.add_public_key_pem(&self.merchant.public_key_id, self.pem.public_key.as_bytes())?;
        Ok(keys)
    }

    /// The merchant's APIv3 key, which opens notifications.
    #[must_use]
    pub fn api_v3_key(&self) -> &ApiV3Key {
        &self.api_v3_key
    }

    /// The merchant's API certificate as DER.
    pub(crate) fn certificate_der(&self) -> Result<Vec<u8>, KeyringError> {
        let pem = x509_parser::pem::parse_x509_pem(self.pem.certificate.as_bytes());
        let (_, block) = pem.map_err(|_| KeyringError::Key {
            file: CERTIFICATE,
            source: KeyError::Certificate,
        })?;
        Ok(block.contents)
    }

    pub(crate) fn platform_certificate_pem(&self) -> &str {
        &self.pem.platform_certificate
    }

    /// WeChat's private key of this serial, to open text that was encrypted for it.
    pub(crate) fn platform_private_pem(&self, serial: &str) -> Option<&str> {
        if is_same_serial(serial, &self.merchant.platform_serial_no) {
            Some(&self.pem.platform_key)
        } else if is_same_serial(serial, &self.merchant.public_key_id) {
            Some(&self.pem.public_key_private)
        } else {
            None
        }
    }

    /// Writes the keys of both sides into a folder, as the program does.
    pub fn write(&self, folder: &Path, random: &Random) -> Result<(), KeyringError> {
        self.pem.write(folder)?;
        let trust = format!("{}\n", self.default_trust.as_str());
        write(&folder.join(TRUST_AT_FIRST), trust, Privacy::Owner)?;
        self.write_key_and_certificate(folder, random)?;
        self.write_merchant(folder)
    }

    fn write_key_and_certificate(
        &self,
        folder: &Path,
        random: &Random,
    ) -> Result<(), KeyringError> {
        let PemFiles {
            private_key,
            certificate,
            ..
        } = &self.pem;
        let content = pkcs12(private_key, certificate, &self.merchant.mchid, random)?;
        write(&folder.join(KEY_AND_CERTIFICATE), content, Privacy::Owner)
    }

    fn load(folder: &Path) -> Result<Self, KeyringError> {
        let path = folder.join(MERCHANT_FILE);
        let text = read(&path)?;
        let merchant =
            serde_json::from_str(&text).map_err(|source| KeyringError::Json { path, source })?;
        Self::assemble(merchant, PemFiles::read(folder)?, trust_at_first(folder)?)
    }

    fn assemble(
        merchant: MerchantFile,
        pem: PemFiles,
        default_trust: Trust,
    ) -> Result<Self, KeyringError> {
        let broken = |file| move |source| KeyringError::Key { file, source };
        let (_, merchant_public_key) = PublicKey::from_certificate_pem(pem.certificate.as_bytes())
            .map_err(broken(CERTIFICATE))?;
        let platform_key = SigningKey::from_pem(pem.platform_key.as_bytes())
            .and_then(|key| PlatformKey::new(&merchant.platform_serial_no, key))
            .map(Arc::new)
            .map_err(broken(PLATFORM_KEY))?;
        let public_key = SigningKey::from_pem(pem.public_key_private.as_bytes())
            .and_then(|key| PlatformKey::new(&merchant.public_key_id, key))
            .map_err(broken(PUBLIC_KEY_PRIVATE))?;
        let api_v3_key =
            ApiV3Key::new(merchant.api_v3_key.as_bytes()).map_err(broken(MERCHANT_FILE))?;
        Ok(Self {
            merchant,
            pem,
            default_trust,
            merchant_public_key,
            platform_key,
            public_key,
            api_v3_key,
        })
    }

    // Written last on the first start: if it exists, all other files exist.
    fn write_merchant(&self, folder: &Path) -> Result<(), KeyringError> {
        let path = folder.join(MERCHANT_FILE);
        let mut text =
            serde_json::to_string_pretty(&self.merchant).map_err(|source| KeyringError::Json {
                path: path.clone(),
                source,
            })?;
        text.push('\n');
        write(&path, text, Privacy::Owner)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("merchant", &self.merchant)
            .finish_non_exhaustive()
    }
}

impl PemFiles {
    fn read(folder: &Path) -> Result<Self, KeyringError> {
        let file = |name| read(&folder.join(name));
        Ok(Self {
            private_key: file(PRIVATE_KEY)?,
            certificate: file(CERTIFICATE)?,
            public_key: file(PUBLIC_KEY)?,
            platform_certificate: file(PLATFORM_CERTIFICATE)?,
            platform_key: file(PLATFORM_KEY)?,
            public_key_private: file(PUBLIC_KEY_PRIVATE)?,
        })
    }

    fn write(&self, folder: &Path) -> Result<(), KeyringError> {
        for (name, text, privacy) in [
            (PRIVATE_KEY, &self.private_key, Privacy::Owner),
            (CERTIFICATE, &self.certificate, Privacy::Anyone),
            (PUBLIC_KEY, &self.public_key, Privacy::Anyone),
            (
                PLATFORM_CERTIFICATE,
                &self.platform_certificate,
                Privacy::Anyone,
            ),
            (PLATFORM_KEY, &self.platform_key, Privacy::Owner),
            (PUBLIC_KEY_PRIVATE, &self.public_key_private, Privacy::Owner),
        ] {
            write(&folder.join(name), text, privacy)?;
        }
        Ok(())
    }
}

/// Who may read a file.
#[derive(Clone, Copy)]
pub(crate) enum Privacy {
    Owner,
    Anyone,
}

fn trust_at_first(folder: &Path) -> Result<Trust, KeyringError> {
    let path = folder.join(TRUST_AT_FIRST);
    if !path.exists() {
        return Ok(Trust::Certificates);
    }
    let text = read(&path)?;
    [Trust::Certificates, Trust::PublicKey]
        .into_iter()
        .find(|trust| trust.as_str() == text.trim())
        .ok_or(KeyringError::Trust { path })
}

pub(crate) fn read(path: &Path) -> Result<String, KeyringError> {
    fs::read_to_string(path).map_err(|source| KeyringError::File {
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn write(
    path: &Path,
    content: impl AsRef<[u8]>,
    privacy: Privacy,
) -> Result<(), KeyringError> {
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| write_with_mode(path, content.as_ref(), privacy));
    written.map_err(|source| KeyringError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(unix)]
fn write_with_mode(path: &Path, content: &[u8], privacy: Privacy) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mode = match privacy {
        Privacy::Owner => 0o600,
        Privacy::Anyone => 0o644,
    };
    // The mode is set before the first byte is written, also for an existing file.
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(content)
}

#[cfg(not(unix))]
fn write_with_mode(path: &Path, content: &[u8], _privacy: Privacy) -> io::Result<()> {
    fs::write(path, content)
}

/// Compares serial numbers without case, as WeChat does: widely used clients write them in lower
/// case.
pub(crate) fn is_same_serial(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn serial(file: &'static str, certificate: &str) -> Result<String, KeyringError> {
    certificate_serial(certificate.as_bytes()).map_err(|source| KeyringError::Key { file, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(folder: &Path, base_url: &str) -> Keyring {
        let now = "2026-02-28T00:00:00Z".parse().unwrap();
        Keyring::load_or_create(folder, base_url, now, &Random::system()).unwrap()
    }

    #[test]
    fn the_first_start_writes_the_files_that_later_starts_read() {
        let folder = tempfile::tempdir().unwrap();
        let made = create(folder.path(), "http://127.0.0.1:9410");
        let read = create(folder.path(), "http://127.0.0.1:9410");
        assert_eq!(made.merchant(), read.merchant());
        let moved = create(folder.path(), "http://127.0.0.1:1");
        assert_eq!(moved.merchant().base_url, "http://127.0.0.1:1");
        assert_eq!(moved.merchant().mchid, made.merchant().mchid);
        let signature = read.merchant_key().unwrap().sign(b"x").unwrap();
        assert!(made.merchant_public_key.verifies(b"x", &signature));
    }

    #[test]
    fn merchant_json_has_the_documented_fields_and_forms() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path(), "http://127.0.0.1:9410");
        let text = fs::read_to_string(folder.path().join("merchant.json")).unwrap();
        let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        let mut names: Vec<_> = json.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names.join(" "),
            "api_v2_key api_v3_key app_secret appid base_url certificate_file mchid \
             mini_program_appid mini_program_secret platform_certificate_file \
             platform_serial_no private_key_file public_key_file public_key_id serial_no"
        );
        for name in ["serial_no", "platform_serial_no"] {
            let serial = json[name].as_str().unwrap();
            assert_eq!(serial.len(), 40, "{serial}");
            let upper_hex = |b: u8| b.is_ascii_digit() || (b'A'..=b'F').contains(&b);
            assert!(serial.bytes().all(upper_hex), "{serial}");
        }
        let id = json["public_key_id"].as_str().unwrap();
        let digits = id.strip_prefix("PUB_KEY_ID_").unwrap();
        assert!(digits.len() == 34 && digits.bytes().all(|b| b.is_ascii_digit()));
        for name in [
            "private_key_file",
            "certificate_file",
            "public_key_file",
            "platform_certificate_file",
        ] {
            let file = json[name].as_str().unwrap();
            let pem = fs::read_to_string(folder.path().join(file)).unwrap();
            assert!(pem.starts_with("-----BEGIN "), "{file}");
        }
    }

    #[test]
    fn a_new_folder_has_the_public_key_and_an_older_one_keeps_its_certificates() {
        let folder = tempfile::tempdir().unwrap();
        let trust = || create(folder.path(), "http://127.0.0.1:9410").default_trust();
        assert_eq!(trust(), Trust::PublicKey);
        assert_eq!(trust(), Trust::PublicKey);
        let file = folder.path().join(TRUST_AT_FIRST);
        fs::remove_file(&file).unwrap();
        assert_eq!(trust(), Trust::Certificates);
        fs::write(&file, "nobody").unwrap();
        let error = Keyring::load(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("wechat_private/trust: must be public_key or certificates"),
            "{error}"
        );
    }

    #[test]
    fn openssl_opens_the_file_of_key_and_certificate_with_the_merchant_number() {
        let folder = tempfile::tempdir().unwrap();
        let keyring = create(folder.path(), "http://127.0.0.1:9410");
        let file = folder.path().join(KEY_AND_CERTIFICATE);
        let opened = |password: &str, part: &[&str]| {
            let output = std::process::Command::new("openssl")
                .args(["pkcs12", "-in"])
                .arg(&file)
                .args(["-passin", &format!("pass:{password}"), "-nodes"])
                .args(part)
                .output()
                .expect("openssl can be run");
            (
                output.status.success(),
                String::from_utf8(output.stdout).unwrap(),
            )
        };
        let mchid = &keyring.merchant().mchid;
        // OpenSSL writes the attributes before each block.
        let block = |text: &str| text[text.find("-----BEGIN").unwrap()..].to_owned();
        let (is_open, key) = opened(mchid, &["-nocerts"]);
        assert!(
            is_open && key.contains("friendlyName: Tenpay Certificate"),
            "{key}"
        );
        let normal = |pem: &str| pem.replace("\r\n", "\n");
        assert_eq!(block(&key), normal(&keyring.pem.private_key));
        let (is_open, certificate) = opened(mchid, &["-nokeys", "-clcerts"]);
        assert!(is_open, "{certificate}");
        assert_eq!(block(&certificate), normal(&keyring.pem.certificate));
        let (is_open, nothing) = opened("1900000000", &[]);
        assert!(!is_open && nothing.is_empty(), "{nothing}");
        // An older folder without this file gets one; an existing file stays.
        let first = fs::read(&file).unwrap();
        create(folder.path(), "http://127.0.0.1:9410");
        assert_eq!(fs::read(&file).unwrap(), first);
        fs::remove_file(&file).unwrap();
        create(folder.path(), "http://127.0.0.1:9410");
        let (is_open, _) = opened(mchid, &[]);
        assert!(is_open);
    }

    #[cfg(unix)]
    #[test]
    fn only_their_owner_can_read_private_files() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        create(folder.path(), "http://127.0.0.1:9410");
        for (name, mode) in [
            (MERCHANT_FILE, 0o600),
            (PRIVATE_KEY, 0o600),
            (KEY_AND_CERTIFICATE, 0o600),
            (PLATFORM_KEY, 0o600),
            (PUBLIC_KEY_PRIVATE, 0o600),
            (CERTIFICATE, 0o644),
        ] {
            let found = fs::metadata(folder.path().join(name)).unwrap();
            assert_eq!(found.permissions().mode() & 0o777, mode, "{name}");
        }
    }

    #[test]
    fn broken_files_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path(), "http://127.0.0.1:9410");
        let load = || Keyring::load(folder.path()).unwrap_err().to_string();
        fs::write(folder.path().join(PLATFORM_KEY), "junk").unwrap();
        assert!(load().starts_with(PLATFORM_KEY), "{}", load());
        fs::remove_file(folder.path().join(CERTIFICATE)).unwrap();
        assert!(load().contains(CERTIFICATE), "{}", load());
        fs::write(folder.path().join(MERCHANT_FILE), "{}").unwrap();
        assert!(load().contains("base_url"), "{}", load());
    }
}
