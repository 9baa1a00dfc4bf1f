//! The steps of the test run; the quickest come first.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::json;

use super::selection::Selection;
use super::step::{Run, Step, When};
use super::{compose, examples, made_pages, package, publish, supply_chain};
use crate::failure::Failure;
use crate::programs::{self, payment_tests, required};
use crate::setup::{
    self, BINDGEN_CLI, GECKODRIVER, Need, NpmTool, TRUNK, ToolCache, WASM_TARGET, foreign_clients,
};
use crate::{chaos, console, demo, dist, process, release, repository, size, tidy};

/// Everything that is set up must be tested: nothing of it is skipped.
const REQUIRE_PHP: (&str, &str) = ("REQUIRE_PHP", "1");

/// The step that runs scenarios in browsers.
pub(super) const BROWSER: &str = "browser";

/// All steps, in the order in which they run.
pub(super) const ALL: &[Step] = &[
    Step {
        name: "fmt",
        about: "the code is formatted",
        needs: &[],
        after: None,
        when: When::Always,
        run: Run::Whole(|| {
            process::run_shown(repository::cargo().args(["fmt", "--all", "--check"]))
        }),
    },
    Step {
        name: "tidy",
        about: "dependencies, names and module heads keep our own rules",
        needs: &[],
        after: None,
        when: When::Always,
        run: Run::Whole(tidy::check),
    },
    Step {
        name: "clippy",
        about: "all tests and programs are built, and no lint warns",
        needs: &[],
        after: None,
        when: When::Always,
        run: Run::Whole(programs::lint),
    },
    Step {
        name: "native",
        about: "unit tests and the native journeys",
        needs: &[Need::Php, Need::OpenSsl, Need::Promtool],
        after: None,
        when: When::Always,
        run: Run::Tests(native),
    },
    Step {
        name: "postgres",
        about: "the merchant server's tests, with the ledger in PostgreSQL",
        needs: &[Need::Php, Need::OpenSsl, Need::Promtool, Need::Postgres],
        after: None,
        when: When::Always,
        run: Run::Tests(postgres),
    },
    Step {
        name: "serializable",
        about: "the merchant server's tests about money, with PostgreSQL's serializable transactions",
        needs: &[Need::Postgres],
        after: None,
        when: When::Always,
        run: Run::Tests(serializable),
    },
    Step {
        name: "supply-chain",
        about: "licences, sources and banned crates; advisories where ADVISORY_DB names a database",
        needs: &[Need::Python, Need::CargoDeny],
        after: None,
        when: When::Always,
        run: Run::Whole(supply_chain::check),
    },
    Step {
        name: "publish",
        about: "the crates for others: what a registry shows, documentation, packages, SemVer",
        needs: &[],
        after: None,
        when: When::BeforeRelease,
        run: Run::Whole(publish::check),
    },
    Step {
        name: "openapi-rules",
        about: "our OpenAPI files keep Redocly's recommended rules",
        needs: &[Need::Node, Need::NpmTools],
        after: None,
        when: When::Always,
        run: Run::Whole(openapi_rules),
    },
    Step {
        name: "foreign",
        about: "foreign WeChat Pay clients pass against the simulator",
        needs: &[
            Need::Node,
            Need::NodeClient,
            Need::Python,
            Need::PythonClient,
        ],
        after: None,
        when: When::Always,
        run: Run::Tests(foreign),
    },
    Step {
        name: "openapi",
        about: "no route of our OpenAPI file breaks, whatever Schemathesis sends",
        needs: &[Need::Python, Need::Schemathesis],
        after: None,
        when: When::Always,
        run: Run::Tests(openapi),
    },
    Step {
        name: "chaos",
        about: "a short chaos run: nothing is lost or duplicated under faults and kill -9",
        needs: chaos::NEEDS,
        after: None,
        when: When::Always,
        run: Run::Whole(chaos::short),
    },
    Step {
        name: "chaos-postgres",
        about: "the same with two servers behind a balancer on one PostgreSQL, which is restarted too",
        needs: chaos::NEEDS_ON_POSTGRES,
        after: None,
        when: When::Always,
        run: Run::Whole(chaos::short_on_postgres),
    },
    Step {
        name: "compose",
        about: "the container example: its files, and a payment by each service's own command line",
        needs: compose::NEEDS,
        after: None,
        when: When::Always,
        run: Run::Tests(compose::check),
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
        when: When::Always,
        run: Run::Whole(wasm),
    },
    Step {
        name: "dist",
        about: "the bundle builds",
        needs: &[],
        after: None,
        when: When::Always,
        run: Run::Whole(dist::full),
    },
    Step {
        name: "size",
        about: "the bundle is below its limit",
        needs: &[],
        after: Some("dist"),
        when: When::Always,
        run: Run::Whole(size::check),
    },
    Step {
        name: "floor",
        about: "the oldest browsers can parse and validate the bundle",
        needs: &[Need::Node, Need::NpmTools],
        after: Some("dist"),
        when: When::Always,
        run: Run::Whole(dist::floor::check),
    },
    Step {
        name: "reproducible",
        about: "a second build of the bundle, in another folder, is equal byte for byte",
        needs: &[],
        after: Some("dist"),
        when: When::BeforeRelease,
        run: Run::Whole(dist::reproducible::check),
    },
    Step {
        name: "package",
        about: "the npm package has what it exports, and a server can import it",
        needs: &[Need::Node, Need::NpmForBrowsers],
        after: Some("dist"),
        when: When::Always,
        run: Run::Whole(package::check),
    },
    Step {
        name: "examples",
        about: "each example in www/examples runs: backends in five languages sell once, pages of five frameworks take a payment, and so does the quick start",
        needs: &[
            Need::Node,
            Need::NpmForExamples,
            Need::Python,
            Need::PythonForExamples,
            Need::Php,
            Need::Go,
            Need::Jdk,
            Need::WasmTarget,
            Need::Chromium,
            Need::ChineseFont,
        ],
        after: Some("dist"),
        when: When::Always,
        run: Run::Tests(examples),
    },
    Step {
        name: "release",
        about: "packing, SBOM and notes of a release; the programs serve their pages by themselves",
        needs: &[],
        after: Some("dist"),
        when: When::Always,
        run: Run::Whole(release::check),
    },
    Step {
        name: "types",
        about: "the JavaScript keeps its JSDoc types, and documents keep to the element",
        needs: &[Need::Node, Need::NpmTools, Need::NpmForBrowsers],
        after: None,
        when: When::Always,
        run: Run::Whole(types),
    },
    Step {
        name: "mini-program",
        about: "the mini-program's page pays, against a stand-in for wx and against our servers",
        needs: &[Need::Node],
        after: None,
        when: When::Always,
        run: Run::Whole(mini_program),
    },
    Step {
        name: BROWSER,
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
        when: When::Always,
        run: Run::Tests(browser),
    },
    Step {
        name: "demo",
        about: "the demo pays once in each scene",
        needs: &[],
        after: None,
        when: When::Always,
        run: Run::Whole(demo::check_for_test),
    },
    Step {
        name: "trunk",
        about: "the widget's dev page builds with Trunk",
        needs: &[Need::WasmTarget, Need::BindgenCli, Need::Trunk],
        after: None,
        when: When::BeforeRelease,
        run: Run::Whole(trunk),
    },
];

fn native(selection: &Selection) -> Result<(), Failure> {
    let promtool = required(setup::promtool(&ToolCache::of_this_user()), "promtool")?;
    let cargo = || {
        let mut cargo = programs::tests();
        cargo
            .arg("--workspace")
            .env(REQUIRE_PHP.0, REQUIRE_PHP.1)
            .env("PROMTOOL", &promtool);
        cargo
    };
    selection.run(cargo, &[])
}

/// Each test has a database of its own on a server that the test program starts and removes.
fn postgres(selection: &Selection) -> Result<(), Failure> {
    let promtool = required(setup::promtool(&ToolCache::of_this_user()), "promtool")?;
    let cargo = || {
        let mut cargo = programs::tests();
        cargo
            .args(["--workspace", "--test=server"])
            .env("LEDGER", "postgres")
            .env(REQUIRE_PHP.0, REQUIRE_PHP.1)
            .env("PROMTOOL", &promtool);
        cargo
    };
    selection.run(cargo, &[])
}

/// Those tests that two transactions meet in. All of them pass, too, and take as long as the step
/// `postgres` (see `docs/en/databases.md`).
const MET_IN: [&str; 5] = [
    "instances::",
    "attempts::",
    "notifications::",
    "postgres_database::",
    "refunds::",
];

/// A distributed engine that speaks PostgreSQL's protocol has no other isolation.
fn serializable(selection: &Selection) -> Result<(), Failure> {
    let cargo = || {
        let mut cargo = programs::tests();
        cargo
            .args(["--workspace", "--test=server"])
            .env("LEDGER", "postgres")
            .env(
                "LEDGER_POSTGRES_SETTINGS",
                "-c default_transaction_isolation=serializable",
            );
        cargo
    };
    selection.run(cargo, &MET_IN)
}

/// The files that describe our APIs.
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
            // redocly must send nothing.
            .env("REDOCLY_TELEMETRY", "off")
            .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
            .current_dir(repository::root()),
    )
}

fn foreign(selection: &Selection) -> Result<(), Failure> {
    let cache = ToolCache::of_this_user();
    console::timed(
        "wxpay-rs from crates.io (some 3 minutes the first time)",
        || foreign_clients::build_wxpay_rs(&cache),
    )?;
    let cargo = || {
        let mut cargo = payment_tests("foreign");
        cargo.envs(foreign_clients::places(&cache));
        cargo
    };
    // The lines of each client are the report.
    selection.run(cargo, &["--show-output"])
}

fn examples(selection: &Selection) -> Result<(), Failure> {
    let folder = examples::ready()?;
    programs::build()?;
    let python = setup::examples::python(&ToolCache::of_this_user());
    let environment = [
        ("WWW_EXAMPLES", folder),
        ("PROGRAMS", repository::target_dir().join("debug")),
        ("EXAMPLES_PYTHON", python),
        ("WECHAT_PAY_DIST", repository::dist_dir()),
        ("CHROMIUM", required(setup::chromium(), "chromium")?),
        (
            "CHROMEDRIVER",
            required(setup::chromedriver(), "chromedriver")?,
        ),
    ];
    let cargo = || {
        let mut cargo = payment_tests("examples");
        cargo.envs(environment.clone());
        cargo
    };
    selection.run(cargo, &[])
}

fn openapi(selection: &Selection) -> Result<(), Failure> {
    let program = setup::schemathesis(&ToolCache::of_this_user());
    let cargo = || {
        let mut cargo = payment_tests("openapi");
        cargo.env("SCHEMATHESIS", &program);
        cargo
    };
    selection.run(cargo, &[])
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

/// Node accepts a folder in some versions and patterns in others; all versions accept files.
fn mini_program() -> Result<(), Failure> {
    let folder = Path::new(repository::root()).join("www/miniprogram/tests");
    let entries = fs::read_dir(&folder).map_err(Failure::file(&folder))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| file.to_string_lossy().ends_with(".test.js"))
        .collect();
    files.sort();
    process::run_shown(Command::new("node").arg("--test").args(files))?;
    process::run_shown(&mut payment_tests("mini_program"))
}

fn browser(selection: &Selection) -> Result<(), Failure> {
    let environment = browser_environment()?;
    let cargo = || {
        let mut cargo = payment_tests("browser");
        cargo
            .env(REQUIRE_PHP.0, REQUIRE_PHP.1)
            .env("REQUIRE_ENGINES", "1")
            .envs(environment.clone());
        cargo
    };
    selection.run(cargo, &[])
}

/// The paths of everything that scenarios use.
fn browser_environment() -> Result<[(&'static str, PathBuf); 13], Failure> {
    let geckodriver = GECKODRIVER.program(&ToolCache::of_this_user(), "geckodriver");
    let axe = setup::modules_for_browsers().join("axe-core/axe.min.js");
    let bundled = made_pages::bundled()?;
    Ok([
        ("CHROMIUM", required(setup::chromium(), "chromium")?),
        (
            "CHROMEDRIVER",
            required(setup::chromedriver(), "chromedriver")?,
        ),
        ("WECHAT_PAY_DIST", repository::dist_dir()),
        ("FIREFOX", required(setup::firefox(), "firefox")?),
        ("GECKODRIVER", geckodriver),
        (
            "MINIBROWSER",
            required(setup::minibrowser(), "MiniBrowser")?,
        ),
        ("AXE", axe),
        ("FRAMEWORKS", bundle_of_frameworks()?),
        ("REACT_PAGES", made_pages::rendered_by_react()?),
        ("VITE", setup::modules_for_browsers().join(".bin/vite")),
        ("VITE_SOURCE", bundled.source),
        ("VITE_PAGE", bundled.by_vite),
        ("WEBPACK_PAGE", bundled.by_webpack),
    ])
}

/// React and Vue in one module, as an application's own bundler would join them.
fn bundle_of_frameworks() -> Result<PathBuf, Failure> {
    let out = repository::target_dir().join("frameworks.js");
    process::run(
        NpmTool::Esbuild
            .command()
            .arg(repository::root().join("tests/browser/frameworks.js"))
            .args(["--bundle", "--format=esm", "--log-level=warning"])
            // Development builds, because only there StrictMode mounts twice.
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
        // Trunk accepts only true and false there, and many shells set 1.
        .env_remove("NO_COLOR")
        .current_dir(repository::root());
    setup::use_wasm_toolchain(&mut command)?;
    process::run_shown(&mut command)
}

/// The capabilities that the test runner requests from the WebDriver: a browser that root may
/// start, and that sends nothing by itself.
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
