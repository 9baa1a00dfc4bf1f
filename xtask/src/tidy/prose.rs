//! Words that a reader from outside would not understand. Each rule is a phrase or a form; whether a
//! text is clear remains a question for reviewers.

use std::path::Path;

/// The rules themselves, and the tests of the rules, name what they forbid.
const OWN_FILE: &str = "xtask/src/tidy/prose.rs";

/// References to papers that are not in the repository.
const ABSENT_PAPERS: &[&str] = &["(research:", "(design:"];

/// Private and archaic words, each with the field's word or today's. They count as whole words, in any case.
const PRIVATE_WORDS: &[(&str, &str)] = &[
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("mending", "fixing"),
    ("hear of", "get notified of"),
    ("hears of", "is notified of"),
    ("heard of", "been notified of"),
    ("tell of", "report"),
    ("tells of", "reports"),
    ("as seen to", "as resolved"),
    ("has seen to", "has resolved"),
    ("stands for nobody", "is invalid"),
    ("anew", "again"),
    ("for ever", "forever"),
    ("lest", "so that … not"),
    ("shall", "must"),
    ("upon", "on"),
    ("whence", "from where"),
    ("thereof", "of it"),
    ("henceforth", "from now on"),
];

/// Names that say nothing to a stranger, each with a better one. They count as written.
const PRIVATE_NAMES: &[(&str, &str)] = &[("House", "TestServer"), ("Meddling", "FaultInjector")];

pub(super) fn broken_rules(path: &str, text: &str) -> Vec<String> {
    let ending = Path::new(path)
        .extension()
        .and_then(|ending| ending.to_str());
    let is_rust = ending == Some("rs");
    let is_prose = matches!(ending, Some("rs" | "md" | "toml" | "js"));
    if !is_prose || path == OWN_FILE {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut rules = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let number = index + 1;
        for paper in ABSENT_PAPERS.iter().filter(|paper| line.contains(**paper)) {
            rules.push(format!(
                "line {number} has \"{paper}\", and the paper is not here: write the fact with its source"
            ));
        }
        for (word, better) in PRIVATE_WORDS {
            if has_word(&line.to_lowercase(), word) {
                rules.push(format!("line {number} says \"{word}\": say \"{better}\""));
            }
        }
        if !is_rust {
            continue;
        }
        for (name, better) in PRIVATE_NAMES {
            if has_word(line, name) {
                rules.push(format!("line {number} names `{name}`: write `{better}`"));
            }
        }
        let neighbours = [index.checked_sub(1), index.checked_add(1)];
        let stands_alone = neighbours
            .into_iter()
            .flatten()
            .filter_map(|at| lines.get(at))
            .all(|other| !is_doc(other));
        if stands_alone && is_one_word(line) {
            rules.push(format!(
                "line {number} documents with one word: write a sentence, or a noun with its context"
            ));
        }
    }
    rules
}

fn has_word(text: &str, word: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        is_edge(text[..at].chars().next_back()) && is_edge(text[at + word.len()..].chars().next())
    })
}

fn is_doc(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("///") || line.starts_with("//!")
}

fn is_one_word(line: &str) -> bool {
    let line = line.trim_start();
    line.strip_prefix("/// ")
        .or_else(|| line.strip_prefix("//! "))
        .and_then(|text| text.strip_suffix('.'))
        .is_some_and(|word| !word.is_empty() && word.chars().all(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::broken_rules;

    #[test]
    fn each_rule_finds_its_violation() {
        for (path, text, said) in [
            (
                "a.rs",
                "/// A limit (research: fields).",
                "the paper is not here",
            ),
            ("README.md", "Once it is mended", "\"fixed\""),
            ("a.js", "// the page hears of it", "\"is notified of\""),
            ("a.toml", "# Mend it", "\"fix\""),
            ("a.md", "Signed anew.", "\"again\""),
            ("a.rs", "fn a(house: &House) {}", "`TestServer`"),
            (
                "a.rs",
                "struct A {\n    /// What.\n    a: u8,\n}",
                "line 2 documents",
            ),
        ] {
            let rules = broken_rules(path, text);
            assert!(
                rules.len() == 1 && rules[0].contains(said),
                "{path}: {rules:?}"
            );
        }
    }

    #[test]
    fn allowed_text_is_not_reported() {
        for (path, text) in [
            ("a.rs", "/// The amended contract; it was seen to answer."),
            (
                "a.rs",
                "/// A long sentence that ends on the next line with\n/// nothing.",
            ),
            ("a.rs", "/// `CNY`."),
            ("a.rs", "fn housekeeping() {}"),
            ("a.md", "The House"),
            ("a.json", "{\"a\": \"mend\"}"),
        ] {
            let rules = broken_rules(path, text);
            assert!(rules.is_empty(), "{text}: {rules:?}");
        }
    }
}
