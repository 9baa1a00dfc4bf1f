//! Firefox and Chromium are kept from one scenario to the next, because their start takes longer than many
//! scenarios. WebKit starts quickly, and a browser without script is rare: they are not kept.
//!
//! A scenario finds nothing of the one before it: it gets a new tab in a window of the first size, all cookies
//! are deleted, and its servers have ports that no other scenario had, so caches and storage are those of other
//! origins. What a scenario overrides by Chromium's own commands belongs to its tab. After a scenario that failed
//! the browser is closed.

use std::sync::{LazyLock, Mutex, PoisonError};

use axum::Router;
use axum::response::Html;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;

use super::{BrowserLog, ChromiumCommand, Visitor, capabilities};
use crate::webdriver::{Engine, WebDriver};

/// Each test has a runtime that ends with it. The connection to a kept browser needs one that stays.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    { runtime.worker_threads(1) }.enable_all().build().unwrap()
});

/// The port of a page without content.
static BLANK_PAGE: LazyLock<u16> = LazyLock::new(|| {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    RUNTIME.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let page = Router::new().fallback(async || Html(""));
        axum::serve(listener, page).await
    });
    port
});

static IDLE: Mutex<Vec<Session>> = Mutex::new(Vec::new());

/// A browser with its driver.
pub(super) struct Session {
    pub(super) client: Client,
    engine: Engine,
    visitor: Visitor,
    /// The window's width and height at the start, in CSS px.
    size: (u32, u32),
    /// Dropped after the session is closed, or with the process.
    _driver: WebDriver,
}

impl Session {
    /// An idle browser, or a new one.
    pub(super) async fn open(engine: Engine, visitor: Visitor) -> Self {
        if !is_kept(engine, visitor) {
            return Self::start(engine, visitor).await;
        }
        if let Some(session) = idle(engine, visitor) {
            return session;
        }
        let start = move || RUNTIME.block_on(Self::start(engine, visitor));
        spawn_blocking(start).await.expect("a browser starts")
    }

    async fn start(engine: Engine, visitor: Visitor) -> Self {
        let driver = WebDriver::start(engine).await;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(engine, visitor))
            .connect(driver.url())
            .await
            .expect("a browser starts");
        let (width, height) = client.get_window_size().await.expect("a window");
        let in_px = |side: u64| u32::try_from(side).expect("a size on a screen");
        Self {
            client,
            size: (in_px(width), in_px(height)),
            engine,
            visitor,
            _driver: driver,
        }
    }

    /// Closes the browser, or keeps it if the scenario succeeded.
    pub(super) async fn end(self, is_failure: bool) {
        let may_stay = is_kept(self.engine, self.visitor) && !is_failure;
        if may_stay && self.forget().await.is_ok() {
            IDLE.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(self);
        } else {
            self.client.close().await.ok();
        }
    }

    /// Removes what the next scenario could find.
    async fn forget(&self) -> Result<(), CmdError> {
        let used = self.client.windows().await?;
        if let Some(window) = used.first() {
            // Out of a frame, or of a window that is gone.
            self.client.switch_to_window(window.clone()).await?;
        }
        if self.engine != Engine::Chromium {
            self.delete_cookies().await?;
        }
        // A new tab has no history and no session storage.
        let new = self.client.new_window(true).await?.handle;
        for window in used {
            self.client.switch_to_window(window).await?;
            self.client.close_window().await?;
        }
        self.client.switch_to_window(new).await?;
        let (width, height) = self.size;
        self.client.set_window_size(width, height).await?;
        if self.engine == Engine::Chromium {
            // Without a page, because each page of another host takes a new process.
            let all_cookies = json!({"cmd": "Network.clearBrowserCookies", "params": {}});
            self.client.issue_cmd(ChromiumCommand(all_cookies)).await?;
            // Reading the console empties it.
            self.client.issue_cmd(BrowserLog).await?;
        }
        Ok(())
    }

    /// Cookies belong to a host, whatever the port, and WebDriver deletes them from one of its pages.
    async fn delete_cookies(&self) -> Result<(), CmdError> {
        let port = *BLANK_PAGE;
        for host in ["127.0.0.1", "localhost"] {
            self.client.goto(&format!("http://{host}:{port}/")).await?;
            self.client.delete_all_cookies().await?;
        }
        Ok(())
    }
}

fn is_kept(engine: Engine, visitor: Visitor) -> bool {
    let is_without_script = matches!(
        visitor,
        Visitor::DesktopWithoutScript | Visitor::PhoneWithoutScript
    );
    engine != Engine::WebKit && !is_without_script
}

fn idle(engine: Engine, visitor: Visitor) -> Option<Session> {
    let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |session: &Session| session.engine == engine && session.visitor == visitor;
    let place = idle.iter().position(fits)?;
    Some(idle.swap_remove(place))
}
