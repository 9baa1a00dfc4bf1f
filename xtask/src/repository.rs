//! The paths of this repository, and cargo as it is called here.
//!
//! No path outside of the repository is here: tools and caches belong to `setup`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The variable that names another root folder than that of this program's sources: a copy of them.
pub(crate) const ROOT_OVERRIDE: &str = "WECHAT_PAY_WIDGET_ROOT";

/// The repository's root folder.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let other = env::var_os(ROOT_OVERRIDE).filter(|name| !name.is_empty());
        other.map_or_else(|| here.parent().unwrap_or(here).to_owned(), PathBuf::from)
    });
    &ROOT
}

/// The bundle that buyers download; written by `dist`, ignored by git.
pub(crate) fn dist_dir() -> PathBuf {
    root().join("www/dist")
}

/// The folder of cargo's output for this machine.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The folder of the shipped widget's build: its flags differ, and would otherwise rebuild
/// everything else.
pub(crate) fn web_target_dir() -> PathBuf {
    target_dir().join("web")
}

/// `cargo`, in the root folder, as if typed there. Otherwise the variables that `cargo run` sets
/// for xtask would reach build scripts, and rebuild the crates that watch them.
pub(crate) fn cargo() -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        let set_by_cargo = name.to_str().is_some_and(|name| {
            [
                "CARGO_PKG_",
                "CARGO_MANIFEST_",
                "CARGO_BIN_",
                "CARGO_CRATE_",
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        });
        if set_by_cargo {
            command.env_remove(name);
        }
    }
    command
}
