//! The first payment of the quick start, as a newcomer makes it: each command of the page runs as it is written, in one
//! folder, and the buyer has two tabs of Chromium. Only the ports differ, and what the page tells its reader to paste.

use std::process::Command;
use std::{env, fs};

use payment_tests::browser::{Browser, Visitor, visit};
use payment_tests::example_program::ExampleProgram;
use payment_tests::port::Port;
use payment_tests::scanner::scan;
use payment_tests::wait::until;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backend::variable;

const ENGLISH: &str = include_str!("../../docs/en/quick-start.md");
const CHINESE: &str = include_str!("../../docs/zh/quick-start.md");

#[tokio::test]
async fn the_first_payment_of_the_english_quick_start_succeeds() {
    the_first_payment_succeeds(ENGLISH, "the hash that keys new printed").await;
}

#[tokio::test]
async fn the_first_payment_of_the_chinese_quick_start_succeeds() {
    the_first_payment_succeeds(CHINESE, "keys new 打印的哈希").await;
}

async fn the_first_payment_succeeds(document: &str, hash_to_paste: &'static str) {
    let steps = steps(document);
    let (last, before) = steps.split_last().unwrap();
    let mut newcomer = Newcomer::new(hash_to_paste).await;
    let mut printed = String::new();
    for step in before {
        printed = newcomer.follow(step).await;
    }
    let order: Value = serde_json::from_str(&printed).expect(&printed);
    let checkout_url = order["checkout_url"].as_str().expect(&printed);
    let phone = "http://127.0.0.1:9410/phone";
    assert!(document.contains(&format!("`{phone}`")));
    visit(Visitor::Desktop, async |buyer| {
        pay(buyer, checkout_url, &newcomer.here(phone)).await;
    })
    .await;
    let printed = newcomer.follow(last).await;
    let order: Value = serde_json::from_str(&printed).expect(&printed);
    assert_eq!(order["state"], "paid", "{order}");
}

/// The buyer looks at the code in one tab, and scans and confirms in the other.
async fn pay(buyer: &Browser, checkout_url: &str, phone: &str) {
    buyer.open(checkout_url).await;
    buyer.until_element_is(&["qr"]).await;
    let codes = scan(&buyer.screenshot().await);
    assert_eq!(codes.len(), 1, "{codes:?}");
    let shop = buyer.window().await;
    let tab = buyer.open_tab().await;
    buyer.switch_to(&tab).await;
    buyer.open(phone).await;
    let listed = "return [...document.querySelectorAll('#codes a')]
        .map((link) => new URL(link.href).searchParams.get('code_url'))";
    assert_eq!(buyer.look(listed, vec![]).await, json!(codes));
    buyer.click("#codes a").await;
    buyer.click("button[value='success']").await;
    buyer.switch_to(&shop).await;
    buyer.until_element_is(&["paid"]).await;
}

/// What a reader does: runs a command, or writes the configuration.
#[derive(Debug)]
enum Step {
    Command(String),
    Configuration(String),
}

/// The steps of the section that has a configuration.
fn steps(document: &str) -> Vec<Step> {
    let section = document
        .split("\n## ")
        .find(|section| section.contains("```toml"));
    let mut steps = Vec::new();
    for block in section.unwrap().split("```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').unwrap();
        match language {
            "toml" => steps.push(Step::Configuration(text.to_owned())),
            "console" => steps.extend(commands(text)),
            other => panic!("a block in {other:?}"),
        }
    }
    steps
}

/// Each begins at a prompt, and may go on for several lines.
fn commands(text: &str) -> impl Iterator<Item = Step> {
    let text = text.strip_prefix("$ ").expect("a prompt");
    text.trim_end()
        .split("\n$ ")
        .map(|command| Step::Command(command.to_owned()))
}

/// The reader, in one folder, with the programs that run in other terminals.
struct Newcomer {
    folder: TempDir,
    simulator: Place,
    merchant_server: Place,
    hash_to_paste: &'static str,
    /// What `keys new` printed.
    key: String,
    hash: String,
    programs: Vec<ExampleProgram>,
}

/// Where a program listens: as the page has it, and here.
struct Place {
    written: &'static str,
    here: String,
    /// Until the program starts.
    port: Option<Port>,
}

impl Newcomer {
    async fn new(hash_to_paste: &'static str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            simulator: Place::instead_of("127.0.0.1:9410").await,
            merchant_server: Place::instead_of("127.0.0.1:8080").await,
            hash_to_paste,
            key: String::new(),
            hash: String::new(),
            programs: Vec::new(),
        }
    }

    /// Does the step. Returns what it printed; a program that goes on in its terminal returns nothing.
    async fn follow(&mut self, step: &Step) -> String {
        match step {
            Step::Configuration(text) => self.write(text),
            Step::Command(command) if command.starts_with("export KEY=") => {}
            Step::Command(command) if command.starts_with("wechat-pay-simulator ") => {
                let port = self.simulator.port.take();
                self.start(command, port.unwrap()).await;
                // A reader waits for what it prints after that.
                let merchant = self.folder.path().join("simulator/merchant.json");
                until("the simulator's merchant", async || {
                    fs::metadata(&merchant).map_err(|error| error.to_string())
                })
                .await;
            }
            Step::Command(command) if command.starts_with("merchant-server serve ") => {
                let port = self.merchant_server.port.take();
                self.start(command, port.unwrap()).await;
            }
            Step::Command(command) => return self.run(command).await,
        }
        String::new()
    }

    fn write(&self, configuration: &str) {
        let (comment, _) = configuration.split_once('\n').unwrap();
        let name = comment.strip_prefix("# ").unwrap();
        assert!(
            configuration.contains(self.hash_to_paste),
            "{configuration}"
        );
        let pasted = configuration.replace(self.hash_to_paste, &self.hash);
        fs::write(self.folder.path().join(name), self.here(&pasted)).unwrap();
    }

    async fn start(&mut self, command: &str, port: Port) {
        let command = self.shell(&format!("exec {command}"));
        let program = ExampleProgram::start(port, |_, _| command);
        self.programs.push(program.await);
    }

    async fn run(&mut self, command: &str) -> String {
        let mut shell = tokio::process::Command::from(self.shell(command));
        let output = shell.kill_on_drop(true).output().await.unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        let printed = String::from_utf8(output.stdout).unwrap();
        if command.starts_with("merchant-server keys new ") {
            after(&printed, "Bearer …\n  ").clone_into(&mut self.key);
            let hash = after(&printed, "sha256 = \"").trim_end_matches('"');
            hash.clone_into(&mut self.hash);
        }
        printed
    }

    fn shell(&self, command: &str) -> Command {
        let system = env::var_os("PATH").unwrap();
        let ours = [variable("PROGRAMS").into()].into_iter();
        let path = env::join_paths(ours.chain(env::split_paths(&system))).unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &self.here(command)])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("KEY", &self.key);
        shell
    }

    /// A text of the page, with the places of this test.
    fn here(&self, text: &str) -> String {
        let places = [&self.simulator, &self.merchant_server];
        places.into_iter().fold(text.to_owned(), |text, place| {
            text.replace(place.written, &place.here)
        })
    }
}

impl Place {
    async fn instead_of(written: &'static str) -> Self {
        let port = Port::take().await;
        Self {
            written,
            here: port.origin.trim_start_matches("http://").to_owned(),
            port: Some(port),
        }
    }
}

/// The rest of the line after a mark.
fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    let (_, after) = text.split_once(mark).expect(text);
    after.lines().next().unwrap()
}
