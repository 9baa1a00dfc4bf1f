//! One visitor with one browser: opens pages, looks, clicks. Clicks go through WebDriver, so they
//! are the gestures that browsers require; no script triggers what a buyer could not do.

use std::panic::{AssertUnwindSafe, Location, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::wd::{WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, Locator};
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::buyer_browser::{DESKTOP, PHONE};
use crate::wait::until_at;
use crate::webdriver::{Engine, chromium};
use kept::Session;

mod kept;

/// How long a browser may take to report what it showed, and to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a scenario may take. Without a limit, a scenario whose browser does not answer any more
/// would never end.
const SCENARIO_TIMEOUT: Duration = Duration::from_mins(10);

/// How many browsers run at the same time: they are heavy for the two cores of a common machine.
static BROWSERS: Semaphore = Semaphore::const_new(2);

/// The Tab key, as WebDriver names it.
const TAB: char = '\u{E004}';

/// The User-Agent of an iPhone, whose browsers are all WebKit.
const IPHONE_USER_AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/// The visitor's device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visitor {
    /// A mouse, a large screen, a plain desktop browser.
    Desktop,
    /// A desktop browser in a window of 320 px: the narrowest that a page has to fit.
    SmallDesktop,
    /// A small touch screen with the phone's own browser.
    Phone,
    /// The desktop with scripts switched off.
    DesktopWithoutScript,
    /// The phone with scripts switched off.
    PhoneWithoutScript,
}

/// Runs a scenario with a browser that has no trace of another scenario, and closes or keeps it when the
/// scenario ends. When it fails, what was on the page and in the console comes first.
pub async fn visit(visitor: Visitor, scenario: impl AsyncFnOnce(&Browser)) {
    visit_in(Engine::Chromium, visitor, scenario).await;
}

/// The same in another browser; skipped if the browser is not installed.
pub async fn visit_in(engine: Engine, visitor: Visitor, scenario: impl AsyncFnOnce(&Browser)) {
    if !engine.is_possible() {
        return;
    }
    let _place = BROWSERS.acquire().await.unwrap();
    let browser = Browser::start(engine, visitor).await;
    let outcome = AssertUnwindSafe(bounded(scenario(&browser)))
        .catch_unwind()
        .await;
    end(outcome, [browser]).await;
}

/// The same with two visitors at the same time: one at the desk, one with the phone in hand.
pub async fn visit_together(
    first: Visitor,
    second: Visitor,
    scenario: impl AsyncFnOnce(&Browser, &Browser),
) {
    visit_together_in(Engine::Chromium, first, second, scenario).await;
}

/// The same with the first visitor in this browser; skipped if it is not installed. The second visitor has
/// Chromium.
pub async fn visit_together_in(
    engine: Engine,
    first: Visitor,
    second: Visitor,
    scenario: impl AsyncFnOnce(&Browser, &Browser),
) {
    if !engine.is_possible() {
        return;
    }
    // Both places are taken at once: two scenarios that hold one place each would wait forever.
    let _places = BROWSERS.acquire_many(2).await.unwrap();
    let first = Browser::start(engine, first).await;
    let second = Browser::start(Engine::Chromium, second).await;
    let scenario = AssertUnwindSafe(bounded(scenario(&first, &second)));
    let outcome = scenario.catch_unwind().await;
    end(outcome, [first, second]).await;
}

async fn bounded(scenario: impl Future<Output = ()>) {
    let ended = timeout(SCENARIO_TIMEOUT, scenario).await;
    ended.expect("a scenario ends");
}

async fn end<const N: usize>(outcome: std::thread::Result<()>, browsers: [Browser; N]) {
    for browser in browsers {
        let is_failure = outcome.is_err();
        let farewell = async {
            if is_failure {
                browser.report().await;
            }
            browser.session.end(is_failure).await;
        };
        // WebKit's driver may never answer, for example to a screenshot; its process ends with
        // ours.
        if timeout(CLOSE_TIMEOUT, farewell).await.is_err() {
            println!("-- the browser does not answer any more");
        }
    }
    if let Err(panic) = outcome {
        if let Some(name) = test_name() {
            println!("-- once more: cargo xtask test --only browser {name}");
        }
        resume_unwind(panic);
    }
}

/// What a driver is asked for, for this visitor.
///
/// # Panics
/// If the engine has no such visitor.
pub fn capabilities(engine: Engine, visitor: Visitor) -> serde_json::Map<String, Value> {
    // Outside Chromium no device can be emulated: only the User-Agent makes a browser a phone.
    let capabilities = match (engine, visitor) {
        (Engine::Chromium, visitor) => of_chromium(visitor),
        (Engine::Firefox, Visitor::Phone) => engine.capabilities(Some(PHONE)),
        (Engine::Firefox, Visitor::PhoneWithoutScript) => without_script(Some(PHONE)),
        (Engine::Firefox, Visitor::DesktopWithoutScript) => without_script(None),
        (Engine::WebKit, Visitor::Phone) => engine.capabilities(Some(IPHONE_USER_AGENT)),
        (engine, Visitor::Desktop) => engine.capabilities(None),
        (engine, visitor) => panic!("{engine:?} has no {visitor:?}"),
    };
    let Value::Object(capabilities) = capabilities else {
        unreachable!("each is written as an object")
    };
    capabilities
}

/// Firefox; scripts that WebDriver itself runs in the page still work.
fn without_script(user_agent: Option<&str>) -> Value {
    let mut capabilities = Engine::Firefox.capabilities(user_agent);
    capabilities["moz:firefoxOptions"]["prefs"]["javascript.enabled"] = json!(false);
    capabilities
}

fn of_chromium(visitor: Visitor) -> Value {
    let mut options = json!({
        "binary": chromium(),
        "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-dev-shm-usage", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--window-size=1280,1000",
            format!("--user-agent={DESKTOP}"),
        ],
    });
    match visitor {
        Visitor::Desktop | Visitor::DesktopWithoutScript | Visitor::PhoneWithoutScript => {}
        Visitor::SmallDesktop => {
            options["mobileEmulation"] = json!({
                "deviceMetrics": {"width": 320, "height": 640, "pixelRatio": 1.0, "touch": false},
                "userAgent": DESKTOP,
            });
        }
        Visitor::Phone => {
            options["mobileEmulation"] = json!({
                "deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2.0, "touch": true},
                "userAgent": PHONE,
            });
        }
    }
    if visitor == Visitor::PhoneWithoutScript {
        // Only the User-Agent is set: an emulated touch screen taps by script, and such a tap never
        // returns here.
        let arguments = options["args"].as_array_mut().into_iter().flatten();
        for argument in arguments {
            if argument
                .as_str()
                .is_some_and(|text| text.starts_with("--user-agent="))
            {
                *argument = json!(format!("--user-agent={PHONE}"));
            }
        }
    }
    if matches!(
        visitor,
        Visitor::DesktopWithoutScript | Visitor::PhoneWithoutScript
    ) {
        // 2: block. Scripts that WebDriver itself runs in the page still work.
        options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
    }
    json!({
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL"},
    })
}

/// The visitor's browser.
pub struct Browser {
    client: Client,
    engine: Engine,
    session: Session,
}

impl Browser {
    async fn start(engine: Engine, visitor: Visitor) -> Self {
        let session = Session::open(engine, visitor).await;
        Self {
            client: session.client.clone(),
            engine,
            session,
        }
    }

    /// Which browser this is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Opens an address and waits for the document.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Where the browser is now.
    pub async fn address(&self) -> url::Url {
        self.client.current_url().await.unwrap()
    }

    /// Goes back one page in the history.
    pub async fn back(&self) {
        self.client.back().await.unwrap();
    }

    /// The current window, for looks and clicks.
    pub async fn window(&self) -> WindowHandle {
        self.client.window().await.unwrap()
    }

    /// Opens another window beside this one, and switches to it.
    pub async fn open_window(&self) -> WindowHandle {
        self.open_and_switch(false).await
    }

    /// Opens another tab, which hides the current one, and switches to it.
    pub async fn open_tab(&self) -> WindowHandle {
        self.open_and_switch(true).await
    }

    async fn open_and_switch(&self, is_tab: bool) -> WindowHandle {
        let opened = self.client.new_window(is_tab).await.unwrap();
        self.switch_to(&opened.handle).await;
        opened.handle
    }

    /// Switches to a window: later looks and clicks apply there.
    pub async fn switch_to(&self, window: &WindowHandle) {
        self.client.switch_to_window(window.clone()).await.unwrap();
    }

    /// Closes the window, and switches to another.
    pub async fn close_window(&self, next: &WindowHandle) {
        self.client.close_window().await.unwrap();
        self.switch_to(next).await;
    }

    /// Looks and clicks within the frame that the CSS selector finds, until `leave_frame`.
    pub async fn enter_frame(&self, selector: &str) {
        let frame = self.client.find(Locator::Css(selector)).await.unwrap();
        frame.enter_frame().await.unwrap();
    }

    /// Back to the page itself, even from a frame that is gone.
    pub async fn leave_frame(&self) {
        let window = self.window().await;
        self.switch_to(&window).await;
    }

    /// A command of Chromium's own (CDP), for what WebDriver cannot do: a network that goes down, a
    /// page that is frozen.
    pub async fn command(&self, name: &str, parameters: Value) -> Value {
        self.try_command(name, parameters).await.unwrap()
    }

    /// The same in a browser that may have no such command: the driver's message then.
    pub async fn try_command(&self, name: &str, parameters: Value) -> Result<Value, String> {
        let command = ChromiumCommand(json!({"cmd": name, "params": parameters}));
        let answer = self.client.issue_cmd(command).await;
        answer.map_err(|error| error.to_string())
    }

    /// Gives the window this width, as far as the browser lets it; returns the page's width, in CSS px.
    pub async fn narrow_window(&self, width: u32) -> u64 {
        self.client.set_window_size(width, 900).await.unwrap();
        let width = self.look("return innerWidth", vec![]).await;
        width.as_u64().unwrap()
    }

    /// Ends the page's process, as a system does that needs its memory. After this, Chromium's
    /// driver cannot look at the page any more.
    pub async fn kill_page(&self) {
        let command = ChromiumCommand(json!({"cmd": "Page.crash", "params": {}}));
        // The page that should answer is gone.
        self.client.issue_cmd(command).await.ok();
    }

    /// From the next page on, the browser sends this User-Agent and these languages of its owner.
    /// Only Chromium can do this.
    pub async fn override_user_agent(&self, user_agent: &str, accept_language: &str) {
        let names = json!({"userAgent": user_agent, "acceptLanguage": accept_language});
        self.command("Emulation.setUserAgentOverride", names).await;
    }

    /// Stops all scripts of the next page, or allows them again. The tests' own scripts still work.
    /// Only Chromium can do this.
    pub async fn block_script(&self, is_blocked: bool) {
        let switch = json!({"value": is_blocked});
        self.command("Emulation.setScriptExecutionDisabled", switch)
            .await;
    }

    /// Gives the page this size, in CSS px. Only Chromium can do this.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// A picture of the screen, as PNG. What fades in is there.
    pub async fn screenshot(&self) -> Vec<u8> {
        let fading = "document.querySelector('wechat-pay')?.shadowRoot?.getAnimations()
            .some(({effect, playState}) => playState === 'running' && effect.getComputedTiming().endTime < Infinity)";
        self.until(&format!("!({fading})")).await;
        if self.engine == Engine::WebKit {
            // WebKit's driver waits for the next frame, and a page without changes never draws one.
            let stir = "document.documentElement.animate([{opacity: 1}, {opacity: 0.999}], {duration: 500, iterations: 20})";
            self.look(stir, vec![]).await;
        }
        self.client.screenshot().await.unwrap()
    }

    /// Looks something up in the page: a function body, with `arguments`.
    pub async fn look(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.unwrap()
    }

    /// The same for a script that takes a while: the script calls the last of its `arguments` with
    /// its result.
    pub async fn look_and_wait(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute_async(script, arguments).await.unwrap()
    }

    /// Runs a script as one of the page's own. A driver's script may be in a realm of its own (Firefox), and
    /// microtasks may run while it does (WebKit).
    pub async fn run_in_page(&self, script: &str) {
        let run = "const script = document.createElement('script');
            script.textContent = arguments[0];
            document.head.append(script);
            script.remove()";
        self.look(run, vec![json!(script)]).await;
    }

    /// Waits until the expression is truthy, and returns its value.
    #[track_caller]
    pub fn until(&self, expression: &str) -> impl Future<Output = Value> {
        let place = Location::caller();
        let script = format!("return {expression}");
        async move {
            until_at(place, expression, async || {
                // A page that is being left gives no answer.
                match self.client.execute(&script, vec![]).await {
                    Ok(value) if is_truthy(&value) => Ok(value),
                    Ok(value) => Err(value.to_string()),
                    Err(error) => Err(error.to_string()),
                }
            })
            .await
        }
    }

    /// Waits for a page whose address contains the text.
    #[track_caller]
    pub fn until_at(&self, part: &str) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            until_at(place, &format!("an address with {part}"), async || {
                let address = self.client.current_url().await;
                let address = address.map_err(|error| error.to_string())?;
                if address.as_str().contains(part) {
                    Ok(())
                } else {
                    Err(address.to_string())
                }
            })
            .await;
        }
    }

    /// Clicks what the CSS selector finds, as soon as it is there to be clicked.
    #[track_caller]
    pub fn click(&self, selector: &str) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            until_at(place, &format!("{selector} to click"), async || {
                let found = self.client.find(Locator::Css(selector)).await;
                let found = found.map_err(|error| error.to_string())?;
                found.click().await.map_err(|error| error.to_string())
            })
            .await;
        }
    }

    /// Types into what the CSS selector finds.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let field = self.client.find(Locator::Css(selector)).await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses the Tab key.
    pub async fn press_tab(&self) {
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: TAB })
            .then(KeyAction::Up { value: TAB });
        self.client.perform_actions(keys).await.unwrap();
    }

    /// The state of the page's `<wechat-pay>`, as its style sheet sees it.
    pub async fn element_state(&self) -> Option<String> {
        let state = self.look(&format!("return {ELEMENT_STATE}"), vec![]).await;
        state.as_str().map(str::to_owned)
    }

    /// Waits until the element is in one of these states, and returns the state.
    #[track_caller]
    pub fn until_element_is(&self, states: &[&str]) -> impl Future<Output = String> {
        let place = Location::caller();
        async move {
            let what = format!("the element to be {}", states.join(" or "));
            until_at(place, &what, async || {
                let state = format!("return {ELEMENT_STATE}");
                let state = self.client.execute(&state, vec![]).await;
                let state = state.map_err(|error| error.to_string())?;
                match state.as_str() {
                    Some(state) if states.contains(&state) => Ok(state.to_owned()),
                    _ => Err(state.to_string()),
                }
            })
            .await
        }
    }

    /// Pays as a buyer in a phone's browser does: the element leads to WeChat's page, which leads back
    /// to an address with this part.
    pub async fn pay_through_h5(&self, back_at: &str) {
        self.until_element_is(&["offer"]).await;
        self.click_intent("start").await;
        self.until_at("/cgi-bin/mmpayweb-bin/checkmweb").await;
        self.click("button[value='success']").await;
        self.until_at(back_at).await;
        self.until_element_is(&["paid"]).await;
    }

    /// Pays as a buyer inside WeChat does: the element opens the cashier.
    pub async fn pay_in_the_cashier(&self) {
        self.until_element_is(&["offer"]).await;
        self.click_intent("start").await;
        self.click_in("#wechat-cashier", "[data-outcome='success']")
            .await;
        self.until_element_is(&["paid"]).await;
    }

    /// Clicks the element's button for an intent, once it is there.
    #[track_caller]
    pub fn click_intent(&self, intent: &str) -> impl Future<Output = ()> {
        let place = Location::caller();
        let selector = format!("[data-intent='{intent}']");
        async move { self.click_in_at(place, "wechat-pay", &selector).await }
    }

    /// Clicks in the shadow root of what the first CSS selector finds.
    #[track_caller]
    pub fn click_in(&self, host: &str, selector: &str) -> impl Future<Output = ()> {
        self.click_in_at(Location::caller(), host, selector)
    }

    async fn click_in_at(&self, place: &Location<'_>, host: &str, selector: &str) {
        until_at(place, &format!("{selector} in {host}"), async || {
            let host = self.client.find(Locator::Css(host)).await;
            let root = host.map_err(|error| error.to_string())?.shadow_root().await;
            let root = root.map_err(|error| error.to_string())?;
            let button = root.find(Locator::Css(selector)).await;
            let button = button.map_err(|error| error.to_string())?;
            button.click().await.map_err(|error| error.to_string())
        })
        .await;
    }

    /// The text that the element shows to the buyer.
    pub async fn element_text(&self) -> String {
        let text = self
            .look(&format!("return {ELEMENT_BASE}?.innerText ?? ''"), vec![])
            .await;
        text.as_str().unwrap().to_owned()
    }

    /// Gives the screen this width, with so many device pixels for each CSS pixel.
    pub async fn look_through(&self, width: u32, height: u32, pixel_ratio: f64) {
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": pixel_ratio, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", screen)
            .await;
    }

    /// The buyer's settings, by the names of media features: `[("forced-colors", "active")]`.
    pub async fn prefer(&self, features: &[(&str, &str)]) {
        let feature = |(name, value): &(&str, &str)| json!({"name": name, "value": value});
        let media: Vec<Value> = features.iter().map(feature).collect();
        self.command("Emulation.setEmulatedMedia", json!({"features": media}))
            .await;
        for (name, value) in features {
            self.until(&format!("matchMedia('({name}: {value})').matches"))
                .await;
        }
    }

    /// What the page wrote to the console, including the browser's own errors. Only Chromium
    /// reports it.
    pub async fn console(&self) -> Vec<String> {
        if self.engine != Engine::Chromium {
            return Vec::new();
        }
        self.try_console().await.unwrap_or_default()
    }

    /// The same from a driver that may not report it: the driver's message then.
    pub async fn try_console(&self) -> Result<Vec<String>, String> {
        let log = self.client.issue_cmd(BrowserLog).await;
        let log = log.map_err(|error| error.to_string())?;
        let entries = log.as_array().cloned().unwrap_or_default();
        let lines = entries
            .iter()
            .map(|entry| format!("{} {}", entry["level"], entry["message"]));
        Ok(lines.collect())
    }

    /// The complaints among them: errors of scripts, of the network, and of the page's policy.
    pub async fn complaints(&self) -> Vec<String> {
        let mut lines = self.console().await;
        lines.retain(|line| line.starts_with("\"SEVERE\""));
        lines
    }

    /// After a failure, reports where the browser is and what it shows.
    async fn report(&self) {
        match self.client.current_url().await {
            Ok(address) => println!("-- the browser was at {address}"),
            Err(error) => println!("-- the browser does not say where it is: {error}"),
        }
        let html = format!("return {ELEMENT_BASE}?.outerHTML ?? document.body?.innerText ?? ''");
        match self.client.execute(&html, vec![]).await {
            Ok(Value::String(html)) => println!("-- on the page:\n{html}"),
            other => println!("-- on the page: {other:?}"),
        }
        println!("-- in the console:");
        for line in self.console().await {
            println!("   {line}");
        }
        if let Ok(png) = self.client.screenshot().await {
            let file =
                std::env::temp_dir().join(format!("payment-tests-{}.png", screenshot_name()));
            if std::fs::write(&file, png).is_ok() {
                println!("-- on the screen: {}", file.display());
            }
        }
    }
}

/// The name of the test that runs on this thread.
fn test_name() -> Option<String> {
    std::thread::current().name().map(str::to_owned)
}

const ELEMENT_BASE: &str =
    "document.querySelector('wechat-pay')?.shadowRoot?.querySelector('[part~=base]')";
const ELEMENT_STATE: &str = "document.querySelector('wechat-pay')?.shadowRoot?.querySelector('[part~=base]')?.dataset.state";

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

fn screenshot_name() -> String {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let name = test_name().unwrap_or_default().replace("::", "-");
    let number = TAKEN.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{number}", std::process::id())
}

/// chromedriver's own command for the console; WebDriver has none.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!(
            "session/{}/se/log",
            session_id.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (
            http::Method::POST,
            Some(json!({"type": "browser"}).to_string()),
        )
    }
}

/// chromedriver's access to Chromium's own commands.
#[derive(Debug)]
struct ChromiumCommand(Value);

impl WebDriverCompatibleCommand for ChromiumCommand {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        let session = session_id.unwrap_or_default();
        base_url.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.to_string()))
    }
}
