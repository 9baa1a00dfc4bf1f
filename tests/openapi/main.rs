//! Schemathesis against the merchant server's own OpenAPI file: every route and method in it, with
//! values that fit the schema and values that do not, over a real socket, with a simulator that
//! has no faults behind it.
//!
//! No 5xx at all is taken. The contract's 502 and 503 say that WeChat refused or did not answer;
//! a simulator without faults answers always, so a 502 here is a value that our own checks let
//! through to WeChat, and a 503 an answer that we did not understand. Every answer must also be of
//! a status, a type and a schema that the file names.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test a panic is the report, and the tool's own words are too"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use merchant_server::{
    Config, HttpTransport, MerchantServer, Surroundings, SystemClock, SystemRandomness,
};
use payment_tests::simulator::LiveSimulator;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const API_KEY: &str = "tests-key";
/// SHA-256 of [`API_KEY`].
const API_KEY_SHA256: &str = "9041b924878743c7e88e8fd663d4c547a510c659d3427ef38c84ff95f4b6575b";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,unsupported_method";
/// Any other finds other things; this one finds the same ones each time.
const SEED: &str = "20261121";

#[tokio::test(flavor = "multi_thread")]
async fn no_route_breaks_whatever_is_sent_to_orders_that_exist() {
    let house = House::open().await;
    let (tokens, numbers) = house.orders().await;
    let parameters = format!(
        "[dictionaries.tokens]\nvalues = {tokens:?}\n\
         [dictionaries.numbers]\nvalues = {numbers:?}\n\
         [parameters]\n\
         \"path.token\" = {{ dictionary = \"tokens\", probability = 0.9 }}\n\
         \"path.order_no\" = {{ dictionary = \"numbers\", probability = 0.9 }}\n"
    );
    house.pass(&parameters).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_breaks_whatever_is_sent_to_orders_that_do_not_exist() {
    House::open().await.pass("").await;
}

struct House {
    address: String,
    wechat: LiveSimulator,
    folder: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wechat = LiveSimulator::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let config = configuration(&address, &wechat.merchant_json());
        let config = Config::parse(&config, folder.path()).unwrap();
        let surroundings = Surroundings {
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            wechat: Arc::new(HttpTransport::new(true).unwrap()),
            webhooks: Arc::new(HttpTransport::new(true).unwrap()),
        };
        let server = MerchantServer::open(config, surroundings).await.unwrap();
        let app = merchant_server::app(server).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            wechat,
            folder,
        }
    }

    /// Orders in every state, by token and by number.
    async fn orders(&self) -> (Vec<String>, Vec<String>) {
        let (mut tokens, mut numbers) = (Vec::new(), Vec::new());
        for state in ["fresh", "tried", "paid", "closed"] {
            let number = format!("{state}-0001");
            let order = json!({ "order_no": number, "total_fen": 1990, "description": "一壶茶" });
            let created = self.post("/v1/orders", "application/json", order.to_string());
            let token = created.await["token"].as_str().unwrap().to_owned();
            if matches!(state, "tried" | "paid") {
                let path = format!("/v1/checkouts/{token}/attempts");
                let form = "application/x-www-form-urlencoded";
                let started = self.post(&path, form, "product=native".to_owned()).await;
                if state == "paid" {
                    self.wechat.pay(&started["code_url"]).await;
                }
            }
            if state == "closed" {
                let path = format!("/v1/orders/{number}/close");
                self.post(&path, "application/json", String::new()).await;
            }
            tokens.push(token);
            numbers.push(number);
        }
        (tokens, numbers)
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

    /// Schemathesis finds nothing.
    async fn pass(&self, parameters: &str) {
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

fn configuration(address: &str, merchant_json: &Path) -> String {
    let listen = address.trim_start_matches("http://");
    format!(
        r#"
        listen = "{listen}"
        public_base_url = "{address}"
        rate_limits = {{ token_per_minute = 1000000, address_per_minute = 1000000 }}
        [[api_keys]]
        name = "shop"
        sha256 = "{API_KEY_SHA256}"
        [gateway]
        environment = "simulator"
        [merchant]
        from_file = "{}"
        "#,
        merchant_json.display()
    )
}
