//! Plants every kind of error, one at a time, into a chaos run that ended well. The audit must find
//! each.

mod sharing;

use FindingKind::{Duplicated, Lost, Wrong};
use serde_json::json;

use super::*;

const PAID: &str = "order-paid";
const SECOND: &str = "0123456789abcdef0123456789abcdef";
const CLOSED: &str = "order-closed";
const TOTAL_FEN: u64 = 1990;

/// One order was paid twice and refunded in part; another order was never paid.
fn a_run_without_errors() -> Evidence {
    let wechat = |out_trade_no: &str, transaction_id: Option<&str>, refunded_fen| WechatOrder {
        mchid: "1900000001".to_owned(),
        out_trade_no: out_trade_no.to_owned(),
        trade_state: transaction_id.map_or("CLOSED", |_| "SUCCESS").to_owned(),
        transaction_id: transaction_id.map(str::to_owned),
        total_fen: TOTAL_FEN,
        payer_total_fen: transaction_id.map_or(0, |_| TOTAL_FEN),
        refunded_fen,
        is_notifying: false,
    };
    let attempt = |out_trade_no: &str, state: &str, transaction_id: Option<&str>| OurAttempt {
        out_trade_no: out_trade_no.to_owned(),
        state: state.to_owned(),
        transaction_id: transaction_id.map(str::to_owned),
    };
    let payment = |out_trade_no: &str, transaction_id: &str| {
        json!({
            "order_no": PAID, "total_fen": TOTAL_FEN, "payer_total_fen": TOTAL_FEN,
            "out_trade_no": out_trade_no, "transaction_id": transaction_id,
        })
    };
    let refund = |number: &str, amount_fen: u64| json!({ "order_no": PAID, "refund_no": number, "amount_fen": amount_fen });
    Evidence {
        ordered: [(PAID.to_owned(), TOTAL_FEN), (CLOSED.to_owned(), TOTAL_FEN)].into(),
        wechat: vec![
            wechat(PAID, Some("42001"), 90),
            wechat(SECOND, Some("42002"), TOTAL_FEN),
            wechat(CLOSED, None, 0),
        ],
        wechat_refunds: refunds_at_wechat(),
        our_refunds: refunds_in_the_ledger(),
        asked_refunds: [(
            "order-paid@0".to_owned(),
            AskedRefund {
                order_no: PAID.to_owned(),
                is_accepted: true,
            },
        )]
        .into(),
        wechat_shares: Vec::new(),
        our_shares: Vec::new(),
        asked_shares: BTreeMap::new(),
        told_receiver: String::new(),
        api_shares: BTreeMap::new(),
        api_held: BTreeMap::new(),
        ours: vec![
            OurOrder {
                order_no: PAID.to_owned(),
                state: "paid".to_owned(),
                total_fen: TOTAL_FEN,
                payer_total_fen: Some(TOTAL_FEN),
                refunded_fen: 90,
                attempts: vec![
                    attempt(PAID, "paid", Some("42001")),
                    attempt(SECOND, "surplus", Some("42002")),
                ],
            },
            OurOrder {
                order_no: CLOSED.to_owned(),
                state: "closed".to_owned(),
                total_fen: TOTAL_FEN,
                payer_total_fen: None,
                refunded_fen: 0,
                attempts: vec![attempt(CLOSED, "closed", None)],
            },
        ],
        events: vec![
            ("payment.succeeded".to_owned(), payment(PAID, "42001")),
            ("payment.surplus".to_owned(), payment(SECOND, "42002")),
            ("refund.succeeded".to_owned(), refund("order-paid@0", 90)),
            (
                "refund.succeeded".to_owned(),
                refund("surplus@x", TOTAL_FEN),
            ),
            ("order.closed".to_owned(), json!({ "order_no": CLOSED })),
        ],
        api_orders: BTreeMap::new(),
        paid: ["42001", "42002"]
            .map(|transaction_id| (transaction_id.to_owned(), PAID.to_owned()))
            .into(),
        mismatches: Vec::new(),
        shown_paid: [PAID.to_owned()].into(),
        on_page: on_page(),
    }
}

/// Number, attempt, origin and amount of each refund.
const REFUNDS: [(&str, &str, &str, u64); 2] = [
    ("order-paid@0", PAID, "merchant", 90),
    ("surplus@x", SECOND, "surplus", TOTAL_FEN),
];

fn refunds_at_wechat() -> Vec<WechatRefund> {
    REFUNDS
        .iter()
        .map(|(number, out_trade_no, _, amount_fen)| WechatRefund {
            mchid: "1900000001".to_owned(),
            out_refund_no: (*number).to_owned(),
            out_trade_no: (*out_trade_no).to_owned(),
            status: "SUCCESS".to_owned(),
            amount_fen: *amount_fen,
        })
        .collect()
}

fn refunds_in_the_ledger() -> Vec<OurRefund> {
    REFUNDS
        .iter()
        .map(|(number, out_trade_no, origin, amount_fen)| OurRefund {
            out_refund_no: (*number).to_owned(),
            out_trade_no: (*out_trade_no).to_owned(),
            order_no: PAID.to_owned(),
            origin: (*origin).to_owned(),
            state: "succeeded".to_owned(),
            amount_fen: *amount_fen,
        })
        .collect()
}

fn on_page() -> BTreeMap<String, &'static str> {
    [(PAID, "paid"), (CLOSED, "closed")]
        .map(|(order_no, screen)| (order_no.to_owned(), screen))
        .into()
}

#[test]
fn a_chaos_run_without_errors_has_no_findings() {
    assert_eq!(compare(&a_run_without_errors()), []);
}

#[test]
fn every_planted_error_is_found_and_counted_as_its_kind() {
    type Plant = fn(&mut Evidence);
    let cases: [(&str, FindingKind, Plant); 29] = [
        ("an order is forgotten", Lost, |e| drop(e.ours.remove(1))),
        ("an order has another price", Wrong, |e| {
            e.ours[1].total_fen += 1;
        }),
        ("WeChat has an unknown attempt", Lost, |e| {
            drop(e.ours[1].attempts.pop());
        }),
        ("a payment is not in the ledger", Lost, |e| {
            e.ours[0].attempts[0].transaction_id = None;
        }),
        ("a paid order stays closed", Lost, |e| {
            e.ours[0].state = "closed".into();
        }),
        ("an order stays open", Wrong, |e| {
            e.ours[1].state = "open".into();
        }),
        ("an attempt is paid here alone", Wrong, |e| {
            e.ours[1].attempts[0].state = "paid".into();
        }),
        ("a payment is never told", Lost, |e| {
            drop(e.events.remove(0));
        }),
        ("surplus is never told", Lost, |e| drop(e.events.remove(1))),
        ("a closing is never told", Lost, |e| drop(e.events.pop())),
        ("an order is fulfilled twice", Duplicated, |e| {
            e.events.push(e.events[0].clone());
        }),
        ("an unpaid order is fulfilled", Wrong, |e| {
            e.events
                .push(("payment.succeeded".into(), json!({ "order_no": CLOSED })));
        }),
        ("another amount is reported", Wrong, |e| {
            e.events[0].1["payer_total_fen"] = 1.into();
        }),
        ("surplus is not refunded", Duplicated, |e| {
            e.wechat[1].refunded_fen = 0;
        }),
        ("surplus is refunded in part", Duplicated, |e| {
            e.wechat[1].refunded_fen -= 1;
        }),
        ("a refund is not in the ledger", Lost, |e| {
            drop(e.our_refunds.remove(0));
        }),
        ("a refund was never made", Lost, |e| {
            drop(e.wechat_refunds.remove(0));
        }),
        ("a refund that was never requested", Wrong, |e| {
            e.asked_refunds.clear();
        }),
        ("a refund differs by a fen", Wrong, |e| {
            e.wechat_refunds[0].amount_fen += 1;
        }),
        ("a refund has no end", Lost, |e| {
            e.our_refunds[0].state = "processing".into();
        }),
        ("the sum of refunds is off", Wrong, |e| {
            e.ours[0].refunded_fen = 0;
        }),
        ("WeChat has forgotten a payment", Lost, |e| {
            e.paid.insert("42003".into(), CLOSED.into());
        }),
        ("an attempt stays open", Wrong, |e| {
            e.ours[1].attempts[0].state = "open".into();
        }),
        ("an attempt can still be paid at WeChat", Wrong, |e| {
            e.wechat[2].trade_state = "USERPAYING".into();
        }),
        ("what was taken back counts as paid", Wrong, |e| {
            e.wechat[0].trade_state = "REVOKED".into();
        }),
        ("a payment fits nothing", Wrong, |e| {
            e.mismatches.push((PAID.into(), "amount".into()));
        }),
        ("a page says paid, without a payment", Wrong, |e| {
            e.shown_paid.insert(CLOSED.into());
        }),
        ("a page does not show a payment", Wrong, |e| {
            e.on_page.insert(PAID.into(), "offer");
        }),
        ("a page still offers a closed order", Wrong, |e| {
            e.on_page.insert(CLOSED.into(), "offer");
        }),
    ];
    for (what, kind, plant) in cases {
        let mut evidence = a_run_without_errors();
        plant(&mut evidence);
        let findings = compare(&evidence);
        assert!(
            findings.iter().any(|finding| finding.kind == kind),
            "{what}: {findings:?}"
        );
    }
}
