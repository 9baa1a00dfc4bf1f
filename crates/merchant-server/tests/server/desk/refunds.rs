//! Refunds at the desk: asked twice, done once, by the same function as the API's route.

use http::StatusCode;
use serde_json::Value;

use super::{LOOK_KEY, OWNER_KEY, Person, REFUND_KEY, SETTLE_KEY, location, paid_order, server};
use crate::fault_injector::Fault;
use crate::log::Log;
use crate::test_server::{MINUTE_MS, TestServer};

const PATH: &str = "/desk/orders/tea-0001/refunds";

async fn refunds(server: &TestServer) -> Vec<Value> {
    let answer = server.read_private("/v1/orders/tea-0001/refunds").await;
    answer.json["refunds"].as_array().unwrap().clone()
}

/// Sends the last form of a refund.
async fn send(person: &Person<'_>, fields: &[String; 3]) -> crate::test_server::Answer {
    let [refund_no, amount_fen, reason] = fields.each_ref().map(String::as_str);
    let fields = [
        ("refund_no", refund_no),
        ("amount_fen", amount_fen),
        ("reason", reason),
    ];
    person.post(PATH, &fields).await
}

#[tokio::test]
async fn a_refund_is_asked_for_once_more_and_is_done_once_however_often_the_form_is_sent() {
    let server = server("").await;
    paid_order(&server).await;
    let person = Person::with(&server, REFUND_KEY).await;
    server.wechat.take_sent();
    let fields = person.refund_fields("tea-0001", "3.33", "茶凉了").await;
    assert_eq!(server.wechat.take_kinds(), [""; 0], "only asked");
    assert_eq!(refunds(&server).await.len(), 0);
    let done = send(&person, &fields).await;
    assert_eq!(location(&done), "/desk/orders/tea-0001?said=refunded");
    let page = person.page("/desk/orders/tea-0001?said=refunded").await;
    assert!(page.contains("The refund is on its way"), "{page}");
    for _ in 0..3 {
        let again = send(&person, &fields).await;
        assert_eq!(location(&again), "/desk/orders/tea-0001?said=repeated");
    }
    let made = refunds(&server).await;
    let [refund] = &*made else { panic!("{made:?}") };
    assert_eq!(refund["amount_fen"], 333);
    assert_eq!(refund["reason"], "茶凉了");
    assert_eq!(refund["refund_no"], fields[0].as_str());
    assert_eq!(server.wechat.take_kinds(), ["refund"]);
}

#[tokio::test]
async fn two_forms_that_arrive_together_are_one_refund() {
    let server = server("").await;
    paid_order(&server).await;
    let person = Person::with(&server, REFUND_KEY).await;
    let fields = person.refund_fields("tea-0001", "19.90", "").await;
    let (one, two) = tokio::join!(send(&person, &fields), send(&person, &fields));
    let mut said = [location(&one), location(&two)];
    said.sort_unstable();
    assert_eq!(
        said,
        [
            "/desk/orders/tea-0001?said=refunded",
            "/desk/orders/tea-0001?said=repeated"
        ]
    );
    assert_eq!(refunds(&server).await.len(), 1);
}

#[tokio::test]
async fn a_number_that_is_sent_with_another_amount_is_refused() {
    let server = server("").await;
    paid_order(&server).await;
    let person = Person::with(&server, REFUND_KEY).await;
    let mut fields = person.refund_fields("tea-0001", "3.33", "").await;
    send(&person, &fields).await;
    fields[1] = "334".to_owned();
    let refused = send(&person, &fields).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(
        refused.text().contains("REFUND_NO_USED"),
        "{}",
        refused.text()
    );
    assert_eq!(refunds(&server).await.len(), 1);
}

#[tokio::test]
async fn an_amount_that_is_no_amount_or_too_much_is_refused_before_anything_is_sent() {
    let server = server("").await;
    paid_order(&server).await;
    let person = Person::with(&server, REFUND_KEY).await;
    let page = person.page("/desk/orders/tea-0001/refund").await;
    let refund_no = super::hidden(&page, "refund_no");
    for (amount, number, status, reason) in [
        (
            "0",
            refund_no.as_str(),
            StatusCode::BAD_REQUEST,
            "amount must be",
        ),
        ("-1", &refund_no, StatusCode::BAD_REQUEST, "amount must be"),
        (
            "1.999",
            &refund_no,
            StatusCode::BAD_REQUEST,
            "amount must be",
        ),
        ("all", &refund_no, StatusCode::BAD_REQUEST, "amount must be"),
        ("", &refund_no, StatusCode::BAD_REQUEST, "amount must be"),
        (
            "19.91",
            &refund_no,
            StatusCode::BAD_REQUEST,
            "more than is left",
        ),
        (
            "1",
            "surplus@tea-0001",
            StatusCode::BAD_REQUEST,
            "refund_no must be",
        ),
        ("1", "", StatusCode::BAD_REQUEST, "refund_no must be"),
    ] {
        let fields = [("refund_no", number), ("amount", amount)];
        let refused = person.post("/desk/orders/tea-0001/refund", &fields).await;
        assert_eq!(refused.status, status, "{amount}");
        assert!(
            refused.text().contains(reason),
            "{amount}: {}",
            refused.text()
        );
    }
    let fields = [("refund_no", refund_no.as_str()), ("amount_fen", "1991")];
    let refused = person.post(PATH, &fields).await;
    assert!(
        refused.text().contains("REFUND_TOO_MUCH"),
        "{}",
        refused.text()
    );
    assert_eq!(refunds(&server).await.len(), 0);
}

#[tokio::test]
async fn an_order_that_is_not_paid_offers_no_refund() {
    let server = server("").await;
    server.default_order().await;
    let person = Person::with(&server, REFUND_KEY).await;
    let page = person.page("/desk/orders/tea-0001").await;
    assert!(!page.contains("/refund\""), "{page}");
    let refused = person.get("/desk/orders/tea-0001/refund").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn each_role_may_do_its_actions_and_no_other() {
    let server = server("").await;
    paid_order(&server).await;
    for (key, may_refund, may_settle) in [
        (LOOK_KEY, false, false),
        (REFUND_KEY, true, false),
        (SETTLE_KEY, false, true),
        (OWNER_KEY, true, true),
    ] {
        let person = Person::with(&server, key).await;
        let order = person.page("/desk/orders/tea-0001").await;
        assert_eq!(
            order.contains("/desk/orders/tea-0001/refund\""),
            may_refund,
            "{key}"
        );
        assert_eq!(order.contains("/resend\""), may_settle, "{key}");
        let refusals = [
            (person.get("/desk/orders/tea-0001/refund").await, may_refund),
            (
                person.post("/desk/orders/tea-0001/refund", &[]).await,
                may_refund,
            ),
            (person.post(PATH, &[]).await, may_refund),
            (person.get("/desk/refunds/R-1/settle").await, may_refund),
            (
                person.post("/desk/refunds/R-1/settle", &[]).await,
                may_refund,
            ),
            (
                person.post("/desk/mismatches/9/done", &[]).await,
                may_settle,
            ),
            (
                person
                    .post("/desk/webhooks/x/resend", &[("tries", "0")])
                    .await,
                may_settle,
            ),
        ];
        for (place, (answer, may)) in refusals.iter().enumerate() {
            let is_forbidden = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(is_forbidden, !may, "{key} {place}: {}", answer.text());
        }
    }
    assert_eq!(refunds(&server).await.len(), 0);
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_completed_and_not_repeated() {
    let server = server("").await;
    paid_order(&server).await;
    let person = Person::with(&server, REFUND_KEY).await;
    let fields = person.refund_fields("tea-0001", "19.90", "").await;
    server.wechat.inject("refund", Fault::AnswerLost);
    let done = send(&person, &fields).await;
    assert_eq!(location(&done), "/desk/orders/tea-0001?said=refunded");
    let again = send(&person, &fields).await;
    assert_eq!(location(&again), "/desk/orders/tea-0001?said=repeated");
    server.later(2 * MINUTE_MS).await;
    let made = refunds(&server).await;
    assert_eq!(made.len(), 1);
    assert_ne!(made[0]["state"], "requested", "{made:?}");
}

#[tokio::test]
async fn an_abnormal_refund_is_sent_another_way_and_the_card_is_written_nowhere() {
    const CARD: &str = "6222020000001234";
    const NAME: &str = "张三丰";
    let log = Log::start();
    let server = server("").await;
    paid_order(&server).await;
    let person = Person::with(&server, OWNER_KEY).await;
    let fields = person.refund_fields("tea-0001", "19.90", "").await;
    send(&person, &fields).await;
    let refund_no = fields[0].as_str();
    server.decide(refund_no, "abnormal").await;
    for notification in server.take_notifications() {
        server.deliver_to(notification.path(), &notification).await;
    }
    let tasks = person.page("/desk/tasks").await;
    let path = format!("/desk/refunds/{refund_no}/settle");
    assert!(tasks.contains(&path), "{tasks}");
    assert!(person.page("/desk").await.contains("Waiting for you: 1"));
    let form = [
        ("type", "USER_BANK_CARD"),
        ("bank_type", "ICBC_DEBIT"),
        ("bank_account", CARD),
        ("real_name", NAME),
    ];
    let unsure = person.post(&path, &form).await;
    assert_eq!(unsure.status, StatusCode::BAD_REQUEST);
    let nowhere = person
        .post(&path, &[("type", "MOON"), ("sure", "yes")])
        .await;
    assert!(
        nowhere.text().contains("type must be"),
        "{}",
        nowhere.text()
    );
    let sure: Vec<_> = form.into_iter().chain([("sure", "yes")]).collect();
    let sent = person.post(&path, &sure).await;
    assert_eq!(location(&sent), "/desk/orders/tea-0001?said=settled");
    let again = person.post(&path, &sure).await;
    assert_eq!(location(&again), "/desk/orders/tea-0001?said=repeated");
    let kinds = server.wechat.take_kinds();
    let applied = kinds.iter().filter(|kind| **kind == "abnormal_refund");
    assert_eq!(applied.count(), 1, "{kinds:?}");
    let journal = person.page("/desk/journal").await;
    assert!(
        journal.contains("sent an abnormal refund another way"),
        "{journal}"
    );
    for text in [log.text(), journal] {
        assert!(!text.contains(CARD) && !text.contains(NAME), "{text}");
    }
}
