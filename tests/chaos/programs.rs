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

use crate::clock::{StormClock, clean_up_after};
use crate::merchant::Merchant;
use crate::plan::{Kill, Mode};
use crate::wechat::Sky;
use crate::world::World;

/// The shop's key, and what the configuration holds of it.
pub(crate) const API_KEY: &str = "tests-key";
const API_KEY_SHA256: &str = "9041b924878743c7e88e8fd663d4c547a510c659d3427ef38c84ff95f4b6575b";
/// What webhooks are signed with; any 32 bytes.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A child process that does not outlive the storm.
pub(crate) struct Process(Child);

impl Process {
    fn start(mut command: Command, log: &Path) -> Self {
        let log = open_log(log);
        let child = command.stdin(Stdio::null()).stderr(log).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// `kill -9`. Says whether it hit a living process.
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

/// WeChat, up or down.
pub(crate) struct Wechat {
    program: PathBuf,
    folder: PathBuf,
    address: String,
    /// What a merchant entered in the portal: where the notifications of its refunds go.
    portal_notify_url: String,
    process: Mutex<Option<Process>>,
    kills: AtomicU64,
}

impl Wechat {
    /// Starts it at `address`, with a merchant for each mode. What is done in the portal is told
    /// to `server`.
    pub(crate) fn start(
        program: &Path,
        folder: &Path,
        address: &str,
        server: &str,
        clock: &StormClock,
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

    /// Its address, the same over all restarts.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// How many kills hit a living process.
    pub(crate) fn kills(&self) -> u64 {
        self.kills.load(Ordering::Relaxed)
    }

    /// Each kill in its turn. WeChat is up again, with the faults of the moment, when this returns.
    pub(crate) async fn suffer(&self, kills: &[Kill], world: &World, sky: &Sky) {
        for kill in kills {
            kill.is_due(world).await;
            sky.outlast(async {
                if !self.kill() {
                    world.accuse("", "WeChat ended by itself");
                }
                tokio::time::sleep(Duration::from_millis(kill.down_ms)).await;
                self.launch(&world.clock);
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

    /// Returns when it listens.
    fn launch(&self, clock: &StormClock) {
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
        // It must not find its standard output closed.
        std::thread::spawn(move || output.lines().map_while(Result::ok).for_each(drop));
        assert!(line.contains(&self.address), "WeChat did not start: {line}");
        *self.process.lock().unwrap() = Some(process);
    }
}

impl Kill {
    /// Waits until it is to strike.
    async fn is_due(&self, world: &World) {
        while world.begun() < self.from_order {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(self.pause_ms)).await;
    }
}

/// A merchant's server, up or down.
pub(crate) struct MerchantServer {
    world: Arc<World>,
    mode: Mode,
    program: PathBuf,
    folder: PathBuf,
    process: Mutex<Option<Process>>,
    kills: AtomicU64,
}

impl MerchantServer {
    /// Writes the configuration and starts it.
    pub(crate) fn start(
        world: Arc<World>,
        mode: Mode,
        program: &Path,
        folder: &Path,
        backend: &str,
    ) -> Self {
        let server = Self {
            world,
            mode,
            program: program.to_owned(),
            folder: folder.to_owned(),
            process: Mutex::default(),
            kills: AtomicU64::new(0),
        };
        let text = configuration(server.merchant(), backend);
        std::fs::write(server.config(), text).unwrap();
        std::fs::set_permissions(server.config(), PermissionsExt::from_mode(0o600)).unwrap();
        server.launch();
        server
    }

    /// Whose server it is.
    pub(crate) fn merchant(&self) -> &Merchant {
        self.world.merchant(self.mode)
    }

    /// How many kills hit a living process.
    pub(crate) fn kills(&self) -> u64 {
        self.kills.load(Ordering::Relaxed)
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join(format!("{}.sqlite3", self.mode.word()))
    }

    /// Runs a command of the same program on the same configuration, to its end.
    pub(crate) fn command(&self, words: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        self.world.clock.rule(&mut command);
        command
            .args(words)
            .arg("--config")
            .arg(self.config())
            .env("RUST_LOG", "warn");
        command.output().unwrap()
    }

    /// Each kill that is this server's, in its turn; it is up again when this returns.
    pub(crate) async fn suffer(&self, kills: &[Kill]) {
        for kill in kills.iter().filter(|kill| kill.mode == self.mode) {
            kill.is_due(&self.world).await;
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

    /// Waits until it answers.
    pub(crate) async fn is_up(&self) {
        let url = format!("{}/healthz", self.merchant().server);
        for _ in 0..600 {
            let answer = self.world.call("GET", &url, &[], crate::world::Body::None);
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

    /// Whether it lives, without anybody having killed it.
    pub(crate) fn assert_alive(&self) {
        let mut process = self.process.lock().unwrap();
        let process = process.as_mut().unwrap();
        if let Some(status) = process.0.try_wait().unwrap() {
            self.world
                .accuse("", format!("the merchant server ended by itself: {status}"));
        }
    }

    fn kill(&self) {
        self.assert_alive();
        let hit = self.process.lock().unwrap().take().unwrap().kill();
        self.kills.fetch_add(u64::from(hit), Ordering::Relaxed);
    }

    fn launch(&self) {
        let mut command = Command::new(&self.program);
        self.world.clock.rule(&mut command);
        command
            .arg("serve")
            .arg("--config")
            .arg(self.config())
            .env("RUST_LOG", "warn,merchant_server=info,merchant_core=info")
            .stdout(Stdio::null());
        *self.process.lock().unwrap() = Some(Process::start(command, &self.log()));
    }

    fn config(&self) -> PathBuf {
        self.folder.join(format!("{}.toml", self.mode.word()))
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.mode.word()))
    }
}

fn open_log(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.create(true).append(true).open(path).unwrap()
}

fn configuration(merchant: &Merchant, backend: &str) -> String {
    let server = &merchant.server;
    let listen = server.trim_start_matches("http://");
    let mode = merchant.mode.word();
    let own = match &merchant.sub {
        None => r#"from_file = "wechat/merchant.json"
platform_certificate_files = ["wechat/wechatpay_cert.pem"]
"#
        .to_owned(),
        Some(sub) => format!(
            r#"from_file = "wechat/merchants/2/merchant.json"

[[merchant.sub_merchants]]
sub_mchid = "{}"
sub_appid = "{}"
"#,
            sub.mchid, sub.appid
        ),
    };
    format!(
        r#"
listen = "{listen}"
public_base_url = "{server}"
database = "{mode}.sqlite3"
products = ["native", "h5", "jsapi", "mini_program", "app", "code_pay"]
return_origins = ["http://127.0.0.1:1"]
trusted_proxies = ["127.0.0.1/32"]
rate_limits = {{ token_per_minute = 1000000, address_per_minute = 100000000 }}

[[api_keys]]
name = "shop"
sha256 = "{API_KEY_SHA256}"

[[webhooks]]
url = "{backend}"
secret = "{WEBHOOK_SECRET}"

[gateway]
environment = "simulator"

[merchant]
app_appid = "{appid}"
mini_program_path = "/pages/pay/pay"
{own}"#,
        appid = merchant.appid,
    )
}
