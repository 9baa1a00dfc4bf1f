//! The page about the configuration: each table and field of the commented sample, with its comment. A field is a
//! line `name = value`, also behind `# `; the comment above it describes it. This module reads no TOML: comments
//! are what it is about.

use std::fmt::Write as _;

use crate::docs::cells;

const INTRODUCTION: &str = "\
# Configuration reference

`cargo xtask docs` writes this page from `crates/merchant-server/config.example.toml`, the file to begin with. The \
server's tests read that file, so it has no field that the server refuses. The values here are the sample's: for a \
field that the sample leaves out, they are the default or an example. How to begin is in \
[Configuration](configuration.md).
";

const TOP: &str = "Top of the file";

/// The whole page.
pub(super) fn page(sample: &str) -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut section = Section::new(TOP.to_owned());
    let mut comment = Vec::new();
    for line in sample.lines() {
        match read(line) {
            Line::Empty | Line::Comment("") => section.introduce(&mut comment),
            Line::Comment(text) => comment.push(text),
            Line::Table(name) => {
                section.write(&mut page);
                section = Section::new(format!("`{name}`"));
                section.introduce(&mut comment);
            }
            Line::Field {
                name,
                value,
                remark,
            } => {
                comment.extend(remark);
                let meaning = cells::text(&comment.join("\n"));
                comment.clear();
                let (name, value) = (cells::code(name), cells::code(value));
                section
                    .rows
                    .push(format!("| {name} | {value} | {meaning} |"));
            }
        }
    }
    section.introduce(&mut comment);
    section.write(&mut page);
    page
}

enum Line<'a> {
    Empty,
    Comment(&'a str),
    Table(&'a str),
    Field {
        name: &'a str,
        value: &'a str,
        remark: Option<&'a str>,
    },
}

fn read(line: &str) -> Line<'_> {
    let (text, is_comment) = match line.strip_prefix('#') {
        Some(text) => (text.strip_prefix(' ').unwrap_or(text), true),
        None => (line, false),
    };
    if text.starts_with('[') && text.ends_with(']') {
        return Line::Table(text);
    }
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if let Some((name, rest)) = text.split_once(" = ")
        && is_name(name)
    {
        let (value, remark) = rest
            .split_once(" # ")
            .map_or((rest, None), |(value, remark)| (value, Some(remark)));
        return Line::Field {
            name,
            value: value.trim_end(),
            remark,
        };
    }
    if is_comment {
        Line::Comment(text)
    } else {
        Line::Empty
    }
}

/// A table of the configuration: what the sample says about it, and its fields.
struct Section {
    heading: String,
    introduction: Vec<String>,
    rows: Vec<String>,
}

impl Section {
    fn new(heading: String) -> Self {
        Self {
            heading,
            introduction: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Takes a comment that no field follows.
    fn introduce(&mut self, comment: &mut Vec<&str>) {
        if !comment.is_empty() {
            self.introduction.push(cells::text(&comment.join("\n")));
            comment.clear();
        }
    }

    fn write(&self, page: &mut String) {
        // A String never refuses text.
        let _ = writeln!(page, "\n## {}", self.heading);
        for paragraph in &self.introduction {
            let _ = writeln!(page, "\n{paragraph}");
        }
        if !self.rows.is_empty() {
            let _ = writeln!(page, "\n| Field | Sample | Meaning |\n|---|---|---|");
        }
        for row in &self.rows {
            let _ = writeln!(page, "{row}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn each_field_has_its_comment_and_each_table_its_own() {
        let page = page(
            "# serve --config FILE\n\n# Where to\n# listen.\nlisten = \"127.0.0.1:8080\"\n# limits = { a = 1 }\n\n\
             # Targets.\n# [[webhooks]]\n# url = \"https://a.example\"   # of a backend\n",
        );
        for text in [
            "## Top of the file\n\nserve --config FILE\n\n| Field | Sample | Meaning |",
            "| `listen` | `\"127.0.0.1:8080\"` | Where to listen. |",
            "| `limits` | `{ a = 1 }` |  |",
            "## `[[webhooks]]`\n\nTargets.\n",
            "| `url` | `\"https://a.example\"` | of a backend |",
        ] {
            assert!(page.contains(text), "{text} in\n{page}");
        }
    }
}
