//! The shell: performs the machine's effects in this browser and reports their results.
//!
//! There is one file per effect. The shell owns everything that outlives a call (the timer,
//! listeners, requests), so that [`Shell::end`] can end all of it. The shell decides nothing.

mod bridge;
mod clock;
mod end_report;
mod lifecycle;
mod merchant_api;
mod mini_program;
mod navigation;
mod page;
mod peers;
mod storage;
mod wechat_sdk;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ::merchant_api::{PAYER_PARAMETER, RETURN_PARAMETER};
use checkout::{
    CheckoutMachine, Destination, Effect, Event, Intent, Options, PeerMessage, RequestId, ViewModel,
};
use end_report::EndReport;
pub(crate) use page::Page;
pub use page::PageEvent;
use storage::Mark;

use crate::environment;
use crate::options::WidgetOptions;

/// Shows a model.
type Show = Box<dyn FnMut(&ViewModel)>;

/// A running payment. All clones are the same payment.
#[derive(Clone)]
pub(crate) struct Shell(Rc<Running>);

struct Running {
    machine: RefCell<CheckoutMachine>,
    /// Shows the machine's model; `None` before the view exists and after the end.
    show: RefCell<Option<Show>>,
    page: Page,
    api: merchant_api::MerchantApi,
    departure: Mark,
    reloading: Mark,
    end_report: EndReport,
    /// This tab's rank among the tabs with the same order.
    rank: u64,
    token: String,
    peers: RefCell<Option<peers::Peers>>,
    requests: RefCell<Vec<(RequestId, merchant_api::Abort)>>,
    timer: RefCell<Option<clock::Timer>>,
    bridge: RefCell<Option<bridge::Waiting>>,
    lifecycle: RefCell<Option<lifecycle::Listeners>>,
    has_ended: Cell<bool>,
}

impl Shell {
    /// A payment that has not begun.
    pub(crate) fn new(options: &WidgetOptions, page: Page) -> Self {
        let departure = Mark::of(Mark::AWAY, options.token());
        let reloading = Mark::of(Mark::RELOADED, options.token());
        let rank = clock::seed();
        let facts = environment::facts(bridge::injected());
        let machine = CheckoutMachine::new(
            rank,
            facts,
            Options {
                product: options.product,
                auto_start: options.auto_start,
                return_url: options.return_url.clone().or_else(navigation::own_address),
                success_url: options.success_url.clone(),
                payer: navigation::parameter(PAYER_PARAMETER),
                returned: navigation::parameter(RETURN_PARAMETER).is_some() || departure.is_set(),
                reloaded: reloading.is_set(),
            },
        );
        let running = Running {
            machine: RefCell::new(machine),
            show: RefCell::default(),
            page,
            api: merchant_api::MerchantApi::of(options),
            departure,
            reloading,
            end_report: EndReport::of(options.token()),
            rank,
            token: options.token().to_owned(),
            peers: RefCell::default(),
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

    /// Begins: listens to the page, and sends the first request.
    pub(crate) fn begin(&self) {
        let shell = self.clone();
        let listeners = lifecycle::Listeners::new(move |event| shell.happened(event));
        *self.0.lifecycle.borrow_mut() = Some(listeners);
        if lifecycle::is_hidden() {
            self.happened(Event::Hidden);
        }
        if lifecycle::is_offline() {
            self.happened(Event::Offline);
        }
        self.happened(Event::Connected);
    }

    /// Calls `show` with each model from now on.
    pub(crate) fn connect(&self, show: impl FnMut(&ViewModel) + 'static) {
        if !self.0.has_ended.get() {
            *self.0.show.borrow_mut() = Some(Box::new(show));
        }
    }

    /// The buyer asks for something.
    pub(crate) fn request(&self, intent: Intent) {
        self.happened(Event::Injected(bridge::injected()));
        self.happened(Event::Intent(intent));
    }

    /// Ends everything that runs. Nothing happens afterwards, even if an event still arrives. A
    /// second call does nothing.
    pub(crate) fn end(&self) {
        self.0.has_ended.set(true);
        // First the sources of events: after a panic, the machine may not be usable.
        self.0.lifecycle.take();
        self.0.timer.take();
        self.0.bridge.take();
        self.0.requests.take();
        let now_ms = clock::now_ms();
        let effects = self.0.machine.borrow_mut().update(now_ms, Event::Destroyed);
        for effect in effects {
            self.perform(effect);
        }
        self.0.peers.take();
        self.0.show.take();
    }

    fn happened(&self, event: Event) {
        if self.0.has_ended.get() {
            return;
        }
        let is_hidden = matches!(event, Event::Hidden);
        let now_ms = clock::now_ms();
        let (effects, model) = {
            let mut machine = self.0.machine.borrow_mut();
            (machine.update(now_ms, event), machine.view(now_ms))
        };
        // Showing may move the focus, and a handler of the page may then call in here
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
        if is_hidden {
            // An open channel can keep a page out of the back-forward cache, and a hidden page does
            // not poll.
            self.0.peers.take();
        }
    }

    fn perform(&self, effect: Effect) {
        let running = &self.0;
        let shell = self.clone();
        match effect {
            Effect::Send { id, request } => {
                let abort = running.api.send(&request, move |outcome| {
                    shell.drop_request(id);
                    shell.happened(outcome.into_event(id));
                });
                running.requests.borrow_mut().push((id, abort));
            }
            Effect::Abort(id) => self.drop_request(id),
            Effect::WakeAt(at_ms) => {
                let timer =
                    at_ms.map(|at_ms| clock::Timer::at(at_ms, move || shell.happened(Event::Woke)));
                running.timer.replace(timer);
            }
            Effect::AwaitBridge => {
                self.await_bridge(|shell| shell.happened(Event::Injected(bridge::injected())));
            }
            Effect::InvokeCashier(parameters) => {
                bridge::invoke(&parameters, move |reply| {
                    shell.happened(Event::BridgeReplied(reply));
                });
            }
            Effect::InvokeSdk(parameters) => {
                bridge::invoke_sdk(&parameters, move |reply| {
                    shell.happened(Event::BridgeReplied(reply));
                });
            }
            Effect::Navigate(Destination::MiniProgram(path)) => {
                let open = move |shell: &Self| {
                    let shell = shell.clone();
                    mini_program::open(path.as_str(), move |words| {
                        shell.happened(Event::MiniProgramFailed(words));
                    });
                };
                if mini_program::is_ready() {
                    // The buyer does not continue with an action that still waits for the bridge.
                    running.bridge.take();
                    open(self);
                } else {
                    self.await_bridge(open);
                }
            }
            Effect::Navigate(destination) => {
                let is_after_payment = matches!(destination, Destination::Success(_));
                navigation::go(destination.as_str(), is_after_payment);
            }
            Effect::Reload => {
                running.reloading.set(true);
                navigation::reload();
            }
            Effect::NotifyPeers(message) => self.notify_peers(message),
            Effect::StripAddress => navigation::strip(),
            Effect::MarkDeparture(is_away) => running.departure.set(is_away),
            Effect::Emit(occurrence) => {
                let is_first = running.end_report.is_first(&occurrence);
                running.page.emit(occurrence, is_first);
            }
        }
    }

    /// Calls `then` once the bridge exists, and never if the bridge does not appear for long.
    fn await_bridge(&self, then: impl Fn(&Self) + 'static) {
        let shell = self.clone();
        let waiting = bridge::Waiting::new(move |is_there| {
            // The bridge exists from now on, or the search for it has ended.
            shell.0.bridge.take();
            if is_there {
                then(&shell);
            }
        });
        self.0.bridge.replace(Some(waiting));
    }

    /// Joins the other tabs, if this tab has not joined yet, and sends them a message.
    fn notify_peers(&self, message: PeerMessage) {
        let mut peers = self.0.peers.borrow_mut();
        if peers.is_none() && !self.0.has_ended.get() {
            let shell = self.clone();
            let happened = move |event| shell.happened(event);
            *peers = peers::Peers::join(&self.0.token, self.0.rank, happened);
        }
        if let Some(peers) = &*peers {
            peers.send(message);
        }
    }

    /// Drops a request. If the request is in flight, dropping it aborts it.
    fn drop_request(&self, id: RequestId) {
        let mut requests = self.0.requests.borrow_mut();
        requests.retain(|(sent, _)| *sent != id);
    }
}
