//! The commands: each calls the library and prints the result to the standard output.

use std::io::Write as _;
use std::path::Path;

use jiff::civil::Date;
use merchant_api::{BillDifference, CreateRefund, MismatchDetails, MismatchKind};
use merchant_core::Payments;
use merchant_server::{BillKind, Config, Finding, OrderCheck, Proof, Verdict, serve};
use wechat_pay::bill::BillAccount;

use crate::arguments::{Account, AskedRefund, Command, ConfigFile, Keys, Mismatches, Orders};
use crate::signals::{Hangups, told_to_end};

/// The result of a command.
pub(crate) enum Ending {
    /// The command succeeded.
    Done,
    /// The command succeeded and found differences.
    Differs,
}

pub(crate) type Ran = Result<Ending, Box<dyn std::error::Error>>;

/// Runs a command that needs a configuration.
pub(crate) async fn run(command: &Command, config: Config) -> Ran {
    match command {
        Command::Serve(ConfigFile { config: path }) => {
            let mut hangups = Hangups::listen();
            let next_config = async || {
                hangups.next().await;
                Config::load(path)
            };
            Box::pin(serve(config, next_config, told_to_end())).await?;
            Ok(Ending::Done)
        }
        Command::CheckConfig {
            live, place_order, ..
        } => check_config(&config, *live, *place_order).await,
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
        Command::Reconcile { since, .. } => reconcile(config, *since).await,
        Command::Bill {
            day,
            sub_mchid,
            save: None,
            fund_flow: _,
            ..
        } => compare_bill(&config, *day, sub_mchid.as_deref()).await,
        Command::Bill {
            day,
            sub_mchid,
            save: Some(to),
            fund_flow,
            ..
        } => save_bill(&config, *day, sub_mchid.as_deref(), *fund_flow, to).await,
        Command::Mismatches(Mismatches::List { all, .. }) => list_mismatches(&config, *all).await,
        Command::Mismatches(Mismatches::Done { no, note, .. }) => {
            let done = merchant_server::finish_mismatch(&config, *no, note.as_deref()).await?;
            say(&line_of_mismatch(&done))
        }
        Command::Keys {
            command: Keys::List { live, .. },
        } => list_keys(&config, *live).await,
        Command::Keys {
            command: Keys::New { .. },
        } => run_alone(command),
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
pub(crate) fn run_alone(command: &Command) -> Ran {
    match command {
        Command::Keys {
            command: Keys::New { name },
        } => make_key(name),
        _ => Err("this command needs a configuration".into()),
    }
}

async fn check_config(config: &Config, live: bool, place_order: bool) -> Ran {
    say(&format!("{}\nthe configuration is valid", summary(config)))?;
    for warning in config.warnings(jiff::Timestamp::now().as_second()) {
        say(&format!("warning: {warning}"))?;
    }
    if !live {
        return say("WeChat was not called: use --live to check secrets and ids");
    }
    let orders = if place_order {
        OrderCheck::PlaceAndClose
    } else {
        OrderCheck::Skip
    };
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
    Ok(agreed(!report.has_failed()))
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
    };
    let refund = payments.request_refund(&asked.order_no, &request).await?;
    say(&serde_json::to_string_pretty(&refund)?)
}

async fn reconcile(config: Config, since: jiff::Timestamp) -> Ran {
    let surroundings = merchant_server::surroundings(&config)?;
    let payments = Payments::open_as_it_is(config, surroundings).await?;
    let reconciled = payments.reconcile(since.as_millisecond()).await?;
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
        "{} attempts and refunds queried, {count} did not agree",
        reconciled.asked
    ))?;
    Ok(agreed(count == 0))
}

async fn compare_bill(config: &Config, day: Date, sub_mchid: Option<&str>) -> Ran {
    let surroundings = merchant_server::surroundings(config)?;
    let compared = merchant_server::compare_bill(config, &surroundings, day, sub_mchid).await?;
    for difference in &compared.differences {
        say(&line_of(difference))?;
    }
    let count = compared.differences.len();
    say(&format!(
        "{}: {} payments of {} fen and {} refunds of {} fen at WeChat; {count} differences",
        compared.day,
        compared.payments.count,
        compared.payments.total_fen.count(),
        compared.refunds.count,
        compared.refunds.total_fen.count(),
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
        "listen       {}\npublic       {}\ndatabase     {}\ngateway      {} ({money})\nmchid        {}\nappid        {}\nproducts     {}\nnotify_url   {}",
        config.listen,
        config.public_base_url,
        config.database,
        config.gateway.origin,
        config.merchant.key.mchid(),
        config.merchant.appid,
        products.join(", "),
        config.merchant.notify_url.as_str(),
    )
}

/// Prints a result to the standard output. Logs go to the standard error.
fn say(text: &str) -> Ran {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(Ending::Done)
}
