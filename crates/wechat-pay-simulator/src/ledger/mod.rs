//! What WeChat knows: orders, payments, refunds, notifications, codes. The truth in tests.
//!
//! One struct of plain data with methods that take the moment and fresh names; it reads no
//! clock, sends nothing and signs nothing. All of the simulator's state is behind it, and it
//! notes down what has changed, so that a store can keep it (see [`journal`]).

pub(crate) mod auth_code;
pub(crate) mod bill;
pub(crate) mod bill_link;
mod delivery;
pub(crate) mod grant;
pub(crate) mod journal;
pub(crate) mod notice;
pub(crate) mod order;
pub(crate) mod platform;
pub(crate) mod refund;
pub(crate) mod refunds;
mod view;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use wechat_pay::{Fen, TradeState};

use crate::{clock::after, ledger::order::AUTO_CLOSE_S};
use auth_code::AuthCodes;
use bill_link::BillLinks;
pub(crate) use delivery::Delivery;
use grant::Grants;
use journal::Document;
use notice::{Notice, NoticeKind};
pub use view::{LedgerView, NotificationView, OrderView, RefundView, TryView};

use order::{Link, LinkUse, Order, OrderKey, OrderRequest, Payment, Product};
use platform::Platform;
use refund::{Refund, RefundKey};

/// All that WeChat knows.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    orders: BTreeMap<OrderKey, Entry>,
    /// Numbers that were closed before they were ever ordered: burnt all the same.
    burnt: BTreeSet<OrderKey>,
    by_prepay_id: BTreeMap<String, OrderKey>,
    by_code_url: BTreeMap<String, OrderKey>,
    by_transaction_id: BTreeMap<String, OrderKey>,
    by_refund: BTreeMap<RefundKey, OrderKey>,
    by_refund_id: BTreeMap<String, OrderKey>,
    /// Keys of orders with a refund that has no result yet.
    refunds_under_way: BTreeSet<OrderKey>,
    /// Keys of orders with a notification that is to be sent (again).
    notices_open: BTreeSet<OrderKey>,
    refund_calls: refunds::Calls,
    grants: Grants,
    auth_codes: AuthCodes,
    bill_links: BillLinks,
    platforms: BTreeMap<String, Platform>,
    /// How far WeChat's time was ahead of the wall's when it was last kept.
    advanced_s: i64,
    /// What changed since it was last taken.
    changed: BTreeSet<Document>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    order: Order,
    notices: Vec<Notice>,
    refunds: Vec<Refund>,
}

/// Why an order is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderRefusal {
    /// The number is paid.
    Paid,
    /// The number is closed, or burnt.
    Closed,
    /// The number is known with other parameters.
    Changed,
    /// The number is known with another product.
    OtherProduct,
    /// The number's deadline has passed.
    Expired,
}

/// Why a number is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseRefusal {
    /// The number is paid.
    Paid,
    /// Code pay can only be reversed.
    CodePay,
}

/// Why a code payment is not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReverseRefusal {
    /// There is no such order.
    Unknown,
    /// All other products are closed or refunded.
    NotCodePay,
    /// More than seven days have passed.
    TooLate,
    /// A part of it went back already.
    Refunded,
}

/// Why a payment is not made. The order stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PayRefusal {
    /// There is no such order or link.
    Unknown,
    /// The link is too old, or was replaced by another.
    LinkExpired,
    /// The order's deadline has passed.
    OrderExpired,
    /// The order is closed.
    Closed,
    /// The order is paid.
    Paid,
    /// Another buyer ordered.
    OtherPayer,
}

/// How a cashier is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    CodeUrl(String),
    PrepayId(String),
    H5 {
        prepay_id: String,
        package: String,
    },
    /// By number, past any link: the control interface, and the phone that asks for a password.
    Order(OrderKey),
    /// The same, and also where it is closed or expired: money that lands late.
    Late(OrderKey),
}

/// What the buyer does in the cashier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Confirms, and the money moves.
    Success,
    /// Turns back.
    Cancel,
    /// Confirms, and the bank says no.
    Fail,
}

impl Ledger {
    /// Takes an order, or gives a new link for the same one.
    pub(crate) fn order(
        &mut self,
        request: OrderRequest,
        link: Link,
        deadline_cap_days: u8,
        now: Timestamp,
    ) -> Result<(), OrderRefusal> {
        let key = request.key.clone();
        if self.burnt.contains(&key) {
            return Err(OrderRefusal::Closed);
        }
        if let Some(entry) = self.orders.get(&key) {
            check_again(&entry.order, &request, now)?;
        }
        self.by_prepay_id
            .insert(link.prepay_id.clone(), key.clone());
        if let Some(code_url) = &link.code_url {
            self.by_code_url.insert(code_url.clone(), key.clone());
        }
        self.changed.insert(Document::Order(key.clone()));
        let entry = self.orders.entry(key).or_insert_with(|| Entry {
            order: Order::new(request, deadline_cap_days, now),
            notices: Vec::new(),
            refunds: Vec::new(),
        });
        entry.order.links.push(link);
        Ok(())
    }

    /// Closes a number, known or not. What was paid stays so, and code pay is reversed instead.
    pub(crate) fn close(&mut self, key: OrderKey) -> Result<(), CloseRefusal> {
        match self.orders.get_mut(&key) {
            Some(entry) if entry.order.payment.is_some() => Err(CloseRefusal::Paid),
            Some(entry) if entry.order.request.product == Product::CodePay => {
                Err(CloseRefusal::CodePay)
            }
            Some(entry) => {
                entry.order.closed_by_merchant = true;
                self.changed.insert(Document::Order(key));
                Ok(())
            }
            None => {
                self.burnt.insert(key.clone());
                self.changed.insert(Document::Burnt(key));
                Ok(())
            }
        }
    }

    /// Takes a code payment back: what was paid goes back whole, what was not never will be.
    pub(crate) fn reverse(&mut self, key: &OrderKey, now: Timestamp) -> Result<(), ReverseRefusal> {
        let entry = self.orders.get_mut(key).ok_or(ReverseRefusal::Unknown)?;
        let order = &mut entry.order;
        if order.request.product != Product::CodePay {
            return Err(ReverseRefusal::NotCodePay);
        }
        if now >= after(order.created_at, AUTO_CLOSE_S) {
            return Err(ReverseRefusal::TooLate);
        }
        if !order.reversed && order.refunded > Fen::ZERO {
            return Err(ReverseRefusal::Refunded);
        }
        order.reversed = true;
        self.changed.insert(Document::Order(key.clone()));
        Ok(())
    }

    /// The merchant scanned the buyer's code: the phone asks for a password.
    pub(crate) fn wait_for_password(&mut self, key: &OrderKey, payer: u8) {
        if let Some(entry) = self.orders.get_mut(key) {
            entry.order.code_payer = Some(payer);
            self.changed.insert(Document::Order(key.clone()));
        }
    }

    /// The buyer's bank said no. Only code pay remembers it: all others can be tried again.
    pub(crate) fn fail(&mut self, key: &OrderKey) {
        if let Some(entry) = self.orders.get_mut(key)
            && entry.order.request.product == Product::CodePay
        {
            entry.order.failed = true;
            self.changed.insert(Document::Order(key.clone()));
        }
    }

    /// OAuth codes, to give out and to redeem.
    pub(crate) fn grants(&mut self) -> &mut Grants {
        self.changed.insert(Document::Grants);
        &mut self.grants
    }

    /// The codes that buyers show.
    pub(crate) fn auth_codes(&mut self) -> &mut AuthCodes {
        self.changed.insert(Document::AuthCodes);
        &mut self.auth_codes
    }

    /// Bills that were asked for.
    pub(crate) fn bill_links(&mut self) -> &mut BillLinks {
        self.changed.insert(Document::BillLinks);
        &mut self.bill_links
    }

    /// Every order and its refunds, in the order of their numbers.
    pub(crate) fn orders(&self) -> impl Iterator<Item = (&Order, &[Refund])> {
        self.orders
            .values()
            .map(|entry| (&entry.order, entry.refunds.as_slice()))
    }

    pub(crate) fn find(&self, key: &OrderKey) -> Option<&Order> {
        self.orders.get(key).map(|entry| &entry.order)
    }

    pub(crate) fn find_by_transaction_id(&self, transaction_id: &str) -> Option<&Order> {
        self.find(self.by_transaction_id.get(transaction_id)?)
    }

    /// The order whose cashier would open for this buyer, or why it would not.
    pub(crate) fn open_cashier(
        &self,
        target: &Target,
        openid: Option<&str>,
        now: Timestamp,
    ) -> Result<&Order, PayRefusal> {
        let (key, used) = match target {
            Target::CodeUrl(code_url) => (self.by_code_url.get(code_url), LinkUse::Code),
            Target::PrepayId(id) => (self.by_prepay_id.get(id), LinkUse::PrepayId),
            Target::H5 { prepay_id, .. } => (self.by_prepay_id.get(prepay_id), LinkUse::H5Page),
            Target::Order(key) | Target::Late(key) => (Some(key), LinkUse::PrepayId),
        };
        let order = key
            .and_then(|key| self.find(key))
            .ok_or(PayRefusal::Unknown)?;
        match order.trade_state(now) {
            TradeState::NotPay | TradeState::UserPaying => {}
            TradeState::Closed if matches!(target, Target::Late(_)) => return Ok(order),
            TradeState::Closed | TradeState::Revoked | TradeState::PayError => {
                return Err(PayRefusal::Closed);
            }
            _ => return Err(PayRefusal::Paid),
        }
        if matches!(target, Target::Late(_)) {
            return Ok(order);
        }
        if order.is_expired(now) {
            return Err(PayRefusal::OrderExpired);
        }
        if matches!(target, Target::Order(_)) {
            return Ok(order);
        }
        let link = order
            .links
            .iter()
            .find(|link| is_meant(link, target))
            .ok_or(PayRefusal::Unknown)?;
        if !order.link_is_live(link, used, now) {
            return Err(PayRefusal::LinkExpired);
        }
        match (&link.opened_by, openid) {
            (Some(first), Some(this)) if first != this => Err(PayRefusal::OtherPayer),
            _ => Ok(order),
        }
    }

    /// The same, and from now on the code or the H5 page is this buyer's and nobody else's.
    pub(crate) fn claim_cashier(
        &mut self,
        target: &Target,
        openid: &str,
        now: Timestamp,
    ) -> Result<&Order, PayRefusal> {
        let order = self.open_cashier(target, Some(openid), now)?;
        let key = order.request.key.clone();
        if matches!(target, Target::CodeUrl(_) | Target::H5 { .. }) {
            let links = self
                .orders
                .get_mut(&key)
                .map(|entry| &mut entry.order.links);
            let meant = |link: &&mut Link| is_meant(link, target);
            if let Some(link) = links.into_iter().flatten().find(meant)
                && link.opened_by.is_none()
            {
                link.opened_by = Some(openid.to_owned());
                self.changed.insert(Document::Order(key.clone()));
            }
        }
        self.find(&key).ok_or(PayRefusal::Unknown)
    }

    /// The buyer confirms and the money moves: writes the payment down, and makes its
    /// notification due at once.
    pub(crate) fn pay(
        &mut self,
        target: &Target,
        openid: &str,
        sub_openid: Option<String>,
        transaction_id: String,
        notice_id: String,
        now: Timestamp,
    ) -> Result<&Order, PayRefusal> {
        let order = self.open_cashier(target, Some(openid), now)?;
        let paying = match &sub_openid {
            Some(sub_openid) if order.request.openid_is_sub => sub_openid,
            _ => openid,
        };
        if order
            .request
            .openid
            .as_deref()
            .is_some_and(|ordering| ordering != paying)
        {
            return Err(PayRefusal::OtherPayer);
        }
        let key = order.request.key.clone();
        let entry = self.orders.get_mut(&key).ok_or(PayRefusal::Unknown)?;
        self.by_transaction_id
            .insert(transaction_id.clone(), key.clone());
        entry.order.payment = Some(Payment {
            transaction_id,
            openid: openid.to_owned(),
            sub_openid,
            payer_total: entry.order.request.total,
            paid_at: now,
        });
        let plaintext = entry.order.transaction_json(now).to_string();
        let url = entry.order.request.notify_url.clone();
        if !url.is_empty() {
            let notice = Notice::new(NoticeKind::Paid, notice_id, url, plaintext, now);
            entry.notices.push(notice);
            self.notices_open.insert(key.clone());
        }
        self.changed.insert(Document::Order(key));
        Ok(&entry.order)
    }

    /// The codes that a phone could scan now, the newest first.
    pub(crate) fn open_codes(&self, now: Timestamp) -> Vec<(&str, &Order)> {
        let mut codes: Vec<_> = self
            .orders
            .values()
            .map(|entry| &entry.order)
            .filter(|order| order.request.product == Product::Native)
            .filter_map(|order| Some((order.links.last()?.code_url.as_deref()?, order)))
            .filter(|(code_url, _)| {
                let target = Target::CodeUrl((*code_url).to_owned());
                self.open_cashier(&target, None, now).is_ok()
            })
            .collect();
        codes.sort_by_key(|(_, order)| std::cmp::Reverse(order.created_at));
        codes
    }

    /// What a buyer's phone asks a password for, the newest first.
    pub(crate) fn waiting_for_password(&self, payer: u8, now: Timestamp) -> Vec<&Order> {
        let mut waiting: Vec<_> = self
            .orders
            .values()
            .map(|entry| &entry.order)
            .filter(|order| order.code_payer == Some(payer))
            .filter(|order| order.trade_state(now) == TradeState::UserPaying)
            .collect();
        waiting.sort_by_key(|order| std::cmp::Reverse(order.created_at));
        waiting
    }

    /// The ledger for people and tests; all merchants where none is named.
    pub(crate) fn view(&self, mchid: Option<&str>, now: Timestamp) -> LedgerView {
        let orders = self
            .orders
            .iter()
            .filter(|(key, _)| mchid.is_none_or(|mchid| mchid == key.mchid))
            .map(|(key, entry)| OrderView::new(key, &entry.order, &entry.notices, now))
            .collect();
        let refunds = self
            .orders
            .values()
            .filter(|entry| mchid.is_none_or(|mchid| mchid == entry.order.request.key.mchid))
            .flat_map(|entry| entry.refunds.iter().map(|refund| (&entry.order, refund)))
            .map(|(order, refund)| RefundView::new(order, refund))
            .collect();
        LedgerView { orders, refunds }
    }
}

/// The rules for a number that is known already.
fn check_again(known: &Order, request: &OrderRequest, now: Timestamp) -> Result<(), OrderRefusal> {
    match known.trade_state(now) {
        TradeState::NotPay | TradeState::UserPaying => {}
        TradeState::Closed | TradeState::Revoked | TradeState::PayError => {
            return Err(OrderRefusal::Closed);
        }
        _ => return Err(OrderRefusal::Paid),
    }
    if known.request.product != request.product {
        return Err(OrderRefusal::OtherProduct);
    }
    if known.request.body != request.body {
        return Err(OrderRefusal::Changed);
    }
    if known.is_expired(now) {
        return Err(OrderRefusal::Expired);
    }
    Ok(())
}

fn is_meant(link: &Link, target: &Target) -> bool {
    match target {
        Target::CodeUrl(code_url) => link.code_url.as_ref() == Some(code_url),
        Target::PrepayId(prepay_id) => &link.prepay_id == prepay_id,
        Target::H5 { prepay_id, package } => {
            &link.prepay_id == prepay_id && link.h5_package.as_ref() == Some(package)
        }
        Target::Order(_) | Target::Late(_) => false,
    }
}
