//! What a buyer's browser receives of the element, in bytes off the wire: heads and bodies, from the
//! real merchant server.

use std::path::PathBuf;

use payment_tests::servers::{Servers, bundle_dir};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The default download, with the heads of both answers.
const LIMIT_BYTES: usize = 59_000;

#[tokio::test]
async fn the_element_is_below_its_limit_on_the_wire() {
    let servers = Servers::start().await;
    let mut total = 0;
    let mut heads = String::new();
    for name in names("files") {
        let answer = fetch(&servers, &name).await;
        let (head, body) = halves(&answer);
        assert!(head.starts_with("http/1.1 200"), "{name}: {head}");
        assert!(head.contains("content-encoding: br"), "{name}: {head}");
        assert!(head.contains("vary: accept-encoding"), "{name}: {head}");
        assert!(!body.is_empty(), "{name}");
        total += answer.len();
        heads.push_str(&head);
    }
    assert!(total > 20_000, "{total} bytes are not an element");
    assert!(total < LIMIT_BYTES, "{total} bytes on the wire\n{heads}");
}

#[tokio::test]
async fn every_text_that_a_browser_loads_is_sent_compressed() {
    let servers = Servers::start().await;
    let names = names("others");
    assert!(
        names.iter().any(|name| name == "problems.html"),
        "{names:?}"
    );
    for name in names {
        let plain = std::fs::metadata(bundle_dir().join(&name)).expect("a file of the bundle");
        let answer = fetch(&servers, &name).await;
        let (head, body) = halves(&answer);
        assert!(head.contains("content-encoding: br"), "{name}: {head}");
        let sent = u64::try_from(body.len()).expect("a length");
        assert!(sent * 2 < plain.len(), "{name}: {sent} of {}", plain.len());
    }
}

/// The names of files in a part of the bundle's manifest.
fn names(part: &str) -> Vec<String> {
    let manifest: PathBuf = bundle_dir().join("manifest.json");
    let text = std::fs::read_to_string(manifest).expect("the bundle is built");
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    let files = manifest[part].as_array().expect("a list of files");
    let names = files.iter().map(|file| file["name"].as_str());
    names.map(|name| name.expect("a name").to_owned()).collect()
}

/// All bytes that the server sends for a file to a browser that accepts brotli.
async fn fetch(servers: &Servers, name: &str) -> Vec<u8> {
    let host = servers.merchant.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.expect("the server listens");
    let request = format!(
        "GET /dist/{name} HTTP/1.1\r\nhost: {host}\r\naccept-encoding: gzip, deflate, br\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    // The connection stays open, as a browser keeps it, so the head says where the answer ends.
    loop {
        let read = stream.read_buf(&mut answer).await.expect("an answer");
        assert!(read > 0, "{name} breaks off");
        if is_whole(&answer) {
            return answer;
        }
    }
}

/// Whether the body is as long as the head says.
fn is_whole(answer: &[u8]) -> bool {
    if !answer.windows(4).any(|four| four == b"\r\n\r\n") {
        return false;
    }
    let (head, body) = halves(answer);
    let (_, length) = head.split_once("content-length: ").expect("a length");
    let length = length.lines().next().and_then(|digits| digits.parse().ok());
    body.len() >= length.expect("a number")
}

/// The head in lower case, and the body.
fn halves(answer: &[u8]) -> (String, &[u8]) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.expect("the end of a head") + 4);
    (String::from_utf8_lossy(head).to_lowercase(), body)
}
