//! nginx, the balancer of the chaos run, from Debian's package. The package is unpacked and never
//! installed, because it would start a server on port 80. Only the program of its files is kept.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::debian;
use super::step::{Action, Step};
use super::tool_cache::ToolCache;
use crate::failure::{Failure, Source};
use crate::process;

const NAME: &str = "nginx";

pub(super) fn step(cache: &ToolCache) -> Step {
    Step {
        name: "nginx, out of Debian's package",
        is_done: |cache| program(cache).is_some(),
        action: Action::Run(unpack),
        from: Source::Debian,
        by_hand: format!(
            "apt-get download {NAME} && dpkg-deb --extract {NAME}_*.deb . && mkdir -p {to} && mv usr/sbin/{NAME} {to} (or set NGINX)",
            to = folder(cache).display()
        ),
    }
}

/// The program: `NGINX`, installed, or unpacked from the package. One that lacks a library counts as
/// missing.
pub(crate) fn program(cache: &ToolCache) -> Option<PathBuf> {
    let named = env::var_os("NGINX").map(PathBuf::from);
    let installed = process::on_path(NAME).or_else(|| {
        let file = Path::new("/usr/sbin").join(NAME);
        file.is_file().then_some(file)
    });
    let unpacked = folder(cache).join(NAME);
    let mut found = named.into_iter().chain(installed).chain([unpacked]);
    found.find(|program| process::ask(Command::new(program).arg("-v")).is_some())
}

fn unpack(cache: &ToolCache) -> Result<(), Failure> {
    let folder = folder(cache);
    let whole = folder.with_extension(format!("whole-{}", std::process::id()));
    debian::unpack(&[NAME.to_owned()], &whole)?;
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let to = folder.join(NAME);
    fs::rename(whole.join("usr/sbin").join(NAME), &to).map_err(Failure::file(&to))?;
    fs::remove_dir_all(&whole).map_err(Failure::file(&whole))
}

fn folder(cache: &ToolCache) -> PathBuf {
    cache.tool("debian-nginx")
}
