//! The demo's servers, from the libraries that a merchant's programs consist of: on ports that are
//! bound before the first of them starts, with their files in one folder. The keys of the merchant
//! server's private API and of its desk are made here, kept in files that only this user can read, and
//! never printed.

use std::error::Error;
use std::future::pending;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::{fmt, fs};

use merchant_server::Config;
use payment_tests::merchant_config::MerchantConfig;
use payment_tests::port::Port;
use payment_tests::servers::shop_app;
use payment_tests::simulator::LiveSimulator;
use payment_tests::wait::until;
use tokio::sync::oneshot;

/// Why the demo is not there.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It did not start.
    ToStart(Box<dyn Error>),
    /// A server ended by itself.
    ToStay(Box<dyn Error>),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToStart(error) => write!(f, "the demo could not start: {error}"),
            Self::ToStay(error) => write!(f, "the merchant server ended: {error}"),
        }
    }
}

impl<E: Error + 'static> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::ToStart(error.into())
    }
}

/// The ports of the four servers, bound.
pub(crate) struct Ports {
    simulator: Port,
    wechat_browser: Port,
    merchant: Port,
    shop: Port,
}

impl Ports {
    /// Binds four ports by their numbers.
    pub(crate) async fn bind(
        simulator: u16,
        wechat_browser: u16,
        merchant: u16,
        shop: u16,
    ) -> Result<Self, Failed> {
        let bind = async |number| {
            let port = Port::bind(number).await;
            port.map_err(|error| {
                Failed::ToStart(format!("port {number} on 127.0.0.1: {error}").into())
            })
        };
        Ok(Self {
            simulator: bind(simulator).await?,
            wechat_browser: bind(wechat_browser).await?,
            merchant: bind(merchant).await?,
            shop: bind(shop).await?,
        })
    }

    /// Four free ports.
    pub(crate) async fn free() -> Result<Self, Failed> {
        Self::bind(0, 0, 0, 0).await
    }
}

/// One demo: its addresses (`http://127.0.0.1:…`), its folder and its key.
pub(crate) struct Demo {
    pub(crate) simulator: String,
    pub(crate) wechat_browser: String,
    pub(crate) merchant: String,
    pub(crate) shop: String,
    /// The absolute path of the folder with orders, keys and logs.
    pub(crate) data_dir: PathBuf,
    /// The key of the merchant server's private API.
    pub(crate) api_key: String,
    /// The key of the merchant's desk.
    pub(crate) desk_key: String,
}

impl Demo {
    /// Creates the folder, and a key if there is none yet.
    pub(crate) fn in_folder(data_dir: &Path, ports: &Ports) -> Result<Self, Failed> {
        let data_dir = own_folder(data_dir).map_err(|error| {
            let folder = data_dir.display();
            Failed::ToStart(
                format!("the folder {folder} cannot be written: {error}; choose another one with --data-dir")
                    .into(),
            )
        })?;
        let [simulator, wechat_browser, merchant, shop] = [
            &ports.simulator,
            &ports.wechat_browser,
            &ports.merchant,
            &ports.shop,
        ]
        .map(|port| port.origin.clone());
        Ok(Self {
            simulator,
            wechat_browser,
            merchant,
            shop,
            api_key: kept_key(&data_dir.join(API_KEY_FILE))?,
            desk_key: kept_key(&data_dir.join(DESK_KEY_FILE))?,
            data_dir,
        })
    }

    /// The file with the key of the merchant server's private API.
    pub(crate) fn api_key_file(&self) -> PathBuf {
        self.data_dir.join(API_KEY_FILE)
    }

    /// The file with the key of the merchant's desk.
    pub(crate) fn desk_key_file(&self) -> PathBuf {
        self.data_dir.join(DESK_KEY_FILE)
    }

    /// Runs the servers until `work` ends, which begins when all of them answer.
    pub(crate) async fn run<T>(
        &self,
        ports: Ports,
        bundle_dir: Option<PathBuf>,
        work: impl AsyncFnOnce(&Self) -> T,
    ) -> Result<T, Failed> {
        let wechat = LiveSimulator::open(&self.data_dir.join("simulator"), &ports.simulator)
            .await
            .map_err(Failed::ToStart)?;
        wechat.show_in_wechat(&ports.wechat_browser, &self.shop);
        ports.shop.serve(shop_app(
            &self.merchant,
            &self.api_key,
            &self.shop,
            &self.wechat_browser,
        ));
        let config = self.merchant_config(&wechat.merchant_json(), bundle_dir)?;
        // The server binds the address of its configuration itself.
        ports.merchant.release();
        let (end, ended) = oneshot::channel::<()>();
        let mut serving = pin!(merchant_server::serve(config, pending, async {
            let _ = ended.await;
        }));
        tokio::select! {
            ended = &mut serving => {
                ended?;
                return Err(Failed::ToStart("the merchant server ended".into()));
            }
            () = is_up(&self.merchant) => {}
        }
        let worked = tokio::select! {
            ended = &mut serving => {
                let error = ended.err().map_or("without an error".into(), Box::from);
                return Err(Failed::ToStay(error));
            }
            worked = work(self) => worked,
        };
        let _ = end.send(());
        serving
            .await
            .map_err(|error| Failed::ToStay(error.into()))?;
        Ok(worked)
    }

    /// The merchant server's configuration. It is also written to a file, for its other commands.
    fn merchant_config(
        &self,
        merchant_json: &Path,
        bundle_dir: Option<PathBuf>,
    ) -> Result<Config, Failed> {
        let mut config = MerchantConfig::new(&self.merchant, merchant_json);
        config.api_key.clone_from(&self.api_key);
        config.allow_desk(&self.desk_key);
        config.allow_origins(&[&self.shop, &self.wechat_browser]);
        if let Some(folder) = bundle_dir {
            config.serve_bundle(&folder);
        }
        let text = config.to_toml();
        let written = format!("# Written by `cargo xtask demo` at each start.\n{text}");
        write_private(&self.data_dir.join("merchant-server.toml"), &written)?;
        Ok(Config::parse(&text, &self.data_dir)?)
    }
}

async fn is_up(merchant: &str) {
    let visitor = reqwest::Client::builder().no_proxy().build().unwrap();
    until("the merchant server to answer", async || {
        let answer = visitor.get(format!("{merchant}/healthz")).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        answer.map(drop).map_err(|error| error.to_string())
    })
    .await;
}

const API_KEY_FILE: &str = "api-key";
const DESK_KEY_FILE: &str = "desk-key";

/// The key in a file; a new one if there is none yet.
fn kept_key(file: &Path) -> Result<String, Failed> {
    if let Ok(key) = fs::read_to_string(file)
        && !key.trim().is_empty()
    {
        return Ok(key.trim().to_owned());
    }
    let (key, _) = merchant_server::new_api_key()?;
    let key = format!("demo_{key}");
    write_private(file, &format!("{key}\n"))?;
    Ok(key)
}

/// The absolute path of a folder that exists from now on, and that files can be written into.
fn own_folder(folder: &Path) -> std::io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let folder = fs::canonicalize(folder)?;
    tempfile::tempfile_in(&folder)?;
    Ok(folder)
}

/// Writes a file that only its owner can read, also if the file existed before.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut open = options.open(file)?;
    open.set_permissions(PermissionsExt::from_mode(0o600))?;
    open.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{Demo, Ports};

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_named_with_the_option_that_changes_it() {
        let folder = tempfile::tempdir().unwrap();
        // A file in the folder's place, which root cannot write into either.
        let data_dir = folder.path().join("file");
        std::fs::write(&data_dir, "").unwrap();
        let ports = Ports::free().await.unwrap();
        let refusal = Demo::in_folder(&data_dir, &ports)
            .err()
            .unwrap()
            .to_string();
        assert!(refusal.contains("/file cannot be written"), "{refusal}");
        assert!(refusal.contains("--data-dir"), "{refusal}");
    }

    #[tokio::test]
    async fn a_second_start_in_the_same_folder_keeps_the_keys() {
        let folder = tempfile::tempdir().unwrap();
        let ports = Ports::free().await.unwrap();
        let keys = || {
            let demo = Demo::in_folder(folder.path(), &ports).unwrap();
            [demo.api_key, demo.desk_key]
        };
        let first = keys();
        assert_eq!(keys(), first);
        assert!(first.iter().all(|key| key.len() >= 48), "{first:?}");
        assert_ne!(first[0], first[1]);
    }
}
