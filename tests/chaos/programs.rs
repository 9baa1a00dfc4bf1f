//! The real programs as processes: WeChat and the merchant servers. Each is killed again and again,
//! and always comes up on the same database.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use payment_tests::merchant_config::MerchantConfig;

use crate::chaos_run::ChaosRun;
use crate::clock::{ChaosClock, clean_up_after};
use crate::merchant::Merchant;
use crate::plan::{Kill, Mode};
use crate::wechat::FaultInjector;

/// What webhooks are signed with; any 32 bytes.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A child process that does not outlive the chaos run.
pub(crate) struct Process(Child);

impl Process {
    fn start(mut command: Command, log: &Path) -> Self {
        let log = open_log(log);
        let child = command.stdin(Stdio::null()).stderr(log).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// `kill -9`. Returns whether it hit a living process.
    fn kill(&mut self) -> bool {
        let was_alive = self.0.try_wait().unwrap().is_none();
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        clean_up_after(self.0.id());
        was_alive
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The simulator as a process, running or killed.
pub(crate) struct Wechat {
    program: PathBuf,
    folder: PathBuf,
    address: String,
    /// The address for notifications of refunds that a merchant entered in the portal.
    portal_notify_url: String,
    process: Mutex<Option<Process>>,
    kills: AtomicU64,
}

impl Wechat {
    /// Starts the simulator at `address`, with a merchant for each mode. Actions in the portal are
    /// notified to `server`.
    pub(crate) fn start(
        program: &Path,
        folder: &Path,
        address: &str,
        server: &str,
        clock: &ChaosClock,
    ) -> Self {
        let wechat = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            address: address.to_owned(),
            portal_notify_url: format!("{server}/wechat/notify/refund"),
            process: Mutex::default(),
            kills: AtomicU64::new(0),
        };
        wechat.launch(clock);
        wechat
    }

    /// The simulator's address, which is the same over all restarts.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// How many kills hit a living process.
    pub(crate) fn kills(&self) -> u64 {
        self.kills.load(Ordering::Relaxed)
    }

    /// Runs each kill in its turn. When this returns, WeChat is up again, with the current faults.
    pub(crate) async fn run_kills(
        &self,
        kills: &[Kill],
        chaos: &ChaosRun,
        injector: &FaultInjector,
    ) {
        for kill in kills {
            kill.is_due(chaos).await;
            injector
                .outlast(async {
                    if !self.kill() {
                        chaos.report_wrong("", "WeChat ended by itself");
                    }
                    tokio::time::sleep(Duration::from_millis(kill.down_ms)).await;
                    self.launch(&chaos.clock);
                })
                .await;
        }
    }

    fn kill(&self) -> bool {
        let process = self.process.lock().unwrap().take();
        let hit = process.unwrap().kill();
        self.kills.fetch_add(u64::from(hit), Ordering::Relaxed);
        hit
    }

    /// Starts the process, and returns when it listens.
    fn launch(&self, clock: &ChaosClock) {
        let mut command = Command::new(&self.program);
        clock.rule(&mut command);
        command
            .args(["--listen", self.address.trim_start_matches("http://")])
            .args(["--merchants", &Mode::ALL.len().to_string()])
            .args(["--set", "payers=50", "--set", "trust=certificates", "--set"])
            .arg(format!("portal_notify_url={}", self.portal_notify_url))
            .arg("--state")
            .arg(self.folder.join("wechat"))
            .env("RUST_LOG", "warn,wechat_pay_simulator=info")
            .stdout(Stdio::piped());
        let mut process = Process::start(command, &self.folder.join("wechat.log"));
        let mut output = BufReader::new(process.0.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        // The process must not find its standard output closed.
        std::thread::spawn(move || output.lines().map_while(Result::ok).for_each(drop));
        assert!(line.contains(&self.address), "WeChat did not start: {line}");
        *self.process.lock().unwrap() = Some(process);
    }
}

impl Kill {
    /// Waits until the kill is due.
    async fn is_due(&self, chaos: &ChaosRun) {
        while chaos.begun() < self.from_order {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(self.pause_ms)).await;
    }
}

/// A merchant server as a process, running or killed.
pub(crate) struct MerchantServer {
    chaos: Arc<ChaosRun>,
    mode: Mode,
    program: PathBuf,
    folder: PathBuf,
    process: Mutex<Option<Process>>,
    kills: AtomicU64,
}

impl MerchantServer {
    /// Writes the configuration and starts it.
    pub(crate) fn start(
        chaos: Arc<ChaosRun>,
        mode: Mode,
        program: &Path,
        folder: &Path,
        backend: &str,
    ) -> Self {
        let server = Self {
            chaos,
            mode,
            program: program.to_owned(),
            folder: folder.to_owned(),
            process: Mutex::default(),
            kills: AtomicU64::new(0),
        };
        let text = configuration(server.merchant(), backend).to_toml();
        std::fs::write(server.config(), text).unwrap();
        std::fs::set_permissions(server.config(), PermissionsExt::from_mode(0o600)).unwrap();
        server.launch();
        server
    }

    /// The merchant that the server belongs to.
    pub(crate) fn merchant(&self) -> &Merchant {
        self.chaos.merchant(self.mode)
    }

    /// How many kills hit a living process.
    pub(crate) fn kills(&self) -> u64 {
        self.kills.load(Ordering::Relaxed)
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join(format!("{}.sqlite3", self.mode.as_str()))
    }

    /// Runs a command of the same program on the same configuration, to its end.
    pub(crate) fn command(&self, words: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        self.chaos.clock.rule(&mut command);
        command
            .args(words)
            .arg("--config")
            .arg(self.config())
            .env("RUST_LOG", "warn");
        command.output().unwrap()
    }

    /// Runs each kill of this server in its turn. The server is up again when this returns.
    pub(crate) async fn run_kills(&self, kills: &[Kill]) {
        for kill in kills.iter().filter(|kill| kill.mode == self.mode) {
            kill.is_due(&self.chaos).await;
            self.kill();
            tokio::time::sleep(Duration::from_millis(kill.down_ms)).await;
            self.launch();
            if let Some(again_after_ms) = kill.again_after_ms {
                tokio::time::sleep(Duration::from_millis(again_after_ms)).await;
                self.kill();
                self.launch();
            }
        }
    }

    /// Waits until the server answers.
    pub(crate) async fn is_up(&self) {
        let url = format!("{}/healthz", self.merchant().server);
        for _ in 0..600 {
            let answer = self
                .chaos
                .call("GET", &url, &[], crate::chaos_run::Body::None);
            if answer.await.is_ok_and(|(status, _)| status == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "the merchant server does not come up: see {}",
            self.log().display()
        );
    }

    /// Reports a server that ended without having been killed.
    pub(crate) fn assert_alive(&self) {
        let mut process = self.process.lock().unwrap();
        let process = process.as_mut().unwrap();
        if let Some(status) = process.0.try_wait().unwrap() {
            self.chaos
                .report_wrong("", format!("the merchant server ended by itself: {status}"));
        }
    }

    fn kill(&self) {
        self.assert_alive();
        let hit = self.process.lock().unwrap().take().unwrap().kill();
        self.kills.fetch_add(u64::from(hit), Ordering::Relaxed);
    }

    fn launch(&self) {
        let mut command = Command::new(&self.program);
        self.chaos.clock.rule(&mut command);
        command
            .arg("serve")
            .arg("--config")
            .arg(self.config())
            .env("RUST_LOG", "warn,merchant_server=info,merchant_core=info")
            .stdout(Stdio::null());
        *self.process.lock().unwrap() = Some(Process::start(command, &self.log()));
    }

    fn config(&self) -> PathBuf {
        self.folder.join(format!("{}.toml", self.mode.as_str()))
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.mode.as_str()))
    }
}

fn open_log(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.create(true).append(true).open(path).unwrap()
}

fn configuration(merchant: &Merchant, backend: &str) -> MerchantConfig {
    let merchant_json = match &merchant.sub {
        None => "wechat/merchant.json",
        Some(_) => "wechat/merchants/2/merchant.json",
    };
    let mut config = MerchantConfig::new(&merchant.server, Path::new(merchant_json));
    config.set(
        "database",
        format!("\"{}.sqlite3\"", merchant.mode.as_str()),
    );
    config.set("return_origins", "[\"http://127.0.0.1:1\"]");
    config.set("trusted_proxies", "[\"127.0.0.1/32\"]");
    config.sell_everything(&merchant.appid);
    config.lift_rate_limits();
    config.tables = vec![format!(
        "[[webhooks]]\nurl = \"{backend}\"\nsecret = \"{WEBHOOK_SECRET}\""
    )];
    match &merchant.sub {
        None => config
            .merchant
            .push("platform_certificate_files = [\"wechat/wechatpay_cert.pem\"]".to_owned()),
        Some(sub) => config.sell_for(&sub.mchid, &sub.appid),
    }
    config
}
