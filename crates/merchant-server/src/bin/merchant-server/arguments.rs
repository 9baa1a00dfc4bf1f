//! The command line as it is written: words, help, and nothing that is done.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;

/// WeChat Pay for a shop's backend: create an order over HTTP, put its token into
/// `<wechat-pay>`, and learn that it is paid.
#[derive(Parser)]
#[command(name = "merchant-server", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Log in JSON, one object a line.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server until SIGINT or SIGTERM.
    #[command(after_help = SERVE_HELP)]
    Serve(ConfigFile),
    /// Check the configuration and say what it comes to.
    #[command(after_help = CHECK_HELP)]
    CheckConfig {
        #[command(flatten)]
        file: ConfigFile,
        /// Ask WeChat as well, and print for each secret and id whether it is proved.
        #[arg(long)]
        live: bool,
        /// With --live: make an order of one fen for each appid and close it. Only that proves
        /// that an appid belongs to the merchant number.
        #[arg(long, requires = "live")]
        place_order: bool,
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
        #[arg(value_parser = |text: &str| merchant_server::read_day(text).ok_or(merchant_server::DAY_RULE))]
        day: Date,
        /// Partner mode: the bill of one sub-merchant alone.
        #[arg(long, value_name = "NO")]
        sub_mchid: Option<String>,
        /// Write the bill as WeChat has it into a new file, once its hash was checked, and
        /// compare nothing.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
        /// With --save: not the trade bill, but the flow of funds of an account; a sub-merchant's
        /// comes encrypted, and is opened.
        #[arg(long, value_name = "ACCOUNT", requires = "save")]
        fund_flow: Option<Account>,
    },
    /// Look at payments and refunds that WeChat vouches for and that fit nothing here.
    #[command(subcommand)]
    Mismatches(Mismatches),
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
pub(crate) enum Keys {
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
pub(crate) enum Account {
    Basic,
    Operation,
    Fees,
}

#[derive(Subcommand)]
pub(crate) enum Orders {
    /// Print an order with its attempts, as JSON.
    Show {
        #[command(flatten)]
        file: ConfigFile,
        /// The merchant's own number.
        order_no: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum Mismatches {
    /// List those that nobody has seen to, newest first.
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// Those that were seen to, too.
        #[arg(long)]
        all: bool,
    },
    /// Mark one as seen to: it is no alarm any more.
    Done {
        #[command(flatten)]
        file: ConfigFile,
        /// Its number in the list.
        no: u32,
        /// What was found.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("amount").required(true))]
pub(crate) struct AskedRefund {
    #[command(flatten)]
    pub(crate) file: ConfigFile,
    /// The merchant's own number of the order.
    pub(crate) order_no: String,
    /// How much, in fen.
    #[arg(long, group = "amount", value_name = "FEN")]
    pub(crate) fen: Option<u64>,
    /// All that is left of the payment.
    #[arg(long, group = "amount")]
    pub(crate) all: bool,
    /// The merchant's own number of the refund.
    #[arg(long, value_name = "NO")]
    pub(crate) refund_no: String,
    /// What the buyer reads.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Args)]
pub(crate) struct ConfigFile {
    /// The TOML file; relative paths in it count from its own folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

impl Command {
    /// The configuration that the command works with; `None` where it needs none.
    pub(crate) fn config_file(&self) -> Option<&Path> {
        let file = match self {
            Self::Serve(file) | Self::Migrate(file) => file,
            Self::CheckConfig { file, .. }
            | Self::Orders(Orders::Show { file, .. })
            | Self::Refund(AskedRefund { file, .. })
            | Self::Reconcile { file, .. }
            | Self::Bill { file, .. }
            | Self::Mismatches(Mismatches::List { file, .. } | Mismatches::Done { file, .. })
            | Self::Keys {
                command: Keys::List { file, .. },
            }
            | Self::Backup { file, .. } => file,
            Self::Keys {
                command: Keys::New { .. },
            } => return None,
        };
        Some(&file.config)
    }
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

const CHECK_HELP: &str = "\
With --live, one line for each secret, id and address:
  proved      WeChat's answer shows that the value is right
  not proved  nothing was shown; the line says what would show it
  wrong       WeChat's answer shows that the value is wrong; the line says what to do
A secret of an account (app_secret, mini_program_secret) is tried with a made-up code. Then a made-up
secret is tried once, to see that WeChat tells one from the other.

Exit codes: 0 nothing is wrong (with --live: and WeChat signed an answer; lines that say not proved
do not count), 1 something is wrong or WeChat gave no signed answer, 2 usage or configuration.";

const SERVE_HELP: &str = "\
Any value of the file can be overridden by a variable: MERCHANT_SERVER__LISTEN,
MERCHANT_SERVER__GATEWAY__BASE_URL, MERCHANT_SERVER__MERCHANT__API_V3_KEY_FILE. A text stands there
as it is, digits too; lists and tables are written as in the file.
RUST_LOG chooses what is logged (default: info).
SIGHUP reads the file again: keys, certificates, API keys, webhooks, origins, proxies, limits and
products take effect at once; a bad file is refused, and the old one stays in force.

Exit codes: 0 ended as told, 1 could not start or go on, 2 usage or configuration.";

const REFUND_HELP: &str = "\
Prints the refund as JSON. Its state is requested (WeChat has not said yet that it took it; a server
that runs goes on with it), processing, succeeded, or what became of it since.

Exit codes: 0 it is taken down, now or before, 1 it was refused or failed, 2 usage or configuration.";
