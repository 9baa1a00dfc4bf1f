//! The document of every page: the head, and the switch of the language.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::address::{DESK, STYLE};
use super::view::View;
use super::words;
use crate::extract::Language;

/// A page's title, and the room that it belongs to.
pub(super) struct Frame<'a> {
    title: &'a str,
    pub(super) room: &'a str,
}

impl<'a> Frame<'a> {
    pub(super) const fn new(title: &'a str, room: &'a str) -> Self {
        Self { title, room }
    }
}

/// A page for anyone.
pub(super) fn bare(view: &View, frame: &Frame<'_>, content: &Markup) -> Markup {
    whole(view, frame, &html! {}, content, &html! {})
}

/// A page with what is above and below its content.
pub(super) fn whole(
    view: &View,
    frame: &Frame<'_>,
    head: &Markup,
    content: &Markup,
    foot: &Markup,
) -> Markup {
    let say = |sentence| view.language.say(sentence);
    html! {
        (DOCTYPE)
        (PreEscaped(format!("<html lang=\"{}\">", view.language.tag())))
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="robots" content="noindex";
            meta name="color-scheme" content="light dark";
            title { (frame.title) " · " (say(words::TITLE)) }
            // The page has no icon; without this line the browser would request an icon.
            link rel="icon" href="data:,";
            link rel="stylesheet" href=(STYLE);
        }
        body {
            a .skip href="#main" { (say(words::SKIP)) }
            header {
                p .brand { a href=(DESK) { (say(words::TITLE)) } " " span { (say(buyer_words::BRAND)) } }
                (head)
            }
            main #main tabindex="-1" {
                @if !view.is_live { p .ribbon { (say(buyer_words::TEST_RIBBON)) } }
                (content)
            }
            footer { (foot) (languages(view)) }
        }
        (PreEscaped("</html>"))
    }
}

fn languages(view: &View) -> Markup {
    let offered = [(Language::ZhCn, "中文"), (Language::En, "English")];
    html! {
        form .languages method="post" action="/desk/language" {
            input type="hidden" name="to" value=(view.address);
            @for (language, name) in offered {
                button .link type="submit" name="language" value=(language.tag()) lang=(language.tag())
                    aria-pressed=(if language == view.language { "true" } else { "false" }) { (name) }
            }
        }
    }
}
