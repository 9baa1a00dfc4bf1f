//! Rules for imports and derives that a stable rustfmt does not check.

/// The order of the standard derives. Others follow in any order.
const DERIVES: &[&str] = &[
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Hash",
];

pub(super) fn broken_rules(text: &str) -> Vec<String> {
    let mut rules = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if is_nested_import(line) {
            rules.push(format!(
                "line {number} nests paths in one `use`: write one line for each module"
            ));
        }
        if let Some(list) = derives(line)
            && !is_in_order(list)
        {
            rules.push(format!(
                "line {number} derives in the wrong order: write {}, then the rest",
                DERIVES.join(", ")
            ));
        }
    }
    rules
}

fn is_nested_import(line: &str) -> bool {
    let line = line.trim_start();
    let import = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "]
        .iter()
        .any(|start| line.starts_with(start));
    import
        && line
            .split_once('{')
            .is_some_and(|(_, names)| names.contains("::"))
}

fn derives(line: &str) -> Option<&str> {
    line.trim_start()
        .strip_prefix("#[derive(")?
        .split(')')
        .next()
}

fn is_in_order(list: &str) -> bool {
    let places: Vec<usize> = list
        .split(',')
        .map(|name| {
            DERIVES
                .iter()
                .position(|known| *known == name.trim())
                .unwrap_or(DERIVES.len())
        })
        .collect();
    places.is_sorted()
}

#[cfg(test)]
mod tests {
    use super::broken_rules;

    #[test]
    fn nested_imports_and_shuffled_derives_are_found() {
        for (text, count) in [
            ("use std::{fs, io};", 0),
            ("use std::{fs, net::IpAddr};", 1),
            ("    pub(crate) use a::{b::{C, D}, e};", 1),
            ("use a::b::{C, D};\nuse a::e;", 0),
            ("#[derive(Clone, Copy, Debug, PartialEq, Eq)]", 0),
            ("#[derive(Debug, Clone)]", 1),
            ("#[derive(Clone, Debug, serde::Serialize)]", 0),
            ("#[derive(Serialize, Clone)]", 1),
        ] {
            assert_eq!(broken_rules(text).len(), count, "{text}");
        }
    }
}
