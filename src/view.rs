//! What the buyer sees: a tree for each kind of screen, written from the view model.
//!
//! The view gets a model and reports intents. It has no state of its own and decides nothing.

mod action;
mod advice;
mod block;
mod countdown;
mod look;
mod order_head;
mod outcome;
mod qr_code;
mod receipt;
mod status;

use action::{actions, button, choices};
pub(crate) use advice::problem_word;
use block::line;
use checkout::{Connection, Intent, Notice, Screen, ViewModel};
use gloo_events::EventListener;
use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyViewState;
pub(crate) use look::Look;
use merchant_api::Product;
use order_head::{order_head, ribbon};
use outcome::{is_outcome, outcome, support, way_out};
use qr_code::Picture;
use status::{announcement, connection, sentence, spinner};
use wasm_bindgen::JsCast;

use crate::locale::Word;

/// The style sheet, for a shadow root or a page.
pub(crate) const THEME: &str = include_str!("view/theme.css");

/// A view in a page; dropping the view removes it from the page.
pub(crate) struct View {
    container: web_sys::Element,
    state: AnyViewState,
    picture: Picture,
    look: Look,
    _clicks: EventListener,
}

impl View {
    /// Puts the view of a model into a container; `request` is called for each click on a button.
    pub(crate) fn new(
        container: &web_sys::Element,
        model: &ViewModel,
        look: Look,
        request: impl Fn(Intent) + 'static,
    ) -> Self {
        let clicks = EventListener::new(container, "click", move |click| {
            if let Some(intent) = action::intent_of(click) {
                request(intent);
            }
        });
        let mut picture = Picture::default();
        let mut state = whole(model, &look, &mut picture).build();
        state.mount(container, None);
        Self {
            container: container.clone(),
            state,
            picture,
            look,
            _clicks: clicks,
        }
    }

    /// Shows another model; only the differences are touched. If the focused button disappears, the
    /// focus stays in the view, so that the keyboard continues there and not at the page's
    /// beginning.
    pub(crate) fn show(&mut self, model: &ViewModel) {
        let had_focus = self.has_focus();
        whole(model, &self.look, &mut self.picture).rebuild(&mut self.state);
        if had_focus
            && !self.has_focus()
            && let Some(base) = self.container.first_element_child()
        {
            let base: web_sys::HtmlElement = base.unchecked_into();
            // A view that cannot be focused leaves the focus to the browser.
            let _ = base.focus();
        }
    }

    /// Shows another look from the next model on.
    pub(crate) fn set_look(&mut self, look: Look) {
        self.look = look;
    }

    fn has_focus(&self) -> bool {
        self.container.matches(":focus-within").unwrap_or_default()
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.state.unmount();
    }
}

fn whole(model: &ViewModel, look: &Look, picture: &mut Picture) -> AnyView {
    let words = &look.words;
    let [first, second, third, last] = body(model, look, picture);
    view! {
        <div
            part="base"
            class="wechat-pay"
            lang=words.text(Word::Language)
            dir=words.text(Word::Direction)
            data-theme=look.theme.as_str()
            data-state=model.screen.name()
            tabindex="-1"
        >
            {model.is_test.then(|| ribbon(words))}
            {model.order.as_ref().map(|order| order_head(order, words))}
            <div part="body" class="body">
                {first} {second} {third} {last}
            </div>
            {connection(model.connection, words)}
            // The only region that screen readers announce. It stays in the page, because a region
            // that is itself replaced is not read out.
            <p class="spoken" role="status">
                {announcement(model, words)}
            </p>
        </div>
    }
    .into_any()
}

/// What the screen shows, from top to bottom.
fn body(model: &ViewModel, look: &Look, picture: &mut Picture) -> [Option<AnyView>; 4] {
    let words = &look.words;
    let screen = &model.screen;
    if is_outcome(screen) {
        let outcome = outcome(model, look);
        return [Some(outcome), None, None, None];
    }
    let lead = Some(line("lead", words.text(sentence(screen))));
    let help = needs_help(model).then(|| support(look));
    match (screen, choices(screen)) {
        (
            Screen::QrCode {
                code_url,
                remaining_ms,
                ..
            },
            _,
        ) => {
            let code = picture.good(code_url, words);
            let time = remaining_ms.map(|remaining_ms| picture.countdown(remaining_ms, words));
            [Some(code), lead, time, None]
        }
        (Screen::QrChecking { code_url }, _) => {
            [Some(picture.dim(code_url, None, words)), lead, None, None]
        }
        (Screen::QrExpired { code_url }, _) => {
            let renew = button("primary", words.text(Word::NewCode), Intent::Refresh);
            let picture = picture.dim(code_url, Some(renew), words);
            [Some(picture), lead, None, None]
        }
        (_, Some((choices, fallback))) => {
            let advice = advice_beside(screen).map(|word| line("advice", words.text(word)));
            let advice = advice.or_else(|| way_out(screen, look));
            [lead, Some(actions(choices, fallback, words)), advice, help]
        }
        // The style sheet shows the spinner first. Here it is second, so that a code and its sentence
        // are new nodes: the browser counts a node that moves as a shift of the page.
        (_, None) => [lead, Some(spinner()), help, None],
    }
}

/// The sentence beside the buttons.
const fn advice_beside(screen: &Screen) -> Option<Word> {
    match screen {
        Screen::Offer {
            is_guarded: true, ..
        } => Some(Word::Stuck),
        Screen::Offer {
            product: Product::H5,
            notice: Some(Notice::NotPaidYet),
            ..
        } => Some(Word::SameNetwork),
        _ => None,
    }
}

/// Whether to show the buyer how to contact the shop, because the payment may not continue by
/// itself.
fn needs_help(model: &ViewModel) -> bool {
    match model.screen {
        Screen::Returned {
            is_asking: false, ..
        }
        | Screen::Loading { is_late: true } => true,
        Screen::Offer { .. } => false,
        // Whatever the buyer waits for does not come.
        _ => model.connection == Connection::Reconnecting,
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
