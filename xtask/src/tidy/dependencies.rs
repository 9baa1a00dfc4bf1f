//! Which crates a crate must not depend on, checked with `cargo tree`.

use std::process::Command;

use crate::failure::Failure;
use crate::{process, repository};

/// Crates that read a clock, draw random numbers, do I/O or use the browser. The payment machine may
/// not depend on them: its time and randomness come in as data.
const NOT_FOR_CHECKOUT: &[&str] = &[
    "web-sys",
    "js-sys",
    "wasm-bindgen",
    "wasm-bindgen-futures",
    "leptos",
    "gloo-net",
    "gloo-timers",
    "tokio",
    "async-std",
    "smol",
    "futures",
    "reqwest",
    "hyper",
    "ureq",
    "mio",
    "socket2",
    "time",
    "chrono",
    "jiff",
    "instant",
    "web-time",
    "quanta",
    "rand",
    "rand_core",
    "getrandom",
    "fastrand",
    "oorandom",
    "nanorand",
    "uuid",
];

/// Crates of an HTTP server and of pages. The core of the merchant server must not depend on them,
/// so that the effect of a call never depends on how the call arrived.
const NOT_FOR_MERCHANT_CORE: &[&str] = &["axum", "axum-core", "axum-macros", "maud"];

/// Crates that the core's HTTP client depends on. The core itself uses none of them.
const ONLY_BELOW_THE_CLIENT: &[&str] = &["tower", "tower-http", "hyper", "hyper-util"];

pub(super) fn findings() -> Result<Vec<String>, Failure> {
    let widget = process::read(tree("wechat-pay-widget").args([
        "--target=wasm32-unknown-unknown",
        "--edges=normal,features",
        "--prefix=depth",
    ]))?;
    let checkout =
        process::read(tree("checkout").args(["--target=all", "--edges=normal", "--prefix=none"]))?;
    let core = process::read(tree("merchant-core").args([
        "--target=all",
        "--edges=normal,features",
        "--prefix=depth",
    ]))?;
    let mut findings = serde_in_the_contract(&widget);
    findings.extend(servers_in_merchant_core(&core));
    findings.extend(forbidden_in_checkout(&checkout));
    Ok(findings)
}

fn tree(package: &str) -> Command {
    let mut cargo = repository::cargo();
    cargo.args(["tree", "--quiet", "--package", package]);
    cargo
}

/// The widget reads the contract field by field, because one derived decoder costs kilobytes.
fn serde_in_the_contract(tree: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let mut contract_depth = None;
    for line in tree.lines() {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(depth) = line[..digits].parse::<usize>() else {
            continue;
        };
        let item = line[digits..].trim();
        if contract_depth.is_some_and(|contract| depth <= contract) {
            contract_depth = None;
        }
        let forbidden = if contract_depth.is_some() {
            ["serde", "utoipa"]
                .iter()
                .any(|name| item.starts_with(name))
        } else {
            item.starts_with("merchant-api feature") && !item.contains("\"default\"")
        };
        if forbidden {
            findings.push(format!(
                "crates/merchant-api/Cargo.toml: in the widget the contract has no features and no serde, \
                 but `cargo tree -p wechat-pay-widget --target wasm32-unknown-unknown -e normal,features` shows `{item}`"
            ));
        }
        if item.starts_with("merchant-api ") && contract_depth.is_none() {
            contract_depth = Some(depth);
        }
    }
    findings.dedup();
    findings
}

fn forbidden_in_checkout(tree: &str) -> Vec<String> {
    let mut found: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| NOT_FOR_CHECKOUT.contains(name))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
        .into_iter()
        .map(|name| {
            format!(
                "crates/checkout/Cargo.toml: the machine has no clock, no randomness, no I/O and no browser, \
                 but its dependencies include `{name}`"
            )
        })
        .collect()
}

fn servers_in_merchant_core(tree: &str) -> Vec<String> {
    let mut found: Vec<&str> = tree
        .lines()
        .filter_map(|line| {
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            let depth: usize = line[..digits].parse().ok()?;
            let item = line[digits..].trim();
            let name = item.split_whitespace().next()?;
            let is_server = NOT_FOR_MERCHANT_CORE.contains(&name)
                || item.starts_with("hyper feature \"server\"");
            let is_named = depth == 1 && ONLY_BELOW_THE_CLIENT.contains(&name);
            (is_server || is_named).then_some(name)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
        .into_iter()
        .map(|name| {
            format!(
                "crates/merchant-core/Cargo.toml: the core serves no HTTP, but its dependencies bring in `{name}`"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{forbidden_in_checkout, serde_in_the_contract, servers_in_merchant_core};

    #[test]
    fn serde_is_found_below_the_contract_and_nowhere_else() {
        let clean = "0wechat-pay-widget v0.1.0\n1leptos v0.8.23\n2serde v1.0.0\n\
                     1merchant-api v0.1.0\n1web-sys v0.3.0\n2serde v1.0.0";
        assert!(serde_in_the_contract(clean).is_empty());
        for dirty in [
            "0wechat-pay-widget v0.1.0\n1merchant-api v0.1.0\n2serde v1.0.0\n",
            "0wechat-pay-widget v0.1.0\n1checkout v0.1.0\n2merchant-api v0.1.0\n3serde feature \"default\"\n",
            "0wechat-pay-widget v0.1.0\n1merchant-api feature \"serde\"\n2merchant-api v0.1.0\n",
        ] {
            assert_eq!(serde_in_the_contract(dirty).len(), 1, "{dirty}");
        }
    }

    #[test]
    fn a_clock_or_a_browser_crate_is_found_among_the_machines_dependencies() {
        assert!(forbidden_in_checkout("checkout v0.1.0\nmerchant-api v0.1.0\n").is_empty());
        let found = forbidden_in_checkout("checkout v0.1.0\njiff v0.2.0\nweb-sys v0.3.0 (*)\n");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("`jiff`"), "{found:?}");
    }

    #[test]
    fn the_core_has_an_http_client_and_no_http_server() {
        let client = "0merchant-core v0.1.0\n1reqwest v0.13.5\n2hyper v1.12.0\n\
                      3hyper feature \"client\"\n2tower v0.5.3\n1http v1.5.0";
        assert!(servers_in_merchant_core(client).is_empty());
        for (line, name) in [
            ("1axum feature \"default\"", "`axum`"),
            ("3axum-core v0.5.6", "`axum-core`"),
            ("1maud v0.27.0", "`maud`"),
            ("1tower feature \"util\"", "`tower`"),
            ("3hyper feature \"server\"", "`hyper`"),
        ] {
            let found = servers_in_merchant_core(&format!("{client}\n{line}\n"));
            assert_eq!(found.len(), 1, "{line}: {found:?}");
            assert!(found[0].contains(name), "{line}: {found:?}");
        }
    }
}
