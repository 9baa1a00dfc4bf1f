//! A fixture of the gallery: how a state is reached. A state that the element does not have yet is more than a
//! fixture, and is refused.

use std::fs;

use clap::Args;

use super::name::ensure;
use super::skeleton::{MARK, Plan};
use crate::failure::Failure;
use crate::repository;

const FIXTURES: &str = "www/gallery/states.js";
const TYPES: &str = "www/src/wechat-pay.d.ts";

/// A fixture of the gallery.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The name of the fixture
    pub(super) name: String,
    /// The state that it shows [default: the state that the name begins with]
    #[arg(long)]
    pub(super) shows: Option<String>,
}

pub(super) fn plan(state: &Options) -> Result<Plan, Failure> {
    let name = state.name.as_str();
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    ensure(
        !name.is_empty() && name.bytes().all(is_letter),
        name,
        "must be small letters and digits, in words joined by -",
    )?;
    let types = repository::root().join(TYPES);
    let types = fs::read_to_string(&types).map_err(Failure::file(types))?;
    let states = states(&types);
    let shown = match &state.shows {
        Some(shown) => states.iter().find(|known| **known == shown.as_str()),
        None => longest_begin(&states, name),
    };
    let Some(shown) = shown else {
        return Err(Failure::Findings(vec![format!(
            "`{name}` begins with no state of the element: name one with --shows ({}). A new state is a screen: see CONTRIBUTING.md",
            states.join(", ")
        )]));
    };
    let mut plan = Plan::default();
    plan.unless(FIXTURES, format!("name: \"{name}\""));
    let field = if *shown == name {
        String::new()
    } else {
        format!(" shows: \"{shown}\",")
    };
    plan.before(
        FIXTURES,
        "  { name: \"fallback\"",
        format!(
            "  {{ name: \"{name}\",{field} about: \"{MARK}: what is special here\", transport: {{ status: open() }} }},\n"
        ),
    );
    plan.then(format!(
        "{FIXTURES}: move the line beside its like; `agent`, `transport`, `bridge` and `steps` reach the state"
    ));
    plan.then("look at it: `cargo xtask demo`, then the gallery");
    plan.then("proof: `node --test www/tests/*.test.js`, and after `cargo xtask dist`: `cargo xtask test --only browser gallery`");
    Ok(plan)
}

/// The states of the element, as the types have them.
fn states(types: &str) -> Vec<&str> {
    let (_, union) = types.split_once("export type State =").unwrap_or_default();
    let (union, _) = union.split_once(';').unwrap_or_default();
    union.split('"').skip(1).step_by(2).collect()
}

fn longest_begin<'a, 'b>(states: &'b [&'a str], name: &str) -> Option<&'b &'a str> {
    let begins = |state: &&&str| {
        name.strip_prefix(**state)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    states.iter().filter(begins).max_by_key(|state| state.len())
}

#[cfg(test)]
mod tests {
    use super::{longest_begin, states};

    #[test]
    fn a_fixture_shows_the_longest_state_that_its_name_begins_with() {
        let types =
            "export type State =\n  | \"qr\"\n  | \"qr-expired\";\nexport type Other = \"no\";";
        let states = states(types);
        assert_eq!(states, ["qr", "qr-expired"]);
        for (name, shown) in [
            ("qr-hotel", Some("qr")),
            ("qr-expired-late", Some("qr-expired")),
            ("qrs", None),
        ] {
            assert_eq!(longest_begin(&states, name).copied(), shown, "{name}");
        }
    }
}
