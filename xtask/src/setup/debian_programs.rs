//! Programs that come completely from Debian's packages, one row each: how to check that the
//! program exists, and the packages that contain it.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use super::debian;
use super::step::{Action, Step};
use super::tool_cache::ToolCache;
use crate::failure::Source;
use crate::process;

/// One program.
pub(super) struct Program {
    name: &'static str,
    packages: &'static [&'static str],
    is_there: fn(&ToolCache) -> bool,
    /// More information for a user who installs it by hand.
    hint: &'static str,
}

pub(super) const NODE: Program = Program {
    name: "Node and npm",
    packages: &["nodejs", "npm"],
    is_there: |_| process::on_path("node").is_some() && process::on_path("npm").is_some(),
    hint: " (Node 20.19 or newer)",
};
pub(super) const CHROMIUM: Program = Program {
    name: "Chromium and its WebDriver",
    packages: &["chromium", "chromium-driver"],
    is_there: |_| chromium().is_some() && chromedriver().is_some(),
    hint: " (or set CHROMIUM and CHROMEDRIVER)",
};
pub(super) const FIREFOX: Program = Program {
    name: "Firefox",
    packages: &["firefox-esr"],
    is_there: |_| firefox().is_some(),
    hint: " (or set FIREFOX)",
};
pub(super) const WEBKIT: Program = Program {
    name: "WebKit with its WebDriver, and a screen for it",
    packages: &["webkit2gtk-driver", "xvfb"],
    is_there: |_| {
        minibrowser().is_some()
            && process::on_path("WebKitWebDriver").is_some()
            && process::on_path("Xvfb").is_some()
    },
    hint: "",
};
pub(super) const CHINESE_FONT: Program = Program {
    name: "a font with Chinese characters",
    packages: &["fontconfig", "fonts-noto-cjk"],
    is_there: |_| {
        process::ask(Command::new("fc-list").arg(":lang=zh")).is_some_and(|fonts| !fonts.is_empty())
    },
    hint: "",
};
pub(super) const PHP: Program = Program {
    name: "PHP with curl, for examples",
    packages: &["php-cli", "php-curl"],
    is_there: |_| {
        process::ask(Command::new("php").arg("-m"))
            .is_some_and(|modules| modules.lines().any(|module| module == "curl"))
    },
    hint: "",
};
pub(super) const OPENSSL: Program = Program {
    name: "the openssl command, which the protocol crate is compared with",
    packages: &["openssl"],
    is_there: |_| process::on_path("openssl").is_some(),
    hint: " (OpenSSL 3)",
};
pub(super) const PYTHON: Program = Program {
    name: "Python with venv, for foreign clients and an example",
    packages: &["python3", "python3-venv"],
    // Debian's python3 has the module `venv`, but not the package that fills an environment.
    is_there: |_| {
        process::ask(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_some()
    },
    hint: " (Python 3.9 or newer)",
};
pub(super) const POSTGRES: Program = Program {
    name: "PostgreSQL, for the ledger's second engine",
    packages: &["postgresql"],
    // Debian puts `initdb` on no PATH.
    is_there: |_| postgres_programs().is_some(),
    hint: " (version 13 or newer; or set POSTGRES_BIN to the folder with initdb)",
};
pub(super) const FAKETIME: Program = Program {
    name: "libfaketime, for the chaos test's clock",
    packages: &["libfaketime"],
    is_there: |_| faketime_library().is_some(),
    hint: "",
};
pub(super) const GO: Program = Program {
    name: "Go, for an example",
    packages: &["golang-go"],
    is_there: |_| process::on_path("go").is_some(),
    hint: " (Go 1.19 or newer)",
};
pub(super) const JDK: Program = Program {
    name: "a JDK, for an example",
    packages: &["default-jdk-headless"],
    // A machine can have `java` without the compiler that starts a source file.
    is_there: |_| process::on_path("javac").is_some() && process::on_path("java").is_some(),
    hint: " (Java 17 or newer)",
};
pub(super) const MUSL_GCC: Program = Program {
    name: "musl's C compiler, for static programs",
    packages: &["musl-tools"],
    is_there: |_| process::on_path("musl-gcc").is_some(),
    hint: "",
};

impl Program {
    pub(super) fn step(&self) -> Step {
        Step {
            name: self.name,
            is_done: self.is_there,
            action: Action::InstallPackages(self.packages),
            from: Source::Debian,
            by_hand: format!("{}{}", debian::by_hand(self.packages), self.hint),
        }
    }
}

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

/// Firefox: `FIREFOX`, or what is on the PATH.
pub(crate) fn firefox() -> Option<PathBuf> {
    named_or_on_path("FIREFOX", &["firefox-esr", "firefox"])
}

/// WebKit's browser: `MINIBROWSER`, or Debian's path, which is on no PATH.
pub(crate) fn minibrowser() -> Option<PathBuf> {
    named_or_on_path("MINIBROWSER", &["MiniBrowser"]).or_else(|| {
        let versions = ["webkit2gtk-4.1", "webkit2gtk-4.0"];
        in_libraries(|folder| versions.map(|version| folder.join(version).join("MiniBrowser")))
    })
}

/// libfaketime's library for programs with many threads: `LIBFAKETIME`, or the paths of
/// distributions.
pub(crate) fn faketime_library() -> Option<PathBuf> {
    let named = env::var_os("LIBFAKETIME").map(PathBuf::from);
    let named = named.filter(|file| file.is_file());
    named.or_else(|| in_libraries(|folder| [folder.join("faketime/libfaketimeMT.so.1")]))
}

/// The folder with PostgreSQL's programs: `POSTGRES_BIN`, or that of any version from Debian.
pub(crate) fn postgres_programs() -> Option<PathBuf> {
    if let Some(named) = env::var_os("POSTGRES_BIN") {
        return Some(named.into());
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let mut folders = versions.map(|version| version.path().join("bin"));
    folders.find(|folder| folder.join("initdb").is_file())
}

/// The first of these files that exists in a folder of libraries.
fn in_libraries<const N: usize>(files: impl Fn(PathBuf) -> [PathBuf; N]) -> Option<PathBuf> {
    let bases = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let by_machine = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let by_machine = by_machine.map(|entry| entry.path());
    let folders = bases.into_iter().chain(by_machine);
    folders.flat_map(files).find(|file| file.is_file())
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
