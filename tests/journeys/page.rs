//! A page of the shop, as the machine lives on it: performs the machine's effects against the
//! world and brings back what came of them, as the widget's shell does in a browser. It decides
//! nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use checkout::{
    BridgeReply, CheckoutMachine, Destination, Effect, Event, Facts, Failure, Injected, Intent,
    Occurrence, Options, Request as Ask, RequestId, ReturnUrl, Screen,
};
use http::Request;
use merchant_api::{ApiError, CheckoutAnswer, PAYER_PARAMETER, PayParameters, RETURN_PARAMETER};
use merchant_server::Clock as _;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tower::ServiceExt as _;
use url::Url;

use crate::clock::JourneyClock;
use crate::world::{MERCHANT, SHOP, World, json_of};

pub(crate) const DESKTOP: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
pub(crate) const PHONE: &str = "Mozilla/5.0 (Linux; Android 14; 22041211AC) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36";
pub(crate) const WECHAT_ON_A_PHONE: &str = "Mozilla/5.0 (Linux; Android 14; 22041211AC Build/UKQ1; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F50) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64";

/// Real time for work that no clock of ours moves (the ledger's file): a limit, never a wait.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Page {
    pub(crate) world: Arc<World>,
    user_agent: &'static str,
    token: String,
    machine: CheckoutMachine,
    wake_at_ms: Option<u64>,
    under_way: BTreeMap<RequestId, AbortHandle>,
    arrivals: mpsc::UnboundedReceiver<(RequestId, Event)>,
    outbox: mpsc::UnboundedSender<(RequestId, Event)>,
    /// The cashier, from the call until the buyer has closed it.
    cashier: Option<PayParameters>,
    /// Where the page went.
    left_for: Option<Destination>,
    /// The mark that the buyer left for h5_url; survives in the browser's storage.
    is_marked: bool,
    told: Vec<Occurrence>,
}

impl Page {
    /// Opens the shop's page for a token.
    pub(crate) async fn open(world: &Arc<World>, user_agent: &'static str, token: &str) -> Self {
        let address = format!("{SHOP}/pay");
        Self::load(world, user_agent, token, &address, Options::default()).await
    }

    /// Opens an address of the shop, as it stands after whatever hop.
    async fn load(
        world: &Arc<World>,
        user_agent: &'static str,
        token: &str,
        address: &str,
        wishes: Options,
    ) -> Self {
        let address = Url::parse(address).unwrap();
        let is_marked = wishes.returned;
        let parameter = |name: &str| {
            let mut pairs = address.query_pairs();
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let facts = Facts {
            user_agent: user_agent.to_owned(),
            touch_points: if user_agent == DESKTOP { 0 } else { 5 },
            page_is_loopback: true,
            ..Facts::default()
        };
        let options = Options {
            return_url: ReturnUrl::parse(&format!("{SHOP}/pay")),
            payer: parameter(PAYER_PARAMETER),
            returned: is_marked || parameter(RETURN_PARAMETER).is_some(),
            ..wishes
        };
        let (outbox, arrivals) = mpsc::unbounded_channel();
        let mut page = Self {
            world: world.clone(),
            user_agent,
            token: token.to_owned(),
            machine: CheckoutMachine::new(11, facts, options),
            wake_at_ms: None,
            under_way: BTreeMap::new(),
            arrivals,
            outbox,
            cashier: None,
            left_for: None,
            is_marked,
            told: Vec::new(),
        };
        page.happen(Event::Connected);
        page.settle().await;
        page
    }

    /// What the buyer sees.
    pub(crate) fn screen(&self) -> Screen {
        self.machine.view(self.world.clock.since_start_ms()).screen
    }

    /// How often the page was told `paid`.
    pub(crate) fn times_paid(&self) -> usize {
        let is_paid = |told: &&Occurrence| matches!(told, Occurrence::Paid { .. });
        self.told.iter().filter(is_paid).count()
    }

    /// The problems that the page was told.
    pub(crate) fn problems(&self) -> Vec<&Occurrence> {
        let is_problem = |told: &&Occurrence| matches!(told, Occurrence::Problem(_));
        self.told.iter().filter(is_problem).collect()
    }

    /// The code on the screen.
    pub(crate) fn code_url(&self) -> String {
        match self.screen() {
            Screen::QrCode { code_url, .. } => code_url,
            other => panic!("there is no code to scan, but {other:?}"),
        }
    }

    /// The prepay_id of the cashier that is open over the page.
    pub(crate) fn prepay_id(&self) -> String {
        let parameters = self.cashier.as_ref().expect("the cashier is open");
        let package = parameters.package.strip_prefix("prepay_id=");
        package.expect("a package of JSAPI").to_owned()
    }

    /// Where the page went, and that it went.
    pub(crate) fn left_for(&self) -> &Destination {
        self.left_for.as_ref().expect("the page has left")
    }

    /// The buyer clicks.
    pub(crate) async fn click(&mut self, intent: Intent) {
        self.happen(Event::Wanted(intent));
        self.settle().await;
    }

    /// The buyer looks elsewhere.
    pub(crate) async fn hide(&mut self) {
        self.happen(Event::Hidden);
        self.settle().await;
    }

    /// The buyer looks at the page again.
    pub(crate) async fn show(&mut self) {
        self.left_for = None;
        self.happen(Event::Resumed);
        self.settle().await;
    }

    /// WeChat's cashier goes away and says so to the page.
    pub(crate) async fn cashier_closes(&mut self, err_msg: &str) {
        self.cashier_says(err_msg, None).await;
    }

    /// The same with a sentence of WeChat's.
    pub(crate) async fn cashier_says(&mut self, err_msg: &str, err_desc: Option<&str>) {
        self.cashier = None;
        self.happen(Event::BridgeReplied(BridgeReply {
            err_msg: err_msg.to_owned(),
            err_desc: err_desc.map(str::to_owned),
        }));
        self.settle().await;
    }

    /// Time goes by for page, server and WeChat alike, from one due moment to the next.
    pub(crate) async fn pass_ms(&mut self, by_ms: u64) {
        let clock = self.world.clock.clone();
        let end_ms = clock.now_ms() + by_ms.cast_signed();
        loop {
            self.settle().await;
            let wake_ms = self.wake_at_ms.map(JourneyClock::moment_ms);
            let due_ms = [wake_ms, clock.next_ms(), self.world.next_due_ms().await];
            let next_ms = due_ms.into_iter().flatten().min();
            let Some(next_ms) = next_ms.filter(|next_ms| *next_ms <= end_ms) else {
                break;
            };
            clock.move_to(next_ms);
            self.world.run_due().await;
            if wake_ms.is_some_and(|wake_ms| wake_ms <= clock.now_ms()) {
                self.wake_at_ms = None;
                self.happen(Event::Woke);
            }
        }
        clock.move_to(end_ms);
        self.settle().await;
    }

    /// Waits for a screen without any time going by: for what was set off already.
    pub(crate) async fn until(&mut self, screen: &str) {
        while self.screen().name() != screen {
            let arrival = tokio::time::timeout(LIMIT, self.arrivals.recv()).await;
            let Ok(Some((id, event))) = arrival else {
                panic!(
                    "nothing more comes, and the screen is {:?}, not {screen}",
                    self.screen()
                );
            };
            self.arrive(id, event);
        }
        self.settle().await;
    }

    /// The page was left, and the same browser loads the shop's page anew at an address.
    pub(crate) async fn comes_back_at(&self, address: &str) -> Self {
        self.comes_back_with(&self.token, address).await
    }

    /// The same with the token of another order on the page.
    pub(crate) async fn comes_back_with(&self, token: &str, address: &str) -> Self {
        let wishes = Options {
            returned: self.is_marked,
            ..Options::default()
        };
        Self::load(&self.world, self.user_agent, token, address, wishes).await
    }

    /// The same page in another window.
    pub(crate) async fn opened_again(&self) -> Self {
        Self::open(&self.world, self.user_agent, &self.token).await
    }

    /// WeChat closes the page, before it has heard anything of the cashier, and the buyer opens it
    /// anew.
    pub(crate) async fn closed_and_opened_again(mut self, auto_start: bool) -> Self {
        self.happen(Event::Destroyed);
        assert!(self.under_way.is_empty(), "nothing is left of it");
        let wishes = Options {
            auto_start,
            ..Options::default()
        };
        let address = format!("{SHOP}/pay");
        Self::load(&self.world, self.user_agent, &self.token, &address, wishes).await
    }

    /// Whether the cashier is open over the page.
    pub(crate) const fn has_cashier(&self) -> bool {
        self.cashier.is_some()
    }

    /// Brings in all answers, until every request under way is one that is held.
    async fn settle(&mut self) {
        let mut held = self.world.clock.arrivals();
        loop {
            while let Ok((id, event)) = self.arrivals.try_recv() {
                self.arrive(id, event);
            }
            held.borrow_and_update();
            let clock = &self.world.clock;
            if self.under_way.values().all(|task| clock.holds(task.id())) {
                return;
            }
            let next = async {
                tokio::select! {
                    arrival = self.arrivals.recv() => arrival,
                    _ = held.changed() => None,
                }
            };
            let next = tokio::time::timeout(LIMIT, next).await;
            let next = next.expect("a request neither ends nor is held");
            if let Some((id, event)) = next {
                self.arrive(id, event);
            }
        }
    }

    fn arrive(&mut self, id: RequestId, event: Event) {
        // An aborted request brings nothing.
        if self.under_way.remove(&id).is_some() {
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        let now_ms = self.world.clock.since_start_ms();
        for effect in self.machine.update(now_ms, event) {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send { id, request } => self.send(id, &request),
            Effect::Abort(id) => {
                if let Some(task) = self.under_way.remove(&id) {
                    task.abort();
                }
            }
            Effect::WakeAt(at_ms) => self.wake_at_ms = at_ms,
            Effect::AwaitBridge => self.happen(Event::Injected(Injected {
                bridge: true,
                ..Injected::default()
            })),
            Effect::InvokeCashier(parameters) | Effect::InvokeSdk(parameters) => {
                self.cashier = Some(parameters);
            }
            Effect::Navigate(destination) => {
                self.left_for = Some(destination);
                self.happen(Event::Hidden);
            }
            Effect::StripAddress | Effect::Reload | Effect::TellPeers(_) => {}
            Effect::MarkDeparture(is_marked) => self.is_marked = is_marked,
            Effect::Emit(occurrence) => self.told.push(occurrence),
        }
    }

    fn send(&mut self, id: RequestId, request: &Ask) {
        let request = self.http_request(request);
        let (merchant, outbox) = (self.world.merchant(), self.outbox.clone());
        let task = tokio::spawn(async move {
            let (status, json) = json_of(merchant.oneshot(request).await.unwrap()).await;
            let event = if status.is_success() {
                answered(id, &json)
            } else {
                let failure = refused(status.as_u16(), &json);
                Event::Failed { id, failure }
            };
            outbox.send((id, event)).ok();
        });
        self.under_way.insert(id, task.abort_handle());
    }

    fn http_request(&self, request: &Ask) -> Request<Body> {
        let checkout = format!("{MERCHANT}/v1/checkouts/{}", self.token);
        let form = |route: &str, fields: Vec<(&'static str, String)>| {
            let body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            Request::post(format!("{checkout}/{route}"))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::from(body))
        };
        let built = match request {
            Ask::Read(query) => {
                Request::get(format!("{checkout}?{}", query.to_query())).body(Body::empty())
            }
            Ask::Start(attempt) => form("attempts", attempt.fields()),
            Ask::Cancel(cancel) => form("cancel", vec![("after", cancel.after.to_string())]),
        };
        let mut request = built.unwrap();
        let headers = request.headers_mut();
        headers.insert("origin", SHOP.parse().unwrap());
        headers.insert("user-agent", self.user_agent.parse().unwrap());
        request
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        for task in self.under_way.values() {
            task.abort();
        }
    }
}

fn answered(id: RequestId, json: &Value) -> Event {
    match CheckoutAnswer::read(json) {
        Ok(answer) => Event::Answered {
            id,
            answer: Box::new(answer),
        },
        Err(malformed) => Event::Failed {
            id,
            failure: Failure::Malformed(malformed),
        },
    }
}

fn refused(status: u16, json: &Value) -> Failure {
    match ApiError::read(json) {
        Ok(error) => Failure::Refused {
            error,
            answer: CheckoutAnswer::read(json).ok().map(Box::new),
        },
        Err(_) => Failure::Status {
            status,
            retry_after_ms: None,
        },
    }
}
