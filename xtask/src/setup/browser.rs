//! Chromium with its WebDriver, and a font for Chinese.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use super::{Step, debian};
use crate::process;

const PACKAGES: &[&str] = &["chromium", "chromium-driver"];
const FONT_PACKAGES: &[&str] = &["fontconfig", "fonts-noto-cjk"];

/// The browser: `CHROMIUM`, or what is on the PATH.
pub(crate) fn chromium() -> Option<PathBuf> {
    named_or_on_path(
        "CHROMIUM",
        &["chromium", "chromium-browser", "google-chrome"],
    )
}

/// Its WebDriver: `CHROMEDRIVER`, or what is on the PATH.
pub(crate) fn chromedriver() -> Option<PathBuf> {
    named_or_on_path("CHROMEDRIVER", &["chromedriver"])
}

pub(super) fn chromium_step() -> Step {
    Step {
        name: "Chromium and its WebDriver",
        is_done: |_| chromium().is_some() && chromedriver().is_some(),
        action: |_| debian::install(PACKAGES),
        by_hand: format!(
            "{} (or set CHROMIUM and CHROMEDRIVER)",
            debian::by_hand(PACKAGES)
        ),
    }
}

pub(super) fn font_step() -> Step {
    Step {
        name: "a font with Chinese characters",
        is_done: |_| {
            process::ask(Command::new("fc-list").arg(":lang=zh"))
                .is_some_and(|fonts| !fonts.is_empty())
        },
        action: |_| debian::install(FONT_PACKAGES),
        by_hand: debian::by_hand(FONT_PACKAGES),
    }
}

fn named_or_on_path(variable: &str, programs: &[&str]) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|file| file.is_file())
        .or_else(|| {
            programs
                .iter()
                .find_map(|program| process::on_path(program))
        })
}
