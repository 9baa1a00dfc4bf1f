//! Bills of version 2: the answer is the file.

use jiff::civil::date;
use wechat_pay::bill::{Packing, TradeBillRow, TradeBillSummary};
use wechat_pay::v2::{Answer, BillType, DownloadBill, SignType, bill_reader};

use super::V2;
use crate::harness::Harness;

async fn download(v2: &V2, bill_type: BillType, packing: Packing) -> Answer {
    let bill = DownloadBill {
        bill_date: date(2026, 1, 1),
        bill_type,
        packing,
        device_info: None,
    };
    v2.send(&bill.request(&v2.orderer).unwrap()).await
}

fn refusal(v2: &V2, answer: &Answer) -> (String, String) {
    assert!(bill_reader(&answer.body).is_none());
    let error = answer.verify(&v2.key, v2.kind).unwrap_err();
    let refusal = error.refusal().unwrap();
    (refusal.message.clone(), refusal.code.clone())
}

#[tokio::test]
async fn a_bill_has_every_payment_of_the_day_packed_or_not() {
    let harness = Harness::with_settings(&["bills_at_once=true"]);
    let v2 = V2::of(harness, SignType::Md5);
    for number in ["T00001", "T00002"] {
        v2.paid(number).await;
    }
    v2.harness.pay_native("T00003").await;
    for (bill_type, packing) in [
        (BillType::All, Packing::Plain),
        (BillType::All, Packing::Gzip),
        (BillType::Success, Packing::Gzip),
    ] {
        let answer = download(&v2, bill_type, packing).await;
        let mut reader = bill_reader(&answer.body).unwrap();
        let mut rows = reader.push(&answer.body).unwrap();
        let (rest, summary) = reader.finish().unwrap();
        rows.extend(rest);
        let total: i64 = rows
            .iter()
            .map(|row| TradeBillRow::read(row).unwrap().settlement_total.get())
            .sum();
        assert_eq!((rows.len(), total), (3, 3 * 1990));
        let summary = TradeBillSummary::read(&summary).unwrap();
        assert_eq!((summary.count, summary.settlement_total.get()), (3, total));
    }
    let none = download(&v2, BillType::Refund, Packing::Plain).await;
    let expected = ("No Bill Exist".to_owned(), "20002".to_owned());
    assert_eq!(refusal(&v2, &none), expected);
}

#[tokio::test]
async fn a_bill_is_made_in_the_morning_after_its_day() {
    let v2 = V2::new(SignType::Md5);
    v2.paid("T00001").await;
    let today = download(&v2, BillType::All, Packing::Plain).await;
    assert_eq!(refusal(&v2, &today).0, "No Bill Exist");
    // The harness starts at noon in Beijing.
    v2.harness.advance(21 * 3600);
    let early = download(&v2, BillType::All, Packing::Gzip).await;
    assert_eq!(refusal(&v2, &early).0, "Bill Creating");
    v2.harness.advance(3600);
    let ready = download(&v2, BillType::All, Packing::Plain).await;
    assert!(bill_reader(&ready.body).is_some());
}
