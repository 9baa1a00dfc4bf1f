//! The `openssl` command, which the protocol crate is compared with.

use super::{Step, debian};
use crate::process;

const PACKAGES: &[&str] = &["openssl"];

pub(super) fn step() -> Step {
    Step {
        name: "the openssl command",
        is_done: |_| process::on_path("openssl").is_some(),
        action: |_| debian::install(PACKAGES),
        by_hand: format!("{} (OpenSSL 3)", debian::by_hand(PACKAGES)),
    }
}
