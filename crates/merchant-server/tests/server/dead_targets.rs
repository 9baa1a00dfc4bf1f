//! A hanging target beside a good one: it delays its own messages only.

use tokio::task::{JoinHandle, yield_now};

use crate::test_server::{MINUTE_MS, TestServer};
use crate::webhooks::{SECRET, TARGET, all_pages, close};

const OTHER: &str = "http://127.0.0.1:7001/hooks";

/// Two targets, the first of which hangs.
async fn server() -> TestServer {
    let targets = [TARGET, OTHER]
        .map(|target| format!("[[webhooks]]\nurl = \"{target}\"\nsecret = \"{SECRET}\"\n"));
    let server = TestServer::open_with_end(&targets.concat()).await;
    server.backend.hang(TARGET);
    server
}

/// Runs the due work in its own task.
fn begin_due(server: &TestServer) -> JoinHandle<usize> {
    let inner = server.inner.clone();
    tokio::spawn(async move { inner.run_due().await.unwrap() })
}

/// Times out each call to the dead target until the work is done.
async fn time_out(server: &TestServer, work: JoinHandle<usize>) {
    while !work.is_finished() {
        server.backend.time_out();
        yield_now().await;
    }
    work.await.unwrap();
}

#[tokio::test]
async fn a_target_that_hangs_delays_no_other_target_and_no_later_message() {
    let server = server().await;
    for number in 0..20 {
        close(&server, number).await;
    }
    let first = begin_due(&server);
    server.backend.wait_for_count(OTHER, 20).await;
    server.backend.wait_for_count(TARGET, 8).await;
    // Messages that become due meanwhile do not wait for the hanging messages.
    close(&server, 20).await;
    let second = begin_due(&server);
    server.backend.wait_for_count(OTHER, 21).await;
    assert!(!first.is_finished() && !second.is_finished());
    assert_eq!(
        server.backend.count(TARGET),
        8,
        "a small backend gets no more at once"
    );
    time_out(&server, first).await;
    time_out(&server, second).await;
    let pending = all_pages(&server, "&state=pending").await;
    assert_eq!(pending.len(), 21, "it has none of them");

    server.backend.repair();
    server.backend.take();
    server.later(5 * MINUTE_MS).await;
    server.later(5 * MINUTE_MS).await;
    assert_eq!(server.backend.count(TARGET), 21);
    assert_eq!(server.backend.count(OTHER), 0, "it has all of them");
    assert_eq!(all_pages(&server, "&state=delivered").await, pending);
}

#[tokio::test]
async fn a_target_that_does_not_answer_gets_one_message_at_a_time() {
    let server = server().await;
    close(&server, 0).await;
    time_out(&server, begin_due(&server)).await;
    server.backend.take();

    // The message from before is due, and more messages than are sent at a time.
    server.clock.advance_ms(5_000);
    for number in 1..41 {
        close(&server, number).await;
    }
    let due = begin_due(&server);
    server.backend.wait_for_count(OTHER, 40).await;
    server.backend.wait_for_count(TARGET, 1).await;
    time_out(&server, due).await;
    assert_eq!(server.backend.count(TARGET), 1);
    assert_eq!(server.backend.count(OTHER), 40);
    let list = server.read_private("/v1/webhooks?limit=200").await;
    let shown = list.json["webhooks"].as_array().unwrap();
    // On PostgreSQL each message first reads its row, so any of the 41 may be the one that is called.
    let uncalled = shown.iter().filter(|shown| {
        shown["last_outcome"] == "not called: it does not answer" && shown["state"] == "pending"
    });
    assert_eq!(uncalled.count(), 40, "{}", list.json);
    let tries: u64 = shown
        .iter()
        .filter_map(|shown| shown["tries"].as_u64())
        .sum();
    assert_eq!(
        tries, 2,
        "one before, one now, and none is counted without a call"
    );

    // It answers again: all that it missed comes to it, and to it alone.
    server.backend.repair();
    server.backend.take();
    server.later(5 * MINUTE_MS).await;
    server.later(5 * MINUTE_MS).await;
    assert_eq!(server.backend.count(TARGET), 41);
    assert_eq!(server.backend.count(OTHER), 0);
    assert_eq!(all_pages(&server, "&state=delivered").await.len(), 41);
}
