//! WeChat as a server of this process, with the machine's own clock.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use wechat_pay_simulator::{
    Keyring, NOTIFICATION_TIMEOUT, Outgoing, Random, Settings, Simulator, SimulatorOptions,
    SimulatorParts, SubMerchant, Tls, serve, serve_tls, wechat_browser,
};

use crate::merchant_keys::keyring_in;
use crate::port::Port;

/// How long a page's server may take: longer than a poll is held.
const PAGE_TIMEOUT: Duration = Duration::from_mins(1);

/// A simulator on a loopback port.
pub struct LiveSimulator {
    /// The simulator itself, for tests that look into its ledger.
    pub simulator: Simulator,
    /// Its address, with the phone page.
    pub address: String,
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl LiveSimulator {
    /// Starts a simulator that keeps nothing, on a free port. It runs as long as the test's runtime.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = Port::take().await;
        let keyring = keyring_in(folder.path(), &port.origin);
        let started = Self::serve(Simulator::new(parts(keyring)), &port, folder.path());
        Self {
            _temporary: Some(folder),
            ..started
        }
    }

    /// Starts a simulator that keeps its keys and its ledger in a folder, and finds them there again.
    pub async fn open(folder: &Path, port: &Port) -> Result<Self, Box<dyn std::error::Error>> {
        let now = Timestamp::now();
        let keyring = Keyring::load_or_create(folder, &port.origin, now, &Random::system())?;
        let options = SimulatorOptions {
            settings: Settings {
                trust: keyring.default_trust(),
                ..Settings::default()
            },
            ..SimulatorOptions::default()
        };
        let ledger = folder.join("simulator.sqlite3");
        let simulator = Simulator::open(parts(keyring), options, &ledger).await?;
        Ok(Self::serve(simulator, port, folder))
    }

    fn serve(simulator: Simulator, port: &Port, folder: &Path) -> Self {
        tokio::spawn(serve(port.listener(), simulator.app()));
        tokio::spawn({
            let simulator = simulator.clone();
            async move { simulator.run_for_ever().await }
        });
        Self {
            simulator,
            address: port.origin.clone(),
            folder: folder.to_owned(),
            _temporary: None,
        }
    }

    /// The same simulator with HTTPS, which asks for the merchant's certificate where money goes back.
    /// Returns its address and its authority's file.
    pub async fn serve_tls(&self) -> (String, PathBuf) {
        let port = Port::take().await;
        let tls = Tls::load_or_create(&self.folder, &self.simulator, &[]).unwrap();
        tokio::spawn(serve_tls(port.listener(), self.simulator.app(), tls));
        let address = port.origin.replace("http://", "https://");
        (address, self.folder.join("tls_ca.pem"))
    }

    /// Shows pages inside WeChat's browser: at `browser`, those that are at `shown`.
    pub fn show_in_wechat(&self, browser: &Port, shown: &str) {
        browser.serve(wechat_browser::app(
            &self.simulator,
            browser.origin.parse().unwrap(),
            shown.parse().unwrap(),
            Outgoing::over_http(PAGE_TIMEOUT, false).unwrap(),
        ));
    }

    /// The file from which an SDK is configured.
    pub fn merchant_json(&self) -> PathBuf {
        self.folder.join("merchant.json")
    }

    /// The merchant's one sub-merchant.
    pub fn sub_merchant(&self) -> SubMerchant {
        let merchant = std::fs::read(self.merchant_json()).unwrap();
        let merchant: serde_json::Value = serde_json::from_slice(&merchant).unwrap();
        self.simulator
            .sub_merchant(merchant["mchid"].as_str().unwrap())
    }

    /// A buyer pays a code.
    pub async fn pay(&self, code_url: &serde_json::Value) {
        let body = serde_json::json!({"code_url": code_url, "outcome": "success"});
        self.tell("pay", &body).await;
    }

    /// From now on these faults apply, and no others: rules as the control interface takes them.
    pub async fn fail(&self, rules: &[serde_json::Value]) {
        self.tell("faults", &rules.into()).await;
    }

    /// Tells the simulator what a buyer, a bank or its owner does. Returns its answer.
    pub async fn tell(&self, what: &str, body: &serde_json::Value) -> serde_json::Value {
        let visitor = reqwest::Client::builder().no_proxy().build().unwrap();
        let address = format!("{}/_simulator/{what}", self.address);
        let done = visitor.post(address).body(body.to_string()).send().await;
        let done = done.unwrap();
        let (status, said) = (done.status(), done.text().await.unwrap());
        assert_eq!(status, 200, "{said}");
        serde_json::from_str(&said).unwrap_or_default()
    }

    /// The result of each visit to a cashier, over all orders of WeChat's.
    pub fn visits_of_the_cashier(&self) -> Vec<&'static str> {
        let orders = self.simulator.ledger_view(None).orders;
        let visits = orders.iter().flat_map(|order| &order.attempts);
        visits.map(|visit| visit.result).collect()
    }

    /// The trade states of all orders at WeChat.
    pub fn trade_states(&self) -> Vec<String> {
        let ledger = serde_json::to_value(self.simulator.ledger_view(None)).unwrap();
        let orders = ledger["orders"].as_array().unwrap().clone();
        orders
            .iter()
            .map(|order| order["trade_state"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn parts(keyring: Keyring) -> SimulatorParts {
    let notifications = Outgoing::over_http(NOTIFICATION_TIMEOUT, false).unwrap();
    SimulatorParts::new(keyring, notifications)
}
