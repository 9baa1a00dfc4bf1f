//! Refunds of version 2.

use wechat_pay::v2::{
    self, AnswerError, RefundQuery, RefundStatus, Refunds, SignType, open_refund_notification,
};
use wechat_pay::{Fen, NotifyUrl, OutRefundNo, OutTradeNo, Refund, RefundOf, RefundRequest};

use super::{V2, code_of};
use crate::harness::NOTIFY_URL;

fn wanted(order: &str, number: &str, fen: i64) -> RefundRequest {
    let mut wanted = RefundRequest::new(
        RefundOf::OutTradeNo(OutTradeNo::parse(order).unwrap()),
        OutRefundNo::parse(number).unwrap(),
        Fen::new(fen).unwrap(),
        Fen::new(1990).unwrap(),
    );
    wanted.notify_url = Some(NotifyUrl::parse(NOTIFY_URL).unwrap());
    wanted
}

async fn refund(v2: &V2, wanted: &RefundRequest) -> Result<Refund, AnswerError> {
    v2.call(&v2::refund(&v2.orderer, wanted).unwrap()).await
}

async fn query(v2: &V2, query: &RefundQuery) -> Result<Refunds, AnswerError> {
    v2.call(&v2::query_refunds(&v2.orderer, query, None).unwrap())
        .await
}

#[tokio::test]
async fn a_refund_is_accepted_paid_out_notified_and_found_by_each_number() {
    let v2 = V2::new(SignType::Md5);
    let transaction_id = v2.paid("T00001").await;
    v2.harness.simulator.run_due().await;
    let accepted = refund(&v2, &wanted("T00001", "R1", 6)).await.unwrap();
    assert_eq!(accepted.transaction_id, transaction_id);
    assert_eq!(accepted.amount.refund.get(), 6);
    let by_number = RefundQuery::OutRefundNo(OutRefundNo::parse("R1").unwrap());
    let found = query(&v2, &by_number).await.unwrap();
    assert_eq!(found.refunds[0].status, RefundStatus::Processing);
    v2.harness.advance(3);
    v2.harness.simulator.run_due().await;
    let parse_id = |id: &str| wechat_pay::RefundId::parse(id).unwrap();
    for number in [
        by_number,
        RefundQuery::RefundId(parse_id(&accepted.refund_id)),
        RefundQuery::OutTradeNo(OutTradeNo::parse("T00001").unwrap()),
        RefundQuery::TransactionId(wechat_pay::TransactionId::parse(transaction_id).unwrap()),
    ] {
        let found = query(&v2, &number).await.unwrap();
        let [record] = &found.refunds[..] else {
            panic!("{found:?}");
        };
        assert_eq!(record.status, RefundStatus::Success);
        assert_eq!(record.refund.out_refund_no, "R1");
        assert_eq!(
            record.refund.success_time.as_deref(),
            Some("2026-01-01T12:00:03+08:00")
        );
    }
    let inbox = v2.harness.inbox.lock().unwrap();
    let (headers, body) = inbox.received.last().unwrap();
    assert_eq!(headers["content-type"], "text/xml");
    let hint = open_refund_notification(body, &v2.key).unwrap();
    assert_eq!(hint.out_refund_no, "R1");
    assert_eq!(hint.refund_status, Some(RefundStatus::Success));
}

#[tokio::test]
async fn the_refunds_of_an_order_come_ten_at_a_time() {
    let v2 = V2::new(SignType::HmacSha256);
    v2.paid("T00001").await;
    for place in 0..12 {
        let number = format!("R{place:02}");
        refund(&v2, &wanted("T00001", &number, 1)).await.unwrap();
        v2.harness.advance(61);
    }
    let of_order = RefundQuery::OutTradeNo(OutTradeNo::parse("T00001").unwrap());
    let first = query(&v2, &of_order).await.unwrap();
    assert_eq!((first.refunds.len(), first.total_count), (10, Some(12)));
    let rest = v2::query_refunds(&v2.orderer, &of_order, Some(10)).unwrap();
    let rest: Refunds = v2.call(&rest).await.unwrap();
    assert_eq!((rest.refunds.len(), rest.total_count), (2, Some(12)));
    assert_eq!(rest.refunds[1].refund.out_refund_no, "R11");
    let beyond = v2::query_refunds(&v2.orderer, &of_order, Some(12)).unwrap();
    assert_eq!(code_of(v2.call::<Refunds>(&beyond).await), "REFUNDNOTEXIST");
}

#[tokio::test]
async fn refusals_have_the_codes_of_version_2() {
    let v2 = V2::new(SignType::Md5);
    v2.paid("T00001").await;
    let code = async |wanted: &RefundRequest| code_of(refund(&v2, wanted).await);
    assert_eq!(code(&wanted("T00009", "R1", 1)).await, "ORDERNOTEXIST");
    let mut other_total = wanted("T00001", "R1", 1);
    other_total.total = Fen::new(1991).unwrap();
    assert_eq!(code(&other_total).await, "REFUND_FEE_MISMATCH");
    refund(&v2, &wanted("T00001", "R1", 1000)).await.unwrap();
    refund(&v2, &wanted("T00001", "R1", 1000)).await.unwrap();
    assert_eq!(
        code(&wanted("T00001", "R1", 999)).await,
        "REFUND_FEE_MISMATCH"
    );
    assert_eq!(code(&wanted("T00001", "R2", 1)).await, "FREQUENCY_LIMITED");
    v2.harness.advance(61);
    assert_eq!(code(&wanted("T00001", "R3", 991)).await, "ERROR");
    let unknown = RefundQuery::OutRefundNo(OutRefundNo::parse("R9").unwrap());
    assert_eq!(code_of(query(&v2, &unknown).await), "REFUNDNOTEXIST");
}
