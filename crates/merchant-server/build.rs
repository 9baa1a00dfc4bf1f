//! Finds the element's files for the program: the folder that `WECHAT_PAY_DIST` names, or `www/dist`.
//! It builds nothing. Without files it says so, and the program takes them from a folder at run time.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The folder of the bundle, if it is not the repository's.
const FOLDER: &str = "WECHAT_PAY_DIST";
/// The file that pages load. A folder without it is no bundle.
const SCRIPT: &str = "wechat-pay.js";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={FOLDER}");
    let beside = Path::new("../../www");
    let folder = env::var_os(FOLDER).map_or_else(|| beside.join("dist"), PathBuf::from);
    let is_bundle = folder.join(SCRIPT).is_file();
    if is_bundle {
        println!("cargo::rerun-if-changed={}", folder.display());
    } else if beside.is_dir() {
        // A path that does not exist would run this script in each build.
        println!("cargo::rerun-if-changed={}", beside.display());
    }
    let names = if is_bundle {
        names(&folder)?
    } else {
        Vec::new()
    };
    if names.is_empty() && env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!(
            "cargo::warning=there is no {SCRIPT} in {}: this merchant-server has no element in it. Run `cargo xtask dist` and build again, or set bundle_dir to a folder with the npm package wechat-pay-widget",
            folder.display()
        );
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out.join("bundle.rs"), table(&folder, &names, &out)?)?;
    Ok(())
}

/// The names of all files, sorted, so that two builds are equal.
fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = entry.file_name().into_string();
            names.push(name.map_err(|name| format!("{} is not UTF-8", name.display()))?);
        }
    }
    names.sort();
    Ok(names)
}

/// The source of the table. The files are copied beside it: then the program has one build of the
/// bundle, even while another one replaces the folder.
fn table(folder: &Path, names: &[String], out: &Path) -> Result<String, Box<dyn Error>> {
    let copies = out.join("bundle");
    if copies.exists() {
        fs::remove_dir_all(&copies)?;
    }
    fs::create_dir_all(&copies)?;
    let mut table = String::from("&[");
    for name in names {
        fs::copy(folder.join(name), copies.join(name))?;
        writeln!(
            table,
            "EmbeddedFile {{ name: {name:?}, content: include_bytes!(concat!(env!(\"OUT_DIR\"), {:?})) }},",
            format!("/bundle/{name}")
        )?;
    }
    table.push(']');
    Ok(table)
}
