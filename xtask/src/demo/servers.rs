//! The three servers together: started in the order of their dependencies, and stopped together.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use super::ports::address;
use super::server::{LineSink, Server};
use super::settings::Settings;
use crate::failure::Failure;
use crate::repository;

/// The destination of the servers' lines.
#[derive(Clone, Copy)]
pub(super) enum Log {
    /// To standard error, each with its server's name.
    ToTerminal,
    /// To a file for each server in the data folder.
    ToFiles,
}

/// All servers, running.
pub(super) struct Servers {
    running: Vec<Server>,
}

impl Servers {
    /// Starts all servers. If one fails to start, those that run are stopped again.
    pub(super) fn start(settings: &Settings, log: Log) -> Result<Self, Failure> {
        let mut servers = Self {
            running: Vec::new(),
        };
        let ports = &settings.ports;
        let mut start = |name, command: &mut Command, health_url: String| -> Result<(), Failure> {
            let sink = sink(log, &settings.data_dir, name)?;
            let server = Server::start(name, command, &health_url, &sink)?;
            servers.running.push(server);
            Ok(())
        };
        // The simulator comes first: it writes the merchant.json that the merchant server reads.
        start(
            "simulator",
            program("wechat-pay-simulator")
                .args(["--listen", &address(ports.simulator)])
                .arg("--state")
                .arg(settings.simulator_dir())
                .arg("--wechat-browser")
                .arg(format!(
                    "{}={}",
                    address(ports.wechat_browser),
                    ports.shop_origin()
                )),
            // The simulator has the routes of WeChat Pay and no health check; its phone page needs
            // all of its parts.
            format!("{}/phone", ports.simulator_origin()),
        )?;
        start(
            "merchant-server",
            program("merchant-server")
                .args(["serve", "--config"])
                .arg(settings.write_merchant_config()?),
            format!("{}/healthz", ports.merchant_origin()),
        )?;
        start(
            "shop",
            program("demo-shop")
                .args(["--listen", &address(ports.shop)])
                .args(["--merchant-server", &ports.merchant_origin()])
                .args(["--public-origin", &ports.shop_origin()])
                .args(["--wechat-origin", &ports.wechat_origin()])
                // The key is passed by the environment: an argument would be visible to all users
                // in the list of processes.
                .env("DEMO_SHOP__API_KEY", &settings.api_key),
            format!("{}/healthz", ports.shop_origin()),
        )?;
        Ok(servers)
    }

    /// An error with the last lines, if a server has exited.
    pub(super) fn all_alive(&mut self) -> Result<(), Failure> {
        self.running.iter_mut().try_for_each(Server::alive)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // All servers get the request to exit before the first is waited for.
        for server in &self.running {
            server.ask_to_stop();
        }
    }
}

/// A program of this workspace that was built for this run.
pub(super) fn program(name: &str) -> Command {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let mut command = Command::new(repository::target_dir().join("debug").join(file));
    // The lines go to a file, or to the terminal beside the lines of other servers.
    command.env("NO_COLOR", "1");
    // Settings of other servers on this machine must not reach these.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MERCHANT_SERVER__") {
            command.env_remove(name);
        }
    }
    command
}

fn sink(log: Log, data_dir: &Path, name: &str) -> Result<LineSink, Failure> {
    match log {
        Log::ToTerminal => Ok(LineSink::Terminal),
        Log::ToFiles => {
            let folder = data_dir.join("logs");
            fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
            let path = folder.join(format!("{name}.log"));
            let file = File::create(&path).map_err(Failure::file(&path))?;
            Ok(LineSink::File(Arc::new(Mutex::new(file))))
        }
    }
}
