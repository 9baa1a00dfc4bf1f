//! Profit sharing in the audit: every share, release and return is at WeChat exactly once and as the
//! server's ledger has it, the backend was notified of each end once, and no money was taken twice.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::Value;

use super::Audit;
use crate::ledgers::shares::{OurShare, Receiver, WechatShare, arrived_fen};
use crate::ledgers::{OurOrder, WechatOrder};

/// A share, a release or a return at WeChat.
struct AtWechat<'a> {
    number: &'a str,
    out_trade_no: &'a str,
    is_finished: bool,
    /// The share that a return takes from.
    share_number: Option<&'a str>,
    unfreezes: bool,
    receivers: Vec<Receiver>,
}

impl Audit<'_> {
    /// Compares all that was shared, released and returned.
    pub(super) fn sharing(&mut self) {
        let evidence = self.evidence;
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for share in evidence.wechat_shares.iter().flat_map(at_wechat) {
            *known.entry(share.number).or_default() += 1;
            self.share_at_wechat(&share);
        }
        for (number, times) in &known {
            if *times > 1 {
                let no = evidence
                    .our_shares
                    .iter()
                    .find(|ours| ours.number == **number);
                let no = no.map_or(*number, |ours| &ours.order_no);
                self.duplicated(no, format!("{number} is {times} times at WeChat"));
            }
        }
        for ours in &evidence.our_shares {
            self.share_of_ours(ours, known.contains_key(&*ours.number));
        }
        for (number, asked) in &evidence.asked_shares {
            let mut refusals = evidence.our_shares.iter();
            let was_refused = refusals.any(|ours| ours.number == *number && ours.refusals > 0);
            if asked.is_accepted && !known.contains_key(&**number) && !was_refused {
                let what = format!("{number} was accepted and never made");
                self.lost(&asked.order_no, what);
            }
        }
        for order in &evidence.ours {
            self.shared_money(order);
        }
    }

    /// Compares one at WeChat with ours of the same number.
    fn share_at_wechat(&mut self, at: &AtWechat<'_>) {
        let number = at.number;
        let mut ours = self.evidence.our_shares.iter();
        let Some(ours) = ours.find(|ours| ours.number == number) else {
            let order_no = self.order_of(at.out_trade_no);
            return self.lost(
                &order_no,
                format!("WeChat's share {number} is not in the ledger"),
            );
        };
        let no = &*ours.order_no;
        if !at.is_finished {
            self.wrong(no, format!("in the end {number} is under way at WeChat"));
        } else if ours.state != "finished" {
            let what = format!("{number} is finished at WeChat and {} here", ours.state);
            self.lost(no, what);
        }
        let agrees = ours.out_trade_no == at.out_trade_no
            && ours.share_number.as_deref() == at.share_number
            && ours.unfreezes() == at.unfreezes
            && ours.receivers == at.receivers
            && ours.amount_fen == at.receivers.iter().map(|to| to.amount_fen).sum::<u64>();
        if !agrees {
            let what = format!("{number}: {ours:?} here, {:?} at WeChat", at.receivers);
            self.wrong(no, what);
        }
    }

    fn share_of_ours(&mut self, ours: &OurShare, is_at_wechat: bool) {
        let (no, number) = (&*ours.order_no, &ours.number);
        match &*ours.state {
            "finished" if !is_at_wechat => {
                self.lost(
                    no,
                    format!("{number} is finished, and WeChat knows nothing of it"),
                );
            }
            "finished" | "refused" => {}
            state => self.wrong(no, format!("{number} is left {state}")),
        }
        let asked = self.evidence.asked_shares.get(number);
        if asked.is_none_or(|asked| asked.order_no != no) {
            self.wrong(no, format!("{number} was never requested"));
        }
        let is_finished = usize::from(ours.state == "finished");
        let arrived = usize::from(ours.receivers.iter().all(|to| to.has_arrived == Some(true)));
        let expected = if ours.is_return() {
            vec![
                ("share.returned", is_finished * arrived),
                (
                    "share.return_failed",
                    is_finished * (1 - arrived) + ours.refusals,
                ),
            ]
        } else {
            vec![
                ("share.finished", is_finished),
                ("share.refused", ours.refusals),
            ]
        };
        for (event_type, times) in expected {
            self.events_of_share(ours, event_type, times);
        }
    }

    /// The backend was notified of one kind of end as often as it happened, with the right figures.
    fn events_of_share(&mut self, ours: &OurShare, event_type: &str, times: usize) {
        let (no, number) = (&*ours.order_no, &ours.number);
        let field = if ours.is_return() {
            "return_no"
        } else {
            "share_no"
        };
        let events = self.events_of(event_type, field, number);
        // The events of a return have the share's number too.
        let events: Vec<&Value> = events
            .into_iter()
            .filter(|data| ours.is_return() || data.get("return_no").is_none())
            .collect();
        let sent = events.len();
        let what = format!("{event_type} of {number} was sent {sent} times instead of {times}");
        match sent.cmp(&times) {
            Ordering::Less => self.lost(no, what),
            Ordering::Equal => {}
            Ordering::Greater => self.duplicated(no, what),
        }
        for data in events {
            let arrived = match (&*ours.kind, event_type) {
                ("unfreeze", _) | (_, "share.refused" | "share.return_failed") => 0,
                _ => arrived_fen(&ours.receivers),
            };
            let agrees = data["order_no"] == no
                && data["kind"] == *ours.kind
                && data["amount_fen"] == ours.amount_fen
                && data["succeeded_fen"] == arrived;
            if !agrees {
                self.wrong(no, format!("{event_type} says {data}"));
            }
        }
    }

    /// What was taken from an order's payment, here and at WeChat.
    fn shared_money(&mut self, order: &OurOrder) {
        let (evidence, no) = (self.evidence, &*order.order_no);
        let ours: Vec<_> = evidence
            .our_shares
            .iter()
            .filter(|ours| ours.order_no == no)
            .collect();
        let mut attempts = order.attempts.iter();
        let paid = attempts.find(|attempt| attempt.state == "paid");
        let mut at_wechat = evidence.wechat.iter();
        let payment =
            paid.and_then(|paid| at_wechat.find(|at| at.out_trade_no == paid.out_trade_no));
        let Some(payment) = payment else {
            if !ours.is_empty() {
                self.wrong(no, "it was shared, and is not paid");
            }
            return;
        };
        let theirs: Vec<_> = evidence
            .wechat_shares
            .iter()
            .filter(|share| share.out_trade_no == payment.out_trade_no)
            .collect();
        let moved_fen: i64 = ours.iter().map(|ours| ours.moved_fen()).sum();
        let moved_at_wechat_fen: i64 = theirs.iter().map(|share| share.moved_fen()).sum();
        if moved_fen != moved_at_wechat_fen {
            let what = format!(
                "{moved_fen} fen moved to receivers by the ledger; {moved_at_wechat_fen} at WeChat"
            );
            self.wrong(no, what);
        }
        self.no_money_is_taken_twice(no, payment, &theirs);
        self.shown_shares(order, &ours);
    }

    /// While the rest is held, refunds are paid out of it: together with the shares they are at most what
    /// was paid.
    fn no_money_is_taken_twice(
        &mut self,
        no: &str,
        payment: &WechatOrder,
        shares: &[&WechatShare],
    ) {
        let shared_fen: u64 = shares.iter().map(|share| share.shared_fen()).sum();
        let is_released = shares
            .iter()
            .any(|share| share.unfreezes && share.is_finished);
        let refunded_fen = if is_released { 0 } else { payment.refunded_fen };
        if shared_fen > 0 && shared_fen + refunded_fen > payment.payer_total_fen {
            let what = format!(
                "{shared_fen} fen were shared and {refunded_fen} refunded of {}",
                payment.payer_total_fen
            );
            self.duplicated(no, what);
        }
        for share in shares {
            if share.moved_fen() < 0 {
                let what = format!("more came back of {} than arrived", share.number);
                self.duplicated(no, what);
            }
        }
    }

    /// The private API must show what the ledger holds, and what WeChat holds.
    fn shown_shares(&mut self, order: &OurOrder, ours: &[&OurShare]) {
        let (evidence, no) = (self.evidence, &*order.order_no);
        let Some(list) = evidence.api_shares.get(no) else {
            return;
        };
        let counted = ours
            .iter()
            .filter(|ours| ours.state != "refused" && !ours.is_return());
        let shared_fen: u64 = counted.clone().map(|ours| ours.amount_fen).sum();
        let is_released = counted.clone().any(|ours| ours.unfreezes());
        let refunds = evidence.our_refunds.iter().filter(|refund| {
            let settles = order
                .attempts
                .iter()
                .find(|attempt| attempt.state == "paid");
            settles.is_some_and(|attempt| attempt.out_trade_no == refund.out_trade_no)
                && !matches!(&*refund.state, "refused" | "closed")
        });
        let refunded_fen: u64 = refunds.map(|refund| refund.amount_fen).sum();
        let left_fen = order.total_fen.checked_sub(refunded_fen + shared_fen);
        let shareable_fen = if is_released { Some(0) } else { left_fen };
        let listed = list["shares"].as_array().map_or(&[][..], Vec::as_slice);
        let is_listed = |(listed, ours): (&Value, &&OurShare)| {
            let number = listed.get("return_no").unwrap_or(&listed["share_no"]);
            *number == *ours.number
                && listed["state"] == *ours.state
                && listed["kind"] == *ours.kind
                && listed["amount_fen"] == ours.amount_fen
        };
        let agrees = listed.len() == ours.len()
            && listed.iter().zip(ours).all(is_listed)
            && list["shared_fen"] == shared_fen
            && list["frozen"] == !is_released
            && list["shareable_fen"].as_u64() == shareable_fen;
        if !agrees {
            self.wrong(no, format!("the list of its shares is {list}"));
        }
        if let Some(held) = evidence.api_held.get(no)
            && held["unsplit_fen"].as_u64() != shareable_fen
        {
            self.wrong(
                no,
                format!("WeChat holds {held}; {shareable_fen:?} can be shared"),
            );
        }
    }
}

/// The share itself, and each return from it.
fn at_wechat(share: &WechatShare) -> Vec<AtWechat<'_>> {
    let itself = AtWechat {
        number: &share.number,
        out_trade_no: &share.out_trade_no,
        is_finished: share.is_finished,
        share_number: None,
        unfreezes: share.unfreezes,
        receivers: share.receivers.clone(),
    };
    let returns = share.returns.iter().map(|returned| AtWechat {
        number: &returned.number,
        out_trade_no: &share.out_trade_no,
        is_finished: returned.giving.has_arrived.is_some(),
        share_number: Some(&share.number),
        unfreezes: false,
        receivers: vec![returned.giving.clone()],
    });
    std::iter::once(itself).chain(returns).collect()
}
