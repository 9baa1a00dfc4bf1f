//! The npm package as it would be published: what is in it, and that a server can import it. The
//! browser tests use it in pages that bundlers build.

use std::process::Command;

use super::made_pages::{empty_folder, install_package};
use crate::failure::Failure;
use crate::setup::modules_for_browsers;
use crate::{process, repository};

/// Packs the bundle in `www/dist`, unpacks it as an application would, and runs
/// `tests/package/*.test.js` beside it.
pub(super) fn check() -> Result<(), Failure> {
    let page = empty_folder("package")?;
    let modules = page.join("node_modules");
    install_package(&modules)?;
    process::run_shown(
        Command::new("node")
            .arg("--test")
            .arg(repository::root().join("tests/package/package.test.js"))
            .env("PACKAGE", modules.join("wechat-pay-widget"))
            .env("REACT", modules_for_browsers().join("react"))
            .current_dir(repository::root()),
    )
}
