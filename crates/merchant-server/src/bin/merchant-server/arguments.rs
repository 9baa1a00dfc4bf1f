//! The arguments of the command line and their help. What a command does is in `commands`.

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
    /// Check the configuration and print a summary.
    #[command(after_help = CHECK_HELP)]
    CheckConfig {
        #[command(flatten)]
        file: ConfigFile,
        /// Check each secret and id against WeChat, too.
        #[arg(long)]
        live: bool,
        /// With --live: create an order of one fen for each appid and close it. Only an order
        /// proves that an appid belongs to the merchant number.
        #[arg(long, requires = "live")]
        place_order: bool,
    },
    /// Migrate the database to this version, or create it.
    Migrate(ConfigFile),
    /// Show orders.
    #[command(subcommand)]
    Orders(Orders),
    /// Refund an order. The same number with the same values is the same refund, so a repetition is
    /// safe.
    #[command(after_help = REFUND_HELP)]
    Refund(AskedRefund),
    /// Query WeChat about every attempt and refund since a time, and record its signed answers.
    #[command(
        after_help = "Exit codes: 0 both agree, 1 they differ or the command failed, 2 usage or configuration."
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
        after_help = "Exit codes: 0 both agree, 1 they differ or the command failed, 2 usage or configuration."
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
        /// Save WeChat's bill to a new file after checking its hash, and compare nothing.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
        /// With --save: save the fund flow of an account, not the trade bill. A sub-merchant's fund
        /// flow is decrypted.
        #[arg(long, value_name = "ACCOUNT", requires = "save")]
        fund_flow: Option<Account>,
    },
    /// List and resolve mismatches: payments and refunds at WeChat that do not match the ledger.
    #[command(subcommand)]
    Mismatches(Mismatches),
    /// List the merchant's certificates and WeChat's keys, or create an API key.
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
    /// Copy the database to a new file, even while the server runs, and check the copy.
    Backup {
        #[command(flatten)]
        file: ConfigFile,
        /// The new file.
        to: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// List the merchant's certificates and WeChat's trusted keys, with their expiry.
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// Download WeChat's certificates first.
        #[arg(long)]
        live: bool,
    },
    /// Create an API key for a backend, and print its hash for the configuration.
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
    /// List unresolved mismatches, newest first.
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// Include resolved mismatches.
        #[arg(long)]
        all: bool,
    },
    /// Mark a mismatch as resolved; it stops alerting.
    Done {
        #[command(flatten)]
        file: ConfigFile,
        /// The mismatch's number in the list.
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
    /// The amount, in fen.
    #[arg(long, group = "amount", value_name = "FEN")]
    pub(crate) fen: Option<u64>,
    /// Refund the whole amount that is left of the payment.
    #[arg(long, group = "amount")]
    pub(crate) all: bool,
    /// The merchant's own number of the refund.
    #[arg(long, value_name = "NO")]
    pub(crate) refund_no: String,
    /// The reason, shown to the buyer.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Args)]
pub(crate) struct ConfigFile {
    /// The TOML file. Relative paths in it are relative to its folder.
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
  1. Create an API key for the shop's backend; it prints the hash for the configuration:
       merchant-server keys new shop
  2. Copy config.example.toml and fill it in; run chmod 600 on it and on the files with keys.
  3. merchant-server check-config --live --config merchant-server.toml
  4. merchant-server serve --config merchant-server.toml
  5. curl -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' \\
       -d '{\"total_fen\":1990,\"description\":\"A pot of tea\"}' http://127.0.0.1:8080/v1/orders
     The answer has the token for <wechat-pay>, and a checkout_url that needs no page of yours.

Exit codes: 0 done, 1 failed, 2 usage or configuration.";

const CHECK_HELP: &str = "\
With --live, one line for each secret, id and address:
  proved      WeChat's answer shows that the value is right
  not proved  the answer proves nothing; the line says what would prove it
  wrong       WeChat's answer shows that the value is wrong; the line says what to do
A secret of an account (app_secret, mini_program_secret) is tried with a made-up code. Then a made-up
secret is tried once, to check that WeChat distinguishes the two.

Exit codes: 0 nothing is wrong (with --live: and WeChat signed an answer; lines that say not proved
do not count), 1 something is wrong or WeChat gave no signed answer, 2 usage or configuration.";

const SERVE_HELP: &str = "\
Any value of the file can be overridden by a variable: MERCHANT_SERVER__LISTEN,
MERCHANT_SERVER__GATEWAY__BASE_URL, MERCHANT_SERVER__MERCHANT__API_V3_KEY_FILE. A text needs no quotes,
even if it has only digits; lists and tables are written as in the file.
RUST_LOG chooses what is logged (default: info).
SIGHUP reads the file again: keys, certificates, API keys, webhooks, origins, proxies, limits and
products take effect at once; an invalid file is refused, and the old configuration stays.

Exit codes: 0 ended by a signal, 1 could not start or failed while running, 2 usage or configuration.";

const REFUND_HELP: &str = "\
Prints the refund as JSON. Its state is requested (WeChat has not accepted it yet; a running server
retries it), processing, succeeded, or a later state.

Exit codes: 0 the refund is recorded, now or before, 1 it was refused or failed, 2 usage or configuration.";
