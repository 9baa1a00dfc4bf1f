//! Every attempt and refund since a moment, asked about: what is mended, and what a person hears.

use merchant_server::Finding;
use serde_json::json;

use crate::bills::{DAY, bill, notified, refunded, the_next_morning};
use crate::house::{House, MINUTE_MS, START_MS, letter, transaction};
use crate::wechat_line::Meddling;

async fn findings(house: &House) -> Vec<(String, String, String, &'static str)> {
    let reconciled = house.server.reconcile(START_MS).await.unwrap();
    let findings = reconciled.findings.into_iter();
    findings
        .map(|finding| {
            let Finding {
                number,
                here,
                there,
                done,
            } = finding;
            (number, here, there, done)
        })
        .collect()
}

fn finding(
    number: &str,
    here: &str,
    there: &str,
    done: &'static str,
) -> (String, String, String, &'static str) {
    (number.into(), here.into(), there.into(), done)
}

async fn ordered(house: &House, order_no: &str) {
    let order = json!({
        "order_no": order_no, "total_fen": 1990, "description": "tea",
        "expires_in_ms": 7 * 24 * 3_600_000_u64,
    });
    let token = house.order(order).await;
    let answer = house.attempt(&token, &[("product", "native")]).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

#[tokio::test]
async fn money_that_nobody_told_us_of_is_recorded_and_told() {
    let house = House::open().await;
    ordered(&house, "tea-0001").await;
    house.pay("tea-0001").await;
    let found = finding("tea-0001", "open", "paid", "the order is paid now");
    assert_eq!(findings(&house).await, [found]);
    assert_eq!(findings(&house).await, []);
}

#[tokio::test]
async fn what_both_sides_agree_on_is_no_finding_and_earlier_ones_are_not_asked_about() {
    let house = House::open().await;
    ordered(&house, "tea-0001").await;
    notified(&house, "tea-0002", 5).await;
    assert_eq!(findings(&house).await, []);
    house.line.take_sent();
    let later = house.server.reconcile(START_MS + 1).await.unwrap();
    assert_eq!((later.asked, later.findings), (0, Vec::new()));
    assert_eq!(house.line.take_sent(), []);
}

/// By hand in the portal, and the one message about it was lost.
#[tokio::test]
async fn a_refund_that_nobody_told_us_of_is_for_a_person_until_a_bill_has_named_it() {
    let house = House::open().await;
    notified(&house, "tea-0001", 1990).await;
    assert_eq!(findings(&house).await, []);
    let wish = json!({
        "mchid": crate::house::merchant()["mchid"], "out_trade_no": "tea-0001", "refund": 1990,
    });
    house.simulate("refund", &wish).await;
    house.simulator.run_due().await;
    house.take_post();
    let there = "refunded, by a refund that only the bill of its day names";
    for _ in 0..2 {
        let found = finding("tea-0001", "paid", there, "");
        assert_eq!(findings(&house).await, [found]);
    }
    let order = house.shown("/tea-0001").await;
    assert!(order.json["attempts"][0]["refund_seen_at"].is_string());

    the_next_morning(&house);
    bill(&house, DAY).await;
    house.later(0).await;
    assert_eq!(findings(&house).await, []);
    assert_eq!(house.shown("/tea-0001").await.number("refunded_fen"), 1990);
}

#[tokio::test]
async fn an_order_that_wechat_closed_by_itself_is_closed_here_too() {
    let house = House::open().await;
    ordered(&house, "tea-0001").await;
    house.clock.advance_ms(8 * 24 * 60 * MINUTE_MS);
    let found = finding("tea-0001", "open", "closed", "closed here, too");
    assert_eq!(findings(&house).await, [found]);
    assert_eq!(findings(&house).await, []);
}

#[tokio::test]
async fn a_payment_that_wechat_does_not_know_is_for_a_person() {
    let house = House::open().await;
    ordered(&house, "tea-0001").await;
    let told = letter("N1", &transaction("tea-0001", 1990), START_MS);
    assert_eq!(house.hand_in(&told).await.status, 204);
    let found = finding("tea-0001", "paid", "not paid", "");
    assert_eq!(findings(&house).await, std::slice::from_ref(&found));
    assert_eq!(findings(&house).await, [found], "nothing was made of it");
}

#[tokio::test]
async fn a_question_without_an_answer_is_a_finding_and_the_next_ones_are_asked() {
    let house = House::open().await;
    ordered(&house, "tea-0001").await;
    ordered(&house, "tea-0002").await;
    house.line.meddle("query", Meddling::NotSent);
    let found = findings(&house).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].2.contains("could not be reached"), "{found:?}");
}

#[tokio::test]
async fn a_pause_that_wechat_wants_is_waited_out_and_nobody_is_left_out() {
    let house = House::open().await;
    for number in ["tea-0001", "tea-0002"] {
        ordered(&house, number).await;
        house.pay(number).await;
    }
    let refusal = r#"{"code":"FREQUENCY_LIMITED","message":"x"}"#;
    house.line.meddle("query", Meddling::Answered(429, refusal));
    let clock = house.clock.clone();
    let reconcile = findings(&house);
    let time = async {
        loop {
            tokio::task::yield_now().await;
            clock.advance_ms(1_000);
        }
    };
    let found = tokio::select! {
        found = reconcile => found,
        () = time => unreachable!("time goes on for ever"),
    };
    let paid = |number| finding(number, "open", "paid", "the order is paid now");
    assert_eq!(found, [paid("tea-0001"), paid("tea-0002")]);
}

#[tokio::test]
async fn a_refund_whose_end_was_not_told_is_recorded_and_one_that_is_not_there_is_for_a_person() {
    let house = House::open().await;
    notified(&house, "tea-0001", 1990).await;
    refunded(&house, "tea-0001", "back-1", 333).await;
    house.clock.advance_ms(24 * 60 * MINUTE_MS);
    let found = finding("back-1", "processing", "succeeded", "recorded");
    assert_eq!(findings(&house).await, [found]);
    assert_eq!(findings(&house).await, []);
    let not_there = r#"{"code":"RESOURCE_NOT_EXISTS","message":""}"#;
    let answer = Meddling::Answered(404, not_there);
    house.line.meddle("refund_query", answer);
    let found = finding("back-1", "succeeded", "unknown", "");
    assert_eq!(findings(&house).await, [found]);
}
