//! Places that `cargo xtask new` left for a person to write.

use crate::new::MARK;

/// All texts of the repository, by path.
pub(super) fn findings(texts: &[(String, String)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in texts {
        for (number, _) in (1..)
            .zip(text.lines())
            .filter(|(_, line)| line.contains(MARK))
        {
            findings.push(format!(
                "{path}: line {number} has the mark {MARK} of `cargo xtask new`: write what is missing"
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{MARK, findings};

    #[test]
    fn each_place_that_is_left_is_named() {
        let texts = [
            ("a.rs".to_owned(), format!("one\n/// {MARK}: when.\n")),
            ("b.rs".to_owned(), "done".to_owned()),
        ];
        let found = findings(&texts);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("a.rs: line 2 "), "{found:?}");
    }
}
