//! Pages of the browser tests that other tools build first: React renders them on a server, and
//! Vite and webpack build one from our package. This module writes files under the target folder, and tests
//! nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::setup::{NpmTool, modules_for_browsers, modules_with_react_18, vite};
use crate::{process, repository};

/// Builds the pages of `tests/browser/hydration`, rendered by React 18 and 19, and for each React
/// the script that hydrates them in a browser. Returns the folder.
pub(super) fn rendered_by_react() -> Result<PathBuf, Failure> {
    let out = empty_folder("hydration")?;
    for (major, modules) in [
        ("18", modules_with_react_18()),
        ("19", modules_for_browsers()),
    ] {
        let script = out.join(format!("react-{major}.js"));
        bundle("client.js", &modules, &script, &["--format=esm"])?;
        let server = out.join(format!("server-{major}.cjs"));
        let for_node = ["--format=cjs", "--platform=node"];
        bundle("server.js", &modules, &server, &for_node)?;
        process::run(Command::new("node").arg(&server).arg(&out))?;
    }
    Ok(out)
}

fn bundle(entry: &str, modules: &Path, out: &Path, options: &[&str]) -> Result<(), Failure> {
    let entry = repository::root()
        .join("tests/browser/hydration")
        .join(entry);
    process::run(
        NpmTool::Esbuild
            .command()
            .arg(entry)
            .args(["--bundle", "--log-level=warning"])
            .args(options)
            .arg("--define:process.env.NODE_ENV=\"production\"")
            .env("NODE_PATH", modules)
            .arg(format!("--outfile={}", out.display())),
    )
}

/// A page of `tests/browser/vite` with our package as npm would publish it, and the pages that Vite
/// and webpack build from it.
pub(super) struct Bundled {
    /// The page before it is built, for Vite's dev server.
    pub(super) source: PathBuf,
    /// What Vite builds: `index.html` and `assets/`.
    pub(super) by_vite: PathBuf,
    /// What webpack builds, under the same names.
    pub(super) by_webpack: PathBuf,
}

/// Builds the page by both bundlers.
pub(super) fn bundled() -> Result<Bundled, Failure> {
    let source = empty_folder("vite-page")?;
    for name in [
        "index.html",
        "main.js",
        "before.js",
        "vite.config.mjs",
        "webpack.mjs",
    ] {
        let from = repository::root().join("tests/browser/vite").join(name);
        fs::copy(&from, source.join(name)).map_err(Failure::file(from))?;
    }
    install_package(&source.join("node_modules"))?;
    process::run(
        vite()
            .args(["build", "--logLevel=warn"])
            .current_dir(&source)
            .env_remove("NODE_PATH"),
    )?;
    let by_webpack = source.join("webpack");
    process::run(
        Command::new("node")
            .arg("webpack.mjs")
            .arg(modules_for_browsers().join("webpack"))
            .arg(&by_webpack)
            .current_dir(&source)
            .env_remove("NODE_PATH"),
    )?;
    fs::copy(source.join("index.html"), by_webpack.join("index.html"))
        .map_err(Failure::file(&by_webpack))?;
    Ok(Bundled {
        by_vite: source.join("dist"),
        by_webpack,
        source,
    })
}

/// Packs `www/dist` by npm, and unpacks it as `wechat-pay-widget` into a folder of modules.
pub(super) fn install_package(modules: &Path) -> Result<(), Failure> {
    fs::create_dir_all(modules).map_err(Failure::file(modules))?;
    process::run(
        Command::new("npm")
            .args(["pack", "--ignore-scripts", "--silent", "--pack-destination"])
            .arg(modules)
            .current_dir(repository::dist_dir()),
    )?;
    let name = format!("wechat-pay-widget-{}.tgz", env!("CARGO_PKG_VERSION"));
    process::run(
        Command::new("tar")
            .arg("-xzf")
            .arg(modules.join(name))
            .current_dir(modules),
    )?;
    let unpacked = modules.join("package");
    fs::rename(&unpacked, modules.join("wechat-pay-widget")).map_err(Failure::file(unpacked))
}

/// An empty folder of this name under the target folder.
pub(super) fn empty_folder(name: &str) -> Result<PathBuf, Failure> {
    let folder = repository::target_dir().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Failure::file(&folder))?;
    }
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    Ok(folder)
}
