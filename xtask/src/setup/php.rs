//! PHP on the command line, for the example in `www/examples/php`.

use std::process::Command;

use super::{Step, debian};
use crate::process;

const PACKAGES: &[&str] = &["php-cli", "php-curl"];

pub(super) fn step() -> Step {
    Step {
        name: "PHP with curl, for the PHP example",
        is_done: |_| {
            process::ask(Command::new("php").arg("-m"))
                .is_some_and(|modules| modules.lines().any(|module| module == "curl"))
        },
        action: |_| debian::install(PACKAGES),
        by_hand: debian::by_hand(PACKAGES),
    }
}
