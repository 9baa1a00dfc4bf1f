//! Builds what is released, into `target/release-files`: the npm package, static programs with the
//! element in them, licences, an SBOM, release notes, and `SHA256SUMS` over all of them. It publishes
//! nothing, and needs no network once the tools are there.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::setup::{self, MUSL_TARGET, Purpose};
use crate::{console, dist, process, repository};

mod archive;
mod checksums;
mod notes;
mod programs;
mod sbom;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What to build.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Options {
    /// Build only this part; a part of the whole has no checksums
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Take the bundle in www/dist as it is
    #[arg(long)]
    keep_dist: bool,
}

/// A part of the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Npm,
    Programs,
    Sbom,
    Notes,
}

/// Builds the release, and prints the folder's files.
pub(crate) fn run(options: Options) -> Result<(), Failure> {
    write_into(&repository::target_dir().join("release-files"), options)
}

fn write_into(folder: &Path, options: Options) -> Result<(), Failure> {
    let is_wanted = |part| options.only.is_none_or(|only| only == part);
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Failure::file(folder))?;
    }
    fs::create_dir_all(folder).map_err(Failure::file(folder))?;
    if is_wanted(Part::Notes) {
        notes::write(folder)?;
    }
    if is_wanted(Part::Sbom) {
        for program in programs::PROGRAMS {
            let file = folder.join(format!("{program}-{VERSION}.cdx.json"));
            write(&file, sbom::of(program, MUSL_TARGET)?)?;
        }
    }
    if !options.keep_dist && (is_wanted(Part::Npm) || is_wanted(Part::Programs)) {
        dist::full()?;
    }
    if is_wanted(Part::Npm) {
        let package = npm_package(&repository::dist_dir())?;
        let file = folder.join(format!("wechat-pay-widget-{VERSION}.tgz"));
        write(&file, archive::packed("package", &package)?)?;
    }
    if is_wanted(Part::Programs) {
        setup::provide(Purpose::Release.needs())?;
        console::timed(
            "release: static programs (some 15 minutes the first time)",
            || programs::write(folder),
        )?;
    }
    if options.only.is_none() {
        checksums::write(folder)?;
    }
    console::answer(checksums::sizes(folder)?);
    Ok(())
}

/// The fast parts, as a step of the test run: two packings of the bundle are equal, the SBOM and the
/// notes can be written, and the programs of this build serve their pages without the repository.
pub(crate) fn check() -> Result<(), Failure> {
    let package = npm_package(&repository::dist_dir())?;
    if archive::packed("package", &package)? != archive::packed("package", &package)? {
        return Err(Failure::Findings(vec![
            "two packings of the npm package differ".to_owned(),
        ]));
    }
    for part in [Part::Sbom, Part::Notes] {
        let options = Options {
            only: Some(part),
            keep_dist: true,
        };
        // Not where a release may lie.
        write_into(&repository::target_dir().join("release-check"), options)?;
    }
    for (test, name) in [("installed", None), ("program", Some("every_page"))] {
        process::run_shown(
            crate::programs::tests()
                .args(["--workspace", "--test", test])
                .args(name),
        )?;
    }
    Ok(())
}

/// The files that `package.json` names, as `npm pack` takes them, and that file itself.
fn npm_package(dist: &Path) -> Result<Vec<archive::Entry>, Failure> {
    let manifest = dist.join("package.json");
    let text = fs::read_to_string(&manifest).map_err(Failure::file(&manifest))?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| Failure::File {
        path: manifest.clone(),
        why: error.to_string(),
    })?;
    if json["version"] != VERSION {
        return Err(Failure::File {
            path: manifest,
            why: format!("its version is not {VERSION}: run `cargo xtask dist`"),
        });
    }
    let names = json["files"].as_array().into_iter().flatten();
    let names = names.filter_map(serde_json::Value::as_str);
    std::iter::once("package.json")
        .chain(names.filter(|name| *name != "package.json"))
        .map(|name| archive::Entry::of_file(name, &dist.join(name)))
        .collect()
}

fn write(file: &PathBuf, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    fs::write(file, content).map_err(Failure::file(file))
}
