//! A process that ends in the middle, at every point where it waits, for a requested refund and for
//! a refund of surplus. The next process does the rest of the work, once.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use http::StatusCode;

use super::surplus::paid_twice;
use super::{HOOKS, bought, refund_body};
use crate::test_server::{MINUTE_MS, TestServer};

/// Runs a future for so many steps at most, and then drops it; returns whether it completed.
async fn cut_off_after<F: Future>(steps: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = steps;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

/// Finishes the work that is left, with enough time for a minute between two tries.
async fn settle(server: &TestServer) {
    for _ in 0..8 {
        server.later(MINUTE_MS / 2).await;
    }
}

#[tokio::test]
async fn a_request_is_one_refund_wherever_the_process_ends() {
    for steps in 0.. {
        let (server, _) = bought().await;
        let is_done = cut_off_after(steps, server.ask_refund(refund_body("R-1", 990))).await;
        let server = server.restart().await;
        let was_taken = server.refund("R-1").await.status == StatusCode::OK;
        let again = server.ask_refund(refund_body("R-1", 990)).await;
        let expected = if was_taken { 200 } else { 201 };
        assert_eq!(again.status, expected, "{steps}: {}", again.json);
        settle(&server).await;
        let at_wechat = server.refunds_at_wechat();
        let one = ("R-1".to_owned(), 990, "SUCCESS".to_owned());
        assert_eq!(at_wechat, [one], "{steps}");
        assert_eq!(server.state_of("R-1").await, "succeeded", "{steps}");
        if is_done {
            assert!(steps > 1, "there were points to end at");
            return;
        }
    }
}

#[tokio::test]
async fn a_duplicate_payment_is_refunded_once_wherever_the_process_ends() {
    for steps in 0.. {
        let server = TestServer::open_with_end(HOOKS).await;
        paid_twice(&server).await;
        let is_done = cut_off_after(steps, server.inner.run_due()).await;
        let server = server.restart().await;
        settle(&server).await;
        let at_wechat = server.refunds_at_wechat();
        let one = ("surplus@tea-0001".to_owned(), 1990, "SUCCESS".to_owned());
        assert_eq!(at_wechat, [one], "{steps}");
        assert_eq!(server.state_of("surplus@tea-0001").await, "succeeded");
        if is_done {
            assert!(steps > 1, "there were points to end at");
            return;
        }
    }
}
