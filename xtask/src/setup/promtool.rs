//! promtool, Prometheus' own check of metrics, from Debian's package. The package is unpacked and
//! never installed, because it would start a server. Only the one program of its files is kept.

use std::fs;
use std::path::PathBuf;

use super::debian;
use super::step::{Action, Step};
use super::tool_cache::ToolCache;
use crate::failure::{Failure, Source};
use crate::process;

const PACKAGE: &str = "prometheus";
const NAME: &str = "promtool";

pub(super) fn step(cache: &ToolCache) -> Step {
    Step {
        name: "promtool, out of Debian's package prometheus",
        is_done: |cache| program(cache).is_some(),
        action: Action::Run(unpack),
        from: Source::Debian,
        by_hand: format!(
            "apt-get download {PACKAGE} && dpkg-deb --extract {PACKAGE}_*.deb . && mkdir -p {to} && mv usr/bin/{NAME} {to}",
            to = folder(cache).display()
        ),
    }
}

/// The program: on the PATH, or unpacked from the package.
pub(crate) fn program(cache: &ToolCache) -> Option<PathBuf> {
    let unpacked = folder(cache).join(NAME);
    process::on_path(NAME).or_else(|| unpacked.is_file().then_some(unpacked))
}

fn unpack(cache: &ToolCache) -> Result<(), Failure> {
    let folder = folder(cache);
    let whole = folder.with_extension(format!("whole-{}", std::process::id()));
    debian::unpack(&[PACKAGE.to_owned()], &whole)?;
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let to = folder.join(NAME);
    fs::rename(whole.join("usr/bin").join(NAME), &to).map_err(Failure::file(&to))?;
    fs::remove_dir_all(&whole).map_err(Failure::file(&whole))
}

fn folder(cache: &ToolCache) -> PathBuf {
    cache.tool("debian-promtool")
}
