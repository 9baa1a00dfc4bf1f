//! Code in documents that comes from a tested example: `<!-- from PATH -->` before the block names the file, and the
//! block's lines must be in that file, one after the other. Indentation does not count. It is a copy, because most people
//! read the pages in the repository, where a directive of mdBook stays as it is. This module runs no code.

use crate::tidy::markdown;

/// The documents whose code must come from examples.
const DOCUMENTS: [&str; 6] = [
    "README.md",
    "README.zh-CN.md",
    "docs/en/backends.md",
    "docs/zh/backends.md",
    "docs/en/embed.md",
    "docs/zh/embed.md",
];
/// The languages of the examples, as the fences name them.
const LANGUAGES: [&str; 8] = ["java", "go", "php", "js", "jsx", "python", "vue", "svelte"];

/// `texts`: all texts of the repository, by path.
pub(super) fn findings(texts: &[(String, String)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (document, text) in texts.iter().filter(|(path, _)| markdown::is_document(path)) {
        for block in blocks(text) {
            if let Some(fault) = fault(document, &block, texts) {
                let first = block.lines.first().unwrap_or(&"");
                findings.push(format!(
                    "{document}: the code that begins with `{first}`: {fault}"
                ));
            }
        }
    }
    findings
}

/// A block of code.
struct Block<'a> {
    /// The word after the fence.
    language: &'a str,
    /// The file that the line before the fence names.
    source: Option<&'a str>,
    lines: Vec<&'a str>,
}

fn fault(document: &str, block: &Block<'_>, texts: &[(String, String)]) -> Option<String> {
    if block.lines.iter().any(|line| line.contains("{{#include ")) {
        return Some("in the repository the directive is shown: copy the lines, and name the file in `<!-- from … -->`".to_owned());
    }
    let Some(source) = block.source else {
        let must_have = DOCUMENTS.contains(&document) && LANGUAGES.contains(&block.language);
        return must_have.then(|| {
            "it comes from no tested file: name the file in `<!-- from … -->`".to_owned()
        });
    };
    let Some((_, text)) = texts.iter().find(|(path, _)| path == source) else {
        return Some(format!("there is no {source}"));
    };
    let trimmed = |line: &'_ str| line.trim().to_owned();
    let of_file: Vec<String> = text.lines().map(trimmed).collect();
    let of_block: Vec<String> = block.lines.iter().copied().map(trimmed).collect();
    let is_in_file = of_file
        .windows(of_block.len().max(1))
        .any(|lines| lines == of_block);
    (!is_in_file).then(|| format!("{source} has no such lines"))
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let mut source = None;
    for line in text.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (Some(block), None) => block.lines.push(line),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(language)) => {
                open = Some(Block {
                    language: language.trim(),
                    source: source.take(),
                    lines: Vec::new(),
                });
            }
            (None, None) => {
                let named = line.trim().strip_prefix("<!-- from ");
                source = named.and_then(|rest| rest.strip_suffix(" -->"));
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::findings;

    #[test]
    fn code_that_differs_from_its_file_or_names_none_is_reported() {
        for (document, text, said) in [
            (
                "README.md",
                "<!-- from shop.js -->\n```js\nbuy(\n  1)\n```",
                None,
            ),
            (
                "README.md",
                "<!-- from shop.js -->\n```js\nbuy(2)\n```",
                Some("shop.js has no such lines"),
            ),
            (
                "README.md",
                "<!-- from gone.js -->\n```js\nbuy(\n```",
                Some("there is no gone.js"),
            ),
            (
                "README.md",
                "<!-- from shop.js -->\nText.\n```js\nbuy(\n```",
                Some("from no tested file"),
            ),
            ("README.md", "```console\n$ buy\n```", None),
            (
                "docs/en/element.md",
                "```js\n{{#include ../../shop.js}}\n```",
                Some("the directive is shown"),
            ),
            ("docs/en/element.md", "```js\nbuy(2)\n```", None),
        ] {
            let texts = [(document, text), ("shop.js", "  buy(\n    1)\n")]
                .map(|(path, text)| (path.to_owned(), text.to_owned()));
            let found = findings(&texts);
            match said {
                None => assert!(found.is_empty(), "{text}: {found:?}"),
                Some(said) => assert!(
                    found.len() == 1 && found[0].contains(said),
                    "{text}: {found:?}"
                ),
            }
        }
    }
}
