//! The shops' backends as programs: how each is started, and how a test calls it. All have the same routes.

use std::path::{Path, PathBuf};
use std::process::Command;

use payment_tests::example_program::{ExampleProgram, refused_start};
use payment_tests::merchant_config::API_KEY;
use payment_tests::port::Port;
use payment_tests::servers::{Servers, ShopProgram, WEBHOOK_SECRET};
use payment_tests::wait::until;
use reqwest::StatusCode;
use serde_json::Value;

/// A backend of `www/examples/backends`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Node,
    Python,
    Go,
    Java,
    Php,
}

impl Backend {
    /// The command, without the variables that configure the shop. `folder` is for files of the shop's.
    fn command(self, port: u16, folder: &Path) -> Command {
        let (name, mut command) = match self {
            Self::Node => ("node", with_arguments("node", &["shop.js"])),
            Self::Python => {
                let python = variable("EXAMPLES_PYTHON");
                ("python", with_arguments(&python, &["shop.py"]))
            }
            // `go run shop.go` builds the same program, and starts it as a child.
            Self::Go => ("go", Command::new(examples().join("backends/go/shop"))),
            Self::Java => ("java", with_arguments("java", &["Shop.java"])),
            Self::Php => {
                let address = format!("127.0.0.1:{port}");
                ("php", with_arguments("php", &["-S", &address, "shop.php"]))
            }
        };
        command
            .current_dir(examples().join("backends").join(name))
            .env("PORT", port.to_string())
            .env("ORDERS", folder)
            .env_remove("KEY")
            .env_remove("WEBHOOK_SECRET");
        command
    }

    /// Starts the shop at a merchant server.
    pub(crate) async fn start(self, port: Port, merchant_server: &str) -> Shop {
        let program = ExampleProgram::start(port, |port, folder| {
            let mut command = self.command(port, folder);
            command
                .env("KEY", API_KEY)
                .env("WEBHOOK_SECRET", WEBHOOK_SECRET)
                .env("MERCHANT_SERVER", merchant_server);
            command
        });
        Shop::at(program.await)
    }

    /// Starts the shop with servers that send it webhooks.
    pub(crate) async fn open(self) -> (Servers, Shop) {
        let port = Port::take().await;
        let servers = Servers::start_for_shop(shop_program(&port, &port)).await;
        let shop = self.start(port, &servers.merchant).await;
        (servers, shop)
    }

    /// Starts the shop with these variables alone. It must refuse; returns what it says.
    pub(crate) async fn refusal(self, variables: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut command = self.command(0, folder.path());
        command.envs(variables.iter().copied());
        let (status, printed) = refused_start(&mut command).await;
        assert!(!status.success(), "{self:?}: {printed}");
        printed
    }
}

/// A running shop.
pub(crate) struct Shop {
    program: ExampleProgram,
    visitor: reqwest::Client,
}

impl Shop {
    pub(crate) fn at(program: ExampleProgram) -> Self {
        let visitor = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { program, visitor }
    }

    pub(crate) fn address(&self) -> &str {
        self.program.address()
    }

    pub(crate) async fn page(&self) -> String {
        let page = self.visitor.get(self.address()).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        page.text().await.unwrap()
    }

    /// Buys something. Returns the status, and the shop's answer.
    pub(crate) async fn buy(&self) -> (StatusCode, Value) {
        let address = format!("{}/orders", self.address());
        let answer = self.visitor.post(address).send().await.unwrap();
        let status = answer.status();
        let body = answer.text().await.unwrap();
        (status, serde_json::from_str(&body).expect(&body))
    }

    /// Whether the shop has the order as paid; `None` if it does not know it.
    pub(crate) async fn is_paid(&self, order_no: &str) -> Option<bool> {
        let address = format!("{}/orders/{order_no}", self.address());
        let answer = self.visitor.get(address).send().await.unwrap();
        if answer.status() == StatusCode::NOT_FOUND {
            return None;
        }
        let body = answer.text().await.unwrap();
        let order: Value = serde_json::from_str(&body).expect(&body);
        assert_eq!(order["order_no"], order_no);
        order["paid"].as_bool()
    }

    /// Waits until the shop has the order as paid.
    pub(crate) async fn until_paid(&self, order_no: &str) {
        until("the shop to have the order as paid", async || {
            match self.is_paid(order_no).await {
                Some(true) => Ok(()),
                other => Err(format!("{order_no}: {other:?}")),
            }
        })
        .await;
    }

    /// Posts a message to the shop's webhooks.
    pub(crate) async fn post_webhook(&self, headers: &[(&str, &str)], body: &str) -> StatusCode {
        let address = format!("{}/webhooks", self.address());
        let mut request = self.visitor.post(address).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status()
    }
}

/// A shop whose webhooks and whose pages are at these ports.
pub(crate) fn shop_program(webhooks: &Port, pages: &Port) -> ShopProgram {
    ShopProgram {
        webhooks: format!("{}/webhooks", webhooks.origin),
        origin: pages.origin.clone(),
    }
}

/// The folder with the examples, ready to run.
pub(crate) fn examples() -> PathBuf {
    PathBuf::from(variable("WWW_EXAMPLES"))
}

/// What the step gives this test.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test --only examples`"))
}

fn with_arguments(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}
