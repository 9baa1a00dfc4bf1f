//! The tests' own pages, with the element served beside them in several ways: at once, held or stalled
//! until the test releases it, broken, and broken only at the first request. The page counts what an
//! element leaves behind.

use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use payment_tests::browser::Browser;
use payment_tests::servers::{Servers, bundle_dir};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::yield_now;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::plain_backend::PlainBackend;

const PAGE: &str = include_str!("test_pages.html");
const SCRIPT: &str = r#"<script type="module" src="wechat-pay.js"></script>"#;

const OLDER: &str = include_str!("older_browsers.js");
const CLASSIC: &str = r#"<script src="wechat-pay.classic.js"></script>"#;

/// Wrapped around every export of the WebAssembly: a module with one function that traps as often
/// as `traps` says. So a trap comes from the same place as a panic of the widget.
const TRAPS: &str = r#"<body><script>
const unreachable = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10, 5, 1, 3, 0, 0, 11]);
const { trap } = new WebAssembly.Instance(new WebAssembly.Module(unreachable)).exports;
window.traps = 0;
const guarded = (exported) => typeof exported !== "function" ? exported : (...values) => {
  if (window.traps > 0) { window.traps -= 1; trap(); }
  return exported(...values);
};
const instantiate = WebAssembly.instantiateStreaming;
WebAssembly.instantiateStreaming = async (...given) => {
  const { module, instance } = await instantiate.apply(WebAssembly, given);
  const exports = Object.fromEntries(Object.entries(instance.exports).map(([name, it]) => [name, guarded(it)]));
  return { module, instance: { exports } };
};
</script>"#;

/// A page of a browser without WebAssembly.
const WITHOUT_WASM: &str = "<body><script>delete window.WebAssembly; window.traps = 0</script>";

/// Added to the widget as JavaScript: every export throws what the script itself throws where the
/// WebAssembly traps, as often as `traps` says.
const GUARD: &str = "{
const instantiate = document.currentScript.instantiate;
const guarded = (exported) => typeof exported !== 'function' ? exported : (...values) => {
  if (window.traps > 0) { window.traps -= 1; TRAP }
  return exported(...values);
};
document.currentScript.instantiate = (imports) => {
  const { exports } = instantiate(imports);
  return { exports: Object.fromEntries(Object.keys(exports).map((name) => [name, guarded(exports[name])])) };
};
}";

/// What the minified script throws where the WebAssembly traps.
const TRAP: &str = "throw Object.assign(new Error(\"unreachable\"),{name:\"RuntimeError\"})";

/// The requests that these pages' server received, as `METHOD /path`.
type Asked = Arc<Mutex<Vec<String>>>;

/// The servers and the pages.
pub(crate) struct TestPages {
    pub(crate) servers: Servers,
    /// The backend at `/plain/{caller}` of the pages.
    pub(crate) plain: PlainBackend,
    /// The requests at `/breaking/{caller}`, each at its first time.
    broken_off: Asked,
    release: watch::Sender<bool>,
    repaired: watch::Sender<bool>,
}

impl TestPages {
    pub(crate) async fn start() -> Self {
        let release = watch::Sender::new(false);
        // A browser that is kept must not have a file from before that a visit holds or breaks.
        let no_store = || {
            let value = HeaderValue::from_static("no-store");
            SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, value)
        };
        let bundle = || {
            let files = Router::new().fallback_service(ServeDir::new(bundle_dir()));
            files.layer(no_store())
        };
        let held = Router::new()
            .fallback_service(bundle())
            .layer(from_fn_with_state(release.subscribe(), hold));
        let repaired = watch::Sender::new(false);
        let broken = Router::new()
            .fallback_service(bundle())
            .layer(from_fn_with_state(repaired.subscribe(), miss));
        let outdated = Router::new()
            .fallback_service(bundle())
            .layer(from_fn(replace_by_empty));
        let wasmless = Router::new()
            .fallback_service(bundle())
            .layer(from_fn(miss_wasm));
        let wordless = Router::new()
            .fallback_service(bundle())
            .layer(from_fn(miss_words));
        let stalled = Router::new()
            .fallback_service(bundle())
            .layer(from_fn_with_state(release.subscribe(), stall));
        let failing = |first: First| {
            let state = (first, Asked::default());
            let layer = from_fn_with_state(state, fail_first);
            Router::new().fallback_service(bundle()).layer(layer)
        };
        let plain = PlainBackend::default();
        let broken_off = Asked::default();
        let breaking = plain
            .routes()
            .layer(from_fn_with_state(Arc::clone(&broken_off), break_off));
        let page = || get(async || Html(PAGE));
        let bare = PAGE.replace(SCRIPT, "");
        assert_ne!(bare, PAGE, "the page has its script as it is cut out here");
        let pages = Router::new()
            .nest("/ready", Router::new().fallback_service(bundle()))
            .nest("/held", held)
            .nest("/broken", broken)
            .nest("/outdated", outdated)
            .nest("/wasmless", wasmless)
            .nest("/wordless", wordless)
            .route("/wordless/order", get(with_element))
            .nest("/stalled", stalled)
            .route("/stalled/order", get(with_element))
            .nest("/refused-once", failing(First::Refused))
            .route("/refused-once/page", page())
            .nest("/cut-once", failing(First::Cut))
            .route("/cut-once/page", page())
            .nest("/trapping", Router::new().fallback_service(bundle()))
            .nest(
                "/trapping-script",
                Router::new()
                    .fallback_service(bundle())
                    .layer(from_fn(guard_script)),
            )
            .route("/ready/page", page())
            .route("/ready/order", get(with_element))
            .route(
                "/ready/at/{token}/{merchant_port}",
                get(with_element_of_path),
            )
            .route("/ready/bare", get(async || Html(bare)))
            .route_service("/ready/frameworks.js", ServeFile::new(frameworks()))
            .nest("/plain", plain.routes())
            .nest("/breaking", breaking)
            .route("/held/page", page())
            .route("/held/order", get(with_element))
            .route("/broken/page", page())
            .route("/broken/order", get(with_element))
            .merge(classic(repaired.subscribe()))
            .route("/outdated/page", page())
            .route("/wasmless/page", page())
            .route(
                "/trapping/page",
                get(async || Html(PAGE.replace("<body>", TRAPS))),
            )
            .route(
                "/trapping-script/page",
                get(async || Html(PAGE.replace("<body>", WITHOUT_WASM))),
            );
        Self {
            servers: Servers::start_with_stage(pages).await,
            plain,
            broken_off,
            release,
            repaired,
        }
    }

    /// Opens the page that serves the element in this way, and waits for the element's class.
    pub(crate) async fn open(&self, browser: &Browser, way: &str) {
        let address = format!("{}/{way}/page", self.servers.stage);
        browser.open(&address).await;
        browser.until("!!customElements.get('wechat-pay')").await;
    }

    /// Opens the same page with another User-Agent.
    pub(crate) async fn open_as(&self, browser: &Browser, user_agent: &str) {
        browser.open(&self.page_as(user_agent)).await;
        browser.until("!!customElements.get('wechat-pay')").await;
    }

    /// The address of such a page.
    pub(crate) fn page_as(&self, user_agent: &str) -> String {
        let mut address = url::Url::parse(&format!("{}/ready/page", self.servers.stage))
            .expect("a valid address");
        address
            .query_pairs_mut()
            .append_pair("user-agent", user_agent);
        address.into()
    }

    /// The address of a page that has an element called `pay` from the start, with these attributes
    /// beside its own.
    pub(crate) fn page_of(&self, token: &str, attributes: &[(&str, &str)]) -> String {
        let base = format!("{}/ready/order", self.servers.stage);
        let merchant_api = self.merchant_api();
        let own = [("token", token), ("merchant-api", &merchant_api)];
        let mut page = url::Url::parse(&base).expect("a valid address");
        page.query_pairs_mut()
            .extend_pairs(own.iter().chain(attributes));
        page.into()
    }

    /// The address of a page with such an element and an empty query: everything added to the
    /// address is the shop's own.
    pub(crate) fn page_at(&self, token: &str) -> String {
        let (_, merchant_port) = self.servers.merchant.rsplit_once(':').expect("a port");
        format!("{}/ready/at/{token}/{merchant_port}", self.servers.stage)
    }

    /// Releases the held WebAssembly.
    pub(crate) fn release(&self) {
        self.release.send_replace(true);
    }

    /// Holds the WebAssembly again.
    pub(crate) fn hold_again(&self) {
        self.release.send_replace(false);
    }

    /// Makes the broken file available.
    pub(crate) fn repair(&self) {
        self.repaired.send_replace(true);
    }

    /// A new order's token.
    pub(crate) async fn order(&self) -> String {
        let order = json!({"total_fen": 6_910, "description": "云南小粒咖啡", "payee": "云岭茶铺"});
        self.servers.order(order).await
    }

    /// The address that elements get as `merchant-api`.
    pub(crate) fn merchant_api(&self) -> String {
        format!("{}/v1", self.servers.merchant)
    }

    /// Puts an element on the page that polls the plain backend under a caller's name.
    pub(crate) async fn put_asking(&self, browser: &Browser, caller: &str) {
        let api = self.plain_api(caller);
        let script = "document.getElementById('left-side').append(make('pay', ...arguments))";
        let arguments = vec![json!(PlainBackend::TOKEN), json!(api)];
        browser.look(script, arguments).await;
    }

    /// The plain backend's address for a caller.
    pub(crate) fn plain_api(&self, caller: &str) -> String {
        format!("{}/plain/{caller}", self.servers.stage)
    }

    /// The same, with a first answer to each request that breaks off in the middle.
    pub(crate) fn breaking_api(&self, caller: &str) -> String {
        format!("{}/breaking/{caller}", self.servers.stage)
    }

    /// The requests whose answer broke off.
    pub(crate) fn broken(&self) -> Vec<String> {
        let broken = self.broken_off.lock().expect("the lock is not poisoned");
        broken.clone()
    }

    /// A new order's token, for the simulator's first buyer, whose openid the shop knows.
    pub(crate) async fn order_of_buyer(&self) -> String {
        let order = json!({"total_fen": 6_910, "description": "云南小粒咖啡"});
        self.servers.order_of_buyer(order).await
    }

    /// The requests for a token that the merchant server received.
    pub(crate) fn requests_about(&self, token: &str) -> Vec<String> {
        let mut requests = self.servers.requests.seen();
        requests.retain(|line| line.contains(token));
        requests
    }

    /// How many attempts were started or cancelled for a token.
    pub(crate) fn posts_about(&self, token: &str) -> usize {
        let requests = self.requests_about(token);
        let posts = requests.iter().filter(|line| line.starts_with("POST"));
        posts.count()
    }

    /// Puts an element with an id and a token on the page.
    pub(crate) async fn put(&self, browser: &Browser, id: &str, token: &str) {
        let script = "document.getElementById('left-side').append(make(...arguments))";
        let arguments = vec![json!(id), json!(token), json!(self.merchant_api())];
        browser.look(script, arguments).await;
    }

    /// Pays the code of a token's order.
    pub(crate) async fn pay(&self, token: &str) {
        let checkout = self.servers.checkout(token).await;
        self.servers.wechat.pay(&checkout["code_url"]).await;
    }
}

/// The page with an element whose attributes come from the address. The one called `script` runs
/// before.
async fn with_element() -> Html<String> {
    let element = "<wechat-pay id=pay></wechat-pay><script>
        for (const [name, value] of new URLSearchParams(location.search)) {
          if (name === 'script') new Function(value)();
          else pay.setAttribute(name, value);
        }
        </script>";
    Html(PAGE.replace(
        "<div id=\"left-side\">",
        &format!("<div id=\"left-side\">{element}"),
    ))
}

/// The page that loads the classic script, and pages of older browsers, which load the module or the
/// classic script.
fn classic(repaired: watch::Receiver<bool>) -> Router {
    let older = format!("<body><script>{OLDER}</script>");
    let files = Router::new().fallback_service(ServeDir::new(bundle_dir()));
    let broken = files.clone().layer(from_fn_with_state(repaired, miss));
    let mut pages = Router::new();
    for (way, body, script, files) in [
        ("/classic", "<body>", CLASSIC, &files),
        ("/older", &older, CLASSIC, &files),
        ("/older-module", &older, SCRIPT, &files),
        ("/older-broken", &older, CLASSIC, &broken),
    ] {
        let body = body.to_owned();
        let page = async move || {
            let Html(page) = with_element().await;
            Html(page.replace("<body>", &body).replace(SCRIPT, script))
        };
        pages = pages
            .route(&format!("{way}/order"), get(page))
            .nest(way, files.clone());
    }
    pages
}

/// The page with an element for the order in the path, and the script under its full path.
async fn with_element_of_path(Path((token, port)): Path<(String, u16)>) -> Html<String> {
    let element = format!(
        "<wechat-pay id=pay token={token} merchant-api=http://127.0.0.1:{port}/v1></wechat-pay>"
    );
    let beside = "<div id=\"left-side\">";
    let page = PAGE.replace(beside, &format!("{beside}{element}"));
    Html(page.replace("src=\"wechat-pay.js\"", "src=\"/ready/wechat-pay.js\""))
}

/// React and Vue in one module, needed only by the tests that load it.
fn frameworks() -> String {
    std::env::var("FRAMEWORKS").unwrap_or_default()
}

async fn hold(
    State(mut release): State<watch::Receiver<bool>>,
    request: Request,
    next: Next,
) -> Response {
    if is_wasm(&request) && release.wait_for(|release| *release).await.is_err() {
        return StatusCode::GONE.into_response();
    }
    next.run(request).await
}

async fn miss(
    State(repaired): State<watch::Receiver<bool>>,
    request: Request,
    next: Next,
) -> Response {
    if (is_wasm(&request) || is_script(&request)) && !*repaired.borrow() {
        return StatusCode::NOT_FOUND.into_response();
    }
    next.run(request).await
}

async fn miss_wasm(request: Request, next: Next) -> Response {
    if is_wasm(&request) {
        return StatusCode::NOT_FOUND.into_response();
    }
    next.run(request).await
}

/// Without the sentences of the languages that the widget does not have itself.
async fn miss_words(request: Request, next: Next) -> Response {
    if is_words(&request) {
        return StatusCode::NOT_FOUND.into_response();
    }
    next.run(request).await
}

/// The smallest module: it has none of the names that the script needs.
async fn replace_by_empty(request: Request, next: Next) -> Response {
    if is_wasm(&request) {
        let kind = [(header::CONTENT_TYPE, "application/wasm")];
        return (kind, &b"\0asm\x01\0\0\0"[..]).into_response();
    }
    next.run(request).await
}

async fn guard_script(request: Request, next: Next) -> Response {
    let is_script = is_script(&request);
    let response = next.run(request).await;
    if !is_script {
        return response;
    }
    let whole = to_bytes(response.into_body(), usize::MAX).await;
    let script = String::from_utf8_lossy(&whole.expect("a file")).into_owned();
    assert!(script.contains(TRAP), "the script traps in another way");
    let kind = [(header::CONTENT_TYPE, "text/javascript")];
    (kind, script + &GUARD.replace("TRAP", TRAP)).into_response()
}

/// Whether the widget is requested as WebAssembly.
pub(crate) fn is_wasm(request: &Request) -> bool {
    request.uri().path().rsplit('.').next() == Some("wasm")
}

/// Whether the sentences of a language are requested.
fn is_words(request: &Request) -> bool {
    let path = request.uri().path();
    path.ends_with(".en.json") || path.ends_with(".zh-Hant.json")
}

/// Whether the widget is requested as JavaScript.
pub(crate) fn is_script(request: &Request) -> bool {
    request.uri().path().ends_with(".nowasm.js")
}

/// Sends the first 4,000 bytes of the WebAssembly, and the rest only once it is released.
async fn stall(
    State(mut release): State<watch::Receiver<bool>>,
    request: Request,
    next: Next,
) -> Response {
    let is_wasm = is_wasm(&request);
    let response = next.run(request).await;
    if !is_wasm {
        return response;
    }
    let (head, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.expect("a file");
    let (start, rest) = (whole.slice(..4_000), whole.slice(4_000..));
    let rest = stream::once(async move {
        let release = release.wait_for(|release| *release).await;
        release.map(|_| rest).map_err(io::Error::other)
    });
    let start = stream::iter([Ok(start)]);
    Response::from_parts(head, Body::from_stream(start.chain(rest)))
}

/// What happens to the first request for the WebAssembly.
#[derive(Clone, Copy)]
enum First {
    Refused,
    Cut,
}

async fn fail_first(
    State((first, asked)): State<(First, Asked)>,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let path = uri.path().to_owned();
    let is_wasm = is_wasm(&request);
    let response = next.run(request).await;
    {
        let mut asked = asked.lock().expect("the lock is not poisoned");
        if !is_wasm || asked.contains(&path) {
            return response;
        }
        asked.push(path);
    }
    match first {
        First::Refused => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        First::Cut => half_of(response).await,
    }
}

/// The request takes effect, but only half of the answer is sent.
async fn break_off(
    State(broken): State<Asked>,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let asked = format!("{} {}", request.method(), uri.path());
    let response = next.run(request).await;
    {
        let mut broken = broken.lock().expect("the lock is not poisoned");
        if broken.contains(&asked) {
            return response;
        }
        broken.push(asked);
    }
    half_of(response).await
}

/// Half of a response; then the connection breaks.
async fn half_of(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.expect("a body in memory");
    let half = whole.slice(..whole.len() / 2);
    head.headers
        .insert(header::CONTENT_LENGTH, whole.len().into());
    let half = stream::iter([Ok(half)]);
    // Not ready at once, so that the first half is sent before the connection ends.
    let end = stream::once(async {
        yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    let body = Body::from_stream(half.chain(end));
    Response::from_parts(head, body)
}

/// The counts of a page before there is an element, once its script has loaded everything. They
/// include a timer of WebKit's driver.
pub(crate) async fn bare(browser: &Browser) -> Value {
    browser.until("left().fetches === 0").await;
    left(browser).await
}

/// The condition for a page on which nothing runs that did not run when it was bare.
pub(crate) fn at_rest(bare: &Value) -> String {
    let timers = &bare["timers"];
    format!("left().timers === {timers} && left().fetches === 0")
}

/// The buyer starts the payment of the element called `pay`, once it is offered.
pub(crate) async fn press(browser: &Browser) {
    browser.until("stateOf('pay') === 'offer'").await;
    browser.click_in("#pay", "[data-intent='start']").await;
}

/// The counts of what is left on the page.
pub(crate) async fn left(browser: &Browser) -> Value {
    browser.look("return left()", vec![]).await
}
