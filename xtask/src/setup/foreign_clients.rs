//! WeChat Pay clients of other authors with which the simulator is tested, from PyPI and npm.
//! `tests/foreign/` pins the versions of all dependencies. The test step itself builds the client
//! from crates.io, because cargo checks what is up to date.
//!
//! Only the installation uses the network; no code of a package runs during it.

use std::path::{Path, PathBuf};

use super::pins::digest;
use super::step::{Action, Step};
use super::tool_cache::ToolCache;
use super::{npm_tools, python_environment};
use crate::failure::{Failure, Source};
use crate::{process, repository};

const REQUIREMENTS: &str = "requirements.txt";
const NPM_PINS: [&str; 2] = [
    "axios-plugin/package.json",
    "axios-plugin/package-lock.json",
];
const WXPAY_RS: &str = "wxpay-rs/Cargo.toml";

pub(super) fn python_step(cache: &ToolCache) -> Step {
    Step {
        name: "wechatpayv3 and wechatpy from PyPI, with what they need",
        is_done: |cache| python_environment::runs(&environment(cache)),
        action: Action::Run(|cache| {
            python_environment::install(&environment(cache), &pins(REQUIREMENTS))
        }),
        from: Source::PyPi,
        by_hand: format!(
            "python3 -m venv {to} && {to}/bin/python -m pip install --requirement tests/foreign/{REQUIREMENTS}",
            to = environment(cache).display()
        ),
    }
}

pub(super) fn npm_step(cache: &ToolCache) -> Step {
    Step {
        name: "wechatpay-axios-plugin from npm, with what it needs",
        is_done: |cache| {
            modules(cache)
                .join("wechatpay-axios-plugin/package.json")
                .is_file()
        },
        action: Action::Run(|cache| {
            npm_tools::install_pinned(&npm_folder(cache), &NPM_PINS.map(pins))
        }),
        from: Source::Npm,
        by_hand: format!(
            "mkdir -p {to} && cp tests/foreign/axios-plugin/package*.json {to} && cd {to} && npm ci --ignore-scripts",
            to = npm_folder(cache).display()
        ),
    }
}

/// The variables that give the tests the path of each client.
pub(crate) fn places(cache: &ToolCache) -> [(&'static str, PathBuf); 3] {
    [
        (
            "FOREIGN_PYTHON",
            python_environment::interpreter(&environment(cache)),
        ),
        ("FOREIGN_NODE_MODULES", modules(cache)),
        (
            "FOREIGN_WXPAY_RS",
            wxpay_target(cache).join("debug/foreign-wxpay-rs"),
        ),
    ]
}

/// Builds the client from crates.io, in a target folder that outlives clones.
pub(crate) fn build_wxpay_rs(cache: &ToolCache) -> Result<(), Failure> {
    process::run(
        repository::cargo()
            .args(["build", "--quiet", "--locked", "--manifest-path"])
            .arg(pins(WXPAY_RS))
            .arg("--target-dir")
            .arg(wxpay_target(cache))
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env_remove("CARGO_TARGET_DIR"),
    )
}

fn environment(cache: &ToolCache) -> PathBuf {
    cache.tool(&format!("foreign-python-{}", digest(&[pins(REQUIREMENTS)])))
}

fn npm_folder(cache: &ToolCache) -> PathBuf {
    cache.tool(&format!(
        "foreign-axios-plugin-{}",
        digest(&NPM_PINS.map(pins))
    ))
}

fn modules(cache: &ToolCache) -> PathBuf {
    npm_folder(cache).join("node_modules")
}

fn wxpay_target(cache: &ToolCache) -> PathBuf {
    cache.tool("foreign-wxpay-rs")
}

fn pins(name: &str) -> PathBuf {
    Path::new(repository::root())
        .join("tests/foreign")
        .join(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{NPM_PINS, REQUIREMENTS, pins};

    #[test]
    fn every_package_is_pinned_to_one_version() {
        let requirements = fs::read_to_string(pins(REQUIREMENTS)).unwrap();
        for line in requirements.lines() {
            assert!(line.contains("=="), "{line}");
        }
        let package = fs::read_to_string(pins(NPM_PINS[0])).unwrap();
        assert!(!package.contains(['^', '~']), "{package}");
    }
}
