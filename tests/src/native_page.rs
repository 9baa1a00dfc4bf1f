//! A checkout page without a browser. It runs the element's own machine (`checkout`) and performs
//! the machine's effects as the widget's shell does in a browser: requests over HTTP, one timer, marks
//! in the tab's storage. It decides nothing about a payment, and reads no clock of its own.
//!
//! The test gives the page two things: the clock, and the transport to the merchant's backend. The
//! test also plays what is outside a page. The page records what it requested (WeChat's cashier,
//! another address, a message to other tabs), and the test returns the result as an event.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use checkout::{
    BridgeReply, CheckoutMachine, Destination, Effect, Event, Failure, Intent, Occurrence, Options,
    PeerMessage, Request as Ask, RequestId, ReturnUrl, Screen,
};
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Request, Response};
use merchant_api::{ApiError, CheckoutAnswer, Malformed, PAYER_PARAMETER, RETURN_PARAMETER};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::{self, AbortHandle};
use url::Url;

use crate::buyer_browser::BuyerBrowser;

/// A result that a trait of this module returns later.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The time on a page, in milliseconds. It never runs backwards.
pub trait PageClock: Send + Sync {
    /// The time now.
    fn now_ms(&self) -> u64;
    /// Waits until that time has come.
    fn sleep_until(&self, at_ms: u64) -> Later<()>;
}

/// The transport to the merchant's backend.
pub trait Backend: Send + Sync {
    /// Sends a request; `None` if no answer came. The future is dropped when the page gives the
    /// request up.
    fn send(&self, request: Request<String>) -> Later<Option<Response<Vec<u8>>>>;
}

/// The settings of a page to open.
#[derive(Clone)]
pub struct PageSettings {
    /// The browser in which the page is opened.
    pub browser: BuyerBrowser,
    /// The tab's storage, which outlives the page.
    pub storage: TabStorage,
    /// `http://…/v1`: the address of the merchant API.
    pub api: String,
    /// The order's token.
    pub token: String,
    /// The page's own address, to which the buyer can be sent back.
    pub url: String,
    /// The same address with what a backend appended to it, when the buyer returns.
    pub opened_at: String,
    /// The page starts a payment by itself, if this is allowed.
    pub auto_start: bool,
    /// Headers of every request, in addition to the browser's own.
    pub headers: HeaderMap,
    /// The seed of the machine's random values; it is also the page's rank among the tabs of one
    /// order.
    pub seed: u64,
}

/// What a tab remembers of one order. Clones share the same tab.
#[derive(Clone, Debug, Default)]
pub struct TabStorage(Arc<Mutex<Marks>>);

#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    has_departed: bool,
    was_reloaded: bool,
}

/// An open page; it closes when it is dropped.
pub struct NativePage(Arc<Running>);

struct Running {
    settings: PageSettings,
    clock: Arc<dyn PageClock>,
    backend: Arc<dyn Backend>,
    state: Mutex<State>,
    /// Counts the events of the page.
    happened: watch::Sender<u64>,
}

struct State {
    machine: CheckoutMachine,
    timer: Option<Timer>,
    requests: BTreeMap<RequestId, AbortHandle>,
    outside: Outside,
    occurrences: Vec<Occurrence>,
    answer: Option<CheckoutAnswer>,
}

struct Timer {
    at_ms: u64,
    task: AbortHandle,
}

/// What the page requested outside of itself.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// The `prepay_id` of WeChat's cashier over the page, until it has replied.
    pub prepay_id: Option<String>,
    /// The destination for which the page left, until it is shown again.
    pub left_for: Option<Destination>,
    /// Whether the page requests to be loaded again.
    pub wants_reload: bool,
    /// The messages that it sent to other tabs of the same browser with the same order.
    pub sent_to_peers: Vec<PeerMessage>,
}

impl NativePage {
    /// Opens a page. It runs by itself from here on, within the test's runtime.
    pub fn open(
        settings: PageSettings,
        clock: Arc<dyn PageClock>,
        backend: Arc<dyn Backend>,
    ) -> Self {
        let options = options(&settings);
        let machine = CheckoutMachine::new(settings.seed, settings.browser.facts(), options);
        let page = Self(Arc::new(Running {
            settings,
            clock,
            backend,
            state: Mutex::new(State {
                machine,
                timer: None,
                requests: BTreeMap::new(),
                outside: Outside::default(),
                occurrences: Vec::new(),
                answer: None,
            }),
            happened: watch::Sender::new(0),
        }));
        page.happen(Event::Connected);
        page
    }

    /// The settings with which the page was opened.
    pub fn settings(&self) -> &PageSettings {
        &self.0.settings
    }

    /// What the buyer sees.
    pub fn screen(&self) -> Screen {
        let now_ms = self.0.clock.now_ms();
        self.0.state.lock().unwrap().machine.view(now_ms).screen
    }

    /// What the page requested outside of itself.
    pub fn outside(&self) -> Outside {
        self.0.state.lock().unwrap().outside.clone()
    }

    /// What the page received, in order.
    pub fn occurrences(&self) -> Vec<Occurrence> {
        self.0.state.lock().unwrap().occurrences.clone()
    }

    /// How often the page received `paid`.
    pub fn times_paid(&self) -> usize {
        let is_paid = |told: &&Occurrence| matches!(told, Occurrence::Paid { .. });
        self.occurrences().iter().filter(is_paid).count()
    }

    /// The backend's last answer.
    pub fn answer(&self) -> Option<CheckoutAnswer> {
        self.0.state.lock().unwrap().answer.clone()
    }

    /// The buyer clicks a button.
    pub fn click(&self, intent: Intent) {
        let injected = self.0.settings.browser.injected();
        self.happen(Event::Injected(injected));
        self.happen(Event::Intent(intent));
    }

    /// The buyer hides the page.
    pub fn hide(&self) {
        self.happen(Event::Hidden);
    }

    /// The buyer shows the page again, as it was left.
    pub fn show(&self) {
        self.0.state.lock().unwrap().outside.left_for = None;
        self.happen(Event::Resumed);
    }

    /// WeChat's cashier closes with this reply.
    pub fn cashier_replies(&self, err_msg: &str, err_desc: Option<&str>) {
        self.0.state.lock().unwrap().outside.prepay_id = None;
        self.happen(Event::BridgeReplied(BridgeReply {
            err_msg: err_msg.to_owned(),
            err_desc: err_desc.map(str::to_owned),
        }));
    }

    /// Another tab sends a message.
    pub fn receive_from_peer(&self, rank: u64, message: PeerMessage) {
        self.happen(Event::FromPeer { rank, message });
    }

    /// Changes whenever something happened on the page.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.happened.subscribe()
    }

    /// The tasks of the requests under way.
    pub fn requests(&self) -> Vec<task::Id> {
        let state = self.0.state.lock().unwrap();
        state.requests.values().map(AbortHandle::id).collect()
    }

    /// When the machine must be woken next.
    pub fn wake_at_ms(&self) -> Option<u64> {
        let state = self.0.state.lock().unwrap();
        state.timer.as_ref().map(|timer| timer.at_ms)
    }

    /// Waits until `look` finds something, however long it takes.
    pub async fn until<T>(&self, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let mut changes = self.changes();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            changes.changed().await.expect("the page is open");
        }
    }

    fn happen(&self, event: Event) {
        self.0.happen(event);
    }
}

impl Drop for NativePage {
    fn drop(&mut self) {
        self.happen(Event::Destroyed);
        let mut state = self.0.state.lock().unwrap();
        state.stop_timer();
        let left = state.requests.len();
        assert!(
            left == 0 || std::thread::panicking(),
            "{left} requests are left of a page that has ended"
        );
    }
}

impl Running {
    /// Passes events to the machine and performs the effects that it returns, until it returns
    /// none.
    fn happen(self: &Arc<Self>, event: Event) {
        let mut state = self.state.lock().unwrap();
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let now_ms = self.clock.now_ms();
            for effect in state.machine.update(now_ms, event) {
                events.extend(self.perform(&mut state, effect));
            }
        }
        drop(state);
        self.happened.send_modify(|count| *count += 1);
    }

    /// Performs an effect. Returns the event that follows from it at once, if any.
    fn perform(self: &Arc<Self>, state: &mut State, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Send { id, request } => {
                state.requests.insert(id, self.send(id, &request));
            }
            Effect::Abort(id) => {
                if let Some(task) = state.requests.remove(&id) {
                    task.abort();
                }
            }
            Effect::WakeAt(at_ms) => {
                state.stop_timer();
                state.timer = at_ms.map(|at_ms| self.timer(at_ms));
            }
            Effect::AwaitBridge => {
                let injected = self.settings.browser.injected();
                return injected.bridge.then_some(Event::Injected(injected));
            }
            Effect::InvokeCashier(parameters) | Effect::InvokeSdk(parameters) => {
                let prepay_id = parameters.package.strip_prefix("prepay_id=");
                state.outside.prepay_id = prepay_id.map(str::to_owned);
            }
            Effect::Navigate(destination) => {
                state.outside.left_for = Some(destination);
                return Some(Event::Hidden);
            }
            Effect::Reload => {
                self.settings.storage.0.lock().unwrap().was_reloaded = true;
                state.outside.wants_reload = true;
            }
            Effect::NotifyPeers(message) => state.outside.sent_to_peers.push(message),
            // The address belongs to the page's settings, which the next page does not get.
            Effect::StripAddress => {}
            Effect::MarkDeparture(has_departed) => {
                self.settings.storage.0.lock().unwrap().has_departed = has_departed;
            }
            Effect::Emit(occurrence) => state.occurrences.push(occurrence),
        }
        None
    }

    fn timer(self: &Arc<Self>, at_ms: u64) -> Timer {
        let (running, sleep) = (self.clone(), self.clock.sleep_until(at_ms));
        let task = tokio::spawn(async move {
            sleep.await;
            let spent = {
                let mut state = running.state.lock().unwrap();
                // Another timer may have replaced this timer in the meantime.
                state.timer.take_if(|timer| timer.at_ms == at_ms)
            };
            if spent.is_some() {
                running.happen(Event::Woke);
            }
        });
        Timer {
            at_ms,
            task: task.abort_handle(),
        }
    }

    fn send(self: &Arc<Self>, id: RequestId, request: &Ask) -> AbortHandle {
        let running = self.clone();
        let response = self.backend.send(self.http_request(request));
        let task = tokio::spawn(async move {
            let outcome = read(response.await);
            let mut state = running.state.lock().unwrap();
            if state.requests.remove(&id).is_none() {
                // The page gave the request up at the moment when the answer came.
                return;
            }
            let event = match outcome {
                Ok(answer) => {
                    state.answer = Some(answer.clone());
                    let answer = Box::new(answer);
                    Event::Answered { id, answer }
                }
                Err(failure) => Event::Failed { id, failure },
            };
            drop(state);
            running.happen(event);
        });
        task.abort_handle()
    }

    fn http_request(&self, request: &Ask) -> Request<String> {
        let PageSettings { api, token, .. } = &self.settings;
        let checkout = format!("{api}/checkouts/{token}");
        let form = |route: &str, fields: Vec<(&'static str, String)>| {
            let body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            Request::post(format!("{checkout}/{route}"))
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body)
        };
        let built = match request {
            Ask::Read(query) => {
                Request::get(format!("{checkout}?{}", query.to_query())).body(String::new())
            }
            Ask::Start(attempt) => form("attempts", attempt.fields()),
            Ask::Cancel(cancel) => form("cancel", vec![("after", cancel.after.to_string())]),
        };
        let mut request = built.unwrap();
        let user_agent = self.settings.browser.user_agent().parse().unwrap();
        request.headers_mut().insert(USER_AGENT, user_agent);
        request.headers_mut().extend(self.settings.headers.clone());
        request
    }
}

impl State {
    fn stop_timer(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.task.abort();
        }
    }
}

fn options(settings: &PageSettings) -> Options {
    let opened_at = Url::parse(&settings.opened_at).unwrap();
    let parameter = |name: &str| {
        let mut pairs = opened_at.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let marks = *settings.storage.0.lock().unwrap();
    Options {
        auto_start: settings.auto_start,
        return_url: ReturnUrl::parse(&settings.url),
        payer: parameter(PAYER_PARAMETER),
        returned: marks.has_departed || parameter(RETURN_PARAMETER).is_some(),
        reloaded: marks.was_reloaded,
        ..Options::default()
    }
}

/// What an answer means to the machine, parsed as the widget's shell parses it.
fn read(response: Option<Response<Vec<u8>>>) -> Result<CheckoutAnswer, Failure> {
    let response = response.ok_or(Failure::Unreachable)?;
    let status = response.status();
    let retry_after_ms = retry_after_ms(response.headers());
    let json: Option<Value> = serde_json::from_slice(response.body()).ok();
    if status.is_success() {
        let json = json
            .ok_or_else(|| Failure::Malformed(Malformed::not("body", "must be a JSON object")))?;
        return CheckoutAnswer::read(&json).map_err(Failure::Malformed);
    }
    let refusal = json.and_then(|json| Some((ApiError::read(&json).ok()?, json)));
    Err(match refusal {
        Some((mut error, json)) => {
            error.retry_after_ms = error.retry_after_ms.or(retry_after_ms);
            let answer = CheckoutAnswer::read(&json).ok().map(Box::new);
            Failure::Refused { error, answer }
        }
        None => Failure::Status {
            status: status.as_u16(),
            retry_after_ms,
        },
    })
}

/// `Retry-After` in milliseconds, if it is a number of seconds.
fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(seconds * 1_000)
}
