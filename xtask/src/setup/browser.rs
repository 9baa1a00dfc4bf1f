//! Chromium, Firefox and WebKit with what drives them, and a font for Chinese.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use super::{Step, debian};
use crate::process;

const PACKAGES: &[&str] = &["chromium", "chromium-driver"];
const FIREFOX_PACKAGES: &[&str] = &["firefox-esr"];
const WEBKIT_PACKAGES: &[&str] = &["webkit2gtk-driver", "xvfb"];
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

/// Firefox: `FIREFOX`, or what is on the PATH.
pub(crate) fn firefox() -> Option<PathBuf> {
    named_or_on_path("FIREFOX", &["firefox-esr", "firefox"])
}

/// WebKit's browser: `MINIBROWSER`, or where Debian has it, which is on no PATH.
pub(crate) fn minibrowser() -> Option<PathBuf> {
    named_or_on_path("MINIBROWSER", &["MiniBrowser"]).or_else(|| {
        let libraries = fs::read_dir("/usr/lib").ok()?;
        libraries
            .filter_map(Result::ok)
            .flat_map(|folder| {
                ["webkit2gtk-4.1", "webkit2gtk-4.0"]
                    .map(|version| folder.path().join(version).join("MiniBrowser"))
            })
            .find(|file| file.is_file())
    })
}

pub(super) fn firefox_step() -> Step {
    Step {
        name: "Firefox",
        is_done: |_| firefox().is_some(),
        action: |_| debian::install(FIREFOX_PACKAGES),
        by_hand: format!("{} (or set FIREFOX)", debian::by_hand(FIREFOX_PACKAGES)),
    }
}

pub(super) fn webkit_step() -> Step {
    Step {
        name: "WebKit with its WebDriver, and a screen for it",
        is_done: |_| {
            minibrowser().is_some()
                && process::on_path("WebKitWebDriver").is_some()
                && process::on_path("Xvfb").is_some()
        },
        action: |_| debian::install(WEBKIT_PACKAGES),
        by_hand: debian::by_hand(WEBKIT_PACKAGES),
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
