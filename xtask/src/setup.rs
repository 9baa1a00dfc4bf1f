//! The requirements of the other tasks, as data: each step has a name, a check, an action, and the
//! command that a user would type instead.
//!
//! A step whose check passes costs nothing and prints nothing. Tools go into a folder of this user,
//! one folder per version, and never into the repository: a fresh clone finds them built.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::console;
use crate::failure::Failure;

mod cargo_tools;
mod debian;
mod debian_programs;
mod debian_toolchain;
pub(crate) mod examples;
pub(crate) mod foreign_clients;
mod nginx;
mod npm_tools;
mod pins;
mod promtool;
mod python_environment;
mod rust;
mod schemathesis;
mod step;
mod tool_cache;
mod wasm_toolchain;

pub(crate) use cargo_tools::{BINDGEN_CLI, CARGO_DENY, GECKODRIVER, SEMVER_CHECKS, TRUNK};
use debian_programs::{
    CHINESE_FONT, CHROMIUM, FAKETIME, FIREFOX, GO, JDK, MUSL_GCC, NODE, OPENSSL, PHP, POSTGRES,
    PYTHON, WEBKIT,
};
pub(crate) use debian_programs::{
    chromedriver, chromium, faketime_library, firefox, minibrowser, postgres_programs,
};
pub(crate) use nginx::program as nginx;
pub(crate) use npm_tools::{
    NpmTool, modules_for_benchmarks, modules_for_browsers, modules_with_react_18, vite,
};
pub(crate) use promtool::program as promtool;
pub(crate) use rust::{MUSL as MUSL_TARGET, WASM as WASM_TARGET, rust_lld};
pub(crate) use schemathesis::program as schemathesis;
use step::Step;
pub(crate) use tool_cache::ToolCache;
pub(crate) use wasm_toolchain::{use_wasm_compiler, use_wasm_toolchain};

/// One tool or part that a machine can have or lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Rust's standard library for WebAssembly, built.
    WasmTarget,
    /// The sources of Rust's standard library, which the bundle is built with.
    RustSource,
    /// Node and npm.
    Node,
    /// wasm-opt, esbuild, terser, acorn, tsc and redocly.
    NpmTools,
    /// axe, React, Vue, Vite and webpack.
    NpmForBrowsers,
    /// The pages that benchmarks compare with, and a reader of QR codes.
    NpmForBenchmarks,
    /// wasm-bindgen's command line and its test runner.
    BindgenCli,
    /// Trunk, for the widget's dev loop.
    Trunk,
    /// Chromium and its WebDriver.
    Chromium,
    /// The browser Firefox.
    Firefox,
    /// Firefox's WebDriver.
    Geckodriver,
    /// WebKit's browser, its WebDriver, and a screen for it.
    WebKit,
    /// A font with Chinese characters, so that a browser test sees what a buyer sees.
    ChineseFont,
    /// PHP, for the examples in PHP.
    Php,
    /// Go, for the example in Go.
    Go,
    /// A JDK, for the example in Java.
    Jdk,
    /// What the examples take from npm.
    NpmForExamples,
    /// What the example in Python takes from PyPI.
    PythonForExamples,
    /// The `openssl` command: a second implementation that checks what we sign and verify.
    OpenSsl,
    /// Python with `venv`.
    Python,
    /// The client from PyPI that the simulator is tested with.
    PythonClient,
    /// The client from npm that the simulator is tested with.
    NodeClient,
    /// PostgreSQL, which the server's tests also run on.
    Postgres,
    /// nginx, the balancer in front of the servers of a chaos test.
    Nginx,
    /// libfaketime, which gives the servers of the chaos test its time.
    Faketime,
    /// Schemathesis, which tries our OpenAPI file's routes.
    Schemathesis,
    /// promtool, which checks our metrics.
    Promtool,
    /// cargo-deny, which checks our dependencies.
    CargoDeny,
    /// cargo-semver-checks, which compares interfaces.
    SemverChecks,
    /// Rust's standard library for static programs.
    MuslTarget,
    /// The C compiler for static programs.
    MuslGcc,
}

/// The tasks that one can set up for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Purpose {
    /// `cargo xtask demo`: WebAssembly and nothing else.
    Demo,
    /// `cargo xtask dist`
    Dist,
    /// `cargo xtask bench qr`
    Bench,
    /// `cargo xtask bench server`
    BenchServer,
    /// `cargo xtask release`
    Release,
    /// `cargo xtask test`: everything.
    Test,
}

impl Purpose {
    /// The needs of the task, in the order of the setup.
    pub(crate) fn needs(self) -> &'static [Need] {
        match self {
            Self::Demo => &[Need::WasmTarget],
            Self::Dist => &[Need::RustSource, Need::Node, Need::NpmTools],
            Self::Release => &[
                Need::RustSource,
                Need::Node,
                Need::NpmTools,
                Need::MuslTarget,
                Need::MuslGcc,
            ],
            Self::Bench => &[
                Need::RustSource,
                Need::Node,
                Need::NpmTools,
                Need::NpmForBenchmarks,
                Need::Chromium,
                Need::ChineseFont,
            ],
            Self::BenchServer => &[
                Need::Node,
                Need::OpenSsl,
                Need::Python,
                Need::PythonClient,
                Need::NodeClient,
            ],
            Self::Test => &[
                Need::WasmTarget,
                Need::RustSource,
                Need::Node,
                Need::NpmTools,
                Need::NpmForBrowsers,
                Need::Chromium,
                Need::Firefox,
                Need::Geckodriver,
                Need::WebKit,
                Need::ChineseFont,
                Need::Php,
                Need::OpenSsl,
                Need::Postgres,
                Need::Nginx,
                Need::Python,
                Need::PythonClient,
                Need::NodeClient,
                Need::Go,
                Need::Jdk,
                Need::NpmForExamples,
                Need::PythonForExamples,
                Need::Faketime,
                Need::Schemathesis,
                Need::Promtool,
                Need::CargoDeny,
                Need::BindgenCli,
                Need::Trunk,
            ],
        }
    }
}

/// Installs the missing ones of these; stops at the first that cannot be installed.
pub(crate) fn provide(needs: &[Need]) -> Result<(), Failure> {
    let cache = ToolCache::of_this_user();
    for need in needs {
        ensure_named_exist(need.variables(), |name| env::var_os(name))?;
        let step = need.step(&cache);
        if (step.is_done)(&cache) {
            continue;
        }
        console::timed(&format!("setup: {}", step.name), || {
            step.act(&cache).and_then(|()| {
                if (step.is_done)(&cache) {
                    Ok(())
                } else {
                    Err(Failure::Findings(vec![
                        "the installation ended without an error, and the program is still missing"
                            .to_owned(),
                    ]))
                }
            })
        })
        .map_err(|failure| step.failed(&failure))?;
    }
    Ok(())
}

/// Refuses a variable that names nothing. Without this, the program would be looked for elsewhere, or installed,
/// and nobody would learn that the variable is wrong.
fn ensure_named_exist(
    variables: &[&str],
    value: impl Fn(&str) -> Option<OsString>,
) -> Result<(), Failure> {
    for name in variables {
        let named = value(name).map(PathBuf::from);
        if let Some(path) = named.filter(|path| !path.exists()) {
            return Err(Failure::File {
                path,
                why: format!(
                    "there is no such file, and the variable {name} names it: correct it, or unset it to have the program found or installed"
                ),
            });
        }
    }
    Ok(())
}

impl Need {
    /// The variables that name a program or a folder of this need.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Chromium => &["CHROMIUM", "CHROMEDRIVER"],
            Self::Firefox => &["FIREFOX"],
            Self::WebKit => &["MINIBROWSER"],
            Self::Postgres => &["POSTGRES_BIN"],
            Self::Nginx => &["NGINX"],
            Self::Faketime => &["LIBFAKETIME"],
            _ => &[],
        }
    }

    fn step(self, cache: &ToolCache) -> Step {
        match self {
            Self::WasmTarget => wasm_toolchain::step(),
            Self::RustSource => wasm_toolchain::source_step(),
            Self::NpmTools => npm_tools::step(cache),
            Self::NpmForBrowsers => npm_tools::step_for_browsers(cache),
            Self::NpmForBenchmarks => npm_tools::step_for_benchmarks(cache),
            Self::BindgenCli => cargo_tools::bindgen_step(cache),
            Self::Trunk => cargo_tools::trunk_step(cache),
            Self::Geckodriver => cargo_tools::geckodriver_step(cache),
            Self::PythonClient => foreign_clients::python_step(cache),
            Self::NodeClient => foreign_clients::npm_step(cache),
            Self::NpmForExamples => examples::npm_step(cache),
            Self::PythonForExamples => examples::python_step(cache),
            Self::Schemathesis => schemathesis::step(cache),
            Self::Promtool => promtool::step(cache),
            Self::Nginx => nginx::step(cache),
            Self::CargoDeny => cargo_tools::deny_step(cache),
            Self::SemverChecks => cargo_tools::semver_checks_step(cache),
            Self::MuslTarget => rust::musl_step(),
            Self::MuslGcc => MUSL_GCC.step(),
            Self::Node => NODE.step(),
            Self::Chromium => CHROMIUM.step(),
            Self::Firefox => FIREFOX.step(),
            Self::WebKit => WEBKIT.step(),
            Self::ChineseFont => CHINESE_FONT.step(),
            Self::Php => PHP.step(),
            Self::Go => GO.step(),
            Self::Jdk => JDK.step(),
            Self::OpenSsl => OPENSSL.step(),
            Self::Python => PYTHON.step(),
            Self::Postgres => POSTGRES.step(),
            Self::Faketime => FAKETIME.step(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Purpose, ToolCache, ensure_named_exist};

    #[test]
    fn a_variable_that_names_nothing_is_refused_by_its_name() {
        let variables = ["CHROMIUM", "CHROMEDRIVER"];
        assert!(ensure_named_exist(&variables, |_| None).is_ok());
        let here = |_: &str| std::env::current_exe().ok().map(Into::into);
        assert!(ensure_named_exist(&variables, here).is_ok());
        let wrong = |name: &str| (name == "CHROMEDRIVER").then(|| "/no/such/driver".into());
        let refusal = ensure_named_exist(&variables, wrong)
            .unwrap_err()
            .to_string();
        assert!(refusal.contains("/no/such/driver"), "{refusal}");
        assert!(refusal.contains("variable CHROMEDRIVER"), "{refusal}");
    }

    #[test]
    fn every_step_has_a_command_to_run_by_hand_and_says_where_it_comes_from() {
        let cache = ToolCache::of_this_user();
        let purposes = [Purpose::Test, Purpose::Bench, Purpose::Release];
        for need in purposes.map(Purpose::needs).concat() {
            let step = need.step(&cache);
            assert!(
                !step.name.is_empty() && !step.by_hand.is_empty(),
                "{need:?}"
            );
            let said = step.failed(&Failure::Ports("no")).to_string();
            assert!(said.contains(&step.by_hand), "{said}");
            assert!(said.contains(&step.from.to_string()), "{said}");
        }
    }

    #[test]
    fn a_demo_needs_neither_trunk_nor_node_nor_a_browser() {
        assert_eq!(Purpose::Demo.needs(), [super::Need::WasmTarget]);
    }

    #[test]
    fn the_test_run_also_sets_up_the_needs_of_dist_and_demo() {
        for need in [Purpose::Demo.needs(), Purpose::Dist.needs()].concat() {
            assert!(Purpose::Test.needs().contains(&need), "{need:?}");
        }
    }
}
