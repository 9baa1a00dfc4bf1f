//! What the examples in `www/examples` take from npm and PyPI, at the versions that they pin themselves. This module
//! builds and runs no example.
//!
//! Packages run no scripts of their own while they are installed.

use std::path::{Path, PathBuf};

use super::pins::digest;
use super::step::{Action, Step};
use super::tool_cache::ToolCache;
use super::{npm_tools, python_environment};
use crate::failure::Source;
use crate::repository;

/// The examples with a `package.json` and a lock file.
pub(crate) const WITH_NPM: [&str; 5] = ["backends/node", "react", "vue", "svelte", "next"];
const REQUIREMENTS: &str = "backends/python/requirements.txt";

pub(super) fn npm_step(cache: &ToolCache) -> Step {
    let by_hand = WITH_NPM.map(|example| {
        let to = npm_folder(cache, example);
        let to = to.display();
        format!(
            "mkdir -p {to} && cp www/examples/{example}/package*.json {to} && cd {to} && npm ci --ignore-scripts"
        )
    });
    Step {
        name: "React, Vue, Svelte, Next, Vite and standardwebhooks from npm, for the examples",
        is_done: |cache| {
            WITH_NPM
                .iter()
                .all(|example| modules(cache, example).is_dir())
        },
        action: Action::Run(|cache| {
            let missing = |example: &&&str| !modules(cache, example).is_dir();
            WITH_NPM.iter().filter(missing).try_for_each(|example| {
                npm_tools::install_pinned(&npm_folder(cache, example), &pins(example))
            })
        }),
        from: Source::Npm,
        by_hand: by_hand.join("; "),
    }
}

pub(super) fn python_step(cache: &ToolCache) -> Step {
    Step {
        name: "standardwebhooks from PyPI, for an example",
        is_done: |cache| python_environment::runs(&environment(cache)),
        action: Action::Run(|cache| {
            python_environment::install(&environment(cache), &example(REQUIREMENTS))
        }),
        from: Source::PyPi,
        by_hand: format!(
            "python3 -m venv {to} && {to}/bin/python -m pip install --requirement www/examples/{REQUIREMENTS}",
            to = environment(cache).display()
        ),
    }
}

/// The packages of an example from npm; they exist once `Need::NpmForExamples` was provided.
pub(crate) fn modules(cache: &ToolCache, example: &str) -> PathBuf {
    npm_folder(cache, example).join("node_modules")
}

/// The interpreter with the example's packages; it exists once `Need::PythonForExamples` was provided.
pub(crate) fn python(cache: &ToolCache) -> PathBuf {
    python_environment::interpreter(&environment(cache))
}

/// The folder of what Go has compiled. The standard library takes a minute, so the folder outlives clones.
pub(crate) fn go_cache(cache: &ToolCache) -> PathBuf {
    cache.tool("go-build")
}

fn npm_folder(cache: &ToolCache, example: &str) -> PathBuf {
    let name = example.replace('/', "-");
    cache.tool(&format!("example-{name}-{}", digest(&pins(example))))
}

fn environment(cache: &ToolCache) -> PathBuf {
    cache.tool(&format!(
        "example-python-{}",
        digest(&[example(REQUIREMENTS)])
    ))
}

fn pins(name: &str) -> [PathBuf; 2] {
    ["package.json", "package-lock.json"].map(|file| example(name).join(file))
}

fn example(name: &str) -> PathBuf {
    Path::new(repository::root())
        .join("www/examples")
        .join(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::Value;

    use super::{REQUIREMENTS, WITH_NPM, example, pins};

    #[test]
    fn every_package_of_an_example_is_pinned_to_one_version() {
        for name in WITH_NPM {
            let [package, lock] = pins(name);
            let package: Value = serde_json::from_slice(&fs::read(package).unwrap()).unwrap();
            for (name, version) in package["dependencies"].as_object().unwrap() {
                let version = version.as_str().unwrap();
                assert!(
                    version.starts_with(|c: char| c.is_ascii_digit()),
                    "{name} {version}"
                );
            }
            assert!(lock.is_file(), "{name} has no lock file");
        }
        let requirements = fs::read_to_string(example(REQUIREMENTS)).unwrap();
        assert!(
            requirements.lines().all(|line| line.contains("==")),
            "{requirements}"
        );
    }
}
