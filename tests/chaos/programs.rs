//! The two real programs as processes: WeChat, which stands, and the merchant server, which is
//! killed again and again and always comes up on the same database.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::{StormClock, clean_up_after};
use crate::plan::Kill;
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

/// Starts WeChat; gives its address along.
pub(crate) fn start_wechat(program: &Path, folder: &Path, clock: &StormClock) -> (Process, String) {
    let mut command = Command::new(program);
    clock.rule(&mut command);
    command
        .args(["--listen", "127.0.0.1:0", "--set", "payers=50", "--state"])
        .arg(folder.join("wechat"))
        .env("RUST_LOG", "warn,wechat_pay_simulator=info")
        .stdout(Stdio::piped());
    let mut process = Process::start(command, &folder.join("wechat.log"));
    let mut output = BufReader::new(process.0.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    // It must not find its standard output closed.
    std::thread::spawn(move || output.lines().map_while(Result::ok).for_each(drop));
    let address = line.split_whitespace().last().unwrap_or_default();
    assert!(
        address.starts_with("http://"),
        "WeChat did not start: {line}"
    );
    (process, address.to_owned())
}

/// The merchant server, up or down.
pub(crate) struct MerchantServer {
    world: Arc<World>,
    program: PathBuf,
    folder: PathBuf,
    process: Mutex<Option<Process>>,
    kills: AtomicU64,
}

impl MerchantServer {
    /// Writes the configuration and starts it.
    pub(crate) fn start(world: Arc<World>, program: &Path, folder: &Path, backend: &str) -> Self {
        let config = folder.join("merchant-server.toml");
        std::fs::write(&config, configuration(&world, backend)).unwrap();
        std::fs::set_permissions(&config, PermissionsExt::from_mode(0o600)).unwrap();
        let server = Self {
            world,
            program: program.to_owned(),
            folder: folder.to_owned(),
            process: Mutex::default(),
            kills: AtomicU64::new(0),
        };
        server.launch();
        server
    }

    /// How many kills hit a living process.
    pub(crate) fn kills(&self) -> u64 {
        self.kills.load(Ordering::Relaxed)
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("merchant-server.sqlite3")
    }

    /// Each kill in its turn; the server is up again when this returns.
    pub(crate) async fn suffer(&self, kills: &[Kill]) {
        for kill in kills {
            while self.world.begun() < kill.from_order {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(Duration::from_millis(kill.pause_ms)).await;
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
        let url = format!("{}/healthz", self.world.merchant);
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
            .arg(self.folder.join("merchant-server.toml"))
            .env("RUST_LOG", "warn,merchant_server=info")
            .stdout(Stdio::null());
        *self.process.lock().unwrap() = Some(Process::start(command, &self.log()));
    }

    fn log(&self) -> PathBuf {
        self.folder.join("merchant-server.log")
    }
}

fn open_log(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.create(true).append(true).open(path).unwrap()
}

fn configuration(world: &World, backend: &str) -> String {
    let listen = world.merchant.trim_start_matches("http://");
    format!(
        r#"
listen = "{listen}"
public_base_url = "{merchant}"
database = "merchant-server.sqlite3"
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
from_file = "wechat/merchant.json"
"#,
        merchant = world.merchant,
    )
}
