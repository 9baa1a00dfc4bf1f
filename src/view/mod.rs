//! What the buyer sees: one component for each kind of screen, rendered from the view model.
//!
//! It reads one signal and reports intents; it knows no state of its own and decides nothing.

#![expect(
    unreachable_pub,
    clippy::needless_pass_by_value,
    reason = "leptos's component macro writes public functions whose props are values"
)]

mod action;
mod countdown;
mod order_head;
mod outcome;
mod qr_code;
mod status;

use crate::environment;
use crate::locale::Locale;
use crate::options::WidgetOptions;
use crate::shell::{Page, Shell};
use action::{Actions, Offer};
use checkout::{Intent, Notice, Screen, ViewModel};
use countdown::Countdown;
use leptos::prelude::*;
use order_head::OrderHead;
use outcome::Outcome;
use qr_code::{Cover, QrCode};
use send_wrapper::SendWrapper;
use status::{Connection, LiveRegion, sentence};
use std::any::Any;
use std::rc::Rc;

/// The style sheet, for a shadow root or a page.
pub(crate) const THEME: &str = include_str!("theme.css");

/// Reports what the buyer wants; cheap to clone into event handlers. Leptos asks for `Send`,
/// which a page with one thread gives by wrapping.
#[derive(Clone)]
pub(crate) struct Want(SendWrapper<Rc<dyn Fn(Intent)>>);

impl Want {
    fn call(&self, intent: Intent) {
        (self.0)(intent);
    }
}

/// Mounts the view into a container and makes its shell. Besides the handle (dropping it takes
/// the view out) it gives the root owner, which has to be cleaned up by hand: dropping the handle
/// does not end what was started in the root.
pub(crate) fn mount_view(
    container: web_sys::HtmlElement,
    options: &WidgetOptions,
    page: Page,
) -> (Box<dyn Any>, Owner, Shell) {
    let locale = options.locale.unwrap_or_else(environment::locale);
    // The signal has to belong to the owner that is cleaned up with the view.
    let owner = Owner::new();
    let (shell, model) = owner.with(|| Shell::new(options, page));
    let want = shell.clone();
    let handle = owner.with(|| {
        mount_to(container, move || {
            view! { <CheckoutView model locale want=move |intent| want.want(intent) /> }.into_any()
        })
    });
    (Box::new(handle), owner, shell)
}

/// The whole element.
#[component]
pub(crate) fn CheckoutView(
    model: ReadSignal<ViewModel>,
    locale: Locale,
    want: impl Fn(Intent) + 'static,
) -> impl IntoView {
    let want = Want(SendWrapper::new(Rc::new(want)));
    // Without the ticking part: the screen is built anew only when it is another.
    let screen = Memo::new(move |_| model.with(|model| without_ticks(&model.screen)));
    let words = locale.words();
    let body = move || screen_body(&screen.get(), model, locale, &want);
    view! {
        <div part="base" class="wechat-pay" lang=locale.tag()
            data-state=move || screen.with(Screen::name)>
            <OrderHead model locale />
            <div part="body" class="body">{body}</div>
            <Connection model words />
            <LiveRegion screen words />
        </div>
    }
    .into_any()
}

fn without_ticks(screen: &Screen) -> Screen {
    match screen {
        Screen::QrCode {
            code_url,
            is_handheld,
            remaining_ms,
        } => Screen::QrCode {
            code_url: code_url.clone(),
            is_handheld: *is_handheld,
            remaining_ms: remaining_ms.map(|_| 0),
        },
        other => other.clone(),
    }
}

fn screen_body(
    screen: &Screen,
    model: ReadSignal<ViewModel>,
    locale: Locale,
    want: &Want,
) -> AnyView {
    let words = locale.words();
    let text = sentence(screen, words);
    let lead = view! { <p class="lead">{text}</p> }.into_any();
    let button = |label, intent| (label, intent);
    let actions = |buttons: Vec<(&'static str, Intent)>| {
        view! { <Actions buttons want=want.clone() /> }.into_any()
    };
    let parts = match screen {
        Screen::Offer {
            product,
            fallback,
            notice,
        } => {
            let (product, fallback, is_again) = (*product, *fallback, notice.is_some());
            vec![
                lead,
                view! { <Offer product fallback is_again words want=want.clone() /> }.into_any(),
            ]
        }
        Screen::QrCode {
            code_url,
            remaining_ms,
            ..
        } => vec![
            view! { <QrCode code_url=code_url.clone() cover=Cover::Bare words want=want.clone() /> }
                .into_any(),
            lead,
            remaining_ms
                .map(|_| view! { <Countdown model words /> })
                .into_any(),
        ],
        Screen::QrChecking { code_url } => vec![
            view! { <QrCode code_url=code_url.clone() cover=Cover::Dimmed words want=want.clone() /> }
                .into_any(),
            lead,
        ],
        Screen::QrExpired { code_url } => {
            let cover = Cover::Button(words.new_code, Intent::Refresh);
            vec![
                view! { <QrCode code_url=code_url.clone() cover words want=want.clone() /> }
                    .into_any(),
                lead,
            ]
        }
        Screen::Loading | Screen::Starting { .. } | Screen::Confirming => {
            vec![status::spinner(), lead]
        }
        Screen::Cashier { is_silent: false } | Screen::Leaving { is_stuck: false } => {
            vec![status::spinner(), lead]
        }
        Screen::Cashier { is_silent: true } => vec![
            lead,
            actions(vec![
                button(words.i_have_paid, Intent::CheckPayment),
                button(words.open_again, Intent::Start),
            ]),
        ],
        Screen::Leaving { is_stuck: true } => vec![
            lead,
            actions(vec![
                button(words.open_again, Intent::Start),
                button(words.i_have_paid, Intent::CheckPayment),
            ]),
        ],
        Screen::Returned { is_asking, .. } => {
            if *is_asking {
                vec![status::spinner(), lead]
            } else {
                vec![
                    lead,
                    actions(vec![
                        button(words.i_have_paid, Intent::CheckPayment),
                        button(words.i_had_a_problem, Intent::ReportTrouble),
                    ]),
                ]
            }
        }
        Screen::Elsewhere => vec![
            lead,
            actions(vec![button(words.take_over, Intent::TakeOver)]),
        ],
        Screen::Paid { .. }
        | Screen::Closed
        | Screen::Expired
        | Screen::Failed(_)
        | Screen::Unavailable(_) => vec![
            view! { <Outcome screen=screen.clone() model locale want=want.clone() /> }.into_any(),
        ],
    };
    parts.into_any()
}

/// The sentence of a notice.
fn notice_text(notice: Notice, words: &'static crate::locale::Words) -> &'static str {
    match notice {
        Notice::Cancelled => words.cancelled,
        Notice::NotPaidYet => words.not_paid_yet,
        Notice::TryAgain => words.trying_again,
        Notice::MakingSure => words.making_sure,
    }
}
