//! Plants every error of profit sharing, one at a time, into a chaos run that ended well.

use super::*;
use crate::ledgers::shares::{Receiver, WechatReturn};

/// Two shares of a payment, one to two receivers; one of them failed. A merchant returned some of it, and
/// could not return more. A third share was refused. The merchant was notified of what moved.
fn a_run_with_shares() -> Evidence {
    let receiver = |account: &str, amount_fen, has_arrived| Receiver {
        account: account.to_owned(),
        amount_fen,
        has_arrived: Some(has_arrived),
    };
    let to_both = vec![receiver("courier", 100, false), receiver("shop", 200, true)];
    let at_wechat = |number: &str, receivers: &[Receiver], returns| WechatShare {
        number: number.to_owned(),
        out_trade_no: PAID.to_owned(),
        is_finished: true,
        unfreezes: false,
        receivers: receivers.to_vec(),
        returns,
    };
    let given_back = |number: &str, giving| WechatReturn {
        number: number.to_owned(),
        giving,
    };
    let shares = our_shares(&to_both, &receiver);
    Evidence {
        wechat_shares: vec![
            at_wechat(
                "S1",
                &to_both,
                vec![
                    given_back("R1", receiver("shop", 50, true)),
                    given_back("R2", receiver("shop", 150, false)),
                ],
            ),
            at_wechat("S2", &[receiver("shop", 300, true)], Vec::new()),
        ],
        asked_shares: shares
            .iter()
            .map(|ours| (ours.number.clone(), asked(ours.state == "finished")))
            .collect(),
        told_receiver: "shop".to_owned(),
        api_shares: [(PAID.to_owned(), list(&shares))].into(),
        api_held: [(PAID.to_owned(), json!({ "unsplit_fen": 1300 }))].into(),
        events: a_run_without_errors()
            .events
            .into_iter()
            .chain(events())
            .chain(notices())
            .collect(),
        our_shares: shares,
        ..a_run_without_errors()
    }
}

fn our_shares(
    to_both: &[Receiver],
    receiver: &impl Fn(&str, u64, bool) -> Receiver,
) -> Vec<OurShare> {
    let ours = |number: &str, kind: &str, receivers: Vec<Receiver>| OurShare {
        number: number.to_owned(),
        kind: kind.to_owned(),
        order_no: PAID.to_owned(),
        out_trade_no: PAID.to_owned(),
        share_number: (kind == "return").then(|| "S1".to_owned()),
        amount_fen: receivers.iter().map(|to| to.amount_fen).sum(),
        receivers,
        state: "finished".to_owned(),
        refusals: 0,
    };
    vec![
        ours("S1", "share", to_both.to_vec()),
        ours("S2", "share", vec![receiver("shop", 300, true)]),
        ours("R1", "return", vec![receiver("shop", 50, true)]),
        ours("R2", "return", vec![receiver("shop", 150, false)]),
        OurShare {
            state: "refused".to_owned(),
            refusals: 1,
            ..ours(
                "S3",
                "share",
                vec![Receiver {
                    has_arrived: None,
                    ..receiver("shop", 70, false)
                }],
            )
        },
    ]
}

fn asked(is_accepted: bool) -> AskedShare {
    AskedShare {
        order_no: PAID.to_owned(),
        is_accepted,
    }
}

fn list(shares: &[OurShare]) -> Value {
    let listed = shares.iter().map(|ours| {
        let mut listed = json!({
            "share_no": ours.number, "kind": ours.kind, "state": ours.state,
            "amount_fen": ours.amount_fen,
        });
        if let Some(share_number) = &ours.share_number {
            listed["share_no"] = share_number.as_str().into();
            listed["return_no"] = ours.number.as_str().into();
        }
        listed
    });
    json!({
        "shares": listed.collect::<Vec<_>>(), "shared_fen": 600, "shareable_fen": 1300,
        "frozen": true,
    })
}

/// After the five events of the run without shares: those of `S1`, `S2`, `R1`, `R2` and `S3`.
fn events() -> [(String, Value); 5] {
    let of = |event_type: &str, number: &str, amount_fen: u64, succeeded_fen: u64| {
        let mut data = json!({
            "order_no": PAID, "share_no": number, "kind": "share", "amount_fen": amount_fen,
            "succeeded_fen": succeeded_fen,
        });
        if number.starts_with('R') {
            data["share_no"] = "S1".into();
            data["return_no"] = number.into();
            data["kind"] = "return".into();
        }
        (event_type.to_owned(), data)
    };
    [
        of("share.finished", "S1", 300, 200),
        of("share.finished", "S2", 300, 300),
        of("share.returned", "R1", 50, 50),
        of("share.return_failed", "R2", 150, 0),
        of("share.refused", "S3", 70, 0),
    ]
}

/// After those: the notices of `S1`, `S2` and `R1`, which moved money.
fn notices() -> [(String, Value); 3] {
    [("S1", 200), ("S2", 300), ("R1", 50)].map(|(number, amount)| {
        let data = json!({
            "original_type": "profitsharing",
            "resource": {
                "out_order_no": number, "receiver": { "account": "shop", "amount": amount },
            },
        });
        ("wechat.event".to_owned(), data)
    })
}

const FIRST_EVENT: usize = 5;
const FIRST_NOTICE: usize = FIRST_EVENT + 5;

#[test]
fn a_chaos_run_with_shares_without_errors_has_no_findings() {
    assert_eq!(compare(&a_run_with_shares()), []);
}

#[test]
fn a_released_payment_may_be_refunded_out_of_the_balance() {
    let mut evidence = a_run_with_shares();
    evidence.wechat_shares[1].unfreezes = true;
    evidence.our_shares[1].kind = "share_and_unfreeze".into();
    evidence.events[FIRST_EVENT + 1].1["kind"] = "share_and_unfreeze".into();
    evidence.wechat[0].refunded_fen = TOTAL_FEN;
    evidence.api_shares.clear();
    evidence.api_held.clear();
    assert_eq!(compare(&evidence), []);
}

type Plant = fn(&mut Evidence);

const LOST: [(&str, Plant); 12] = [
    ("a share is not in the ledger", |e| {
        drop(e.our_shares.remove(1));
    }),
    ("a return is not in the ledger", |e| {
        drop(e.our_shares.remove(2));
    }),
    ("a finished share was never made", |e| {
        drop(e.wechat_shares.remove(1));
    }),
    ("a finished return was never made", |e| {
        drop(e.wechat_shares[0].returns.remove(0));
    }),
    ("an accepted share was never made", |e| {
        e.asked_shares.insert("S4".into(), asked(true));
    }),
    ("a share counts as refused and was made", |e| {
        e.our_shares[1].state = "refused".into();
    }),
    ("the end of a share is never told", |e| {
        drop(e.events.remove(FIRST_EVENT));
    }),
    ("the end of a return is never told", |e| {
        drop(e.events.remove(FIRST_EVENT + 2));
    }),
    ("the failure of a return is never told", |e| {
        drop(e.events.remove(FIRST_EVENT + 3));
    }),
    ("the refusal of a share is never told", |e| {
        drop(e.events.remove(FIRST_EVENT + 4));
    }),
    ("the notice of a share is not handed on", |e| {
        drop(e.events.remove(FIRST_NOTICE));
    }),
    ("the notice of a return is not handed on", |e| {
        drop(e.events.remove(FIRST_NOTICE + 2));
    }),
];

const DUPLICATED: [(&str, Plant); 8] = [
    ("a share is at WeChat twice", |e| {
        e.wechat_shares.push(e.wechat_shares[1].clone());
    }),
    ("a return is at WeChat twice", |e| {
        let again = e.wechat_shares[0].returns[0].clone();
        e.wechat_shares[0].returns.push(again);
    }),
    ("a share is told as two events", |e| {
        e.events.push(e.events[FIRST_EVENT].clone());
    }),
    ("a return is told as two events", |e| {
        e.events.push(e.events[FIRST_EVENT + 2].clone());
    }),
    ("a notice is handed on twice", |e| {
        e.events.push(e.events[FIRST_NOTICE].clone());
    }),
    ("more is shared than was paid", |e| {
        e.wechat_shares[1].receivers[0].amount_fen = TOTAL_FEN;
    }),
    ("held money is refunded and shared", |e| {
        e.wechat[0].refunded_fen = TOTAL_FEN - 599;
    }),
    ("more comes back than arrived", |e| {
        e.wechat_shares[0].returns[0].giving.amount_fen = 201;
    }),
];

const WRONG: [(&str, Plant); 17] = [
    ("a share differs by a fen", |e| {
        e.wechat_shares[1].receivers[0].amount_fen += 1;
    }),
    ("a share goes to another receiver", |e| {
        e.wechat_shares[1].receivers[0].account = "courier".into();
    }),
    ("a receiver got nothing, and the ledger says it did", |e| {
        e.wechat_shares[1].receivers[0].has_arrived = Some(false);
    }),
    ("a return differs by a fen", |e| {
        e.our_shares[2].amount_fen += 1;
    }),
    ("a return takes from another share", |e| {
        e.our_shares[2].share_number = Some("S2".into());
    }),
    ("a share is of another payment", |e| {
        e.wechat_shares[1].out_trade_no = SECOND.into();
    }),
    ("the rest is released here alone", |e| {
        e.our_shares[1].kind = "share_and_unfreeze".into();
    }),
    ("a share is left in doubt", |e| {
        e.our_shares[1].state = "requested".into();
    }),
    ("a share is under way at WeChat", |e| {
        e.wechat_shares[1].is_finished = false;
    }),
    ("a share was never requested", |e| {
        e.asked_shares.remove("S2");
    }),
    ("a share of an unpaid order", |e| {
        e.our_shares[1].order_no = CLOSED.into();
    }),
    ("an event tells another amount", |e| {
        e.events[FIRST_EVENT].1["succeeded_fen"] = 300.into();
    }),
    ("a notice tells another amount", |e| {
        e.events[FIRST_NOTICE].1["resource"]["receiver"]["amount"] = 201.into();
    }),
    ("a notice reports a return that failed", |e| {
        let mut notice = e.events[FIRST_NOTICE + 2].clone();
        notice.1["resource"]["out_order_no"] = "R2".into();
        e.events.push(notice);
    }),
    ("the list lacks a share", |e| {
        let list = e.api_shares.get_mut(PAID).unwrap();
        list["shares"].as_array_mut().unwrap().pop();
    }),
    ("the list has another rest", |e| {
        e.api_shares.get_mut(PAID).unwrap()["shareable_fen"] = 1301.into();
    }),
    ("WeChat holds another amount", |e| {
        e.api_held.get_mut(PAID).unwrap()["unsplit_fen"] = 1301.into();
    }),
];

#[test]
fn every_planted_error_of_a_share_is_found_and_counted_as_its_kind() {
    let kinds = [
        (Lost, &LOST[..]),
        (Duplicated, &DUPLICATED[..]),
        (Wrong, &WRONG[..]),
    ];
    for (kind, plants) in kinds {
        for (what, plant) in plants {
            let mut evidence = a_run_with_shares();
            plant(&mut evidence);
            let findings = compare(&evidence);
            assert!(
                findings.iter().any(|finding| finding.kind == kind),
                "{what}: {findings:?}"
            );
        }
    }
}
