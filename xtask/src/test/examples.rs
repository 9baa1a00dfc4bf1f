//! The examples in `www/examples`, made ready to run: copied into the target folder, with their packages and the widget's
//! own package as npm would publish it, and built. This module writes files under the target folder, and runs no example.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::made_pages::{empty_folder, install_package};
use crate::failure::Failure;
use crate::setup::{ToolCache, examples};
use crate::{console, dist, process, repository};

/// The package that the pages import.
const PACKAGE: &str = "wechat-pay-widget";
/// What the examples themselves leave in their folders when a reader runs them.
const NOT_COPIED: [&str; 3] = ["node_modules", "dist", ".next"];

/// Makes all examples ready. Returns their folder, which has the names of `www/examples`.
pub(super) fn ready() -> Result<PathBuf, Failure> {
    let cache = ToolCache::of_this_user();
    let folder = empty_folder("www-examples")?;
    copy(&repository::root().join("www/examples"), &folder)?;
    let package = folder.join("package");
    install_package(&package)?;
    for example in examples::WITH_NPM {
        let modules = folder.join(example).join("node_modules");
        copy_of_modules(&examples::modules(&cache, example), &modules)?;
        process::run(
            Command::new("cp")
                .arg("-a")
                .args([package.join(PACKAGE), modules.join(PACKAGE)]),
        )?;
    }
    for example in ["react", "vue", "svelte"] {
        console::timed(&format!("{example}, built by Vite"), || {
            let mut vite = program_of(&folder.join(example), "vite");
            process::run(vite.args(["build", "--logLevel=warn"]))
        })?;
    }
    console::timed("leptos, built for WebAssembly", || {
        dist::leptos_page(&folder.join("leptos"))
    })?;
    console::timed("next, built by itself", || {
        let mut next = program_of(&folder.join("next"), "next");
        // Next must send nothing.
        process::run(next.arg("build").env("NEXT_TELEMETRY_DISABLED", "1"))
    })?;
    console::timed("the shop in Go (a minute the first time)", || {
        process::run(
            Command::new("go")
                .args(["build", "-o", "shop", "shop.go"])
                .env("GOCACHE", examples::go_cache(&cache))
                .env("CGO_ENABLED", "0")
                .current_dir(folder.join("backends/go")),
        )
    })?;
    Ok(folder)
}

/// A program of an example's own packages, in the example's folder.
fn program_of(folder: &Path, program: &str) -> Command {
    let mut command = Command::new(folder.join("node_modules/.bin").join(program));
    command.current_dir(folder).env_remove("NODE_PATH");
    command
}

/// Copies a folder of modules. The files are links where the file system allows it: there are ten thousands.
fn copy_of_modules(from: &Path, to: &Path) -> Result<(), Failure> {
    let is_linked = process::ask(Command::new("cp").arg("-al").args([from, to])).is_some();
    if is_linked {
        return Ok(());
    }
    if to.exists() {
        fs::remove_dir_all(to).map_err(Failure::file(to))?;
    }
    process::run(Command::new("cp").arg("-a").args([from, to]))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(Failure::file(to))?;
    for entry in fs::read_dir(from).map_err(Failure::file(from))? {
        let entry = entry.map_err(Failure::file(from))?;
        let name = entry.file_name();
        if NOT_COPIED.iter().any(|left| name == *left) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to).map_err(Failure::file(&from))?;
        }
    }
    Ok(())
}
