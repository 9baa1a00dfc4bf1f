//! Links between documents: the file must exist, and so must the heading that the link names. This module
//! asks no other machine: an address of the internet is not checked.

use crate::tidy::markdown;

/// `texts`: all texts of the repository, by path. `exists`: whether a path below the root is a file or a
/// folder, text or not.
pub(super) fn findings(texts: &[(String, String)], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for (document, text) in texts.iter().filter(|(path, _)| markdown::is_document(path)) {
        for target in markdown::link_targets(text) {
            if let Some(fault) = fault(document, &target, texts, &exists) {
                findings.push(format!("{document}: the link to {target}: {fault}"));
            }
        }
    }
    findings
}

fn fault(
    document: &str,
    target: &str,
    texts: &[(String, String)],
    exists: impl Fn(&str) -> bool,
) -> Option<String> {
    if is_address(target) {
        return None;
    }
    let Some(path) = path_of(document, target) else {
        return Some("it leads out of the repository".to_owned());
    };
    if !exists(&path) {
        return Some(format!("there is no {path}"));
    }
    let (_, anchor) = target.split_once('#')?;
    let text = texts.iter().find(|(other, _)| *other == path);
    let has_anchor = text.is_some_and(|(_, text)| {
        // Only Markdown has headings; a line of a source (`#L10`) would not stay where it is.
        markdown::is_document(&path) && markdown::anchors(text).iter().any(|id| id == anchor)
    });
    (!has_anchor).then(|| format!("{path} has no heading with this anchor"))
}

/// Whether a target is an address and not a path: `https://…`, `mailto:…`.
pub(super) fn is_address(target: &str) -> bool {
    let scheme = target.split(['/', '#', '?']).next().unwrap_or_default();
    scheme.contains(':')
}

/// The path, from the root, that a link in `document` leads to. None: it leads out of the repository.
pub(super) fn path_of(document: &str, target: &str) -> Option<String> {
    let (file, _) = target.split_once('#').unwrap_or((target, ""));
    if file.is_empty() {
        return Some(document.to_owned());
    }
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in file.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::findings;

    #[test]
    fn a_link_to_a_missing_file_or_heading_is_reported() {
        for (link, said) in [
            ("b.md", None),
            ("./b.md#second-part", None),
            ("#first", None),
            ("../picture.png", None),
            ("../src/", None),
            ("https://example.com/gone.md", None),
            ("mailto:a@example.com", None),
            ("c.md", Some("there is no docs/c.md")),
            ("b.md#third-part", Some("no heading")),
            ("#second", Some("no heading")),
            ("../src/lib.rs#L3", Some("no heading")),
            ("../../elsewhere.md", Some("out of the repository")),
        ] {
            let texts = [
                ("docs/a.md".to_owned(), format!("# First\n[x]({link})")),
                ("docs/b.md".to_owned(), "## Second part".to_owned()),
                ("src/lib.rs".to_owned(), "//! x".to_owned()),
            ];
            let files = ["docs/a.md", "docs/b.md", "picture.png", "src", "src/lib.rs"];
            let found = findings(&texts, |path| files.contains(&path));
            match said {
                None => assert!(found.is_empty(), "{found:?}"),
                Some(said) => assert!(
                    found.len() == 1 && found[0].contains(said),
                    "{link}: {found:?}"
                ),
            }
        }
    }
}
