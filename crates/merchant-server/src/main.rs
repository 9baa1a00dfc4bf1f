//! `merchant-server`: the command line. It reads a configuration and does what it is told; all
//! else is in the library.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use merchant_server::{Config, serve};
use tracing_subscriber::EnvFilter;

/// WeChat Pay for a shop's backend: create an order over HTTP, put its token into
/// `<wechat-pay>`, and learn that it is paid.
#[derive(Parser)]
#[command(name = "merchant-server", version, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Log in JSON, one object a line.
    #[arg(long, global = true)]
    log_json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server until SIGINT or SIGTERM.
    #[command(after_help = SERVE_HELP)]
    Serve(ConfigFile),
    /// Check the configuration and say what it comes to.
    CheckConfig {
        #[command(flatten)]
        file: ConfigFile,
        /// Ask WeChat, too: a signed query of a random number proves mchid, serial and all keys.
        #[arg(long)]
        live: bool,
    },
    /// Bring the database up to this version, making it where it is missing.
    Migrate(ConfigFile),
    /// Look at orders.
    #[command(subcommand)]
    Orders(Orders),
}

#[derive(Subcommand)]
enum Orders {
    /// Print an order with its attempts, as JSON.
    Show {
        #[command(flatten)]
        file: ConfigFile,
        /// The merchant's own number.
        order_no: String,
    },
}

#[derive(Args)]
struct ConfigFile {
    /// The TOML file; relative paths in it count from its own folder.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

const AFTER_HELP: &str = "\
First steps:
  1. Make an API key for the shop's backend, and its hash for the configuration:
       KEY=$(openssl rand -hex 32); printf %s \"$KEY\" | sha256sum
  2. Copy config.example.toml and fill it in; chmod 600 it and the files with keys.
  3. merchant-server check-config --live --config merchant-server.toml
  4. merchant-server serve --config merchant-server.toml
  5. curl -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' \\
       -d '{\"total_fen\":1990,\"description\":\"A pot of tea\"}' http://127.0.0.1:8080/v1/orders
     The answer holds the token for <wechat-pay>, and a checkout_url that needs no page of yours.

Exit codes: 0 done, 1 it failed, 2 usage or configuration.";

const SERVE_HELP: &str = "\
Any value of the file can be overridden by a variable: MERCHANT_SERVER__LISTEN,
MERCHANT_SERVER__GATEWAY__BASE_URL, MERCHANT_SERVER__MERCHANT__API_V3_KEY_FILE.
RUST_LOG chooses what is logged (default: info).
SIGHUP reads the file again: keys, certificates, API keys, webhooks, origins, proxies, limits and
products take effect at once; a bad file is refused, and the old one stays in force.

Exit codes: 0 ended as told, 1 could not start or go on, 2 usage or configuration.";

const EXIT_FAILED: u8 = 1;
const EXIT_CONFIG: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command, log_json } = Arguments::parse();
    start_logging(log_json);
    let file = match &command {
        Command::Serve(file) | Command::Migrate(file) => file,
        Command::CheckConfig { file, .. } | Command::Orders(Orders::Show { file, .. }) => file,
    };
    let config = match Config::load(&file.config) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "the configuration is refused");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    match Box::pin(run(&command, config)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "failed");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

async fn run(command: &Command, config: Config) -> Result<(), Box<dyn std::error::Error>> {
    match command {
        Command::Serve(ConfigFile { config: path }) => {
            let mut hangups = Hangups::listen();
            let next_config = async || {
                hangups.next().await;
                Config::load(path)
            };
            Ok(serve(config, next_config, told_to_end()).await?)
        }
        Command::CheckConfig { live, .. } => {
            say(&format!("{}\nthe configuration is good", summary(&config)))?;
            if *live {
                let surroundings = merchant_server::surroundings(&config)?;
                merchant_server::check_live(&config, &surroundings).await?;
                say("WeChat believes us, and we believe WeChat")?;
            }
            Ok(())
        }
        Command::Migrate(_) => {
            let version = merchant_server::migrate(&config).await?;
            say(&format!("the database is at version {version}"))
        }
        Command::Orders(Orders::Show { order_no, .. }) => {
            match merchant_server::show_order(&config, order_no).await? {
                Some(order) => say(&order),
                None => Err(format!("there is no order {order_no}").into()),
            }
        }
    }
}

/// What a configuration comes to, without any of its secrets.
fn summary(config: &Config) -> String {
    let products: Vec<_> = config
        .products
        .iter()
        .map(|product| product.as_str())
        .collect();
    let money = if config.gateway.is_live() {
        "real money"
    } else {
        "a simulator, no real money"
    };
    format!(
        "listen       {}\npublic       {}\ndatabase     {}\ngateway      {} ({money})\nmchid        {}\nappid        {}\nproducts     {}\nnotify_url   {}",
        config.listen,
        config.public_base_url,
        config.database.display(),
        config.gateway.origin,
        config.merchant.key.mchid(),
        config.merchant.appid,
        products.join(", "),
        config.merchant.notify_url.as_str(),
    )
}

/// What was asked for goes to the standard output; logs do not.
fn say(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
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

/// SIGHUP, by which a running server is told to read its configuration again.
struct Hangups(Option<tokio::signal::unix::Signal>);

impl Hangups {
    /// From here on the signal does not end the process.
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::hangup()) {
            Ok(hangups) => Self(Some(hangups)),
            Err(error) => {
                tracing::warn!(%error, "SIGHUP cannot be listened for; a new configuration needs a restart");
                Self(None)
            }
        }
    }

    async fn next(&mut self) {
        if let Some(hangups) = &mut self.0
            && hangups.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
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
