//! Schemathesis against the merchant server's own OpenAPI file: every route and method in it, with
//! values that fit the schema and values that do not, over a real socket, with a simulator that
//! has no faults behind it.
//!
//! No 5xx is accepted. The contract's 502 and 503 mean that WeChat refused or did not answer. A
//! simulator without faults always answers, so a 502 here is a value that our own checks let
//! through to WeChat, and a 503 is an answer that we did not understand. The exceptions are a till's
//! code, which is valid once, and a receiver of shares: only WeChat can judge them. The file must also name the status,
//! the type and the schema of every answer. All products are sold, at a merchant's own server and
//! at a service provider's.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test a panic is the report, and the tool's own words are too"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use merchant_server::SystemClock;
use payment_tests::merchant_config::{API_KEY, MerchantConfig};
use payment_tests::port::Port;
use payment_tests::simulator::LiveSimulator;
use payment_tests::wait::until;
use serde_json::{Value, json};

/// The operations that only WeChat can refuse: it knows the codes that were scanned already, and the receivers
/// that were added.
const REFUSED_BY_WECHAT: [&str; 6] = [
    "/orders/{order_no}/attempts",
    "/orders/{order_no}/shares",
    "/orders/{order_no}/unfreeze",
    "/shares/{share_no}/returns",
    "/receivers",
    "/receivers/delete",
];
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,unsupported_method";
/// A fixed seed finds the same cases each time; another seed would find other cases.
const SEED: &str = "20261121";

/// The number of orders whose payment has not begun.
const OPEN_ORDERS: usize = 60;
/// The largest number of codes on a phone that are scanned; each code is valid once.
const CODES: usize = 40;

/// The kind of merchant that the server belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Merchant,
    Provider,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_breaks_on_resources_that_exist() {
    let server = TestServer::open(Owner::Merchant).await;
    let parameters = server.create_data().await;
    server.run_schemathesis(&parameters).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_of_a_service_provider_breaks_on_resources_that_exist() {
    let server = TestServer::open(Owner::Provider).await;
    let parameters = server.create_data().await;
    server.run_schemathesis(&parameters).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_breaks_on_resources_that_do_not_exist() {
    TestServer::open(Owner::Merchant)
        .await
        .run_schemathesis("")
        .await;
}

struct TestServer {
    address: String,
    wechat: Arc<LiveSimulator>,
    sub_mchid: Option<String>,
    config: MerchantConfig,
    folder: tempfile::TempDir,
}

impl TestServer {
    async fn open(owner: Owner) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wechat = LiveSimulator::start().await;
        let mut settings = (*wechat.simulator.settings()).clone();
        settings.bills_at_once = true;
        wechat.simulator.set_settings(settings);
        let port = Port::take().await;
        let mut config = MerchantConfig::new(&port.origin, &wechat.merchant_json());
        config.sell_everything(&wechat.simulator.keyring().merchant().appid);
        config.lift_rate_limits();
        let mut sub_mchid = None;
        if owner == Owner::Provider {
            let sub = wechat.sub_merchant();
            config.sell_for(&sub.sub_mchid, &sub.sub_appid);
            sub_mchid = Some(sub.sub_mchid);
        }
        serve(&port, &config, folder.path()).await;
        Self {
            address: port.origin,
            wechat: Arc::new(wechat),
            sub_mchid,
            config,
            folder,
        }
    }

    /// Creates orders in every state, refunds, messages, a mismatch and codes. Returns a
    /// configuration by which the tool takes most of its parameters from them.
    async fn create_data(&self) -> String {
        let (tokens, numbers) = self.orders().await;
        let refunds = self.refunds("paid-0001").await;
        let mismatches = self.mismatches().await;
        let webhooks = self.get("/v1/webhooks").await;
        let mut ids = texts(&webhooks["webhooks"], "id");
        ids.extend(self.links().await);
        let mut codes = Vec::new();
        for _ in 0..CODES {
            let shown = self.wechat.tell("auth_code", &json!({})).await;
            codes.push(shown["auth_code"].as_str().unwrap().to_owned());
        }
        // Bills are for days in China.
        let now = jiff::Timestamp::now().to_zoned(jiff::tz::Offset::constant(8).to_time_zone());
        let days = [now.date(), now.date().yesterday().unwrap()].map(|day| day.to_string());
        let sub_mchids = [self.sub_mchid.clone().unwrap_or("1900000001".to_owned())];
        let dictionaries = [
            ("path.token", format!("{tokens:?}")),
            ("path.order_no", format!("{numbers:?}")),
            ("path.refund_no", format!("{refunds:?}")),
            ("path.no", format!("{mismatches:?}")),
            ("path.id", format!("{ids:?}")),
            ("path.day", format!("{days:?}")),
            ("body.auth_code", format!("{codes:?}")),
            ("body.sub_mchid", format!("{sub_mchids:?}")),
        ];
        let mut config = String::new();
        for (place, values) in &dictionaries {
            let name = place.replace('.', "-");
            writeln!(config, "[dictionaries.{name}]\nvalues = {values}").unwrap();
        }
        config += "[parameters]\n";
        for (place, _) in &dictionaries {
            let name = place.replace('.', "-");
            writeln!(
                config,
                "\"{place}\" = {{ dictionary = \"{name}\", probability = 0.9 }}"
            )
            .unwrap();
        }
        for path in REFUSED_BY_WECHAT {
            writeln!(config, "[[operations]]\ninclude-path = \"{path}\"").unwrap();
            config += "checks.not_a_server_error.expected-statuses = [\"2xx\", \"3xx\", \"4xx\", \"502\"]\n";
        }
        config
    }

    async fn orders(&self) -> (Vec<String>, Vec<String>) {
        let (mut tokens, mut numbers) = (Vec::new(), Vec::new());
        for state in ["fresh", "tried", "paid", "closed"] {
            let number = format!("{state}-0001");
            let token = self.order(&number).await;
            if matches!(state, "tried" | "paid") {
                let code_url = self.start(&token).await;
                if state == "paid" {
                    self.wechat.pay(&code_url).await;
                    let path = format!("/v1/orders/{number}");
                    self.until(&path, |order| order["state"] == "paid").await;
                }
            }
            if state == "closed" {
                let path = format!("/v1/orders/{number}/close");
                self.post(&path, "application/json", String::new()).await;
            }
            tokens.push(token);
            numbers.push(number);
        }
        // The tool also closes orders, so there are enough open orders for the payments that it
        // starts.
        for place in 1..=OPEN_ORDERS {
            let number = format!("open-{place:04}");
            tokens.push(self.order(&number).await);
            numbers.push(number);
        }
        (tokens, numbers)
    }

    async fn order(&self, order_no: &str) -> String {
        let mut order = json!({
            "order_no": order_no, "total_fen": 1990, "description": "一壶茶",
            "scene_info": {"payer_client_ip": "10.0.0.9", "store_info": {"id": "0001"}},
        });
        // A merchant of its own has no sub-merchant, and the server refuses a null.
        if let Some(sub_mchid) = &self.sub_mchid {
            order["sub_mchid"] = json!(sub_mchid);
        }
        let created = self.post("/v1/orders", "application/json", order.to_string());
        created.await["token"].as_str().unwrap().to_owned()
    }

    /// Payment links: one of each kind.
    async fn links(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for mut link in [
            json!({"link_no": "table-7", "total_fen": 1990, "description": "一壶茶"}),
            json!({"max_fen": 1990, "uses_max": 3, "note_max_chars": 20, "description": "一壶茶"}),
        ] {
            if let Some(sub_mchid) = &self.sub_mchid {
                link["sub_mchid"] = json!(sub_mchid);
            }
            let created = self.post("/v1/links", "application/json", link.to_string());
            ids.push(created.await["id"].as_str().unwrap().to_owned());
        }
        ids
    }

    /// Starts a code payment. Returns the code that a phone scans.
    async fn start(&self, token: &str) -> Value {
        let path = format!("/v1/checkouts/{token}/attempts");
        let form = "application/x-www-form-urlencoded";
        let started = self.post(&path, form, "product=native".to_owned()).await;
        started["code_url"].clone()
    }

    /// A refund that became abnormal.
    async fn refunds(&self, order_no: &str) -> Vec<String> {
        let body = json!({"refund_no": "R-1", "amount_fen": 90}).to_string();
        let path = format!("/v1/orders/{order_no}/refunds");
        let asked = self.post(&path, "application/json", body).await;
        assert_eq!(asked["refund_no"], "R-1", "{asked}");
        let decision = json!({
            "mchid": self.wechat.simulator.keyring().merchant().mchid, "sub_mchid": self.sub_mchid,
            "out_refund_no": "R-1", "outcome": "abnormal",
        });
        self.wechat.tell("refund/outcome", &decision).await;
        self.until("/v1/refunds/R-1", |refund| refund["state"] == "abnormal")
            .await;
        vec!["R-1".to_owned()]
    }

    /// Another program of the same merchant names this server for its notifications: a payment
    /// there matches no order here.
    async fn mismatches(&self) -> Vec<u64> {
        let folder = tempfile::tempdir().unwrap();
        let port = Port::take().await;
        let other = Self {
            address: port.origin.clone(),
            wechat: self.wechat.clone(),
            sub_mchid: self.sub_mchid.clone(),
            config: self.config.clone(),
            folder,
        };
        serve(&port, &other.config, other.folder.path()).await;
        let token = other.order("stranger-0001").await;
        let code_url = other.start(&token).await;
        self.wechat.pay(&code_url).await;
        let list = self
            .until("/v1/mismatches", |list| {
                !list["mismatches"].as_array().unwrap().is_empty()
            })
            .await;
        let list = list["mismatches"].as_array().unwrap().iter();
        list.map(|mismatch| mismatch["no"].as_u64().unwrap())
            .collect()
    }

    async fn until(&self, path: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        until(path, async || {
            let seen = self.get(path).await;
            if is_there(&seen) {
                Ok(seen)
            } else {
                Err(seen.to_string())
            }
        })
        .await
    }

    async fn get(&self, path: &str) -> Value {
        let visitor = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = visitor
            .get(format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {API_KEY}"));
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    async fn post(&self, path: &str, content_type: &str, body: String) -> Value {
        let visitor = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = visitor
            .post(format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {API_KEY}"))
            .header("content-type", content_type)
            .body(body);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Runs Schemathesis, which must find nothing.
    async fn run_schemathesis(&self, parameters: &str) {
        let program = std::env::var_os("SCHEMATHESIS")
            .expect("SCHEMATHESIS names the program; `cargo xtask test --only openapi` sets it");
        let config = self.folder.path().join("schemathesis.toml");
        std::fs::write(&config, parameters).unwrap();
        let mut command = Command::new(program);
        command
            .arg("--config-file")
            .arg(&config)
            .args(["run", &format!("{}/openapi.json", self.address)])
            .args(["--header", &format!("Authorization: Bearer {API_KEY}")])
            .args(["--checks", CHECKS, "--seed", SEED, "--max-examples", "50"])
            .args(["--continue-on-failure", "--generation-database", "none"])
            .args(["--no-color", "--request-timeout", "60"])
            .current_dir(self.folder.path());
        for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        let output = tokio::process::Command::from(command).output().await;
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        println!("{said}");
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{complained}");
    }
}

fn texts(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|item| item[field].as_str().unwrap().to_owned())
        .collect()
}

async fn serve(port: &Port, config: &MerchantConfig, folder: &Path) {
    let server = config.open(folder, Arc::new(SystemClock)).await;
    port.serve(merchant_server::app(server));
}
