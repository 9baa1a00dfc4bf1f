//! The real programs as processes: WeChat and the merchant servers. Each is killed again and again,
//! and always comes up on the same database.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use payment_tests::merchant_config::MerchantConfig;

use crate::chaos_run::ChaosRun;
use crate::clock::{ChaosClock, clean_up_after};
use crate::merchant::Merchant;
use crate::plan::{Kill, Mode};
use crate::postgres::Postgres;
use crate::wechat::FaultInjector;

/// What webhooks are signed with; any 32 bytes.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A child process that does not outlive the chaos run.
pub(crate) struct Process(Mutex<Child>);

impl Process {
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let log = open_log(log);
        let child = command.stdin(Stdio::null()).stderr(log).spawn();
        Self(Mutex::new(
            child.unwrap_or_else(|error| panic!("{command:?}: {error}")),
        ))
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.ended().is_none()
    }

    /// How it ended, if it has.
    fn ended(&self) -> Option<ExitStatus> {
        self.0.lock().unwrap().try_wait().unwrap()
    }

    /// `kill -9`. Returns whether it hit a living process.
    fn kill(&self) -> bool {
        let mut child = self.0.lock().unwrap();
        let was_alive = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        clean_up_after(child.id());
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
    /// The address for notices of shares that a merchant entered in the portal.
    share_notify_url: String,
    process: Mutex<Option<Process>>,
    kills: AtomicU64,
}

impl Wechat {
    /// Starts the simulator at `address`, with a merchant for each mode. Actions in the portal, and shares
    /// that arrive at its merchant, are notified to `server`.
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
            share_notify_url: format!("{server}/wechat/notify/payment"),
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
            .arg("--set")
            .arg(format!("share_notify_url={}", self.share_notify_url))
            .arg("--state")
            .arg(self.folder.join("wechat"))
            .env("RUST_LOG", "warn,wechat_pay_simulator=info")
            .stdout(Stdio::piped());
        let process = Process::start(command, &self.folder.join("wechat.log"));
        let output = process.0.lock().unwrap().stdout.take();
        let mut output = BufReader::new(output.unwrap());
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
    pub(crate) async fn is_due(&self, chaos: &ChaosRun) {
        while chaos.begun() < self.from_order {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(self.pause_ms)).await;
    }
}

/// The merchant server of a mode: one process or several on one database.
pub(crate) struct MerchantServer {
    chaos: Arc<ChaosRun>,
    mode: Mode,
    program: PathBuf,
    folder: PathBuf,
    /// The address on PostgreSQL, if the database is not a file.
    on_postgres: Option<String>,
    instances: Vec<Instance>,
    kills: AtomicU64,
}

/// One process, running or killed.
struct Instance {
    name: String,
    /// `http://…`: the address on which it listens.
    address: String,
    process: Mutex<Option<Process>>,
}

/// What the servers of all modes share.
pub(crate) struct Programs<'a> {
    pub(crate) merchant_server: &'a Path,
    pub(crate) folder: &'a Path,
    /// The address for webhooks.
    pub(crate) webhooks: &'a str,
    pub(crate) postgres: Option<&'a Postgres>,
}

impl MerchantServer {
    /// Writes the configurations and starts a process at each of these addresses.
    pub(crate) fn start(
        chaos: Arc<ChaosRun>,
        mode: Mode,
        programs: &Programs<'_>,
        addresses: &[String],
    ) -> Self {
        let instances = addresses.iter().zip(1..).map(|(address, number)| Instance {
            name: format!("{}-{number}", mode.as_str()),
            address: address.clone(),
            process: Mutex::default(),
        });
        let server = Self {
            chaos,
            mode,
            program: programs.merchant_server.to_owned(),
            folder: programs.folder.to_owned(),
            on_postgres: programs.postgres.map(|postgres| postgres.address(mode)),
            instances: instances.collect(),
            kills: AtomicU64::new(0),
        };
        let database = match &server.on_postgres {
            Some(address) => address.clone(),
            None => server.file_name(),
        };
        for instance in &server.instances {
            let merchant = server.merchant();
            let mut config = configuration(merchant, &database, programs.webhooks);
            config.address.clone_from(&instance.address);
            let file = server.config(instance);
            std::fs::write(&file, config.to_toml()).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
            server.launch(instance);
        }
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

    /// The address of the database, for a program that only reads.
    pub(crate) fn database(&self) -> String {
        match &self.on_postgres {
            Some(address) => address.clone(),
            None => {
                let file = self.folder.join(self.file_name());
                format!("sqlite://{}?mode=ro", file.display())
            }
        }
    }

    fn file_name(&self) -> String {
        format!("{}.sqlite3", self.mode.as_str())
    }

    /// Runs a command of the same program on the same configuration, to its end.
    pub(crate) fn command(&self, words: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        self.chaos.clock.rule(&mut command);
        command
            .args(words)
            .arg("--config")
            .arg(self.config(&self.instances[0]))
            .env("RUST_LOG", "warn");
        command.output().unwrap()
    }

    /// Runs each kill of this server in its turn, of one process after the other. All are up again
    /// when this returns.
    pub(crate) async fn run_kills(&self, kills: &[Kill]) {
        let kills = kills.iter().filter(|kill| kill.mode == self.mode);
        for (kill, instance) in kills.zip(self.instances.iter().cycle()) {
            kill.is_due(&self.chaos).await;
            self.kill(instance);
            tokio::time::sleep(Duration::from_millis(kill.down_ms)).await;
            self.launch(instance);
            if let Some(again_after_ms) = kill.again_after_ms {
                tokio::time::sleep(Duration::from_millis(again_after_ms)).await;
                self.kill(instance);
                self.launch(instance);
            }
        }
    }

    /// Waits until each process answers.
    pub(crate) async fn is_up(&self) {
        for instance in &self.instances {
            self.is_instance_up(instance).await;
        }
    }

    async fn is_instance_up(&self, instance: &Instance) {
        let url = format!("{}/healthz", instance.address);
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
            self.log(instance).display()
        );
    }

    /// Reports each process that ended without having been killed.
    pub(crate) fn assert_alive(&self) {
        for instance in &self.instances {
            self.assert_instance_alive(instance);
        }
    }

    fn assert_instance_alive(&self, instance: &Instance) {
        let process = instance.process.lock().unwrap();
        if let Some(status) = process.as_ref().unwrap().ended() {
            let name = &instance.name;
            self.chaos
                .report_wrong("", format!("{name} ended by itself: {status}"));
        }
    }

    fn kill(&self, instance: &Instance) {
        self.assert_instance_alive(instance);
        let process = instance.process.lock().unwrap().take();
        let hit = process.unwrap().kill();
        self.kills.fetch_add(u64::from(hit), Ordering::Relaxed);
    }

    fn launch(&self, instance: &Instance) {
        let mut command = Command::new(&self.program);
        self.chaos.clock.rule(&mut command);
        command
            .arg("serve")
            .arg("--config")
            .arg(self.config(instance))
            .env("RUST_LOG", "warn,merchant_server=info,merchant_core=info")
            .stdout(Stdio::null());
        let process = Process::start(command, &self.log(instance));
        *instance.process.lock().unwrap() = Some(process);
    }

    fn config(&self, instance: &Instance) -> PathBuf {
        self.folder.join(format!("{}.toml", instance.name))
    }

    fn log(&self, instance: &Instance) -> PathBuf {
        self.folder.join(format!("{}.log", instance.name))
    }
}

fn open_log(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.create(true).append(true).open(path).unwrap()
}

fn configuration(merchant: &Merchant, database: &str, backend: &str) -> MerchantConfig {
    let merchant_json = match merchant.mode {
        Mode::Direct => "wechat/merchant.json",
        Mode::Partner => "wechat/merchants/2/merchant.json",
        Mode::Older => "wechat/merchants/3/merchant.json",
    };
    let mut config = MerchantConfig::new(&merchant.server, Path::new(merchant_json));
    config.set("database", format!("{database:?}"));
    config.set("return_origins", "[\"http://127.0.0.1:1\"]");
    config.set("trusted_proxies", "[\"127.0.0.1/32\"]");
    config.sell_everything(&merchant.appid);
    config.lift_rate_limits();
    config.send_webhooks(backend, WEBHOOK_SECRET);
    let more = match merchant.mode {
        Mode::Direct => "platform_certificate_files = [\"wechat/wechatpay_cert.pem\"]",
        // The other key stays: only version 3 sends an abnormal refund another way.
        Mode::Older => "api = \"v2\"",
        Mode::Partner => "",
    };
    config.merchant.push(more.to_owned());
    if let Some(sub) = &merchant.sub {
        config.sell_for(&sub.mchid, &sub.appid);
    }
    config
}
