//! The commands: each calls the library and prints the result to the standard output.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use jiff::civil::Date;
use merchant_api::{BillDifference, CreateRefund, MismatchDetails, MismatchKind};
use merchant_core::Payments;
use merchant_server::{
    Api, BillKind, Config, ExportKind, ExportSpan, Finding, Merchant, OrderCheck, Proof, Sums,
    Verdict, serve,
};
use wechat_pay::bill::BillAccount;

use crate::arguments::{
    Account, AskedRefund, Command, ConfigFile, Exported, Keys, Migration, Mismatches, Orders,
};
use crate::codes;
use crate::element::load_config;
use crate::output::{Ending, Ran, say};
use crate::rows::{Cells, Column, Format, Rows};
use crate::signals::{Hangups, told_to_end};

/// A command was not told for which merchant it acts, or for one that is not configured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoMerchant {
    #[error("the configuration has several merchants: name one of them with --merchant: {0}")]
    NotNamed(String),
    #[error("--merchant must be a configured merchant: {0}")]
    Unknown(String),
}

/// A word on the command line that breaks a rule.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misuse(pub(crate) String);

/// Runs a command that needs a configuration.
pub(crate) async fn run(command: &Command, config: Config) -> Ran {
    let config = match command.merchant_file() {
        Some(file) => chosen(config, file.merchant.as_deref())?,
        None => config,
    };
    match command {
        Command::Serve(ConfigFile { config: path }) => {
            let mut hangups = Hangups::listen();
            let next_config = async || {
                hangups.next().await;
                load_config(path)
            };
            Box::pin(serve(config, next_config, told_to_end())).await?;
            Ok(Ending::Done)
        }
        Command::CheckConfig {
            live,
            place_order,
            merchant,
            ..
        } => check_config(&config, *live, *place_order, merchant.as_deref()).await,
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
        Command::Refund(refund) => request_refund(config, refund).await,
        Command::Reconcile { since, format, .. } => reconcile(config, *since, *format).await,
        Command::Bill {
            day,
            sub_mchid,
            save: None,
            fund_flow: _,
            format,
            ..
        } => compare_bill(&config, *day, sub_mchid.as_deref(), *format).await,
        Command::Bill {
            day,
            sub_mchid,
            save: Some(to),
            fund_flow,
            ..
        } => save_bill(&config, *day, sub_mchid.as_deref(), *fund_flow, to).await,
        Command::Export {
            kind,
            from,
            to,
            sub_mchid,
            ..
        } => {
            let kind = match kind {
                Exported::Orders => ExportKind::Orders,
                Exported::Payments => ExportKind::Payments,
                Exported::Refunds => ExportKind::Refunds,
            };
            let span = ExportSpan {
                from_ms: from.as_millisecond(),
                to_ms: to.as_millisecond(),
                sub_mchid: sub_mchid.clone(),
            };
            let mut out = BufWriter::new(std::io::stdout());
            merchant_server::write_export(&config, kind, span, &mut out).await?;
            Ok(Ending::Done)
        }
        Command::Mismatches(Mismatches::List { all, .. }) => list_mismatches(&config, *all).await,
        Command::Mismatches(Mismatches::Done { no, note, .. }) => {
            let done = merchant_server::finish_mismatch(&config, *no, note.as_deref()).await?;
            say(&line_of_mismatch(&done))
        }
        Command::Codes(command) => codes::run(command, &config).await,
        Command::Keys {
            command: Keys::List { live, .. },
        } => list_keys(&config, *live).await,
        Command::Keys {
            command: Keys::New { .. },
        } => Box::pin(run_alone(command)).await,
        Command::Backup { to, .. } => {
            let orders = merchant_server::back_up(&config, to).await?;
            say(&format!(
                "{} is a complete copy with {orders} orders; it holds tokens and openids",
                to.display()
            ))
        }
    }
}

/// Runs a command that needs no configuration.
pub(crate) async fn run_alone(command: &Command) -> Ran {
    match command {
        Command::Keys {
            command: Keys::New { name },
        } => make_key(name),
        Command::Migrate(Migration {
            from: Some(from),
            to: Some(to),
            ..
        }) => move_ledger(from, to).await,
        _ => Err("this command needs a configuration".into()),
    }
}

async fn move_ledger(from: &str, to: &str) -> Ran {
    let file = from.strip_prefix("sqlite:");
    let file = file.ok_or_else(|| Misuse("--from must be sqlite:FILE".to_owned()))?;
    let file = file.strip_prefix("//").unwrap_or(file);
    let moved = merchant_server::move_ledger(Path::new(file), to).await?;
    for table in &moved.tables {
        say(&format!("{:<22}{:>10} rows", table.name, table.rows))?;
    }
    let Sums {
        ordered_fen,
        paid_fen,
        payers_fen,
        refunded_fen,
        refunds_fen,
    } = moved.sums;
    say(&format!(
        "orders of {ordered_fen} fen, of which {paid_fen} fen are paid; payers paid {payers_fen} fen; \
         refunds of {refunds_fen} fen, of which {refunded_fen} fen were refunded\n\
         all of it is in the {} now, and equal to the file",
        moved.into
    ))
}

/// The configuration of the merchant that a command acts for.
fn chosen(config: Config, mchid: Option<&str>) -> Result<Config, NoMerchant> {
    let known = || {
        let mchids = config.each().map(|config| config.merchant.key.mchid());
        mchids.collect::<Vec<_>>().join(", ")
    };
    match mchid {
        Some(mchid) => {
            let found = config.for_merchant(mchid);
            found.ok_or_else(|| NoMerchant::Unknown(known()))
        }
        None if config.others.is_empty() => Ok(config),
        None => Err(NoMerchant::NotNamed(known())),
    }
}

async fn check_config(config: &Config, live: bool, place_order: bool, mchid: Option<&str>) -> Ran {
    let summaries: Vec<_> = config.each().map(summary).collect();
    let summaries = summaries.join("\n\n");
    say(&format!("{summaries}\nthe configuration is valid"))?;
    for warning in config.warnings(jiff::Timestamp::now().as_second()) {
        say(&format!("warning: {warning}"))?;
    }
    if let Some(mchid) = mchid {
        chosen(config.clone(), Some(mchid))?;
    }
    if !live {
        return say("WeChat was not called: use --live to check secrets and ids");
    }
    let orders = if place_order {
        OrderCheck::PlaceAndClose
    } else {
        OrderCheck::Skip
    };
    let mut has_failed = false;
    for merchant in config.each().map(|config| config.merchant.key.mchid()) {
        if mchid.is_some_and(|chosen| chosen != merchant) {
            continue;
        }
        if !config.others.is_empty() {
            say(&format!("merchant {merchant}"))?;
        }
        let theirs = chosen(config.clone(), Some(merchant))?;
        has_failed |= check_merchant_live(&theirs, orders).await?;
    }
    Ok(agreed(!has_failed))
}

/// Checks one merchant's secrets and ids against WeChat; returns whether something is wrong.
async fn check_merchant_live(
    config: &Config,
    orders: OrderCheck,
) -> Result<bool, Box<dyn std::error::Error>> {
    let surroundings = merchant_server::surroundings(config)?;
    let report = merchant_server::check_live(config, &surroundings, orders).await?;
    for Proof {
        subject,
        verdict,
        explanation,
    } in &report.proofs
    {
        say(&format!("{:<11}{subject}: {explanation}", verdict.as_str()))?;
    }
    let count = |verdict| report.count(verdict);
    say(&format!(
        "{} proved, {} not proved, {} wrong",
        count(Verdict::Proved),
        count(Verdict::NotProved),
        count(Verdict::Wrong),
    ))?;
    if !report.has_signed_answer {
        say("WeChat gave no signed answer, so almost nothing is proved")?;
    }
    Ok(report.has_failed())
}

async fn request_refund(config: Config, asked: &AskedRefund) -> Ran {
    let surroundings = merchant_server::surroundings(&config)?;
    let payments = Payments::open_as_it_is(config, surroundings).await?;
    let request = CreateRefund {
        refund_no: asked.refund_no.clone(),
        amount_fen: asked.fen,
        reason: asked.reason.clone(),
        funds_account: None,
        from: None,
        goods_detail: None,
        sub_order_no: asked.sub_order_no.clone(),
    };
    let refund = payments.request_refund(&asked.order_no, &request).await?;
    say(&serde_json::to_string_pretty(&refund)?)
}

const FINDING: &[Column] = &[
    ("number", Cells::Number),
    ("here", Cells::Word),
    ("done", Cells::Word),
    ("there", Cells::Value),
];

async fn reconcile(config: Config, since: jiff::Timestamp, format: Format) -> Ran {
    let surroundings = merchant_server::surroundings(&config)?;
    let payments = Payments::open_as_it_is(config, surroundings).await?;
    let reconciled = payments.reconcile(since.as_millisecond()).await?;
    let mut rows = Rows::new(format, FINDING, std::io::stdout().lock());
    for finding in &reconciled.findings {
        let Finding {
            number,
            here,
            there,
            done,
        } = finding;
        rows.push(&[number, here, done, there])?;
    }
    rows.finish()?;
    let count = reconciled.findings.len();
    let summary = format!(
        "{} attempts and refunds queried, {count} did not agree",
        reconciled.asked
    );
    say_beside(format, &summary)?;
    Ok(agreed(count == 0))
}

const DIFFERENCE: &[Column] = &[
    ("kind", Cells::Word),
    ("out_trade_no", Cells::Number),
    ("out_refund_no", Cells::Number),
    ("here", Cells::Value),
    ("there", Cells::Value),
];

async fn compare_bill(config: &Config, day: Date, sub_mchid: Option<&str>, format: Format) -> Ran {
    let surroundings = merchant_server::surroundings(config)?;
    let mut rows = Rows::new(format, DIFFERENCE, BufWriter::new(std::io::stdout()));
    let mut take = |difference: &BillDifference| {
        let cell = |value: &Option<String>| value.as_deref().unwrap_or_default().to_owned();
        let BillDifference {
            kind,
            out_trade_no,
            out_refund_no,
            here,
            there,
        } = difference;
        let cells = [out_trade_no, out_refund_no, here, there].map(cell);
        let [payment, refund, here, there] = cells.each_ref().map(String::as_str);
        rows.push(&[kind, payment, refund, here, there])
    };
    let compared =
        merchant_server::compare_bill(config, &surroundings, day, sub_mchid, &mut take).await?;
    rows.finish()?;
    let (found, count) = (&compared.comparison, compared.differences);
    let summary = format!(
        "{}: {} payments of {} fen and {} refunds of {} fen at WeChat; {count} differences",
        found.day,
        found.payments.count,
        found.payments.total_fen.count(),
        found.refunds.count,
        found.refunds.total_fen.count(),
    );
    say_beside(format, &summary)?;
    Ok(agreed(count == 0))
}

async fn save_bill(
    config: &Config,
    day: Date,
    sub_mchid: Option<&str>,
    account: Option<Account>,
    to: &Path,
) -> Ran {
    let kind = match account {
        None => BillKind::Trade,
        Some(Account::Basic) => BillKind::FundFlow(BillAccount::Basic),
        Some(Account::Operation) => BillKind::FundFlow(BillAccount::Operation),
        Some(Account::Fees) => BillKind::FundFlow(BillAccount::Fees),
    };
    let surroundings = merchant_server::surroundings(config)?;
    let saved = merchant_server::save_bill(config, &surroundings, kind, day, sub_mchid, to).await?;
    match saved {
        Some(length) => say(&format!("{}: {length} bytes", to.display())),
        None => say(&format!("nothing happened on {day}: WeChat has no bill")),
    }
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

async fn list_mismatches(config: &Config, all: bool) -> Ran {
    let mismatches = merchant_server::list_mismatches(config, all).await?;
    for mismatch in &mismatches {
        say(&line_of_mismatch(mismatch))?;
    }
    let open = mismatches
        .iter()
        .filter(|mismatch| mismatch.done_at.is_none());
    say(&format!("{} unresolved mismatches", open.count()))
}

/// One line for a mismatch. It leaves out WeChat's report, because the report names the buyer.
fn line_of_mismatch(mismatch: &MismatchDetails) -> String {
    let kind = match mismatch.kind {
        MismatchKind::Payment => "payment",
        MismatchKind::Refund => "refund",
        MismatchKind::Notification => "notification",
    };
    let named = [
        ("out_trade_no", &mismatch.out_trade_no),
        ("transaction_id", &mismatch.transaction_id),
        ("refund_no", &mismatch.refund_no),
        ("refund_id", &mismatch.refund_id),
        ("sub_mchid", &mismatch.sub_mchid),
        ("notification_id", &mismatch.notification_id),
        ("event_type", &mismatch.event_type),
        ("field", &mismatch.field),
        ("done_at", &mismatch.done_at),
        ("note", &mismatch.note),
    ];
    let known = named
        .iter()
        .filter_map(|(name, value)| Some(format!(" {name}={}", value.as_ref()?)));
    let known: String = known.collect();
    let MismatchDetails {
        no,
        received_at,
        reason,
        ..
    } = mismatch;
    format!("{no} {kind} {received_at} reason={reason}{known}")
}

/// The key is printed once and stored nowhere.
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

/// The summary of a configuration, without secrets.
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
        "listen       {}\npublic       {}\ndatabase     {}\ngateway      {} ({money})\napi          {}\nmchid        {}\nappid        {}\nproducts     {}\nnotify_url   {}",
        config.listen,
        config.public_base_url,
        config.database,
        config.gateway.origin,
        apis(&config.merchant),
        config.merchant.key.mchid(),
        config.merchant.appid,
        products.join(", "),
        config.merchant.notify_url.as_str(),
    )
}

/// The version that makes orders, and the other one if its key is configured too.
fn apis(merchant: &Merchant) -> String {
    let other = match merchant.api {
        Api::V3 => merchant.api_v2_key.as_ref().map(|_| "v2"),
        Api::V2(_) => merchant.api_v3_key.as_ref().map(|_| "v3"),
    };
    let other = other.map(|other| format!("; {other} for what it made and for notifications"));
    format!("{}{}", merchant.api, other.unwrap_or_default())
}

/// Prints the summary of rows: below a table, and on the standard error beside CSV.
fn say_beside(format: Format, summary: &str) -> std::io::Result<()> {
    match format {
        Format::Table => writeln!(std::io::stdout().lock(), "{summary}"),
        Format::Csv => writeln!(std::io::stderr().lock(), "{summary}"),
    }
}
