//! libfaketime, which has a program see another time than the machine's: for storms.

use std::fs;
use std::path::PathBuf;

use super::{Step, debian};

const PACKAGES: &[&str] = &["libfaketime"];
/// The library for programs with many threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

pub(super) fn step() -> Step {
    Step {
        name: "libfaketime, for the storm's clock",
        is_done: |_| library().is_some(),
        action: |_| debian::install(PACKAGES),
        by_hand: debian::by_hand(PACKAGES),
    }
}

/// The library: `LIBFAKETIME`, or where distributions put it.
pub(crate) fn library() -> Option<PathBuf> {
    let named = std::env::var_os("LIBFAKETIME").map(PathBuf::from);
    let bases = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let by_machine = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let by_machine = by_machine.map(|entry| entry.path());
    let usual = bases
        .into_iter()
        .chain(by_machine)
        .map(|base| base.join(LIBRARY));
    named.into_iter().chain(usual).find(|file| file.is_file())
}
