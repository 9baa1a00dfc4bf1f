//! A device of a buyer with the order's page on it. The page is the native page: the element's own
//! machine decides what is shown and what is requested. The buyer presses what the page offers,
//! pays at WeChat, and returns.
//!
//! *The page's time.* Under libfaketime the servers' date runs fast, and their timers are the
//! machine's. A page's timers are the machine's too: its requests take their real time, and the
//! page gives them up when a real page would. A device that was put away has missed the time that
//! passed on the chaos run's clock. The time left in an answer of the server is the chaos run's time, and
//! the page reads it again from each answer.
//!
//! Some payments are not started by an element, but by an app, a till or a mini-program's own page:
//! `by_backend` and `mini_program` do this.

mod by_backend;
mod mini_program;
mod seen;
mod transport;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use by_backend::Scanned;
use checkout::{Destination, Intent, Occurrence, ProblemCode, Screen};
use http::HeaderMap;
use payment_tests::buyer_browser::BuyerBrowser;
use payment_tests::machine_time::MachineTime;
use payment_tests::native_page::{NativePage, Outside, PageSettings, TabStorage};
use tokio::time::timeout;
use url::Url;

use self::seen::Seen;
use self::transport::Transport;
use crate::chaos_run::{Body, ChaosRun};
use crate::plan::{OrderPlan, Product};
use crate::shop::RETURN_URL;
use crate::wechat::{self, Link, Visit};

/// How long a buyer waits for a way to pay. Under faults each of the machine's tries takes up to half
/// a minute.
const START_PATIENCE: Duration = Duration::from_secs(90);
/// How long a buyer waits for *paid*. A buyer's patience ends before the server's does.
const WATCH_PATIENCE: Duration = Duration::from_secs(40);
/// How long a buyer waits for an answer to one question.
const LOOK_PATIENCE: Duration = Duration::from_secs(10);
/// How often a buyer presses a button before giving up.
const CLICKS: usize = 12;
/// How often the redirect to WeChat for the openid is tried before the buyer returns to the page.
const REDIRECT_TRIES: u32 = 3;
/// How long a buyer looks at a page that does not change, before the buyer looks again.
const GLANCE: Duration = Duration::from_secs(2);

/// The result of starting an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Started {
    /// The link to pay by.
    Link(Link),
    /// The order is over: paid or closed.
    Over,
    /// The payment continues on another device.
    Superseded,
    /// The start was refused, with the code of the problem, or never answered.
    Refused(String),
}

/// One device of a buyer.
pub(crate) struct Device {
    chaos: Arc<ChaosRun>,
    plan: OrderPlan,
    token: String,
    name: &'static str,
    /// The device's buyer: an index into the lists of openids.
    buyer: usize,
    page: Option<NativePage>,
    clock: Arc<MachineTime>,
    /// When the buyer put the device away, by the chaos run's clock.
    put_away_at_ms: Option<i64>,
    /// The page said that the payment continues on another device.
    is_elsewhere: bool,
    seen: Arc<Seen>,
}

/// The buyer's reaction to what the page shows.
enum Step {
    End(Started),
    Click(Intent),
    /// Follow the page to WeChat, which says who the buyer is.
    OauthRedirect(String),
    /// Follow the page to a page of the mini-program.
    OpenMiniProgram(String),
    Wait,
}

impl Device {
    /// A device that has not opened the page yet.
    pub(crate) fn new(
        chaos: &Arc<ChaosRun>,
        plan: &OrderPlan,
        token: &str,
        name: &'static str,
        buyer: usize,
    ) -> Self {
        Self {
            chaos: chaos.clone(),
            plan: plan.clone(),
            token: token.to_owned(),
            name,
            buyer,
            page: None,
            clock: Arc::default(),
            put_away_at_ms: None,
            is_elsewhere: false,
            seen: Arc::default(),
        }
    }

    /// Starts an attempt, or continues the existing attempt.
    pub(crate) async fn start(&mut self, product: Product) -> Started {
        let browser = match product {
            Product::Native => BuyerBrowser::Desktop,
            Product::H5 => BuyerBrowser::Phone,
            Product::Jsapi => BuyerBrowser::Wechat,
            Product::MiniProgram => BuyerBrowser::MiniProgram,
            Product::App => return self.start_in_app().await,
        };
        self.take_up();
        let is_open = self.page.as_ref().map(|page| page.settings().browser) == Some(browser);
        if !is_open {
            self.open(browser);
        }
        let started = timeout(START_PATIENCE, self.follow_the_page()).await;
        let started = started.unwrap_or_else(|_| Started::Refused("no answer".to_owned()));
        self.note(format!("starts {}: {started:?}", product.as_str()));
        started
    }

    /// Presses what the page offers until the page has a link. Otherwise returns the reason.
    async fn follow_the_page(&mut self) -> Started {
        let mut clicks = 0;
        loop {
            let page = self.page.as_ref().unwrap();
            let mut changes = page.changes();
            match next_step(page.screen(), &page.outside()) {
                Step::End(Started::Superseded) if self.is_elsewhere => {
                    self.is_elsewhere = false;
                    page.click(Intent::TakeOver);
                }
                Step::End(started) => {
                    self.is_elsewhere = started == Started::Superseded;
                    return started;
                }
                Step::Click(_) if clicks == CLICKS => {
                    let problem = self.last_problem();
                    return Started::Refused(problem.unwrap_or("no answer").to_owned());
                }
                Step::Click(intent) => {
                    clicks += 1;
                    page.click(intent);
                }
                Step::OauthRedirect(authorize_url) => self.follow_oauth(&authorize_url).await,
                Step::OpenMiniProgram(path) => return self.start_in_mini_program(&path).await,
                Step::Wait => changes.changed().await.unwrap(),
            }
        }
    }

    /// A buyer is in the cashier, and returns to the page. `outcome` is success, cancel or fail.
    pub(crate) async fn visit(&mut self, link: &Link, outcome: &str) -> Visit {
        let visit = wechat::visit(&self.chaos, &self.plan, link, outcome).await;
        match link {
            Link::PrepayId(prepay_id) => self.cashier_closes(prepay_id, &visit, outcome),
            Link::H5Url(h5_url) => self.come_back_from(h5_url),
            Link::CodeUrl(_) | Link::Password(_) | Link::Late(_) => {}
        }
        visit
    }

    /// WeChat's cashier closes over the page. One time in five the page gets no reply.
    fn cashier_closes(&self, prepay_id: &str, visit: &Visit, outcome: &str) {
        let Some(page) = &self.page else {
            return;
        };
        let is_over_page = page.outside().prepay_id.as_deref() == Some(prepay_id);
        if !is_over_page || self.plan.seed.is_multiple_of(5) {
            return;
        }
        let (reply, sentence) = match visit {
            Visit::Paid(_) => ("ok", None),
            Visit::NotPaid => (outcome, None),
            Visit::Refused(code) if code == "ORDER_PAID" => ("fail", Some("该订单已支付")),
            Visit::Refused(_) => ("fail", None),
        };
        page.cashier_replies(&format!("get_brand_wcpay_request:{reply}"), sentence);
    }

    /// The buyer returns from WeChat's middle page: to the page as it was left, or to a page
    /// that is loaded again.
    fn come_back_from(&mut self, h5_url: &str) {
        let Some(page) = &self.page else {
            return;
        };
        if self.plan.seed.is_multiple_of(2) {
            page.show();
            return;
        }
        let h5_url = Url::parse(h5_url).unwrap();
        let mut pairs = h5_url.query_pairs();
        match pairs.find(|(name, _)| name == "redirect_url") {
            Some((_, address)) => self.load(BuyerBrowser::Phone, &address),
            None => self.report_wrong("h5_url has no return address"),
        }
    }

    /// Cancels the attempt that the device has seen.
    pub(crate) async fn cancel(&mut self) {
        let Some(page) = self.page.as_ref().filter(|page| is_payment_of(page)) else {
            return self.cancel_by_hand().await;
        };
        page.click(Intent::Cancel);
        let has_ended = |_: &NativePage| (!self.seen.is_cancelling()).then_some(());
        let ended = timeout(LOOK_PATIENCE, page.until(has_ended)).await;
        self.note(match ended {
            Ok(()) => "cancels",
            Err(_) => "cancels, and hears nothing",
        });
    }

    /// Looks at the page until the page has received an answer. `asks`: the buyer says that the
    /// order may be paid.
    pub(crate) async fn look(&mut self, asks: bool) {
        self.take_up();
        let before = self.seen.answers();
        if self.page.is_none() {
            // This page does not start a payment by itself.
            self.open(BuyerBrowser::Phone);
        }
        let page = self.page.as_ref().unwrap();
        if asks {
            page.click(match page.screen() {
                Screen::Returned { .. }
                | Screen::QrCode { .. }
                | Screen::QrExpired { .. }
                | Screen::Expired
                | Screen::Elsewhere => Intent::CheckPayment,
                _ => Intent::Resume,
            });
        }
        // An answer is recorded before the machine gets it: until then the page is still loading.
        let has_heard = |page: &NativePage| match page.screen() {
            Screen::Paid { .. } | Screen::Closed => Some(()),
            Screen::Loading { .. } => None,
            _ => (self.seen.answers() > before).then_some(()),
        };
        // Whether there was an answer or not, the buyer has looked.
        if timeout(LOOK_PATIENCE, page.until(has_heard)).await.is_err() {
            self.note("looks, and gets no answer");
        }
    }

    /// Waits until the page shows that the order is paid.
    pub(crate) async fn watch(&mut self) {
        self.take_up();
        if self.page.is_none() {
            self.open(BuyerBrowser::Phone);
        }
        let page = self.page.as_ref().unwrap();
        if page.outside().left_for.is_some() {
            page.show();
        }
        let watching = async {
            loop {
                let mut changes = page.changes();
                match page.screen() {
                    Screen::Paid { .. } => return "sees that it is paid",
                    Screen::Closed => return "sees that it is closed",
                    Screen::Returned {
                        is_asking: false, ..
                    } => page.click(Intent::CheckPayment),
                    _ => {}
                }
                // If a page shows the same for a while, the loop checks it again.
                let _ = timeout(GLANCE, changes.changed()).await;
            }
        };
        let watched = timeout(WATCH_PATIENCE, watching).await;
        self.note(watched.unwrap_or("stops watching"));
    }

    /// The buyer puts the device away. Until the buyer takes it up again, its time is the chaos run's.
    pub(crate) fn put_away(&mut self) {
        if let Some(page) = &self.page {
            page.hide();
        }
        self.put_away_at_ms = Some(self.chaos.clock.now_ms());
    }

    fn take_up(&mut self) {
        let Some(since_ms) = self.put_away_at_ms.take() else {
            return;
        };
        let passed_ms = self.chaos.clock.now_ms() - since_ms;
        self.clock.skip_ms(u64::try_from(passed_ms).unwrap());
        if let Some(page) = &self.page {
            page.show();
        }
    }

    fn open(&mut self, browser: BuyerBrowser) {
        self.close();
        self.load(browser, RETURN_URL);
    }

    /// Loads the page in place of the current page, within the same tab if there is one.
    fn load(&mut self, browser: BuyerBrowser, address: &str) {
        let storage = match &self.page {
            Some(page) => page.settings().storage.clone(),
            None => TabStorage::default(),
        };
        self.close();
        let forwarded = self.plan.address.parse().unwrap();
        let settings = PageSettings {
            browser,
            storage,
            api: format!("{}/v1", self.chaos.merchant(self.plan.mode).server),
            token: self.token.clone(),
            url: RETURN_URL.to_owned(),
            opened_at: address.to_owned(),
            auto_start: false,
            headers: HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), forwarded)]),
            seed: self.plan.seed,
        };
        let transport = Transport {
            chaos: self.chaos.clone(),
            plan: self.plan.clone(),
            device: self.name,
            seen: self.seen.clone(),
        };
        let page = NativePage::open(settings, self.clock.clone(), Arc::new(transport));
        self.page = Some(page);
    }

    /// Ends the page, and checks everything that the page received.
    fn close(&mut self) {
        let Some(page) = self.page.take() else {
            return;
        };
        let is_paid = matches!(page.screen(), Screen::Paid { .. });
        let mut times_paid = 0;
        for occurrence in page.occurrences() {
            match occurrence {
                Occurrence::Paid { total_fen, .. } => {
                    times_paid += 1;
                    if total_fen != self.plan.total_fen {
                        self.report_wrong(format!("the page says that {total_fen} fen were paid"));
                    }
                }
                Occurrence::Problem(problem)
                    if is_contract_broken(problem.code)
                        // The balancer's own answer: it found no server.
                        && problem.raw.as_deref() != Some("502") =>
                {
                    self.report_wrong(format!("the page has the problem {problem:?}"));
                }
                _ => {}
            }
        }
        if times_paid != usize::from(is_paid) {
            let screen = page.screen();
            self.report_wrong(format!(
                "paid was emitted {times_paid} times before {screen:?}"
            ));
        }
        if is_paid {
            let mut shown_paid = self.chaos.shown_paid.lock().unwrap();
            shown_paid.insert(self.plan.order_no.clone());
        }
    }

    /// Goes to WeChat and back, as the browser does: to a page that is loaded with the handle, or
    /// to the page that was left.
    async fn follow_oauth(&mut self, authorize_url: &str) {
        for tried in 0..REDIRECT_TRIES {
            if let Some(address) = self.follow_redirects(authorize_url).await {
                return self.load(BuyerBrowser::Wechat, &address);
            }
            tokio::time::sleep(pause(tried)).await;
        }
        self.page.as_ref().unwrap().show();
    }

    async fn follow_redirects(&self, authorize_url: &str) -> Option<String> {
        let mut at = authorize_url.split('#').next()?.to_owned();
        while !at.starts_with(RETURN_URL) {
            let answer = self.chaos.call("GET", &at, &[], Body::None).await.ok()?;
            answer.1.as_str()?.clone_into(&mut at);
        }
        Some(at)
    }

    fn last_problem(&self) -> Option<&'static str> {
        let occurrences = self.page.as_ref()?.occurrences();
        occurrences.iter().rev().find_map(|occurrence| {
            let Occurrence::Problem(problem) = occurrence else {
                return None;
            };
            Some(problem.code.as_str())
        })
    }

    /// What is on the page, by its name.
    pub(crate) fn screen_name(&self) -> Option<&'static str> {
        Some(self.page.as_ref()?.screen().name())
    }

    /// The number at WeChat of the attempt that the device has seen.
    pub(crate) fn out_trade_no(&self) -> String {
        self.seen.out_trade_no()
    }

    /// The buyer's number in WeChat's control interface.
    pub(crate) fn payer(&self) -> u8 {
        u8::try_from(self.buyer + 1).unwrap()
    }

    fn note(&self, what: impl std::fmt::Display) {
        self.chaos
            .note(&self.plan.order_no, format!("{}: {what}", self.name));
    }

    fn report_wrong(&self, what: impl std::fmt::Display) {
        self.chaos
            .report_wrong(&self.plan.order_no, format!("{}: {what}", self.name));
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.close();
    }
}

/// The next step of a buyer who wants to pay and sees this screen.
fn next_step(screen: Screen, outside: &Outside) -> Step {
    match screen {
        Screen::QrCode { code_url, .. } => Step::End(Started::Link(Link::CodeUrl(code_url))),
        Screen::Cashier { is_silent, .. } => match &outside.prepay_id {
            Some(id) => Step::End(Started::Link(Link::PrepayId(id.clone()))),
            None if is_silent => Step::Click(Intent::Start),
            None => Step::Wait,
        },
        Screen::Leaving { is_stuck, .. } => match &outside.left_for {
            Some(Destination::H5(url)) => {
                Step::End(Started::Link(Link::H5Url(url.as_str().to_owned())))
            }
            Some(Destination::Authorize(url)) => Step::OauthRedirect(url.as_str().to_owned()),
            Some(Destination::MiniProgram(path)) => Step::OpenMiniProgram(path.as_str().to_owned()),
            Some(Destination::Success(_)) | None if is_stuck => Step::Click(Intent::Start),
            Some(Destination::Success(_)) | None => Step::Wait,
        },
        Screen::Paid { .. } | Screen::Closed | Screen::Expired => Step::End(Started::Over),
        Screen::Elsewhere => Step::End(Started::Superseded),
        Screen::Offer { .. } => Step::Click(Intent::Start),
        Screen::QrExpired { .. } => Step::Click(Intent::Refresh),
        Screen::Returned {
            is_asking: false, ..
        } => Step::Click(Intent::ReportTrouble),
        Screen::Failed(problem) if problem.is_recoverable => Step::Click(Intent::Start),
        Screen::Failed(problem) => Step::End(Started::Refused(problem.code.as_str().to_owned())),
        Screen::Unavailable(reason) => Step::End(Started::Refused(format!("{reason:?}"))),
        Screen::Loading { .. }
        | Screen::Starting { .. }
        | Screen::QrChecking { .. }
        | Screen::Confirming
        | Screen::Returned { .. } => Step::Wait,
    }
}

/// The page has an attempt of its own, or waits for an attempt. An attempt of the mini-program's
/// page or of the app is not the element's to cancel.
fn is_payment_of(page: &NativePage) -> bool {
    let is_mini_program = page.settings().browser == BuyerBrowser::MiniProgram;
    !is_mini_program
        && matches!(
            page.screen(),
            Screen::QrCode { .. }
                | Screen::QrChecking { .. }
                | Screen::QrExpired { .. }
                | Screen::Cashier { .. }
                | Screen::Starting { .. }
                | Screen::Leaving { .. }
                | Screen::Returned { .. }
        )
}

/// Problems that a server which keeps the contract never causes.
const fn is_contract_broken(code: ProblemCode) -> bool {
    matches!(
        code,
        ProblemCode::AnswerMalformed
            | ProblemCode::ActionUnexpected
            | ProblemCode::CodeUrlRefused
            | ProblemCode::H5UrlRefused
            | ProblemCode::AuthorizeUrlRefused
            | ProblemCode::MiniProgramPathRefused
            | ProblemCode::RefusedUnknown
    )
}

/// The pause grows with each try, up to a second.
fn pause(tried: u32) -> Duration {
    Duration::from_millis(100 * u64::from(tried + 1)).min(Duration::from_secs(1))
}
