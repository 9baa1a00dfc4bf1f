//! The demo on one machine: simulator, WeChat browser, merchant server and shop in this process, all
//! on loopback. `cargo xtask demo` builds it and its bundle, and starts it.
//!
//! It stays until Ctrl-C, and finds its orders and keys again at the next start. `--check` pays once in
//! each scene, keeps nothing, and ends. Exit code 0: all is well; 1: a payment failed or a server
//! ended; 2: the demo did not start.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program to be looked at: its output is what it is for"
)]

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

mod check;
mod servers;

use servers::{Demo, Failed, Ports};

/// A shop, a merchant server and WeChat Pay on this machine.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// Pay once in each scene, on free ports and in a folder that is deleted, and end.
    #[arg(long, conflicts_with_all = ["merchant_port", "simulator_port", "wechat_browser_port", "shop_port", "data_dir"])]
    check: bool,
    /// The merchant server's port.
    #[arg(long, default_value_t = 8080)]
    merchant_port: u16,
    /// The simulator's port.
    #[arg(long, default_value_t = 9410)]
    simulator_port: u16,
    /// The port of the simulator's WeChat browser.
    #[arg(long, default_value_t = 9411)]
    wechat_browser_port: u16,
    /// The shop's port.
    #[arg(long, default_value_t = 8000)]
    shop_port: u16,
    /// Where the orders, keys and logs are kept.
    #[arg(long, default_value = "demo-data")]
    data_dir: PathBuf,
    /// The folder with the element; without it the shop's page has none.
    #[arg(long)]
    bundle_dir: Option<PathBuf>,
}

/// Exit code: the demo could not start.
const NOT_STARTED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = if arguments.check {
        check(arguments).await
    } else {
        stay(arguments).await
    };
    match done {
        Ok(code) => code,
        Err(failed) => {
            eprintln!("\n{failed}");
            ExitCode::from(match failed {
                Failed::ToStart(_) => NOT_STARTED,
                Failed::ToStay(_) => 1,
            })
        }
    }
}

async fn check(arguments: Arguments) -> Result<ExitCode, Failed> {
    start_log(BoxMakeWriter::new(std::io::stderr));
    let folder = tempfile::tempdir()?;
    let ports = Ports::free().await?;
    let demo = Demo::in_folder(folder.path(), &ports)?;
    let are_all_paid = demo
        .run(ports, arguments.bundle_dir, check::pay_in_every_scene)
        .await?;
    Ok(ExitCode::from(u8::from(!are_all_paid)))
}

async fn stay(arguments: Arguments) -> Result<ExitCode, Failed> {
    let ports = Ports::bind(
        arguments.simulator_port,
        arguments.wechat_browser_port,
        arguments.merchant_port,
        arguments.shop_port,
    )
    .await?;
    let demo = Demo::in_folder(&arguments.data_dir, &ports)?;
    let logs = demo.data_dir.join("logs");
    std::fs::create_dir_all(&logs)?;
    start_log(BoxMakeWriter::new(Mutex::new(File::create(
        logs.join("demo.log"),
    )?)));
    demo.run(ports, arguments.bundle_dir, async |demo: &Demo| {
        introduce(demo);
        stop_signal().await;
        eprintln!("\nstopping");
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

fn start_log(writer: BoxMakeWriter) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer)
        .init();
}

/// Prints one line for each address, and what to try there.
fn introduce(demo: &Demo) {
    let Demo {
        merchant,
        simulator,
        shop,
        wechat_browser,
        data_dir,
        ..
    } = demo;
    println!(
        "\n\
         {shop}/\n    the shop: buy something; at a desk you get a QR code, with a phone's User-Agent the way to WeChat\n\
         {shop}/gallery/\n    every state of the element, in Chinese, English and from right to left, light and dark\n\
         {simulator}/phone\n    the phone: scan the shop's QR code (pick it from the open codes), then pay, cancel or fail\n\
         {wechat_browser}/\n    the shop inside WeChat: buy something and pay in WeChat's own cashier\n\
         {merchant}/\n    the merchant server: the contract under /v1; the key of its private side is in {key}\n\
         {merchant}/desk\n    the merchant's desk: takings, orders, refunds; its key is in {desk_key}\n\
         Logs, orders and keys are in {data}. Ctrl-C ends it all.",
        key = demo.api_key_file().display(),
        desk_key = demo.desk_key_file().display(),
        data = data_dir.display(),
    );
}

async fn stop_signal() {
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
