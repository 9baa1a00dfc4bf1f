//! What all buyers, the shop and the faults share: the clock, the HTTP client, the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Request, Response};
use payment_tests::http_backend::send_over_http;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::clock::ChaosClock;
use crate::journal::Journal;
use crate::merchant::Merchant;
use crate::plan::Mode;
use crate::sharing::AskedShare;

/// No answer of the merchant server takes longer: a poll is held for 25 seconds at most. An attempt
/// makes at most three calls of ten seconds to WeChat, and may wait for the calls of another
/// attempt.
const PATIENCE: Duration = Duration::from_secs(100);

/// The running chaos.
pub(crate) struct ChaosRun {
    pub(crate) clock: ChaosClock,
    pub(crate) journal: Journal,
    /// WeChat's address.
    pub(crate) wechat: String,
    /// The merchants, by mode.
    merchants: BTreeMap<Mode, Merchant>,
    /// The refunds that the shop requested, by their number.
    pub(crate) refunds: Mutex<BTreeMap<String, AskedRefund>>,
    /// The shares, releases and returns that the shop requested, by their number.
    pub(crate) shares: Mutex<BTreeMap<String, AskedShare>>,
    /// The modes whose shop has added its receivers. The lock is held while they are added.
    pub(crate) receivers: tokio::sync::Mutex<BTreeSet<Mode>>,
    /// The payments that WeChat confirmed to buyers: `transaction_id` and order number.
    pub(crate) paid: Mutex<BTreeMap<String, String>>,
    /// Orders of which a page has said that they are paid.
    pub(crate) shown_paid: Mutex<BTreeSet<String>>,
    /// The tokens of the orders' pages, by the merchant's number.
    tokens: Mutex<BTreeMap<String, String>>,
    /// The number of orders that have begun.
    pub(crate) begun: AtomicU64,
    http: reqwest::Client,
    /// Limits how many calls are under way at once, to the configured number of buyers.
    calls: Semaphore,
}

/// A refund that the shop requested.
#[derive(Clone, Debug)]
pub(crate) struct AskedRefund {
    pub(crate) order_no: String,
    /// Whether the server accepted it.
    pub(crate) is_accepted: bool,
}

/// An answer, or none because no server listened or the connection broke.
pub(crate) type Answer = Result<(u16, Value), NoAnswer>;

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) struct NoAnswer(pub(crate) String);

/// The body of a request.
#[derive(Clone, Copy)]
pub(crate) enum Body<'a> {
    None,
    Json(&'a Value),
    Form(&'a [(&'a str, String)]),
}

impl ChaosRun {
    pub(crate) fn new(
        clock: ChaosClock,
        wechat: String,
        merchants: BTreeMap<Mode, Merchant>,
        calls: usize,
    ) -> Self {
        Self {
            clock,
            journal: Journal::default(),
            wechat,
            merchants,
            refunds: Mutex::default(),
            shares: Mutex::default(),
            receivers: tokio::sync::Mutex::default(),
            paid: Mutex::default(),
            shown_paid: Mutex::default(),
            tokens: Mutex::default(),
            begun: AtomicU64::new(0),
            http: http_client(),
            calls: Semaphore::new(calls),
        }
    }

    /// The merchant of a mode.
    pub(crate) fn merchant(&self, mode: Mode) -> &Merchant {
        &self.merchants[&mode]
    }

    /// Keeps the token of an order's page.
    pub(crate) fn keep_token(&self, order_no: &str, token: &str) {
        let mut tokens = self.tokens.lock().unwrap();
        tokens.insert(order_no.to_owned(), token.to_owned());
    }

    /// The token of an order's page.
    pub(crate) fn token(&self, order_no: &str) -> Option<String> {
        self.tokens.lock().unwrap().get(order_no).cloned()
    }

    /// Records an event of an order.
    pub(crate) fn note(&self, order_no: &str, what: impl Into<String>) {
        self.journal.note(self.clock.now_ms(), order_no, what);
    }

    /// Reports a fault of an order.
    pub(crate) fn report_wrong(&self, order_no: &str, what: impl Into<String>) {
        self.journal
            .report_wrong(self.clock.now_ms(), order_no, what);
    }

    pub(crate) fn begun(&self) -> usize {
        usize::try_from(self.begun.load(Ordering::Relaxed)).unwrap()
    }

    /// One call. `headers` are added to the content type.
    pub(crate) async fn call(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Body<'_>,
    ) -> Answer {
        let _turn = self.calls.acquire().await.unwrap();
        send(&self.http, method, url, headers, body).await
    }

    /// A request of a page; `None` if no answer came. A poll that the server holds until something
    /// changes causes no work for the server, and is not counted among the calls under way.
    pub(crate) async fn send(&self, request: Request<String>) -> Option<Response<Vec<u8>>> {
        let query = request.uri().query().unwrap_or_default();
        let is_held = query.split('&').any(|pair| pair.starts_with("wait="));
        let _turn = if is_held {
            None
        } else {
            Some(self.calls.acquire().await.unwrap())
        };
        send_over_http(&self.http, request).await.ok()
    }
}

/// A client that follows no redirect and uses no proxy.
pub(crate) fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

/// One call. The answer's body is JSON, or a text if it is not JSON; for a redirect it is the
/// target.
pub(crate) async fn send(
    http: &reqwest::Client,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Body<'_>,
) -> Answer {
    let mut request = http.request(method.parse().unwrap(), url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request = match body {
        Body::None => request,
        Body::Json(json) => request
            .header("content-type", "application/json")
            .body(json.to_string()),
        Body::Form(fields) => request.form(fields),
    };
    let no_answer = |error: reqwest::Error| NoAnswer(error.without_url().to_string());
    let response = request.send().await.map_err(no_answer)?;
    let status = response.status();
    if status.is_redirection() {
        let target = response.headers().get("location");
        let target = target.and_then(|target| target.to_str().ok());
        return Ok((status.as_u16(), Value::from(target.unwrap_or_default())));
    }
    let text = response.text().await.map_err(no_answer)?;
    match serde_json::from_str(&text) {
        Ok(json) => Ok((status.as_u16(), json)),
        // A page of the balancer's: no server answered.
        Err(_) if matches!(status.as_u16(), 502 | 504) => Err(NoAnswer(text)),
        Err(_) => Ok((status.as_u16(), Value::String(text))),
    }
}
