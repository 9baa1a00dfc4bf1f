//! WeChat as a server of this process, with the machine's own clock.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use wechat_pay_simulator::{
    Clock, NOTIFICATION_TIMEOUT, Outgoing, Random, Simulator, SimulatorParts, SubMerchant, serve,
};

use crate::merchant_keys::keyring_in;
use crate::port::Port;

/// How long a due retry waits at most.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A simulator on a free port.
pub struct LiveSimulator {
    /// The simulator itself, for tests that look into its ledger.
    pub simulator: Simulator,
    /// Its address, with the phone page.
    pub address: String,
    folder: TempDir,
}

impl LiveSimulator {
    /// Starts the simulator. It runs as long as the test's runtime.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = Port::take().await;
        let simulator = Simulator::new(SimulatorParts {
            clock: Clock::system(),
            random: Random::system(),
            keyring: keyring_in(folder.path(), &port.origin),
            domains: BTreeSet::new(),
            notifications: Outgoing::over_http(NOTIFICATION_TIMEOUT, false).unwrap(),
        });
        tokio::spawn(serve(port.listener(), simulator.app()));
        tokio::spawn(run_due(simulator.clone()));
        Self {
            simulator,
            address: port.origin,
            folder,
        }
    }

    /// The file from which an SDK is configured.
    pub fn merchant_json(&self) -> PathBuf {
        self.folder.path().join("merchant.json")
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

async fn run_due(simulator: Simulator) {
    loop {
        simulator.run_due().await;
        tokio::time::timeout(LOOK_EVERY, simulator.work_arrived())
            .await
            .ok();
    }
}
