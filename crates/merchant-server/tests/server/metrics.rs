//! The form of `/metrics`: Prometheus' naming rules, checked by this module, and by promtool if
//! `PROMTOOL` names it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::test_server::{
    API_KEY, MINUTE_MS, START_MS, TestServer, backend, payment_notification, transaction,
};

/// A page with rows in every family that a test can fill: calls, orders, attempts, a refund, a
/// webhook, an unmatched payment, and late work.
async fn filled() -> String {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    let paid = server.take_notifications().remove(0);
    server.deliver(&paid).await;
    let stray = payment_notification("N1", &transaction("unmatched-0001", 1), START_MS);
    server.deliver(&stray).await;
    let refund = json!({ "refund_no": "R-0001", "amount_fen": 90 }).to_string();
    let path = "/v1/orders/tea-0001/refunds";
    server.send(backend(path, API_KEY, refund)).await;
    server.clock.advance_ms(MINUTE_MS + 1);
    server.read_private("/metrics").await.text()
}

/// A family: its help and type, and the names and values of its rows.
#[derive(Debug, Default)]
struct Family {
    help: String,
    kind: String,
    rows: Vec<(String, String)>,
}

/// Reads the text form: HELP, then TYPE, then rows, each family once and in one piece.
fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect(line);
            name.clone_into(&mut current);
            let family = Family {
                help: help.to_owned(),
                ..Family::default()
            };
            let earlier = families.insert(current.clone(), family);
            assert!(earlier.is_none(), "{name} comes twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect(line);
            assert_eq!(name, current, "{line}");
            let family = families.get_mut(name).expect(line);
            assert!(family.kind.is_empty() && family.rows.is_empty(), "{line}");
            kind.clone_into(&mut family.kind);
        } else {
            let (name, value) = line.rsplit_once(' ').expect(line);
            let bare = name.split('{').next().unwrap_or_default();
            assert_eq!(bare, current, "{line}");
            let row = (name.to_owned(), value.to_owned());
            families.get_mut(bare).expect(line).rows.push(row);
        }
    }
    families
}

#[tokio::test]
async fn every_metric_has_help_a_type_and_a_conventional_name() {
    let text = filled().await;
    assert!(text.ends_with('\n'), "{text}");
    let families = families(&text);
    assert!(families.len() > 10, "{text}");
    for (name, family) in &families {
        assert!(name.starts_with("merchant_server_"), "{name}");
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{name}"
        );
        assert!(family.help.len() > 10, "{name}: {}", family.help);
        let is_counter = match family.kind.as_str() {
            "counter" => true,
            "gauge" => false,
            other => panic!("{name} is a {other}"),
        };
        assert_eq!(name.ends_with("_total"), is_counter, "{name}");
        for word in name.split('_') {
            // A name has only base units, written out, and no type.
            for bad in [
                "ms",
                "milliseconds",
                "microseconds",
                "minutes",
                "hours",
                "days",
                "kilobytes",
                "percent",
                "gauge",
                "counter",
                "histogram",
            ] {
                assert_ne!(word, bad, "{name}");
            }
        }
        for (row, value) in &family.rows {
            assert!(
                value.parse::<f64>().is_ok_and(f64::is_finite),
                "{row} {value}"
            );
        }
    }
    let rows_of = |name: &str| &families[name].rows;
    for name in [
        "merchant_server_calls_total",
        "merchant_server_wechat_calls_total",
        "merchant_server_orders",
        "merchant_server_attempts",
        "merchant_server_refunds",
        "merchant_server_due_work",
    ] {
        assert!(!rows_of(name).is_empty(), "{name} in {text}");
    }
}

#[tokio::test]
async fn lateness_is_reported_in_seconds_to_the_millisecond() {
    let text = filled().await;
    let late = &families(&text)["merchant_server_due_work_late_seconds"].rows[0].1;
    let (whole_s, rest) = late.split_once('.').unwrap();
    assert_eq!(rest.len(), 3, "{late}");
    assert!(whole_s.parse::<u64>().unwrap() >= 60, "{late}");
    assert!(!text.contains("millisecond"), "{text}");
}

#[tokio::test]
async fn promtool_finds_no_fault() {
    let Some(promtool) = std::env::var_os("PROMTOOL") else {
        println!("skipped: PROMTOOL names no promtool; `cargo xtask test --only native` does");
        return;
    };
    let text = filled().await;
    assert_eq!(
        promtool_verdict(&promtool, &text),
        (true, String::new()),
        "{text}"
    );
    // This promtool does find faults.
    let (is_fine, output) = promtool_verdict(
        &promtool,
        "# TYPE late_milliseconds gauge\nlate_milliseconds 1\n",
    );
    assert!(!is_fine && output.contains("milliseconds"), "{output}");
}

/// The samples of monitoring: rules of Prometheus and a dashboard of Grafana.
const SAMPLES: [(&str, &str); 2] = [
    ("alerts.yml", include_str!("../../deploy/alerts.yml")),
    (
        "dashboard.json",
        include_str!("../../deploy/dashboard.json"),
    ),
];

#[test]
fn every_metric_that_the_samples_of_monitoring_name_is_registered() {
    let source = include_str!("../../src/metrics.rs");
    for (file, text) in SAMPLES {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        let names: Vec<_> = text
            .split(|letter| !is_name(letter))
            .filter_map(|word| word.strip_prefix("merchant_server_"))
            .collect();
        assert!(names.len() > 10, "{file}");
        for name in names {
            // The library ends a counter's name with `_total`.
            let registered = format!("\"{}\"", name.strip_suffix("_total").unwrap_or(name));
            assert!(source.contains(&registered), "{file}: {name}");
        }
    }
}

#[test]
fn the_dashboard_is_json_and_each_panel_has_a_query() {
    let (_, text) = SAMPLES[1];
    let dashboard: serde_json::Value = serde_json::from_str(text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 5);
    for panel in panels {
        let queries = panel["targets"].as_array().unwrap();
        assert!(!queries.is_empty(), "{panel}");
        for query in queries {
            assert!(query["expr"].as_str().is_some_and(|expr| !expr.is_empty()));
        }
    }
}

#[test]
fn the_alert_rules_fire_when_they_should_and_only_then() {
    let Some(promtool) = std::env::var_os("PROMTOOL") else {
        println!("skipped: PROMTOOL names no promtool; `cargo xtask test --only native` does");
        return;
    };
    let cases = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/alert_cases.yml"
    );
    let output = Command::new(promtool)
        .args(["test", "rules", cases])
        .output()
        .expect("promtool starts");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{text}");
}

/// Whether promtool accepts a text, and its output.
fn promtool_verdict(promtool: &std::ffi::OsStr, text: &str) -> (bool, String) {
    let mut process = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut input = process.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}
