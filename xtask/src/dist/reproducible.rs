//! A second build of the bundle from a copy of this repository in another folder: it must be equal
//! byte for byte, so that anybody can check that the published files come from these sources. Both builds
//! use the same xtask and the same bundler; the compiler begins without any file of the first build.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::bundler;
use crate::failure::Failure;
use crate::{console, process, repository};

/// Compares `www/dist` with a build in the copy. Some three minutes.
pub(crate) fn check() -> Result<(), Failure> {
    let copy = repository::target_dir().join("reproducible");
    console::timed("reproducible: a copy of the sources", || {
        copy_sources(&copy)
    })?;
    console::timed("reproducible: the second build", || {
        let this_program = env::current_exe().map_err(Failure::file("xtask"))?;
        let mut xtask = Command::new(this_program);
        xtask
            .arg("dist")
            .current_dir(&copy)
            .env(repository::ROOT_OVERRIDE, &copy)
            .env(bundler::PROGRAM, bundler::program()?)
            .env_remove("CARGO_TARGET_DIR");
        process::run(&mut xtask)
    })?;
    let differences = differences(&repository::dist_dir(), &copy.join("www/dist"))?;
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failure::Findings(differences))
}

/// Copies what git knows and what it does not ignore. The build's own folders stay, and are reused
/// by the next run.
fn copy_sources(copy: &Path) -> Result<(), Failure> {
    let listed = process::read(
        Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(repository::root()),
    )?;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (repository::root().join(name), copy.join(name));
        // Removed, and not committed yet.
        if !from.is_file() {
            continue;
        }
        let folder = to.parent().unwrap_or(copy);
        fs::create_dir_all(folder).map_err(Failure::file(folder))?;
        let content = fs::read(&from).map_err(Failure::file(&from))?;
        // An unchanged file keeps its time, so that cargo does not compile it again.
        if fs::read(&to).ok().is_none_or(|before| before != content) {
            fs::copy(&from, &to).map_err(Failure::file(&from))?;
        }
    }
    Ok(())
}

/// A line for each file that only one folder has, or that differs.
fn differences(one: &Path, other: &Path) -> Result<Vec<String>, Failure> {
    let names: BTreeSet<PathBuf> = [names(one)?, names(other)?].into_iter().flatten().collect();
    let differ = |name: &PathBuf| fs::read(one.join(name)).ok() != fs::read(other.join(name)).ok();
    let differing = names.iter().filter(|name| differ(name));
    Ok(differing
        .map(|name| format!("{} is not the same in both builds", name.display()))
        .collect())
}

fn names(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(Failure::file(folder))?;
    entries
        .map(|entry| {
            let entry = entry.map_err(Failure::file(folder))?;
            Ok(PathBuf::from(entry.file_name()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::differences;

    #[test]
    fn a_file_that_differs_or_is_missing_is_named() {
        let folder = std::env::temp_dir().join(format!("reproducible-{}", std::process::id()));
        let [one, other] = ["one", "other"].map(|name| folder.join(name));
        for (folder, files) in [
            (&one, &[("a", "1"), ("b", "2"), ("c", "3")][..]),
            (&other, &[("a", "1"), ("b", "x")]),
        ] {
            fs::create_dir_all(folder).unwrap();
            for (name, text) in files {
                fs::write(folder.join(name), text).unwrap();
            }
        }
        let found = differences(&one, &other);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            found.unwrap(),
            ["b", "c"].map(|name| format!("{name} is not the same in both builds"))
        );
    }
}
