//! The program as it is installed: it runs in a folder with nothing but its configuration, and serves
//! its pages and the element from itself.

#![expect(clippy::unwrap_used, reason = "a panic is the report of a test")]

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// SHA-256 of "key".
const API_KEY_SHA256: &str = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";

struct Installed {
    child: Child,
    origin: String,
    /// The log up to the line that the server is up.
    early: Vec<Value>,
    _folder: TempDir,
}

impl Drop for Installed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Installed {
    fn start(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let origin = "http://127.0.0.1:9";
        wechat_pay_simulator::Keyring::load_or_create(
            &keys,
            origin,
            jiff::Timestamp::now(),
            &wechat_pay_simulator::Random::system(),
        )
        .unwrap();
        let config = folder.path().join("s.toml");
        fs::write(&config, configuration(lines)).unwrap();
        fs::set_permissions(&config, Permissions::from_mode(0o600)).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_merchant-server"))
            .args(["--log-json", "serve", "--config", "s.toml"])
            .current_dir(folder.path())
            .env_clear()
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut early = Vec::new();
        let log = BufReader::new(child.stderr.take().unwrap());
        for line in log.lines().map_while(Result::ok) {
            let line: Value = serde_json::from_str(&line).unwrap();
            let is_up = line["fields"]["listening_on"].is_string();
            early.push(line);
            if is_up {
                break;
            }
        }
        let up = early.last().expect("a line");
        let address = up["fields"]["listening_on"].as_str().expect("it is up");
        Self {
            origin: format!("http://{address}"),
            child,
            early,
            _folder: folder,
        }
    }

    async fn get(&self, path: &str, accepted: &str) -> reqwest::Response {
        let request = reqwest::Client::new().get(format!("{}{path}", self.origin));
        let request = request.header("accept-encoding", accepted);
        request.send().await.unwrap()
    }
}

fn configuration(lines: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\npublic_base_url = \"http://127.0.0.1:8080\"\n{lines}\n\
         [[api_keys]]\nname = \"shop\"\nsha256 = \"{API_KEY_SHA256}\"\n\
         [gateway]\nenvironment = \"simulator\"\n[merchant]\nfrom_file = \"keys/merchant.json\"\n"
    )
}

/// The repository's bundle, if it is built: then the program has it too.
fn bundle() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/dist");
    folder.join("wechat-pay.js").is_file().then_some(folder)
}

/// All files of the bundle. Without a bundle, only the refusal can be compared.
#[tokio::test]
async fn every_file_of_the_element_comes_from_the_program() {
    let server = Installed::start("");
    let Some(folder) = bundle() else {
        let absent = server.get("/dist/wechat-pay.js", "br").await;
        assert_eq!(absent.status(), 404);
        let answer = absent.text().await.unwrap();
        assert!(answer.contains("cargo xtask dist"), "{answer}");
        let is_said = |line: &Value| line["fields"]["event"] == "bundle.absent";
        assert!(server.early.iter().any(is_said), "{:?}", server.early);
        return;
    };
    let mut compressed = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap();
        let path = format!("/dist/{name}");
        let plain = server.get(&path, "identity").await;
        assert_eq!(plain.status(), 200, "{name}");
        assert_eq!(plain.headers()["vary"], "accept-encoding", "{name}");
        let content = fs::read(&file).unwrap();
        assert_eq!(plain.bytes().await.unwrap(), content, "{name}");
        let small = folder.join(format!("{name}.br"));
        if small.is_file() {
            let sent = server.get(&path, "gzip, br").await;
            assert_eq!(sent.headers()["content-encoding"], "br", "{name}");
            assert_eq!(sent.bytes().await.unwrap(), fs::read(small).unwrap());
            compressed += 1;
        }
    }
    assert!(compressed > 3, "{compressed} files have a compressed form");
}

#[tokio::test]
async fn every_page_comes_from_the_program() {
    let server = Installed::start("");
    let client = reqwest::Client::new();
    let order = json!({"total_fen": 6_910, "description": "tea"});
    let order = client
        .post(format!("{}/v1/orders", server.origin))
        .bearer_auth("key")
        .header("content-type", "application/json")
        .body(order.to_string());
    let order = order.send().await.unwrap().text().await.unwrap();
    let order: Value = serde_json::from_str(&order).unwrap();
    let hosted = format!("/c/{}", order["token"].as_str().expect("a token"));
    for (path, status, part) in [
        (&*hosted, 200, "<wechat-pay"),
        ("/c/unknown", 404, "<!DOCTYPE html>"),
        ("/c.css", 200, "{"),
        ("/c.js", 200, "document"),
        ("/wechat/receipt", 200, "id=\"receipt\""),
        ("/receipt.js", 200, "receipt"),
        ("/till", 200, "id=\"till\""),
        ("/till/till.js", 200, "import"),
        ("/till/till.css", 200, "{"),
        ("/openapi.json", 200, "\"openapi\""),
        ("/healthz", 200, "ok"),
    ] {
        let page = server.get(path, "identity").await;
        let given = page.status();
        let text = page.text().await.unwrap();
        assert_eq!(given, status, "{path}: {text}");
        assert!(text.contains(part), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_folder_in_the_configuration_takes_precedence() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wechat-pay.js"), "own").unwrap();
    let server = Installed::start(&format!("bundle_dir = \"{}\"", folder.path().display()));
    let script = server.get("/dist/wechat-pay.js", "br").await;
    assert_eq!(script.text().await.unwrap(), "own");
    let other = server.get("/dist/problems.html", "br").await;
    assert_eq!(other.status(), 404, "no file of the program is mixed in");
}
