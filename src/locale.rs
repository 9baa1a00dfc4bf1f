//! The sentences that the buyer reads. The view decides when they are shown, and the machine
//! decides why.

mod words;

use std::borrow::Cow;

pub use words::Word;

/// Most texts belong to the widget; some belong to the page.
pub(crate) type Text = Cow<'static, str>;

/// A language that the widget speaks: its sentences, a line for each word.
///
/// A language is a value and not a variant, so that a program contains only the languages that it
/// names: the element's WebAssembly names Simplified Chinese alone, and gets the sentences of the
/// others as messages, out of files beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locale(&'static str);

impl Locale {
    /// Simplified Chinese.
    pub const ZH_CN: Self = Self(words::ZH_CN);
    /// Traditional Chinese, for Hong Kong, Macao and Taiwan.
    pub const ZH_HANT: Self = Self(words::ZH_HANT);
    /// English, for all other languages.
    pub const EN: Self = Self(words::EN);

    /// A tag that says the script or the region gives that Chinese, any other Chinese tag Simplified
    /// Chinese, and any other tag English. `languageOf` in `language.js` is the same.
    pub fn from_tag(tag: &str) -> Self {
        let mut subtags = tag.split(['-', '_']);
        let language = subtags.next().unwrap_or_default();
        if !language.eq_ignore_ascii_case("zh") {
            return Self::EN;
        }
        // The script comes before the region: `zh-Hans-HK` is Simplified Chinese.
        let known = [
            ("hans", Self::ZH_CN),
            ("hant", Self::ZH_HANT),
            ("hk", Self::ZH_HANT),
            ("mo", Self::ZH_HANT),
            ("tw", Self::ZH_HANT),
        ];
        let of = |subtag: &str| {
            let mut known = known.iter();
            known.find(|(name, _)| subtag.eq_ignore_ascii_case(name))
        };
        subtags
            .find_map(of)
            .map_or(Self::ZH_CN, |(_, locale)| *locale)
    }
}

/// A page's own sentences, for another language or another style. The widget's sentences are used
/// for the missing ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages(Vec<Option<String>>);

impl Messages {
    /// Adds one sentence.
    #[must_use]
    pub fn with(mut self, word: Word, text: impl Into<String>) -> Self {
        self.0.resize(Word::ALL.len(), None);
        self.0[word as usize] = Some(text.into());
        self
    }

    /// The words that `given` has for the names of `messages`.
    pub(crate) fn read(mut given: impl FnMut(&'static str) -> Option<String>) -> Self {
        let mut messages = Vec::new();
        let mut rest = words::NAMES;
        while !rest.is_empty() {
            let (name, more) = first_line(rest);
            messages.push(given(name));
            rest = more;
        }
        Self(messages)
    }
}

/// A language, and the page's own sentences that take precedence over it.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    locale: Locale,
    messages: Messages,
}

impl Words {
    pub(crate) const fn new(locale: Locale, messages: Messages) -> Self {
        Self { locale, messages }
    }

    /// The text of a word.
    pub(crate) fn text(&self, word: Word) -> Text {
        let place = word as usize;
        if let Some(Some(own)) = self.messages.0.get(place) {
            return Cow::Owned(own.clone());
        }
        let mut rest = self.locale.0;
        for _ in 0..place {
            rest = first_line(rest).1;
        }
        Cow::Borrowed(first_line(rest).0)
    }
}

/// The first line of a text, and what comes after it.
fn first_line(text: &'static str) -> (&'static str, &'static str) {
    let end = text.bytes().position(|byte| byte == b'\n');
    let line = end.and_then(|end| text.get(..end)).unwrap_or_default();
    (line, text.get(line.len() + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Locale, Messages, Word, Words, words};

    const LOCALES: [Locale; 3] = [Locale::ZH_CN, Locale::ZH_HANT, Locale::EN];

    #[test]
    fn each_language_is_complete() {
        assert_eq!(words::NAMES.lines().count(), Word::ALL.len());
        for locale in LOCALES {
            let words = Words::new(locale, Messages::default());
            for word in Word::ALL {
                let text = words.text(*word);
                assert!(!text.is_empty(), "{word:?}");
                let is_chinese = text.chars().any(|letter| letter > '\u{4e00}');
                let is_sentence = !matches!(word, Word::Language | Word::Direction);
                assert_eq!(is_chinese, is_sentence && locale != Locale::EN, "{word:?}");
            }
        }
    }

    /// Vite writes a file of up to 4,096 bytes into the shop's script, where every buyer would download
    /// it, and where a strict policy forbids to read it.
    const ABOUT: &str = r#"  "about": "The sentences of the element in this language, by their names in `messages`. Generated from the crate `buyer-words`: `UPDATE=1 cargo test -p wechat-pay-widget locale` writes this file. Fetched only where it is wanted.","#;

    /// The files that `wechat-pay.js` fetches. After a change, `UPDATE=1` writes them.
    #[test]
    fn the_files_of_the_other_languages_have_each_word_by_its_name() {
        for (locale, name) in [(Locale::EN, "en"), (Locale::ZH_HANT, "zh-Hant")] {
            let words = Words::new(locale, Messages::default());
            let mut lines: Vec<String> = Word::ALL
                .iter()
                .zip(words::NAMES.lines())
                .map(|(word, name)| format!("  {name:?}: {:?}", words.text(*word)))
                .collect();
            // Those of the script itself.
            for (name, sentence) in words::OF_SCRIPT {
                let text = match locale {
                    Locale::EN => sentence.en,
                    _ => sentence.zh_hant,
                };
                lines.push(format!("  {name:?}: {text:?}"));
            }
            let expected = format!("{{\n{ABOUT}\n{}\n}}\n", lines.join(",\n"));
            assert!(expected.len() > 4_096, "{} bytes", expected.len());
            let file = format!(
                "{}/www/src/wechat-pay.{name}.json",
                env!("CARGO_MANIFEST_DIR")
            );
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&file, &expected).unwrap();
            }
            let found = fs::read_to_string(&file).unwrap_or_default();
            assert_eq!(found, expected, "{file}: UPDATE=1 writes it");
        }
    }

    #[test]
    fn the_script_has_the_same_sentences_where_nothing_else_loads() {
        let script = include_str!("../www/src/stand-in.js");
        for (name, sentence) in words::OF_SCRIPT {
            for text in [sentence.zh_cn, sentence.en] {
                let said = format!("{name}: {text:?}");
                assert!(script.contains(&said), "stand-in.js lacks {said}");
            }
        }
    }

    #[test]
    fn each_state_has_the_sentence_that_the_servers_page_has() {
        let cases = [
            (Word::ShowCode, buyer_words::SCAN_INSTEAD),
            (Word::OfferNative, buyer_words::SHOW_CODE),
            (Word::PayInWechat, buyer_words::PAY_IN_WECHAT),
            (Word::Scan, buyer_words::SCAN),
            (Word::Returned, buyer_words::RETURNED),
            (Word::NotPaidYet, buyer_words::NOT_PAID_YET),
            (Word::MakingSure, buyer_words::MAKING_SURE),
            (Word::Elsewhere, buyer_words::CONTINUED_ELSEWHERE),
            (Word::Paid, buyer_words::PAID),
            (Word::Closed, buyer_words::CLOSED),
            (Word::Expired, buyer_words::EXPIRED),
            (Word::Problem, buyer_words::NOT_POSSIBLE),
            (Word::NothingFits, buyer_words::OPEN_ON_COMPUTER),
            (Word::NoProduct, buyer_words::NOTHING_FITS),
            (Word::OrderUnknown, buyer_words::ORDER_UNKNOWN),
            (Word::ProblemOfBuyer, buyer_words::PROBLEM_OF_BUYER),
        ];
        for (word, sentence) in cases {
            let text = |locale| Words::new(locale, Messages::default()).text(word);
            let found = LOCALES.map(text);
            assert_eq!(found, [sentence.zh_cn, sentence.zh_hant, sentence.en]);
        }
    }

    /// `www/tests/language.test.js` has the same table for the element's script.
    #[test]
    fn each_tag_has_its_language() {
        for (tag, expected) in [
            ("zh", Locale::ZH_CN),
            ("zh-SG", Locale::ZH_CN),
            ("ZH_cn", Locale::ZH_CN),
            ("zh-Hans-HK", Locale::ZH_CN),
            ("zh-Hant-TW", Locale::ZH_HANT),
            ("zh_TW", Locale::ZH_HANT),
            ("zh-HK", Locale::ZH_HANT),
            ("zh-yue-mo", Locale::ZH_HANT),
            ("en-GB", Locale::EN),
            ("ja", Locale::EN),
            ("de-TW", Locale::EN),
            ("", Locale::EN),
        ] {
            assert_eq!(Locale::from_tag(tag), expected, "{tag}");
        }
    }

    #[test]
    fn a_pages_own_messages_are_shown_and_the_others_stay() {
        let messages = Messages::default().with(Word::Paid, "お支払い完了");
        let words = Words::new(Locale::EN, messages);
        assert_eq!(words.text(Word::Paid), "お支払い完了");
        assert_eq!(words.text(Word::Closed), "This order is closed");
        let given = Messages::read(|name| (name == "paid").then(|| "済".to_owned()));
        let words = Words::new(Locale::ZH_CN, given);
        assert_eq!(words.text(Word::Paid), "済");
        assert_eq!(words.text(Word::Closed), "订单已关闭");
    }
}
