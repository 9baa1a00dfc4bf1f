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

use crate::locale::{Locale, Words};
use action::{actions, button, offer};
use checkout::{Intent, Screen, ViewModel};
use countdown::countdown;
use gloo_events::EventListener;
use leptos::tachys::view::{Mountable, Render};
use node::{Element, Node, Placed, element, nothing};
use order_head::{order_head, ribbon};
use outcome::outcome;
use qr_code::Picture;
use status::{connection, live_region, sentence, spinner};

/// The style sheet, for a shadow root or a page.
pub(crate) const THEME: &str = include_str!("theme.css");

/// A view that is in a page; dropping it takes it out.
pub(crate) struct View {
    placed: Placed,
    picture: Picture,
    locale: Locale,
    _clicks: EventListener,
}

impl View {
    /// Puts the view of a model into a container; `want` is called for each click on a button.
    pub(crate) fn new(
        container: &web_sys::Element,
        model: &ViewModel,
        locale: Locale,
        want: impl Fn(Intent) + 'static,
    ) -> Self {
        let clicks = EventListener::new(container, "click", move |click| {
            if let Some(intent) = action::wanted(click) {
                want(intent);
            }
        });
        let mut picture = Picture::default();
        let mut placed = Node::from(whole(model, locale, &mut picture)).build();
        placed.mount(container, None);
        Self {
            placed,
            picture,
            locale,
            _clicks: clicks,
        }
    }

    /// Shows another model; only what differs is touched.
    pub(crate) fn show(&mut self, model: &ViewModel) {
        let tree = whole(model, self.locale, &mut self.picture);
        Node::from(tree).rebuild(&mut self.placed);
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.placed.unmount();
    }
}

fn whole(model: &ViewModel, locale: Locale, picture: &mut Picture) -> Element {
    let words = locale.words();
    let screen = &model.screen;
    let body = element("div").with("part", "body").with("class", "body");
    element("div")
        .with("part", "base")
        .with("class", "wechat-pay")
        .with("lang", locale.tag())
        .with("data-state", screen.name())
        .holding(if model.is_test {
            ribbon(words)
        } else {
            nothing()
        })
        .holding(model.order.as_ref().map_or_else(nothing, order_head))
        .holding(filled(body, model, words, picture))
        .holding(connection(model.connection, words))
        .holding(live_region(sentence(screen, words)))
}

/// The body with what the screen shows.
fn filled(body: Element, model: &ViewModel, words: &Words, picture: &mut Picture) -> Element {
    let text = sentence(&model.screen, words);
    let lead = element("p").with("class", "lead").saying(text);
    match &model.screen {
        Screen::Offer {
            product,
            fallback,
            notice,
        } => body
            .holding(lead)
            .holding(offer(*product, *fallback, notice.is_some(), words)),
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
            let renew = button("primary", words.new_code, Intent::Refresh);
            body.holding(picture.dimmed(code_url, renew, words))
                .holding(lead)
        }
        Screen::Cashier { is_silent: true } => body.holding(lead).holding(actions(&[
            (words.i_have_paid, Intent::CheckPayment),
            (words.open_again, Intent::Start),
        ])),
        Screen::Leaving {
            is_stuck: true,
            is_for_payment,
        } => {
            let both = [
                (words.open_again, Intent::Start),
                (words.i_have_paid, Intent::CheckPayment),
            ];
            let fitting = if *is_for_payment {
                &both[..]
            } else {
                &both[..1]
            };
            body.holding(lead).holding(actions(fitting))
        }
        Screen::Returned {
            is_asking: false, ..
        } => body.holding(lead).holding(actions(&[
            (words.i_have_paid, Intent::CheckPayment),
            (words.i_had_a_problem, Intent::ReportTrouble),
        ])),
        Screen::Elsewhere => body
            .holding(lead)
            .holding(actions(&[(words.take_over, Intent::TakeOver)])),
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
            body.holding(outcome(&model.screen, text, model.order.as_ref(), words))
        }
    }
}
