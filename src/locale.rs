//! The sentences that the buyer reads. The view decides when they are shown, and the machine
//! decides why.

mod words;

use std::borrow::Cow;

pub use words::Word;

/// Most texts belong to the widget; some belong to the page.
pub(crate) type Text = Cow<'static, str>;

/// A language that the widget speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locale {
    /// Simplified Chinese.
    ZhCn,
    /// English, for all other languages.
    En,
}

impl Locale {
    /// Any Chinese tag gives Simplified Chinese; any other tag gives English.
    pub fn from_tag(tag: &str) -> Self {
        let language = tag.get(..2).unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") {
            Self::ZhCn
        } else {
            Self::En
        }
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
        let mut rest = match self.locale {
            Locale::ZhCn => words::ZH_CN,
            Locale::En => words::EN,
        };
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
    use super::{Locale, Messages, Word, Words, words};

    #[test]
    fn both_languages_are_complete() {
        assert_eq!(words::NAMES.lines().count(), Word::ALL.len());
        let words = |locale| Words::new(locale, Messages::default());
        for word in Word::ALL {
            let zh_cn = words(Locale::ZhCn).text(*word);
            let en = words(Locale::En).text(*word);
            assert!(!zh_cn.is_empty() && !en.is_empty(), "{word:?}");
            let is_chinese = zh_cn.chars().any(|letter| letter > '\u{4e00}');
            let is_text = !matches!(word, Word::Language | Word::Direction);
            assert_eq!(is_chinese, is_text, "{word:?}");
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
            (Word::Paid, buyer_words::PAID),
            (Word::Closed, buyer_words::CLOSED),
            (Word::Expired, buyer_words::EXPIRED),
            (Word::Problem, buyer_words::NOT_POSSIBLE),
            (Word::NothingFits, buyer_words::OPEN_ON_COMPUTER),
            (Word::ProblemOfBuyer, buyer_words::PROBLEM_OF_BUYER),
        ];
        for (word, sentence) in cases {
            let text = |locale| Words::new(locale, Messages::default()).text(word);
            assert_eq!(text(Locale::ZhCn), sentence.zh_cn);
            assert_eq!(text(Locale::En), sentence.en);
        }
    }

    #[test]
    fn every_chinese_locale_gets_chinese_and_every_other_english() {
        for (tag, expected) in [
            ("zh", Locale::ZhCn),
            ("zh-Hant-TW", Locale::ZhCn),
            ("ZH_cn", Locale::ZhCn),
            ("en-GB", Locale::En),
            ("ja", Locale::En),
            ("", Locale::En),
        ] {
            assert_eq!(Locale::from_tag(tag), expected, "{tag}");
        }
    }

    #[test]
    fn a_pages_own_messages_are_shown_and_the_others_stay() {
        let messages = Messages::default().with(Word::Paid, "お支払い完了");
        let words = Words::new(Locale::En, messages);
        assert_eq!(words.text(Word::Paid), "お支払い完了");
        assert_eq!(words.text(Word::Closed), "This order is closed");
        let given = Messages::read(|name| (name == "paid").then(|| "済".to_owned()));
        let words = Words::new(Locale::ZhCn, given);
        assert_eq!(words.text(Word::Paid), "済");
        assert_eq!(words.text(Word::Closed), "订单已关闭");
    }
}
