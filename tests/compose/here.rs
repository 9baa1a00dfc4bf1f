//! The places of this test for those of a container: free ports, a folder, and the programs that were built
//! here. A text that names the others is translated, and nothing else of it changes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use payment_tests::port::Port;
use serde_json::Value;
use tempfile::TempDir;

use crate::{folder, texts};

/// The ports that the containers' programs listen on.
const PORTS: [&str; 5] = ["8080", "8081", "8082", "9410", "5432"];
/// The folders of a container, and where they are here. The folder of this test may be in `/tmp`, so that one
/// is the first to be translated.
const FOLDERS: [(&str, &str); 3] = [
    ("/tmp", "tmp"),
    ("/var/lib/wechat-pay-simulator", "wechat"),
    ("/etc/merchant-server", "etc"),
];
const CONFIGURATIONS: [&str; 2] = ["merchant-server.toml", "balancer.conf"];

pub(crate) struct Here {
    folder: TempDir,
    ports: BTreeMap<&'static str, String>,
}

impl Here {
    /// Takes free ports, and writes the configurations as the containers would find them.
    pub(crate) async fn take() -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut taken = Vec::new();
        for port in PORTS {
            taken.push((port, Port::take().await));
        }
        let ports = taken.into_iter();
        let ports = ports.map(|(port, here)| (port, here.release().to_string()));
        let here = Self {
            folder: place,
            ports: ports.collect(),
        };
        for (_, name) in FOLDERS {
            fs::create_dir(here.folder.path().join(name)).unwrap();
        }
        for name in CONFIGURATIONS {
            let text = fs::read_to_string(folder().join(name)).unwrap();
            let to = here.folder.path().join("etc").join(name);
            fs::write(to, here.text(&text)).unwrap();
        }
        here
    }

    /// A text of the example, with the places of this test. Nothing listens for other machines.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = text.replace("0.0.0.0:", "127.0.0.1:");
        // nginx takes a port alone for all addresses.
        text = text.replace("listen 8080;", "listen 127.0.0.1:8080;");
        for (folder, name) in FOLDERS {
            let here = self.folder.path().join(name);
            text = text.replace(folder, here.to_str().unwrap());
        }
        for (port, here) in &self.ports {
            text = text.replace(&format!("/{port}"), &format!("/{here}"));
            text = text.replace(&format!(":{port}"), &format!(":{here}"));
        }
        text
    }

    pub(crate) fn port(&self, port: &str) -> &str {
        &self.ports[port]
    }

    /// A command of the example, with our programs and PostgreSQL's before all others. It has no variable but
    /// those that it is given later.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        let system = env::var_os("PATH").unwrap();
        let own = [programs(), postgres_programs()].into_iter();
        let path = env::join_paths(own.chain(env::split_paths(&system))).unwrap();
        command
            .args(words[1..].iter().map(|word| self.text(word)))
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            // What PostgreSQL's programs take for 5432.
            .env("PGPORT", self.port("5432"))
            .stdin(Stdio::null());
        command
    }

    /// A service's command: what the image starts, and its words.
    pub(crate) fn service(&self, service: &Value) -> Command {
        let of_image = entrypoint_of_image(service["build"]["target"].as_str().unwrap());
        let entrypoint = match texts(&service["entrypoint"]) {
            none if none.is_empty() => vec![&*of_image],
            own => own,
        };
        let words = [entrypoint, texts(&service["command"])].concat();
        let mut command = self.command(&words);
        command.envs(self.variables(service));
        command
    }

    pub(crate) fn variables(&self, service: &Value) -> Vec<(String, String)> {
        let variables = service["environment"].as_object().into_iter().flatten();
        variables
            .map(|(name, value)| (name.clone(), self.text(value.as_str().unwrap())))
            .collect()
    }

    /// The server's own check of the configuration that it was started with, in the environment of the service.
    pub(crate) fn check_config(&self, service: &Value) -> Output {
        let file = "/tmp/merchant-server.toml";
        let mut command = self.command(&["merchant-server", "check-config", "--config", file]);
        command.envs(self.variables(service)).output().unwrap()
    }

    /// nginx with the balancer's configuration.
    pub(crate) fn nginx(&self, words: &[&str]) -> Command {
        let program = required("NGINX");
        let mut command = self.command(&[program.to_str().unwrap()]);
        let etc = self.folder.path().join("etc");
        command
            .args(words)
            .arg("-p")
            .arg(self.folder.path())
            .arg("-c")
            .arg(etc.join("balancer.conf"))
            // One process, so that none is left behind.
            .args(["-g", "master_process off;"]);
        command
    }

    /// What a service wrote to its standard error.
    pub(crate) fn log(&self, name: &str) -> String {
        fs::read_to_string(self.log_file(name)).unwrap_or_default()
    }

    pub(crate) fn log_file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }
}

/// The program that an image starts.
fn entrypoint_of_image(target: &str) -> String {
    let images = fs::read_to_string(folder().join("../Containerfile")).unwrap();
    let (_, image) = images.split_once(&format!(" AS {target}\n")).unwrap();
    let (_, entrypoint) = image.split_once("ENTRYPOINT [\"").unwrap();
    let (entrypoint, _) = entrypoint.split_once("\"]").unwrap();
    entrypoint.to_owned()
}

/// The folder with the two programs.
fn programs() -> PathBuf {
    required("PROGRAMS")
}

/// The folder with `initdb`.
pub(crate) fn postgres_programs() -> PathBuf {
    required("POSTGRES_BIN")
}

fn required(variable: &str) -> PathBuf {
    let value = env::var_os(variable);
    let value = value.unwrap_or_else(|| {
        panic!("{variable} is not set: `cargo xtask test --only compose` sets it")
    });
    value.into()
}
