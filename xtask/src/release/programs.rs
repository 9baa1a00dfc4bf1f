//! The static programs: built, checked that they need no library, and packed with their samples and
//! licences.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archive::{Entry, packed};
use crate::dist::licences;
use crate::failure::Failure;
use crate::setup::MUSL_TARGET;
use crate::{process, repository};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The packages whose programs ship. Each program has the name of its package.
pub(super) const PROGRAMS: [&str; 2] = ["merchant-server", "wechat-pay-simulator"];

/// Beside the server: how to run it.
const OF_SERVER: [(&str, &str); 5] = [
    (
        "config.example.toml",
        "crates/merchant-server/config.example.toml",
    ),
    (
        "deploy/merchant-server.service",
        "crates/merchant-server/deploy/merchant-server.service",
    ),
    (
        "deploy/nginx.conf",
        "crates/merchant-server/deploy/nginx.conf",
    ),
    (
        "deploy/alerts.yml",
        "crates/merchant-server/deploy/alerts.yml",
    ),
    (
        "deploy/dashboard.json",
        "crates/merchant-server/deploy/dashboard.json",
    ),
];
/// Beside every program.
const OF_ALL: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Builds the programs, and writes an archive of each.
pub(super) fn write(folder: &Path) -> Result<(), Failure> {
    build()?;
    for program in PROGRAMS {
        let file = built(program);
        ensure_static(&file)?;
        let name = format!("{program}-{VERSION}-{MUSL_TARGET}");
        let archive = packed(&name, &entries(program, &file)?)?;
        let to = folder.join(format!("{name}.tar.gz"));
        fs::write(&to, archive).map_err(Failure::file(to))?;
    }
    Ok(())
}

fn build() -> Result<(), Failure> {
    let mut cargo = repository::cargo();
    cargo
        .args([
            "build",
            "--release",
            "--locked",
            "--bins",
            "--target",
            MUSL_TARGET,
        ])
        .args(["--config", "profile.release.strip=\"symbols\""])
        .args(PROGRAMS.map(|program| format!("--package={program}")))
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS", flags()?);
    process::run(&mut cargo)
}

/// No path of this machine is in the programs, so that two machines build the same.
fn flags() -> Result<String, Failure> {
    let sysroot = process::read(Command::new("rustc").args(["--print", "sysroot"]))?;
    // Where the sources of the standard library are installed, its paths are theirs.
    let library = PathBuf::from(sysroot.trim()).join("lib/rustlib/src/rust");
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let root = Some((repository::root().to_owned(), "/wechat-pay-widget"));
    let places = root
        .into_iter()
        .chain(home.map(|home| (home, "/cargo")))
        .chain([(library, "/rust")]);
    let flags = places.map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    Ok(flags.collect::<Vec<_>>().join(" "))
}

fn built(program: &str) -> PathBuf {
    repository::target_dir()
        .join(MUSL_TARGET)
        .join("release")
        .join(program)
}

fn entries(program: &str, file: &Path) -> Result<Vec<Entry>, Failure> {
    let package = format!("--package={program}");
    let licences = licences::of(&format!("{program} {VERSION}"), &[&package], MUSL_TARGET)?;
    let mut entries = vec![
        Entry::program(program, file)?,
        Entry::data("THIRD-PARTY-LICENSES.txt", licences),
    ];
    let root = repository::root();
    for name in OF_ALL {
        entries.push(Entry::of_file(name, &root.join(name))?);
    }
    if program == PROGRAMS[0] {
        for (name, from) in OF_SERVER {
            entries.push(Entry::of_file(name, &root.join(from))?);
        }
        // The element is in the server.
        let name = "THIRD-PARTY-LICENSES.txt";
        let from = repository::dist_dir().join(name);
        entries.push(Entry::of_file("THIRD-PARTY-LICENSES-ELEMENT.txt", &from)?);
    }
    Ok(entries)
}

/// Refuses a program that the system's loader would have to complete.
fn ensure_static(file: &Path) -> Result<(), Failure> {
    let content = fs::read(file).map_err(Failure::file(file))?;
    match loader_needs(&content) {
        Some(false) => Ok(()),
        Some(true) => Err(Failure::File {
            path: file.into(),
            why: "it names a loader, so it is not static".to_owned(),
        }),
        None => Err(Failure::File {
            path: file.into(),
            why: "it is not a 64-bit ELF file".to_owned(),
        }),
    }
}

/// Whether a program has the header `PT_INTERP`, which names the loader of its libraries. Elf64_Ehdr
/// and Elf64_Phdr: <https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.pheader.html>.
fn loader_needs(file: &[u8]) -> Option<bool> {
    const PT_INTERP: u64 = 3;
    let number = |at: usize, bytes: usize| {
        let part = file.get(at..at.checked_add(bytes)?)?;
        let digits = part.iter().rev();
        Some(digits.fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte)))
    };
    let place = |at, bytes| usize::try_from(number(at, bytes)?).ok();
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (start, size, count) = (place(32, 8)?, place(54, 2)?, place(56, 2)?);
    for index in 0..count {
        let at = start.checked_add(index.checked_mul(size)?)?;
        if number(at, 4)? == PT_INTERP {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::loader_needs;

    #[test]
    fn a_program_that_needs_a_loader_is_recognised() {
        // This test itself is linked with the system's libraries.
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(loader_needs(&own), Some(true));
        assert_eq!(loader_needs(b"#!/bin/sh"), None);
        assert_eq!(loader_needs(&own[..40]), None);
    }
}
