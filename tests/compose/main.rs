//! The example of containers (`crates/merchant-server/deploy/compose`), without an engine of containers: its
//! rules are read, and the command line of each service runs here, on ports and in a folder of this test. What
//! only an engine does (images, volumes, published ports) is not tested.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fs;
use std::path::{Path, PathBuf};

use payment_tests::wait::until;
use serde_json::{Value, json};

mod here;
mod processes;

use here::Here;
use processes::{Postgres, Process};

/// The key of the shop's backend, and its SHA-256, made with another program.
const API_KEY: &str = "key";
const API_KEY_SHA256: &str = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";

const BALANCER: &str = "balancer";
const SERVERS: [&str; 2] = ["merchant-1", "merchant-2"];

fn folder() -> PathBuf {
    repository().join("crates/merchant-server/deploy/compose")
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The file as the engine reads it, with the one variable that it requires.
fn compose() -> Value {
    let text = fs::read_to_string(folder().join("compose.yaml")).unwrap();
    let required = text.match_indices("${").map(|(at, _)| {
        let end = text[at..].find('}').unwrap();
        text[at..=at + end].to_owned()
    });
    let required: Vec<String> = required.collect();
    let text = required.iter().fold(text.clone(), |text, variable| {
        assert!(variable.starts_with("${API_KEY_SHA256:?"), "{variable}");
        text.replace(variable, API_KEY_SHA256)
    });
    serde_saphyr::from_str(&text).unwrap()
}

fn service<'a>(compose: &'a Value, name: &str) -> &'a Value {
    let service = &compose["services"][name];
    assert!(service.is_object(), "{name} is a service");
    service
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn only_the_balancers_network_has_ports_and_only_this_machine_reaches_them() {
    let compose = compose();
    for (name, service) in compose["services"].as_object().unwrap() {
        let ports = texts(&service["ports"]);
        if name == BALANCER {
            assert_eq!(ports, ["127.0.0.1:8080:8080", "127.0.0.1:9410:9410"]);
        } else {
            assert_eq!(service["network_mode"], "service:balancer", "{name}");
            assert!(ports.is_empty(), "{name}: {ports:?}");
        }
    }
}

#[test]
fn every_file_volume_image_and_service_that_is_named_exists() {
    let compose = compose();
    let images = fs::read_to_string(folder().join("../Containerfile")).unwrap();
    for (name, service) in compose["services"].as_object().unwrap() {
        for volume in texts(&service["volumes"]) {
            let from = volume.split(':').next().unwrap();
            let is_there = if from.starts_with("./") {
                folder().join(from).is_file()
            } else {
                compose["volumes"].get(from).is_some()
            };
            assert!(is_there, "{name}: {from}");
        }
        if let Some(build) = service.get("build") {
            let context = folder().join(build["context"].as_str().unwrap());
            let file = context.join(build["dockerfile"].as_str().unwrap());
            assert_eq!(
                file.canonicalize().unwrap(),
                folder().join("../Containerfile").canonicalize().unwrap()
            );
            let target = build["target"].as_str().unwrap();
            assert!(images.contains(&format!(" AS {target}\n")), "{target}");
        }
        let needed = service["depends_on"].as_object();
        for (needed, how) in needed.into_iter().flatten() {
            assert_eq!(how["condition"], "service_healthy");
            let check = &compose["services"][needed]["healthcheck"];
            assert!(check.is_object(), "{needed} can be healthy");
        }
    }
}

#[test]
fn the_two_servers_differ_in_their_port_alone() {
    let compose = compose();
    let [first, second] = SERVERS.map(|name| service(&compose, name).to_string());
    assert_ne!(first, second);
    assert_eq!(first.replace("8081", "8082"), second);
}

/// What the sample for the public Internet says about a call, the balancer says too.
#[test]
fn the_balancer_passes_a_call_on_as_the_nginx_sample_does() {
    let balancer = fs::read_to_string(folder().join("balancer.conf")).unwrap();
    let sample = fs::read_to_string(folder().join("../nginx.conf")).unwrap();
    let (_, location) = sample.split_once("location / {").unwrap();
    let (location, _) = location.split_once('}').unwrap();
    let settings = location.lines().map(str::trim);
    let shared = settings.filter(|line| {
        line.starts_with("proxy_set_header ") && !line.contains(" Host ")
            || line.starts_with("proxy_http_version ")
            || line.starts_with("proxy_buffering ")
    });
    let shared: Vec<&str> = shared.collect();
    assert_eq!(shared.len(), 5, "{shared:?}");
    for line in shared {
        assert!(balancer.contains(line), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_takes_a_payment_and_a_server_may_end() {
    let compose = compose();
    let here = Here::take().await;
    let _postgres = Postgres::start(&here, service(&compose, "postgres"));
    healthy(&here, &compose, "postgres").await;
    let _simulator = Process::start(&here, &compose, "simulator");
    healthy(&here, &compose, "simulator").await;
    let mut servers = Vec::new();
    for name in SERVERS {
        servers.push(Process::start(&here, &compose, name));
        healthy(&here, &compose, name).await;
        let checked = here.check_config(service(&compose, name));
        assert!(checked.status.success(), "{name}: {checked:?}");
        let said = String::from_utf8(checked.stdout).unwrap();
        assert!(said.contains("PostgreSQL database ledger"), "{said}");
    }
    let tested = here.nginx(&["-t"]).output().unwrap();
    assert!(tested.status.success(), "{tested:?}");
    let _balancer = Process::balancer(&here, &compose);

    let shop = Shop::new(&here);
    until("the balancer", async || shop.get("/healthz").await).await;
    shop.sell("tea-0001").await;
    // The balancer takes the other server for what the ended one does not answer.
    drop(servers.remove(0));
    for number in 2..5 {
        shop.sell(&format!("tea-000{number}")).await;
    }
}

/// Waits until the service's own check finds it healthy.
async fn healthy(here: &Here, compose: &Value, name: &str) {
    let check = texts(&service(compose, name)["healthcheck"]["test"]);
    assert_eq!(check[0], "CMD", "{name}");
    until(&format!("a healthy {name}"), async || {
        let done = here.command(&check[1..]).output().unwrap();
        done.status
            .success()
            .then_some(())
            .ok_or_else(|| format!("{done:?}\n{}", here.log(name)))
    })
    .await;
}

/// The backend of a shop, and a buyer with the simulator's phone.
struct Shop {
    http: reqwest::Client,
    public: String,
    wechat: String,
}

impl Shop {
    fn new(here: &Here) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            public: here.text("http://127.0.0.1:8080"),
            wechat: here.text("http://127.0.0.1:9410"),
        }
    }

    /// An order, its code, the payment, and the notification of it.
    async fn sell(&self, order_no: &str) {
        let order = json!({ "order_no": order_no, "total_fen": 1990, "description": "tea" });
        let order = self
            .http
            .post(format!("{}/v1/orders", self.public))
            .bearer_auth(API_KEY)
            .header("content-type", "application/json")
            .body(order.to_string());
        let order = answer(order).await.unwrap();
        let token = order["token"].as_str().unwrap();
        let page = format!("{}/c/{token}", self.public);
        assert_eq!(order["checkout_url"], page);

        let attempts = format!("{}/v1/checkouts/{token}/attempts", self.public);
        let attempt = self
            .http
            .post(attempts)
            .header("content-type", "application/x-www-form-urlencoded")
            .body("product=native");
        let attempt = answer(attempt).await.unwrap();
        let scanned = json!({ "code_url": attempt["code_url"], "outcome": "success" });
        let pay = format!("{}/_simulator/pay", self.wechat);
        let paid = self.http.post(pay).body(scanned.to_string());
        answer(paid).await.unwrap();
        until("the notified payment", async || {
            let order = self.get(&format!("/v1/orders/{order_no}")).await?;
            (order["state"] == "paid")
                .then_some(())
                .ok_or_else(|| order.to_string())
        })
        .await;
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        let url = format!("{}{path}", self.public);
        answer(self.http.get(url).bearer_auth(API_KEY)).await
    }
}

/// A successful answer's JSON; an answer without JSON is null.
async fn answer(request: reqwest::RequestBuilder) -> Result<Value, String> {
    let response = request.send().await.map_err(|error| error.to_string())?;
    let status = response.status();
    let text = response.text().await.map_err(|error| error.to_string())?;
    if status.is_success() {
        Ok(serde_json::from_str(&text).unwrap_or_default())
    } else {
        Err(format!("{status}: {text}"))
    }
}
