//! End-to-end payments in a real browser, one file for each scenario.

/// Registers a scenario in several browsers: each browser gets its own test, named for example
/// `a_scenario::webkit`.
macro_rules! in_browsers {
    ($($scenario:ident: $($browser:ident)+;)+) => {$(
        mod $scenario {
            $(#[tokio::test]
            async fn $browser() {
                super::$scenario(crate::engine!($browser)).await;
            })+
        }
    )+};
}

macro_rules! engine {
    (chromium) => {
        payment_tests::webdriver::Engine::Chromium
    };
    (firefox) => {
        payment_tests::webdriver::Engine::Firefox
    };
    (webkit) => {
        payment_tests::webdriver::Engine::WebKit
    };
}
use engine;

mod accessibility;
mod appearance;
mod bad_input;
mod bridge;
mod broken_files;
mod connection;
mod cookies;
mod dead_ends;
mod desk;
mod embedding;
mod ends;
mod engines;
mod failure;
mod first_embed;
mod first_request;
mod flags;
mod framed;
mod gallery;
mod h5;
mod harness;
mod hosted_page;
mod hosted_page_first_code;
mod hosted_page_states;
mod hosted_page_without_element;
mod hosted_page_without_script;
mod hostile_answers;
mod hydration;
mod jsapi;
mod kept_pictures;
mod languages;
mod limits;
mod line_breaks;
mod mini_program;
mod moving_picture;
mod native;
mod older_browsers;
mod once;
mod options;
mod page_address;
mod payment_link;
mod php;
mod place;
mod plain_backend;
mod policy;
mod pollution;
mod presence;
mod processes;
mod receipt;
mod slow_network;
mod tabs;
mod teardown;
mod test_pages;
mod till;
mod unpacking_proxy;
mod version_2;
mod vite;
mod wire;
mod without_wasm;
