//! When the page comes and goes: visible, hidden, shown from the back-forward cache, focused,
//! online, offline. Listeners end when dropped.

use checkout::Event;
use gloo_events::EventListener;
use std::rc::Rc;

/// The listeners of one element.
pub(crate) struct Listeners {
    _listeners: Vec<EventListener>,
}

impl Listeners {
    /// Listens until dropped. `unload` is never used: it would keep the page out of the
    /// back-forward cache.
    pub(crate) fn new(happened: impl Fn(Event) + 'static) -> Self {
        let Some(window) = web_sys::window() else {
            return Self {
                _listeners: Vec::new(),
            };
        };
        let happened = Rc::new(happened);
        let on_window = |name: &'static str, event: Event| {
            let happened = Rc::clone(&happened);
            EventListener::new(&window, name, move |_| happened(event.clone()))
        };
        let mut listeners = vec![
            on_window("pageshow", Event::Resumed),
            on_window("focus", Event::Resumed),
            on_window("pagehide", Event::Hidden),
            on_window("online", Event::Online),
            on_window("offline", Event::Offline),
        ];
        if let Some(document) = window.document() {
            let (target, happened) = (document.clone(), Rc::clone(&happened));
            listeners.push(EventListener::new(
                &document,
                "visibilitychange",
                move |_| {
                    happened(if target.hidden() {
                        Event::Hidden
                    } else {
                        Event::Resumed
                    });
                },
            ));
        }
        Self {
            _listeners: listeners,
        }
    }
}
