//! A buyer's visit to the cashier: who the buyer is, and the result.

use wechat_pay::TradeState;

use super::Simulator;
use crate::ledger::attempt::{Attempt, AttemptResult, Way};
use crate::ledger::order::{Order, Product};
use crate::ledger::{Outcome, PayRefusal, Target};

/// The path of an `h5_url`, as WeChat's.
pub(crate) const H5_PATH: &str = "/cgi-bin/mmpayweb-bin/checkmweb";

/// The buyer of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Buyer {
    /// The buyer of the order, or the first one if any buyer may pay.
    Anybody,
    /// A buyer of the simulator, counted from 1.
    Payer(u8),
    /// A buyer by openid.
    OpenId(String),
}

/// The result of a visit to the cashier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    /// The order's state now.
    pub(crate) trade_state: TradeState,
    /// WeChat's number, if the order is paid; of a combined order, one for each sub-order.
    pub(crate) transaction_ids: Vec<String>,
}

impl Simulator {
    /// Opens the cashier for a buyer; a code or an H5 page then belongs to this buyer.
    pub(crate) fn open_cashier(&self, target: &Target, buyer: &Buyer) -> Result<Order, PayRefusal> {
        let now = self.clock().now();
        let mut ledger = self.ledger();
        let order = ledger.open_cashier(target, None, now)?;
        let (openid, _) = self.openids_of(order, buyer);
        ledger.claim_cashier(target, &openid, now).cloned()
    }

    /// The buyer makes a choice in the cashier. Every visit is recorded, also a refused one.
    pub(crate) fn visit_cashier(
        &self,
        target: &Target,
        outcome: Outcome,
        buyer: &Buyer,
    ) -> Result<Visit, PayRefusal> {
        let visited = self.visit(target, outcome, buyer);
        let now = self.clock().now();
        let mut ledger = self.ledger();
        if let Some(order) = ledger.find_by_target(target) {
            let attempt = Attempt {
                at: now,
                openid: self.openids_of(order, buyer).0,
                way: Way::of(target),
                result: AttemptResult::of(visited.as_ref().map(|_| outcome).map_err(|no| *no)),
            };
            ledger.note_attempt(target, attempt);
        }
        visited
    }

    fn visit(&self, target: &Target, outcome: Outcome, buyer: &Buyer) -> Result<Visit, PayRefusal> {
        let order = self.open_cashier(target, buyer)?;
        let now = self.clock().now();
        let mut ledger = self.ledger();
        if outcome != Outcome::Success {
            if outcome == Outcome::Fail {
                ledger.fail(&order.request.key);
            }
            let order = ledger.find(&order.request.key).unwrap_or(&order);
            return Ok(Visit {
                trade_state: order.trade_state(now),
                transaction_ids: Vec::new(),
            });
        }
        let (openid, sub_openid) = self.openids_of(&order, buyer);
        let transaction_id = || self.random().transaction_id(now);
        let notice_id = self.random().notification_id();
        let order = ledger.pay(target, &openid, sub_openid, transaction_id, notice_id, now)?;
        let (trade_state, key) = (order.trade_state(now), order.request.key.clone());
        let visit = Visit {
            trade_state,
            transaction_ids: ledger.transaction_ids(&key),
        };
        drop(ledger);
        self.wake();
        Ok(visit)
    }

    /// Whether an order may name this openid.
    pub(crate) fn takes_openid(&self, appid: &str, openid: &str) -> bool {
        self.payer_of(appid, openid).is_some() || self.settings().unknown_openids
    }

    fn payer_of(&self, appid: &str, openid: &str) -> Option<u8> {
        (1..=self.settings().payers).find(|payer| self.openid_of(*payer, appid) == openid)
    }

    /// The buyer's openid under the order's application, and under that of a sub-merchant.
    fn openids_of(&self, order: &Order, buyer: &Buyer) -> (String, Option<String>) {
        let request = &order.request;
        let payer = match buyer {
            Buyer::OpenId(openid) => return (openid.clone(), None),
            Buyer::Payer(payer) => *payer,
            Buyer::Anybody if request.product == Product::CodePay => order.code_payer.unwrap_or(1),
            Buyer::Anybody => match &request.openid {
                Some(openid) => match self.payer_of(order.payer_appid(), openid) {
                    Some(payer) => payer,
                    None => return (openid.clone(), None),
                },
                None => 1,
            },
        };
        let of_sub = request.sub_appid.as_deref();
        (
            self.openid_of(payer, &request.appid),
            of_sub.map(|sub_appid| self.openid_of(payer, sub_appid)),
        )
    }
}
