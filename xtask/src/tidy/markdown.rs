//! What the checks of documents read in Markdown: lines of prose, links and headings. This module knows the
//! little of Markdown that this repository uses, and never changes a text.

use std::collections::BTreeMap;
use std::path::Path;

/// Whether a path is that of a document in Markdown.
pub(super) fn is_document(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "md")
}

/// The lines outside of code blocks.
pub(super) fn prose_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut is_block = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_block ^= is_fence;
        !is_fence && !is_block
    })
}

/// The targets of all links and pictures, outside of code.
pub(super) fn link_targets(text: &str) -> Vec<String> {
    let prose: Vec<String> = prose_lines(text).map(without_code_spans).collect();
    let mut targets: Vec<String> = prose.iter().filter_map(|line| definition(line)).collect();
    // A link's text may continue on the next line.
    let prose = prose.join("\n");
    for (start, end) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
        let found = prose.split(start).skip(1);
        targets.extend(found.filter_map(|rest| {
            let (target, _) = rest.split_once(end)?;
            target.split_whitespace().next().map(str::to_owned)
        }));
    }
    targets
}

/// `[name]: target`, a definition for links that are written `[text][name]`.
fn definition(line: &str) -> Option<String> {
    let (name, target) = line.strip_prefix('[')?.split_once("]: ")?;
    let target = target.split_whitespace().next()?;
    (!name.contains(']')).then(|| target.to_owned())
}

/// The anchors that a link may name: of each heading, and of each `id="…"`.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = Vec::new();
    for line in prose_lines(text) {
        if let Some(heading) = heading(line) {
            let slug = slug(heading);
            let count = seen.entry(slug.clone()).or_default();
            // The second heading of the same text gets `-1`.
            anchors.push(match *count {
                0 => slug,
                repeated => format!("{slug}-{repeated}"),
            });
            *count += 1;
        }
        anchors.extend(
            line.split("id=\"")
                .skip(1)
                .filter_map(|rest| rest.split_once('"'))
                .map(|(id, _)| id.to_owned()),
        );
    }
    anchors
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let depth = line.len() - text.len();
    (1..=6)
        .contains(&depth)
        .then(|| text.strip_prefix(' '))
        .flatten()
}

/// A heading's anchor, as GitHub and mdBook make it: letters, digits, `_` and `-`, in lower case.
fn slug(heading: &str) -> String {
    let mut slug = String::new();
    for letter in without_targets(heading).trim().chars() {
        if letter.is_alphanumeric() || letter == '_' || letter == '-' {
            slug.extend(letter.to_lowercase());
        } else if letter.is_whitespace() {
            slug.push('-');
        }
    }
    slug
}

/// `[text](target)` becomes `text`.
fn without_targets(text: &str) -> String {
    let mut parts = text.split("](");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
    }
    plain
}

fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{anchors, link_targets};

    #[test]
    fn links_pictures_and_definitions_are_found_and_code_is_not() {
        for (text, targets) in [
            (
                "see [a](a.md) and [b](b.md#c \"title\")",
                vec!["a.md", "b.md#c"],
            ),
            ("[a\nb](a.md)", vec!["a.md"]),
            (
                "![picture](a.png) <img src=\"b.png\" alt=\"\">",
                vec!["a.png", "b.png"],
            ),
            ("[name]: a.md", vec!["a.md"]),
            ("`[a](a.md)` and `[b]`", vec![]),
            ("```\n[a](a.md)\n```\n[b](b.md)", vec!["b.md"]),
        ] {
            assert_eq!(link_targets(text), targets, "{text}");
        }
    }

    #[test]
    fn a_heading_has_the_anchor_that_github_gives_it() {
        for (text, expected) in [
            (
                "## What a *code* means, and what to do",
                vec!["what-a-code-means-and-what-to-do"],
            ),
            ("# `[merchant]`", vec!["merchant"]),
            ("## [a](b.md) c", vec!["a-c"]),
            ("### 商户号 (mchid)", vec!["商户号-mchid"]),
            ("# A\n# A\n#a", vec!["a", "a-1"]),
            ("```\n# a comment\n```", vec![]),
            ("<a id=\"here\"></a>", vec!["here"]),
        ] {
            assert_eq!(anchors(text), expected, "{text}");
        }
    }
}
