//! What WeChat knows: orders, payments, notifications, OAuth codes. The truth in tests.
//!
//! One struct of plain data with methods that take the moment and fresh names; it reads no
//! clock, sends nothing and signs nothing. All of the simulator's state is behind it, so that
//! it can move into a database as it is.

pub(crate) mod grant;
pub(crate) mod notice;
pub(crate) mod order;
mod view;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use wechat_pay::{Product, TradeState};

use grant::Grants;
use notice::{Notice, TryOutcome};
pub use view::{LedgerView, NotificationView, OrderView};

use order::{Link, LinkUse, Order, OrderKey, OrderRequest, Payment, ReplyKey};

/// All that WeChat knows.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    orders: BTreeMap<OrderKey, Entry>,
    /// Numbers that were closed before they were ever ordered: burnt all the same.
    burnt: BTreeSet<OrderKey>,
    by_prepay_id: BTreeMap<String, OrderKey>,
    by_code_url: BTreeMap<String, OrderKey>,
    by_transaction_id: BTreeMap<String, OrderKey>,
    pub(crate) grants: Grants,
}

#[derive(Debug)]
struct Entry {
    order: Order,
    notices: Vec<Notice>,
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
    /// By number, past any link: the control interface alone.
    Order(OrderKey),
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

/// A notification's try that somebody has to make now.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) order: OrderKey,
    pub(crate) notice: Notice,
    pub(crate) reply_key: ReplyKey,
}

impl Ledger {
    /// Takes an order, or gives a new link for the same one.
    pub(crate) fn order(
        &mut self,
        request: OrderRequest,
        link: Link,
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
        let entry = self.orders.entry(key).or_insert_with(|| Entry {
            order: Order::new(request, now),
            notices: Vec::new(),
        });
        entry.order.links.push(link);
        Ok(())
    }

    /// Closes a number, known or not. `false`: it is paid, and stays so.
    pub(crate) fn close(&mut self, key: OrderKey) -> bool {
        match self.orders.get_mut(&key) {
            Some(entry) if entry.order.payment.is_some() => false,
            Some(entry) => {
                entry.order.closed_by_merchant = true;
                true
            }
            None => {
                self.burnt.insert(key);
                true
            }
        }
    }

    pub(crate) fn find(&self, key: &OrderKey) -> Option<&Order> {
        self.orders.get(key).map(|entry| &entry.order)
    }

    pub(crate) fn find_by_transaction_id(&self, transaction_id: &str) -> Option<&Order> {
        self.find(self.by_transaction_id.get(transaction_id)?)
    }

    /// The order whose cashier would open, or why it would not.
    pub(crate) fn open_cashier(
        &self,
        target: &Target,
        now: Timestamp,
    ) -> Result<&Order, PayRefusal> {
        let (key, used) = match target {
            Target::CodeUrl(code_url) => (self.by_code_url.get(code_url), LinkUse::Code),
            Target::PrepayId(id) => (self.by_prepay_id.get(id), LinkUse::PrepayId),
            Target::H5 { prepay_id, .. } => (self.by_prepay_id.get(prepay_id), LinkUse::H5Page),
            Target::Order(key) => (Some(key), LinkUse::PrepayId),
        };
        let order = key
            .and_then(|key| self.find(key))
            .ok_or(PayRefusal::Unknown)?;
        match order.trade_state(now) {
            TradeState::NotPay => {}
            TradeState::Closed => return Err(PayRefusal::Closed),
            _ => return Err(PayRefusal::Paid),
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
        if order.link_is_live(link, used, now) {
            Ok(order)
        } else {
            Err(PayRefusal::LinkExpired)
        }
    }

    /// The buyer confirms and the money moves: writes the payment down, and makes its
    /// notification due at once.
    pub(crate) fn pay(
        &mut self,
        target: &Target,
        openid: &str,
        transaction_id: String,
        notice_id: String,
        now: Timestamp,
    ) -> Result<&Order, PayRefusal> {
        let order = self.open_cashier(target, now)?;
        if order
            .request
            .openid
            .as_deref()
            .is_some_and(|ordering| ordering != openid)
        {
            return Err(PayRefusal::OtherPayer);
        }
        let key = order.request.key.clone();
        let entry = self.orders.get_mut(&key).ok_or(PayRefusal::Unknown)?;
        self.by_transaction_id.insert(transaction_id.clone(), key);
        entry.order.payment = Some(Payment {
            transaction_id,
            openid: openid.to_owned(),
            payer_total: entry.order.request.total,
            paid_at: now,
        });
        let plaintext = entry.order.transaction_json(now).to_string();
        let url = entry.order.request.notify_url.clone();
        entry
            .notices
            .push(Notice::new(notice_id, url, plaintext, now));
        Ok(&entry.order)
    }

    /// The tries that are due, each handed out once.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Delivery> {
        let mut due = Vec::new();
        for (key, entry) in &mut self.orders {
            for notice in &mut entry.notices {
                if notice.is_due(now) {
                    notice.in_flight = true;
                    due.push(Delivery {
                        order: key.clone(),
                        notice: notice.clone(),
                        reply_key: entry.order.request.reply_key,
                    });
                }
            }
        }
        due
    }

    /// Writes down how a try went.
    pub(crate) fn record_try(&mut self, order: &OrderKey, notice_id: &str, outcome: TryOutcome) {
        let notice = self
            .orders
            .get_mut(order)
            .and_then(|entry| entry.notices.iter_mut().find(|n| n.id == notice_id));
        if let Some(notice) = notice {
            notice.record(outcome);
        }
    }

    /// When the next try is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.orders
            .values()
            .flat_map(|entry| &entry.notices)
            .filter(|notice| !notice.in_flight)
            .filter_map(|notice| notice.due_at)
            .min()
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
                self.open_cashier(&target, now).is_ok()
            })
            .collect();
        codes.sort_by_key(|(_, order)| std::cmp::Reverse(order.created_at));
        codes
    }

    /// The ledger for people and tests; all merchants where none is named.
    pub(crate) fn view(&self, mchid: Option<&str>, now: Timestamp) -> LedgerView {
        let orders = self
            .orders
            .iter()
            .filter(|(key, _)| mchid.is_none_or(|mchid| mchid == key.mchid))
            .map(|(key, entry)| OrderView::new(key, &entry.order, &entry.notices, now))
            .collect();
        LedgerView {
            orders,
            refunds: Vec::new(),
        }
    }
}

/// The rules for a number that is known already.
fn check_again(known: &Order, request: &OrderRequest, now: Timestamp) -> Result<(), OrderRefusal> {
    match known.trade_state(now) {
        TradeState::NotPay => {}
        TradeState::Closed => return Err(OrderRefusal::Closed),
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
        Target::Order(_) => false,
    }
}
