//! The demo on one machine: simulator, WeChat browser, merchant server, shop. They are the programs that
//! a merchant runs, each a process of its own.
//!
//! Everything listens on loopback. `--check` pays once in each scene and ends; without it the
//! servers stay until Ctrl-C.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use clap::Args;

use crate::failure::Failure;
use crate::setup::{self, Purpose};
use crate::{console, dist, process, repository};

mod check;
mod ports;
mod server;
mod servers;
mod settings;

use ports::Ports;
use servers::{Log, Servers};
use settings::Settings;

/// Where the demo runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Pay once in each scene through HTTP, on free ports, and end
    #[arg(long, conflicts_with_all = ["merchant_port", "simulator_port", "shop_port", "data_dir"])]
    check: bool,
    /// The merchant server's port
    #[arg(long, default_value_t = 8080)]
    merchant_port: u16,
    /// The simulator's port; its WeChat browser has the next one
    #[arg(long, default_value_t = 9410)]
    simulator_port: u16,
    /// The shop's port
    #[arg(long, default_value_t = 8000)]
    shop_port: u16,
    /// Where the orders, keys and logs are kept [default: demo-data in the repository]
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// Exit code: the demo could not start.
const NOT_STARTED: u8 = 2;

/// Runs the demo, or its check. Exit code 0: all is well; 1: a payment failed or a server died; 2:
/// the demo did not start.
pub(crate) fn run(options: &Options) -> ExitCode {
    let stop = stop_on_ctrl_c();
    let started = if options.check {
        return match check() {
            Ok(code) => code,
            Err(failure) => not_started(&failure),
        };
    } else {
        start(options)
    };
    let (mut servers, settings) = match started {
        Ok(started) => started,
        Err(failure) => return not_started(&failure),
    };
    introduce(&settings);
    match stay(&mut servers, stop) {
        Ok(()) => {
            console::note("\nstopping");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            console::note(format!("\n{failure}"));
            ExitCode::FAILURE
        }
    }
}

/// The check as a step of the test run.
pub(crate) fn check_for_test() -> Result<(), Failure> {
    let code = check()?;
    if code == ExitCode::SUCCESS {
        return Ok(());
    }
    Err(Failure::Server(
        "not every scene was paid: see the rows above".to_owned(),
    ))
}

fn start(options: &Options) -> Result<(Servers, Settings), Failure> {
    let ports = Ports::wanted(
        options.simulator_port,
        options.merchant_port,
        options.shop_port,
    )?;
    // Checked before anything is built: otherwise this answer would come minutes later.
    ports.ensure_free()?;
    setup::provide(Purpose::Demo.needs())?;
    build(&[SERVERS])?;
    let data_dir = options
        .data_dir
        .clone()
        .unwrap_or_else(|| repository::root().join("demo-data"));
    let bundle_dir = dist::quick_beside_the_shipped()?;
    let settings = Settings::in_folder(&data_dir, ports, Some(bundle_dir))?;
    let servers = console::timed("demo: the servers start", || {
        Servers::start(&settings, Log::ToFiles)
    })?;
    Ok((servers, settings))
}

fn check() -> Result<ExitCode, Failure> {
    build(&[SERVERS, CHECK])?;
    let folder = settings::TemporaryFolder::new()?;
    let bundle_dir = Some(repository::dist_dir()).filter(|folder| folder.is_dir());
    let settings = Settings::in_folder(folder.path(), Ports::free()?, bundle_dir)?;
    let mut servers = console::timed("demo: the servers start", || {
        Servers::start(&settings, Log::ToTerminal)
    })?;
    let are_all_paid = check::every_scene(&settings, &mut servers)?;
    Ok(if are_all_paid {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The packages of the servers.
const SERVERS: &[&str] = &["wechat-pay-simulator", "merchant-server", "demo-shop"];
/// The package of the program that pays in each scene.
const CHECK: &[&str] = &["payment-tests"];

fn build(packages: &[&[&str]]) -> Result<(), Failure> {
    console::timed("demo: the servers are built", || {
        let packages = packages.iter().copied().flatten();
        process::run(
            repository::cargo()
                .args(["build", "--bins", "--target-dir"])
                .arg(repository::target_dir())
                .args(packages.map(|package| format!("--package={package}"))),
        )
    })
}

/// Prints one line for each address, and what to try there.
fn introduce(settings: &Settings) {
    let Settings { ports, .. } = settings;
    let shop = ports.shop_origin();
    let simulator = ports.simulator_origin();
    let wechat = ports.wechat_origin();
    let merchant = ports.merchant_origin();
    console::answer(format!(
        "\n\
         {shop}/\n    the shop: buy something; at a desk you get a QR code, with a phone's User-Agent the way to WeChat\n\
         {shop}/gallery/\n    every state of the element, in Chinese, English and from right to left, light and dark\n\
         {simulator}/phone\n    the phone: scan the shop's QR code (pick it from the open codes), then pay, cancel or fail\n\
         {wechat}/\n    the shop inside WeChat: buy something and pay in WeChat's own cashier\n\
         {merchant}/\n    the merchant server: the contract under /v1; the key of its private side is in {key}\n\
         Logs, orders and keys are in {data}. Ctrl-C ends it all.",
        key = settings.api_key_file().display(),
        data = settings.data_dir.display(),
    ));
}

fn stay(servers: &mut Servers, stop: &AtomicBool) -> Result<(), Failure> {
    while !stop.load(Ordering::Relaxed) {
        servers.all_alive()?;
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn not_started(failure: &Failure) -> ExitCode {
    console::note(format!("\nthe demo could not start: {failure}"));
    ExitCode::from(NOT_STARTED)
}

fn stop_on_ctrl_c() -> &'static AtomicBool {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    STOP.get_or_init(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let set = ctrlc::set_handler(move || told.store(true, Ordering::Relaxed));
        if set.is_err() {
            console::note("Ctrl-C will end the demo abruptly here");
        }
        stop
    })
}
