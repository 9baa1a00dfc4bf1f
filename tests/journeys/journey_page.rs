//! The shop's page in a journey: the native page over the journey's servers, with no socket between
//! them, and time that passes for all of them alike.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use checkout::{Destination, Intent, Occurrence, Screen};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use merchant_server::Clock as _;
use payment_tests::buyer_browser::BuyerBrowser;
use payment_tests::in_process::{MERCHANT, SHOP};
use payment_tests::native_page::{Backend, Later, NativePage, PageClock, PageSettings, TabStorage};
use tower::ServiceExt as _;

use crate::clock::JourneyClock;
use crate::servers::JourneyServers;

/// Real time for work that no clock of ours moves (the ledger's file). It is a limit; the test does
/// not wait for so long.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct JourneyPage {
    pub(crate) servers: Arc<JourneyServers>,
    native: NativePage,
}

impl JourneyPage {
    /// Opens the shop's page for a token.
    pub(crate) async fn open(
        servers: &Arc<JourneyServers>,
        browser: BuyerBrowser,
        token: &str,
    ) -> Self {
        let settings = PageSettings {
            browser,
            storage: TabStorage::default(),
            api: format!("{MERCHANT}/v1"),
            token: token.to_owned(),
            url: format!("{SHOP}/pay"),
            opened_at: format!("{SHOP}/pay"),
            auto_start: false,
            headers: HeaderMap::from_iter([(http::header::ORIGIN, SHOP.parse().unwrap())]),
            seed: 11,
        };
        Self::load(servers, settings).await
    }

    async fn load(servers: &Arc<JourneyServers>, settings: PageSettings) -> Self {
        let clock = Arc::new(PageTime(servers.clock.clone()));
        let backend = Arc::new(InProcess(servers.merchant()));
        let page = Self {
            servers: servers.clone(),
            native: NativePage::open(settings, clock, backend),
        };
        page.settle().await;
        page
    }

    /// What the buyer sees.
    pub(crate) fn screen(&self) -> Screen {
        self.native.screen()
    }

    /// How often the page received `paid`.
    pub(crate) fn times_paid(&self) -> usize {
        self.native.times_paid()
    }

    /// The problems that the page received.
    pub(crate) fn problems(&self) -> Vec<Occurrence> {
        let mut occurrences = self.native.occurrences();
        occurrences.retain(|occurrence| matches!(occurrence, Occurrence::Problem(_)));
        occurrences
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
        let prepay_id = self.native.outside().prepay_id;
        prepay_id.expect("the cashier is open")
    }

    /// Whether the cashier is open over the page.
    pub(crate) fn has_cashier(&self) -> bool {
        self.native.outside().prepay_id.is_some()
    }

    /// The destination for which the page left; fails if the page did not leave.
    pub(crate) fn left_for(&self) -> Destination {
        self.native.outside().left_for.expect("the page has left")
    }

    /// The buyer clicks.
    pub(crate) async fn click(&mut self, intent: Intent) {
        self.native.click(intent);
        self.settle().await;
    }

    /// The buyer hides the page.
    pub(crate) async fn hide(&mut self) {
        self.native.hide();
        self.settle().await;
    }

    /// The buyer looks at the page again.
    pub(crate) async fn show(&mut self) {
        self.native.show();
        self.settle().await;
    }

    /// WeChat's cashier closes and reports this result to the page.
    pub(crate) async fn cashier_closes(&mut self, err_msg: &str) {
        self.cashier_says(err_msg, None).await;
    }

    /// The same with a message of WeChat.
    pub(crate) async fn cashier_says(&mut self, err_msg: &str, err_desc: Option<&str>) {
        self.native.cashier_replies(err_msg, err_desc);
        self.settle().await;
    }

    /// Time passes for page, server and WeChat alike, from one due moment to the next.
    pub(crate) async fn pass_ms(&mut self, by_ms: u64) {
        let clock = self.servers.clock.clone();
        let end_ms = clock.now_ms() + by_ms.cast_signed();
        loop {
            self.settle().await;
            let wake_ms = self.native.wake_at_ms().map(JourneyClock::moment_ms);
            let due_ms = [wake_ms, clock.next_ms(), self.servers.next_due_ms().await];
            let next_ms = due_ms.into_iter().flatten().min();
            let Some(next_ms) = next_ms.filter(|next_ms| *next_ms <= end_ms) else {
                break;
            };
            clock.move_to(next_ms);
            self.servers.run_due().await;
        }
        clock.move_to(end_ms);
        self.settle().await;
    }

    /// Waits for a screen while no time passes: for the result of work that has started already.
    pub(crate) async fn until(&mut self, screen: &str) {
        let is_there = |page: &NativePage| (page.screen().name() == screen).then_some(());
        let arrived = tokio::time::timeout(LIMIT, self.native.until(is_there)).await;
        assert!(
            arrived.is_ok(),
            "nothing more comes, and the screen is {:?}, not {screen}",
            self.screen()
        );
        self.settle().await;
    }

    /// The buyer left the page, and the same browser loads the shop's page again at an address.
    pub(crate) async fn comes_back_at(&self, address: &str) -> Self {
        self.comes_back_with(&self.native.settings().token, address)
            .await
    }

    /// The same with the token of another order on the page.
    pub(crate) async fn comes_back_with(&self, token: &str, address: &str) -> Self {
        let settings = PageSettings {
            token: token.to_owned(),
            opened_at: address.to_owned(),
            ..self.native.settings().clone()
        };
        Self::load(&self.servers, settings).await
    }

    /// Opens the same page in another window.
    pub(crate) async fn opened_again(&self) -> Self {
        let PageSettings { browser, token, .. } = self.native.settings();
        Self::open(&self.servers, *browser, token).await
    }

    /// WeChat closes the page before the page has received a reply of the cashier, and the buyer
    /// opens it again.
    pub(crate) async fn closed_and_opened_again(self, auto_start: bool) -> Self {
        let settings = PageSettings {
            storage: TabStorage::default(),
            opened_at: format!("{SHOP}/pay"),
            auto_start,
            ..self.native.settings().clone()
        };
        drop(self.native);
        Self::load(&self.servers, settings).await
    }

    /// Waits until the machine has been woken if it is time, and until every request under way is a
    /// held request.
    async fn settle(&self) {
        let clock = &self.servers.clock;
        let (mut held, mut changes) = (clock.arrivals(), self.native.changes());
        loop {
            held.borrow_and_update();
            changes.borrow_and_update();
            let wake_at_ms = self.native.wake_at_ms();
            let is_asleep = wake_at_ms.is_none_or(|at_ms| at_ms > clock.since_start_ms());
            let mut requests = self.native.requests().into_iter();
            if is_asleep && requests.all(|task| clock.holds(task)) {
                return;
            }
            let next = async {
                tokio::select! {
                    happened = changes.changed() => happened.unwrap(),
                    arrived = held.changed() => arrived.unwrap(),
                }
            };
            let next = tokio::time::timeout(LIMIT, next).await;
            next.expect("a request neither ends nor is held");
        }
    }
}

/// The journey's time, as a page counts it.
struct PageTime(JourneyClock);

impl PageClock for PageTime {
    fn now_ms(&self) -> u64 {
        self.0.since_start_ms()
    }

    fn sleep_until(&self, at_ms: u64) -> Later<()> {
        self.0.sleep_until(JourneyClock::moment_ms(at_ms))
    }
}

/// The merchant server of this process.
struct InProcess(Router);

impl Backend for InProcess {
    fn send(&self, request: Request<String>) -> Later<Option<Response<Vec<u8>>>> {
        let merchant = self.0.clone();
        Box::pin(async move {
            let response = merchant.oneshot(request.map(Body::from)).await.unwrap();
            let (head, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Some(Response::from_parts(head, body.to_vec()))
        })
    }
}
