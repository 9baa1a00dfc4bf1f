//! Notices of shares (分账动账通知) in the audit: WeChat notifies a merchant that receives about each share that
//! arrived at it and about each return from it, and its server hands each on exactly once, as `wechat.event`.

use serde_json::Value;

use super::Audit;
use crate::ledgers::shares::{Receiver, WechatShare};

/// A share that arrived at the merchant, or a return from it.
struct Moved<'a> {
    /// The number of the share or the return.
    number: &'a str,
    out_trade_no: &'a str,
    amount_fen: u64,
}

impl Audit<'_> {
    /// Compares what moved at WeChat with what the backend was told.
    pub(super) fn share_notices(&mut self) {
        let evidence = self.evidence;
        let receiver = &evidence.told_receiver;
        let moved: Vec<Moved<'_>> = evidence
            .wechat_shares
            .iter()
            .flat_map(|share| moved(share, receiver))
            .collect();
        let events = evidence.events.iter();
        let told: Vec<&Value> = events
            .filter(|(kind, _)| kind == "wechat.event")
            .map(|(_, data)| data)
            .collect();
        for one in &moved {
            let told = told.iter().filter(|data| number_of(data) == one.number);
            self.told_once(one, &told.copied().collect::<Vec<_>>());
        }
        for data in told {
            if !moved.iter().any(|one| one.number == number_of(data)) {
                self.wrong("", format!("no money moved, and wechat.event tells {data}"));
            }
        }
    }

    fn told_once(&mut self, moved: &Moved<'_>, told: &[&Value]) {
        let (number, no) = (moved.number, self.order_of(moved.out_trade_no));
        match told {
            [] => self.lost(&no, format!("the notice of {number} was not handed on")),
            [data] => {
                let resource = &data["resource"];
                let agrees = data["original_type"] == "profitsharing"
                    && resource["receiver"]["account"] == *self.evidence.told_receiver
                    && resource["receiver"]["amount"] == moved.amount_fen;
                if !agrees {
                    self.wrong(&no, format!("the notice of {number} tells {data}"));
                }
            }
            more => {
                let what = format!("the notice of {number} was handed on {} times", more.len());
                self.duplicated(&no, what);
            }
        }
    }
}

fn number_of(data: &Value) -> &str {
    data["resource"]["out_order_no"]
        .as_str()
        .unwrap_or_default()
}

fn moved<'a>(share: &'a WechatShare, receiver: &'a str) -> impl Iterator<Item = Moved<'a>> {
    let is_meant = move |to: &Receiver| to.account == receiver && to.has_arrived == Some(true);
    let arrived = share.receivers.iter().map(|to| (share.number.as_str(), to));
    let returned = share.returns.iter();
    let returned = returned.map(|returned| (returned.number.as_str(), &returned.giving));
    arrived
        .chain(returned)
        .filter(move |(_, to)| is_meant(to))
        .map(|(number, to)| Moved {
            number,
            out_trade_no: &share.out_trade_no,
            amount_fen: to.amount_fen,
        })
}
