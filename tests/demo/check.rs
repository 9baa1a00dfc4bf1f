//! `cargo xtask demo --check`: pays once in each scene. The element's own machine is the page
//! (`native_page`), and the simulator's control interface is the buyer in WeChat. Only the merchant
//! server's answer decides what is paid.

use std::sync::Arc;
use std::time::{Duration, Instant};

use checkout::{Destination, Intent, Screen};
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, ORIGIN, REFERER, USER_AGENT};
use http::{HeaderMap, Request, Response};
use payment_tests::buyer_browser::BuyerBrowser;
use payment_tests::http_backend::{HttpBackend, send_over_http};
use payment_tests::machine_time::MachineTime;
use payment_tests::native_page::{NativePage, PageSettings, TabStorage};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::servers::Demo;

/// How long a page may take until it shows something. A poll is held for 25 s at most.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many redirects the way to WeChat for the openid may take: to WeChat, to the simulator, back,
/// to the page.
const REDIRECTS_MAX: usize = 6;

/// A scene of the contract: its product, and the browser for which the server decides on it.
const SCENES: [(&str, BuyerBrowser); 3] = [
    ("native", BuyerBrowser::Desktop),
    ("h5", BuyerBrowser::Phone),
    ("jsapi", BuyerBrowser::Wechat),
];

/// Pays in each scene, and returns whether all were paid. Prints a row for each scene (scene, number
/// at WeChat, milliseconds, last screen) and a line with the counts.
pub(crate) async fn pay_in_every_scene(demo: &Demo) -> bool {
    let check = Check {
        demo,
        http: reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .unwrap(),
        clock: Arc::default(),
    };
    let mut paid = 0;
    for (scene, browser) in SCENES {
        let began = Instant::now();
        let mut row = Row::default();
        let done = check.buy(scene, browser, &mut row).await;
        let took_ms = began.elapsed().as_millis();
        let Row {
            out_trade_no,
            screen,
        } = &row;
        println!("{scene}\t{out_trade_no}\t{took_ms}\t{screen}");
        match done {
            Ok(()) => paid += 1,
            Err(failure) => eprintln!("{scene}: {failure}"),
        }
    }
    let failed = SCENES.len() - paid;
    println!("{paid} passed, {failed} failed");
    failed == 0
}

struct Check<'a> {
    demo: &'a Demo,
    http: reqwest::Client,
    clock: Arc<MachineTime>,
}

/// What the check knows of an order so far.
struct Row {
    out_trade_no: String,
    screen: &'static str,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            out_trade_no: "-".to_owned(),
            screen: "not ordered",
        }
    }
}

impl Row {
    fn of(page: &NativePage) -> Self {
        let attempt = page.answer().and_then(|answer| answer.attempt);
        Self {
            out_trade_no: attempt
                .and_then(|attempt| attempt.out_trade_no)
                .unwrap_or_else(|| "-".to_owned()),
            screen: page.screen().name(),
        }
    }
}

impl Check<'_> {
    /// Orders, opens the page, pays by the way that the page shows, and waits for *paid*.
    async fn buy(&self, scene: &str, browser: BuyerBrowser, row: &mut Row) -> Result<(), String> {
        let token = self.order(scene).await?;
        let mut page = self.open(browser, &token);
        let paid = self.pay(&mut page).await;
        *row = Row::of(&page);
        paid?;
        until(&page, "it is paid", |screen| {
            matches!(screen, Screen::Paid { .. })
        })
        .await?;
        *row = Row::of(&page);
        Ok(())
    }

    /// The shop's backend creates the order. Returns the page's token.
    async fn order(&self, scene: &str) -> Result<String, String> {
        let order = json!({
            "order_no": format!("check-{scene}-{:012x}", fastrand::u64(..1 << 48)),
            "total_fen": 100,
            "description": "demo --check",
        });
        let request = Request::post(format!("{}/v1/orders", self.demo.merchant))
            .header(AUTHORIZATION, format!("Bearer {}", self.demo.api_key))
            .header(CONTENT_TYPE, "application/json")
            .body(order.to_string());
        let created = json_of(&self.send(request.unwrap()).await?)?;
        let token = created["token"].as_str();
        token
            .map(str::to_owned)
            .ok_or(format!("no token: {created}"))
    }

    fn open(&self, browser: BuyerBrowser, token: &str) -> NativePage {
        let url = format!("{}/pay/check", self.origin_of(browser));
        let origin = self.origin_of(browser).parse().unwrap();
        self.load(PageSettings {
            browser,
            storage: TabStorage::default(),
            api: format!("{}/v1", self.demo.merchant),
            token: token.to_owned(),
            opened_at: url.clone(),
            url,
            auto_start: false,
            headers: HeaderMap::from_iter([(ORIGIN, origin)]),
            seed: fastrand::u64(..),
        })
    }

    fn load(&self, settings: PageSettings) -> NativePage {
        let backend = Arc::new(HttpBackend(self.http.clone()));
        NativePage::open(settings, self.clock.clone(), backend)
    }

    /// The origin that the buyer sees the shop under.
    fn origin_of(&self, browser: BuyerBrowser) -> &str {
        match browser {
            BuyerBrowser::Wechat | BuyerBrowser::MiniProgram => &self.demo.wechat_browser,
            BuyerBrowser::Desktop | BuyerBrowser::Phone => &self.demo.shop,
        }
    }

    /// Follows the page until it shows a way to pay, and pays by it.
    async fn pay(&self, page: &mut NativePage) -> Result<(), String> {
        loop {
            let screen = until(page, "there is a way to pay", is_for_the_buyer).await?;
            let outside = page.outside();
            match (screen, outside.left_for, outside.prepay_id) {
                (Screen::Offer { .. }, ..) => page.click(Intent::Start),
                (Screen::QrCode { code_url, .. }, ..) => {
                    return self.buyer_pays("code_url", &code_url).await;
                }
                (_, Some(Destination::H5(h5_url)), _) => {
                    self.open_middle_page(page, h5_url.as_str()).await?;
                    self.buyer_pays("h5_url", h5_url.as_str()).await?;
                    page.show();
                    return Ok(());
                }
                (_, Some(Destination::Authorize(url)), _) => {
                    let opened_at = self.follow_oauth(page, url.as_str()).await?;
                    *page = self.load(PageSettings {
                        opened_at,
                        ..page.settings().clone()
                    });
                }
                (Screen::Cashier { .. }, _, Some(prepay_id)) => {
                    self.buyer_pays("prepay_id", &prepay_id).await?;
                    page.cashier_replies("get_brand_wcpay_request:ok", None);
                    return Ok(());
                }
                (screen, ..) => return Err(format!("the page shows {screen:?}")),
            }
        }
    }

    /// A phone's browser goes to WeChat's middle page, which checks the page that it comes from.
    async fn open_middle_page(&self, page: &NativePage, h5_url: &str) -> Result<(), String> {
        let settings = page.settings();
        let request = Request::get(h5_url)
            .header(REFERER, format!("{}/", self.origin_of(settings.browser)))
            .header(USER_AGENT, settings.browser.user_agent());
        let response = self.send(request.body(String::new()).unwrap()).await?;
        let status = response.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(format!("WeChat's middle page answered {status}"))
        }
    }

    /// Follows redirects as WeChat's browser does, up to the shop's own page. Returns its address.
    async fn follow_oauth(&self, page: &NativePage, authorize_url: &str) -> Result<String, String> {
        let settings = page.settings();
        let mut at = authorize_url.to_owned();
        for _ in 0..REDIRECTS_MAX {
            let bare = at.split('#').next().unwrap_or_default();
            let request = Request::get(bare).header(USER_AGENT, settings.browser.user_agent());
            let response = self.send(request.body(String::new()).unwrap()).await?;
            let location = response.headers().get(LOCATION);
            let location = location.and_then(|location| location.to_str().ok());
            let Some(location) = location else {
                let place = bare.split('?').next().unwrap_or_default();
                let status = response.status();
                return Err(format!("{place} answered {status}, which leads nowhere"));
            };
            location.clone_into(&mut at);
            if at.starts_with(&settings.url) {
                return Ok(at);
            }
        }
        Err(format!(
            "the redirect for the openid takes more than {REDIRECTS_MAX} redirects"
        ))
    }

    /// The buyer pays in WeChat: `link` is a `code_url`, an `h5_url` or a `prepay_id`.
    async fn buyer_pays(&self, what: &str, link: &str) -> Result<(), String> {
        let body = json!({ what: link, "outcome": "success" }).to_string();
        let url = format!("{}/_simulator/pay", self.demo.simulator);
        let paid = json_of(&self.send(Request::post(url).body(body).unwrap()).await?)?;
        match paid["trade_state"].as_str() {
            Some("SUCCESS") => Ok(()),
            _ => Err(format!("after a payment the simulator says {paid}")),
        }
    }

    async fn send(&self, request: Request<String>) -> Result<Response<Vec<u8>>, String> {
        send_over_http(&self.http, request)
            .await
            .map_err(|error| error.without_url().to_string())
    }
}

/// Whether the page waits for the buyer, and not for a server.
const fn is_for_the_buyer(screen: &Screen) -> bool {
    !matches!(
        screen,
        Screen::Loading { .. } | Screen::Starting { .. } | Screen::Confirming
    )
}

async fn until(
    page: &NativePage,
    what: &str,
    is_so: impl Fn(&Screen) -> bool,
) -> Result<Screen, String> {
    let found = page.until(|page| Some(page.screen()).filter(&is_so));
    timeout(PATIENCE, found).await.map_err(|_| {
        let seconds = PATIENCE.as_secs();
        format!(
            "waited {seconds} s until {what}, and the page shows {:?}",
            page.screen()
        )
    })
}

fn json_of(response: &Response<Vec<u8>>) -> Result<Value, String> {
    let (status, body) = (response.status(), response.body());
    let text = String::from_utf8_lossy(body);
    if !status.is_success() {
        return Err(format!("a server answered {status}: {text}"));
    }
    serde_json::from_slice(body).map_err(|_| format!("a server answered without JSON: {text}"))
}
