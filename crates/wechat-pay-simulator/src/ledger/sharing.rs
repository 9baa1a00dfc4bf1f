//! Profit sharing in the ledger: what is held of a payment, shared, released and returned. WeChat's
//! rules: only an order that was made for it, never more than is held, at most fifty shares, nothing
//! after the rest is released, and returns from merchants alone.

use jiff::Timestamp;
use serde_json::Value;
use wechat_pay::{Fen, SHARES_MAX};

use super::document::Document;
use super::notice::{Notice, NoticeKind};
use super::order::{Order, OrderKey};
use super::share::{AskedPart, Part, PartResult, Share, ShareKey, ShareReturn};
use super::{Entry, Ledger};
use crate::settings::ShareOutcome;

/// The most returns of one share.
const RETURNS_MAX: usize = 50;

/// Why a share, a release or a return is refused. Nothing changes then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShareRefusal {
    /// The payment is not the caller's.
    Unpaid,
    /// The order was not made for sharing.
    NotForSharing,
    /// The number was used with other parameters.
    Changed,
    /// A receiver was not added, or was deleted.
    NoRelation,
    /// More than is held.
    NotEnough,
    /// More than fifty shares, or returns.
    TooMany,
    /// WeChat has no such share.
    Unknown,
    /// The share is not finished, or the receiver got nothing by it.
    NotReturnable,
    /// More than the receiver got and has not returned.
    TooMuchReturned,
}

/// A checked request to share or to release.
#[derive(Clone, Debug)]
pub(crate) struct AskedShare {
    pub(crate) key: ShareKey,
    pub(crate) transaction_id: String,
    pub(crate) parts: Vec<AskedPart>,
    pub(crate) unfreezes: bool,
    /// The whole body: a repeated request must have the same values.
    pub(crate) body: Value,
}

/// A checked request to return.
#[derive(Clone, Debug)]
pub(crate) struct AskedReturn {
    pub(crate) key: ShareKey,
    pub(crate) out_order_no: String,
    pub(crate) return_mchid: String,
    pub(crate) amount: Fen,
    pub(crate) description: String,
    pub(crate) body: Value,
}

/// What the simulator decides for a new share or return.
pub(crate) struct SharePlan<F> {
    pub(crate) result_at: Timestamp,
    /// Makes WeChat's numbers.
    pub(crate) number: F,
}

/// What the simulator decides when results are due.
pub(crate) struct ShareResults<'a> {
    pub(crate) outcome: ShareOutcome,
    /// Where receivers are told; empty: nowhere.
    pub(crate) notify_url: &'a str,
    /// The merchants whose keys the simulator has: others are told nothing.
    pub(crate) merchants: &'a [String],
}

impl Ledger {
    /// Adds a receiver for a merchant; adding it again changes nothing.
    pub(crate) fn add_receiver(&mut self, mchid: &str, receiver: String) {
        self.change_platform(mchid, |platform| {
            platform.receivers.insert(receiver);
        });
    }

    /// Deletes a receiver.
    pub(crate) fn delete_receiver(&mut self, mchid: &str, receiver: &str) {
        self.change_platform(mchid, |platform| {
            platform.receivers.remove(receiver);
        });
    }

    /// Accepts a share or a release, or returns the same one again.
    pub(crate) fn share(
        &mut self,
        asked: AskedShare,
        mut plan: SharePlan<impl FnMut() -> String>,
        now: Timestamp,
    ) -> Result<(&Order, &Share), ShareRefusal> {
        let key = self.check_share(&asked)?;
        let entry = self.orders.get_mut(&key).ok_or(ShareRefusal::Unpaid)?;
        let known = place_of(entry, &asked.key.number);
        let place = match known {
            Some(place) => place,
            None => {
                let share = taken(entry, asked, &mut plan, now)?;
                entry.sharing.shares.push(share);
                self.shares_under_way.insert(key.clone());
                self.changed.insert(Document::Order(key));
                entry.sharing.shares.len() - 1
            }
        };
        let share = entry.sharing.shares.get(place);
        Ok((&entry.order, share.ok_or(ShareRefusal::Unknown)?))
    }

    /// A share by its payment and the merchant's number.
    pub(crate) fn find_share(
        &self,
        key: &ShareKey,
        transaction_id: &str,
    ) -> Option<(&Order, &Share)> {
        let entry = self.shared_entry(key, transaction_id)?;
        let share = entry.sharing.shares.get(place_of(entry, &key.number)?)?;
        Some((&entry.order, share))
    }

    /// Accepts a return, or returns the same one again.
    pub(crate) fn return_share(
        &mut self,
        asked: AskedReturn,
        mut plan: SharePlan<impl FnMut() -> String>,
        now: Timestamp,
    ) -> Result<(&Order, &ShareReturn), ShareRefusal> {
        let key = self.order_of_share(&asked.key, &asked.out_order_no);
        let key = key.ok_or(ShareRefusal::Unknown)?;
        let entry = self.orders.get_mut(&key).ok_or(ShareRefusal::Unknown)?;
        let known = entry.sharing.returns.iter();
        let known = known
            .enumerate()
            .find(|(_, returned)| returned.out_return_no == asked.key.number);
        let place = match known {
            Some((_, returned)) if returned.body != asked.body => {
                return Err(ShareRefusal::Changed);
            }
            Some((place, _)) => place,
            None => {
                let order_id = check_return(entry, &asked)?;
                entry.sharing.returns.push(ShareReturn {
                    out_return_no: asked.key.number,
                    return_id: (plan.number)(),
                    out_order_no: asked.out_order_no,
                    order_id,
                    return_mchid: asked.return_mchid,
                    amount: asked.amount,
                    description: asked.description,
                    created_at: now,
                    result_at: plan.result_at,
                    result: PartResult::Pending,
                    fail_reason: None,
                    body: asked.body,
                });
                self.shares_under_way.insert(key.clone());
                self.changed.insert(Document::Order(key));
                entry.sharing.returns.len() - 1
            }
        };
        let returned = entry.sharing.returns.get(place);
        Ok((&entry.order, returned.ok_or(ShareRefusal::Unknown)?))
    }

    /// A return by its share's number and its own.
    pub(crate) fn find_return(
        &self,
        key: &ShareKey,
        out_order_no: &str,
    ) -> Option<(&Order, &ShareReturn)> {
        let entry = self.orders.get(&self.order_of_share(key, out_order_no)?)?;
        let mut returns = entry.sharing.returns.iter();
        let returned = returns.find(|returned| {
            returned.out_return_no == key.number && returned.out_order_no == out_order_no
        })?;
        Some((&entry.order, returned))
    }

    /// What is left of a payment to share; `None`: the payment is not this merchant's, or was not made for
    /// sharing.
    pub(crate) fn unsplit(&self, mchid: &str, transaction_id: &str) -> Option<Fen> {
        let key = self.by_transaction_id.get(transaction_id)?;
        let entry = self.orders.get(key).filter(|_| key.mchid == mchid)?;
        entry.order.is_for_sharing().then(|| held(entry))
    }

    /// Applies all due results, with their notifications. `name` makes ids of notifications.
    pub(crate) fn settle_shares(
        &mut self,
        results: &ShareResults<'_>,
        mut name: impl FnMut() -> String,
        now: Timestamp,
    ) {
        let keys: Vec<OrderKey> = self.shares_under_way.iter().cloned().collect();
        for key in keys {
            let Some(entry) = self.orders.get_mut(&key) else {
                continue;
            };
            let platform = self.platforms.get(&key.mchid);
            let is_receiver = |part: &Part| {
                let name = receiver(key.sub_mchid.as_deref(), &part.kind, &part.account);
                platform.is_some_and(|platform| platform.receivers.contains(&name))
            };
            let news = settle(entry, results, &is_receiver, now);
            if !news.is_empty() {
                self.changed.insert(Document::Order(key.clone()));
            }
            let told = news.into_iter().filter(|news| {
                !results.notify_url.is_empty() && results.merchants.contains(&news.to)
            });
            let before = entry.notices.len();
            entry.notices.extend(told.map(|news| {
                let url = results.notify_url.to_owned();
                let notice = Notice::new(news.kind, name(), url, news.content, news.at);
                Notice {
                    to: Some(news.to),
                    ..notice
                }
            }));
            if entry.notices.len() > before {
                self.notices_open.insert(key.clone());
            }
            if entry.sharing.results_due().next().is_none() {
                self.shares_under_way.remove(&key);
            }
        }
    }

    pub(super) fn share_results_due(&self) -> impl Iterator<Item = Timestamp> {
        let keys = self.shares_under_way.iter();
        let entries = keys.filter_map(|key| self.orders.get(key));
        entries.flat_map(|entry| entry.sharing.results_due())
    }

    fn check_share(&self, asked: &AskedShare) -> Result<OrderKey, ShareRefusal> {
        let entry = self
            .shared_entry(&asked.key, &asked.transaction_id)
            .ok_or(ShareRefusal::Unpaid)?;
        let key = entry.order.request.key.clone();
        // A number is one share of one payment.
        if let Some(known) = self.order_of_share(&asked.key, &asked.key.number) {
            let is_same = known == key
                && place_of(entry, &asked.key.number)
                    .and_then(|place| entry.sharing.shares.get(place))
                    .is_some_and(|share| share.body == asked.body);
            return if is_same {
                Ok(key)
            } else {
                Err(ShareRefusal::Changed)
            };
        }
        if !entry.order.is_for_sharing() {
            return Err(ShareRefusal::NotForSharing);
        }
        let own = key.sub_mchid.as_ref().unwrap_or(&key.mchid);
        let platform = self.platforms.get(&key.mchid);
        let is_known = |part: &AskedPart| {
            let name = receiver(key.sub_mchid.as_deref(), &part.kind, &part.account);
            part.account == *own
                || platform.is_some_and(|platform| platform.receivers.contains(&name))
        };
        if !asked.parts.iter().all(is_known) {
            return Err(ShareRefusal::NoRelation);
        }
        let wanted = super::share::sum(asked.parts.iter().map(|part| part.amount));
        let held = held(entry);
        if held == Fen::ZERO || wanted > held {
            return Err(ShareRefusal::NotEnough);
        }
        let shares = u64::try_from(entry.sharing.shares.len()).unwrap_or(u64::MAX);
        if shares >= SHARES_MAX {
            return Err(ShareRefusal::TooMany);
        }
        Ok(key)
    }

    /// A paid order of the caller.
    fn shared_entry(&self, key: &ShareKey, transaction_id: &str) -> Option<&Entry> {
        let order = self.by_transaction_id.get(transaction_id)?;
        let is_callers = order.mchid == key.mchid && order.sub_mchid == key.sub_mchid;
        self.orders.get(order).filter(|_| is_callers)
    }

    /// The order that was shared under this number.
    fn order_of_share(&self, key: &ShareKey, out_order_no: &str) -> Option<OrderKey> {
        let mut orders = self.orders.iter();
        let found = orders.find(|(order, entry)| {
            order.mchid == key.mchid
                && order.sub_mchid == key.sub_mchid
                && place_of(entry, out_order_no).is_some()
        });
        found.map(|(order, _)| order.clone())
    }
}

/// The name of a receiver among those of a merchant.
pub(crate) fn receiver(sub_mchid: Option<&str>, kind: &str, account: &str) -> String {
    format!("{}|{kind}|{account}", sub_mchid.unwrap_or_default())
}

/// What is held of a payment.
fn held(entry: &Entry) -> Fen {
    let Some(payment) = &entry.order.payment else {
        return Fen::ZERO;
    };
    if entry.sharing.is_releasing() {
        return Fen::ZERO;
    }
    payment
        .payer_total
        .saturating_sub(entry.order.refunded)
        .saturating_sub(entry.sharing.shared())
}

/// Whether a refund takes more than is held, and the rest is not released yet.
pub(super) fn takes_shared_money(entry: &Entry, refund: Fen) -> bool {
    let Some(payment) = &entry.order.payment else {
        return false;
    };
    let left = payment
        .payer_total
        .saturating_sub(entry.order.refunded)
        .saturating_sub(entry.sharing.shared());
    entry.order.is_for_sharing() && !entry.sharing.is_released() && refund > left
}

fn place_of(entry: &Entry, out_order_no: &str) -> Option<usize> {
    let mut shares = entry.sharing.shares.iter();
    shares.position(|share| share.out_order_no == out_order_no)
}

fn taken(
    entry: &Entry,
    asked: AskedShare,
    plan: &mut SharePlan<impl FnMut() -> String>,
    now: Timestamp,
) -> Result<Share, ShareRefusal> {
    let shared = super::share::sum(asked.parts.iter().map(|part| part.amount));
    let rest = held(entry).checked_sub(shared);
    let rest = rest.ok_or(ShareRefusal::NotEnough)?;
    let mut parts: Vec<Part> = Vec::new();
    for part in asked.parts {
        parts.push(Part {
            kind: part.kind,
            account: part.account,
            amount: part.amount,
            description: part.description,
            detail_id: (plan.number)(),
            result: PartResult::Pending,
            fail_reason: None,
            is_rest: false,
        });
    }
    if asked.unfreezes && rest > Fen::ZERO {
        let key = &entry.order.request.key;
        parts.push(Part {
            kind: "MERCHANT_ID".to_owned(),
            account: key.sub_mchid.as_ref().unwrap_or(&key.mchid).clone(),
            amount: rest,
            description: "解冻给分账方".to_owned(),
            detail_id: (plan.number)(),
            result: PartResult::Pending,
            fail_reason: None,
            is_rest: true,
        });
    }
    Ok(Share {
        out_order_no: asked.key.number,
        order_id: (plan.number)(),
        unfreezes: asked.unfreezes,
        parts,
        created_at: now,
        result_at: plan.result_at,
        is_finished: false,
        body: asked.body,
    })
}

/// WeChat's number of the share that a return takes from.
fn check_return(entry: &Entry, asked: &AskedReturn) -> Result<String, ShareRefusal> {
    let mut shares = entry.sharing.shares.iter();
    let share = shares
        .find(|share| share.out_order_no == asked.out_order_no)
        .ok_or(ShareRefusal::Unknown)?;
    let got = share.parts.iter().filter(|part| {
        part.kind == "MERCHANT_ID"
            && part.account == asked.return_mchid
            && part.result == PartResult::Success
            && !part.is_rest
    });
    let got = super::share::sum(got.map(|part| part.amount));
    if !share.is_finished || got == Fen::ZERO {
        return Err(ShareRefusal::NotReturnable);
    }
    let returned = entry
        .sharing
        .returned(&asked.out_order_no, &asked.return_mchid);
    if asked.amount > got.saturating_sub(returned) {
        return Err(ShareRefusal::TooMuchReturned);
    }
    let earlier = entry.sharing.returns.iter();
    let earlier = earlier.filter(|returned| returned.out_order_no == asked.out_order_no);
    if earlier.count() >= RETURNS_MAX {
        return Err(ShareRefusal::TooMany);
    }
    Ok(share.order_id.clone())
}

/// Something that a merchant is told.
struct News {
    kind: NoticeKind,
    to: String,
    content: String,
    at: Timestamp,
}

/// Applies the due results of an order's shares and returns. There is one piece of news for each part,
/// also where the part failed, with an empty address.
fn settle(
    entry: &mut Entry,
    results: &ShareResults<'_>,
    is_receiver: &impl Fn(&Part) -> bool,
    now: Timestamp,
) -> Vec<News> {
    let mut news = Vec::new();
    let (order, sharing) = (&entry.order, &mut entry.sharing);
    let key = &order.request.key;
    let own = key.sub_mchid.as_ref().unwrap_or(&key.mchid);
    for share in &mut sharing.shares {
        if share.is_finished || share.result_at > now {
            continue;
        }
        share.is_finished = true;
        for part in &mut share.parts {
            let failed = if part.account != *own && !is_receiver(part) {
                Some("NO_RELATION")
            } else if results.outcome == ShareOutcome::Closed && !part.is_rest {
                Some("ACCOUNT_ABNORMAL")
            } else {
                None
            };
            part.fail_reason = failed.map(str::to_owned);
            part.result = match failed {
                None => PartResult::Success,
                Some(_) => PartResult::Closed,
            };
        }
        let share = &*share;
        news.extend(share.parts.iter().map(|part| {
            let is_told =
                part.kind == "MERCHANT_ID" && part.result == PartResult::Success && !part.is_rest;
            News {
                kind: NoticeKind::Shared,
                to: if is_told {
                    part.account.clone()
                } else {
                    String::new()
                },
                content: share.notified_json(part, order).to_string(),
                at: share.result_at,
            }
        }));
    }
    for returned in &mut sharing.returns {
        if returned.result != PartResult::Pending || returned.result_at > now {
            continue;
        }
        let is_failed = results.outcome == ShareOutcome::Closed;
        returned.result = if is_failed {
            PartResult::Closed
        } else {
            PartResult::Success
        };
        returned.fail_reason = is_failed.then(|| "TIME_OUT_CLOSED".to_owned());
        news.push(News {
            kind: NoticeKind::ShareReturned,
            to: if is_failed {
                String::new()
            } else {
                returned.return_mchid.clone()
            },
            content: returned.notified_json(order).to_string(),
            at: returned.result_at,
        });
    }
    news
}
