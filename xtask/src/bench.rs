//! `cargo xtask bench`: measures speed, and compares it with other pages in the same run. The
//! benchmarks are programs of `tests/bench`; this module builds what they run, and passes them the
//! paths.
//!
//! The benchmarks print and assert nothing, because the speed of a machine is no test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::setup::{self, NpmTool, Purpose};
use crate::{console, dist, process, repository, size};

/// Which benchmark.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Benchmark {
    /// The time until a buyer can scan the code and until the page says *paid*, and what a page costs
    /// while it waits: the element and the hosted page beside Adyen's component and a guide's page
    Qr(QrOptions),
}

/// How much to measure.
#[derive(Clone, Debug, Args)]
pub(crate) struct QrOptions {
    /// How often each page is loaded on each network, after one time that does not count
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How many payments are made on each of our pages
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    payments: u32,
    /// Measure the bundle that is in www/dist, and do not build it first
    #[arg(long)]
    keep_dist: bool,
}

/// Builds everything and measures.
pub(crate) fn run(benchmark: &Benchmark) -> Result<(), Failure> {
    let Benchmark::Qr(options) = benchmark;
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
    let sources = program().join("pages");
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
        Command::new("node")
            .arg(program().join("main.js"))
            .env("BENCH_ROUNDS", options.rounds.to_string())
            .env("BENCH_PAYMENTS", options.payments.to_string())
            .env("BENCH_PROGRAMS", repository::target_dir().join("release"))
            .env("BENCH_DIST", repository::dist_dir())
            .env("BENCH_PAGES", pages)
            .env("BENCH_MODULES", setup::modules_for_benchmarks())
            .env("CHROMIUM", chromium),
    )
}

fn program() -> PathBuf {
    repository::root().join("tests/bench/qr")
}
