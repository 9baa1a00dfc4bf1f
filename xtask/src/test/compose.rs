//! The example of containers without an engine of containers: builds both programs, and runs
//! `tests/compose` with them, PostgreSQL and nginx.

use std::process::Command;

use super::selection::Selection;
use crate::failure::Failure;
use crate::programs::{self, payment_tests, required};
use crate::repository;
use crate::setup::{self, Need, ToolCache};

pub(super) const NEEDS: &[Need] = &[Need::Postgres, Need::Nginx];

pub(super) fn check(selection: &Selection) -> Result<(), Failure> {
    programs::build()?;
    let nginx = required(setup::nginx(&ToolCache::of_this_user()), "nginx")?;
    let postgres = required(setup::postgres_programs(), "PostgreSQL")?;
    let cargo = || -> Command {
        let mut cargo = payment_tests("compose");
        cargo
            .env("PROGRAMS", repository::target_dir().join("debug"))
            .env("NGINX", &nginx)
            .env("POSTGRES_BIN", &postgres);
        cargo
    };
    selection.run(cargo, &[])
}
