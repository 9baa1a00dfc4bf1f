//! What waits for a person, and marking it as done.

use http::StatusCode;

use super::{LOOK_KEY, Person, SETTLE_KEY, location, server};
use crate::test_server::{START_MS, TestServer, payment_notification, transaction};

async fn stray_payment(server: &TestServer) {
    let stray = payment_notification("N1", &transaction("unmatched-0001", 7), START_MS);
    server.deliver(&stray).await;
}

#[tokio::test]
async fn a_mismatch_waits_with_what_to_do_until_it_is_done_with_a_note() {
    let server = server("").await;
    stray_payment(&server).await;
    let person = Person::with(&server, SETTLE_KEY).await;
    let page = person.page("/desk/tasks").await;
    for part in [
        "unmatched-0001",
        "A payment without an order",
        "merchant portal",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("oSecretOpenId"), "the buyer is masked");
    let done = person
        .post("/desk/mismatches/1/done", &[("note", "退了")])
        .await;
    assert_eq!(location(&done), "/desk/tasks?said=done");
    let again = person.post("/desk/mismatches/1/done", &[]).await;
    assert_eq!(location(&again), "/desk/tasks?said=repeated");
    let open = person.page("/desk/tasks").await;
    assert!(!open.contains("unmatched-0001"), "{open}");
    let done = person.page("/desk/tasks?state=done").await;
    assert!(
        done.contains("unmatched-0001") && done.contains("退了"),
        "{done}"
    );
    let listed = server.read_private("/v1/mismatches?state=done").await;
    assert_eq!(listed.json["mismatches"][0]["note"], "退了");
}

#[tokio::test]
async fn what_is_not_there_or_not_valid_is_refused() {
    let server = server("").await;
    stray_payment(&server).await;
    let person = Person::with(&server, SETTLE_KEY).await;
    for no in ["2", "0", "-1", "x", "99999999999999999999"] {
        let refused = person
            .post(&format!("/desk/mismatches/{no}/done"), &[])
            .await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{no}");
        assert!(refused.text().contains("MISMATCH_UNKNOWN"), "{no}");
    }
    let long = "a".repeat(501);
    for note in [long.as_str(), "line\nbreak"] {
        let refused = person
            .post("/desk/mismatches/1/done", &[("note", note)])
            .await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{note}");
    }
    for query in ["state=lost", "before=x", "before=0", "x=1"] {
        let refused = person.get(&format!("/desk/tasks?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let open = person.page("/desk/tasks").await;
    assert!(open.contains("unmatched-0001"), "nothing is lost");
}

#[tokio::test]
async fn who_only_looks_sees_no_form() {
    let server = server("").await;
    stray_payment(&server).await;
    let person = Person::with(&server, LOOK_KEY).await;
    let page = person.page("/desk/tasks").await;
    assert!(
        page.contains("unmatched-0001") && !page.contains("/done\""),
        "{page}"
    );
}
