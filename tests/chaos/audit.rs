//! The audit compares WeChat's ledger, the server's ledger and the webhooks that the backend received,
//! to the fen. Data goes in and findings come out, so its own tests can plant every error.

mod share_notices;
mod sharing;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::chaos_run::AskedRefund;
use crate::journal::{Finding, FindingKind};
use crate::ledgers::shares::{OurShare, WechatShare};
use crate::ledgers::{OurAttempt, OurOrder, OurRefund, WechatOrder, WechatRefund};
use crate::sharing::AskedShare;

/// Everything that the audit compares.
#[derive(Clone, Default)]
pub(crate) struct Evidence {
    /// The orders that the chaos run made, each with its price.
    pub(crate) ordered: BTreeMap<String, u64>,
    /// WeChat's orders.
    pub(crate) wechat: Vec<WechatOrder>,
    /// WeChat's refunds.
    pub(crate) wechat_refunds: Vec<WechatRefund>,
    /// The server's refunds.
    pub(crate) our_refunds: Vec<OurRefund>,
    /// The refunds that the shop requested, by number.
    pub(crate) asked_refunds: BTreeMap<String, AskedRefund>,
    /// WeChat's shares and releases, each with its returns.
    pub(crate) wechat_shares: Vec<WechatShare>,
    /// The server's shares, releases and returns.
    pub(crate) our_shares: Vec<OurShare>,
    /// The shares, releases and returns that the shop requested, by number.
    pub(crate) asked_shares: BTreeMap<String, AskedShare>,
    /// The merchant that WeChat notifies when a share arrives at it.
    pub(crate) told_receiver: String,
    /// The private API's list of shares, by order that was made for sharing.
    pub(crate) api_shares: BTreeMap<String, Value>,
    /// What WeChat still holds by the private API, by order whose money is held.
    pub(crate) api_held: BTreeMap<String, Value>,
    /// The server's orders.
    pub(crate) ours: Vec<OurOrder>,
    /// The webhook events that the backend received: type and data, each event once.
    pub(crate) events: Vec<(String, Value)>,
    /// What the private API answers for each order.
    pub(crate) api_orders: BTreeMap<String, Value>,
    /// The payments that WeChat confirmed to buyers: `transaction_id` and order number.
    pub(crate) paid: BTreeMap<String, String>,
    /// Payments that match no order: number and reason.
    pub(crate) mismatches: Vec<(String, String)>,
    /// Orders of which a page has said that they are paid.
    pub(crate) shown_paid: BTreeSet<String>,
    /// What a page of the order shows when it is opened at the end, by order.
    pub(crate) on_page: BTreeMap<String, &'static str>,
}

/// Compares everything with everything.
pub(crate) fn compare(evidence: &Evidence) -> Vec<Finding> {
    let mut audit = Audit {
        evidence,
        findings: Vec::new(),
    };
    audit.every_order_is_kept();
    audit.every_attempt_at_wechat_is_ours();
    audit.wechat_has_forgotten_nothing();
    for order in &evidence.ours {
        audit.order(order);
    }
    for refund in &evidence.wechat_refunds {
        audit.refund(refund);
    }
    audit.every_refund_of_ours_has_its_reason();
    audit.sharing();
    audit.share_notices();
    audit.nothing_is_invented();
    audit.findings
}

struct Audit<'a> {
    evidence: &'a Evidence,
    findings: Vec<Finding>,
}

impl<'a> Audit<'a> {
    fn every_order_is_kept(&mut self) {
        let kept: BTreeMap<_, _> = self
            .evidence
            .ours
            .iter()
            .map(|order| (&order.order_no, order))
            .collect();
        for (order_no, total_fen) in &self.evidence.ordered {
            match kept.get(order_no) {
                None => self.lost(order_no, "the server has forgotten the order"),
                Some(order) if order.total_fen != *total_fen => {
                    self.wrong(
                        order_no,
                        format!("ordered {total_fen}, kept {}", order.total_fen),
                    );
                }
                Some(_) => {}
            }
        }
    }

    fn every_attempt_at_wechat_is_ours(&mut self) {
        let ours: BTreeSet<_> = self
            .evidence
            .ours
            .iter()
            .flat_map(|order| &order.attempts)
            .map(|attempt| &attempt.out_trade_no)
            .collect();
        for order in &self.evidence.wechat {
            if !ours.contains(&order.out_trade_no) {
                self.lost(
                    &order.out_trade_no,
                    "WeChat knows an attempt that the server does not",
                );
            }
        }
    }

    /// WeChat is killed too. Every payment that it confirmed to a buyer must still be in its ledger.
    fn wechat_has_forgotten_nothing(&mut self) {
        let known: BTreeSet<_> = self
            .evidence
            .wechat
            .iter()
            .filter_map(|order| order.transaction_id.as_ref())
            .collect();
        for (transaction_id, order_no) in &self.evidence.paid {
            if !known.contains(transaction_id) {
                self.lost(order_no, format!("WeChat has forgotten {transaction_id}"));
            }
        }
    }

    fn order(&mut self, order: &OurOrder) {
        let no = &*order.order_no;
        let mut paid = 0;
        for attempt in &order.attempts {
            paid += usize::from(self.attempt(order, attempt));
            if matches!(&*attempt.state, "prepared" | "open") {
                let what = format!("{} is left {}", attempt.out_trade_no, attempt.state);
                self.wrong(no, what);
            }
        }
        let fulfilled = self.events_of("payment.succeeded", "order_no", no).len();
        match (paid, fulfilled) {
            (0, 0) | (1.., 1) => {}
            (0, _) => self.wrong(no, "fulfilled without a payment"),
            (_, 0) => self.lost(no, "paid, and the backend was never told"),
            (_, more) => self.duplicated(no, format!("fulfilled {more} times")),
        }
        let settled = order
            .attempts
            .iter()
            .filter(|attempt| attempt.state == "paid");
        match (paid, &*order.state, settled.count()) {
            (0, "closed", 0) | (1.., "paid", 1) => {}
            (0, state, _) => self.wrong(no, format!("no payment, and in the end it is {state}")),
            (_, state @ ("open" | "closed"), _) => {
                self.lost(no, format!("paid at WeChat, and in the end it is {state}"));
            }
            (_, _, settled) => self.wrong(no, format!("{settled} attempts have settled it")),
        }
        if paid == 0 && self.evidence.shown_paid.contains(no) {
            self.wrong(no, "a page said that it is paid, without a payment");
        }
        if let Some(screen) = self.evidence.on_page.get(no)
            && *screen != order.state
        {
            let what = format!("it is {}, and a page shows {screen}", order.state);
            self.wrong(no, what);
        }
        if paid == 0 && self.events_of("order.closed", "order_no", no).len() != 1 {
            self.lost(no, "closed, and the backend was not told once");
        }
        self.shown(order);
    }

    /// Compares one attempt with WeChat's order of the same number. Returns whether the attempt is
    /// paid.
    fn attempt(&mut self, order: &OurOrder, attempt: &OurAttempt) -> bool {
        let no = &*order.order_no;
        let number = &attempt.out_trade_no;
        let at_wechat = self
            .evidence
            .wechat
            .iter()
            .find(|at| at.out_trade_no == *number);
        if let Some(at) = at_wechat
            && matches!(&*at.trade_state, "NOTPAY" | "USERPAYING" | "PAYERROR")
        {
            let what = format!("{number} is left {} at WeChat", at.trade_state);
            self.wrong(no, what);
        }
        // A code payment that was taken back does not count as paid.
        let paid =
            at_wechat.filter(|at| at.transaction_id.is_some() && at.trade_state != "REVOKED");
        let Some(paid) = paid else {
            if matches!(&*attempt.state, "paid" | "surplus") {
                self.wrong(
                    no,
                    format!("{number} is {}, and WeChat has no money", attempt.state),
                );
            }
            return false;
        };
        if paid.total_fen != order.total_fen {
            self.wrong(no, format!("{number}: WeChat took {} fen", paid.total_fen));
        }
        let transaction_id = paid.transaction_id.clone().unwrap_or_default();
        if attempt.transaction_id.as_ref() != Some(&transaction_id) {
            self.lost(
                no,
                format!(
                    "{number} is {}: its payment {transaction_id} is not in the ledger",
                    attempt.state
                ),
            );
            return true;
        }
        let event_type = match &*attempt.state {
            "paid" => "payment.succeeded",
            "surplus" => "payment.surplus",
            state => {
                self.lost(no, format!("{number} is paid at WeChat and {state} here"));
                return true;
            }
        };
        let events = self.events_of(event_type, "transaction_id", &transaction_id);
        match &*events {
            [] => self.lost(no, format!("{event_type} of {number} was not told")),
            [data] => {
                let agrees = data["order_no"] == no
                    && data["total_fen"] == order.total_fen
                    && data["payer_total_fen"] == paid.payer_total_fen
                    && data["out_trade_no"] == *number;
                if !agrees {
                    self.wrong(no, format!("{event_type} tells {data}"));
                }
            }
            _ => self.duplicated(no, format!("{event_type} of {number} came as two events")),
        }
        if attempt.state == "surplus" && paid.refunded_fen != paid.total_fen {
            self.duplicated(
                no,
                format!(
                    "{number} is surplus, and {} of {} fen were refunded",
                    paid.refunded_fen, paid.total_fen
                ),
            );
        }
        if attempt.state == "paid" && order.payer_total_fen != Some(paid.payer_total_fen) {
            self.wrong(
                no,
                format!("payer_total_fen is {:?}", order.payer_total_fen),
            );
        }
        true
    }

    /// Compares one refund at WeChat with ours of the same number, and with the backend's events.
    fn refund(&mut self, at_wechat: &WechatRefund) {
        let number = &at_wechat.out_refund_no;
        let ours = self.evidence.our_refunds.iter();
        let Some(ours) = ours.clone().find(|ours| ours.out_refund_no == *number) else {
            let order_no = self.order_of(&at_wechat.out_trade_no);
            return self.lost(
                &order_no,
                format!("WeChat's refund {number} is not in the ledger"),
            );
        };
        let no = &*ours.order_no;
        let (state, event_type) = match &*at_wechat.status {
            "SUCCESS" => ("succeeded", "refund.succeeded"),
            "CLOSED" => ("closed", "refund.closed"),
            "ABNORMAL" => ("abnormal", "refund.abnormal"),
            status => return self.wrong(no, format!("in the end {number} is {status} at WeChat")),
        };
        if ours.state != state {
            self.lost(
                no,
                format!("{number} is {state} at WeChat and {} here", ours.state),
            );
        }
        if ours.amount_fen != at_wechat.amount_fen || ours.out_trade_no != at_wechat.out_trade_no {
            self.wrong(
                no,
                format!("{number}: {ours:?} here, {at_wechat:?} at WeChat"),
            );
        }
        let events = self.events_of(event_type, "refund_no", number);
        match &*events {
            [] => self.lost(no, format!("{event_type} of {number} was not told")),
            [data] if data["amount_fen"] == at_wechat.amount_fen && data["order_no"] == no => {}
            [data] => self.wrong(no, format!("{event_type} tells {data}")),
            _ => self.duplicated(no, format!("{event_type} of {number} came as two events")),
        }
    }

    fn every_refund_of_ours_has_its_reason(&mut self) {
        let at_wechat: BTreeSet<_> = self
            .evidence
            .wechat_refunds
            .iter()
            .map(|refund| &refund.out_refund_no)
            .collect();
        for refund in &self.evidence.our_refunds {
            let number = &refund.out_refund_no;
            if refund.state != "refused" && !at_wechat.contains(number) {
                let what = format!(
                    "{number} is {}, and WeChat knows nothing of it",
                    refund.state
                );
                self.wrong(&refund.order_no, what);
            }
            let asked = self.evidence.asked_refunds.get(number);
            if refund.origin == "merchant"
                && asked.is_none_or(|asked| asked.order_no != refund.order_no)
            {
                self.wrong(&refund.order_no, format!("{number} was never requested"));
            }
        }
        for (number, asked) in &self.evidence.asked_refunds {
            // If WeChat refuses a refund later that the server accepted, the backend must get an
            // event.
            let is_refusal_reported = !self
                .events_of("refund.refused", "refund_no", number)
                .is_empty();
            if asked.is_accepted && !at_wechat.contains(number) && !is_refusal_reported {
                self.lost(
                    &asked.order_no,
                    format!("{number} was accepted and never made"),
                );
            }
        }
    }

    /// The refunded amount of an order, by WeChat's ledger.
    fn refunded_fen(&self, order: &OurOrder) -> u64 {
        let settling = order
            .attempts
            .iter()
            .find(|attempt| attempt.state == "paid");
        let refunds = self.evidence.wechat_refunds.iter().filter(|refund| {
            refund.status == "SUCCESS"
                && settling.is_some_and(|paid| paid.out_trade_no == refund.out_trade_no)
        });
        refunds.map(|refund| refund.amount_fen).sum()
    }

    fn order_of(&self, out_trade_no: &str) -> String {
        let mut orders = self.evidence.ours.iter();
        let order = orders.find(|order| {
            order
                .attempts
                .iter()
                .any(|attempt| attempt.out_trade_no == out_trade_no)
        });
        order.map_or(out_trade_no.to_owned(), |order| order.order_no.clone())
    }

    /// The private API must show what the ledger holds.
    fn shown(&mut self, order: &OurOrder) {
        let refunded_fen = self.refunded_fen(order);
        if order.refunded_fen != refunded_fen {
            let what = format!(
                "{} fen were refunded by the ledger; {refunded_fen} were refunded at WeChat",
                order.refunded_fen
            );
            self.wrong(&order.order_no, what);
        }
        let Some(shown) = self.evidence.api_orders.get(&order.order_no) else {
            return;
        };
        let attempts = shown["attempts"].as_array().map_or(0, Vec::len);
        let agrees = shown["state"] == order.state
            && shown["total_fen"] == order.total_fen
            && shown["refunded_fen"] == order.refunded_fen
            && attempts == order.attempts.len();
        if !agrees {
            self.wrong(&order.order_no, format!("the private API shows {shown}"));
        }
    }

    fn nothing_is_invented(&mut self) {
        for (number, reason) in &self.evidence.mismatches {
            self.wrong(number, format!("its payment fits nothing, by its {reason}"));
        }
        // An event of WeChat names no order.
        let events = self.evidence.events.iter();
        for (event_type, data) in events.filter(|(kind, _)| kind != "wechat.event") {
            let order_no = data["order_no"].as_str().unwrap_or_default();
            if event_type.ends_with(".mismatch") || !self.evidence.ordered.contains_key(order_no) {
                self.wrong(order_no, format!("{event_type} tells {data}"));
            }
        }
    }

    fn events_of(&self, event_type: &str, field: &str, value: &str) -> Vec<&'a Value> {
        let events = self.evidence.events.iter();
        events
            .filter(|(kind, data)| kind == event_type && data[field] == value)
            .map(|(_, data)| data)
            .collect()
    }

    fn lost(&mut self, order_no: &str, what: impl Into<String>) {
        self.find(FindingKind::Lost, order_no, what);
    }

    fn duplicated(&mut self, order_no: &str, what: impl Into<String>) {
        self.find(FindingKind::Duplicated, order_no, what);
    }

    fn wrong(&mut self, order_no: &str, what: impl Into<String>) {
        self.find(FindingKind::Wrong, order_no, what);
    }

    fn find(&mut self, kind: FindingKind, order_no: &str, what: impl Into<String>) {
        self.findings.push(Finding {
            kind,
            order_no: order_no.to_owned(),
            what: what.into(),
        });
    }
}

#[cfg(test)]
mod tests;
