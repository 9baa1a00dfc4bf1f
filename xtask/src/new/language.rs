//! A language of the buyer's sentences: a column beside the others, and how element and pages choose it. Each
//! sentence begins as a copy of the English one, so that everything builds before the first is translated.

use clap::Args;

use super::name::{ensure, variant};
use super::skeleton::{MARK, Plan};
use crate::failure::Failure;

const SENTENCES: &str = "crates/buyer-words/src/lib.rs";
const LOCALE: &str = "src/locale.rs";
const WORDS: &str = "src/locale/words.rs";
const PAGES: &str = "crates/merchant-server/src/extract/language.rs";
const LOADER: &str = "www/src/wechat-pay.js";

/// A language.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Its tag: two or three small letters
    pub(super) tag: String,
}

pub(super) fn plan(language: &Options) -> Result<Plan, Failure> {
    let tag = language.tag.as_str();
    ensure(
        matches!(tag.len(), 2 | 3) && tag.bytes().all(|b| b.is_ascii_lowercase()),
        tag,
        "must be two or three small letters: a language with a script or a region needs rules of its own, as Chinese has",
    )?;
    let mut plan = Plan::default();
    plan.unless(SENTENCES, format!("pub {tag}: "));
    of_sentences(&mut plan, tag);
    of_widget(&mut plan, tag);
    of_script(&mut plan, tag);
    of_pages(&mut plan, tag);
    plan.then(format!(
        "{SENTENCES}: each sentence, which is still the English one; `languages` in its tests, with the rules of this language"
    ));
    plan.then(format!(
        "{WORDS}: the text's direction, if it is `rtl`; {LOCALE}: the tests' tables of languages and tags; www/tests/language.test.js: the same table"
    ));
    plan.then(format!(
        "`UPDATE=1 cargo test -p wechat-pay-widget locale` writes www/src/wechat-pay.{tag}.json; tests/package/package.test.js: its name"
    ));
    plan.then(format!(
        "{PAGES}: the tests' table of headers; the pages for staff keep English"
    ));
    plan.then("www/src/wechat-pay.d.ts, docs/en/element.md, docs/zh/element.md, www/custom-elements.json: the languages of `locale`");
    plan.then("tests/browser/line_breaks.rs and languages.rs: the language among the others");
    plan.then("`cargo fmt --all`; CHANGELOG.md: a line for users");
    plan.then("proof: `cargo test -p buyer-words`, `cargo test -p wechat-pay-widget locale`, `node --test www/tests/*.test.js`, `cargo xtask test --only dist --only size --only browser languages`");
    Ok(plan)
}

fn of_sentences(plan: &mut Plan, tag: &str) {
    plan.after(
        SENTENCES,
        "    pub en: &'static str,\n",
        format!("    /// The sentence in {tag}. {MARK}: each is still a copy of the English one.\n    pub {tag}: &'static str,\n"),
    );
    plan.replace(
        SENTENCES,
        "$en:literal;)*",
        format!("$en:literal, ${tag}:literal;)*"),
    );
    plan.replace(
        SENTENCES,
        "en: $en };",
        format!("en: $en, {tag}: ${tag} }};"),
    );
    plan.rewrite(SENTENCES, with_copies);
    plan.replace(
        "crates/merchant-server/src/pages/till/words.rs",
        "        en,\n    }",
        format!("        en,\n        {tag}: en,\n    }}"),
    );
    plan.replace(
        "crates/merchant-server/src/pages/desk/words.rs",
        "en: $en };",
        format!("en: $en, {tag}: $en }};"),
    );
}

/// Doubles the last text of each sentence.
fn with_copies(text: &str) -> Result<String, &'static str> {
    let begin = text
        .find("\nsentences! {\n")
        .ok_or("it has no `sentences!`")?;
    let end = text[begin..]
        .find("\n}\n")
        .ok_or("its `sentences!` has no end")?
        + begin;
    let (before, sentences, after) = (&text[..begin], &text[begin..end], &text[end..]);
    let mut copied = String::new();
    for line in sentences.split_inclusive('\n') {
        let last = line.trim_start();
        match last.trim_end().strip_suffix(';') {
            Some(english) if last.starts_with('"') => {
                let indent = &line[..line.len() - last.len()];
                copied.extend([indent, english, ",\n", indent, english, ";\n"]);
            }
            _ => copied.push_str(line),
        }
    }
    Ok(format!("{before}{copied}{after}"))
}

fn of_widget(plan: &mut Plan, tag: &str) {
    let name = tag.to_ascii_uppercase();
    plan.after(
        WORDS,
        "        pub(super) const EN: &str = concatcp!($({ $sentence }.en, \"\\n\"),*);\n",
        format!("        pub(super) const {name}: &str = concatcp!($({{ $sentence }}.{tag}, \"\\n\"),*);\n"),
    );
    plan.replace(
        WORDS,
        "en: \"en\" };",
        format!("en: \"en\", {tag}: \"{tag}\" }};"),
    );
    plan.replace(
        WORDS,
        "en: \"ltr\" };",
        format!("en: \"ltr\", {tag}: \"ltr\" }};"),
    );
    plan.after(
        LOCALE,
        "    pub const EN: Self = Self(words::EN);\n",
        format!("    /// {MARK}: the name of {tag}.\n    pub const {name}: Self = Self(words::{name});\n"),
    );
    plan.before(
        LOCALE,
        "        if !language.eq_ignore_ascii_case(\"zh\") {\n",
        format!("        if language.eq_ignore_ascii_case(\"{tag}\") {{\n            return Self::{name};\n        }}\n"),
    );
    plan.replace(
        LOCALE,
        "(Locale::ZH_HANT, \"zh-Hant\")]",
        format!("(Locale::ZH_HANT, \"zh-Hant\"), (Locale::{name}, \"{tag}\")]"),
    );
    plan.after(
        LOCALE,
        "                    Locale::EN => sentence.en,\n",
        format!("                    Locale::{name} => sentence.{tag},\n"),
    );
}

fn of_script(plan: &mut Plan, tag: &str) {
    plan.before(
        "www/src/language.js",
        "  if (!/^zh(?![a-z\\d])/i.test(tag)) return \"en\";\n",
        format!("  if (/^{tag}(?![a-z\\d])/i.test(tag)) return \"{tag}\";\n"),
    );
    plan.after(
        LOADER,
        "new URL(\"./wechat-pay.zh-Hant.json\", import.meta.url).href",
        format!(", {tag}: new URL(\"./wechat-pay.{tag}.json\", import.meta.url).href"),
    );
    for path in [LOADER, "www/src/wechat-pay.d.ts"] {
        plan.replace(
            path,
            "\"en\" | \"zh-Hant\"",
            format!("\"en\" | \"zh-Hant\" | \"{tag}\""),
        );
    }
    plan.replace(
        "xtask/src/dist.rs",
        "const WORDS: [&str; 2] = [\"wechat-pay.en.json\", \"wechat-pay.zh-Hant.json\"];",
        format!(
            "const WORDS: [&str; 3] = [\"wechat-pay.en.json\", \"wechat-pay.zh-Hant.json\", \"wechat-pay.{tag}.json\"];"
        ),
    );
}

fn of_pages(plan: &mut Plan, tag: &str) {
    let variant = variant(tag);
    plan.replace(
        PAGES,
        "    En,\n}",
        format!("    En,\n    /// {MARK}: the name of {tag}.\n    {variant},\n}}"),
    );
    plan.after(
        PAGES,
        "            Self::En => \"en\",\n",
        format!("            Self::{variant} => \"{tag}\",\n"),
    );
    plan.after(
        PAGES,
        "            Self::En => sentence.en,\n",
        format!("            Self::{variant} => sentence.{tag},\n"),
    );
    plan.replace(
        PAGES,
        "Self::ZhHant => Self::ZhCn,\n",
        format!("Self::ZhHant => Self::ZhCn,\n            Self::{variant} => Self::En,\n"),
    );
    plan.replace(
        PAGES,
        "Self::ZhHant | Self::En => \"CN¥\"",
        format!("Self::ZhHant | Self::En | Self::{variant} => \"CN¥\""),
    );
    plan.after(
        PAGES,
        "            Some(Self::En)\n",
        format!("        }} else if language.eq_ignore_ascii_case(\"{tag}\") {{\n            Some(Self::{variant})\n"),
    );
}
