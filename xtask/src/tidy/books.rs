//! The books in `docs/en` and `docs/zh`: each page is in its book's `SUMMARY.md`, once; a Chinese page has an
//! English page of the same name; and a page links only to pages, because a built book holds no other file of
//! the repository. This module builds no book.

use std::collections::BTreeMap;

use crate::tidy::{links, markdown};

/// The folders of the books. The first one is complete; another may lack pages.
const BOOKS: [&str; 2] = ["docs/en/", "docs/zh/"];
const SUMMARY: &str = "SUMMARY.md";

/// `texts`: all texts of the repository, by path.
pub(super) fn findings(texts: &[(String, String)]) -> Vec<String> {
    let mut findings = Vec::new();
    for book in BOOKS {
        let pages: Vec<&(String, String)> = texts
            .iter()
            .filter(|(path, _)| path.starts_with(book) && markdown::is_document(path))
            .collect();
        let summary_path = format!("{book}{SUMMARY}");
        let Some((_, summary)) = pages.iter().find(|(path, _)| *path == summary_path) else {
            findings.push(format!("{summary_path}: the book has no table of contents"));
            continue;
        };
        findings.extend(wrong_entries(&summary_path, summary, &pages));
        findings.extend(links_out_of_the_books(&pages));
    }
    findings.extend(pages_without_original(texts));
    findings
}

fn wrong_entries(summary_path: &str, summary: &str, pages: &[&(String, String)]) -> Vec<String> {
    let mut entries: BTreeMap<String, usize> = BTreeMap::new();
    for target in markdown::link_targets(summary) {
        *entries
            .entry(links::path_of(summary_path, &target).unwrap_or(target))
            .or_default() += 1;
    }
    let mut findings = Vec::new();
    for (path, _) in pages {
        let count = entries.get(path).copied().unwrap_or_default();
        let expected = usize::from(path != summary_path);
        if count != expected {
            findings.push(format!(
                "{summary_path}: {path} is listed {count} times, not {expected}"
            ));
        }
    }
    findings
}

fn links_out_of_the_books(pages: &[&(String, String)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (page, text) in pages {
        for target in markdown::link_targets(text) {
            let path = links::path_of(page, &target).unwrap_or_default();
            let is_inside = BOOKS.iter().any(|book| path.starts_with(book));
            if !links::is_address(&target) && !is_inside {
                findings.push(format!(
                    "{page}: the link to {target} leads out of the books: name the file between back-ticks"
                ));
            }
        }
    }
    findings
}

fn pages_without_original(texts: &[(String, String)]) -> Vec<String> {
    let [original, translations @ ..] = BOOKS;
    let has = |path: &str| texts.iter().any(|(other, _)| other == path);
    let mut findings = Vec::new();
    for book in translations {
        for (path, _) in texts.iter().filter(|(path, _)| markdown::is_document(path)) {
            if let Some(name) = path.strip_prefix(book)
                && !has(&format!("{original}{name}"))
            {
                findings.push(format!("{path}: there is no {original}{name}"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::findings;

    #[test]
    fn pages_outside_of_the_summary_and_links_out_of_the_book_are_reported() {
        for (english, chinese, page, said) in [
            ("[a](a.md)", "[甲](a.md)", "[b](../zh/a.md)", None),
            ("[a](a.md)", "[甲](a.md)", "[b](https://example.com)", None),
            ("nothing", "[甲](a.md)", "text", Some("listed 0 times")),
            (
                "[a](a.md) [a](a.md)",
                "[甲](a.md)",
                "text",
                Some("listed 2 times"),
            ),
            (
                "[a](a.md)",
                "[甲](a.md)",
                "[b](../../README.md)",
                Some("out of the books"),
            ),
        ] {
            let texts = [
                ("docs/en/SUMMARY.md", english),
                ("docs/en/a.md", page),
                ("docs/zh/SUMMARY.md", chinese),
                ("docs/zh/a.md", "正文"),
            ]
            .map(|(path, text)| (path.to_owned(), text.to_owned()));
            let found = findings(&texts);
            match said {
                None => assert!(found.is_empty(), "{found:?}"),
                Some(said) => assert!(found.len() == 1 && found[0].contains(said), "{found:?}"),
            }
        }
    }

    #[test]
    fn a_chinese_page_without_an_english_one_and_a_book_without_contents_are_reported() {
        let texts = [
            ("docs/en/SUMMARY.md", ""),
            ("docs/zh/SUMMARY.md", "[甲](a.md)"),
            ("docs/zh/a.md", "正文"),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()));
        assert_eq!(findings(&texts), ["docs/zh/a.md: there is no docs/en/a.md"]);
        assert_eq!(findings(&texts[..1]).len(), 1);
    }
}
