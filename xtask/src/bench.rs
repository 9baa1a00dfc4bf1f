//! `cargo xtask bench`: measures speed, and compares it with other pages in the same run. The
//! benchmarks are programs of `tests/bench`; this module builds what they run, and passes them the
//! paths.
//!
//! The benchmarks print and assert nothing, because the speed depends on the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::setup::{self, NpmTool, Purpose, ToolCache, foreign_clients};
use crate::{console, dist, process, repository, size};

/// Which benchmark.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Benchmark {
    /// The time until a buyer can scan the code and until the page says *paid*, and what a page costs
    /// while it waits: the element and the hosted page beside Adyen's component and a guide's page
    Qr(QrOptions),
    /// What the merchant server spends on each kind of call, beside the price of an RSA signature and
    /// beside two other clients that make the same order
    Server(ServerOptions),
    /// How many lines of a bill are compared with the ledger in a second, and in how much memory, in both
    /// versions of WeChat's API
    Bills(BillOptions),
}

/// How much to measure.
#[derive(Clone, Debug, Args)]
pub(crate) struct BillOptions {
    /// The number of payments in the ledger and in the bill
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    lines: u32,
}

/// How much to measure.
#[derive(Clone, Debug, Args)]
pub(crate) struct QrOptions {
    /// The number of times that each page is loaded on each network, after one that does not count
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// The number of payments on each of our pages
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    payments: u32,
    /// Measure the bundle that is in www/dist, and do not build it first
    #[arg(long)]
    keep_dist: bool,
}

/// How much to measure.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerOptions {
    /// How many orders are created and paid for; five times as many reads
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,
    /// How many clients call at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    clients: u32,
    /// How many polls are held at once
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    polls: u32,
    /// To how many orders the ledger grows, step by step
    #[arg(long, value_delimiter = ',', default_value = "1000,100000,3000000")]
    rows: Vec<u32>,
    /// The address (postgres://…) of an empty database for the ledger, in place of a file. Only orders,
    /// attempts and reads are measured then
    #[arg(long)]
    database: Option<String>,
}

/// Builds everything and measures.
pub(crate) fn run(benchmark: &Benchmark) -> Result<(), Failure> {
    match benchmark {
        Benchmark::Qr(options) => code_on_screen(options),
        Benchmark::Server(options) => server(options),
        Benchmark::Bills(options) => bills(options),
    }
}

fn bills(options: &BillOptions) -> Result<(), Failure> {
    let measure = || {
        process::run_shown(
            repository::cargo()
                .args(["run", "--release", "--quiet", "--package=payment-tests"])
                .args(["--example=bill_rate", "--"])
                .arg(options.lines.to_string()),
        )
    };
    console::timed("bench: a day's bill", measure)
}

fn server(options: &ServerOptions) -> Result<(), Failure> {
    setup::provide(Purpose::BenchServer.needs())?;
    console::timed("bench: the servers, for speed", build_servers)?;
    let dist = repository::target_dir().join("bench/no-widget");
    fs::create_dir_all(&dist).map_err(Failure::file(&dist))?;
    let rows: Vec<_> = options.rows.iter().map(u32::to_string).collect();
    let measure = || {
        process::run_shown(
            program("server")
                .env("BENCH_CALLS", options.calls.to_string())
                .env("BENCH_CLIENTS", options.clients.to_string())
                .env("BENCH_POLLS", options.polls.to_string())
                .env("BENCH_ROWS", rows.join(","))
                .env("BENCH_DIST", &dist)
                .env(
                    "BENCH_DATABASE",
                    options.database.as_deref().unwrap_or_default(),
                )
                .envs(foreign_clients::places(&ToolCache::of_this_user())),
        )
    };
    console::timed("bench: the merchant server", measure)
}

fn code_on_screen(options: &QrOptions) -> Result<(), Failure> {
    setup::provide(Purpose::Bench.needs())?;
    if options.keep_dist {
        size::check_is_built()?;
    } else {
        dist::full()?;
    }
    console::timed("bench: the servers, for speed", build_servers)?;
    let pages = console::timed("bench: the pages to compare with", bundle_pages)?;
    console::timed("bench: the QR code", || measure(options, &pages))
}

/// Builds the servers as merchants run them: a debug build would only measure its own slowness.
fn build_servers() -> Result<(), Failure> {
    process::run(repository::cargo().args([
        "build",
        "--release",
        "--package=merchant-server",
        "--package=wechat-pay-simulator",
        "--bins",
    ]))
}

/// Each page's script in one file, as a merchant's bundler makes it, and Adyen's style sheet.
fn bundle_pages() -> Result<PathBuf, Failure> {
    let out = repository::target_dir().join("bench");
    fs::create_dir_all(&out).map_err(Failure::file(&out))?;
    let sources = repository::root().join("tests/bench/qr/pages");
    let modules = setup::modules_for_benchmarks();
    process::run(
        NpmTool::Esbuild
            .command()
            .args(["seed.js", "adyen.js"].map(|page| sources.join(page)))
            .args(["--bundle", "--minify", "--format=esm", "--target=es2022"])
            .args(["--log-level=warning"])
            .env("NODE_PATH", &modules)
            .arg(format!("--outdir={}", out.display())),
    )?;
    let styles = modules.join("@adyen/adyen-web/dist/es/adyen.css");
    fs::copy(&styles, out.join("adyen.css")).map_err(Failure::file(styles))?;
    Ok(out)
}

fn measure(options: &QrOptions, pages: &Path) -> Result<(), Failure> {
    let chromium = setup::chromium().ok_or_else(|| {
        Failure::Findings(vec!["chromium is gone since it was set up".to_owned()])
    })?;
    process::run_shown(
        program("qr")
            .env("BENCH_ROUNDS", options.rounds.to_string())
            .env("BENCH_PAYMENTS", options.payments.to_string())
            .env("BENCH_DIST", repository::dist_dir())
            .env("BENCH_PAGES", pages)
            .env("BENCH_MODULES", setup::modules_for_benchmarks())
            .env("CHROMIUM", chromium),
    )
}

/// The program of one benchmark, which starts the built servers itself.
fn program(benchmark: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(repository::root().join(format!("tests/bench/{benchmark}/main.js")))
        .env("BENCH_PROGRAMS", repository::target_dir().join("release"));
    node
}
