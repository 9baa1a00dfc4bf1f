//! The process ends at every point of what is done with a combined order, as in `crash_points` with an
//! ordinary one; and both ledgers agree afterwards.

use serde_json::Value;

use crate::crash_points::{BOTH, OWN, Scenario};
use crate::test_server::MINUTE_MS;

#[tokio::test]
async fn starting_a_combined_attempt_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |_| Box::pin(async {}),
        operation: |harness| Box::pin(async { drop(harness.start("native", 0).await) }),
        after: |harness| {
            Box::pin(async {
                let answer = harness.start("native", 0).await;
                harness.pay(&answer).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_for_a_combined_order().await;
}

#[tokio::test]
async fn taking_over_a_combined_attempt_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| Box::pin(async { drop(harness.start("native", 0).await) }),
        operation: |harness| Box::pin(async { drop(harness.start("h5", 1).await) }),
        after: |harness| {
            Box::pin(async {
                let mut answer = harness.start("h5", 1).await;
                if answer["error"]["code"] == "ATTEMPT_SUPERSEDED" {
                    let seen = answer["attempt"].as_u64().unwrap();
                    answer = harness.start("h5", seen).await;
                }
                harness.pay(&answer).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_for_a_combined_order().await;
}

#[tokio::test]
async fn settling_a_combined_order_by_a_notification_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |harness| {
            Box::pin(async {
                let answer = harness.start("native", 0).await;
                harness.pay(&answer).await;
            })
        },
        operation: |harness| {
            Box::pin(async {
                harness.server.deliver(&harness.notifications[0]).await;
            })
        },
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_for_a_combined_order().await;
}

#[tokio::test]
async fn the_end_of_a_combined_order_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| {
            Box::pin(async {
                harness.start("native", 0).await;
                harness.server.clock.advance_ms(40 * MINUTE_MS);
            })
        },
        operation: |harness| Box::pin(async { drop(harness.server.inner.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("closed", 0, 0),
    };
    scenario.hold_for_a_combined_order().await;
}

#[tokio::test]
async fn closing_a_combined_order_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| Box::pin(async { drop(harness.start("native", 0).await) }),
        operation: |harness| {
            Box::pin(async { drop(harness.post("/v1/orders/tea-0001/close", Value::Null).await) })
        },
        after: |_| Box::pin(async {}),
        end: ("closed", 0, 0),
    };
    scenario.hold_for_a_combined_order().await;
}

#[tokio::test]
async fn refunding_a_second_combined_payment_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| {
            Box::pin(async {
                harness.start("native", 0).await;
                let answer = harness.start("h5", 1).await;
                harness.pay(&answer).await;
                harness.pay_late("tea-0001").await;
                for notification in harness.notifications.clone() {
                    harness.server.deliver(&notification).await;
                }
            })
        },
        operation: |harness| Box::pin(async { drop(harness.server.inner.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 1),
    };
    scenario.hold_for_a_combined_order().await;
}

#[tokio::test]
async fn refunding_a_sub_order_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |harness| Box::pin(async { harness.sell().await }),
        operation: |harness| Box::pin(async { drop(harness.refund().await) }),
        after: |harness| Box::pin(async { drop(harness.refund().await) }),
        end: ("paid", 1, 0),
    };
    scenario.hold_for_a_combined_order().await;
}

#[tokio::test]
async fn reconciling_a_combined_order_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| {
            Box::pin(async {
                let answer = harness.start("native", 0).await;
                harness.pay(&answer).await;
            })
        },
        operation: |harness| Box::pin(async { drop(harness.server.inner.reconcile(0).await) }),
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_for_a_combined_order().await;
}
