//! Refunds in the ledger: requested, pending, and with a result. WeChat's rules: never more than was
//! paid, a minute between two refunds of an order, at most fifty, within a year.

use jiff::Timestamp;
use wechat_pay::Fen;

use super::document::Document;
use super::notice::{Notice, NoticeKind};
use super::order::{Order, OrderKey, Protocol};
use super::refund::{Refund, RefundKey, RefundRequest, RefundStatus, RefundedPayment};
use super::refund_calls::Calls;
use super::sharing::takes_shared_money;
use super::{Entry, Ledger};
use crate::clock::after;
use crate::settings::RefundOutcome;

const SPACING_S: i64 = 60;
const OLDEST_ORDER_S: i64 = 365 * 24 * 60 * 60;
const MONTH_S: i64 = 30 * 24 * 60 * 60;
const REFUNDS_MAX: u32 = 50;
const CALLS_PER_SECOND_MAX: u32 = 150;
const ERRORS_PER_SECOND_MAX: u32 = 6;
const QUERIES_PER_SECOND_MAX: u32 = 300;

/// Why a refund is refused. Nothing changes then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundRefusal {
    /// The order does not exist or is not paid.
    Unpaid,
    /// The order was reversed, or never belonged to the merchant.
    NotRefundable,
    /// `total` differs from the order.
    OtherTotal,
    /// More than the rest of the payment.
    TooMuch,
    /// More than is held, while the rest is not released.
    MoreThanHeld,
    /// The number was used with other parameters.
    Changed,
    /// Less than a minute after the last one of this order.
    TooSoon,
    /// As `TooSoon`, for an order older than a month.
    TooSoonForOldOrder,
    /// More calls in a second than WeChat allows.
    TooOften,
    /// More than fifty refunds.
    TooMany,
    /// More than a year after the payment.
    TooLate,
}

/// Why an abnormal refund is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AbnormalRefusal {
    Unknown,
    NotAbnormal,
    OtherNumber,
}

/// The simulator's decision for a new refund: its id, its result, and when the result is due.
#[derive(Clone, Debug)]
pub(crate) struct RefundPlan {
    pub(crate) refund_id: String,
    pub(crate) result_after_s: u32,
    pub(crate) outcome: RefundOutcome,
}

impl Ledger {
    /// Accepts a refund, or returns the same one again.
    pub(crate) fn refund(
        &mut self,
        request: RefundRequest,
        plan: RefundPlan,
        now: Timestamp,
    ) -> Result<(&Order, &Refund), RefundRefusal> {
        self.count_call(&request.key.mchid, now)?;
        let checked = self.check_refund(&request, now);
        if checked.is_err() {
            self.calls_in_second(&request.key.mchid, now).refused += 1;
        }
        let (key, known) = checked?;
        let entry = self.orders.get_mut(&key).ok_or(RefundRefusal::Unpaid)?;
        let index = match known {
            Some(index) => index,
            None => {
                entry.order.refunded = entry
                    .order
                    .refunded
                    .checked_add(request.refund)
                    .ok_or(RefundRefusal::TooMuch)?;
                entry.order.refund_asked_at = Some(now);
                entry.order.refund_count += 1;
                self.by_refund.insert(request.key.clone(), key.clone());
                self.by_refund_id
                    .insert(plan.refund_id.clone(), key.clone());
                self.refunds_under_way.insert(key.clone());
                self.changed.insert(Document::Order(key));
                entry.refunds.push(taken(request, plan, now));
                entry.refunds.len() - 1
            }
        };
        let refund = entry.refunds.get(index).ok_or(RefundRefusal::Unpaid)?;
        Ok((&entry.order, refund))
    }

    /// The refund with the merchant's number.
    pub(crate) fn find_refund(&self, key: &RefundKey) -> Option<(&Order, &Refund)> {
        let entry = self.orders.get(self.by_refund.get(key)?)?;
        let refund = entry
            .refunds
            .iter()
            .find(|refund| refund.out_refund_no == key.out_refund_no)?;
        Some((&entry.order, refund))
    }

    /// Sends the money of a failed refund to another account.
    pub(crate) fn send_on(
        &mut self,
        mchid: &str,
        refund_id: &str,
        out_refund_no: &str,
        account: &str,
        result_at: Timestamp,
    ) -> Result<(&Order, &Refund), AbnormalRefusal> {
        let (key, entry) = self
            .by_refund_id
            .get(refund_id)
            .filter(|key| key.mchid == mchid)
            .and_then(|key| Some((key.clone(), self.orders.get_mut(key)?)))
            .ok_or(AbnormalRefusal::Unknown)?;
        let refund = entry
            .refunds
            .iter_mut()
            .find(|refund| refund.refund_id == refund_id)
            .ok_or(AbnormalRefusal::Unknown)?;
        if refund.out_refund_no != out_refund_no {
            return Err(AbnormalRefusal::OtherNumber);
        }
        if refund.status != RefundStatus::Abnormal {
            return Err(AbnormalRefusal::NotAbnormal);
        }
        refund.status = RefundStatus::Processing;
        refund.outcome = RefundOutcome::Success;
        refund.result_at = result_at;
        "OTHER_BANKCARD".clone_into(&mut refund.channel);
        account.clone_into(&mut refund.received_account);
        self.refunds_under_way.insert(key.clone());
        self.changed.insert(Document::Order(key));
        Ok((&entry.order, refund))
    }

    /// Sets the result of a pending refund, due now.
    pub(crate) fn decide_refund(
        &mut self,
        key: &RefundKey,
        outcome: RefundOutcome,
        now: Timestamp,
    ) -> bool {
        let Some(order) = self.by_refund.get(key) else {
            return false;
        };
        let Some(entry) = self.orders.get_mut(order) else {
            return false;
        };
        let found = entry
            .refunds
            .iter_mut()
            .find(|refund| refund.out_refund_no == key.out_refund_no && refund.is_under_way());
        let Some(refund) = found else {
            return false;
        };
        refund.outcome = outcome;
        refund.result_at = now;
        self.changed.insert(Document::Order(order.clone()));
        true
    }

    /// Applies all due results, with their notifications. `name` makes ids of notifications;
    /// `portal_notify_url` receives the form of version 2.
    pub(crate) fn settle_refunds(
        &mut self,
        portal_notify_url: &str,
        mut name: impl FnMut() -> String,
        now: Timestamp,
    ) {
        let keys: Vec<OrderKey> = self.refunds_under_way.iter().cloned().collect();
        for key in keys {
            let Some(entry) = self.orders.get_mut(&key) else {
                continue;
            };
            for index in 0..entry.refunds.len() {
                if settle(entry, index, portal_notify_url, &mut name, now) {
                    self.changed.insert(Document::Order(key.clone()));
                    self.notices_open.insert(key.clone());
                }
            }
            if !entry.refunds.iter().any(Refund::is_under_way) {
                self.refunds_under_way.remove(&key);
            }
        }
    }

    pub(super) fn refund_results_due(&self) -> impl Iterator<Item = Timestamp> {
        self.refunds_under_way
            .iter()
            .filter_map(|key| self.orders.get(key))
            .flat_map(|entry| &entry.refunds)
            .filter(|refund| refund.is_under_way())
            .map(|refund| refund.result_at)
    }

    /// Counts a query; queries have their own limit.
    pub(crate) fn count_refund_query(
        &mut self,
        mchid: &str,
        now: Timestamp,
    ) -> Result<(), RefundRefusal> {
        let calls = self.calls_in_second(mchid, now);
        calls.queries += 1;
        if calls.queries > QUERIES_PER_SECOND_MAX {
            return Err(RefundRefusal::TooOften);
        }
        Ok(())
    }

    fn calls_in_second(&mut self, mchid: &str, now: Timestamp) -> &mut Calls {
        let calls = self.refund_calls.entry(mchid.to_owned()).or_default();
        if calls.second != now.as_second() {
            *calls = Calls {
                second: now.as_second(),
                ..Calls::default()
            };
        }
        calls
    }

    fn count_call(&mut self, mchid: &str, now: Timestamp) -> Result<(), RefundRefusal> {
        let calls = self.calls_in_second(mchid, now);
        calls.all += 1;
        if calls.all > CALLS_PER_SECOND_MAX || calls.refused >= ERRORS_PER_SECOND_MAX {
            return Err(RefundRefusal::TooOften);
        }
        Ok(())
    }

    /// The order of the refund, and the index of the refund if it exists already.
    fn check_refund(
        &self,
        request: &RefundRequest,
        now: Timestamp,
    ) -> Result<(OrderKey, Option<usize>), RefundRefusal> {
        let key = self.refunded_order(request)?;
        let entry = self.orders.get(&key).ok_or(RefundRefusal::Unpaid)?;
        let order = &entry.order;
        let payment = order.payment.as_ref().ok_or(RefundRefusal::Unpaid)?;
        if let Some(known) = self.by_refund.get(&request.key) {
            let index = entry
                .refunds
                .iter()
                .position(|refund| refund.out_refund_no == request.key.out_refund_no)
                .filter(|_| *known == key)
                .ok_or(RefundRefusal::Changed)?;
            let same = entry.refunds.get(index).map(|refund| &refund.body) == Some(&request.body);
            return if same {
                Ok((key, Some(index)))
            } else {
                Err(RefundRefusal::Changed)
            };
        }
        if order.reversed {
            return Err(RefundRefusal::NotRefundable);
        }
        if request.total != order.request.total {
            return Err(RefundRefusal::OtherTotal);
        }
        if now >= after(payment.paid_at, OLDEST_ORDER_S) {
            return Err(RefundRefusal::TooLate);
        }
        let left = payment.payer_total.checked_sub(order.refunded);
        if left.is_none_or(|left| request.refund > left) {
            return Err(RefundRefusal::TooMuch);
        }
        if takes_shared_money(entry, request.refund) {
            return Err(RefundRefusal::MoreThanHeld);
        }
        if order.refund_count >= REFUNDS_MAX {
            return Err(RefundRefusal::TooMany);
        }
        let too_soon = order
            .refund_asked_at
            .is_some_and(|asked_at| now < after(asked_at, SPACING_S));
        match too_soon {
            true if now >= after(payment.paid_at, MONTH_S) => {
                Err(RefundRefusal::TooSoonForOldOrder)
            }
            true => Err(RefundRefusal::TooSoon),
            false => Ok((key, None)),
        }
    }

    fn refunded_order(&self, request: &RefundRequest) -> Result<OrderKey, RefundRefusal> {
        let key = match &request.payment {
            RefundedPayment::OutTradeNo(number) => OrderKey {
                mchid: request.key.mchid.clone(),
                sub_mchid: request.key.sub_mchid.clone(),
                out_trade_no: number.clone(),
                is_combined: false,
            },
            RefundedPayment::TransactionId(id) => self
                .by_transaction_id
                .get(id)
                .cloned()
                .ok_or(RefundRefusal::Unpaid)?,
        };
        if key.mchid != request.key.mchid || key.sub_mchid != request.key.sub_mchid {
            return Err(RefundRefusal::Unpaid);
        }
        Ok(key)
    }
}

fn taken(request: RefundRequest, plan: RefundPlan, now: Timestamp) -> Refund {
    Refund {
        out_refund_no: request.key.out_refund_no,
        refund_id: plan.refund_id,
        refund: request.refund,
        status: RefundStatus::Processing,
        created_at: now,
        success_at: None,
        result_at: after(now, i64::from(plan.result_after_s)),
        outcome: plan.outcome,
        notify_url: request.notify_url,
        reason: request.reason,
        from_portal: request.from_portal,
        protocol: request.protocol,
        channel: "ORIGINAL".to_owned(),
        received_account: "支付用户零钱".to_owned(),
        body: request.body,
    }
}

/// Applies a due result. Returns whether there was one.
fn settle(
    entry: &mut Entry,
    index: usize,
    portal_notify_url: &str,
    name: &mut impl FnMut() -> String,
    now: Timestamp,
) -> bool {
    let Entry {
        order,
        notices,
        refunds,
        ..
    } = entry;
    let due = |refund: &&mut Refund| refund.is_under_way() && refund.result_at <= now;
    let Some(refund) = refunds.get_mut(index).filter(due) else {
        return false;
    };
    let at = refund.result_at;
    let kind = match refund.outcome {
        RefundOutcome::Success => {
            refund.status = RefundStatus::Success;
            refund.success_at = Some(at);
            NoticeKind::RefundSuccess
        }
        RefundOutcome::Abnormal => {
            refund.status = RefundStatus::Abnormal;
            NoticeKind::RefundAbnormal
        }
        RefundOutcome::Closed => {
            refund.status = RefundStatus::Closed;
            let kept = order.refunded.checked_sub(refund.refund);
            order.refunded = kept.unwrap_or(Fen::ZERO);
            NoticeKind::RefundClosed
        }
    };
    let notice = match &refund.notify_url {
        Some(url) if refund.protocol == Protocol::V3 => {
            let plaintext = refund.notified_json(order).to_string();
            Some(Notice::new(kind, name(), url.clone(), plaintext, at))
        }
        own_url => own_url
            .as_deref()
            .or((!portal_notify_url.is_empty()).then_some(portal_notify_url))
            .map(|url| {
                let plaintext = refund.notified_xml(order);
                Notice::new(NoticeKind::RefundXml, name(), url.to_owned(), plaintext, at)
            }),
    };
    notices.extend(notice);
    true
}
