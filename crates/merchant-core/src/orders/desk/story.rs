//! The story of an order: everything that the ledger has of it, as events in the order of their times.
//! An event says what is known. Of a query only the last one is kept, and of a state only the time at
//! which it began.

use merchant_api::{
    AttemptProduct, OrderDetails, RefundOrigin, RefundState, ShareKind, ShareState, SubOrderLeft,
};
use payment_values::Fen;

use super::journal::{JournalEntry, entry};
use crate::checkouts::{Payers, find_by_order_no, order_details};
use crate::ledger::{Attempt, AttemptState, NotificationRow, Order, Refund, Share, Webhook};
use crate::payments::Payments;
use crate::refusal::Refusal;

/// An order with its story.
#[derive(Clone, Debug)]
pub struct Story {
    /// The order as the private API shows it.
    pub order: OrderDetails,
    /// What is left of the payment, in fen.
    pub refundable_fen: Fen,
    /// The same for each sub-order of a combined order, once it is paid.
    pub sub_orders_left: Vec<SubOrderLeft>,
    /// Oldest first.
    pub events: Vec<Event>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// The time at which it happened, in milliseconds since 1970.
    pub at_ms: i64,
    /// What it was, with its numbers.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// The merchant's backend created the order.
    Created,
    /// A page showed the order for the first time, and nobody had begun to pay.
    Shown,
    /// An attempt began.
    Attempt {
        /// Its number, from 1.
        number: u64,
        /// How the buyer pays.
        product: AttemptProduct,
        /// Its number at WeChat.
        out_trade_no: String,
        /// Its state now.
        state: String,
    },
    /// WeChat accepted an attempt, and gave what the buyer pays with.
    Accepted {
        /// The attempt's number.
        number: u64,
    },
    /// WeChat sent a notification.
    Notification {
        /// WeChat's word.
        event_type: String,
        /// The refund that it is about.
        refund_no: Option<String>,
        /// What came of it, in one word.
        outcome: String,
    },
    /// WeChat was queried for the last time.
    Queried {
        /// Whether WeChat answered that query, or a later one.
        is_answered: bool,
    },
    /// The buyer paid.
    Paid {
        /// WeChat's number of the payment.
        transaction_id: String,
        /// What the payer paid.
        payer_total_fen: Option<Fen>,
        /// The payer's bank, in WeChat's word.
        bank_type: Option<String>,
        /// A second payment of the order.
        is_surplus: bool,
    },
    /// WeChat reported the payment as refunded, and no refund here explains it.
    RefundSeen,
    /// A refund was asked for.
    RefundBegun {
        /// Its number.
        refund_no: String,
        /// Its amount.
        amount_fen: Fen,
        /// Who asked.
        origin: RefundOrigin,
        /// The reason, as the buyer sees it.
        reason: Option<String>,
    },
    /// A refund came into the state that it is in.
    RefundState {
        /// Its number.
        refund_no: String,
        /// The state.
        state: RefundState,
        /// Where the money goes, in WeChat's words.
        account: Option<String>,
        /// Why WeChat did not take it.
        wechat_message: Option<String>,
    },
    /// A share, a release or a return was asked for.
    ShareBegun {
        /// Its number.
        number: String,
        /// What it does.
        kind: ShareKind,
        /// Its amount; 0 for a release.
        amount_fen: Fen,
    },
    /// A share, a release or a return came into the state that it is in.
    ShareState {
        /// Its number.
        number: String,
        /// The state.
        state: ShareState,
        /// What arrived of it.
        succeeded_fen: Fen,
        /// Why WeChat did not take it.
        wechat_message: Option<String>,
    },
    /// A message to the merchant's backend.
    Webhook {
        /// Its id.
        id: String,
        /// Its type.
        event_type: String,
        /// pending, delivered, failed or unaddressed.
        state: String,
        /// How often it was sent.
        tries: u64,
        /// The result of the last try.
        last_outcome: Option<String>,
    },
    /// Somebody acted at the desk.
    Desk(JournalEntry),
    /// The time until which the buyer can pay has ended.
    Expired,
}

/// Tells the story of an order.
pub async fn story(payments: &Payments, order_no: &str) -> Result<Story, Refusal> {
    let ledger = &payments.ledger;
    let order = find_by_order_no(payments, order_no).await?.order;
    let attempts = ledger.attempts(order.id).await?;
    let refunds = ledger.refunds(order.id).await?;
    let shippings = ledger.shippings(order.id).await?;
    let sub_orders = ledger.sub_orders(order.id).await?;
    let mut events = of_order(&order, payments.clock.now_ms());
    for attempt in &attempts {
        events.extend(of_attempt(attempt));
        let number = attempt.out_trade_no.as_str();
        events.extend(
            ledger
                .notifications_of(number)
                .await?
                .into_iter()
                .map(notified),
        );
    }
    // A refund of a sub-order is reported under the sub-order's number.
    for number in sub_orders.iter().filter_map(|it| it.out_trade_no.as_ref()) {
        let rows = ledger.notifications_of(number.as_str()).await?;
        events.extend(rows.into_iter().map(notified));
    }
    events.extend(refunds.iter().flat_map(of_refund));
    let shares = ledger.shares(order.id).await?;
    events.extend(shares.iter().flat_map(of_share));
    let webhooks = ledger
        .webhooks_of(&order, &attempts, &refunds, &shares)
        .await?;
    events.extend(webhooks.into_iter().map(of_webhook));
    let actions = ledger.desk_actions_of(order_no).await?;
    events.extend(actions.into_iter().map(|action| Event {
        at_ms: action.at_ms,
        what: What::Desk(entry(action)),
    }));
    events.sort_by_key(|event| event.at_ms);
    let paid = attempts.iter().find(|it| it.state == AttemptState::Paid);
    let left = match paid {
        Some(attempt) => ledger.refundable(&order, attempt).await?,
        None => Vec::new(),
    };
    let sub_orders_left = left.iter().filter_map(|(charge, refundable_fen)| {
        Some(SubOrderLeft {
            sub_order_no: charge.sub_order_no.clone()?,
            refundable_fen: *refundable_fen,
        })
    });
    Ok(Story {
        sub_orders_left: sub_orders_left.collect(),
        order: order_details(
            &payments.config,
            order,
            attempts,
            refunds,
            shippings,
            &sub_orders,
            Payers::Hidden,
        ),
        refundable_fen: left
            .iter()
            .fold(Fen::ZERO, |sum, (_, fen)| sum.saturating_add(*fen)),
        events,
    })
}

fn notified(row: NotificationRow) -> Event {
    Event {
        at_ms: row.received_ms,
        what: What::Notification {
            event_type: row.event_type,
            refund_no: row.out_refund_no,
            outcome: row.outcome,
        },
    }
}

fn of_order(order: &Order, now_ms: i64) -> Vec<Event> {
    let mut events = vec![Event {
        at_ms: order.created_ms,
        what: What::Created,
    }];
    events.extend(order.shown_ms.map(|at_ms| Event {
        at_ms,
        what: What::Shown,
    }));
    let queried = order.queried_ms.map(|at_ms| Event {
        at_ms,
        what: What::Queried {
            is_answered: order.checked_ms.is_some_and(|checked| checked >= at_ms),
        },
    });
    events.extend(queried);
    if order.expires_ms <= now_ms && order.success_time.is_none() {
        events.push(Event {
            at_ms: order.expires_ms,
            what: What::Expired,
        });
    }
    events
}

fn of_attempt(attempt: &Attempt) -> Vec<Event> {
    let mut events = vec![Event {
        at_ms: attempt.created_ms,
        what: What::Attempt {
            number: attempt.number,
            product: attempt.product,
            out_trade_no: attempt.out_trade_no.to_string(),
            state: attempt.state.as_str().to_owned(),
        },
    }];
    events.extend(attempt.link.as_ref().map(|link| Event {
        at_ms: link.given_ms,
        what: What::Accepted {
            number: attempt.number,
        },
    }));
    if let Some(transaction_id) = &attempt.transaction_id {
        let success_time = attempt.success_time.as_deref();
        let success_time = success_time.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let success_ms = success_time.map_or(0, jiff::Timestamp::as_millisecond);
        // WeChat's time has no milliseconds, and a payment follows what it pays.
        let begun_ms = events.last().map_or(0, |event| event.at_ms);
        events.push(Event {
            at_ms: success_ms.max(begun_ms),
            what: What::Paid {
                transaction_id: transaction_id.to_string(),
                payer_total_fen: attempt.payer_total_fen,
                bank_type: attempt.bank_type.clone(),
                is_surplus: attempt.state == AttemptState::Surplus,
            },
        });
    }
    events.extend(attempt.refund_seen_ms.map(|at_ms| Event {
        at_ms,
        what: What::RefundSeen,
    }));
    events
}

fn of_refund(refund: &Refund) -> [Event; 2] {
    let refund_no = refund.out_refund_no.to_string();
    let begun = Event {
        at_ms: refund.created_ms,
        what: What::RefundBegun {
            refund_no: refund_no.clone(),
            amount_fen: refund.amount_fen,
            origin: refund.origin,
            reason: refund.reason.clone(),
        },
    };
    let state = Event {
        at_ms: refund.state_ms,
        what: What::RefundState {
            refund_no,
            state: refund.state,
            account: refund.user_received_account.clone(),
            wechat_message: refund.wechat_message.clone(),
        },
    };
    [begun, state]
}

fn of_share(share: &Share) -> [Event; 2] {
    let begun = Event {
        at_ms: share.created_ms,
        what: What::ShareBegun {
            number: share.number.clone(),
            kind: share.kind,
            amount_fen: share.amount_fen,
        },
    };
    let state = Event {
        at_ms: share.state_ms,
        what: What::ShareState {
            number: share.number.clone(),
            state: share.state,
            succeeded_fen: share.succeeded_fen(),
            wechat_message: share.wechat_message.clone(),
        },
    };
    [begun, state]
}

fn of_webhook(webhook: Webhook) -> Event {
    Event {
        at_ms: webhook.created_ms,
        what: What::Webhook {
            id: webhook.id,
            event_type: webhook.event_type,
            state: webhook.state,
            tries: webhook.tries,
            last_outcome: webhook.last_outcome,
        },
    }
}
