//! The configuration of a merchant server at the simulator: what all set-ups have in common, and what
//! one of them adds. All tests across crates, the chaos test and the demo configure their server with
//! it. It never has a key of WeChat Pay's own.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use merchant_server::{
    Clock, Config, HttpTransport, MerchantServer, Surroundings, SystemRandomness,
};
use sha2::{Digest as _, Sha256};
use wechat_pay::lower_hex;

/// The key of the private API, for the backend of a test's shop.
pub const API_KEY: &str = "tests-key";

/// A configuration that is built step by step. Each setting is a line of TOML.
#[derive(Clone, Debug)]
pub struct MerchantConfig {
    /// `http://…`: the address on which the server listens.
    pub address: String,
    /// `http://…`: the address at which buyers and WeChat reach the server.
    pub public_base_url: String,
    /// The key of the private API.
    pub api_key: String,
    /// Settings at the top level.
    pub settings: Vec<String>,
    /// Tables of their own, such as `[[webhooks]]`.
    pub tables: Vec<String>,
    /// Settings of `[gateway]`, besides that it is a simulator.
    pub gateway: Vec<String>,
    /// Settings of `[merchant]`, and its tables at the end.
    pub merchant: Vec<String>,
}

impl MerchantConfig {
    /// A server that buyers reach at the address on which it listens. `merchant_json` is the
    /// simulator's file.
    pub fn new(address: &str, merchant_json: &Path) -> Self {
        Self {
            address: address.to_owned(),
            public_base_url: address.to_owned(),
            api_key: API_KEY.to_owned(),
            settings: Vec::new(),
            tables: Vec::new(),
            gateway: Vec::new(),
            merchant: vec![format!("from_file = {}", text(merchant_json))],
        }
    }

    /// The same for a merchant that has only version 2 of WeChat's API, and signs with `sign_type`. It
    /// has no key of version 3.
    pub fn of_version_2(address: &str, merchant_json: &Path, sign_type: &str) -> Self {
        let read = std::fs::read(merchant_json).unwrap();
        let merchant: serde_json::Value = serde_json::from_slice(&read).unwrap();
        let folder = merchant_json.parent().unwrap();
        let value = |name: &str| merchant[name].as_str().unwrap().to_owned();
        let names = [
            "mchid",
            "appid",
            "app_secret",
            "mini_program_appid",
            "mini_program_secret",
            "api_v2_key",
        ];
        let values = names.map(|name| format!("{name} = {:?}", value(name)));
        let files = ["private_key_file", "certificate_file"]
            .map(|name| format!("{name} = {}", text(&folder.join(value(name)))));
        let kind = [
            "api = \"v2\"".to_owned(),
            format!("v2_sign_type = {sign_type:?}"),
        ];
        Self {
            gateway: vec![format!("base_url = {:?}", value("base_url"))],
            merchant: kind.into_iter().chain(values).chain(files).collect(),
            ..Self::new(address, merchant_json)
        }
    }

    /// One setting at the top level; the value as TOML.
    pub fn set(&mut self, name: &str, value: impl Display) {
        self.settings.push(format!("{name} = {value}"));
    }

    /// Pages of these origins may call the server, and buyers return to them.
    pub fn allow_origins(&mut self, origins: &[&str]) {
        self.set("allowed_origins", format!("{origins:?}"));
        self.set("return_origins", format!("{origins:?}"));
    }

    /// The server serves the element from this folder.
    pub fn serve_bundle(&mut self, folder: &Path) {
        self.set("bundle_dir", text(folder));
    }

    /// The merchant sells these products; `app` needs an application of its own.
    pub fn sell(&mut self, products: &[&str]) {
        self.set("products", format!("{products:?}"));
        if products.contains(&"mini_program") {
            let path = "mini_program_path = \"/pages/wechat-pay/wechat-pay\"";
            self.merchant.push(path.to_owned());
        }
    }

    /// The merchant sells everything. `app_appid` is the application for product `app`.
    pub fn sell_everything(&mut self, app_appid: &str) {
        self.sell(&["native", "h5", "jsapi", "mini_program", "app", "code_pay"]);
        self.merchant.push(format!("app_appid = {app_appid:?}"));
    }

    /// A key for tills, with the scope `till` alone.
    pub fn allow_till(&mut self, key: &str) {
        let sha256 = lower_hex(&Sha256::digest(key));
        self.tables.push(format!(
            "[[api_keys]]\nname = \"till\"\nsha256 = \"{sha256}\"\nscopes = [\"till\"]"
        ));
    }

    /// A key that may do everything at the desk.
    pub fn allow_desk(&mut self, key: &str) {
        let sha256 = lower_hex(&Sha256::digest(key));
        self.tables.push(format!(
            "[[api_keys]]\nname = \"desk\"\nsha256 = \"{sha256}\"\nscopes = [\"desk:look\", \"desk:refund\", \"desk:settle\"]"
        ));
    }

    /// An older shop calls the server as a payment service (wxpayserver), with this key.
    pub fn allow_payment_service(&mut self, notify_url: &str, key: &str) {
        let sha256 = lower_hex(&Sha256::digest(key));
        self.tables.push(format!(
            "[wxpay_server]\nnotify_urls = [{notify_url:?}]\n\
             [[api_keys]]\nname = \"older shop\"\nsha256 = \"{sha256}\"\nscopes = [\"wxpay_server\"]"
        ));
    }

    /// The server sends webhooks to this address, signed with this secret.
    pub fn send_webhooks(&mut self, url: &str, secret: &str) {
        self.tables
            .push(format!("[[webhooks]]\nurl = {url:?}\nsecret = {secret:?}"));
    }

    /// Limits of calls that no test reaches.
    pub fn lift_rate_limits(&mut self) {
        self.set(
            "rate_limits",
            "{ token_per_minute = 1000000, address_per_minute = 100000000 }",
        );
    }

    /// The merchant is a service provider (服务商) and sells for a sub-merchant. It is the last
    /// setting of `[merchant]`.
    pub fn sell_for(&mut self, sub_mchid: &str, sub_appid: &str) {
        self.merchant.push(format!(
            "[[merchant.sub_merchants]]\nsub_mchid = {sub_mchid:?}\nsub_appid = {sub_appid:?}"
        ));
    }

    /// The text of the configuration file. It has the hash of the API key and never the key.
    pub fn to_toml(&self) -> String {
        let Self {
            public_base_url, ..
        } = self;
        let listen = self.address.trim_start_matches("http://");
        let sha256 = lower_hex(&Sha256::digest(&self.api_key));
        let [settings, tables, gateway, merchant] =
            [&self.settings, &self.tables, &self.gateway, &self.merchant]
                .map(|lines| lines.join("\n"));
        format!(
            r#"listen = "{listen}"
public_base_url = "{public_base_url}"
{settings}

[[api_keys]]
name = "shop"
sha256 = "{sha256}"

{tables}

[gateway]
environment = "simulator"
{gateway}

[merchant]
{merchant}
"#
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
        MerchantServer::open(self.checked(folder), surroundings)
            .await
            .unwrap()
    }

    /// The configuration as the server reads it; relative paths count from `folder`.
    pub fn checked(&self, folder: &Path) -> Config {
        Config::parse(&self.to_toml(), folder).unwrap()
    }
}

/// A path as TOML.
fn text(path: &Path) -> String {
    format!("{:?}", path.to_str().unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_the_hash_of_the_key_and_never_the_key() {
        let text =
            MerchantConfig::new("http://127.0.0.1:8080", Path::new("merchant.json")).to_toml();
        assert!(!text.contains(API_KEY), "{text}");
        // Made with another program.
        let sha256 = "9041b924878743c7e88e8fd663d4c547a510c659d3427ef38c84ff95f4b6575b";
        assert!(text.contains(sha256), "{text}");
    }
}
