//! The language of a buyer's page, chosen by the browser's `Accept-Language`. There is no switch
//! and no parameter: a person who opens a forwarded address sees the page in their own language.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use buyer_words::Words;
use http::request::Parts;
use http::{HeaderMap, header};

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// Simplified Chinese: for Chinese of any other region, and for a browser that names no
    /// language, because most buyers of WeChat's are Chinese.
    ZhCn,
    /// Traditional Chinese: for Hong Kong, Macao, Taiwan, and wherever the script is named.
    ZhHant,
    /// English: for all others, as in the element.
    En,
}

impl Language {
    /// The language that the browser prefers.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut best = None;
        let mut names_another = false;
        for value in headers.get_all(header::ACCEPT_LANGUAGE) {
            for range in value.to_str().unwrap_or_default().split(',') {
                let (tag, weight) = weighed(range);
                match Self::of_tag(tag) {
                    Some(language) if weight > best.map_or(0, |(weight, _)| weight) => {
                        best = Some((weight, language));
                    }
                    Some(_) => {}
                    None => names_another |= weight > 0 && !matches!(tag, "" | "*"),
                }
            }
        }
        match best {
            Some((_, language)) => language,
            None if names_another => Self::En,
            None => Self::ZhCn,
        }
    }

    /// The tag for `lang`. The element chooses the language of its texts by this tag.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::ZhHant => "zh-Hant",
            Self::En => "en",
        }
    }

    /// A sentence in this language.
    pub(crate) const fn say(self, sentence: Words) -> &'static str {
        match self {
            Self::ZhCn => sentence.zh_cn,
            Self::ZhHant => sentence.zh_hant,
            Self::En => sentence.en,
        }
    }

    /// The language of pages for the shop's people, which have no Traditional Chinese.
    pub(crate) const fn for_staff(self) -> Self {
        match self {
            Self::ZhHant => Self::ZhCn,
            language => language,
        }
    }

    /// The currency's sign before an amount in yuan, as browsers write it in this language.
    pub(crate) const fn yuan_sign(self) -> &'static str {
        match self {
            Self::ZhCn => "¥",
            Self::ZhHant | Self::En => "CN¥",
        }
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let mut subtags = tag.split('-');
        let language = subtags.next().unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") {
            Some(Self::of_chinese(subtags))
        } else if language.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    /// The script of a Chinese tag, by the first subtag that says it. The script comes before the
    /// region, so `zh-Hans-HK` is Simplified Chinese.
    fn of_chinese<'a>(subtags: impl Iterator<Item = &'a str>) -> Self {
        let scripts = [
            ("hans", Self::ZhCn),
            ("hant", Self::ZhHant),
            ("hk", Self::ZhHant),
            ("mo", Self::ZhHant),
            ("tw", Self::ZhHant),
        ];
        let mut said = subtags.filter_map(|subtag| {
            let mut scripts = scripts.iter();
            scripts.find(|(known, _)| subtag.eq_ignore_ascii_case(known))
        });
        said.next().map_or(Self::ZhCn, |(_, language)| *language)
    }
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// A language range and its weight in thousandths (RFC 9110, 12.4.2). The weight is 0 if it cannot
/// be read.
fn weighed(range: &str) -> (&str, u16) {
    let (tag, parameter) = range.split_once(';').unwrap_or((range, "q=1"));
    let weight = match parameter.trim().split_once('=') {
        Some(("q" | "Q", weight)) => thousandths(weight),
        _ => None,
    };
    (tag.trim(), weight.unwrap_or(0))
}

fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let is_fraction = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction: u16 = if is_fraction {
        format!("{fraction:0<3}").parse().ok()?
    } else {
        return None;
    };
    Some((whole * 1000 + fraction).min(1000))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, header};

    use super::Language;

    #[test]
    fn a_page_uses_the_language_that_its_reader_prefers() {
        let cases = [
            ("", Language::ZhCn),
            ("*", Language::ZhCn),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::ZhCn),
            ("zh-Hant-TW", Language::ZhHant),
            ("zh-TW,zh;q=0.9,en;q=0.8", Language::ZhHant),
            ("ZH-MO", Language::ZhHant),
            ("zh-Hans-HK,zh-Hant;q=0.9", Language::ZhCn),
            ("zh-SG", Language::ZhCn),
            ("en;q=0.9,zh-hk", Language::ZhHant),
            ("en-US,en;q=0.9", Language::En),
            ("en;q=0.5, zh-HK;q=0.7", Language::ZhHant),
            ("en-GB , zh", Language::En),
            ("zh;q=0.123,en;q=0.2", Language::En),
            ("de-DE,de;q=0.9", Language::En),
            ("ja,zh;q=0.3", Language::ZhCn),
            ("fr,*;q=0.1", Language::En),
            ("zh;q=0,en;q=0.1", Language::En),
            ("en;q=0", Language::ZhCn),
            ("zh;q=nonsense,en;q=0.1", Language::En),
            ("en;q=NaN", Language::ZhCn),
            ("zh;q=9999999999,de", Language::En),
            (";;,=,q=1", Language::En),
        ];
        for (accepted, expected) in cases {
            let mut headers = HeaderMap::new();
            if !accepted.is_empty() {
                headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().unwrap());
            }
            assert_eq!(Language::of(&headers), expected, "{accepted}");
        }
    }
}
