//! Tools from npm: wasm-opt, esbuild, terser, acorn, tsc and redocly at the versions that `xtask/npm/`
//! pins; the packages of browser tests at the versions of `tests/browser/npm/` and
//! `tests/browser/npm-react-18/`; and the packages of benchmarks at the versions of
//! `tests/bench/npm/`.
//!
//! Packages run no scripts of their own while they are installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::step::{Action, DOWNLOAD_LIMIT, Step};
use super::tool_cache::ToolCache;
use crate::failure::{Failure, Source};
use crate::{process, repository};

/// A program that comes from npm.
#[derive(Clone, Copy)]
pub(crate) enum NpmTool {
    /// binaryen's optimiser.
    WasmOpt,
    /// binaryen's translator from WebAssembly to JavaScript.
    Wasm2Js,
    /// The bundler of JavaScript.
    Esbuild,
    /// The minifier of JavaScript.
    Terser,
    /// The parser that refuses syntax which is newer than a given year's.
    Acorn,
    /// The type checker of JavaScript.
    Tsc,
    /// The linter of OpenAPI files. It requires Node 20.19 or newer.
    Redocly,
}

impl NpmTool {
    /// The tool as a command; it exists once `Need::NpmTools` was provided.
    pub(crate) fn command(self) -> Command {
        let name = match self {
            Self::WasmOpt => "wasm-opt",
            Self::Wasm2Js => "wasm2js",
            Self::Esbuild => "esbuild",
            Self::Terser => "terser",
            Self::Acorn => "acorn",
            Self::Tsc => "tsc",
            Self::Redocly => "redocly",
        };
        Command::new(
            folder(&ToolCache::of_this_user(), TOOLS)
                .join("node_modules/.bin")
                .join(name),
        )
    }
}

/// The folder with the pins of the tools.
const TOOLS: &str = "xtask/npm";
/// The folder with the pins of the packages for browser tests.
const FOR_BROWSERS: &str = "tests/browser/npm";

/// The folder with the pins of the other React: npm cannot install two versions in one folder.
const WITH_REACT_18: &str = "tests/browser/npm-react-18";

/// The folder with the pins of the packages for benchmarks.
const FOR_BENCHMARKS: &str = "tests/bench/npm";

/// The folder with axe, React, Vue, Vite and webpack; it exists once `Need::NpmForBrowsers` was provided.
pub(crate) fn modules_for_browsers() -> PathBuf {
    modules(FOR_BROWSERS)
}

/// The folder with React 18; it exists together with the other one.
pub(crate) fn modules_with_react_18() -> PathBuf {
    modules(WITH_REACT_18)
}

/// The folder with the packages for benchmarks; it exists once `Need::NpmForBenchmarks` was
/// provided.
pub(crate) fn modules_for_benchmarks() -> PathBuf {
    modules(FOR_BENCHMARKS)
}

/// Vite as a command; it exists together with the others.
pub(crate) fn vite() -> Command {
    Command::new(modules_for_browsers().join(".bin/vite"))
}

fn modules(pins: &str) -> PathBuf {
    folder(&ToolCache::of_this_user(), pins).join("node_modules")
}

pub(super) fn step(cache: &ToolCache) -> Step {
    Step {
        name: "wasm-opt, esbuild, terser, acorn, tsc and redocly from npm",
        is_done: |cache| {
            folder(cache, TOOLS)
                .join("node_modules/.bin/wasm-opt")
                .exists()
        },
        action: Action::Run(|cache| install(cache, TOOLS)),
        from: Source::Npm,
        by_hand: by_hand(cache, TOOLS),
    }
}

pub(super) fn step_for_browsers(cache: &ToolCache) -> Step {
    Step {
        name: "axe, React, Vue, Vite and webpack from npm, for browser tests",
        is_done: |_| {
            modules_for_browsers().join("axe-core").exists()
                && modules_with_react_18().join("react").exists()
        },
        action: Action::Run(|cache| {
            install(cache, FOR_BROWSERS)?;
            install(cache, WITH_REACT_18)
        }),
        from: Source::Npm,
        by_hand: [FOR_BROWSERS, WITH_REACT_18]
            .map(|pins| by_hand(cache, pins))
            .join("; "),
    }
}

pub(super) fn step_for_benchmarks(cache: &ToolCache) -> Step {
    Step {
        name: "Adyen's component, qrcode, jsqr and pngjs from npm, for benchmarks",
        is_done: |_| modules_for_benchmarks().join("jsqr").exists(),
        action: Action::Run(|cache| install(cache, FOR_BENCHMARKS)),
        from: Source::Npm,
        by_hand: by_hand(cache, FOR_BENCHMARKS),
    }
}

fn by_hand(cache: &ToolCache, pins: &str) -> String {
    let to = folder(cache, pins);
    let to = to.display();
    format!("mkdir -p {to} && cp {pins}/* {to} && cd {to} && npm ci --ignore-scripts")
}

fn install(cache: &ToolCache, pins: &str) -> Result<(), Failure> {
    let folder = folder(cache, pins);
    let pins = repository::root().join(pins);
    let pins = ["package.json", "package-lock.json"].map(|name| pins.join(name));
    install_pinned(&folder, &pins)
}

/// Installs the packages of a `package.json` and its lock file into a folder.
pub(super) fn install_pinned(folder: &Path, pins: &[PathBuf]) -> Result<(), Failure> {
    // Installed in another folder and moved at the end: a run that is stopped half-way leaves no
    // partial tool.
    let unfinished = folder.with_extension(format!("unfinished-{}", std::process::id()));
    fs::create_dir_all(&unfinished).map_err(Failure::file(&unfinished))?;
    for from in pins {
        let name = from.file_name().unwrap_or_default();
        fs::copy(from, unfinished.join(name)).map_err(Failure::file(from))?;
    }
    process::run_within(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            // The lock file has the digests: what npm has on this machine need not be asked for again.
            .arg("--prefer-offline")
            .current_dir(&unfinished),
        DOWNLOAD_LIMIT,
    )?;
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Failure::file(folder))?;
    }
    fs::rename(&unfinished, folder).map_err(Failure::file(folder))
}

/// One folder for each set of versions, named after them.
fn folder(cache: &ToolCache, pins: &str) -> PathBuf {
    let package = repository::root().join(pins).join("package.json");
    let versions = fs::read_to_string(package)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .map(|package| versions(&package))
        .unwrap_or_default();
    cache.tool(&format!("npm{versions}"))
}

fn versions(package: &Value) -> String {
    let mut named = String::new();
    for (name, version) in package["dependencies"].as_object().into_iter().flatten() {
        named.extend(["-", name, "-", version.as_str().unwrap_or("any")]);
    }
    // The slash of a scope would make a nested folder.
    named.replace('/', "+")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::versions;

    #[test]
    fn the_folder_is_named_after_every_version_in_it() {
        let package = json!({"dependencies": {"@types/react": "19.3.0", "esbuild": "0.28.2"}});
        assert_eq!(versions(&package), "-@types+react-19.3.0-esbuild-0.28.2");
    }
}
