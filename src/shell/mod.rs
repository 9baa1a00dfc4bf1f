//! The shell: performs the machine's effects in this browser and brings back what came of them.
//!
//! One file per effect. It owns everything that outlives a call (the timer, listeners, requests),
//! so that [`Shell::end`] ends it all; it decides nothing.

mod bridge;
mod clock;
mod lifecycle;
mod merchant_api;
mod navigation;
mod page;
mod storage;

pub(crate) use page::Page;
pub use page::PageEvent;

use crate::environment;
use crate::options::WidgetOptions;
use ::merchant_api::{PAYER_PARAMETER, RETURN_PARAMETER};
use checkout::{CheckoutMachine, Effect, Event, Intent, Options, RequestId, ViewModel};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Shows a model.
type Show = Box<dyn FnMut(&ViewModel)>;

/// A running payment. Clones are the same payment.
#[derive(Clone)]
pub(crate) struct Shell(Rc<Running>);

struct Running {
    machine: RefCell<CheckoutMachine>,
    /// Shows what the machine shows; nobody before the view is there and after the end.
    show: RefCell<Option<Show>>,
    page: Page,
    api: merchant_api::MerchantApi,
    departure: storage::Departure,
    requests: RefCell<Vec<(RequestId, merchant_api::Abort)>>,
    timer: RefCell<Option<clock::Timer>>,
    bridge: RefCell<Option<bridge::Waiting>>,
    lifecycle: RefCell<Option<lifecycle::Listeners>>,
    has_ended: Cell<bool>,
}

impl Shell {
    /// A payment that has not begun.
    pub(crate) fn new(options: &WidgetOptions, page: Page) -> Self {
        let departure = storage::Departure::of(options.token());
        let machine = CheckoutMachine::new(
            clock::seed(),
            environment::facts(),
            Options {
                product: options.product,
                auto_start: options.auto_start,
                return_url: options.return_url.clone().or_else(navigation::own_address),
                success_url: options.success_url.clone(),
                payer: navigation::parameter(PAYER_PARAMETER),
                returned: navigation::parameter(RETURN_PARAMETER).is_some()
                    || departure.is_marked(),
            },
        );
        let running = Running {
            machine: RefCell::new(machine),
            show: RefCell::default(),
            page,
            api: merchant_api::MerchantApi::of(options),
            departure,
            requests: RefCell::default(),
            timer: RefCell::default(),
            bridge: RefCell::default(),
            lifecycle: RefCell::default(),
            has_ended: Cell::new(false),
        };
        Self(Rc::new(running))
    }

    /// What is shown now.
    pub(crate) fn model(&self) -> ViewModel {
        self.0.machine.borrow().view(clock::now_ms())
    }

    /// Begins; `show` is called with each new model.
    pub(crate) fn connect(&self, show: impl FnMut(&ViewModel) + 'static) {
        *self.0.show.borrow_mut() = Some(Box::new(show));
        let shell = self.clone();
        let listeners = lifecycle::Listeners::new(move |event| shell.happened(event));
        *self.0.lifecycle.borrow_mut() = Some(listeners);
        self.happened(Event::Connected);
    }

    /// The buyer wants something.
    pub(crate) fn want(&self, intent: Intent) {
        self.happened(Event::Wanted(intent));
    }

    /// Ends everything that runs. Nothing happens after it, whatever still comes in; a second
    /// end does nothing.
    pub(crate) fn end(&self) {
        self.0.has_ended.set(true);
        self.0.show.take();
        let now_ms = clock::now_ms();
        let effects = self.0.machine.borrow_mut().update(now_ms, Event::Destroyed);
        for effect in effects {
            self.perform(effect);
        }
        self.0.lifecycle.take();
        self.0.timer.take();
        self.0.bridge.take();
        self.0.requests.take();
    }

    fn happened(&self, event: Event) {
        if self.0.has_ended.get() {
            return;
        }
        let now_ms = clock::now_ms();
        let (effects, model) = {
            let mut machine = self.0.machine.borrow_mut();
            (machine.update(now_ms, event), machine.view(now_ms))
        };
        // Showing may move the focus, and a handler of the page that hears of it may come in here
        // again: what it did is shown with the next event.
        if let Ok(mut show) = self.0.show.try_borrow_mut()
            && let Some(show) = &mut *show
        {
            show(&model);
        }
        for effect in effects {
            // An event handler of the page may have ended the element.
            if self.0.has_ended.get() {
                return;
            }
            self.perform(effect);
        }
    }

    fn perform(&self, effect: Effect) {
        let running = &self.0;
        match effect {
            Effect::Send { id, request } => {
                let shell = self.clone();
                let abort = running.api.send(&request, move |outcome| {
                    shell.forget(id);
                    shell.happened(outcome.into_event(id));
                });
                running.requests.borrow_mut().push((id, abort));
            }
            Effect::Abort(id) => self.forget(id),
            Effect::WakeAt(at_ms) => {
                let shell = self.clone();
                let timer =
                    at_ms.map(|at_ms| clock::Timer::at(at_ms, move || shell.happened(Event::Woke)));
                running.timer.replace(timer);
            }
            Effect::AwaitBridge => {
                let shell = self.clone();
                let waiting = bridge::Waiting::new(move || shell.happened(Event::BridgeReady));
                running.bridge.replace(Some(waiting));
            }
            Effect::InvokeCashier(parameters) => {
                let shell = self.clone();
                bridge::invoke(&parameters, move |reply| {
                    shell.happened(Event::BridgeReplied(reply));
                });
            }
            Effect::Navigate(destination) => navigation::go(destination.as_str()),
            Effect::StripAddress => navigation::strip(),
            Effect::MarkDeparture(is_away) => running.departure.mark(is_away),
            Effect::Emit(occurrence) => running.page.tell(occurrence),
        }
    }

    /// Drops a request; one under way is aborted by that.
    fn forget(&self, id: RequestId) {
        let mut requests = self.0.requests.borrow_mut();
        requests.retain(|(sent, _)| *sent != id);
    }
}
