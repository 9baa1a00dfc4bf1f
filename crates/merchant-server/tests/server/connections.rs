//! Clients that send half a request, or do not read their answers. The tests use real sockets and a
//! server in its own process.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::process::{PATIENCE, Process, metrics};

/// Incomplete requests.
const HALF_SENT: [&str; 4] = [
    "",
    "GET /hea",
    "POST /wechat/notify/payment HTTP/1.1\r\nhost: a\r\n",
    "POST /v1/orders HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{",
];

/// Makes no client a proxy, so that each client has its own limit and the test's short time limit.
const NO_PROXIES: [&str; 2] = ["env", "MERCHANT_SERVER__TRUSTED_PROXIES=[]"];

fn half_sent(process: &Process, request: &str) -> TcpStream {
    let address = process.origin().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

async fn health(process: &Process) -> u16 {
    let answer = reqwest::get(format!("{}/healthz", process.origin())).await;
    answer.unwrap().status().as_u16()
}

async fn held_polls(process: &Process) -> u32 {
    let metrics = metrics(process).await;
    let mut lines = metrics.lines();
    let held = lines.find_map(|line| line.strip_prefix("merchant_server_held_polls "));
    held.unwrap().parse().unwrap()
}

#[tokio::test]
async fn at_the_limit_of_descriptors_half_sent_requests_are_closed_first() {
    let few = ["sh", "-c", "ulimit -n 320; exec \"$@\"", "sh"];
    let process = Process::start_with(&few, "");
    let open: Vec<_> = (0..400)
        .map(|number| half_sent(&process, HALF_SENT[number % HALF_SENT.len()]))
        .collect();
    assert_eq!(health(&process).await, 200);
    let metrics = metrics(&process).await;
    assert!(metrics.contains("merchant_server_connections_refused_total 0\n"));
    assert!(!metrics.contains("merchant_server_connections_given_away_total 0\n"));
    drop(open);
}

#[tokio::test]
async fn one_address_gets_no_more_connections_than_its_share() {
    let process = Process::start_with(&NO_PROXIES, "connections = { max_per_address = 8 }");
    let mut first = half_sent(&process, HALF_SENT[1]);
    let _more: Vec<_> = (0..8).map(|_| half_sent(&process, HALF_SENT[1])).collect();
    assert_eq!(health(&process).await, 200);
    assert_eq!(first.read(&mut [0; 64]).unwrap_or(0), 0, "it is closed");
}

#[tokio::test]
async fn a_request_that_does_not_arrive_in_time_loses_its_connection() {
    let process = Process::start_with(&NO_PROXIES, "connections = { request_timeout_ms = 100 }");
    for request in HALF_SENT {
        let mut stream = half_sent(&process, request);
        let mut answer = Vec::new();
        // The server closes the connection; an error here would be the test's own time limit.
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(!answer.contains("HTTP/1.1 2"), "{request}: {answer}");
    }
    assert_eq!(health(&process).await, 200);
}

#[tokio::test]
async fn half_sent_requests_do_not_delay_the_shutdown() {
    let mut process = Process::start_with(&[], "");
    let _open = HALF_SENT.map(|request| half_sent(&process, request));
    assert_eq!(health(&process).await, 200);
    process.signal("-TERM");
    assert_eq!(process.exit_code(), Some(0));
    let log = process.rest_of_log();
    let cut_off = "some calls did not finish in time and are cut off";
    assert!(log.iter().all(|line| line["fields"]["message"] != cut_off));
}

#[tokio::test]
async fn the_last_connections_are_not_used_for_held_polls() {
    let process = Process::start_with(&[], "connections = { max_total = 60 }");
    // Each call has its own connection.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0);
    let client = client.build().unwrap();
    let token = process.order(&client, "tea-0001").await;
    let checkout = format!("{}/v1/checkouts/{token}", process.origin());
    let now = client.get(&checkout).send().await.unwrap();
    let now: Value = serde_json::from_str(&now.text().await.unwrap()).unwrap();
    let poll = format!("{checkout}?wait=25&seen={}", now["version"]);
    // More than the 54 that may be held, and fewer than the 57 that leave only reserved places. All at
    // once: one after the other, the first could end before the last begins.
    let mut polls: JoinSet<_> = (0..56).map(|_| client.get(&poll).send()).collect();
    let first = polls.join_next().await.unwrap().unwrap().unwrap();
    let early: Value = serde_json::from_str(&first.text().await.unwrap()).unwrap();
    assert_eq!(early["poll_after_ms"], 1_000, "{early}");
    let began = Instant::now();
    while held_polls(&process).await < 40 {
        assert!(began.elapsed() < PATIENCE, "fewer than 40 are held");
    }
}

#[tokio::test]
async fn clients_that_do_not_read_their_answer_are_closed_first() {
    let bundle = tempfile::tempdir().unwrap();
    // Send more than the buffers of a connection hold.
    std::fs::write(bundle.path().join("big.js"), vec![b' '; 20 << 20]).unwrap();
    let lines = format!(
        "connections = {{ max_total = 8 }}\nbundle_dir = \"{}\"",
        bundle.path().display()
    );
    let process = Process::start_with(&[], &lines);
    let request = "GET /dist/big.js HTTP/1.1\r\nhost: a\r\n\r\n";
    let _unread: Vec<_> = (0..16)
        .map(|_| {
            let mut stream = half_sent(&process, request);
            // The answer has begun, so the request is complete.
            let _ = stream.read(&mut [0; 16]);
            stream
        })
        .collect();
    for _ in 0..3 {
        assert_eq!(health(&process).await, 200);
    }
}

/// A container often has one pipe for both streams.
const ONE_PIPE: [&str; 4] = ["sh", "-c", "RUST_LOG=debug exec \"$@\" 1>&2", "sh"];

#[tokio::test]
async fn a_log_without_a_reader_blocks_neither_the_server_nor_its_shutdown() {
    let (mut process, log) = Process::start_unread(&ONE_PIPE);
    let client = reqwest::Client::new();
    let began = Instant::now();
    let none = "merchant_server_log_lines_dropped_total 0\n";
    // Call until the pipe and the queue are full, and for some lines more.
    while metrics(&process).await.contains(none) {
        assert!(began.elapsed() < PATIENCE);
        let health = format!("{}/healthz", process.origin());
        let calls = (0..500).map(|_| client.get(&health).send());
        for answer in futures_util::future::join_all(calls).await {
            assert_eq!(answer.unwrap().status(), 200);
        }
    }
    process.signal("-TERM");
    assert_eq!(process.exit_code(), Some(0));
    drop(log);
}
