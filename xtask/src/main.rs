//! `cargo xtask`: the only entry to run, test and build everything. `cargo xtask help` lists the
//! tasks.
//!
//! This file only parses the command line; each task is in the file of its name.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod chaos;
mod console;
mod demo;
mod dist;
mod docs;
mod failure;
mod new;
mod process;
mod programs;
mod release;
mod repository;
mod setup;
mod size;
mod test;
mod tidy;

/// Runs, tests and builds the WeChat Pay widget and everything around it.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the simulator, the merchant server, a shop and the WeChat browser on this machine
    Demo(demo::Options),
    /// Run all tests and checks, as CI does
    Test(test::Options),
    /// Run a chaos test of the merchant server: faults, `kill -9`, and a comparison to the fen
    Chaos(chaos::Options),
    /// Measure the speed of pages, beside other pages in the same run
    #[command(subcommand)]
    Bench(bench::Benchmark),
    /// Build the bundle that buyers download, into www/dist
    Dist(dist::Options),
    /// Build what is released, into target/release-files: npm package, static programs, SBOM, checksums
    Release(release::Options),
    /// Check the size of the bundle in www/dist against its limit
    Size,
    /// Write the pages of docs/ that are made from the OpenAPI file and the sample configuration
    Docs,
    /// Begin what people add often: write the skeleton in each place, and print what is left to write
    #[command(subcommand)]
    New(new::Addition),
    /// Check this repository's own rules: dependencies, module heads, words, links
    Tidy,
    /// Install the missing tools; every other task also does this
    Setup {
        /// The task to set up for
        #[arg(value_enum, long = "for", default_value = "test")]
        purpose: setup::Purpose,
        /// Print the folder of the tools, and install nothing
        #[arg(long)]
        show_cache: bool,
    },
}

fn main() -> ExitCode {
    match run(CommandLine::parse().task) {
        Ok(code) => code,
        Err(failure) => {
            console::note(format!("\n{failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode, failure::Failure> {
    match task {
        Task::Demo(options) => return Ok(demo::run(&options)),
        Task::Test(options) => return test::run(&options),
        Task::Chaos(options) => chaos::run(&options)?,
        Task::Bench(benchmark) => bench::run(&benchmark)?,
        Task::Dist(options) => dist::run(options)?,
        Task::Release(options) => release::run(options)?,
        Task::Size => size::check()?,
        Task::Docs => docs::write()?,
        Task::New(addition) => new::run(&addition)?,
        Task::Tidy => tidy::check()?,
        Task::Setup {
            purpose,
            show_cache,
        } => {
            if show_cache {
                let folder: PathBuf = setup::ToolCache::of_this_user().folder().into();
                console::answer(folder.display().to_string());
            } else {
                setup::provide(purpose.needs())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
