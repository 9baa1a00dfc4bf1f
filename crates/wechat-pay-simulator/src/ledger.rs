//! WeChat's state: orders, payments, refunds, notifications, codes. Tests compare with it.
//!
//! One struct of plain data, whose methods get the time and new ids as arguments; it reads no clock,
//! sends nothing and signs nothing. It records what has changed, so that a store can save it (see
//! [`journal`]).

pub(crate) mod attempt;
pub(crate) mod auth_code;
pub(crate) mod bill;
pub(crate) mod bill_link;
mod cashier;
pub(crate) mod combined;
mod delivery;
pub(crate) mod document;
pub(crate) mod grant;
mod journal;
pub(crate) mod notice;
pub(crate) mod order;
pub(crate) mod platform;
pub(crate) mod refund;
mod refund_calls;
pub(crate) mod refunds;
mod refusal;
pub(crate) mod share;
pub(crate) mod sharing;
pub(crate) mod shipping;
mod shipping_uploads;
pub(crate) mod stable_token;
mod view;
mod visit;

use std::collections::{BTreeMap, BTreeSet};

use attempt::Attempt;
use auth_code::AuthCodes;
use bill_link::BillLinks;
pub(crate) use delivery::Delivery;
use document::Document;
use grant::Grants;
use jiff::Timestamp;
use notice::Notice;
use order::{Link, Order, OrderKey, OrderRequest, Product};
use platform::Platform;
use refund::{Refund, RefundKey};
pub(crate) use refusal::{CloseRefusal, CombinedCloseRefusal, OrderRefusal, ReverseRefusal};
use serde::{Deserialize, Serialize};
use share::Sharing;
use shipping::Shipping;
use stable_token::StableTokens;
pub use view::{
    AttemptView, CombinedView, LedgerView, NotificationView, OrderView, RefundView,
    ShareReceiverView, ShareReturnView, ShareView, TryView,
};
pub use visit::Outcome;
pub(crate) use visit::{PayRefusal, Target};
use wechat_pay::{Fen, TradeState};

use crate::clock::after;
use crate::ledger::order::AUTO_CLOSE_S;

/// WeChat's state.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    orders: BTreeMap<OrderKey, Entry>,
    /// Numbers that were closed before they were ordered: they cannot be used either.
    burnt: BTreeSet<OrderKey>,
    by_prepay_id: BTreeMap<String, OrderKey>,
    by_code_url: BTreeMap<String, OrderKey>,
    by_transaction_id: BTreeMap<String, OrderKey>,
    by_refund: BTreeMap<RefundKey, OrderKey>,
    by_refund_id: BTreeMap<String, OrderKey>,
    /// Keys of orders with a pending refund.
    refunds_under_way: BTreeSet<OrderKey>,
    /// Keys of orders with a pending share or return.
    shares_under_way: BTreeSet<OrderKey>,
    /// Keys of orders with a notification to deliver.
    notices_open: BTreeSet<OrderKey>,
    /// By merchant number.
    refund_calls: BTreeMap<String, refund_calls::Calls>,
    grants: Grants,
    auth_codes: AuthCodes,
    bill_links: BillLinks,
    stable_tokens: StableTokens,
    platforms: BTreeMap<String, Platform>,
    /// The clock's advance when it was last saved.
    advanced_s: i64,
    /// The documents that changed since they were last saved.
    changed: BTreeSet<Document>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    order: Order,
    notices: Vec<Notice>,
    refunds: Vec<Refund>,
    #[serde(default)]
    attempts: Vec<Attempt>,
    #[serde(default)]
    shipping: Shipping,
    #[serde(default)]
    sharing: Sharing,
}

impl Ledger {
    /// Accepts an order, or adds a new link for the same order.
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
        self.add_link(&key, &link);
        let entry = self.orders.entry(key);
        let entry = entry.or_insert_with(|| Entry::new(request, deadline_cap_days, now));
        entry.order.links.push(link);
        Ok(())
    }

    fn add_link(&mut self, key: &OrderKey, link: &Link) {
        self.by_prepay_id
            .insert(link.prepay_id.clone(), key.clone());
        if let Some(code_url) = &link.code_url {
            self.by_code_url.insert(code_url.clone(), key.clone());
        }
        self.changed.insert(Document::Order(key.clone()));
    }

    /// Closes a number, known or not. A paid order cannot be closed; code pay is reversed instead, and a
    /// sub-order is closed with its whole order.
    pub(crate) fn close(&mut self, key: OrderKey) -> Result<(), CloseRefusal> {
        match self.orders.get_mut(&key) {
            Some(entry) if entry.order.payment.is_some() => Err(CloseRefusal::Paid),
            Some(entry) if entry.order.request.product == Product::CodePay => {
                Err(CloseRefusal::CodePay)
            }
            Some(entry) if entry.order.request.combination.whole().is_some() => {
                Err(CloseRefusal::SubOrder)
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

    /// Reverses a code payment: a paid one is refunded whole, an unpaid one can no longer be paid.
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

    /// The OAuth codes.
    pub(crate) fn grants(&mut self) -> &mut Grants {
        self.changed.insert(Document::Grants);
        &mut self.grants
    }

    /// The buyers' payment codes.
    pub(crate) fn auth_codes(&mut self) -> &mut AuthCodes {
        self.changed.insert(Document::AuthCodes);
        &mut self.auth_codes
    }

    /// The links to bills.
    pub(crate) fn bill_links(&mut self) -> &mut BillLinks {
        self.changed.insert(Document::BillLinks);
        &mut self.bill_links
    }

    pub(crate) fn platform(&self, mchid: &str) -> Platform {
        self.platforms.get(mchid).cloned().unwrap_or_default()
    }

    pub(crate) fn change_platform(&mut self, mchid: &str, change: impl FnOnce(&mut Platform)) {
        change(self.platforms.entry(mchid.to_owned()).or_default());
        self.changed.insert(Document::Platform(mchid.to_owned()));
    }

    /// Every order that holds money, with its refunds, by number: a combined order's sub-orders, and not
    /// the combined order itself.
    pub(crate) fn orders(&self) -> impl Iterator<Item = (&Order, &[Refund])> {
        self.orders
            .values()
            .filter(|entry| !entry.order.request.key.is_combined)
            .map(|entry| (&entry.order, entry.refunds.as_slice()))
    }

    pub(crate) fn find(&self, key: &OrderKey) -> Option<&Order> {
        self.orders.get(key).map(|entry| &entry.order)
    }

    pub(crate) fn find_by_transaction_id(&self, transaction_id: &str) -> Option<&Order> {
        self.find(self.by_transaction_id.get(transaction_id)?)
    }

    /// As [`Ledger::find`], for the routes of ordinary orders: they do not know sub-orders. Source:
    /// WeChat's 常见问题 on 合单支付.
    pub(crate) fn find_alone(&self, key: &OrderKey) -> Option<&Order> {
        self.find(key).filter(|order| order.is_alone())
    }

    /// As [`Ledger::find_by_transaction_id`], for the routes of ordinary orders.
    pub(crate) fn find_alone_by_transaction_id(&self, transaction_id: &str) -> Option<&Order> {
        let order = self.find_by_transaction_id(transaction_id);
        order.filter(|order| order.is_alone())
    }
}

impl Entry {
    fn new(request: OrderRequest, deadline_cap_days: u8, now: Timestamp) -> Self {
        Self {
            order: Order::new(request, deadline_cap_days, now),
            notices: Vec::new(),
            refunds: Vec::new(),
            attempts: Vec::new(),
            shipping: Shipping::default(),
            sharing: Sharing::default(),
        }
    }
}

/// The rules for a repeated order.
fn check_again(known: &Order, request: &OrderRequest, now: Timestamp) -> Result<(), OrderRefusal> {
    if known.request.combination.whole().is_some() {
        return Err(OrderRefusal::Used);
    }
    match known.trade_state(now) {
        TradeState::NotPay | TradeState::UserPaying => {}
        TradeState::Closed | TradeState::Revoked | TradeState::PayError => {
            return Err(OrderRefusal::Closed);
        }
        _ => return Err(OrderRefusal::Paid),
    }
    if known.request.product != request.product {
        return Err(OrderRefusal::Used);
    }
    if known.request.body != request.body {
        return Err(OrderRefusal::Changed);
    }
    if known.is_expired(now) {
        return Err(OrderRefusal::Expired);
    }
    Ok(())
}
