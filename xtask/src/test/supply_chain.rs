//! Checks our dependencies by the policy in deny.toml. Crates that are not here yet are downloaded before;
//! the check itself uses no network: an advisory database is read only if the user provides one, and its date
//! is printed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use crate::failure::Failure;
use crate::setup::{CARGO_DENY, ToolCache};
use crate::{console, process, repository};

/// The variable that names a checkout of the RustSec advisory database, as `git clone` makes it.
const ADVISORY_DB: &str = "ADVISORY_DB";
/// The variable that deny.toml reads: the folder with all databases.
const ADVISORY_DBS: &str = "ADVISORY_DBS";
/// The name by which cargo-deny 0.20 finds the RustSec database in that folder: it ends with a hash
/// of the database's address. Another version may require another name, and prints it.
const NAME_IN_FOLDER: &str = "advisory-db-3157b0e258782691";

/// Fails if a crate breaks the policy, or has an advisory in the database.
pub(super) fn check() -> Result<(), Failure> {
    // The check reads all crates of the lock file, also those of other targets and features, which no build
    // has downloaded.
    process::run(repository::cargo().args(["fetch", "--locked", "--quiet"]))?;
    process::run_shown(deny().args(["check", "bans", "licenses", "sources"]))?;
    match advisory_db(env::var_os(ADVISORY_DB)) {
        None => {
            console::note(format!(
                "advisories: NOT RUN, because {ADVISORY_DB} names no checkout of the advisory database"
            ));
            Ok(())
        }
        Some(database) => check_advisories(&database),
    }
}

fn deny() -> Command {
    let mut command = Command::new(CARGO_DENY.program(&ToolCache::of_this_user(), "cargo-deny"));
    command
        .args(["--workspace", "--locked", "--offline"])
        .current_dir(repository::root());
    command
}

fn advisory_db(named: Option<OsString>) -> Option<PathBuf> {
    named.filter(|name| !name.is_empty()).map(PathBuf::from)
}

fn check_advisories(database: &Path) -> Result<(), Failure> {
    let date = process::read(Command::new("git").arg("-C").arg(database).args([
        "log",
        "-1",
        "--format=%cs",
    ]))?;
    console::note(format!(
        "advisories: the database at {} is of {}",
        database.display(),
        date.trim()
    ));
    let folder = repository::target_dir().join("advisory-dbs");
    link(database, &folder)?;
    process::run_shown(
        deny()
            .args(["check", "advisories"])
            .env(ADVISORY_DBS, folder),
    )
}

/// Links the checkout into the folder, under the name that cargo-deny looks for. The checkout
/// itself does not change.
fn link(database: &Path, folder: &Path) -> Result<(), Failure> {
    let database = fs::canonicalize(database).map_err(Failure::file(database))?;
    fs::create_dir_all(folder).map_err(Failure::file(folder))?;
    let name = folder.join(NAME_IN_FOLDER);
    if name.symlink_metadata().is_ok() {
        fs::remove_file(&name).map_err(Failure::file(&name))?;
    }
    symlink(&database, &name).map_err(Failure::file(&name))
}

#[cfg(unix)]
fn symlink(to: &Path, name: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, name)
}

#[cfg(not(unix))]
fn symlink(_to: &Path, _name: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::{NAME_IN_FOLDER, advisory_db, link};

    #[test]
    fn an_empty_name_is_no_database() {
        assert_eq!(advisory_db(None), None);
        assert_eq!(advisory_db(Some("".into())), None);
        assert_eq!(advisory_db(Some("db".into())), Some(PathBuf::from("db")));
    }

    #[cfg(unix)]
    #[test]
    fn the_last_named_database_is_checked() {
        let place = std::env::temp_dir().join(format!("advisories-{}", std::process::id()));
        let folder = place.join("dbs");
        for name in ["first", "second", "second"] {
            let database = place.join(name);
            fs::create_dir_all(&database).unwrap();
            fs::write(database.join("name"), name).unwrap();
            link(&database, &folder).unwrap();
            let found = fs::read_to_string(folder.join(NAME_IN_FOLDER).join("name"));
            assert_eq!(found.unwrap(), name);
        }
        assert!(link(&place.join("nowhere"), &folder).is_err());
        fs::remove_dir_all(place).unwrap();
    }
}
