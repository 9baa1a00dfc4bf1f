//! A target that hangs beside one that does not: it costs itself its messages, and nobody else.

use tokio::task::{JoinHandle, yield_now};

use crate::house::{House, MINUTE_MS};
use crate::webhooks::{SECRET, TARGET, all_pages, close};

const OTHER: &str = "http://127.0.0.1:7001/hooks";

/// Two targets, the first of which hangs.
async fn house() -> House {
    let targets = [TARGET, OTHER]
        .map(|target| format!("[[webhooks]]\nurl = \"{target}\"\nsecret = \"{SECRET}\"\n"));
    let house = House::open_with_end(&targets.concat()).await;
    house.backend.hang(TARGET);
    house
}

/// Does what is due, in a task of its own.
fn begin_due(house: &House) -> JoinHandle<usize> {
    let server = house.server.clone();
    tokio::spawn(async move { server.run_due().await.unwrap() })
}

/// Whoever waits for the dead target waits too long, until the work is done.
async fn time_out(house: &House, work: JoinHandle<usize>) {
    while !work.is_finished() {
        house.backend.time_out();
        yield_now().await;
    }
    work.await.unwrap();
}

#[tokio::test]
async fn a_target_that_hangs_holds_up_no_other_and_no_later_message() {
    let house = house().await;
    for number in 0..20 {
        close(&house, number).await;
    }
    let first = begin_due(&house);
    house.backend.have_come(OTHER, 20).await;
    house.backend.have_come(TARGET, 8).await;
    // What becomes due meanwhile goes past those that hang.
    close(&house, 20).await;
    let second = begin_due(&house);
    house.backend.have_come(OTHER, 21).await;
    assert!(!first.is_finished() && !second.is_finished());
    assert_eq!(
        house.backend.count(TARGET),
        8,
        "a small backend gets no more at once"
    );
    time_out(&house, first).await;
    time_out(&house, second).await;
    let pending = all_pages(&house, "&state=pending").await;
    assert_eq!(pending.len(), 21, "it has none of them");

    house.backend.mend();
    house.backend.take();
    house.later(5 * MINUTE_MS).await;
    house.later(5 * MINUTE_MS).await;
    assert_eq!(house.backend.count(TARGET), 21);
    assert_eq!(house.backend.count(OTHER), 0, "it has all of them");
    assert_eq!(all_pages(&house, "&state=delivered").await, pending);
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_called_with_one_message_at_a_time() {
    let house = house().await;
    close(&house, 0).await;
    time_out(&house, begin_due(&house)).await;
    house.backend.take();

    // The one from before, and more than are sent at a time.
    house.clock.advance_ms(5_000);
    for number in 1..41 {
        close(&house, number).await;
    }
    let due = begin_due(&house);
    house.backend.have_come(OTHER, 40).await;
    house.backend.have_come(TARGET, 1).await;
    time_out(&house, due).await;
    assert_eq!(house.backend.count(TARGET), 1);
    assert_eq!(house.backend.count(OTHER), 40);
    let list = house.read_private("/v1/webhooks?limit=200").await;
    let shown = list.json["webhooks"].as_array().unwrap();
    let uncalled = shown.iter().filter(|shown| {
        shown["last_outcome"] == "not called: it does not answer"
            && shown["tries"] == 0
            && shown["state"] == "pending"
    });
    assert_eq!(uncalled.count(), 40, "{}", list.json);

    // It answers again: all that it missed comes to it, and to it alone.
    house.backend.mend();
    house.backend.take();
    house.later(5 * MINUTE_MS).await;
    house.later(5 * MINUTE_MS).await;
    assert_eq!(house.backend.count(TARGET), 41);
    assert_eq!(house.backend.count(OTHER), 0);
    assert_eq!(all_pages(&house, "&state=delivered").await.len(), 41);
}
