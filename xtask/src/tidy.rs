//! Rules of this repository that the compiler does not check. Each finding names file and rule.

use crate::console;
use crate::failure::Failure;

mod circles;
mod dependencies;
mod documents;
mod prose;
mod rust_tokens;
mod sources;
mod style;

/// Checks all rules.
pub(crate) fn check() -> Result<(), Failure> {
    let texts = sources::texts()?;
    let mut findings = sources::findings(&texts);
    findings.extend(documents::findings(&texts));
    findings.extend(dependencies::findings()?);
    findings.extend(circles::findings()?);
    if findings.is_empty() {
        console::note("tidy: nothing found");
        return Ok(());
    }
    Err(Failure::Findings(findings))
}
