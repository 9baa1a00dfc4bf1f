//! `merchant-server`: the command line. It reads a configuration and does what it is told; all
//! else is in the library.

use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use merchant_api::{BillDifference, CreateRefund};
use merchant_server::{BillKind, Config, Finding, MerchantServer, serve};
use tracing_subscriber::EnvFilter;
use wechat_pay::bill::BillAccount;

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
    /// Give money back. The same number with the same values is the same refund, so it is safe to
    /// repeat.
    #[command(after_help = REFUND_HELP)]
    Refund(AskedRefund),
    /// Ask WeChat about every attempt and refund since a moment, and record what it vouches for.
    #[command(
        after_help = "Exit codes: 0 both agree, 1 they did not or it failed, 2 usage or configuration."
    )]
    Reconcile {
        #[command(flatten)]
        file: ConfigFile,
        /// RFC 3339, such as 2026-11-21T00:00:00+08:00.
        #[arg(long, value_name = "TIME")]
        since: jiff::Timestamp,
    },
    /// Compare WeChat's bill of a day with the ledger, and print each difference.
    #[command(
        after_help = "Exit codes: 0 both agree, 1 they do not or it failed, 2 usage or configuration."
    )]
    Bill {
        #[command(flatten)]
        file: ConfigFile,
        /// A day in Asia/Shanghai, such as 2026-11-21; ready at about ten o'clock the next day.
        day: String,
        /// Write the bill as WeChat has it into a new file, once its hash was checked, and
        /// compare nothing.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
        /// With --save: not the trade bill, but the flow of funds of an account.
        #[arg(long, value_name = "ACCOUNT", requires = "save")]
        fund_flow: Option<Account>,
    },
    /// List our certificates and WeChat's keys, or make an API key.
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
    /// Copy the database into a new file while the server works on it, and check the copy.
    Backup {
        #[command(flatten)]
        file: ConfigFile,
        /// The new file.
        to: PathBuf,
    },
}

#[derive(Subcommand)]
enum Keys {
    /// List our certificates and the keys that WeChat is believed by, with their expiry.
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// Ask WeChat for its certificates first.
        #[arg(long)]
        live: bool,
    },
    /// Make an API key for a backend, and what the configuration needs of it.
    New {
        /// A name for logs.
        #[arg(default_value = "shop")]
        name: String,
    },
}

/// An account at WeChat.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Account {
    Basic,
    Operation,
    Fees,
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
#[command(group = clap::ArgGroup::new("amount").required(true))]
struct AskedRefund {
    #[command(flatten)]
    file: ConfigFile,
    /// The merchant's own number of the order.
    order_no: String,
    /// How much, in fen.
    #[arg(long, group = "amount", value_name = "FEN")]
    fen: Option<u64>,
    /// All that is left of the payment.
    #[arg(long, group = "amount")]
    all: bool,
    /// The merchant's own number of the refund.
    #[arg(long, value_name = "NO")]
    refund_no: String,
    /// What the buyer reads.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
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
       merchant-server keys new shop
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

const REFUND_HELP: &str = "\
Prints the refund as JSON. Its state is requested (WeChat has not said yet that it took it; a server
that runs goes on with it), processing, succeeded, or what became of it since.

Exit codes: 0 it is taken down, now or before, 1 it was refused or failed, 2 usage or configuration.";

const EXIT_FAILED: u8 = 1;
const EXIT_CONFIG: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command, log_json } = Arguments::parse();
    start_logging(log_json);
    let file = match &command {
        Command::Serve(file) | Command::Migrate(file) => file,
        Command::CheckConfig { file, .. }
        | Command::Orders(Orders::Show { file, .. })
        | Command::Refund(AskedRefund { file, .. })
        | Command::Reconcile { file, .. }
        | Command::Bill { file, .. }
        | Command::Keys {
            command: Keys::List { file, .. },
        }
        | Command::Backup { file, .. } => file,
        Command::Keys {
            command: Keys::New { name },
        } => return ended(make_key(name)),
    };
    let config = match Config::load(&file.config) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "the configuration is refused");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    ended(Box::pin(run(&command, config)).await)
}

/// What a command came to.
enum Ending {
    Done,
    /// It was done, and found what it was to look for.
    Differs,
}

type Ran = Result<Ending, Box<dyn std::error::Error>>;

fn ended(ran: Ran) -> ExitCode {
    match ran {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Differs) => ExitCode::from(EXIT_FAILED),
        Err(error) => {
            tracing::error!(%error, "failed");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

async fn run(command: &Command, config: Config) -> Ran {
    match command {
        Command::Serve(ConfigFile { config: path }) => {
            let mut hangups = Hangups::listen();
            let next_config = async || {
                hangups.next().await;
                Config::load(path)
            };
            serve(config, next_config, told_to_end()).await?;
            Ok(Ending::Done)
        }
        Command::CheckConfig { live, .. } => {
            say(&format!("{}\nthe configuration is good", summary(&config)))?;
            for warning in config.warnings(jiff::Timestamp::now().as_second()) {
                say(&format!("warning: {warning}"))?;
            }
            if *live {
                let surroundings = merchant_server::surroundings(&config)?;
                merchant_server::check_live(&config, &surroundings).await?;
                say("WeChat believes us, and we believe WeChat")?;
            }
            Ok(Ending::Done)
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
        Command::Refund(refund) => ask_refund(config, refund).await,
        Command::Reconcile { since, .. } => reconcile(config, *since).await,
        Command::Bill {
            day,
            save: None,
            fund_flow: _,
            ..
        } => compare_bill(&config, day).await,
        Command::Bill {
            day,
            save: Some(to),
            fund_flow,
            ..
        } => save_bill(&config, day, *fund_flow, to).await,
        Command::Keys { command } => match command {
            Keys::List { live, .. } => list_keys(&config, *live).await,
            Keys::New { name } => make_key(name),
        },
        Command::Backup { to, .. } => {
            let orders = merchant_server::back_up(&config, to).await?;
            say(&format!(
                "{} is a whole copy with {orders} orders; it holds tokens and openids",
                to.display()
            ))
        }
    }
}

async fn ask_refund(config: Config, asked: &AskedRefund) -> Ran {
    let surroundings = merchant_server::surroundings(&config)?;
    let server = MerchantServer::open_as_it_is(config, surroundings).await?;
    let wanted = CreateRefund {
        refund_no: asked.refund_no.clone(),
        amount_fen: asked.fen,
        reason: asked.reason.clone(),
        funds_account: None,
        from: None,
        goods_detail: None,
    };
    let refund = server.ask_refund(&asked.order_no, &wanted).await?;
    say(&serde_json::to_string_pretty(&refund)?)
}

async fn reconcile(config: Config, since: jiff::Timestamp) -> Ran {
    let surroundings = merchant_server::surroundings(&config)?;
    let server = MerchantServer::open_as_it_is(config, surroundings).await?;
    let reconciled = server.reconcile(since.as_millisecond()).await?;
    for finding in &reconciled.findings {
        let Finding {
            number,
            here,
            there,
            done,
        } = finding;
        say(&format!("{number}: {here} here, WeChat: {there}. {done}"))?;
    }
    let count = reconciled.findings.len();
    say(&format!(
        "{} attempts and refunds asked about, {count} did not agree",
        reconciled.asked
    ))?;
    Ok(agreed(count == 0))
}

async fn compare_bill(config: &Config, day: &str) -> Ran {
    let surroundings = merchant_server::surroundings(config)?;
    let compared = merchant_server::compare_bill(config, &surroundings, day).await?;
    for difference in &compared.differences {
        say(&line_of(difference))?;
    }
    let count = compared.differences.len();
    say(&format!(
        "{}: {} payments of {} fen and {} refunds of {} fen at WeChat; {count} differences",
        compared.day,
        compared.payments.count,
        compared.payments.total_fen,
        compared.refunds.count,
        compared.refunds.total_fen,
    ))?;
    Ok(agreed(count == 0))
}

fn line_of(difference: &BillDifference) -> String {
    let named = [
        ("out_trade_no", &difference.out_trade_no),
        ("out_refund_no", &difference.out_refund_no),
        ("here", &difference.here),
        ("there", &difference.there),
    ];
    let known = named
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
    let words: Vec<_> = std::iter::once(difference.kind.clone())
        .chain(known)
        .collect();
    words.join(" ")
}

async fn save_bill(config: &Config, day: &str, account: Option<Account>, to: &Path) -> Ran {
    let kind = match account {
        None => BillKind::Trade,
        Some(Account::Basic) => BillKind::FundFlow(BillAccount::Basic),
        Some(Account::Operation) => BillKind::FundFlow(BillAccount::Operation),
        Some(Account::Fees) => BillKind::FundFlow(BillAccount::Fees),
    };
    let surroundings = merchant_server::surroundings(config)?;
    let Some(bill) = merchant_server::download_bill(config, &surroundings, kind, day).await? else {
        return say(&format!("nothing happened on {day}: WeChat has no bill"));
    };
    // It names buyers.
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    file.write_all(&bill)?;
    file.sync_all()?;
    say(&format!("{}: {} bytes", to.display(), bill.len()))
}

async fn list_keys(config: &Config, live: bool) -> Ran {
    let surroundings = merchant_server::surroundings(config)?;
    for key in merchant_server::known_keys(config, &surroundings, live).await? {
        let until = key.expires_at.as_deref().unwrap_or("-");
        say(&format!("{:<21}{:<44}{until}", key.kind, key.serial))?;
    }
    for warning in config.warnings(jiff::Timestamp::now().as_second()) {
        say(&format!("warning: {warning}"))?;
    }
    Ok(Ending::Done)
}

/// The key is shown this once, and kept nowhere.
fn make_key(name: &str) -> Ran {
    let (key, sha256) = merchant_server::new_api_key()?;
    say(&format!(
        "For the backend, as Authorization: Bearer …\n  {key}\nFor the configuration:\n  [[api_keys]]\n  name = {name:?}\n  sha256 = \"{sha256}\""
    ))
}

fn agreed(they_do: bool) -> Ending {
    if they_do {
        Ending::Done
    } else {
        Ending::Differs
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
fn say(text: &str) -> Ran {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(Ending::Done)
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
