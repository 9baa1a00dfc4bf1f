//! Cells of tables in Markdown: text on one line, in which nothing ends the cell or begins HTML.

/// A text as a cell, or as a paragraph.
pub(super) fn text(source: &str) -> String {
    let one_line = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut escaped = String::new();
    for (index, part) in one_line.split('`').enumerate() {
        if index > 0 {
            escaped.push('`');
        }
        let part = part.replace('|', "\\|");
        // Every second part is a code span, where `<` is itself.
        if index % 2 == 0 {
            escaped.push_str(&part.replace('<', "&lt;"));
        } else {
            escaped.push_str(&part);
        }
    }
    escaped
}

/// A value as code in a cell.
pub(super) fn code(value: &str) -> String {
    format!("`{}`", value.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::{code, text};

    #[test]
    fn nothing_in_a_cell_ends_it_or_begins_html() {
        for (source, cell) in [
            ("a\n  b", "a b"),
            ("6 to 32 of `[0-9|*]`", "6 to 32 of `[0-9\\|*]`"),
            ("<wechat-pay> and `<b>`", "&lt;wechat-pay> and `<b>`"),
        ] {
            assert_eq!(text(source), cell);
        }
        assert_eq!(code("a|b"), "`a\\|b`");
    }
}
