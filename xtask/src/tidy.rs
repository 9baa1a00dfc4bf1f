//! Rules of this repository that the compiler does not check. Each finding names file and rule.

use crate::failure::Failure;
use crate::{console, docs, repository};

mod books;
mod circles;
mod dependencies;
mod documents;
mod links;
mod markdown;
mod prose;
mod rust_tokens;
mod skeletons;
mod snippets;
mod sources;
mod style;

/// Checks all rules.
pub(crate) fn check() -> Result<(), Failure> {
    let texts = sources::texts()?;
    let mut findings = sources::findings(&texts);
    findings.extend(documents::findings(&texts));
    findings.extend(links::findings(&texts, |path| {
        repository::root().join(path).exists()
    }));
    findings.extend(books::findings(&texts));
    findings.extend(skeletons::findings(&texts));
    findings.extend(snippets::findings(&texts));
    findings.extend(docs::findings()?);
    findings.extend(dependencies::findings()?);
    findings.extend(circles::findings()?);
    if findings.is_empty() {
        console::note("tidy: nothing found");
        return Ok(());
    }
    Err(Failure::Findings(findings))
}
