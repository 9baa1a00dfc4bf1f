//! The release notes: the part of `CHANGELOG.md` about this version, or about what is not released yet.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::repository;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes `RELEASE-NOTES.md`.
pub(super) fn write(folder: &Path) -> Result<(), Failure> {
    let source = repository::root().join("CHANGELOG.md");
    let text = fs::read_to_string(&source).map_err(Failure::file(&source))?;
    let part = part(&text, VERSION).ok_or_else(|| Failure::File {
        path: source,
        why: format!("it has neither a part `## {VERSION}` nor `## Unreleased`"),
    })?;
    let file = folder.join("RELEASE-NOTES.md");
    fs::write(&file, format!("# {VERSION}\n\n{part}\n")).map_err(Failure::file(&file))
}

/// The text below a version's heading. A heading may have a date after the version.
fn part<'a>(changelog: &'a str, version: &str) -> Option<&'a str> {
    let of = |title: &str| {
        changelog.split("\n## ").skip(1).find_map(|part| {
            let (heading, text) = part.split_once('\n')?;
            let word = heading.split_whitespace().next()?;
            (word.trim_matches(['[', ']']) == title).then_some(text.trim())
        })
    };
    of(version).or_else(|| of("Unreleased"))
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_version_has_its_own_part_and_otherwise_the_unreleased_one() {
        let changelog = "# Changelog\n\n## Unreleased\n\n- new\n\n## 0.2.0 - 2026-01-02\n\n### Added\n\n- old\n\n## [0.1.0]\n\n- first\n";
        for (version, expected) in [
            ("0.2.0", Some("### Added\n\n- old")),
            ("0.1.0", Some("- first")),
            ("0.3.0", Some("- new")),
        ] {
            assert_eq!(part(changelog, version), expected, "{version}");
        }
        assert_eq!(part("# Changelog\n", "0.1.0"), None);
    }
}
