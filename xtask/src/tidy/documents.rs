//! Names in documents: a test or a file that a document names must exist. This module does not
//! check what the document says about them.

use crate::tidy::markdown;

/// The documents that name tests and files.
const DOCUMENTS: &[&str] = &["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/decisions.md"];

/// A name of at least this many words in snake case is a test's.
const WORDS_OF_A_TEST: usize = 5;

/// All texts of the repository, by path.
pub(super) fn findings(texts: &[(String, String)]) -> Vec<String> {
    let documents = texts
        .iter()
        .filter(|(path, _)| DOCUMENTS.contains(&path.as_str()));
    let mut findings = Vec::new();
    for (document, text) in documents {
        for name in code_spans(text) {
            let is_missing = if is_test(name) {
                let start = format!("fn {name}(");
                !texts.iter().any(|(_, text)| text.contains(&start))
            } else {
                is_file(name) && !texts.iter().any(|(path, _)| is_end_of(name, path))
            };
            if is_missing {
                findings.push(format!("{document}: there is no `{name}`"));
            }
        }
    }
    findings
}

/// The text between back-ticks on one line, outside of code blocks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    markdown::prose_lines(text).flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn is_test(name: &str) -> bool {
    let is_snake = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    name.chars().all(|letter| is_snake(letter) || letter == '_')
        && name.split('_').count() >= WORDS_OF_A_TEST
}

fn is_file(name: &str) -> bool {
    let ends = [".rs", ".js", ".ts", ".md", ".toml", ".sql"];
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    name.chars().all(is_plain) && ends.iter().any(|end| name.ends_with(end))
}

/// Whether the path is the name, or ends with it after a slash. `crates/a/src/b.rs` may be called
/// `a/b.rs` or `a/src/b.rs`.
fn is_end_of(name: &str, path: &str) -> bool {
    let ends_with = |path: &str| {
        path.strip_suffix(name)
            .is_some_and(|start| start.is_empty() || start.ends_with('/'))
    };
    ends_with(path) || ends_with(&path.replace("/src/", "/"))
}

#[cfg(test)]
mod tests {
    use super::findings;

    #[test]
    fn a_missing_test_or_file_is_reported() {
        let texts = |document: &str| {
            vec![
                ("ARCHITECTURE.md".to_owned(), document.to_owned()),
                (
                    "crates/core/src/pay.rs".to_owned(),
                    "fn a_paid_order_stays_paid() {}".to_owned(),
                ),
            ]
        };
        for (document, missing) in [
            ("`a_paid_order_stays_paid`", 0),
            ("`a_paid_order_is_never_closed`", 1),
            ("`out_trade_no` and `pay.rs`", 0),
            (
                "`core/src/pay.rs`, `core/pay.rs`, `crates/core/src/pay.rs`",
                0,
            ),
            ("`refund.rs`", 1),
            ("`ay.rs`", 1),
            ("`cargo xtask test`", 0),
            ("```\n`gone.rs`\n```", 0),
        ] {
            assert_eq!(findings(&texts(document)).len(), missing, "{document}");
        }
    }
}
