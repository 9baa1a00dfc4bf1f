//! The same payment as a leptos component, for pages that are written in Rust.
//!
//! | `<wechat-pay>` | `<WechatPay>` |
//! |---|---|
//! | `token`, `merchant-api` | [`WidgetOptions::new`] |
//! | `scene`, `auto-start` | [`WidgetOptions::product`], [`WidgetOptions::auto_start`] |
//! | `success-url`, `return-url` | [`WidgetOptions::with_success_url`], [`WidgetOptions::with_return_url`] |
//! | `locale`, `theme`, `messages` | [`Appearance`], in the options and by [`PaymentHandle::set_appearance`] |
//! | `support-url`, slots `support`, `return`, `logo` and `brand` | [`Appearance::with_support_url`], children with these slots |
//! | `transport` | [`WidgetOptions::transport`] |
//! | `start()`, `cancel()`, `refresh()`, `resume()`, `destroy()` | the same of [`PaymentHandle`] |
//! | each event | its [`PageEvent`], by [`PageEvent::name`]; `paid` and `closed` once for an order and tab, too |
//! | `hint` of a `problem` | none: it leads to a page beside the script. `www/problems.md` has the codes |
//! | `telemetry`'s mark `loaded` | none: the component is part of the page's own program |
//! | `checkout-url` | [`Appearance::with_checkout_url`] |
//! | what stands between the tags | none: it is for a program that does not load |

#![expect(
    unreachable_pub,
    reason = "leptos's component macro writes public functions"
)]

use std::cell::RefCell;
use std::rc::Rc;

use checkout::Intent;
use leptos::html::Div;
use leptos::prelude::*;

use crate::embed::Embedded;
use crate::environment;
use crate::locale::Word;
use crate::options::{Appearance, WidgetOptions};
use crate::shadow;
use crate::shell::{Page, PageEvent};
use crate::view::Look;

/// A payment in a leptos page, in its own shadow root. The payment ends with its owner. Another
/// order needs another component.
#[component]
pub fn WechatPay(
    /// Token, merchant API and options.
    options: WidgetOptions,
    /// Called for each event of the element, and after each event with a [`PageEvent::Telemetry`].
    #[prop(into)]
    on_event: UnsyncCallback<PageEvent>,
    /// The page's control of the payment.
    #[prop(optional)]
    handle: Option<PaymentHandle>,
    /// What the page puts into the slots `support`, `return`, `logo` and `brand`, as children.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let host = NodeRef::<Div>::new();
    let handle = handle.unwrap_or_else(PaymentHandle::new);
    host.on_load(move |host| {
        let mut options = options.clone();
        options.appearance = spoken(&options.appearance);
        let look = Look::from(&options.appearance);
        let page = Page::with_listener(look.words().clone(), move |event| on_event.run(event));
        let container = shadow::container(&host);
        shadow::name(&container, &look.words().text(Word::Brand));
        let embedded = Embedded::new(&container, &options, look, page);
        // The handle belongs to another owner: at the cleanup it may be gone already.
        let place = handle.0.try_get_value().unwrap_or_default();
        place.replace(Some(embedded));
        let place = StoredValue::new_local(place);
        on_cleanup(move || {
            place.try_with_value(take_out);
        });
    });
    view! { <div node_ref=host>{children.map(|children| children())}</div> }
}

/// Controls a payment that the page shows: the element's methods. A method does nothing until the
/// component is in the page, and after it has left.
#[derive(Clone, Copy, Debug)]
pub struct PaymentHandle(StoredValue<Place, LocalStorage>);

/// The payment, while it is in the page.
type Place = Rc<RefCell<Option<Embedded>>>;

impl PaymentHandle {
    /// A handle for one component.
    #[expect(
        clippy::new_without_default,
        reason = "it belongs to the owner that makes it"
    )]
    pub fn new() -> Self {
        Self(StoredValue::new_local(Place::default()))
    }

    /// Starts to pay, as the buyer's click does. `false`: not in the page.
    pub fn start(self) -> bool {
        self.request(Intent::Start)
    }

    /// Ends the attempt, never the order. `false`: not in the page.
    pub fn cancel(self) -> bool {
        self.request(Intent::Cancel)
    }

    /// Gets a new QR code after the old one has expired. `false`: not in the page.
    pub fn refresh(self) -> bool {
        self.request(Intent::Refresh)
    }

    /// Polls the order's state, as the page does when it becomes visible again. `false`: not in the
    /// page.
    pub fn resume(self) -> bool {
        self.request(Intent::Resume)
    }

    /// Shows another appearance, and the payment continues. `false`: not in the page.
    pub fn set_appearance(self, appearance: &Appearance) -> bool {
        self.payment()
            .map(|payment| payment.show_as(&spoken(appearance)))
            .is_some()
    }

    /// Ends the component permanently and empties it; the order does not change.
    pub fn destroy(self) {
        self.0.try_with_value(take_out);
    }

    fn request(self, intent: Intent) -> bool {
        self.payment()
            .map(|payment| payment.request(intent))
            .is_some()
    }

    /// A clone, because an event handler may call this handle again.
    fn payment(self) -> Option<Embedded> {
        self.0
            .try_with_value(|place| place.borrow().clone())
            .flatten()
    }
}

/// The appearance with a language: the page's, if none is set. The element's script does this for the
/// element, so that a buyer downloads one language.
fn spoken(appearance: &Appearance) -> Appearance {
    let locale = appearance.locale.unwrap_or_else(environment::locale);
    appearance.clone().with_locale(locale)
}

fn take_out(place: &Place) {
    if let Some(payment) = place.take() {
        payment.unmount();
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
