//! `cargo xtask chaos`: builds the chaos run (`tests/chaos`) and the two servers that it runs, and starts
//! it. What the chaos run does is described in `tests/README.md`.

use std::process::Command;

use clap::Args;

use crate::failure::Failure;
use crate::setup::{self, Need};
use crate::{process, repository};

/// The tools that a chaos run needs on the machine.
pub(crate) const NEEDS: &[Need] = &[Need::Faketime];

/// The size and the seed of a chaos run.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The number of orders
    #[arg(long, default_value_t = 200)]
    orders: u32,
    /// Seed of the plan: the same seed gives the same plan
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of times that the server is killed [default: one in a hundred orders, at least five]
    #[arg(long)]
    kills: Option<u32>,
    /// The number of concurrent calls of buyers and shop
    #[arg(long, default_value_t = 24)]
    buyers: u32,
    /// Keep logs and databases in this folder
    #[arg(long)]
    folder: Option<std::path::PathBuf>,
}

/// Sets up libfaketime, builds everything and runs the chaos test.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::provide(NEEDS)?;
    chaos(options)
}

/// The short chaos run of the test run.
pub(crate) fn short() -> Result<(), Failure> {
    chaos(&Options {
        orders: 150,
        seed: 20_261_121,
        kills: Some(6),
        buyers: 24,
        folder: None,
    })
}

fn chaos(options: &Options) -> Result<(), Failure> {
    process::run(repository::cargo().args([
        "build",
        "--package=merchant-server",
        "--package=wechat-pay-simulator",
        "--package=payment-tests",
        "--bin=merchant-server",
        "--bin=wechat-pay-simulator",
        "--bin=chaos",
    ]))?;
    let library = setup::faketime_library().ok_or_else(|| {
        Failure::Findings(vec![
            "libfaketime was set up, but its file is missing now".to_owned(),
        ])
    })?;
    let programs = repository::target_dir().join("debug");
    let mut chaos = Command::new(programs.join("chaos"));
    chaos
        .arg("--merchant-server")
        .arg(programs.join("merchant-server"))
        .arg("--simulator")
        .arg(programs.join("wechat-pay-simulator"))
        .arg("--libfaketime")
        .arg(library)
        .args(["--orders", &options.orders.to_string()])
        .args(["--seed", &options.seed.to_string()])
        .args(["--buyers", &options.buyers.to_string()]);
    if let Some(kills) = options.kills {
        chaos.args(["--kills", &kills.to_string()]);
    }
    if let Some(folder) = &options.folder {
        chaos.arg("--folder").arg(folder);
    }
    process::run_shown(&mut chaos)
}
