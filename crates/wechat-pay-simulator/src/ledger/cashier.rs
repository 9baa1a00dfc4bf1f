//! The cashier: whether it opens, and the payment. Codes and H5 pages belong to the buyer who opens
//! them first; a `prepay_id` belongs to the buyer of the order.

use jiff::Timestamp;
use wechat_pay::TradeState;

use super::Ledger;
use super::attempt::Attempt;
use super::document::Document;
use super::notice::{Notice, NoticeKind};
use super::order::{Link, LinkUse, Order, OrderKey, Payment, Product, Protocol};
use super::visit::{PayRefusal, Target};

/// The most attempts that are stored for an order, the latest ones.
const ATTEMPTS_MAX: usize = 50;

impl Ledger {
    /// The order of a target, whether its link is still valid or not.
    pub(super) fn key_of<'a>(&'a self, target: &'a Target) -> Option<&'a OrderKey> {
        match target {
            Target::CodeUrl(code_url) => self.by_code_url.get(code_url),
            Target::PrepayId(id) => self.by_prepay_id.get(id),
            Target::H5 { prepay_id, .. } => self.by_prepay_id.get(prepay_id),
            Target::Order(key) | Target::Late(key) => Some(self.paid_order(key)),
        }
    }

    /// The order whose cashier opens for this buyer, or the refusal.
    pub(crate) fn open_cashier(
        &self,
        target: &Target,
        openid: Option<&str>,
        now: Timestamp,
    ) -> Result<&Order, PayRefusal> {
        let order = self
            .key_of(target)
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
            .find(|link| belongs_to(link, target))
            .ok_or(PayRefusal::Unknown)?;
        let used = match target {
            Target::CodeUrl(_) => LinkUse::Code,
            Target::H5 { .. } => LinkUse::H5Page,
            _ => LinkUse::PrepayId,
        };
        if !order.link_is_live(link, used, now) {
            return Err(PayRefusal::LinkExpired);
        }
        match (&link.opened_by, openid) {
            (Some(first), Some(this)) if first != this => Err(PayRefusal::OtherPayer),
            _ => Ok(order),
        }
    }

    /// Opens the cashier, and binds the code or the H5 page to this buyer.
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
            let meant = |link: &&mut Link| belongs_to(link, target);
            if let Some(link) = links.into_iter().flatten().find(meant)
                && link.opened_by.is_none()
            {
                link.opened_by = Some(openid.to_owned());
                self.changed.insert(Document::Order(key.clone()));
            }
        }
        self.find(&key).ok_or(PayRefusal::Unknown)
    }

    /// Records the payment, and makes its notification due at once. `transaction_id` makes WeChat's numbers.
    pub(crate) fn pay(
        &mut self,
        target: &Target,
        openid: &str,
        sub_openid: Option<String>,
        transaction_id: impl FnMut() -> String,
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
        let payment = Payment {
            transaction_id: String::new(),
            openid: openid.to_owned(),
            sub_openid,
            payer_total: order.request.total,
            paid_at: now,
        };
        self.receive(&key, &payment, transaction_id);
        let paid = self.find(&key).ok_or(PayRefusal::Unknown)?;
        let plaintext = self.queried_json(paid, now).to_string();
        let entry = self.orders.get_mut(&key).ok_or(PayRefusal::Unknown)?;
        let url = entry.order.request.notify_url.clone();
        if !url.is_empty() {
            let kind = match entry.order.request.protocol {
                Protocol::V3 => NoticeKind::Paid,
                Protocol::V2Md5 | Protocol::V2HmacSha256 => NoticeKind::PaidXml,
            };
            let notice = Notice::new(kind, notice_id, url, plaintext, now);
            entry.notices.push(notice);
            self.notices_open.insert(key.clone());
        }
        self.changed.insert(Document::Order(key));
        Ok(&entry.order)
    }

    /// The codes that can be scanned now, the newest first.
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

    /// The orders that wait for this buyer's password, the newest first.
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

    /// Lets a code payment wait for the buyer's password.
    pub(crate) fn wait_for_password(&mut self, key: &OrderKey, payer: u8) {
        if let Some(entry) = self.orders.get_mut(key) {
            entry.order.code_payer = Some(payer);
            self.changed.insert(Document::Order(key.clone()));
        }
    }

    /// The order of a target.
    pub(crate) fn find_by_target(&self, target: &Target) -> Option<&Order> {
        self.find(self.key_of(target)?)
    }

    /// Records a visit, if its target has an order.
    pub(crate) fn note_attempt(&mut self, target: &Target, attempt: Attempt) {
        let Some(key) = self.key_of(target).cloned() else {
            return;
        };
        let Some(entry) = self.orders.get_mut(&key) else {
            return;
        };
        let attempts = &mut entry.attempts;
        attempts.push(attempt);
        attempts.drain(..attempts.len().saturating_sub(ATTEMPTS_MAX));
        self.changed.insert(Document::Order(key));
    }

    /// The buyer's bank refused. Only code pay stores it: other orders can be tried again.
    pub(crate) fn fail(&mut self, key: &OrderKey) {
        if let Some(entry) = self.orders.get_mut(key)
            && entry.order.request.product == Product::CodePay
        {
            entry.order.failed = true;
            self.changed.insert(Document::Order(key.clone()));
        }
    }
}

fn belongs_to(link: &Link, target: &Target) -> bool {
    match target {
        Target::CodeUrl(code_url) => link.code_url.as_ref() == Some(code_url),
        Target::PrepayId(prepay_id) => &link.prepay_id == prepay_id,
        Target::H5 { prepay_id, package } => {
            &link.prepay_id == prepay_id && link.h5_package.as_ref() == Some(package)
        }
        Target::Order(_) | Target::Late(_) => false,
    }
}
