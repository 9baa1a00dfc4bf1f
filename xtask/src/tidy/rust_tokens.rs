//! Splits Rust source into names and signs, as far as the rules of `tidy` need it.
//!
//! Comments, strings, characters and numbers are left out. This module does not interpret the
//! tokens; each rule does that itself.

use std::str::Chars;

/// A token of Rust source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a keyword.
    Name(String),
    /// `::`
    PathSign,
    /// Any other character that is not a blank.
    Sign(char),
}

/// The tokens of a file.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text.chars();
    while let Some(first) = rest.clone().next() {
        if rest.as_str().starts_with("//") {
            skip_line(&mut rest);
        } else if rest.as_str().starts_with("/*") {
            skip_block_comment(&mut rest);
        } else if let Some(hashes) = raw_text_hashes(rest.as_str()) {
            skip_raw_text(&mut rest, hashes);
        } else if first == '"' || rest.as_str().starts_with("b\"") {
            skip_text(&mut rest);
        } else if first == '\'' {
            skip_character_or_lifetime(&mut rest);
        } else if first.is_alphanumeric() || first == '_' {
            let name: String = word(&mut rest);
            if !first.is_ascii_digit() {
                found.push(Token::Name(name));
            }
        } else if rest.as_str().starts_with("::") {
            rest.nth(1);
            found.push(Token::PathSign);
        } else {
            rest.next();
            if !first.is_whitespace() {
                found.push(Token::Sign(first));
            }
        }
    }
    found
}

fn word(rest: &mut Chars<'_>) -> String {
    let text = rest.as_str();
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    *rest = text[end..].chars();
    text[..end].to_owned()
}

fn skip_line(rest: &mut Chars<'_>) {
    let text = rest.as_str();
    let end = text.find('\n').unwrap_or(text.len());
    *rest = text[end..].chars();
}

fn skip_block_comment(rest: &mut Chars<'_>) {
    let mut depth = 0_usize;
    loop {
        if rest.as_str().starts_with("/*") {
            depth += 1;
            rest.nth(1);
        } else if rest.as_str().starts_with("*/") {
            depth -= 1;
            rest.nth(1);
        } else if rest.next().is_none() {
            return;
        }
        if depth == 0 {
            return;
        }
    }
}

/// The hashes after `r` or `br`, if a raw text begins here.
fn raw_text_hashes(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.bytes().take_while(|byte| *byte == b'#').count();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn skip_raw_text(rest: &mut Chars<'_>, hashes: usize) {
    let end = format!("\"{}", "#".repeat(hashes));
    let text = rest.as_str();
    let start = text.find('"').map_or(text.len(), |at| at + 1);
    let after = text[start..]
        .find(&end)
        .map_or(text.len(), |at| start + at + end.len());
    *rest = text[after..].chars();
}

fn skip_text(rest: &mut Chars<'_>) {
    if rest.next() == Some('b') {
        rest.next();
    }
    while let Some(next) = rest.next() {
        match next {
            '\\' => {
                rest.next();
            }
            '"' => return,
            _ => {}
        }
    }
}

/// `'a'` and `'\n'` are characters; `'a` alone is a lifetime.
fn skip_character_or_lifetime(rest: &mut Chars<'_>) {
    rest.next();
    match rest.next() {
        Some('\\') => {
            rest.next();
            while rest.next().is_some_and(|next| next != '\'') {}
        }
        Some(_) if rest.as_str().starts_with('\'') => {
            rest.next();
        }
        _ => {
            word(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, tokens};

    #[test]
    fn names_and_punctuation_are_kept_and_strings_are_not() {
        let name = |text: &str| Token::Name(text.to_owned());
        for (text, expected) in [
            ("a::b", vec![name("a"), Token::PathSign, name("b")]),
            ("a /* b */ c // d", vec![name("a"), name("c")]),
            ("\"a \\\" b\" c", vec![name("c")]),
            ("r#\"a \" b\"# c", vec![name("c")]),
            ("b\"a\" br\"b\" c", vec![name("c")]),
            ("'\\'' a '\"' b", vec![name("a"), name("b")]),
            ("&'a b", vec![Token::Sign('&'), name("b")]),
            ("'{' a", vec![name("a")]),
            ("0x1f a", vec![name("a")]),
        ] {
            assert_eq!(tokens(text), expected, "{text}");
        }
    }
}
