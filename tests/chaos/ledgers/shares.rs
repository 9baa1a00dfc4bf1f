//! Shares, releases and returns in both ledgers.

use serde_json::Value;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Database, fen};

/// One receiver of a share with its result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Receiver {
    pub(crate) account: String,
    pub(crate) amount_fen: u64,
    /// Whether the money arrived; `None`: not yet decided.
    pub(crate) has_arrived: Option<bool>,
}

/// One share or release at WeChat.
#[derive(Clone, Debug)]
pub(crate) struct WechatShare {
    pub(crate) number: String,
    pub(crate) out_trade_no: String,
    pub(crate) is_finished: bool,
    /// Whether it releases the rest.
    pub(crate) unfreezes: bool,
    /// In the order of their accounts.
    pub(crate) receivers: Vec<Receiver>,
    pub(crate) returns: Vec<WechatReturn>,
}

/// One return at WeChat.
#[derive(Clone, Debug)]
pub(crate) struct WechatReturn {
    pub(crate) number: String,
    /// The merchant that gives the money back.
    pub(crate) giving: Receiver,
}

/// A share, a release or a return of ours.
#[derive(Clone, Debug)]
pub(crate) struct OurShare {
    pub(crate) number: String,
    pub(crate) kind: String,
    pub(crate) order_no: String,
    pub(crate) out_trade_no: String,
    /// The share that a return takes from.
    pub(crate) share_number: Option<String>,
    pub(crate) amount_fen: u64,
    /// In the order of their accounts; none of a release.
    pub(crate) receivers: Vec<Receiver>,
    pub(crate) state: String,
    /// How often WeChat refused it.
    pub(crate) refusals: usize,
}

impl WechatShare {
    /// Whether WeChat has no work left with it and its returns.
    pub(crate) fn is_over(&self) -> bool {
        let mut returns = self.returns.iter();
        self.is_finished && returns.all(|returned| returned.giving.has_arrived.is_some())
    }

    /// What receivers were to get.
    pub(crate) fn shared_fen(&self) -> u64 {
        self.receivers.iter().map(|to| to.amount_fen).sum()
    }

    /// What receivers got and did not give back. It is negative if more came back than arrived.
    pub(crate) fn moved_fen(&self) -> i64 {
        let returned = self.returns.iter().map(|returned| &returned.giving);
        arrived_fen(&self.receivers) - arrived_fen(returned)
    }
}

impl OurShare {
    pub(crate) fn is_return(&self) -> bool {
        self.kind == "return"
    }

    /// Whether it releases the rest.
    pub(crate) fn unfreezes(&self) -> bool {
        matches!(&*self.kind, "unfreeze" | "share_and_unfreeze")
    }

    /// What receivers got by it; of a return, what came back, as a negative number.
    pub(crate) fn moved_fen(&self) -> i64 {
        let arrived_fen = arrived_fen(&self.receivers);
        if self.is_return() {
            -arrived_fen
        } else {
            arrived_fen
        }
    }
}

/// What arrived at these receivers.
pub(crate) fn arrived_fen<'a>(receivers: impl IntoIterator<Item = &'a Receiver>) -> i64 {
    let arrived = receivers.into_iter();
    let arrived = arrived.filter(|receiver| receiver.has_arrived == Some(true));
    arrived
        .map(|receiver| i64::try_from(receiver.amount_fen).unwrap())
        .sum()
}

/// WeChat's shares and releases, as its ledger shows them.
pub(crate) fn wechat_shares(ledger: &Value) -> Vec<WechatShare> {
    let shares = ledger["shares"].as_array().unwrap().iter();
    let share = |share: &Value| WechatShare {
        number: text(share, "out_order_no"),
        out_trade_no: text(share, "out_trade_no"),
        is_finished: share["state"] == "FINISHED",
        unfreezes: share["unfreezes"] == true,
        receivers: in_order(
            share["receivers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|part| receiver(part, ["account", "amount"], ["SUCCESS", "CLOSED"])),
        ),
        returns: share["returns"]
            .as_array()
            .unwrap()
            .iter()
            .map(given_back)
            .collect(),
    };
    shares.map(share).collect()
}

fn given_back(returned: &Value) -> WechatReturn {
    WechatReturn {
        number: text(returned, "out_return_no"),
        giving: receiver(returned, ["return_mchid", "amount"], ["SUCCESS", "FAILED"]),
    }
}

impl Database {
    /// All shares, releases and returns.
    pub(crate) async fn shares(&self) -> Vec<OurShare> {
        let rows = self
            .rows(
                "SELECT number, kind, order_no, out_trade_no, share_number, amount_fen, receivers,
                        shares.state, refusals
                 FROM shares JOIN orders ON orders.id = order_id ORDER BY shares.id",
            )
            .await;
        rows.iter().map(share).collect()
    }
}

fn share(row: &AnyRow) -> OurShare {
    let kind: String = row.get("kind");
    let receivers: Value = serde_json::from_str(row.get("receivers")).unwrap();
    // Those of a release are the merchant itself, which gets the rest.
    let receivers = receivers.as_array().unwrap().iter();
    let receivers = receivers
        .filter(|_| kind != "unfreeze")
        .map(|to| receiver(to, ["account", "amount_fen"], ["succeeded", "closed"]));
    OurShare {
        receivers: in_order(receivers),
        number: row.get("number"),
        order_no: row.get("order_no"),
        out_trade_no: row.get("out_trade_no"),
        share_number: row.get("share_number"),
        amount_fen: fen(row, "amount_fen"),
        state: row.get("state"),
        refusals: row.get::<i64, _>("refusals").try_into().unwrap(),
        kind,
    }
}

/// Reads a receiver by the fields of its account and its amount, and by the words for a result.
fn receiver(json: &Value, fields: [&str; 2], [arrived, failed]: [&str; 2]) -> Receiver {
    let result = json["result"].as_str().unwrap();
    Receiver {
        account: text(json, fields[0]),
        amount_fen: json[fields[1]].as_u64().unwrap(),
        has_arrived: (result == arrived)
            .then_some(true)
            .or((result == failed).then_some(false)),
    }
}

fn in_order(receivers: impl Iterator<Item = Receiver>) -> Vec<Receiver> {
    let mut receivers: Vec<_> = receivers.collect();
    receivers.sort();
    receivers
}

fn text(json: &Value, field: &str) -> String {
    json[field].as_str().unwrap().to_owned()
}
