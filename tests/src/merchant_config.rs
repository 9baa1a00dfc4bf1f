//! The configuration of a test's merchant server: what all tests have in common, and what a test
//! adds. All tests across crates start their server with it.

use std::path::Path;
use std::sync::Arc;

use merchant_server::{
    Clock, Config, HttpTransport, MerchantServer, Surroundings, SystemRandomness,
};

/// The key of the private API, for the shop's backend.
pub const API_KEY: &str = "tests-key";
/// SHA-256 of [`API_KEY`].
const API_KEY_SHA256: &str = "9041b924878743c7e88e8fd663d4c547a510c659d3427ef38c84ff95f4b6575b";

/// A configuration that a test builds. Each setting is a line of TOML.
#[derive(Clone, Debug)]
pub struct MerchantConfig {
    /// `http://…`: the address on which the server listens.
    pub address: String,
    /// `http://…`: the address at which buyers and WeChat reach the server.
    pub public_base_url: String,
    /// The simulator's `merchant.json`.
    pub merchant_json: String,
    /// Settings at the top level.
    pub settings: Vec<String>,
    /// Tables of their own, such as `[[webhooks]]`.
    pub tables: Vec<String>,
    /// Settings of `[merchant]`, and its tables at the end.
    pub merchant: Vec<String>,
}

impl MerchantConfig {
    /// A server that buyers reach at the address on which it listens.
    pub fn new(address: &str, merchant_json: &Path) -> Self {
        Self {
            address: address.to_owned(),
            public_base_url: address.to_owned(),
            merchant_json: merchant_json.to_str().unwrap().to_owned(),
            settings: Vec::new(),
            tables: Vec::new(),
            merchant: Vec::new(),
        }
    }

    /// The text of the configuration file.
    pub fn to_toml(&self) -> String {
        let listen = self.address.trim_start_matches("http://");
        format!(
            r#"
listen = "{listen}"
public_base_url = "{public_base_url}"
{settings}

[[api_keys]]
name = "shop"
sha256 = "{API_KEY_SHA256}"

{tables}

[gateway]
environment = "simulator"

[merchant]
from_file = "{merchant_json}"
{merchant}
"#,
            public_base_url = self.public_base_url,
            merchant_json = self.merchant_json,
            settings = self.settings.join("\n"),
            tables = self.tables.join("\n"),
            merchant = self.merchant.join("\n"),
        )
    }

    /// Opens the server in this process, with its database in `folder`; it reaches WeChat over HTTP.
    pub async fn open(&self, folder: &Path, clock: Arc<dyn Clock>) -> MerchantServer {
        let surroundings = Surroundings {
            clock,
            randomness: Arc::new(SystemRandomness),
            wechat: Arc::new(HttpTransport::new(true).unwrap()),
            webhooks: Arc::new(HttpTransport::new(true).unwrap()),
        };
        self.open_with(folder, surroundings).await
    }

    /// The same with other surroundings.
    pub async fn open_with(&self, folder: &Path, surroundings: Surroundings) -> MerchantServer {
        let config = Config::parse(&self.to_toml(), folder).unwrap();
        MerchantServer::open(config, surroundings).await.unwrap()
    }
}
