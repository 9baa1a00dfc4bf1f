//! A checkout page on one device, as the element behaves: it starts attempts, shows what it is
//! given, waits with a held poll, and never takes back what it said.

mod by_backend;

use std::time::Duration;

pub(crate) use by_backend::Scanned;
use serde_json::Value;
use url::Url;

use crate::plan::{OrderPlan, Product};
use crate::shop::RETURN_URL;
use crate::wechat::{self, Link};
use crate::world::{Body, World};

/// How often a page tries before its buyer gives up.
const TRIES: u32 = 60;
/// How long a poll is held, in seconds: short, for the storm's buyers are many.
const WAIT_S: u32 = 2;

/// What starting an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Started {
    /// The link to pay by.
    Link(Link),
    /// The order is over: paid or closed.
    Over,
    /// Somebody else has taken over.
    Superseded,
    /// Refused, with the contract's code, or never answered.
    Refused(String),
}

/// One page.
pub(crate) struct Page<'a> {
    world: &'a World,
    plan: &'a OrderPlan,
    token: &'a str,
    device: &'static str,
    /// Whose it is: a place in the lists of openids.
    buyer: usize,
    /// The attempt that it has seen.
    pub(crate) after: u64,
    /// The number of that attempt at WeChat.
    pub(crate) out_trade_no: String,
    version: u64,
    has_seen_paid: bool,
}

impl<'a> Page<'a> {
    /// A page that was opened a moment ago and has seen nothing yet.
    pub(crate) fn open(
        world: &'a World,
        plan: &'a OrderPlan,
        token: &'a str,
        device: &'static str,
        buyer: usize,
    ) -> Self {
        Self {
            world,
            plan,
            token,
            device,
            buyer,
            after: 0,
            out_trade_no: String::new(),
            version: 0,
            has_seen_paid: false,
        }
    }

    /// Starts an attempt, with the hop for the openid where it is asked for.
    pub(crate) async fn start(&mut self, product: Product) -> Started {
        if product == Product::App {
            return self.start_in_app().await;
        }
        let mut payer = None;
        for tried in 0..TRIES {
            let mut form = vec![
                ("product", product.word().to_owned()),
                ("after", self.after.to_string()),
                ("return_url", RETURN_URL.to_owned()),
            ];
            form.extend(payer.clone().map(|payer| ("payer", payer)));
            if product == Product::MiniProgram {
                // Good once, so each try logs in anew.
                let merchant = self.world.merchant(self.plan.mode);
                form.push((
                    "code",
                    wechat::log_in(self.world, merchant, self.payer()).await,
                ));
            }
            match self.post("attempts", &form).await {
                Ok((200, answer)) => {
                    if let Some(url) = answer["authorize_url"].as_str() {
                        payer = self.ask_wechat_who_pays(url).await;
                        continue;
                    }
                    if answer["state"] != "open" {
                        self.note(format!("starts {}: {}", product.word(), answer["state"]));
                        return Started::Over;
                    }
                    let link = link_of(&answer);
                    self.note(format!(
                        "starts {}: attempt {} {:?}",
                        product.word(),
                        self.after,
                        link
                    ));
                    return link.map_or_else(
                        || Started::Refused(format!("no action in {answer}")),
                        Started::Link,
                    );
                }
                Ok((409, answer)) if answer["error"]["code"] == "ATTEMPT_SUPERSEDED" => {
                    self.note(format!("starts {}: superseded", product.word()));
                    return Started::Superseded;
                }
                Ok((422, answer)) if answer["error"]["code"] == "PAYER_INVALID" => {
                    // Too old by now: the page asks once more.
                    payer = None;
                }
                Ok((status @ (502 | 503), answer)) => {
                    self.note(format!(
                        "starts {}: {status} {}",
                        product.word(),
                        code(&answer)
                    ));
                }
                Ok((status, answer)) => {
                    self.note(format!("starts {}: {status} {answer}", product.word()));
                    return Started::Refused(code(&answer).to_owned());
                }
                Err(()) => {}
            }
            tokio::time::sleep(pause(tried)).await;
        }
        self.note(format!("gives up starting {}", product.word()));
        Started::Refused("no answer".to_owned())
    }

    /// Cancels the attempt that it has seen.
    pub(crate) async fn cancel(&mut self) {
        for tried in 0..TRIES {
            let form = [("after", self.after.to_string())];
            match self.post("cancel", &form).await {
                Ok((502 | 503, _)) | Err(()) => tokio::time::sleep(pause(tried)).await,
                Ok((status, answer)) => {
                    return self.note(format!("cancels: {status} {}", code(&answer)));
                }
            }
        }
        self.note("gives up cancelling");
    }

    /// Looks once; gives the state, where there was an answer. `asks`: WeChat is to be asked.
    pub(crate) async fn look(&mut self, asks: bool) -> Option<String> {
        let url = format!(
            "{}?wait={WAIT_S}&seen={}{}",
            self.url(""),
            self.version,
            if asks { "&ask=1" } else { "" }
        );
        let (status, answer) = self.call("GET", &url, Body::None).await.ok()?;
        if status != 200 {
            self.accuse(format!("looking was answered {status} {answer}"));
            return None;
        }
        answer["state"].as_str().map(str::to_owned)
    }

    /// Waits for the money that was paid. A buyer's patience ends before the server's does.
    pub(crate) async fn watch(&mut self) {
        for round in 0..20 {
            if let Some(state) = self.look(round % 2 == 1).await
                && state == "paid"
            {
                return self.note("sees that it is paid");
            }
        }
        self.note("stops watching");
    }

    /// Out to WeChat and back, as the browser goes; gives the handle that came back.
    async fn ask_wechat_who_pays(&self, authorize_url: &str) -> Option<String> {
        let bare = authorize_url.split('#').next()?;
        let (_, callback) = self.world.call("GET", bare, &[], Body::None).await.ok()?;
        let callback = callback.as_str()?;
        let answer = self
            .world
            .call("GET", callback, &[], Body::None)
            .await
            .ok()?;
        let back = Url::parse(answer.1.as_str()?).ok()?;
        let handle = back
            .query_pairs()
            .find(|(name, _)| name == "wechat_pay_payer");
        handle.map(|(_, handle)| handle.into_owned())
    }

    async fn post(&mut self, what: &str, form: &[(&str, String)]) -> Result<(u16, Value), ()> {
        let url = self.url(&format!("/{what}"));
        self.call("POST", &url, Body::Form(form)).await
    }

    /// One call; what every answer must keep is looked at here.
    async fn call(&mut self, method: &str, url: &str, body: Body<'_>) -> Result<(u16, Value), ()> {
        let address = [("x-forwarded-for", &*self.plan.address)];
        let call = async || self.world.call(method, url, &address, body).await;
        let (mut status, mut answer) = call().await.map_err(|_| ())?;
        // Buyers share 254 addresses; a page that is told to wait does, and asks again.
        for _ in 0..TRIES {
            if status != 429 {
                break;
            }
            let wait_ms = answer["error"]["retry_after_ms"].as_u64().unwrap_or(0);
            let wait = Duration::from_millis(wait_ms.max(10));
            self.world.clock.sleep(wait).await;
            (status, answer) = call().await.map_err(|_| ())?;
        }
        if !matches!(status, 200 | 409 | 410 | 422 | 502 | 503) {
            self.accuse(format!("{method} was answered {status} {answer}"));
        }
        if answer["state"].is_string() {
            self.learn(&answer);
        }
        Ok((status, answer))
    }

    fn learn(&mut self, answer: &Value) {
        let version = answer["version"].as_u64().unwrap_or(0);
        if version < self.version {
            self.accuse(format!("version {version} came after {}", self.version));
        }
        if self.has_seen_paid && answer["state"] != "paid" {
            self.accuse(format!("it was paid and is {} now", answer["state"]));
        }
        self.has_seen_paid |= answer["state"] == "paid";
        if answer["total_fen"] != self.plan.total_fen {
            self.accuse(format!("the page shows {} fen", answer["total_fen"]));
        }
        self.version = version;
        self.after = answer["attempt"].as_u64().unwrap_or(0);
        if let Some(out_trade_no) = answer["out_trade_no"].as_str() {
            out_trade_no.clone_into(&mut self.out_trade_no);
        }
    }

    fn url(&self, tail: &str) -> String {
        let server = &self.world.merchant(self.plan.mode).server;
        format!("{server}/v1/checkouts/{}{tail}", self.token)
    }

    /// The buyer as WeChat's control interface counts them.
    pub(crate) fn payer(&self) -> u8 {
        u8::try_from(self.buyer + 1).unwrap()
    }

    fn note(&self, what: impl std::fmt::Display) {
        self.world
            .note(&self.plan.order_no, format!("{}: {what}", self.device));
    }

    fn accuse(&self, what: impl std::fmt::Display) {
        self.world
            .accuse(&self.plan.order_no, format!("{}: {what}", self.device));
    }
}

fn link_of(answer: &Value) -> Option<Link> {
    let text = |field: &str| answer[field].as_str().map(str::to_owned);
    let package = ["jsapi", "mini_program"]
        .iter()
        .find_map(|product| answer[*product]["package"].as_str());
    text("code_url")
        .map(Link::CodeUrl)
        .or_else(|| text("h5_url").map(Link::H5Url))
        .or_else(|| {
            Some(Link::PrepayId(
                package?.strip_prefix("prepay_id=")?.to_owned(),
            ))
        })
}

/// A little longer each time, up to a second.
fn pause(tried: u32) -> Duration {
    Duration::from_millis(100 * u64::from(tried + 1)).min(Duration::from_secs(1))
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("ok")
}
