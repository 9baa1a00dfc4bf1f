//! A separate WebDriver for each browser: one process on its own port, which ends with the value
//! that holds it. Chromium, Firefox and WebKit each have a driver. WebKit also needs a screen,
//! because it has no headless mode.

use std::env;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::port::Port;
use crate::wait::until;

/// The browser engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Chromium with chromedriver.
    Chromium,
    /// Firefox with geckodriver.
    Firefox,
    /// WebKit's MiniBrowser with WebKitWebDriver, on a screen of Xvfb's.
    WebKit,
}

impl Engine {
    /// Whether the browser and its driver are on this machine. A test run that has installed them
    /// sets `REQUIRE_ENGINES=1`, and then no browser is skipped.
    pub fn is_possible(self) -> bool {
        let is_there = self.browser().is_some() && self.driver().is_some();
        let is_required = env::var_os("REQUIRE_ENGINES").is_some();
        assert!(
            is_there || !is_required,
            "{self:?} or its driver is missing, and REQUIRE_ENGINES is set"
        );
        if !is_there {
            println!("skipped: {self:?} or its driver is not on this machine");
        }
        is_there
    }

    /// The browser's own program, with its whole path: drivers do not search for it.
    fn browser(self) -> Option<PathBuf> {
        match self {
            Self::Chromium => named(
                "CHROMIUM",
                &["chromium", "chromium-browser", "google-chrome"],
            ),
            Self::Firefox => named("FIREFOX", &["firefox-esr", "firefox"]),
            Self::WebKit => named("MINIBROWSER", &["MiniBrowser"]),
        }
    }

    fn driver(self) -> Option<PathBuf> {
        match self {
            Self::Chromium => named("CHROMEDRIVER", &["chromedriver"]),
            Self::Firefox => named("GECKODRIVER", &["geckodriver"]),
            Self::WebKit => named("WEBKITWEBDRIVER", &["WebKitWebDriver"]),
        }
    }

    /// The capabilities of a session of Firefox or WebKit, with another User-Agent if one is given.
    /// Chromium's visitors differ in more.
    pub(crate) fn capabilities(self, user_agent: Option<&str>) -> Value {
        let binary = self.browser();
        match self {
            Self::Chromium => json!({"browserName": "chrome"}),
            Self::Firefox => {
                // Otherwise Firefox shows JSON within a page of its own, which forbids what other pages may do.
                let mut preferences = json!({"devtools.jsonview.enabled": false});
                if let Some(user_agent) = user_agent {
                    preferences["general.useragent.override"] = json!(user_agent);
                }
                json!({
                    "browserName": "firefox",
                    "moz:firefoxOptions": {
                        "binary": binary,
                        "args": ["-headless", "--width=1280", "--height=1000"],
                        "prefs": preferences,
                    },
                })
            }
            Self::WebKit => {
                let mut arguments = vec!["--automation".to_owned()];
                arguments.extend(user_agent.map(|name| format!("--user-agent={name}")));
                json!({
                    "browserName": "MiniBrowser",
                    "webkitgtk:browserOptions": {"binary": binary, "args": arguments},
                })
            }
        }
    }
}

/// Runs a program in a process group of its own, and ends the group when the pipe to this script closes:
/// when the test program drops it, or ends however it ends. It ignores what ends the test program, because
/// it has to outlive it.
const WITH_THIS_PROCESS: &str = r#"
trap '' HUP INT TERM
set -m
"$0" "$@" </dev/null &
exec >/dev/null
read -r _
kill -KILL -- "-$!"
rm -rf "$TMPDIR"
"#;

/// A browser's driver. Driver and browser end when this value is dropped.
pub struct WebDriver {
    /// Held because they end with it.
    _processes: Vec<Child>,
    /// The folder with the files that driver and browser leave; it is deleted with this value.
    _folder: TempDir,
    url: String,
}

impl WebDriver {
    /// Starts the driver and no browser yet.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(engine: Engine) -> Self {
        let program = engine.driver().unwrap_or_else(|| {
            panic!("no driver for {engine:?}: `cargo xtask test --only browser` sets it up")
        });
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.env("TMPDIR", folder.path()).kill_on_drop(true);
        let (processes, port) = match engine {
            Engine::Chromium => {
                // Without a port, the program takes a port that is free with IPv6, and exits if the
                // same port is in use with IPv4.
                let port = Port::take().await.release();
                let mut command = with_this_process(&command);
                spoken_port(
                    command.arg(format!("--port={port}")),
                    "successfully on port ",
                )
                .await
            }
            Engine::Firefox => {
                // The reporter of crashes would outlive the browser.
                command.env("MOZ_CRASHREPORTER_DISABLE", "1");
                let mut command = with_this_process(&command);
                spoken_port(command.args(["--port", "0"]), "127.0.0.1:").await
            }
            Engine::WebKit => on_a_screen(command).await,
        };
        Self {
            _processes: processes,
            _folder: folder,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A driver whose browser may still run when the test program ends. The script ends it: were the script killed,
/// the driver would stay.
fn with_this_process(program: &Command) -> Command {
    let program = program.as_std();
    // Other shells have no process groups without a terminal.
    let mut command = Command::new("bash");
    command
        .args(["-c", WITH_THIS_PROCESS])
        .arg(program.get_program())
        .stdin(Stdio::piped());
    for (name, value) in program.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command
}

/// Starts a driver that prints the port on which it listens.
async fn spoken_port(command: &mut Command, before: &str) -> (Vec<Child>, String) {
    let mut process = started(command, Stdio::piped());
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    let port = loop {
        let Some(line) = lines.next_line().await.unwrap() else {
            let status = process.wait().await;
            panic!("the driver ended before it listened: {status:?}, and said {said:?}");
        };
        said.push(line.clone());
        if let Some((_, port)) = line.rsplit_once(before) {
            let port = port.trim_end_matches('.');
            if port.parse().is_ok_and(|port: u16| port != 0) {
                break port.to_owned();
            }
        }
    };
    // The driver would stop at a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (vec![process], port)
}

/// Starts WebKit's driver, which prints no port, with a screen for its browser.
async fn on_a_screen(mut command: Command) -> (Vec<Child>, String) {
    let mut screen = Command::new("Xvfb");
    screen.kill_on_drop(true).args([
        "-displayfd",
        "1",
        "-nolisten",
        "tcp",
        "-screen",
        "0",
        "1280x1000x24",
    ]);
    let mut screen = started(&mut screen, Stdio::piped());
    let mut lines = BufReader::new(screen.stdout.take().unwrap()).lines();
    let display = lines.next_line().await.unwrap().expect("a display");
    let port = Port::take().await.release();
    command
        .arg(format!("--port={port}"))
        .env("DISPLAY", format!(":{display}"))
        // Not every machine has namespaces for a sandbox, or a graphics card.
        .env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1")
        .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1");
    let driver = started(&mut command, Stdio::null());
    until("WebKit's driver to listen", async || {
        let connected = TcpStream::connect(("127.0.0.1", port)).await;
        connected.map(drop).map_err(|error| error.to_string())
    })
    .await;
    (vec![driver, screen], port.to_string())
}

fn started(command: &mut Command, stdout: Stdio) -> Child {
    command
        .stdout(stdout)
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}

fn named(variable: &str, programs: &[&str]) -> Option<PathBuf> {
    let named = env::var_os(variable).map(PathBuf::from);
    named.or_else(|| programs.iter().find_map(|name| on_path(name)))
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Chromium's program.
pub(crate) fn chromium() -> PathBuf {
    Engine::Chromium
        .browser()
        .expect("a Chromium is on the PATH, or CHROMIUM names one")
}
