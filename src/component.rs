//! The same payment as a leptos component, for pages that are written in Rust.

#![expect(
    unreachable_pub,
    clippy::needless_pass_by_value,
    reason = "leptos's component macro writes public functions whose props are values"
)]

use crate::environment;
use crate::options::WidgetOptions;
use crate::shell::{Page, PageEvent, Shell};
use crate::view::{CheckoutView, THEME};
use leptos::prelude::*;

/// A payment in a leptos page. It brings its style sheet along and ends with its owner.
#[component]
pub fn WechatPay(
    /// Token, merchant API and wishes.
    options: WidgetOptions,
    /// Called for each event of the element.
    #[prop(into)]
    on_event: UnsyncCallback<PageEvent>,
) -> impl IntoView {
    let locale = options.locale.unwrap_or_else(environment::locale);
    let page = Page::Rust(Box::new(move |event| on_event.run(event)));
    let (shell, model) = Shell::new(&options, page);
    shell.connect();
    let want = shell.clone();
    let ending = send_wrapper::SendWrapper::new(shell);
    on_cleanup(move || ending.end());
    view! {
        <style>{THEME}</style>
        <CheckoutView model locale want=move |intent| want.want(intent) />
    }
}
