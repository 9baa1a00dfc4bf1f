//! An error code of the merchant API: its row, and what the documents and the element's table say about it.

use clap::Args;

use super::name::{ensure, variant};
use super::skeleton::{MARK, Plan};
use crate::failure::Failure;

const CODES: &str = "crates/merchant-api/src/error.rs";

/// An error code.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Its name on the wire
    pub(super) name: String,
    /// The HTTP status of an answer with it
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u16).range(400..=599))]
    pub(super) status: u16,
    /// The same call may succeed later, unchanged
    #[arg(long)]
    pub(super) retryable: bool,
    /// Only the routes of the merchant's backend give it, so no page has to know it
    #[arg(long)]
    pub(super) private: bool,
}

pub(super) fn plan(code: &Options) -> Result<Plan, Failure> {
    let Options {
        name,
        status,
        retryable,
        private,
    } = code;
    ensure(
        is_word(name),
        name,
        "must be capital letters and digits, in words joined by _",
    )?;
    let mut plan = Plan::default();
    plan.unless(CODES, format!("\"{name}\""));
    let variant = variant(name);
    let row = format!("{variant} = \"{name}\", {status}, {retryable};\n");
    let row = if *private {
        // A page never gets it, so no buyer downloads it.
        format!(
            "    /// {MARK}: when it is given. Not in the widget, to save bytes (private side).\n    \
             @[cfg(feature = \"serde\")]\n    {row}"
        )
    } else {
        format!("    /// {MARK}: when it is given.\n    {row}")
    };
    plan.before(CODES, "    /// An error of the backend.\n", row);
    for page in ["docs/en/errors.md", "docs/zh/errors.md"] {
        let row = format!("| `{name}` | {status} | {MARK}: what the merchant has to do |\n");
        plan.before(page, "| `INTERNAL` | 500 |", row);
    }
    if !private {
        let row = format!(
            "  {name}: both(\"{MARK} 原因\", \"{MARK} 处理办法\", \"{MARK} cause\", \"{MARK} fix\"),\n"
        );
        plan.before("www/src/problems.js", "  INTERNAL: both(", row);
    }
    plan.then(format!("{CODES}: when the code is given, in a sentence"));
    plan.then(format!(
        "crates/merchant-api/src/routes/table.rs: a `Refusal` with ErrorCode::{variant} in each route that can give it"
    ));
    plan.then("crates/merchant-core/src: return the code where the call is refused");
    plan.then(
        "crates/merchant-server/tests/server/route_refusals.rs: a call for each of these routes that gets it",
    );
    plan.then("docs/en/errors.md and docs/zh/errors.md: what the merchant has to do");
    if !private {
        plan.then(
            "www/src/problems.js: cause and fix in both languages, then `UPDATE=1 node --test www/tests/problems.test.js`",
        );
        plan.then(
            "if someone other than the merchant can fix it: `actor` in crates/checkout/src/problem.rs, and the buyer's sentence in merchant-server's pages/hosted_page/refusals.rs",
        );
    }
    plan.then(
        "`BLESS=1 cargo test --workspace --all-features --test goldens`, then `cargo xtask docs`",
    );
    plan.then("CHANGELOG.md: a line for users");
    plan.then(
        "proof: `cargo test -p merchant-api`, `cargo test --workspace --test deployment`, `cargo test --workspace --test server refusal`",
    );
    Ok(plan)
}

fn is_word(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    name.split('_').all(is_part) && name.starts_with(|first: char| first.is_ascii_uppercase())
}
