//! The processes of a browser. A browser is kept from one scenario to the next, and none may be left when its
//! driver's owner ends without closing it, as a test program does.

use std::fs;

use fantoccini::ClientBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use payment_tests::browser::{Visitor, capabilities};
use payment_tests::wait::until;
use payment_tests::webdriver::{Engine, WebDriver};

in_browsers! {
    a_browser_that_nobody_closed_ends_with_its_driver: chromium firefox;
}

async fn a_browser_that_nobody_closed_ends_with_its_driver(engine: Engine) {
    if !engine.is_possible() {
        return;
    }
    let driver = WebDriver::start(engine).await;
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities(engine, Visitor::Desktop))
        .connect(driver.url())
        .await
        .expect("a browser starts");
    let given = client.capabilities().expect("what the browser is");
    let profile = match engine {
        Engine::Chromium => &given["chrome"]["userDataDir"],
        _ => &given["moz:profile"],
    };
    let profile = profile.as_str().expect("a folder").to_owned();
    assert!(processes_with(&profile) > 0, "{profile}");
    drop(driver);
    until("the browser to end", async || {
        match processes_with(&profile) {
            0 => Ok(()),
            left => Err(format!("{left} processes are left")),
        }
    })
    .await;
    // What it wrote is gone, too.
    until("the profile to be removed", async || {
        match fs::exists(&profile) {
            Ok(false) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// How many processes have this in their command line.
fn processes_with(part: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    let commands = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    commands
        .filter(|command| String::from_utf8_lossy(command).contains(part))
        .count()
}
