//! The steps of the test run, quickest answer first.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::json;

use super::{Step, made_pages, supply_chain};
use crate::failure::Failure;
use crate::setup::{
    self, BINDGEN_CLI, GECKODRIVER, Need, NpmTool, TRUNK, ToolCache, WASM_TARGET, foreign_clients,
};
use crate::{chaos, console, demo, dist, process, repository, size, tidy};

/// What is set up must be tested: nothing of it is skipped.
const REQUIRE_PHP: (&str, &str) = ("REQUIRE_PHP", "1");

/// In the order they run.
pub(super) const ALL: &[Step] = &[
    Step {
        name: "fmt",
        about: "the code is formatted",
        needs: &[],
        after: None,
        run: || process::run_shown(repository::cargo().args(["fmt", "--all", "--check"])),
    },
    Step {
        name: "tidy",
        about: "dependencies, names and module heads keep our own rules",
        needs: &[],
        after: None,
        run: tidy::check,
    },
    Step {
        name: "clippy",
        about: "no lint warns, in any crate and any target",
        needs: &[],
        after: None,
        run: clippy,
    },
    Step {
        name: "native",
        about: "unit tests and the native journeys",
        needs: &[Need::Php, Need::OpenSsl, Need::Promtool],
        after: None,
        run: native,
    },
    Step {
        name: "supply-chain",
        about: "licences, sources and banned crates; advisories where ADVISORY_DB names a database",
        needs: &[Need::CargoDeny],
        after: None,
        run: supply_chain::check,
    },
    Step {
        name: "openapi-rules",
        about: "our OpenAPI files keep Redocly's recommended rules",
        needs: &[Need::Node, Need::NpmTools],
        after: None,
        run: openapi_rules,
    },
    Step {
        name: "foreign",
        about: "clients of others pass against the simulator",
        needs: &[
            Need::Node,
            Need::NodeClient,
            Need::Python,
            Need::PythonClient,
        ],
        after: None,
        run: foreign,
    },
    Step {
        name: "openapi",
        about: "no route that our OpenAPI file shows breaks, whatever Schemathesis sends",
        needs: &[Need::Python, Need::Schemathesis],
        after: None,
        run: openapi,
    },
    Step {
        name: "chaos",
        about: "a short storm: nothing is lost, nothing twice, however the server is hit",
        needs: chaos::NEEDS,
        after: None,
        run: chaos::short,
    },
    Step {
        name: "wasm",
        about: "the widget's own tests, in a headless browser",
        needs: &[
            Need::WasmTarget,
            Need::Chromium,
            Need::ChineseFont,
            Need::BindgenCli,
        ],
        after: None,
        run: wasm,
    },
    Step {
        name: "dist",
        about: "the bundle builds",
        needs: &[],
        after: None,
        run: dist::full,
    },
    Step {
        name: "size",
        about: "the bundle is below its limit",
        needs: &[],
        after: Some("dist"),
        run: size::check,
    },
    Step {
        name: "types",
        about: "the JavaScript keeps its JSDoc types, and documents keep to the element",
        needs: &[Need::Node, Need::NpmTools, Need::NpmForBrowsers],
        after: None,
        run: types,
    },
    Step {
        name: "mini-program",
        about: "the mini-program's page pays, against a stand-in for wx and against our servers",
        needs: &[Need::Node],
        after: None,
        run: mini_program,
    },
    Step {
        name: "browser",
        about: "payments end to end in Chromium, Firefox and WebKit, with the bundle",
        needs: &[
            Need::Chromium,
            Need::Firefox,
            Need::Geckodriver,
            Need::WebKit,
            Need::ChineseFont,
            Need::Php,
            Need::Node,
            Need::NpmTools,
            Need::NpmForBrowsers,
        ],
        after: Some("dist"),
        run: browser,
    },
    Step {
        name: "demo",
        about: "the demo pays once in each scene",
        needs: &[],
        after: None,
        run: demo::check_for_test,
    },
    Step {
        name: "trunk",
        about: "the widget's dev page builds with Trunk",
        needs: &[Need::WasmTarget, Need::BindgenCli, Need::Trunk],
        after: None,
        run: trunk,
    },
];

fn clippy() -> Result<(), Failure> {
    process::run_shown(repository::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "--deny=warnings",
    ]))
}

fn native() -> Result<(), Failure> {
    process::run_shown(
        repository::cargo()
            .args(["test", "--workspace"])
            .env(REQUIRE_PHP.0, REQUIRE_PHP.1)
            .env(
                "PROMTOOL",
                required(setup::promtool(&ToolCache::of_this_user()), "promtool")?,
            ),
    )
}

/// The files that describe an API of ours.
const OPENAPI_FILES: [&str; 2] = [
    "crates/merchant-api/goldens/openapi.json",
    "crates/wechat-pay-simulator/goldens/control-openapi.json",
];

/// An error fails; warnings are shown.
fn openapi_rules() -> Result<(), Failure> {
    process::run_shown(
        NpmTool::Redocly
            .command()
            .args(["lint", "--extends=recommended"])
            .args(OPENAPI_FILES)
            // It reaches for nobody.
            .env("REDOCLY_TELEMETRY", "off")
            .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
            .current_dir(repository::root()),
    )
}

/// One of the test programs in `tests/`, with the feature that it is built by.
fn payment_tests(feature: &str, test: &str) -> Command {
    let mut cargo = repository::cargo();
    cargo
        .args(["test", "--package=payment-tests"])
        .arg(format!("--features={feature}"))
        .arg(format!("--test={test}"));
    cargo
}

fn foreign() -> Result<(), Failure> {
    let cache = ToolCache::of_this_user();
    console::timed(
        "wxpay-rs from crates.io (some 3 minutes the first time)",
        || foreign_clients::build_wxpay_rs(&cache),
    )?;
    process::run_shown(
        payment_tests("foreign", "foreign")
            // What each client passes is the report.
            .args(["--", "--show-output"])
            .envs(foreign_clients::places(&cache)),
    )
}

fn openapi() -> Result<(), Failure> {
    process::run_shown(payment_tests("schemathesis", "openapi").env(
        "SCHEMATHESIS",
        setup::schemathesis(&ToolCache::of_this_user()),
    ))
}

fn wasm() -> Result<(), Failure> {
    let cache = ToolCache::of_this_user();
    let mut cargo = repository::cargo();
    cargo
        .args([
            "test",
            "--package=wechat-pay-widget",
            "--target",
            WASM_TARGET,
        ])
        .env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
            BINDGEN_CLI.program(&cache, "wasm-bindgen-test-runner"),
        )
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", browser_capabilities()?)
        .env(
            "CHROMEDRIVER",
            required(setup::chromedriver(), "chromedriver")?,
        );
    setup::use_wasm_toolchain(&mut cargo)?;
    process::run_shown(&mut cargo)
}

fn types() -> Result<(), Failure> {
    process::run_shown(
        NpmTool::Tsc
            .command()
            .args(["--project", "www/tsconfig.json"])
            .current_dir(repository::root()),
    )?;
    process::run_shown(
        NpmTool::Tsc
            .command()
            .args(["--project", "www/examples/typescript/tsconfig.json"])
            .arg("--typeRoots")
            .arg(type_roots(&setup::modules_for_browsers()))
            .current_dir(repository::root()),
    )?;
    process::run_shown(
        Command::new("node")
            .args(["--test", "www/tests/"])
            .current_dir(repository::root()),
    )
}

/// Where TypeScript finds what the samples import: React's types, and Vue with its own.
fn type_roots(modules: &Path) -> String {
    format!("{},{}", modules.join("@types").display(), modules.display())
}

/// Node takes a folder in some versions and patterns in others; files it takes in all.
fn mini_program() -> Result<(), Failure> {
    let folder = Path::new(repository::root()).join("www/miniprogram/tests");
    let entries = fs::read_dir(&folder).map_err(Failure::file(&folder))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| file.to_string_lossy().ends_with(".test.js"))
        .collect();
    files.sort();
    process::run_shown(Command::new("node").arg("--test").args(files))?;
    process::run_shown(&mut payment_tests("mini-program", "mini_program"))
}

fn browser() -> Result<(), Failure> {
    let frameworks = bundle_of_frameworks()?;
    let react_pages = made_pages::rendered_by_react()?;
    let vite_page = made_pages::built_by_vite()?;
    process::run_shown(
        payment_tests("browser", "browser")
            .env(REQUIRE_PHP.0, REQUIRE_PHP.1)
            .env("CHROMIUM", required(setup::chromium(), "chromium")?)
            .env(
                "CHROMEDRIVER",
                required(setup::chromedriver(), "chromedriver")?,
            )
            .env("WECHAT_PAY_DIST", repository::dist_dir())
            .env("REQUIRE_ENGINES", "1")
            .env("FIREFOX", required(setup::firefox(), "firefox")?)
            .env(
                "GECKODRIVER",
                GECKODRIVER.program(&ToolCache::of_this_user(), "geckodriver"),
            )
            .env(
                "MINIBROWSER",
                required(setup::minibrowser(), "MiniBrowser")?,
            )
            .env(
                "AXE",
                setup::modules_for_browsers().join("axe-core/axe.min.js"),
            )
            .env("FRAMEWORKS", frameworks)
            .env("REACT_PAGES", react_pages)
            .env("VITE_PAGE", vite_page),
    )
}

/// React and Vue in one module, as an application's own bundler would join them.
fn bundle_of_frameworks() -> Result<PathBuf, Failure> {
    let out = repository::target_dir().join("frameworks.js");
    process::run(
        NpmTool::Esbuild
            .command()
            .arg(repository::root().join("tests/browser/frameworks.js"))
            .args(["--bundle", "--format=esm", "--log-level=warning"])
            // Development builds: only there does StrictMode mount twice.
            .args(["--define:process.env.NODE_ENV=\"development\""])
            .args(["--alias:vue=vue/dist/vue.esm-bundler.js"])
            .env("NODE_PATH", setup::modules_for_browsers())
            .arg(format!("--outfile={}", out.display())),
    )?;
    Ok(out)
}

fn trunk() -> Result<(), Failure> {
    let cache = ToolCache::of_this_user();
    let mut folders = vec![BINDGEN_CLI.programs_dir(&cache)];
    folders.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    let path =
        env::join_paths(folders).map_err(|error| Failure::Findings(vec![error.to_string()]))?;
    let mut command = Command::new(TRUNK.program(&cache, "trunk"));
    command
        .arg("build")
        .env("PATH", path)
        // Trunk takes no other word there than true and false, and many shells say 1.
        .env_remove("NO_COLOR")
        .current_dir(repository::root());
    setup::use_wasm_toolchain(&mut command)?;
    process::run_shown(&mut command)
}

/// What the test runner asks of the WebDriver: a browser that root may start, and that calls
/// nobody by itself.
fn browser_capabilities() -> Result<PathBuf, Failure> {
    let capabilities = json!({
        "goog:chromeOptions": {
            "binary": required(setup::chromium(), "chromium")?,
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-dev-shm-usage", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        }
    });
    let file = repository::target_dir().join("webdriver.json");
    fs::write(&file, capabilities.to_string()).map_err(Failure::file(&file))?;
    Ok(file)
}

fn required(program: Option<PathBuf>, name: &str) -> Result<PathBuf, Failure> {
    program.ok_or_else(|| Failure::Findings(vec![format!("{name} is gone since it was set up")]))
}
