//! Polls that wait over real connections, where they are parked outside of hyper. The tests use sockets
//! of their own and a server in its own process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use serde_json::Value;

use crate::process::{PATIENCE, Process, metrics};
use crate::test_server::API_KEY;

/// An order, and a connection to its server.
struct Shop {
    process: Process,
    client: reqwest::Client,
    token: String,
}

impl Shop {
    async fn open(lines: &str) -> Self {
        let process = Process::start_with(&[], lines);
        let client = reqwest::Client::new();
        let token = process.order(&client, "tea-0001").await;
        Self {
            process,
            client,
            token,
        }
    }

    /// Changes the order: its close begins.
    async fn close(&self) {
        let close = format!("{}/v1/orders/tea-0001/close", self.process.origin());
        let closed = self.client.post(close).bearer_auth(API_KEY).send().await;
        assert_eq!(closed.unwrap().status(), 200);
    }

    /// A request for the order, as a browser sends it.
    fn read(&self, query: &str) -> String {
        format!(
            "GET /v1/checkouts/{}{query} HTTP/1.1\r\nhost: a\r\nx-request-id: from-the-page\r\n\r\n",
            self.token
        )
    }

    async fn held(&self, count: u32) {
        let began = Instant::now();
        let line = format!("merchant_server_held_polls {count}\n");
        while !metrics(&self.process).await.contains(&line) {
            assert!(began.elapsed() < PATIENCE, "{count} are never held");
        }
    }
}

/// One page's connection.
struct Page(BufReader<TcpStream>);

impl Page {
    fn connect(shop: &Shop) -> Self {
        let address = shop.process.origin().trim_start_matches("http://");
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, request: &str) {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// The head and the body of the next answer.
    fn next(&mut self) -> (String, Vec<u8>) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "{head}");
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap_or_else(|| panic!("{head}"));
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        (head, body)
    }

    fn next_json(&mut self) -> Value {
        let (head, body) = self.next();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        serde_json::from_slice(&body).unwrap()
    }

    fn seen(&mut self, shop: &Shop) -> u64 {
        self.send(&shop.read(""));
        self.next_json()["version"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn a_connection_goes_on_after_each_poll_that_waited() {
    let shop = Shop::open("").await;
    let mut page = Page::connect(&shop);
    let seen = page.seen(&shop);
    page.send(&shop.read(&format!("?wait=1&seen={seen}")));
    assert_eq!(page.next_json()["version"], seen, "its time was over");
    page.send(&shop.read(&format!("?wait=25&seen={seen}")));
    shop.held(1).await;
    shop.close().await;
    let (head, body) = page.next();
    assert!(head.contains("x-request-id: from-the-page\r\n"), "{head}");
    let changed: Value = serde_json::from_slice(&body).unwrap();
    assert!(changed["version"].as_u64() > Some(seen), "{changed}");
    shop.held(0).await;
    assert!(page.seen(&shop) > seen);
}

#[tokio::test]
async fn requests_sent_behind_a_poll_are_answered_after_it() {
    let shop = Shop::open("").await;
    let mut page = Page::connect(&shop);
    let seen = page.seen(&shop);
    let poll = shop.read(&format!("?wait=25&seen={seen}"));
    let health = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    page.send(&format!("{poll}{health}{}", &poll[..20]));
    shop.held(1).await;
    page.send(&poll[20..]);
    shop.close().await;
    assert!(page.next_json()["version"].as_u64() > Some(seen));
    assert!(page.next().0.starts_with("HTTP/1.1 200 "));
    assert!(page.next_json()["version"].as_u64() > Some(seen));
}

#[tokio::test]
async fn a_long_answer_loses_no_byte_to_the_poll_behind_it() {
    let bundle = tempfile::tempdir().unwrap();
    // More than the buffers of a connection hold.
    let big: Vec<u8> = (0..20_u32 << 20).map(|at| (at % 251) as u8).collect();
    std::fs::write(bundle.path().join("big.js"), &big).unwrap();
    let shop = Shop::open(&format!("bundle_dir = \"{}\"", bundle.path().display())).await;
    let mut page = Page::connect(&shop);
    let seen = page.seen(&shop);
    let file = "GET /dist/big.js HTTP/1.1\r\nhost: a\r\n\r\n";
    let poll = shop.read(&format!("?wait=25&seen={seen}"));
    page.send(&format!("{file}{poll}"));
    assert!(page.next().1 == big, "the file has other bytes");
    shop.held(1).await;
    shop.close().await;
    assert!(page.next_json()["version"].as_u64() > Some(seen));
}

#[tokio::test]
async fn a_page_that_leaves_ends_its_poll() {
    let shop = Shop::open("").await;
    let mut page = Page::connect(&shop);
    let seen = page.seen(&shop);
    page.send(&shop.read(&format!("?wait=25&seen={seen}")));
    shop.held(1).await;
    drop(page);
    shop.held(0).await;
}

#[tokio::test]
async fn a_poll_that_waited_counts_once() {
    let shop =
        Shop::open("rate_limits = { token_per_minute = 2, address_per_minute = 1000 }").await;
    let mut page = Page::connect(&shop);
    let seen = page.seen(&shop);
    page.send(&shop.read(&format!("?wait=1&seen={seen}")));
    page.next_json();
    page.send(&shop.read(""));
    assert!(page.next().0.starts_with("HTTP/1.1 429 "));
    let counted = metrics(&shop.process).await;
    let polls: Vec<_> = counted
        .lines()
        .filter(|line| line.contains("/v1/checkouts/{token}\"") && line.contains("200"))
        .collect();
    assert!(polls.len() == 1 && polls[0].ends_with(" 2"), "{polls:?}");
}

/// These requests are not parked.
#[tokio::test]
async fn a_poll_with_a_body_or_of_an_old_client_waits_as_well() {
    let shop = Shop::open("").await;
    let mut page = Page::connect(&shop);
    let seen = page.seen(&shop);
    let poll = shop.read(&format!("?wait=25&seen={seen}"));
    let (line, rest) = poll.split_once("\r\n").unwrap();
    let old = poll.replace("HTTP/1.1", "HTTP/1.0");
    let with_body = format!("{line}\r\ncontent-length: 2\r\n{rest}hi");
    let mut pages = Vec::new();
    for request in [old, with_body] {
        let mut page = Page::connect(&shop);
        page.send(&request);
        pages.push(page);
    }
    shop.held(2).await;
    shop.close().await;
    for mut page in pages {
        let (head, body) = page.next();
        assert!(head.contains(" 200 "), "{head}");
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert!(answer["version"].as_u64() > Some(seen), "{answer}");
    }
}
