//! The same payment as a leptos component, for pages that are written in Rust.

#![expect(
    unreachable_pub,
    reason = "leptos's component macro writes public functions"
)]

use crate::embed::Embedded;
use crate::options::WidgetOptions;
use crate::shell::{Page, PageEvent};
use crate::view::{Look, THEME};
use leptos::html::Div;
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
    let container = NodeRef::<Div>::new();
    container.on_load(move |container| {
        let page = Page::new(move |occurrence| on_event.run(occurrence.into()));
        let look = Look::from(&options.appearance);
        let embedded = Embedded::new(&container, &options, look, page);
        let embedded = StoredValue::new_local(Some(embedded));
        on_cleanup(move || {
            if let Some(Some(embedded)) = embedded.try_update_value(Option::take) {
                embedded.unmount();
            }
        });
    });
    view! {
        <style>{THEME}</style>
        <div node_ref=container></div>
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use super::*;
    use crate::counting_page::{CountingPage, container, shows_code};
    use std::cell::RefCell;
    use std::rc::Rc;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    async fn a_leptos_page_shows_it_is_told_and_takes_it_out_without_a_trace() {
        let page = CountingPage::new();
        let container = container();
        let before = (page.read("timers"), page.read("listeners"));
        let told = Rc::new(RefCell::new(Vec::new()));
        let (is_there, set_there) = signal(true);
        let tell = Rc::clone(&told);
        let handle = mount_to(container.clone(), move || {
            let listen = send_wrapper::SendWrapper::new(tell);
            move || {
                let tell = Rc::clone(&listen);
                is_there.get().then(|| {
                    let options = WidgetOptions::new("0123456789abcdef", "/v1").unwrap();
                    let on_event = move |event: PageEvent| tell.borrow_mut().push(event);
                    view! { <WechatPay options on_event /> }
                })
            }
        });
        page.until("the QR code", || shows_code(&container)).await;
        assert!(told.borrow().contains(&PageEvent::QrShown));

        set_there.set(false);
        page.until("an empty page", || !shows_code(&container))
            .await;
        page.turn().await;
        assert_eq!(page.read("timers"), before.0, "timers");
        assert_eq!(page.read("listeners"), before.1, "listeners");
        assert_eq!(page.read("open"), 0.0, "open requests");
        drop(handle);
        container.remove();
    }
}
