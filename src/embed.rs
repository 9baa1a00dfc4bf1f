//! The boundary to JavaScript, without logic: it converts the input into types and passes it on.

use std::cell::RefCell;
use std::rc::Rc;

use checkout::Intent;
use wasm_bindgen::prelude::*;

use crate::options::{Appearance, WidgetOptions};
use crate::shell::{Page, Shell};
use crate::view::{Look, THEME, View};

/// One element that is in a page. [`unmount`](Embedded::unmount) ends it. Clones are the same.
#[wasm_bindgen]
#[derive(Clone)]
pub struct Embedded {
    shell: Shell,
    view: Rc<RefCell<View>>,
}

/// Puts a payment into `container` and begins it. `emit(name, detail)` is called for each event;
/// a wrong option that is not needed is reported by its code alone, as a `problem`.
///
/// Fails with the code of an option that nothing can be done without.
#[wasm_bindgen]
pub fn mount(
    container: &web_sys::Element,
    options: &JsValue,
    emit: js_sys::Function,
) -> Result<Embedded, JsValue> {
    let (options, wrong) =
        WidgetOptions::from_js(options).map_err(|error| JsValue::from_str(error.code()))?;
    for error in wrong {
        // An exception in the page's handler is the page's own problem.
        let _ = emit.call2(&JsValue::NULL, &"problem".into(), &error.code().into());
    }
    let look = Look::from(&options.appearance);
    let page = Page::with_emit(emit, look.words().clone());
    Ok(Embedded::new(container, &options, look, page))
}

/// The style sheet of the view, for the element's shadow root.
#[wasm_bindgen]
pub fn theme() -> String {
    THEME.to_owned()
}

impl Embedded {
    pub(crate) fn new(
        container: &web_sys::Element,
        options: &WidgetOptions,
        look: Look,
        page: Page,
    ) -> Self {
        let shell = Shell::new(options, page);
        // Before there is a view, so that beginning is not shown twice.
        shell.begin();
        let requested = shell.clone();
        let view = View::new(container, &shell.model(), look, move |intent| {
            requested.request(intent);
        });
        let view = Rc::new(RefCell::new(view));
        let shown = Rc::clone(&view);
        shell.connect(move |model| shown.borrow_mut().show(model));
        Self { shell, view }
    }

    pub(crate) fn request(&self, intent: Intent) {
        self.shell.request(intent);
    }

    pub(crate) fn show_as(&self, appearance: &Appearance) {
        let mut view = self.view.borrow_mut();
        view.set_look(Look::from(appearance));
        view.show(&self.shell.model());
    }
}

#[wasm_bindgen]
impl Embedded {
    /// Does in the buyer's name what the page asks for: `start`, `refresh`, `cancel` or `resume`.
    /// `false`: it is none of these.
    pub fn act(&self, intent: &str) -> bool {
        match intent.parse() {
            Ok(intent @ (Intent::Start | Intent::Refresh | Intent::Cancel | Intent::Resume)) => {
                self.shell.request(intent);
                true
            }
            _ => false,
        }
    }

    /// Shows another appearance, and the payment continues. `false`: the address for help is refused,
    /// and is not shown.
    pub fn set_appearance(&self, options: &JsValue) -> bool {
        let mut wrong = Vec::new();
        self.show_as(&Appearance::from_js(options, &mut wrong));
        wrong.is_empty()
    }

    /// Takes the view out and ends everything that runs: no timer, listener or request is left,
    /// and nothing is shown any more.
    pub fn unmount(self) {
        self.shell.end();
        drop(self.view);
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
