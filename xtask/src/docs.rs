//! Pages and drawings of the book that are made from other files: the API from the OpenAPI golden, the configuration
//! from the commented sample, the diagrams of the states and of the calls from what tests recorded. `cargo xtask docs`
//! writes them; `tidy` reports one that is not current.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::failure::Failure;
use crate::{console, repository};

mod api;
mod cells;
mod configuration;
mod page;
mod sequences;
mod states;
mod svg;

use page::Page;

const OPENAPI: &str = "crates/merchant-api/goldens/openapi.json";
const SAMPLE: &str = "crates/merchant-server/config.example.toml";

/// Writes all pages.
pub(crate) fn write() -> Result<(), Failure> {
    for (path, text) in pages()? {
        let file = repository::root().join(path);
        fs::write(&file, text).map_err(Failure::file(file))?;
        console::note(format!("written: {path}"));
    }
    Ok(())
}

/// The pages that differ from what would be written.
pub(crate) fn findings() -> Result<Vec<String>, Failure> {
    let pages = pages()?.into_iter();
    let stale = pages.filter(|(path, text)| {
        fs::read_to_string(repository::root().join(path))
            .ok()
            .as_ref()
            != Some(text)
    });
    Ok(stale
        .map(|(path, _)| format!("{path}: it is not current: `cargo xtask docs` writes it"))
        .collect())
}

fn pages() -> Result<Vec<Page>, Failure> {
    let openapi = read(OPENAPI)?;
    let openapi: Value = serde_json::from_str(&openapi).map_err(|error| Failure::File {
        path: PathBuf::from(OPENAPI),
        why: error.to_string(),
    })?;
    let mut pages = vec![
        ("docs/en/api-reference.md", api::page(&openapi)),
        (
            "docs/en/configuration-reference.md",
            configuration::page(&read(SAMPLE)?),
        ),
    ];
    pages.extend(states::pages(&read(states::TRANSITIONS)?)?);
    pages.extend(sequences::pages(&read(sequences::CALLS)?)?);
    Ok(pages)
}

fn read(path: &str) -> Result<String, Failure> {
    let file = repository::root().join(path);
    fs::read_to_string(&file).map_err(Failure::file(file))
}
