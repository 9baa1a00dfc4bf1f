//! `merchant-server`: the command line. It reads a configuration and serves; all else is in the
//! library.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use merchant_server::{Config, serve};
use tracing_subscriber::EnvFilter;

/// WeChat Pay for a shop's backend: create an order over HTTP, put its token into
/// `<wechat-pay>`, and learn that it is paid.
#[derive(Parser)]
#[command(name = "merchant-server", version, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server until SIGINT or SIGTERM.
    #[command(after_help = SERVE_HELP)]
    Serve {
        /// The TOML file; relative paths in it count from its own folder.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Log in JSON, one object a line.
        #[arg(long)]
        log_json: bool,
    },
}

const AFTER_HELP: &str = "\
First steps:
  1. Make an API key for the shop's backend, and its hash for the configuration:
       KEY=$(openssl rand -hex 32); printf %s \"$KEY\" | sha256sum
  2. Copy config.example.toml and fill it in.
  3. merchant-server serve --config merchant-server.toml
  4. curl -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' \\
       -d '{\"total_fen\":1990,\"description\":\"A pot of tea\"}' http://127.0.0.1:8080/v1/orders
     The answer holds the token for <wechat-pay>, and a checkout_url that needs no page of yours.";

const SERVE_HELP: &str = "\
Any value of the file can be overridden by a variable: MERCHANT_SERVER__LISTEN,
MERCHANT_SERVER__GATEWAY__BASE_URL, MERCHANT_SERVER__MERCHANT__API_V3_KEY_FILE.
RUST_LOG chooses what is logged (default: info).

Exit codes: 0 ended as told, 1 could not start or go on, 2 usage or configuration.";

const EXIT_FAILED: u8 = 1;
const EXIT_CONFIG: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Serve { config, log_json } = Arguments::parse().command;
    start_logging(log_json);
    let config = match Config::load(&config) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "the configuration is refused");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    match serve(config, told_to_end()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the server ends");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn start_logging(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if json {
        logging.json().init();
    } else {
        logging.init();
    }
}

/// SIGINT or SIGTERM.
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be listened for; SIGINT ends the server");
            let _ = tokio::signal::ctrl_c().await;
            return;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
