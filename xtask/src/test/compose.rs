//! The example of containers without an engine of containers: builds both programs, and runs
//! `tests/compose` with them, PostgreSQL and nginx.

use std::process::Command;

use super::programs::{payment_tests, required};
use super::selection::Selection;
use crate::failure::Failure;
use crate::setup::{self, Need, ToolCache};
use crate::{process, repository};

pub(super) const NEEDS: &[Need] = &[Need::Postgres, Need::Nginx];

pub(super) fn check(selection: &Selection) -> Result<(), Failure> {
    process::run(repository::cargo().args([
        "build",
        "--package=merchant-server",
        "--package=wechat-pay-simulator",
        "--bins",
    ]))?;
    let nginx = required(setup::nginx(&ToolCache::of_this_user()), "nginx")?;
    let postgres = required(setup::postgres_programs(), "PostgreSQL")?;
    let cargo = || -> Command {
        let mut cargo = payment_tests("compose", "compose");
        cargo
            .env("PROGRAMS", repository::target_dir().join("debug"))
            .env("NGINX", &nginx)
            .env("POSTGRES_BIN", &postgres);
        cargo
    };
    selection.run(cargo, &[])
}
