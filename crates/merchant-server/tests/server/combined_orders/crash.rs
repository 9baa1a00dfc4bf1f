//! The process ends at every point of what is done with a combined order, as in `crash_points` with an
//! ordinary one; and both ledgers agree afterwards.

use crate::crash_points::{
    BOTH, CLOSING, EXPIRY, OWN, RECONCILING, REFUNDING, REFUNDING_A_DUPLICATE, SETTLING, STARTING,
    Scenario, TAKING_OVER,
};
use crate::test_server::Owner;

#[tokio::test]
async fn starting_a_combined_attempt_holds_at_every_point() {
    hold(STARTING, BOTH).await;
}

#[tokio::test]
async fn taking_over_a_combined_attempt_holds_at_every_point() {
    hold(TAKING_OVER, OWN).await;
}

#[tokio::test]
async fn settling_a_combined_order_by_a_notification_holds_at_every_point() {
    hold(SETTLING, BOTH).await;
}

#[tokio::test]
async fn the_end_of_a_combined_order_holds_at_every_point() {
    hold(EXPIRY, OWN).await;
}

#[tokio::test]
async fn closing_a_combined_order_holds_at_every_point() {
    hold(CLOSING, OWN).await;
}

#[tokio::test]
async fn refunding_a_second_combined_payment_holds_at_every_point() {
    hold(REFUNDING_A_DUPLICATE, OWN).await;
}

#[tokio::test]
async fn refunding_a_sub_order_holds_at_every_point() {
    hold(REFUNDING, BOTH).await;
}

#[tokio::test]
async fn reconciling_a_combined_order_holds_at_every_point() {
    hold(RECONCILING, OWN).await;
}

async fn hold(scenario: Scenario, owners: &'static [Owner]) {
    let scenario = Scenario { owners, ..scenario };
    scenario.hold_for_a_combined_order().await;
}
