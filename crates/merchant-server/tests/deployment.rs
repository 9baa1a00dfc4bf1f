//! The files in `deploy`: the table of codes is complete, and the samples fit the program.

use std::collections::BTreeSet;

use merchant_api::{ErrorCode, WebhookEvent};

#[test]
fn the_table_of_codes_has_each_code_with_its_status() {
    let (_, table) = include_str!("../../../docs/en/errors.md")
        .split_once("## What a code of the API means")
        .unwrap();
    for code in ErrorCode::ALL {
        let row = format!("| `{}` | {} |", code.as_str(), code.status());
        assert!(table.contains(&row), "{row}");
    }
    let rows = table.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, ErrorCode::ALL.len(), "no code of an older contract");
    // The Chinese table may treat several codes in one row.
    let chinese = include_str!("../../../docs/zh/errors.md");
    for code in ErrorCode::ALL {
        let named = format!("`{}`", code.as_str());
        assert!(chinese.contains(&named), "{named} in docs/zh/errors.md");
    }
}

#[test]
fn the_table_of_messages_has_each_type() {
    let guide = include_str!("../../../docs/en/webhooks.md");
    for event_type in WebhookEvent::TYPES {
        let row = format!("| `{event_type}` | ");
        assert!(guide.contains(&row), "{row}");
    }
    let rows = [
        "| `payment.",
        "| `order.",
        "| `refund.",
        "| `share.",
        "| `wechat.",
    ]
    .map(|begin| guide.matches(begin).count());
    assert_eq!(rows.iter().sum::<usize>(), WebhookEvent::TYPES.len());
    let chinese = include_str!("../../../docs/zh/webhooks.md");
    for event_type in WebhookEvent::TYPES {
        let row = format!("| `{event_type}` | ");
        assert!(chinese.contains(&row), "{row} in docs/zh/webhooks.md");
    }
}

#[test]
fn the_nginx_sample_blocks_every_private_route() {
    let sample = include_str!("../deploy/nginx.conf");
    let (_, list) = sample.split_once("location ~ ^/(v1/(").unwrap();
    let (list, _) = list.split_once(')').unwrap();
    let private: BTreeSet<_> = list.split('|').collect();
    let document = serde_json::to_value(merchant_api::openapi_document()).unwrap();
    let paths = document["paths"].as_object().unwrap().keys();
    let rooms: BTreeSet<_> = paths
        .filter_map(|path| path.split('/').nth(1))
        // The routes of the pages.
        .filter(|room| *room != "checkouts")
        // The payment service is not in the document: its form is not the contract's.
        .chain(["pay"])
        .collect();
    assert_eq!(private, rooms);
    // The pages for people of the shop.
    assert!(sample.contains("|(till|desk)(/|$)|"));
}

#[test]
fn a_page_can_read_nginxs_own_refusals_and_no_answer_has_the_header_twice() {
    let sample = include_str!("../deploy/nginx.conf");
    let allow = "add_header Access-Control-Allow-Origin \"*\" always;";
    let mut count = 0;
    for line in sample.lines().filter(|line| line.contains("error_page ")) {
        let (_, name) = line.trim_end_matches(';').rsplit_once(' ').unwrap();
        let (_, location) = sample.split_once(&format!("location {name} {{")).unwrap();
        let (location, _) = location.split_once('}').unwrap();
        assert!(location.contains(allow), "{name}");
        assert!(!location.contains("proxy_pass"), "{name}");
        count += 1;
    }
    assert_eq!(count, 2);
    // Answers of the server, which have the header already, come from the other locations.
    assert_eq!(sample.matches("Access-Control-Allow-Origin").count(), count);
    assert!(!sample.contains("proxy_intercept_errors"));
}

#[test]
fn the_samples_call_the_program_with_valid_arguments() {
    let unit = include_str!("../deploy/merchant-server.service");
    let commands = unit
        .lines()
        .filter_map(|line| line.strip_prefix("ExecStart"))
        .filter_map(|line| line.split_once("/usr/local/bin/merchant-server "));
    let mut count = 0;
    for (_, arguments) in commands {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_merchant-server"))
            .args(arguments.split(' '))
            .env_clear()
            .output()
            .unwrap();
        // The arguments are understood: what is missing is the file.
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(log.contains("the configuration is refused"), "{log}");
        count += 1;
    }
    assert_eq!(count, 2);
}

/// The settings of a section of the unit, as systemd reads them.
fn settings(section: &str) -> Vec<(&'static str, &'static str)> {
    let unit = include_str!("../deploy/merchant-server.service");
    let (_, rest) = unit
        .split_once(&format!("[{section}]\n"))
        .expect("the section");
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .collect()
}

#[test]
fn the_unit_restarts_after_every_failure_and_waits_for_the_clock() {
    let unit = settings("Unit");
    assert!(unit.contains(&("StartLimitIntervalSec", "0")), "{unit:?}");
    for dependency in ["After", "Wants"] {
        let targets = unit.iter().find(|(name, _)| *name == dependency).unwrap().1;
        assert!(
            targets.contains("time-sync.target"),
            "{dependency}={targets}"
        );
    }
    let service = settings("Service");
    assert!(service.contains(&("Restart", "always")), "{service:?}");
    // The server exits with 2 if the configuration is wrong. No other exit may keep it down.
    assert!(
        service.contains(&("RestartPreventExitStatus", "2")),
        "{service:?}"
    );
}

#[test]
fn the_unit_limits_the_memory_and_the_open_files() {
    let service = settings("Service");
    for bounded in ["MemoryHigh", "MemoryMax", "LimitNOFILE"] {
        let is_bounded = service.iter().any(|(name, value)| {
            *name == bounded && value.trim_end_matches('M').parse::<u32>().is_ok()
        });
        assert!(is_bounded, "{bounded} in {service:?}");
    }
}
