//! Debian's packages: installed and announced if we are root, otherwise left to the user.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::failure::Failure;
use crate::{console, process};

/// The limit for some hundreds of megabytes on a slow line.
const INSTALL_LIMIT: Duration = Duration::from_mins(15);
/// The limit for some hundred and fifty megabytes.
const DOWNLOAD_LIMIT: Duration = Duration::from_mins(10);

/// The command that a user would type.
pub(crate) fn by_hand(packages: &[&str]) -> String {
    format!("sudo apt-get install {}", packages.join(" "))
}

/// Installs packages; an error if this is not Debian or we are not root.
pub(crate) fn install(packages: &[&str]) -> Result<(), Failure> {
    ensure_debian()?;
    if !we_are_root() {
        return Err(refusal("installing system packages needs root"));
    }
    console::note(format!(
        "  installing Debian packages as root: {}",
        packages.join(" ")
    ));
    refresh_lists()?;
    process::run_within(
        apt_get(&["install", "--yes", "--no-install-recommends"]).args(packages),
        INSTALL_LIMIT,
    )
}

/// Updates the lists of packages if we are root; otherwise the existing lists are used.
pub(crate) fn refresh_lists() -> Result<(), Failure> {
    ensure_debian()?;
    if !we_are_root() {
        return Ok(());
    }
    process::run_within(&mut apt_get(&["update"]), INSTALL_LIMIT)
}

/// Unpacks packages into a folder and installs nothing: no root is needed, and no service starts.
pub(super) fn unpack(packages: &[String], folder: &Path) -> Result<(), Failure> {
    refresh_lists()?;
    // Unpacked into another folder and moved at the end: a run that is stopped half-way leaves no
    // partial tool.
    let unfinished = folder.with_extension(format!("unfinished-{}", std::process::id()));
    let archives = unfinished.join("archives");
    fs::create_dir_all(&archives).map_err(Failure::file(&archives))?;
    process::run_within(
        Command::new("apt-get")
            .args(["--quiet=2", "download"])
            .args(packages)
            .current_dir(&archives),
        DOWNLOAD_LIMIT,
    )?;
    for archive in fs::read_dir(&archives).map_err(Failure::file(&archives))? {
        let archive = archive.map_err(Failure::file(&archives))?.path();
        process::run(
            Command::new("dpkg-deb")
                .arg("--extract")
                .args([&archive, &unfinished]),
        )?;
    }
    fs::remove_dir_all(&archives).map_err(Failure::file(&archives))?;
    fs::rename(&unfinished, folder).map_err(Failure::file(folder))
}

fn ensure_debian() -> Result<(), Failure> {
    if Path::new("/etc/debian_version").is_file() && process::on_path("apt-get").is_some() {
        return Ok(());
    }
    Err(refusal(
        "this is not Debian: install the equivalent packages yourself",
    ))
}

fn we_are_root() -> bool {
    process::ask(Command::new("id").arg("-u")).as_deref() == Some("0")
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .arg("--quiet=2")
        .args(arguments);
    command
}

fn refusal(why: &str) -> Failure {
    Failure::Findings(vec![why.to_owned()])
}
