//! The PHP example as a process of its own, on a free loopback port, with its orders in a folder
//! that is deleted with it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::example_program::ExampleProgram;
use crate::port::Port;

/// The Debian packages that the example needs.
pub const PHP_PACKAGES: &[&str] = &["php-cli", "php-curl"];

/// The example behind PHP's own web server.
pub struct PhpExample(ExampleProgram);

impl PhpExample {
    /// Whether PHP is installed. Without PHP the caller has nothing to test and reports that; with
    /// `REQUIRE_PHP=1` this is a failure.
    pub fn is_possible() -> bool {
        let has_php = Command::new("php")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        let packages = PHP_PACKAGES.join(" ");
        if !has_php {
            assert!(
                std::env::var_os("REQUIRE_PHP").is_none_or(|value| value != "1"),
                "no php on the PATH, and REQUIRE_PHP=1: apt-get install {packages}"
            );
            println!("skipped: no php on the PATH (apt-get install {packages})");
        }
        has_php
    }

    /// Starts the example for a merchant, and waits until it listens. `wechat_pay_js` is the
    /// address from which its page loads the element.
    pub async fn start(merchant_json: &Path, wechat_pay_js: &str) -> Self {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../www/examples/php/checkout.php"
        );
        let program = ExampleProgram::start(Port::take().await, |port, folder| {
            let mut php = Command::new("php");
            php.args(["-S", &format!("127.0.0.1:{port}"), file])
                .env("MERCHANT_JSON", merchant_json)
                .env("ORDERS_FILE", folder.join("orders.json"))
                .env("WECHAT_PAY_JS", wechat_pay_js);
            php
        });
        Self(program.await)
    }

    /// `http://127.0.0.1:…`; each visit of `/` creates an order and shows its page.
    pub fn address(&self) -> &str {
        self.0.address()
    }
}
