//! What the buyer sees: a tree for each kind of screen, written from the view model.
//!
//! It is shown a model and reports intents; it knows no state of its own and decides nothing.

mod action;
mod countdown;
mod node;
mod order_head;
mod outcome;
mod qr_code;
mod status;

use action::{actions, button, offer};
use checkout::{Connection, Intent, Notice, Screen, ViewModel};
use countdown::countdown;
use gloo_events::EventListener;
use leptos::tachys::view::{Mountable, Render};
use merchant_api::Product;
use node::{Element, Node, Placed, element, nothing};
use order_head::{order_head, ribbon};
pub(crate) use outcome::problem_word;
use outcome::{outcome, quiet, support};
use qr_code::Picture;
use status::{connection, live_region, sentence, spinner};
use wasm_bindgen::JsCast;

use crate::environment;
use crate::locale::{Word, Words};
use crate::options::{Appearance, Theme};

/// The style sheet, for a shadow root or a page.
pub(crate) const THEME: &str = include_str!("view/theme.css");

/// How a view looks and speaks.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    words: Words,
    theme: Theme,
    support_url: Option<String>,
}

impl From<&Appearance> for Look {
    fn from(appearance: &Appearance) -> Self {
        let locale = appearance.locale.unwrap_or_else(environment::locale);
        Self {
            words: Words::new(locale, appearance.messages.clone()),
            theme: appearance.theme,
            support_url: appearance.support_url.clone(),
        }
    }
}

impl Look {
    /// What it speaks with.
    pub(crate) const fn words(&self) -> &Words {
        &self.words
    }
}

/// A view that is in a page; dropping it takes it out.
pub(crate) struct View {
    placed: Placed,
    picture: Picture,
    look: Look,
    _clicks: EventListener,
}

impl View {
    /// Puts the view of a model into a container; `want` is called for each click on a button.
    pub(crate) fn new(
        container: &web_sys::Element,
        model: &ViewModel,
        look: Look,
        want: impl Fn(Intent) + 'static,
    ) -> Self {
        let clicks = EventListener::new(container, "click", move |click| {
            if let Some(intent) = action::wanted(click) {
                want(intent);
            }
        });
        let mut picture = Picture::default();
        let mut placed = Node::from(whole(model, &look, &mut picture)).build();
        placed.mount(container, None);
        Self {
            placed,
            picture,
            look,
            _clicks: clicks,
        }
    }

    /// Shows another model; only what differs is touched. A focus whose button goes away is kept
    /// in the view, so that the keyboard goes on from here and not from the page's beginning.
    pub(crate) fn show(&mut self, model: &ViewModel) {
        let had_focus = self.has_focus();
        let tree = whole(model, &self.look, &mut self.picture);
        Node::from(tree).rebuild(&mut self.placed);
        if had_focus && !self.has_focus() {
            let base: &web_sys::HtmlElement = self.placed.dom().unchecked_ref();
            // A view that cannot be focused leaves the focus to the browser.
            let _ = base.focus();
        }
    }

    /// Looks and speaks otherwise from the next model on.
    pub(crate) fn dress(&mut self, look: Look) {
        self.look = look;
    }

    fn has_focus(&self) -> bool {
        let base: &web_sys::Element = self.placed.dom().unchecked_ref();
        base.matches(":focus-within").unwrap_or_default()
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.placed.unmount();
    }
}

fn whole(model: &ViewModel, look: &Look, picture: &mut Picture) -> Element {
    let words = &look.words;
    let order = model.order.as_ref();
    let body = element("div").with("part", "body").with("class", "body");
    element("div")
        .with("part", "base")
        .with("class", "wechat-pay")
        .with("lang", words.say(Word::Language))
        .with("dir", words.say(Word::Direction))
        .with("data-theme", look.theme.as_str())
        .with("data-state", model.screen.name())
        .with("tabindex", "-1")
        .holding(if model.is_test {
            ribbon(words)
        } else {
            nothing()
        })
        .holding(order.map_or_else(nothing, |order| order_head(order, words)))
        .holding(filled(body, model, look, picture))
        .holding(connection(model.connection, words))
        .holding(live_region(model, words))
}

/// The body with what the screen shows.
fn filled(body: Element, model: &ViewModel, look: &Look, picture: &mut Picture) -> Element {
    let words = &look.words;
    let lead = element("p")
        .with("class", "lead")
        .saying(words.say(sentence(&model.screen)));
    match &model.screen {
        Screen::Offer {
            product,
            fallback,
            is_guarded,
            notice,
        } => body
            .holding(lead)
            .holding(offer(*product, *fallback, notice.is_some(), words))
            .holding(match (is_guarded, product, notice) {
                (true, ..) => quiet(words.say(Word::Stuck)),
                (_, Product::H5, Some(Notice::NotPaidYet)) => quiet(words.say(Word::SameNetwork)),
                _ => nothing(),
            }),
        Screen::QrCode {
            code_url,
            remaining_ms,
            ..
        } => {
            let time = remaining_ms.map(|remaining_ms| countdown(remaining_ms, words));
            body.holding(picture.bare(code_url, words))
                .holding(lead)
                .holding(time.map_or_else(nothing, Node::from))
        }
        Screen::QrChecking { code_url } => body
            .holding(picture.dimmed(code_url, nothing(), words))
            .holding(lead),
        Screen::QrExpired { code_url } => {
            let renew = button("primary", words.say(Word::NewCode), Intent::Refresh);
            body.holding(picture.dimmed(code_url, renew, words))
                .holding(lead)
        }
        Screen::Cashier {
            is_silent: true,
            fallback,
        } => body.holding(lead).holding(actions(
            &[
                (Word::IHavePaid, Intent::CheckPayment),
                (Word::OpenAgain, Intent::Start),
            ],
            *fallback,
            words,
        )),
        Screen::Leaving {
            is_stuck: true,
            product,
            fallback,
        } => {
            let both = [
                (Word::OpenAgain, Intent::Start),
                (Word::IHavePaid, Intent::CheckPayment),
            ];
            let fitting = match product {
                Some(_) => &both[..],
                None => &both[..1],
            };
            body.holding(lead)
                .holding(actions(fitting, *fallback, words))
        }
        Screen::Returned {
            is_asking: false, ..
        } => body
            .holding(lead)
            .holding(actions(
                &[
                    (Word::IHavePaid, Intent::CheckPayment),
                    (Word::IHadAProblem, Intent::ReportTrouble),
                ],
                None,
                words,
            ))
            .holding(support(look)),
        Screen::Elsewhere => {
            body.holding(lead)
                .holding(actions(&[(Word::TakeOver, Intent::TakeOver)], None, words))
        }
        Screen::Loading if model.connection == Connection::Reconnecting => {
            body.holding(spinner()).holding(lead).holding(support(look))
        }
        Screen::Loading
        | Screen::Starting { .. }
        | Screen::Confirming
        | Screen::Cashier { .. }
        | Screen::Leaving { .. }
        | Screen::Returned { .. } => body.holding(spinner()).holding(lead),
        Screen::Paid { .. }
        | Screen::Closed
        | Screen::Expired
        | Screen::Failed(_)
        | Screen::Unavailable(_) => {
            body.holding(outcome(&model.screen, model.order.as_ref(), look))
        }
    }
}
