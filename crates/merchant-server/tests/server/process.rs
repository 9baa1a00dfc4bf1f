//! The program as the operating system sees it: signals, a port, exit codes.

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster;
use crate::test_server::{API_KEY, configuration};

/// SHA-256 of "another key", made with another program.
const OTHER_KEY: &str = "another key";
const OTHER_KEY_SHA256: &str = "2aa50b47c92342ddda1dccb774e50e497d759632db2c3a8b86b31a9d737f8151";

/// Much longer than any step below takes on the busiest machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The log's line once the port is open.
const IS_UP: &str = "merchant server is up";

/// The next JSON line of a log. It skips other lines, such as those of libfaketime.
fn next_line(log: &mut BufReader<ChildStderr>) -> Option<Value> {
    log.lines()
        .map_while(Result::ok)
        .find_map(|line| serde_json::from_str(&line).ok())
}

fn origin_of(up: &Value) -> String {
    let address = up["fields"]["listening_on"].as_str().unwrap();
    format!("http://{address}")
}

/// A server in a process of its own.
pub(crate) struct Process {
    child: Child,
    log: mpsc::Receiver<Value>,
    folder: TempDir,
    origin: String,
    /// The lines of the log before the port was open.
    early: Vec<Value>,
}

impl Process {
    fn start() -> Self {
        Self::start_through(&[])
    }

    /// The same, started by another program, which gets the server's command after its own
    /// arguments.
    pub(crate) fn start_through(through: &[&str]) -> Self {
        Self::start_with(through, "")
    }

    /// The same with more lines in the configuration.
    pub(crate) fn start_with(through: &[&str], lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("s.toml"), &served(lines));
        Self::start_in(folder, through)
    }

    /// In a folder with its configuration.
    fn start_in(folder: TempDir, through: &[&str]) -> Self {
        let (mut process, mut stderr) = Self::launch(folder, through);
        let (send, log) = mpsc::channel();
        process.log = log;
        std::thread::spawn(move || {
            while let Some(line) = next_line(&mut stderr) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        process.wait_until_up();
        process
    }

    /// A server whose log is not read once the port is open.
    pub(crate) fn start_unread(through: &[&str]) -> (Self, BufReader<ChildStderr>) {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("s.toml"), &served(""));
        let (mut process, mut stderr) = Self::launch(folder, through);
        let up = loop {
            let line = next_line(&mut stderr).unwrap();
            if line["fields"]["message"] == IS_UP {
                break line;
            }
        };
        process.origin = origin_of(&up);
        (process, stderr)
    }

    fn wait_until_up(&mut self) {
        let up = loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap();
            if line["fields"]["message"] == IS_UP {
                break line;
            }
            self.early.push(line);
        };
        self.origin = origin_of(&up);
    }

    fn launch(folder: TempDir, through: &[&str]) -> (Self, BufReader<ChildStderr>) {
        let program = env!("CARGO_BIN_EXE_merchant-server");
        let own = [program, "--log-json", "serve", "--config", "s.toml"];
        let command: Vec<_> = through.iter().copied().chain(own).collect();
        let mut child = Command::new(command[0])
            .args(&command[1..])
            .current_dir(folder.path())
            .env_clear()
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let process = Self {
            child,
            log: mpsc::channel().1,
            folder,
            origin: String::new(),
            early: Vec::new(),
        };
        (process, stderr)
    }

    /// The server's folder, with the database in it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Creates an order; returns its token.
    pub(crate) async fn order(&self, client: &reqwest::Client, order_no: &str) -> String {
        let order = json!({ "order_no": order_no, "total_fen": 1990, "description": "tea" });
        let made = client
            .post(format!("{}/v1/orders", self.origin))
            .bearer_auth(API_KEY)
            .header("content-type", "application/json")
            .body(order.to_string());
        let made = made.send().await.unwrap().text().await.unwrap();
        let made: Value = serde_json::from_str(&made).unwrap();
        made["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of the log.
    pub(crate) fn said(&self, message: &str) -> Value {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap();
            if line["fields"]["message"] == message {
                return line;
            }
        }
    }

    /// Waits for the end of the process; returns its exit code.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// The lines of the log of a process that has ended.
    pub(crate) fn rest_of_log(&self) -> Vec<Value> {
        self.log.iter().collect()
    }

    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(done.success());
    }

    fn configure(&self, text: &str) {
        write(&self.folder.path().join("s.toml"), text);
        self.signal("-HUP");
    }

    async fn may_list_orders(&self, key: &str) -> bool {
        let request = reqwest::Client::new()
            .get(format!("{}/v1/orders", self.origin))
            .bearer_auth(key);
        request.send().await.unwrap().status() == 200
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The good configuration, on a port that the system chooses.
fn served(lines: &str) -> String {
    configuration(&format!("listen = \"127.0.0.1:0\"\n{lines}"))
}

fn write(file: &Path, text: &str) {
    // Replace the file, as an editor or a deployment does.
    let new = file.with_extension("new");
    let text = cluster::configured_at_once(text, file.parent().unwrap());
    std::fs::write(&new, text).unwrap();
    std::fs::set_permissions(&new, Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(new, file).unwrap();
}

#[tokio::test]
async fn a_running_server_reloads_its_configuration_and_refuses_a_bad_one() {
    let process = Process::start();
    assert!(process.may_list_orders(API_KEY).await);
    assert!(!process.may_list_orders(OTHER_KEY).await);

    let other =
        format!("[[api_keys]]\nname = \"other\"\nsha256 = \"{OTHER_KEY_SHA256}\"\n[gateway]");
    let with_other = served("").replace("[gateway]", &other);
    process.configure(&with_other);
    process.said("a new configuration is loaded");
    assert!(process.may_list_orders(API_KEY).await);
    assert!(process.may_list_orders(OTHER_KEY).await);

    let refused = "the new configuration is refused; the old one stays";
    let bad = [
        (
            with_other.replace("trusted_proxies", "trusted_proxy"),
            "trusted_proxy",
        ),
        (
            with_other.replace("127.0.0.1:0", "127.0.0.1:1"),
            "listen cannot change without a restart",
        ),
    ];
    for (text, reason) in bad {
        process.configure(&text);
        let line = process.said(refused);
        let refusal = line["fields"]["refusal"].as_str().unwrap();
        assert!(refusal.contains(reason), "{reason} in {refusal}");
        assert!(process.may_list_orders(OTHER_KEY).await);
    }
    // A file that other users can read is refused now, as it would be at the start.
    let file = process.folder.path().join("s.toml");
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    process.signal("-HUP");
    let line = process.said(refused);
    assert!(
        line["fields"]["refusal"]
            .as_str()
            .unwrap()
            .contains("mode 644")
    );
}

/// What the program says before it ends without having started, with this configuration.
fn refusal(configuration: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("s.toml"), configuration);
    refusal_in(folder.path(), &[])
}

/// The same in a folder with its configuration, started by another program.
fn refusal_in(folder: &Path, through: &[&str]) -> String {
    let own = [
        env!("CARGO_BIN_EXE_merchant-server"),
        "serve",
        "--config",
        "s.toml",
    ];
    let command: Vec<_> = through.iter().copied().chain(own).collect();
    let ended = Command::new(command[0])
        .args(&command[1..])
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    said
}

#[test]
fn a_taken_port_is_named_with_the_setting_that_changes_it() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let said = refusal(&configuration(&format!("listen = \"{taken}\"")));
    assert!(said.contains(&taken), "{said}");
    assert!(said.contains("choose another port in `listen`"), "{said}");
}

#[test]
fn a_database_file_that_cannot_be_written_is_named() {
    // Its folder is a file, so root cannot write there either.
    let said = refusal(&served("database = \"s.toml/ledger.sqlite3\""));
    assert!(
        said.contains("s.toml/ledger.sqlite3 cannot be written"),
        "{said}"
    );
    assert!(said.contains("writable by the user"), "{said}");
}

#[tokio::test]
async fn a_database_that_others_can_read_is_reported_at_the_start_and_by_check_config() {
    if cluster::is_used() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    write(&folder.path().join("s.toml"), &served(""));
    let database = folder.path().join("merchant-server.sqlite3");
    std::fs::write(&database, "").unwrap();
    for (mode, is_exposed) in [(0o600, false), (0o644, true)] {
        std::fs::set_permissions(&database, Permissions::from_mode(mode)).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_merchant-server"))
            .args(["check-config", "--config", "s.toml"])
            .current_dir(folder.path())
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        let said = String::from_utf8(output.stdout).unwrap();
        let warned = said.contains("warning: database: ") && said.contains("has mode 644");
        assert_eq!(warned, is_exposed, "{mode:o}: {said}");
    }
    let process = Process::start_in(folder, &[]);
    let is_about_it = |line: &&Value| line["fields"]["event"] == "database.exposed";
    let line = process.early.iter().find(is_about_it).unwrap();
    let message = line["fields"]["message"].as_str().unwrap();
    assert!(
        message.contains("merchant-server.sqlite3 has mode 644"),
        "{message}"
    );
    // The server still serves calls.
    assert!(process.may_list_orders(API_KEY).await);
}

#[test]
fn a_database_that_may_only_be_read_ends_the_start_with_the_file_and_the_reason() {
    if cluster::is_used() {
        return;
    }
    // Rights do not bind root, unless it gives that power up.
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let as_user: &[&str] = if is_root {
        &["setpriv", "--bounding-set=-dac_override"]
    } else {
        &[]
    };
    let cases = [
        ("the file", "data/ledger.sqlite3", 0o400),
        ("its folder", "data", 0o500),
    ];
    for (case, place, mode) in cases {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("data/ledger.sqlite3");
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(&database, "").unwrap();
        write(
            &folder.path().join("s.toml"),
            &served("database = \"data/ledger.sqlite3\""),
        );
        let place = folder.path().join(place);
        std::fs::set_permissions(&place, Permissions::from_mode(mode)).unwrap();
        let said = refusal_in(folder.path(), as_user);
        for part in ["data/ledger.sqlite3 cannot be written", "denied"] {
            assert!(said.contains(part), "{case}: {part} in {said}");
        }
        std::fs::set_permissions(&place, Permissions::from_mode(0o700)).unwrap();
    }
}

#[tokio::test]
async fn on_sigterm_it_answers_waiting_polls_and_exits_with_0() {
    let mut process = Process::start();
    let client = reqwest::Client::new();
    let token = process.order(&client, "tea-0001").await;
    let poll = |seen: &str| {
        client
            .get(format!(
                "{}/v1/checkouts/{token}?wait=25&seen={seen}",
                process.origin
            ))
            .send()
    };
    // The version with which a poll starts to wait.
    let now: Value = serde_json::from_str(&poll("0").await.unwrap().text().await.unwrap()).unwrap();
    let seen = now["version"].to_string();
    let waiting: Vec<_> = (0..20).map(|_| tokio::spawn(poll(&seen))).collect();
    let began = std::time::Instant::now();
    while !metrics(&process)
        .await
        .contains("merchant_server_held_polls 20\n")
    {
        assert!(began.elapsed() < PATIENCE);
    }
    process.signal("-TERM");
    for poll in waiting {
        let answer = poll.await.unwrap().unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        // The poll was cut short: a poll that waits for its whole time answers 0 here.
        assert_eq!(answer["poll_after_ms"], 1_000);
    }
    assert_eq!(process.child.wait().unwrap().code(), Some(0));
}

pub(crate) async fn metrics(process: &Process) -> String {
    let request = reqwest::Client::new()
        .get(format!("{}/metrics", process.origin))
        .bearer_auth(API_KEY);
    request.send().await.unwrap().text().await.unwrap()
}
