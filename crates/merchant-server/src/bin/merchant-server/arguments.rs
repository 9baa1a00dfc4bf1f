//! The arguments of the command line and their help. What a command does is in `commands`.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;
use merchant_server::code_sheet::SIDE_MM;

use crate::rows::Format;

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
        /// With --live: check this merchant alone (its mchid). Without it: each of them.
        #[arg(long, value_name = "MCHID", requires = "live")]
        merchant: Option<String>,
        /// Check each secret and id against WeChat, too.
        #[arg(long)]
        live: bool,
        /// With --live: create an order of one fen for each appid and close it. Only an order
        /// proves that an appid belongs to the merchant number.
        #[arg(long, requires = "live")]
        place_order: bool,
    },
    /// Migrate the database to this version, or create it. With --from and --to: move a ledger from
    /// SQLite into PostgreSQL.
    #[command(after_help = MIGRATE_HELP)]
    Migrate(Migration),
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
        file: MerchantFile,
        /// RFC 3339, such as 2026-11-21T00:00:00+08:00.
        #[arg(long, value_name = "TIME")]
        since: jiff::Timestamp,
        /// The form of the differences. With csv, only they are on the standard output.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Compare WeChat's bill of a day with the ledger, and print each difference.
    #[command(
        after_help = "Exit codes: 0 both agree, 1 they differ or the command failed, 2 usage or configuration."
    )]
    Bill {
        #[command(flatten)]
        file: MerchantFile,
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
        /// The form of the differences. With csv, only they are on the standard output.
        #[arg(long, value_enum, default_value_t = Format::Table, conflicts_with = "save")]
        format: Format,
    },
    /// Write the orders, payments or refunds of a span of time to the standard output, as CSV.
    Export {
        #[command(flatten)]
        file: MerchantFile,
        /// What to export.
        #[arg(value_enum)]
        kind: Exported,
        /// At or after this time: RFC 3339, such as 2026-11-21T00:00:00+08:00.
        #[arg(long, value_name = "TIME")]
        from: jiff::Timestamp,
        /// Before this time.
        #[arg(long, value_name = "TIME")]
        to: jiff::Timestamp,
        /// Partner mode: one sub-merchant's alone.
        #[arg(long, value_name = "NO")]
        sub_mchid: Option<String>,
    },
    /// List and resolve mismatches: payments and refunds at WeChat that do not match the ledger.
    #[command(subcommand)]
    Mismatches(Mismatches),
    /// Add, list, remove and print static product codes (Native mode 1, 模式一).
    #[command(subcommand)]
    Codes(Codes),
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
        file: MerchantFile,
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

/// What is exported.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Exported {
    /// Orders, by the time of their creation.
    Orders,
    /// Payments, by WeChat's time.
    Payments,
    /// Refunds, by the time of their creation.
    Refunds,
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
        file: MerchantFile,
        /// The merchant's own number.
        order_no: String,
    },
}

/// Static product codes (Native mode 1, 模式一).
#[derive(Subcommand)]
pub(crate) enum Codes {
    /// Add a code for goods.
    Add {
        #[command(flatten)]
        file: MerchantFile,
        /// Your number of the goods: at most 32 of [0-9a-zA-Z_-]. Buyers do not see it in WeChat.
        product_id: String,
        /// What buyers read, at most 127 bytes.
        #[arg(long)]
        name: String,
        /// The price in fen. Without it, [scan_webhook] is asked at each scan.
        #[arg(long, value_name = "FEN")]
        price_fen: Option<u64>,
    },
    /// List all codes.
    List {
        #[command(flatten)]
        file: MerchantFile,
    },
    /// Remove a code: from then on, a scan of its print is refused.
    Remove {
        #[command(flatten)]
        file: MerchantFile,
        /// The number of the goods.
        product_id: String,
    },
    /// Write codes to a file: a sheet as .pdf (without names) or .html (with names, to print from a
    /// browser), or one code as .svg.
    Print {
        #[command(flatten)]
        file: MerchantFile,
        /// The numbers of the goods; none: all.
        product_ids: Vec<String>,
        /// The new file; its ending is the format.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// The side of a code with its quiet zone, in millimetres. A phone reads a code from about ten
        /// times its side.
        #[arg(long, value_name = "MM", default_value_t = 50, value_parser = clap::value_parser!(u32).range(i64::from(*SIDE_MM.start())..=i64::from(*SIDE_MM.end())))]
        side_mm: u32,
    },
}

#[derive(Subcommand)]
pub(crate) enum Mismatches {
    /// List unresolved mismatches, newest first.
    List {
        #[command(flatten)]
        file: MerchantFile,
        /// Include resolved mismatches.
        #[arg(long)]
        all: bool,
    },
    /// Mark a mismatch as resolved; it stops alerting.
    Done {
        #[command(flatten)]
        file: MerchantFile,
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
    pub(crate) file: MerchantFile,
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
    /// The sub-order of a combined order, by the merchant's number.
    #[arg(long, value_name = "NO")]
    pub(crate) sub_order_no: Option<String>,
}

#[derive(Args)]
pub(crate) struct Migration {
    /// The TOML file. Relative paths in it are relative to its folder.
    #[arg(long, value_name = "FILE", required_unless_present = "from", conflicts_with_all = ["from", "to"])]
    pub(crate) config: Option<PathBuf>,
    /// Move the ledger in this file: sqlite:FILE
    #[arg(long, value_name = "FROM", requires = "to")]
    pub(crate) from: Option<String>,
    /// Move it into this empty database: postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "TO", requires = "from")]
    pub(crate) to: Option<String>,
}

#[derive(Args)]
pub(crate) struct ConfigFile {
    /// The TOML file. Relative paths in it are relative to its folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// The configuration, and the merchant that a command acts for.
#[derive(Args)]
pub(crate) struct MerchantFile {
    #[command(flatten)]
    pub(crate) file: ConfigFile,
    /// The merchant (its mchid), if the configuration has several.
    #[arg(long, value_name = "MCHID")]
    pub(crate) merchant: Option<String>,
}

impl Command {
    /// The configuration that the command works with; `None` where it needs none.
    pub(crate) fn config_file(&self) -> Option<&Path> {
        let file = match self {
            Self::Serve(file) | Self::CheckConfig { file, .. } | Self::Backup { file, .. } => file,
            Self::Migrate(migration) => return migration.config.as_deref(),
            _ => &self.merchant_file()?.file,
        };
        Some(&file.config)
    }

    /// The same of a command that acts for one merchant; `None` for the others.
    pub(crate) fn merchant_file(&self) -> Option<&MerchantFile> {
        match self {
            Self::Orders(Orders::Show { file, .. })
            | Self::Refund(AskedRefund { file, .. })
            | Self::Reconcile { file, .. }
            | Self::Bill { file, .. }
            | Self::Export { file, .. }
            | Self::Mismatches(Mismatches::List { file, .. } | Mismatches::Done { file, .. })
            | Self::Keys {
                command: Keys::List { file, .. },
            }
            | Self::Codes(
                Codes::Add { file, .. }
                | Codes::List { file }
                | Codes::Remove { file, .. }
                | Codes::Print { file, .. },
            ) => Some(file),
            Self::Serve(_)
            | Self::Migrate(_)
            | Self::CheckConfig { .. }
            | Self::Backup { .. }
            | Self::Keys {
                command: Keys::New { .. },
            } => None,
        }
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

const MIGRATE_HELP: &str = "\
A move copies every row in one transaction and changes no row of the file. Before the commit, both
sides are compared: rows, sums in fen, and each byte. It is refused while a merchant-server works on
either side, and if the target has any row. Afterwards put `database = \"postgres://...\"` into the
configuration, and keep the file as a copy.
Other users of this machine can read a command line: leave the password out of --to, and put it into
the variable PGPASSWORD or the file ~/.pgpass.

Exit codes: 0 done, 1 refused or failed (nothing was moved), 2 usage or configuration.";

const REFUND_HELP: &str = "\
Prints the refund as JSON. Its state is requested (WeChat has not accepted it yet; a running server
retries it), processing, succeeded, or a later state.

Exit codes: 0 the refund is recorded, now or before, 1 it was refused or failed, 2 usage or configuration.";
