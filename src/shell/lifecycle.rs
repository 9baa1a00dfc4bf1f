//! When the page comes and goes: visible, hidden, shown from the back-forward cache, focused,
//! online, offline. Listeners end when dropped.

use std::rc::Rc;

use checkout::Event;
use gloo_events::EventListener;
use web_sys::EventTarget;

/// The listeners of one element.
pub(crate) struct Listeners {
    _listeners: Vec<EventListener>,
}

impl Listeners {
    /// Listens until dropped. `unload` is never used: it would keep the page out of the
    /// back-forward cache.
    pub(crate) fn new(happened: impl Fn(Event) + 'static) -> Self {
        let happened = Rc::new(happened);
        let listen = |target: &EventTarget, name: &'static str, event: Meaning| {
            let happened = Rc::clone(&happened);
            EventListener::new(target, name, move |_| happened(event()))
        };
        let mut listeners = Vec::new();
        if let Some(window) = web_sys::window() {
            for (name, event) in OF_WINDOW {
                listeners.push(listen(&window, name, event));
            }
            if let Some(document) = window.document() {
                listeners.push(listen(&document, "visibilitychange", visibility));
            }
        }
        Self {
            _listeners: listeners,
        }
    }
}

/// The machine's event for an event of the browser, made when that event fires.
type Meaning = fn() -> Event;

const OF_WINDOW: [(&str, Meaning); 5] = [
    // A page that loads in the background fires this event too, but is not visible.
    ("pageshow", visibility),
    ("focus", visibility),
    ("pagehide", || Event::Hidden),
    ("online", || Event::Online),
    ("offline", || Event::Offline),
];

fn visibility() -> Event {
    if is_hidden() {
        Event::Hidden
    } else {
        Event::Resumed
    }
}

/// Whether the page is hidden.
pub(crate) fn is_hidden() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_some_and(|document| document.hidden())
}

/// Whether the browser knows that there is no network.
pub(crate) fn is_offline() -> bool {
    web_sys::window().is_some_and(|window| !window.navigator().on_line())
}
