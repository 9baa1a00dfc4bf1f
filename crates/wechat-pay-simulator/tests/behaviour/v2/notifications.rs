//! Notifications of version 2: XML, signed as the order was, on the old schedule.

use wechat_pay::TradeState;
use wechat_pay::v2::{SignType, open_payment_notification};

use super::V2;

const WAITS_S: [u32; 9] = [15, 15, 30, 180, 1800, 1800, 1800, 1800, 3600];

#[tokio::test]
async fn a_payment_is_notified_in_the_kind_of_signature_of_its_order() {
    for kind in [SignType::Md5, SignType::HmacSha256] {
        let v2 = V2::new(kind);
        let transaction_id = v2.paid("T00001").await;
        v2.harness.simulator.run_due().await;
        let inbox = v2.harness.inbox.lock().unwrap();
        let (headers, body) = &inbox.received[0];
        assert_eq!(headers["content-type"], "text/xml");
        assert!(!headers.contains_key("wechatpay-signature"));
        let paid = open_payment_notification(body, &v2.key, kind).unwrap();
        assert_eq!(paid.trade_state, TradeState::Success);
        assert_eq!(paid.transaction_id, Some(transaction_id));
        assert_eq!(paid.out_trade_no, "T00001");
        assert_eq!(
            paid.success_time.as_deref(),
            Some("2026-01-01T12:00:00+08:00")
        );
    }
}

#[tokio::test]
async fn a_notification_without_an_answer_in_xml_is_repeated_on_the_old_schedule() {
    let v2 = V2::new(SignType::Md5);
    v2.paid("T00001").await;
    // The harness answers 204 without a body, which acknowledges only APIv3.
    v2.harness.simulator.run_due().await;
    let tries = || {
        let view = v2.harness.simulator.ledger_view(None);
        let notification = &view.orders[0].notifications[0];
        (notification.tries, notification.acked)
    };
    for (place, wait_s) in WAITS_S.into_iter().enumerate() {
        assert_eq!(tries(), (place + 1, false));
        v2.harness.advance(wait_s - 1);
        v2.harness.simulator.run_due().await;
        assert_eq!(tries().0, place + 1, "too early: {wait_s}");
        v2.harness.advance(1);
        v2.harness.simulator.run_due().await;
    }
    assert_eq!(tries(), (10, false));
    v2.harness.advance(30 * 24 * 3600);
    v2.harness.simulator.run_due().await;
    assert_eq!(tries(), (10, false));
}
