//! A webhook event: its row, its example, and its line in the tables of the documents.

use clap::{Args, ValueEnum};

use super::name::{ensure, variant};
use super::skeleton::{MARK, Plan};
use crate::failure::Failure;

const EVENTS: &str = "crates/merchant-api/src/webhook.rs";
const EXAMPLES: &str = "crates/merchant-api/tests/goldens.rs";
const TABLES: &str = "crates/merchant-server/tests/deployment.rs";
/// First words that the test of the tables knows.
const KNOWN: [&str; 5] = ["payment", "order", "refund", "share", "wechat"];

/// A webhook event.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Its `type` on the wire
    pub(super) name: String,
    /// Its `data`
    #[arg(long, value_enum, default_value = "order")]
    pub(super) data: Data,
}

/// The data that several events have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Data {
    Order,
    Payment,
    Refund,
}

pub(super) fn plan(event: &Options) -> Result<Plan, Failure> {
    let Options { name, data } = event;
    ensure(
        is_type(name),
        name,
        "must be two words of small letters with a dot between them",
    )?;
    let mut plan = Plan::default();
    plan.unless(EVENTS, format!("\"{name}\""));
    let variant = variant(name);
    let (type_name, example) = match data {
        Data::Order => ("OrderData", "order_data()"),
        Data::Payment => ("PaymentData", "payment_data()"),
        Data::Refund => ("RefundData", "refund_data(RefundState::Succeeded)"),
    };
    plan.before(
        EVENTS,
        "    /// WeChat sent a notification that is neither a payment's nor a refund's",
        format!("    /// {MARK}: what happened, in a sentence.\n    {variant}({type_name}) = \"{name}\",\n"),
    );
    plan.before(
        EXAMPLES,
        "        WebhookEvent::WechatEvent(WechatEventData {\n",
        format!("        WebhookEvent::{variant}({example}),\n"),
    );
    for page in ["docs/en/webhooks.md", "docs/zh/webhooks.md"] {
        let row = format!("| `{name}` | {MARK}: what happened | {MARK}: what to do |\n");
        plan.before(page, "| `wechat.event` |", row);
    }
    let first = name.split('.').next().unwrap_or_default();
    if !KNOWN.contains(&first) {
        plan.before(
            TABLES,
            "        \"| `wechat.\",\n",
            format!("        \"| `{first}.\",\n"),
        );
    }
    plan.then(format!("{EVENTS}: what happened; it is also the summary in OpenAPI. For data of its own: a type there, exported in lib.rs and listed as a schema in openapi.rs"));
    plan.then(format!(
        "{EXAMPLES}: an example with the values that this event has"
    ));
    plan.then(format!(
        "crates/merchant-core/src/ledger: `outbox::put` with WebhookEvent::{variant}, in the transaction that records what happened"
    ));
    plan.then(
        "docs/en/webhooks.md and docs/zh/webhooks.md: what happened, and what a backend does",
    );
    plan.then("crates/merchant-server/tests/server/webhooks.rs: a test that causes the event and reads the message");
    plan.then("`BLESS=1 cargo test --workspace --all-features --test goldens`, add the new file to the commit, then `cargo xtask docs`");
    plan.then("CHANGELOG.md: a line for users");
    plan.then(
        "proof: `cargo test -p merchant-api`, `cargo test --workspace --test deployment`, `cargo test --workspace --test server webhooks`",
    );
    Ok(plan)
}

fn is_type(name: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    name.split('.').count() == 2 && name.split('.').all(is_part)
}
