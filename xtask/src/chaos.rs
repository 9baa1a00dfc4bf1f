//! `cargo xtask chaos`: builds the chaos run (`tests/chaos`) and the two servers that it runs, and starts
//! it. What the chaos run does is described in `tests/README.md`.

use std::path::PathBuf;
use std::process::Command;

use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::setup::{self, Need, ToolCache};
use crate::{process, programs, repository};

/// The tools that a chaos run needs on the machine.
pub(crate) const NEEDS: &[Need] = &[Need::Faketime];
/// The same for several servers on PostgreSQL.
pub(crate) const NEEDS_ON_POSTGRES: &[Need] = &[Need::Faketime, Need::Postgres, Need::Nginx];

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
    /// Where the servers keep their orders
    #[arg(long, value_enum, default_value = "sqlite")]
    database: Database,
    /// The number of servers of each merchant, behind a balancer (nginx); several need PostgreSQL
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    instances: u8,
    /// Keep logs and databases in this folder
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// The database of a chaos run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Database {
    /// A file for each merchant.
    Sqlite,
    /// A server that is made for the run, and restarted again and again.
    Postgres,
}

/// Sets up what is missing, builds everything and runs the chaos test.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::provide(match options.database {
        Database::Sqlite => NEEDS,
        Database::Postgres => NEEDS_ON_POSTGRES,
    })?;
    chaos(options)
}

/// The short chaos run of the test run.
pub(crate) fn short() -> Result<(), Failure> {
    chaos(&Options {
        orders: 150,
        seed: 20_261_121,
        kills: Some(6),
        buyers: 24,
        database: Database::Sqlite,
        instances: 1,
        folder: None,
    })
}

/// The short chaos run of several servers on PostgreSQL.
pub(crate) fn short_on_postgres() -> Result<(), Failure> {
    chaos(&Options {
        orders: 200,
        seed: 20_261_129,
        kills: Some(8),
        buyers: 24,
        database: Database::Postgres,
        instances: 2,
        folder: None,
    })
}

fn chaos(options: &Options) -> Result<(), Failure> {
    programs::build()?;
    let library = found(setup::faketime_library(), "libfaketime")?;
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
        .args(["--buyers", &options.buyers.to_string()])
        .args(["--instances", &options.instances.to_string()]);
    if options.database == Database::Postgres {
        chaos
            .arg("--postgres")
            .arg(found(setup::postgres_programs(), "PostgreSQL")?);
    }
    if options.instances > 1 {
        chaos
            .arg("--nginx")
            .arg(found(setup::nginx(&ToolCache::of_this_user()), "nginx")?);
    }
    if let Some(kills) = options.kills {
        chaos.args(["--kills", &kills.to_string()]);
    }
    if let Some(folder) = &options.folder {
        chaos.arg("--folder").arg(folder);
    }
    process::run_shown(&mut chaos)
}

fn found(file: Option<PathBuf>, name: &str) -> Result<PathBuf, Failure> {
    file.ok_or_else(|| {
        Failure::Findings(vec![format!(
            "{name} was set up, but its file is missing now"
        )])
    })
}
